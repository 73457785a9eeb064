/**
 * Carries out the steps of a plan, one after the other, and takes them back.
 * Says every change before it is made.
 */
import type { Host, Reading } from '../host/host.ts';
import { renderRestore } from '../languages/iptables/restore.ts';
import { passwordsIn, withPasswords } from '../languages/uci/passwords.ts';
import { endFlows } from './flows.ts';
import { Interrupted } from './interrupted.ts';
import { observeIptables } from '../observe/iptables.ts';
import { chainKey, observeNft } from '../observe/nft.ts';
import { complaint } from '../observe/reading.ts';
import { putBackIptables, takeOutIptables } from '../plan/give-back-iptables.ts';
import { putBack, takeOut } from '../plan/give-back-nft.ts';
import { restoreAction } from '../plan/actions.ts';
import { transaction } from '../plan/nft.ts';
import { RANK } from '../plan/step.ts';
import type { Action, Step } from '../plan/step.ts';
import { say, Trouble } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';

/** Where the echo of each change goes: `[#] …` on standard error, the page, the log. */
export type Echo = (command: string) => void;

const FILES = say('remedy-files', 'Make sure that the file system can be written and has room, then run it again.');

/** What a person can do where a step of a rank does not work. */
const REMEDIES: Record<number, Said> = {
  [RANK.wish]: FILES,
  [RANK.durable]: FILES,
  [RANK.configuration]: FILES,
  [RANK.load]: say(
    'remedy-load',
    "The kernel's log (`dmesg`, `logread`) says why a module is not loaded; its package may be missing or made for another kernel.",
  ),
  [RANK.rules]: say(
    'remedy-rules',
    'Another program may have changed the rules in the same moment: run it again. '
      + 'If it fails again, `sipalg plan` shows the very commands.',
  ),
  [RANK.flows]: say(
    'remedy-flows',
    'Install the package conntrack, with which flows are ended one by one, or reboot the router after the rules are gone.',
  ),
  [RANK.unload]: say(
    'remedy-unload',
    'Something that does not show here still uses it, such as rules in another network namespace (a container) or tc: '
      + 'take the helper away there, then run it again.',
  ),
  [RANK.check]: say('remedy-check', "Take what needs the SIP helper out of the firewall's own files, then run it again."),
  [RANK.reload]: say('remedy-reload', 'Run `fw4 check` to see what the firewall does not take.'),
};

/** A step that did not work, in one sentence. What is to be taken back is the caller's to take back. */
export class StepFailed extends Trouble {
  /** What went wrong, without the step's own words. */
  readonly why: string;
  /** What a person can do; null where there is nothing to say. */
  readonly remedy: Said | null;
  /** The firewall would not load any more: SIP must not be blocked here. */
  readonly firewall: boolean;

  constructor(step: Step, why: string) {
    const { code, parameters, text } = step;
    super(
      say('failed-step', '{step} That did not work: {because}.', {
        step: { code, ...(parameters === undefined ? {} : { parameters }), text },
        because: why,
      }),
    );
    this.name = 'StepFailed';
    this.why = why;
    this.remedy = REMEDIES[step.rank] ?? null;
    this.firewall = step.actions.some((action) => action.do === 'check');
  }
}

async function runAction(host: Host, argv: readonly string[], input: string | undefined, tolerated: readonly number[]): Promise<void> {
  const outcome = await host.run(argv, input === undefined ? {} : { input });
  if (outcome.state === 'absent') throw new Error(`${argv[0]} is not installed`);
  if (outcome.state === 'failed') throw new Error(`\`${outcome.command}\`: ${outcome.because}`);
  if (outcome.code !== 0 && !tolerated.includes(outcome.code)) {
    const words = complaint(outcome.stderr, outcome.stdout);
    throw new Error(`\`${outcome.command}\` ended with exit code ${outcome.code}${words === '' ? '' : `: ${words}`}`);
  }
}

/** The text that a file is to have: with the passwords that it has now, where the plan has none. */
async function textOf(host: Host, { path, text, keeps }: Extract<Action, { do: 'write' }>): Promise<string> {
  if (keeps === undefined) return text;
  const file = await host.read(path);
  if (file.state === 'failed') throw new Error(`${path} could not be read: ${file.because}`);
  const kept = file.state === 'present' ? passwordsIn(file.value) : [];
  if (kept.length !== passwordsIn(text).length) throw new Error(`${path} was changed meanwhile`);
  return withPasswords(text, kept);
}

async function act(host: Host, action: Action): Promise<void> {
  switch (action.do) {
    case 'write':
      return host.write(action.path, await textOf(host, action), action.mode);
    case 'remove':
      return host.remove(action.path);
    case 'poke':
      return host.poke(action.path, action.text);
    case 'end flows':
      return endFlows(host, { echo: () => undefined, goOn: () => true });
    case 'check':
      return runAction(host, action.argv, undefined, []);
    case 'run':
      if (action.rehearsal) await runAction(host, action.rehearsal.argv, action.rehearsal.input, []);
      return runAction(host, action.argv, action.input, action.tolerated ?? []);
    default: {
      const now = await asThingsStand(host, action);
      if (now !== null) await act(host, now);
    }
  }
}

