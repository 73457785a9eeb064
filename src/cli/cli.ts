/** The command line: what is asked, what is said, and the exit code. It decides nothing. */
import { apply, NotBegun, WishChanged } from '../apply/apply.ts';
import type { Applied, Direction } from '../apply/apply.ts';
import type { Host } from '../host/host.ts';
import { judge } from '../judge/judge.ts';
import { observe } from '../observe/observe.ts';
import { plan, planVoice } from '../plan/plan.ts';
import { exitCode, makeReport, reportOn } from '../survey/survey.ts';
import type { ExitCode } from '../survey/survey.ts';
import { help, readArguments } from './arguments.ts';
import { policyText } from './policy-words.ts';
import { planText, statusText } from './text.ts';

/** Where words go. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** false once the person at it wants it to stop. */
  goOn(): boolean;
}

/** Files and rules are somebody else's texts: what a terminal would obey is shown instead. */
function shown(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** One JSON document; what JSON itself lets through of such characters is written as JSON can. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`) + '\n';
}

/** Runs one command. Never throws: what goes wrong is said, and is exit code 2. */
export async function cli(words: readonly string[], host: Host, version: string, given: Terminal): Promise<ExitCode> {
  const terminal: Terminal = { ...given, out: (text) => given.out(shown(text)), err: (text) => given.err(shown(text)) };
  const asked = readArguments(words);
  if ('wrong' in asked) {
    terminal.err(`sipalg: ${asked.wrong}\n`);
    return 2;
  }
  const { command, options } = asked;
  try {
    switch (command) {
      case 'help': terminal.out(help()); return 0;
      case 'version': terminal.out(`sipalg ${version}\n`); return 0;
      case 'status':
      case 'policy':
      case 'plan': {
        const report = await makeReport(version, host);
        if (options.has('--json')) given.out(jsonText(report));
        else terminal.out(command === 'status' ? statusText(report) : command === 'plan' ? planText(report.plan) : await policyText(report.facts));
        return exitCode(report);
      }
      case 'disable': return await reach(host, 'disabled', true, options.has('--dry-run'), version, terminal);
      case 'enable': return await reach(host, 'enabled', true, options.has('--dry-run'), version, terminal);
      case 'apply': return await applyWish(host, version, terminal);
      default: throw new Error(`\`sipalg ${command}\` is not a command that ends`);
    }
  } catch (error) {
    terminal.err(`sipalg: ${(error as Error).message}\n`);
    if (!(error instanceof NotBegun) && !['status', 'plan', 'policy'].includes(command)) terminal.err('sipalg: `sipalg status` tells how the router stands now.\n');
    return 2;
  }
}

async function reach(host: Host, towards: Direction, writeDown: boolean, dryRun: boolean, version: string, terminal: Terminal): Promise<ExitCode> {
  if (dryRun) {
    const facts = await observe(host);
    const planned = towards === 'unmanaged' ? planVoice(facts) : plan(facts, towards, writeDown);
    terminal.out(planned.refused.length > 0 ? planText(planned) : planned.steps.flatMap(({ commands }) => commands).map((command) => `[#] ${command}\n`).join(''));
    return planned.refused.length > 0 ? 2 : planned.held ? 1 : 0;
  }
  const applied = await apply(host, towards, { program: version, writeDown, echo: (line) => terminal.err(`[#] ${line}\n`), goOn: terminal.goOn });
  return say(applied, towards, version, terminal);
}

function say(applied: Applied, towards: Direction, version: string, terminal: Terminal): ExitCode {
  if (applied.outcome === 'failed') {
    for (const sentence of applied.because) terminal.err(`sipalg: ${sentence}\n`);
    if (!applied.changed) terminal.err('sipalg: nothing was changed.\n');
    return 2;
  }
  // Under an unmanaged wish the ALG is nobody's business here.
  terminal.out(towards === 'unmanaged' ? 'The voice firewall rules are as /etc/config/sipalg wishes.\n' : `${judge(applied.facts).text}\n`);
  if (applied.outcome === 'held') {
    terminal.err(planText(applied.plan));
    return 1;
  }
  const [done, nothing] = towards !== 'enabled' ? ['', 'There was nothing to do.\n'] : ['Everything that was taken away has been given back. Flows that are open now stay without the helper until they end.\n', 'There was nothing to give back.\n'];
  terminal.out(applied.acted || (applied.changed && towards === 'disabled') ? done : nothing);
  if (towards === 'disabled') warn(applied, terminal);
  if (towards !== 'disabled') return 0;
  return exitCode(reportOn(version, applied.facts));
}

/** What switching the ALG off shortens is said now: afterwards nothing shows how long the phones had registered for. */
function warn({ before, facts }: Applied, terminal: Terminal): void {
  const short = [before, facts].flatMap((one) => judge(one).findings).find(({ code }) => code === 'short-timeout');
  if (short !== undefined) terminal.out([short.text, ...short.evidence.map((one) => `      ${one}`), ''].join('\n'));
}

/** How often a wish is read anew that another run has changed in the meantime. */
const READINGS = 3;

/** Acts on /etc/config/sipalg: at boot, on reload, by hand. */
async function applyWish(host: Host, version: string, terminal: Terminal): Promise<ExitCode> {
  for (let reading = 1; ; reading++) {
    try {
      return await applyWishOnce(host, version, terminal);
    } catch (error) {
      if (!(error instanceof WishChanged) || reading === READINGS) throw error;
    }
  }
}

async function applyWishOnce(host: Host, version: string, terminal: Terminal): Promise<ExitCode> {
  const { wish, journal, policy } = await observe(host);
  for (const problem of wish.problems) terminal.err(`sipalg: ${problem.text}\n`);
  // What is well said is done all the same; where nothing could be read, nothing is.
  const { alg } = wish.wish;
  if (wish.problems.length > 0 && journal.state === 'present' && journal.value.state !== 'taken' && alg === 'unmanaged') return 2;
  const end = (code: ExitCode): ExitCode => wish.problems.length > 0 ? 2 : code;
  // A run that was cut off before it had written the wish has changed nothing that is not in the journal.
  const cutOff = journal.state === 'present' && journal.value.state !== 'taken';
  if (alg === 'unmanaged' && !cutOff && policy.state !== 'absent') return end(await reach(host, 'unmanaged', false, false, version, terminal));
  if (alg === 'unmanaged' && !cutOff) {
    terminal.out('/etc/config/sipalg says "unmanaged": nothing is changed.\n');
    return end(0);
  }
  return end(await reach(host, alg === 'disabled' ? 'disabled' : 'enabled', false, false, version, terminal));
}
