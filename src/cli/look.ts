/** `status`, `plan` and `policy`: the report, of this router or of a saved document, in words or as JSON. */
import { unread } from '../judge/questions.ts';
import type { ExitCode, Report } from '../survey/survey.ts';
import { exitCode } from '../survey/survey.ts';
import type { RouterFacts } from '../survey/survey.ts';
import type { Doors, Given, Terminal } from './command.ts';

/** One JSON document; what JSON itself lets through of characters a terminal obeys is written as JSON can. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`) + '\n';
}

/** Rules and flows are listed by tools, and a firewall that is being loaded in that moment may show halves of two rulesets. */
const IN_PASSING = /^(nft|ip6?tables\S*|conntrack) ?/;
const LOOKS = 3;

/** Looks, and looks again where a list was not to be had in passing. */
async function factsNow({ host, surveyor }: Doors): Promise<RouterFacts> {
  for (let look = 1; ; look++) {
    const facts = await surveyor.look(host);
    const passing = host.process().uid === 0 && unread(facts).some(({ source }) => IN_PASSING.test(source));
    if (!passing || look === LOOKS) return facts;
  }
}

/** A saved document, judged here. */
async function reportFrom({ host, surveyor }: Doors, from: string, terminal: Terminal): Promise<Report> {
  const { MOST_SAVED, savedFacts, savedReport } = await import('../survey/saved.ts');
  const name = from === '-' ? 'standard input' : from;
  const text = from === '-' ? await terminal.input() : await host.read(from, { most: MOST_SAVED });
  return savedReport(surveyor, savedFacts(text, name, surveyor.version), name);
}

async function words(command: string, report: Report): Promise<string> {
  if (command === 'status') return (await import('./text.ts')).statusText(report);
  if (command === 'plan') return (await import('./plan-text.ts')).planText(report.plan);
  const { policy } = report.facts;
  if (policy.state === 'present') return (await import('./policy.ts')).voiceText(report);
  if (policy.state === 'failed') throw new Error(`the voice firewall rules could not be looked at: ${policy.because}.`);
  return (
    'The voice firewall rules are off, and nothing of them is on this router.\n'
    + '`uci set sipalg.main.policy=1 && uci commit sipalg && sipalg apply` installs them.\n'
  );
}

/** Under an unmanaged wish nothing of a plan is said or decides the exit code, and loading one is half of what `status` costs. */
const needsNoPlan = ({ wish, policy }: RouterFacts): boolean =>
  wish.wish.alg === 'unmanaged' && wish.wish.policy === false && !wish.wish.failback && policy.state !== 'present';

/** @throws Error in a sentence, where a saved document cannot be judged */
export async function look(command: 'status' | 'plan' | 'policy', doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  const from = given.get('--from');
  const facts = from === undefined ? await factsNow(doors) : null;
  if (facts !== null && command === 'status' && !given.has('--json') && needsNoPlan(facts)) {
    const verdict = doors.surveyor.verdict(facts);
    terminal.out((await import('./text.ts')).statusText({ version: doors.surveyor.version, facts, verdict }));
    return exitCode({ facts, verdict, plan: { wish: 'unmanaged', steps: [], refused: [], lacking: [] } });
  }
  const report = facts !== null ? await doors.surveyor.report(facts) : await reportFrom(doors, from ?? '', terminal);
  if (given.has('--json')) terminal.json(jsonText(report));
  else {
    terminal.out(await words(command, report));
    // The other commands have them among their findings.
    const { policy, wish } = report.facts;
    if (command === 'plan' || (command === 'policy' && policy.state === 'absent'))
      for (const { text } of wish.problems) terminal.err(`sipalg: ${text}\n`);
  }
  return exitCode(report);
}
