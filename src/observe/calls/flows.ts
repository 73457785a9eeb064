/** Flows of calls: one walk over the table, of which only lines that can matter are kept. */
import type { Host } from '../../host/host.ts';
import { readPrefix, writePrefix } from '../../languages/address/prefixes.ts';
import { parseConntrackFlow } from '../../languages/kernel/conntrack.ts';
import type { Flow, Tuple } from '../../languages/kernel/conntrack.ts';
import { answered, readInParts, runInParts, understood } from '../reading.ts';
import type { CallFacts, CallFlow, Counted } from './facts.ts';

/** Lines kept for a second glance: UDP that may be audio. A table holds 65,536 flows, a house that makes calls a few dozen of these. */
const MOST_KEPT = 4000;
/** Flows in the facts, of each kind. */
const MOST_FLOWS = 200;

const SIGNALLING = /\b(udp|tcp) .*\b[sd]port=506[01] /;
/** DNS, NTP, mDNS, SSDP, DHCP, HTTP/3, IPsec and WireGuard are no audio. */
const NO_AUDIO = /\b[sd]port=(53|67|68|80|123|137|138|161|443|500|546|547|853|1900|4500|5353|51820) /;

const counted = ({ packets, bytes }: Tuple): Counted | null => (packets === null || bytes === null ? null : { packets, bytes });

/** The kernel writes `2001:0db8:0000:...` in /proc, and everybody else `2001:db8::...`. */
function short(address: string): string {
  const prefix = address.includes(':') ? readPrefix(address) : null;
  return prefix === null || 'wrong' in prefix ? address : writePrefix(prefix);
}

function callFlow({ protocol, timeout, original, reply, flags }: Flow): CallFlow | null {
  if ((protocol !== 'udp' && protocol !== 'tcp') || original.sport === null || original.dport === null || reply.dport === null) return null;
  return {
    protocol,
    source: short(original.src),
    sourcePort: original.sport,
    destination: short(original.dst),
    destinationPort: original.dport,
    replySource: short(reply.src),
    replyDestination: short(reply.dst),
    replyPort: reply.dport,
    left: timeout,
    out: counted(original),
    in: counted(reply),
    flags: flags.filter((flag) => /^(UNREPLIED|ASSURED|OFFLOAD|HW_OFFLOAD)$/.test(flag)),
  };
}

/**
 * Whether a flow looks like audio by itself: both ports above 1023, the far one even (RFC 3550 §11), small packets of one size, and
 * either offloaded (then nothing is counted) or at least 20 packets.
 */
export function looksLikeAudio({ protocol, sourcePort, destinationPort, out, in: back, flags }: CallFlow): boolean {
  if (protocol !== 'udp' || sourcePort < 1024 || destinationPort < 1024 || destinationPort % 2 === 1) return false;
  const packets = (out?.packets ?? 0) + (back?.packets ?? 0);
  if (flags.some((flag) => flag.endsWith('OFFLOAD'))) return true;
  const mean = packets === 0 ? 0 : ((out?.bytes ?? 0) + (back?.bytes ?? 0)) / packets;
  return packets >= 20 && mean >= 50 && mean <= 400;
}

const isSignalling = ({ sourcePort, destinationPort }: CallFlow): boolean =>
  [sourcePort, destinationPort].some((port) => port === 5060 || port === 5061);

/** Keeps lines as they come, of `conntrack -L` or of /proc/net/nf_conntrack, and makes flows of them at the end. */
export function createCollector() {
  const signalling: string[] = [];
  const others: string[] = [];
  let unseen = 0;
  return {
    take(part: string): void {
      const line = part.trim();
      if (SIGNALLING.test(line)) {
        if (signalling.length < MOST_KEPT) signalling.push(line);
        else unseen += 1;
      } else if (/^(ipv[46] +\d+ )?udp /.test(line) && !NO_AUDIO.test(line)) {
        if (others.length < MOST_KEPT) others.push(line);
        else unseen += 1;
      }
    },
    /** @throws Refused for a line that is no flow */
    end() {
      const made = (lines: readonly string[]): CallFlow[] => lines.flatMap((line) => callFlow(parseConntrackFlow(line)) ?? []);
      const sip = made(signalling).filter(isSignalling);
      return {
        signalling: sip.slice(0, MOST_FLOWS),
        media: made(others).filter(looksLikeAudio).slice(0, MOST_FLOWS),
        unseen: unseen + Math.max(0, sip.length - MOST_FLOWS),
      };
    },
  };
}

/** The same table listed once more, for a second look. */
export async function observeCallFlows(host: Host): Promise<CallFacts['flows']> {
  const collector = createCollector();
  const parts = { at: '\n', take: collector.take };
  const outcome = await runInParts(host, ['conntrack', '-L'], { parts });
  if (outcome.state === 'exited') return understood(answered(outcome), () => collector.end());
  return understood(await readInParts(host, '/proc/net/nf_conntrack', { parts, most: 64 << 20 }), () => collector.end());
}
