/** `disable`, `enable` and `apply`: what was done, and whether it is reached. */
import { apply, NotBegun, WishChanged } from '../apply/apply.ts';
import type { Applied, Direction } from '../apply/apply.ts';
import { limitWaiting } from '../apply/waiting.ts';
import type { Waiting } from '../apply/waiting.ts';
import { judge } from '../judge/judge.ts';
import { exitCode } from '../survey/survey.ts';
import type { ExitCode, RouterFacts } from '../survey/survey.ts';
import type { Doors, Terminal } from './command.ts';
import { putLines } from '../words/english.ts';
import { say } from '../words/say.ts';
import { errorText } from './errors.ts';
import { folded } from './fold.ts';
import { planText } from './plan-text.ts';
import { codeOf, evidenceLines, problemText, verdictText } from './text.ts';

/** Runs what changes a router; where that began and did not work, says how to see what there is now. */
async function changing(run: () => Promise<ExitCode>, terminal: Terminal): Promise<ExitCode> {
  try {
    return await run();
  } catch (error) {
    const { put } = terminal;
    terminal.err(`sipalg: ${errorText(error as Error, put)}\n`);
    if (!(error instanceof NotBegun))
      terminal.err(`sipalg: ${put(say('change-status', '`sipalg status` tells how the router stands now.'))}\n`);
    return 2;
  }
}

/** @param writeDown see `ApplyOptions` @param dryRun only say the commands */
export function reach(
  doors: Doors,
  towards: 'disabled' | 'enabled',
  writeDown: boolean,
  dryRun: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  return changing(() => (dryRun ? rehearse(doors, towards, writeDown, terminal) : reachNow(doors, towards, writeDown, terminal)), terminal);
}

async function rehearse(
  { host, surveyor }: Doors,
  towards: Direction,
  writeDown: boolean,
  terminal: Terminal,
  seen?: RouterFacts,
): Promise<ExitCode> {
  const facts = seen ?? (await surveyor.look(host));
  const planned = towards === 'unmanaged' ? await surveyor.planVoice(facts) : await surveyor.plan(facts, towards, writeDown);
  if (seen === undefined) sayProblems(facts, terminal);
  terminal.out(
    planned.refused.length > 0
      ? planText(planned, terminal.put, terminal.width)
      : planned.steps
          .flatMap(({ commands }) => commands)
          .map((command) => `[#] ${command}\n`)
          .join(''),
  );
  return planned.refused.length > 0 ? 2 : planned.held ? 1 : 0;
}

/** What of /etc/config/sipalg is not in force. */
function sayProblems({ wish }: RouterFacts, terminal: Terminal): void {
  for (const problem of wish.problems) terminal.err(`sipalg: ${problemText(problem, terminal.put)}\n`);
}

async function reachNow(
  doors: Doors,
  towards: Direction,
  writeDown: boolean,
  terminal: Terminal,
  waiting = limitWaiting(doors.host),
): Promise<ExitCode> {
  const { host, surveyor } = doors;
  const echo = (line: string): void => terminal.err(`[#] ${line}\n`);
  const applied = await apply(host, surveyor, towards, { writeDown, echo, goOn: terminal.goOn, waiting });
  // `apply` says them before it begins, for they are what it acts on.
  if (writeDown) sayProblems(applied.facts, terminal);
  return tell(applied, towards, doors, terminal);
}

