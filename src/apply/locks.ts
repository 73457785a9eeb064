/** The locks a run is held under: our own, and the firewall's. */
import type { Host, Lock } from '../host/host.ts';
import { observeSystem } from '../observe/system.ts';
import { Interrupted } from './perform.ts';

/** Two runs at once: the second waits so long, then says who holds it. */
export const OWN_LOCK = '/var/run/sipalg.lock';
const FIREWALL_LOCKS = { fw4: '/var/run/fw4.lock', fw3: '/var/run/fw3.lock' };

/** How long one try at a lock waits, before it is asked whether to go on. */
const TRY = 500;

export interface Patience {
  /** Milliseconds to wait for each lock. Default 30,000. */
  patience?: number;
  /** false once a person wants it to stop. */
  goOn: () => boolean;
}

/** Throws an Error in a sentence when the lock is not to be had. */
export async function take(host: Host, path: string, { patience = 30_000, goOn }: Patience, who: string, what: string): Promise<Lock> {
  for (let left = patience; ; left -= TRY) {
    const got = await host.lock(path, Math.min(left, TRY), who);
    if ('lock' in got) return got.lock;
    if (!goOn()) throw new Interrupted('It was interrupted while it waited for another program.');
    if (left <= TRY)
      throw new Error(
        `${what} is locked (${path})${got.busy === '' ? '' : ` by ${got.busy}`}, for longer than ${patience / 1000} s; `
          + 'try again when it has ended.',
      );
  }
}

/** null where there is no firewall of OpenWrt's. */
export async function lockFirewall(host: Host, patience: Patience): Promise<Lock | null> {
  const { firewall } = await observeSystem(host);
  return firewall.state === 'present' ? take(host, FIREWALL_LOCKS[firewall.value], patience, '', 'The firewall') : null;
}
