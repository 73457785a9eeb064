/**
 * One budget for all that a run waits for: tools, locks. The init script gives a run 90 seconds, asks it to stop, and kills it
 * ten seconds later (files/etc/init.d/sipalg): a tool that hangs at every turn must not use up more, and what was done has to
 * be taken back within them.
 */
import type { Host } from '../host/host.ts';

/** Milliseconds for looking and changing, and further ones for taking back. */
export const FORWARD = 55_000;
export const BACK = 20_000;
/**
 * What a command that is begun has at least, milliseconds: `rmmod` cannot be broken off, and a slow router takes seconds for it.
 * FORWARD and BACK, each with one such command behind it, stay below the init script's 90 seconds.
 */
export const LEAST = 5000;
/** What a command may take where nothing else is said, as RunOptions has it. */
const USUAL = 30_000;

export interface Waiting {
  /** The same machine; nothing is waited for longer than there is time left. */
  host: Host;
  /** Milliseconds that are left. */
  left(): number;
  /** From now on there are BACK milliseconds, whatever was used. */
  takeBack(): void;
}

/** @param least milliseconds that a command has which is begun, though less are left */
export function limitWaiting(host: Host, forward = FORWARD, back = BACK, least = LEAST): Waiting {
  const now = (): number => host.elapsed?.() ?? host.now();
  let whole = forward;
  let end = now() + forward;
  const left = (): number => Math.max(0, end - now());
  const limited: Host = {
    ...host,
    async run(argv, options = {}) {
      const most = left();
      if (most === 0)
        return { state: 'failed', command: argv.join(' '), because: `it was not begun: the ${whole / 1000} s for all waiting are over` };
      return host.run(argv, { ...options, timeout: Math.min(options.timeout ?? USUAL, Math.max(least, Math.ceil(most / 1000) * 1000)) });
    },
    lock: (path, wait, who) => host.lock(path, Math.min(wait, left()), who),
  };
  return {
    host: limited,
    left,
    takeBack() {
      whole = back;
      end = now() + back;
    },
  };
}