function known<T>(reading: Reading<T>): T {
  if (reading.state === 'present') return reading.value;
  throw new Error(
    reading.state === 'absent' ? `${reading.source} is not there` : `${reading.source} could not be read: ${reading.because}`,
  );
}

/** What an action comes to as things stand; null where it has nothing to do. */
async function asThingsStand(host: Host, action: Action): Promise<Action | null> {
  switch (action.do) {
    case 'write': {
      const file = await host.read(action.path);
      return file.state === 'present' && file.value === (await textOf(host, action)) ? null : action;
    }
    case 'run':
      return action.reached !== undefined && (await host.kind(action.reached.path)).state === action.reached.is ? null : action;
    case 'remove':
      return (await host.kind(action.path)).state === 'absent' ? null : action;
    case 'put rules':
    case 'take rules': {
      const nft = known(await observeNft(host, action.taken.rules.map(chainKey)));
      const commands = action.do === 'put rules' ? putBack(nft, action.taken) : takeOut(nft, action.taken, action.stood);
      return commands.length === 0 ? null : transaction(commands);
    }
    case 'put iptables':
    case 'take iptables': {
      const { save, restore } = action.taken;
      const reading = (await observeIptables(host, observeNft(host, []), [save])).find(({ source }) => source === save) ?? {
        state: 'absent',
        source: save,
      };
      const { chains } = known(reading);
      const commands =
        action.do === 'put iptables' ? putBackIptables(chains, action.taken) : takeOutIptables(chains, action.taken, action.stood);
      return commands.length === 0 ? null : restoreAction(restore, renderRestore('raw', commands));
    }
    default:
      return action;
  }
}

/** Makes it so, unless it is so already. Throws an Error whose message is a sentence. */
export async function settle(host: Host, action: Action): Promise<void> {
  const now = await asThingsStand(host, action);
  if (now !== null) await act(host, now);
}

/** How often what could not be taken back is tried, a second apart. */
const TRIES = 3;

/**
 * Takes steps back, the last one first. Goes on past what fails, tries that again, and says what is left. What had nothing
 * to do is looked at again then: a `rmmod` that was killed unloads its module all the same (delete_module(2) is not broken
 * off), and a firewall that was just loading had no chain for a rule.
 */
export async function takeBack(host: Host, steps: readonly Step[], echo: Echo): Promise<Line[]> {
  let open = [...steps].reverse().flatMap((step) => step.undo.map((action) => ({ step, action })));
  const said = new Set<Step>();
  for (let tries = 1; ; tries++) {
    const failures: Line[] = [];
    const left: typeof open = [];
    for (const each of open) {
      const { step, action } = each;
      try {
        const now = await asThingsStand(host, action);
        if (now === null) {
          left.push(each);
          continue;
        }
        if (!said.has(step)) echo(`# taking back: ${step.text}`);
        said.add(step);
        await act(host, now);
      } catch (error) {
        const { code, parameters, text } = step;
        failures.push(
          say('failed-back', '{step} This could not be taken back: {because}.', {
            step: { code, ...(parameters === undefined ? {} : { parameters }), text },
            because: (error as Error).message,
          }),
        );
        left.push(each);
      }
    }
    if (failures.length === 0 || tries === TRIES) return failures;
    await host.run(['sleep', '1']);
    open = left;
  }
}

/** Whether an action may be done twice, or for nothing. */
function isSafe(action: Action): boolean {
  return action.do === 'run' ? action.reached !== undefined || action.repeatable === true : action.do !== 'check';
}

/**
 * @param done  what is to be taken back should this or anything later fail; steps are added as they are done
 * @param goOn  asked before each step
 * @throws StepFailed or Interrupted; nothing has been taken back then
 */
export async function perform(host: Host, steps: readonly Step[], done: Step[], echo: Echo, goOn: () => boolean): Promise<void> {
  for (const step of steps) {
    if (!goOn()) throw new Interrupted();
    const isMany = step.actions.some((action) => action.do === 'end flows');
    // What those are is seen as they are ended.
    if (!isMany) for (const command of step.commands) echo(command);
    try {
      for (const action of step.actions) {
        // What needs no taking back may end half way.
        if (step.undo.length === 0 && !goOn()) throw new Interrupted();
        if (action.do === 'end flows') await endFlows(host, { echo, goOn });
        else await act(host, action);
      }
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      // It may have been done all the same: a tool that was killed as it ended, a disk that could not be synced.
      if (step.undo.every(isSafe)) done.push(step);
      throw new StepFailed(step, (error as Error).message);
    }
    done.push(step);
  }
}
