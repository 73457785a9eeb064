/** `diagnose`: from a symptom to its cause, of this router or of a saved document, in words or as JSON. */
import { NAMES, OF_AUDIO, OF_QUALITY, readAsked, SYMPTOMS } from '../diagnose/symptoms.ts';
import type { Asked, Symptom } from '../diagnose/symptoms.ts';
import type { AlgState } from '../judge/verdict.ts';
import { observeCalls } from '../survey/calls.ts';
import type { ExitCode, RouterFacts } from '../survey/survey.ts';
import type { Put } from '../words/english.ts';
import { published } from '../words/published.ts';
import { say, Trouble } from '../words/say.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { foldedText } from './fold.ts';
import { reportFrom } from './elsewhere.ts';
import { factsNow, jsonText } from './look.ts';

const WIDEST = 18;

export function usage(put: Put): string {
  const about = say(
    'usage-diagnose',
    'usage: sipalg diagnose [SYMPTOM] [--json] [--from FILE]\n\n' +
      'Says which causes of a symptom are found on this router, each with its evidence and one fix, which are ruled out and by what, ' +
      'and what cannot be known from here and how to find out. Nothing is changed. SYMPTOM is a name or a sentence, English or German, ' +
      'and a time in it is used: sipalg diagnose "calls drop after 32 seconds". Without one all causes are looked for, worst first. ' +
      'What concerns audio is best asked while a call runs; it takes a second more. For choppy audio it takes three, in which ' +
      'the two ends of the calls that run are sent twelve pings each.',
  );
  const more = say(
    'usage-diagnose-more',
    '--from FILE judges what `sipalg diagnose --json` has saved on any router (- for standard input).\n\n' +
      'Exit codes: 0 no cause was found here; 1 at least one was; 2 trouble: flows or rules could not be read and nothing was found, ' +
      'a symptom that is not known, or wrong usage.',
  );
  const symptoms = NAMES.map((name) => `  ${name.padEnd(WIDEST)}${put(SYMPTOMS[name])}\n`).join('');
  return `${foldedText(put(about))}\n\n${symptoms}\n${foldedText(put(more))}\n`;
}

async function verdictOf({ surveyor }: Doors, facts: RouterFacts): Promise<AlgState> {
  return facts.policy.state === 'present' ? (await surveyor.report(facts)).verdict.alg : surveyor.verdict(facts).alg;
}

async function factsFor(doors: Doors, given: Given, asked: Asked, terminal: Terminal): Promise<{ facts: RouterFacts; alg: AlgState }> {
  const from = given.get('--from');
  if (from !== undefined) {
    const { facts, verdict } = await reportFrom(doors, from, null, terminal);
    if (facts.calls === undefined)
      throw new Trouble(
        say(
          'saved-without-calls',
          '{file} holds nothing of calls: it was saved by another command, or before there was one; ' +
            'save one with `sipalg diagnose --json > FILE` on the router.',
          { file: from === '-' ? say('standard-input', 'standard input') : from },
        ),
      );
    return { facts, alg: verdict.alg };
  }
  const any = (of: readonly Symptom[]): boolean => asked.symptoms.some((one) => of.includes(one));
  const again = any(OF_QUALITY) ? 'misses' : any(OF_AUDIO) ? 'moves' : null;
  const whole = await observeCalls(doors.host, (also) => factsNow(doors, also), again);
  return { facts: whole, alg: await verdictOf(doors, whole) };
}

export async function runDiagnose(doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  const asked = readAsked(given.get('[SYMPTOM...]') ?? '');
  const looking = factsFor(doors, given, asked, terminal);
  // The table of causes is read while the tools run that the look has started.
  const [{ facts, alg }, { diagnose, diagnosisCode, diagnosisText }] = await Promise.all([looking, import('./diagnosis.ts')]);
  const diagnosis = diagnose(facts, alg, asked);
  if (given.has('--json')) terminal.json(jsonText({ version: doors.surveyor.version, facts, alg, diagnosis: published(diagnosis) }));
  else terminal.out(diagnosisText(diagnosis, terminal.put, terminal.width));
  return diagnosisCode(diagnosis, facts);
}
