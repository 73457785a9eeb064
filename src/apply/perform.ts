/**
 * Carries out the steps of a plan, one after the other, and takes them back when
 * one fails. Says every change before it is made.
 */
import type { Host } from '../host/host.ts';
import { observeNft } from '../observe/nft.ts';
import { transactionOf } from '../plan/rules.ts';
import { RANK } from '../plan/step.ts';
import type { Action, Step } from '../plan/step.ts';

/** Where the echo of each change goes: `[#] …` on standard error, the page, the log. */
export type Echo = (command: string) => void;

const FILES = 'Make sure that the file system can be written and has room, then run it again.';

/** What a person can do where a step of a rank does not work. */
const REMEDIES: Record<number, string> = {
  [RANK.wish]: FILES,
  [RANK.durable]: FILES,
  [RANK.configuration]: FILES,
  [RANK.load]: 'The kernel\'s log (`dmesg`, `logread`) says why a module is not loaded; its package may be missing or made for another kernel.',
  [RANK.rules]: 'Another program may have changed the rules in the same moment: run it again. If it fails again, `sipalg plan` shows the very commands.',
  [RANK.flows]: 'Install the package conntrack, with which flows are ended one by one, or reboot the router after the rules are gone.',
  [RANK.unload]: 'Something that does not show here still uses it, such as rules in another network namespace (a container) or tc: take the helper away there, then run it again.',
  [RANK.check]: 'Take what needs the SIP helper out of the firewall\'s own files, then run it again.',
  [RANK.reload]: 'Run `fw4 check` to see what the firewall does not take.',
};

/** A step that did not work, in one sentence. */
export class StepFailed extends Error {
  readonly step: Step;
  /** The firewall would not load any more: SIP must not be blocked here. */
  readonly firewall: boolean;
  /** Everything done before has been taken back. */
  readonly undone: boolean;

  constructor(step: Step, message: string, firewall: boolean, undone: boolean) {
    super(message);
    this.name = 'StepFailed';
    this.step = step;
    this.firewall = firewall;
    this.undone = undone;
  }
}

/** The first line that says something, short. */
function said(text: string): string {
  const line = text.split('\n').map((one) => one.trim()).find((one) => one !== '') ?? '';
  return line.slice(0, 300);
}

async function runAction(host: Host, argv: readonly string[], input: string | undefined, tolerated: readonly number[]): Promise<void> {
  const outcome = await host.run(argv, input === undefined ? {} : { input });
  if (outcome.state === 'absent') throw new Error(`${argv[0]} is not installed`);
  if (outcome.state === 'failed') throw new Error(`\`${outcome.command}\`: ${outcome.because}`);
  if (outcome.code !== 0 && !tolerated.includes(outcome.code)) {
    const words = said(outcome.stderr) || said(outcome.stdout);
    throw new Error(`\`${outcome.command}\` ended with exit code ${outcome.code}${words === '' ? '' : `: ${words}`}`);
  }
}

async function act(host: Host, action: Action): Promise<void> {
  switch (action.do) {
    case 'write': return host.write(action.path, action.text);
    case 'remove': return host.remove(action.path);
    case 'poke': return host.poke(action.path, action.text);
    case 'check': return runAction(host, action.argv, undefined, []);
    case 'run':
      if (action.rehearsal) await runAction(host, action.rehearsal.argv, action.rehearsal.input, []);
      return runAction(host, action.argv, action.input, action.tolerated ?? []);
    case 'take rules': {
      const nft = await observeNft(host, []);
      const taking = nft.state === 'present' ? transactionOf(nft.value) : null;
      if (taking !== null) await act(host, taking);
    }
  }
}

/** Takes steps back, the last one first. Goes on past what fails, and says it all. */
export async function takeBack(host: Host, steps: readonly Step[], echo: Echo): Promise<string[]> {
  const failures: string[] = [];
  for (const step of [...steps].reverse()) {
    if (step.undo.length > 0) echo(`# taking back: ${step.text}`);
    for (const action of step.undo) {
      try {
        await act(host, action);
      } catch (error) {
        failures.push(`${step.text} could not be taken back: ${(error as Error).message}`);
      }
    }
  }
  return failures;
}

/**
 * @param goOn asked before each step; false stops as if the step had failed
 * @throws StepFailed, after everything done here has been taken back
 */
export async function perform(host: Host, steps: readonly Step[], echo: Echo, goOn: () => boolean): Promise<Step[]> {
  const done: Step[] = [];
  for (const step of steps) {
    try {
      if (!goOn()) throw new Error('it was interrupted');
      for (const command of step.commands) echo(command);
      for (const action of step.actions) await act(host, action);
      // A step that failed has changed nothing: each is one write, one transaction, one module.
      done.push(step);
    } catch (error) {
      const failures = await takeBack(host, done, echo);
      const back = failures.length === 0 ? 'Everything done before it has been taken back.' : `${failures.join(' ')} \`sipalg enable\` gives back what the journal still holds.`;
      throw new StepFailed(step, `${step.text} That did not work: ${(error as Error).message}. ${back} ${REMEDIES[step.rank] ?? ''}`.trimEnd(), step.actions.some((action) => action.do === 'check'), failures.length === 0);
    }
  }
  return done;
}
