/** `diagnose`: from a symptom to its cause, of this router or of a saved document, in words or as JSON. */
import { diagnose, diagnosisCode } from '../diagnose/diagnose.ts';
import type { Diagnosis } from '../diagnose/diagnose.ts';
import type { Fix } from '../diagnose/cause.ts';
import { KNOWN_ON } from '../diagnose/advisories.ts';
import { NAMES, OF_AUDIO, readAsked, SYMPTOMS } from '../diagnose/symptoms.ts';
import type { Asked } from '../diagnose/symptoms.ts';
import type { AlgState } from '../judge/verdict.ts';
import { observeCalls } from '../survey/calls.ts';
import type { ExitCode, RouterFacts } from '../survey/survey.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { factsNow, jsonText, reportFrom } from './look.ts';
import { INDENT } from './text.ts';

export const USAGE = `usage: sipalg diagnose [SYMPTOM] [--json] [--from FILE]

Says which causes of a symptom are found on this router, each with its evidence and one fix, which are ruled out and by what, and
what cannot be known from here and how to find out. Nothing is changed. SYMPTOM is a name or a sentence, English or German, and a
time in it is used: sipalg diagnose "calls drop after 32 seconds". Without one all causes are looked for, worst first. What
concerns audio is best asked while a call runs; it takes a second more.

${NAMES.map((name) => `  ${name.padEnd(18)}${SYMPTOMS[name]}`).join('\n')}

--from FILE judges what \`sipalg diagnose --json\` has saved on any router (- for standard input).

Exit codes: 0 no cause was found here; 1 at least one was; 2 trouble: flows or rules could not be read and nothing was found,
a symptom that is not known, or wrong usage.
`;

function fixText(fix: Fix): string {
  if ('command' in fix) return `Fix: \`${fix.command}\``;
  if ('setting' in fix) return `Fix, on ${fix.of}: ${fix.setting}`;
  return `Ask ${fix.ask}: ${fix.question}`;
}

/** What one observation would tell stands together. */
function unknownLines(unknown: Diagnosis['unknown']): string[] {
  const groups = new Map<string, Diagnosis['unknown']>();
  for (const one of unknown) groups.set(`${one.because}\n${one.tell}`, [...(groups.get(`${one.because}\n${one.tell}`) ?? []), one]);
  const lines = [...groups.values()].flatMap((group) => [
    `  ? ${group[0]?.because}.`,
    `${INDENT}To find out: ${group[0]?.tell}`,
    ...group.map(({ code, what }) => `${INDENT}- ${what} [${code}]`),
  ]);
  return lines.length > 0 ? ['', 'Cannot be known from here:', ...lines] : [];
}

export function diagnosisText({ asked, number, found, ruledOut, unknown, phones, advisories }: Diagnosis): string {
  const symptoms = asked.symptoms.map((one) => SYMPTOMS[one]).join('; ');
  const alike = new Set<string>();
  const lines = [
    ...(symptoms === '' ? [] : [`Asked: ${symptoms}.`]),
    ...(number === null ? [] : [`${number}.`]),
    found.length === 0 ? 'No cause was found on this router.' : `Found on this router${symptoms === '' ? ', worst first' : ''}:`,
  ];
  for (const { code, what, evidence, fix, alike: same } of found) {
    if (alike.has(code)) {
      lines.push(`  ! or: ${what} [${code}]`, `${INDENT}${fixText(fix)}`);
      continue;
    }
    lines.push(`  ! ${what} [${code}]`, ...evidence.map((one) => INDENT + one), `${INDENT}${fixText(fix)}`);
    if (same === null) continue;
    for (const one of same.codes) alike.add(one);
    lines.push(`${INDENT}Here it cannot be told from ${same.codes.join(', ')}. What would tell: ${same.tell}`);
  }
  lines.push(...unknownLines(unknown));
  if (ruledOut.length > 0) lines.push('', 'Ruled out:', ...ruledOut.map(({ code, because }) => `  - ${code}: ${because}.`));
  if (phones.length > 0) lines.push('', 'Phones that signal now:', ...phones.map((one) => `  ${one}`));
  if (advisories.length > 0) {
    lines.push('', `Security (as known on ${KNOWN_ON}):`);
    for (const { text, fix, source } of advisories) lines.push(`  ! ${text}`, `${INDENT}${fix}`, `${INDENT}${source}`);
  }
  return `${lines.join('\n')}\n`;
}

async function verdictOf({ surveyor }: Doors, facts: RouterFacts): Promise<AlgState> {
  return facts.policy.state === 'present' ? (await surveyor.report(facts)).verdict.alg : surveyor.verdict(facts).alg;
}

async function factsFor(doors: Doors, given: Given, asked: Asked, terminal: Terminal): Promise<{ facts: RouterFacts; alg: AlgState }> {
  const from = given.get('--from');
  if (from !== undefined) {
    const { facts, verdict } = await reportFrom(doors, from, terminal);
    if (facts.calls === undefined)
      throw new Error(
        `${from === '-' ? 'standard input' : from} holds nothing of calls: it was saved by another command, or before there ` +
          'was one; save one with `sipalg diagnose --json > FILE` on the router.',
      );
    return { facts, alg: verdict.alg };
  }
  const looking = factsNow(doors);
  const [facts, calls] = await Promise.all([
    looking,
    observeCalls(
      doors.host,
      looking,
      asked.symptoms.some((one) => OF_AUDIO.includes(one)),
    ),
  ]);
  const whole = { ...facts, calls };
  return { facts: whole, alg: await verdictOf(doors, whole) };
}

export async function runDiagnose(doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  const asked = readAsked(given.get('[SYMPTOM...]') ?? '');
  const { facts, alg } = await factsFor(doors, given, asked, terminal);
  const diagnosis = diagnose(facts, alg, asked);
  if (given.has('--json')) terminal.json(jsonText({ version: doors.surveyor.version, facts, alg, diagnosis }));
  else terminal.out(diagnosisText(diagnosis));
  return diagnosisCode(diagnosis, facts);
}
