/** The locks a run is held under: our own, and the firewall's. */
import type { Host, Lock } from '../host/host.ts';
import { observeSystem } from '../observe/system.ts';
import { Interrupted } from './interrupted.ts';
import { say, Trouble } from '../words/say.ts';
import type { Line } from '../words/say.ts';

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

/**
 * Who holds a lock, by what its file says. The file says so still when that process has ended, and whoever could open it
 * then may hold it.
 */
async function holder(host: Host, said: string): Promise<string> {
  const pid = /^process (\d+) /.exec(said)?.[1];
  if (pid === undefined || (await host.kind(`/proc/${pid}`)).state !== 'absent') return said;
  return `an unknown process (its file names process ${pid}, which is gone)`;
}

/** Throws an Error in a sentence when the lock is not to be had. */
export async function take(host: Host, path: string, { patience = 30_000, goOn }: Patience, who: string, what: Line): Promise<Lock> {
  for (let left = patience; ; left -= TRY) {
    const got = await host.lock(path, Math.min(left, TRY), who);
    if ('lock' in got) return got.lock;
    if (!goOn()) throw new Interrupted(say('interrupted-waiting', 'It was interrupted while it waited for another program.'));
    const by = left <= TRY ? await holder(host, got.busy) : '';
    if (left <= TRY)
      throw new Trouble(
        say('locked', '{what} is locked ({file}){by}, for longer than {seconds} s; try again when it has ended.', {
          what,
          file: path,
          by: by === '' ? '' : say('locked-by', ' by {holder}', { holder: by }),
          seconds: patience / 1000,
        }),
      );
  }
}

/** null where there is no firewall of OpenWrt's. */
export async function lockFirewall(host: Host, patience: Patience): Promise<Lock | null> {
  const { firewall } = await observeSystem(host);
  return firewall.state === 'present'
    ? take(host, FIREWALL_LOCKS[firewall.value], patience, '', say('the-firewall', 'The firewall'))
    : null;
}
