/** Why the kernel dropped a message of the test, where its log says so. */
import type { Host } from '../host/host.ts';
import { parseHelperDrop } from '../languages/kernel/log.ts';
import { orElse } from '../observe/reading.ts';
import { addressBytes } from './packet.ts';
import type { Sent } from './results.ts';

/** Seconds by which the log's clock and the kernel's may be apart. */
const APART = 1;

/** Seconds since the kernel began (proc_uptime(5)), which is what its log counts by; null where it does not say. */
export async function uptime(host: Host): Promise<number | null> {
  const [, seconds] = /^(\d+\.\d+) /.exec(orElse(await host.read('/proc/uptime'), '')) ?? [];
  return seconds === undefined ? null : Number(seconds);
}

/**
 * The helper logs the IP id (`ID=20832`) or the flow label (`FLOWLBL=20851`), and the test's are its own. The log speaks where a
 * logger of netfilter is bound alone (nf_log_syslog; kmod-nf-log), and in the first network namespace, or with
 * net.netfilter.nf_log_all_netns.
 * @param since uptime as the test began: an earlier test had the same ids
 */
export async function droppedReasons(host: Host, sent: readonly Sent[], since: number | null): Promise<Map<number, string>> {
  const outcome = await host.run(['dmesg'], { select: { holding: ['nf_ct_sip'] }, timeout: 2000 });
  const found = new Map<number, string>();
  for (const line of outcome.state === 'exited' ? outcome.stdout.split('\n') : []) {
    const drop = parseHelperDrop(line);
    if (drop === null || (since !== null && drop.time !== null && drop.time < since - APART)) continue;
    const { ID, FLOWLBL, DST = '' } = drop.fields;
    const id = Number(ID ?? FLOWLBL ?? NaN);
    const one = sent.find((each) => each.id === id);
    const isThere =
      one !== undefined && /^[0-9a-f.:]+$/i.test(DST) && addressBytes(one.ends.to.address).join() === addressBytes(DST).join();
    // The first one is the cause: `all ports in use for SDP media`, and then `cannot add expectation for voice`.
    if (isThere && !found.has(id)) found.set(id, drop.reason);
  }
  return found;
}
