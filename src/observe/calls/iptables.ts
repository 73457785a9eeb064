/** Rules of iptables that turn packets away: loaded where a router has some. */
import type { Host, Reading } from '../../host/host.ts';
import { savedDrops } from '../../languages/iptables/drops.ts';
import type { SavedDrop } from '../../languages/iptables/drops.ts';
import { parseSave } from '../../languages/iptables/save.ts';
import { answered, understood } from '../reading.ts';

/** Our own rules of the voice firewall are told by it. */
const OURS = /^sipalg_/;

/** @param save such as `iptables-legacy-save` */
export async function savedDropsIn(host: Host, save: string): Promise<Reading<SavedDrop[]>> {
  // A kernel without IPv6 has no tables for it, even where the commands are installed.
  const none = save.startsWith('ip6') ? await host.kind('/proc/net/if_inet6') : null;
  if (none?.state === 'absent') return none;
  return understood(answered(await host.run([save, '-c'])), (text) =>
    savedDrops(parseSave(text).tables, save.startsWith('ip6') ? 'ip6' : 'ip').filter(
      ({ chain, set }) => !OURS.test(chain) && !OURS.test(set ?? ''),
    ),
  );
}