async function tell(applied: Applied, towards: Direction, { surveyor }: Doors, terminal: Terminal): Promise<ExitCode> {
  const { put } = terminal;
  if (applied.outcome === 'failed') {
    for (const sentence of putLines(put, applied.because, applied.coded)) terminal.err(`sipalg: ${sentence}\n`);
    if (!applied.changed) terminal.err(`sipalg: ${put(say('change-nothing', 'nothing was changed.'))}\n`);
    // All that can be had is in force, and the rest has been said.
    return applied.because === applied.plan.lacking ? 1 : 2;
  }
  // Under an unmanaged wish the ALG is nobody's business here.
  const { policy } = applied.facts;
  const voice = policy.state === 'absent' ? '' : put(say('change-voice', 'The voice firewall rules are as /etc/config/sipalg wishes.'));
  const said = towards === 'unmanaged' ? voice : verdictText(judge(applied.facts), put);
  if (said !== '') terminal.out(`${folded(said, terminal.width)}\n`);
  if (applied.outcome === 'held') {
    terminal.err(planText(applied.plan, put, terminal.width));
    return 1;
  }
  const [done, nothing] =
    towards !== 'enabled'
      ? [null, say('change-nothing-to-do', 'There was nothing to do.')]
      : [
          say(
            'change-given-back',
            'Everything that was taken away has been given back. Flows that are open now stay without the helper until they end.',
          ),
          say('change-nothing-back', 'There was nothing to give back.'),
        ];
  const end = applied.acted || (applied.changed && towards === 'disabled') ? done : nothing;
  if (end !== null) terminal.out(`${folded(put(end), terminal.width)}\n`);
  if (towards !== 'disabled') return 0;
  warn(applied, terminal);
  const report = await surveyor.report(applied.facts);
  // The wish is reached; what needs a person all the same makes the exit code, so it is said.
  for (const { code, says = code, parameters, weight, text } of report.verdict.findings)
    if (weight === 'trouble' && code !== 'wish-problem') terminal.err(`sipalg: ${put(codeOf(says, parameters), text)}\n`);
  return exitCode(report);
}

/** What switching the ALG off shortens is said now: afterwards nothing shows how long the phones had registered for. */
function warn({ before, facts }: Applied, terminal: Terminal): void {
  const timeout = [before, facts].flatMap((one) => judge(one).findings).find(({ code }) => code === 'short-timeout');
  if (timeout === undefined) return;
  const { code, parameters, text, evidence, coded } = timeout;
  const { put } = terminal;
  const words = folded(put(codeOf(code, parameters), text), terminal.width);
  terminal.out([words, ...evidenceLines(evidence, coded, put, terminal.width), ''].join('\n'));
}

/** How often a wish is read anew that another run has changed in the meantime. */
const READINGS = 3;

/** Acts on /etc/config/sipalg: at boot, on reload, by hand. */
export function applyWish(doors: Doors, dryRun: boolean, terminal: Terminal): Promise<ExitCode> {
  const waiting = limitWaiting(doors.host);
  return changing(async () => {
    for (let reading = 1; ; reading++) {
      try {
        return await applyWishOnce(doors, dryRun, terminal, waiting);
      } catch (error) {
        if (!(error instanceof WishChanged) || reading === READINGS) throw error;
      }
    }
  }, terminal);
}

async function applyWishOnce(doors: Doors, dryRun: boolean, terminal: Terminal, waiting: Waiting): Promise<ExitCode> {
  const facts = await doors.surveyor.look(waiting.host);
  const { wish, journal, policy } = facts;
  sayProblems(facts, terminal);
  // What is well said is done all the same; where nothing could be read, nothing is.
  const { alg } = wish.wish;
  // A run that was cut off before it had written the wish has changed nothing that is not in the journal.
  const cutOff = journal.state === 'present' && journal.value.state !== 'taken';
  if (wish.problems.length > 0 && cutOff && alg === 'unmanaged') return 2;
  const end = (code: ExitCode): ExitCode => (wish.problems.length > 0 ? 2 : code);
  const go = (towards: Direction): Promise<ExitCode> =>
    dryRun ? rehearse(doors, towards, false, terminal, facts) : reachNow(doors, towards, false, terminal, waiting);
  if (alg === 'unmanaged' && !cutOff && (policy.state !== 'absent' || wish.wish.failback)) return end(await go('unmanaged'));
  if (alg === 'unmanaged' && !cutOff) {
    terminal.out(
      wish.said === false
        ? `${terminal.put(say('apply-untold', 'What /etc/config/sipalg wishes of the ALG could not be told: nothing is changed.'))}\n`
        : `${terminal.put(say('apply-unmanaged', '/etc/config/sipalg says "unmanaged": nothing is changed.'))}\n`,
    );
    return end(0);
  }
  return end(await go(alg === 'disabled' ? 'disabled' : 'enabled'));
}
