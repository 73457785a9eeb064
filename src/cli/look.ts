/** `status`, `plan` and `policy`: the report, of this router or of a saved document, in words or as JSON. */
import { unread } from '../judge/questions.ts';
import type { ExitCode, Report } from '../survey/survey.ts';
import { exitCode } from '../survey/survey.ts';
import type { RouterFacts } from '../survey/survey.ts';
import { say, Trouble } from '../words/say.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { problemText } from './text.ts';

/** One JSON document; what JSON itself lets through of characters a terminal obeys is written as JSON can. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`) + '\n';
}

/** Rules and flows are listed by tools, and a firewall that is being loaded in that moment may show halves of two rulesets. */
const IN_PASSING = /^(nft|ip6?tables\S*|conntrack) ?/;
const LOOKS = 3;

/** Looks, and looks again where a list was not to be had in passing. */
export async function factsNow({ host, surveyor }: Doors, also?: Parameters<Doors['surveyor']['look']>[2]): Promise<RouterFacts> {
  for (let look = 1; ; look++) {
    const facts = await surveyor.look(host, undefined, also);
    const passing = host.process().uid === 0 && unread(facts).some(({ source }) => IN_PASSING.test(source));
    if (!passing || look === LOOKS) return facts;
  }
}

const SWITCH_ON = 'uci set sipalg.main.policy=1 && uci commit sipalg && sipalg apply';

async function words(command: string, report: Report, { put, width }: Pick<Terminal, 'put' | 'width'>): Promise<string> {
  if (command === 'status') return (await import('./text.ts')).statusText(report, put, width);
  if (command === 'plan') return (await import('./plan-text.ts')).planText(report.plan, put, width);
  const { policy } = report.facts;
  if (policy.state === 'present') return (await import('./policy.ts')).voiceText(report, put, width);
  if (policy.state === 'failed')
    throw new Trouble(say('policy-unlooked', 'the voice firewall rules could not be looked at: {because}.', { because: policy.because }));
  return (
    `${put(say('policy-off', 'The voice firewall rules are off, and nothing of them is on this router.'))}\n`
    + `${put(say('policy-on', '`{command}` installs them.', { command: SWITCH_ON }))}\n`
  );
}

/** Under an unmanaged wish nothing of a plan is said or decides the exit code, and loading one is half of what `status` costs. */
const needsNoPlan = ({ wish, policy }: RouterFacts): boolean =>
  wish.wish.alg === 'unmanaged' && wish.wish.policy === false && !wish.wish.failback && policy.state !== 'present';

/** @throws Error in a sentence, where a saved document cannot be judged */
export async function look(command: 'status' | 'plan' | 'policy', doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  const from = given.get('--from');
  const config = given.get('--config');
  // Most look at this router, as it is.
  const elsewhere = from === undefined && config === undefined && !given.has('--lines') ? null : await import('./elsewhere.ts');
  elsewhere?.checkGiven(given);
  const facts = from === undefined ? await factsNow(config === undefined ? doors : await elsewhere!.configuredBy(doors, config)) : null;
  if (facts !== null && command === 'status' && !given.has('--json') && needsNoPlan(facts)) {
    const verdict = doors.surveyor.verdict(facts);
    terminal.out((await import('./text.ts')).statusText({ version: doors.surveyor.version, facts, verdict }, terminal.put, terminal.width));
    return exitCode({ facts, verdict, plan: { wish: 'unmanaged', steps: [], refused: [], lacking: [] } });
  }
  const lines = command === 'status' ? given.has('--lines') : null;
  const report = facts !== null ? await doors.surveyor.report(facts) : await elsewhere!.reportFrom(doors, from ?? '', lines, terminal);
  if (typeof report === 'number') return report;
  if (given.has('--json')) terminal.json(jsonText(report));
  else {
    terminal.out(await words(command, report, terminal));
    // The other commands have them among their findings.
    const { policy, wish } = report.facts;
    if (command === 'plan' || (command === 'policy' && policy.state === 'absent'))
      for (const problem of wish.problems) terminal.err(`sipalg: ${problemText(problem, terminal.put)}\n`);
  }
  return exitCode(report);
}
