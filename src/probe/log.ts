/** Why the kernel dropped a message of the test, where its log says so. */
import type { Host } from '../host/host.ts';
import { parseHelperDrop } from '../languages/kernel/log.ts';
import type { Sent } from './results.ts';

/** The helper logs the IP id (`ID=20832`), and the test's are its own. The log speaks where a logger of netfilter is bound alone. */
export async function droppedReasons(host: Host, sent: readonly Sent[]): Promise<Map<number, string>> {
  const outcome = await host.run(['dmesg'], { select: { holding: ['nf_ct_sip'] }, timeout: 2000 });
  const found = new Map<number, string>();
  for (const line of outcome.state === 'exited' ? outcome.stdout.split('\n') : []) {
    const drop = parseHelperDrop(line);
    const id = Number(drop?.fields['ID'] ?? NaN);
    const one = sent.find((each) => each.id === id);
    if (drop !== null && one !== undefined && drop.fields['DST'] === one.ends.to.address) found.set(id, drop.reason);
  }
  return found;
}
