/**
 * Keeps what is wished in force, as long as the daemon stays: takes the ALG away again where a look finds it back (a
 * reload of the firewall brings it where the module could not be kept out), puts back the voice firewall rules that are
 * missing (`firewall stop` flushes every table of a router), and asks for the providers' names when their time has come.
 */
import type { Applied } from '../apply/apply.ts';
import type { PolicyFacts } from '../voice/facts.ts';
import type { VoiceRules } from '../voice/voice.ts';
import type { Report } from '../survey/survey.ts';
import type { Step } from '../plan/step.ts';
import type { Clock } from '../host/clock.ts';
import type { SayLine } from '../host/log.ts';

/**
 * After each try, failed or not, the next one waits: at first so long, then twice as long each time, up to the longest,
 * until what was put in force has held for a while. Milliseconds. Somebody may take away what we put there.
 */
export const PAUSE = 10_000;
export const LONGEST_PAUSE = 30 * 60_000;
export const HELD = 10 * 60_000;
/** The least and the longest time until names are asked for again, whatever their TTL says and the router's clock does. Milliseconds. */
export const LEAST_WAIT = 10_000;
export const LONGEST_WAIT = 60 * 60_000;

export interface KeepOptions {
  clock: Clock;
  /** The router's own time, milliseconds since the epoch. */
  time: () => number;
  refresh: () => ReturnType<VoiceRules['refresh']>;
  /**
   * Puts in force what is wished, as long as `goOn` says so; `unmanaged`: of the voice rules alone. Calls `onEcho` before each
   * command. Rejects with a sentence.
   */
  apply: (towards: 'disabled' | 'unmanaged', goOn: () => boolean, onEcho: () => void) => Promise<Applied>;
  /** A look is worth while. */
  look: () => void;
  /** A run is under way: its end says what is left to do. */
  busy: () => boolean;
  say: SayLine;
}

export interface Keep {
  /** A report was made. */
  seen(report: Report): void;
  /** Begins nothing any more; what is under way is taken back. Resolves when that is done. Never rejects. */
  stop(): Promise<void>;
}

/** What is to be asked for, as one text. */
function hostsOf({ wanted, wish }: PolicyFacts): string {
  return wanted
    ? wish.providers
        .flatMap(({ hosts }) => hosts.map(({ name, port }) => `${name}:${port ?? ''}`))
        .sort()
        .join(' ')
    : '';
}

export function createKeep({ clock, time, refresh, apply, look, busy, say }: KeepOptions): Keep {
  let hosts = '';
  let tries = 0;
  /** When something was last missing, and when the next try may begin, by the clock. */
  let missing = 0;
  let notBefore = 0;
  let underWay: Promise<void> | null = null;
  let stopped = false;
  let cancelRefresh = (): void => undefined;
  let cancelAgain = (): void => undefined;

  async function askNow(): Promise<void> {
    cancelRefresh();
    const mine = hosts;
    let next: number | null = null;
    let changed = false;
    try {
      ({ changed, next } = await refresh());
    } catch (error) {
      say(`providers' names: ${(error as Error).message}`, 'warning');
    }
    // Who began anew in the meantime has a timer of its own.
    if (stopped || hosts !== mine || mine === '') return;
    const wait = next === null ? LONGEST_WAIT : Math.min(LONGEST_WAIT, Math.max(LEAST_WAIT, next - time()));
    cancelRefresh();
    cancelRefresh = clock.after(wait, () => void askNow());
    if (changed) look();
  }

  async function restore(towards: 'disabled' | 'unmanaged', steps: readonly Step[]): Promise<void> {
    cancelAgain();
    // Said when there is something to be done: where another run has just done it (a Save has both come), there is nothing to say.
    let said = false;
    const announce = (): void => {
      if (!said) say(`not as wished any more: ${steps.map(({ text }) => text).join(' ')}`, 'warning');
      said = true;
    };
    const pause = Math.min(LONGEST_PAUSE, PAUSE * 2 ** tries);
    tries += 1;
    try {
      const { outcome, because } = await apply(towards, () => !stopped, announce);
      if (outcome === 'failed') {
        announce();
        say(because.join(' '), 'error');
      }
    } catch (error) {
      if (!stopped) {
        announce();
        say(`${(error as Error).message} This is tried again in ${pause / 1000} s.`, 'error');
      }
      later(pause);
    }
    missing = clock.now();
    notBefore = missing + pause;
  }

  function later(pause: number): void {
    cancelAgain();
    if (!stopped) cancelAgain = clock.after(pause, look);
  }

  return {
    seen({ facts, plan }) {
      const { policy, wish } = facts;
      if (stopped) return;
      // What could not be looked at says nothing new.
      const wished = policy.state === 'failed' ? hosts : policy.state === 'present' ? hostsOf(policy.value) : '';
      if (wished !== hosts) {
        hosts = wished;
        cancelRefresh();
        if (hosts !== '') void askNow();
      }
      const alg = wish.wish.alg === 'disabled' && plan.towards === 'disabled' && plan.refused.length === 0;
      const voice = policy.state === 'present' && policy.value.wanted;
      const steps = plan.steps.filter(({ of }) => (of === 'policy' ? voice : alg));
      if (steps.length === 0) {
        cancelAgain();
        if (clock.now() - missing >= HELD) tries = notBefore = 0;
        return;
      }
      missing = clock.now();
      if (underWay !== null || busy()) return;
      const left = notBefore - clock.now();
      if (left > 0) return later(left);
      underWay = restore(steps.some(({ of }) => of === undefined) ? 'disabled' : 'unmanaged', steps).finally(() => {
        underWay = null;
      });
    },
    async stop() {
      stopped = true;
      cancelRefresh();
      cancelAgain();
      await underWay;
    },
  };
}
