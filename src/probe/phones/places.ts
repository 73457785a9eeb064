/** Where the messages of real phones are recorded: at both sides of this router, as they come in and as they go out. */
import type { HostAddress } from '../../host/host.ts';
import type { Tap } from '../record/taps.ts';

/** What is at one side: phones, or the internet. */
export interface Places {
  readonly inside: readonly string[];
  readonly outside: readonly string[];
}

const PRIVATE = /^(10|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
const LOOPBACK = 'lo';
/** Each device has two taps, and each tap its sets: a router with more networks than this records the first ones. */
const MOST_DEVICES = 4;

/**
 * @param addresses of this machine
 * @param wan devices that a default route leads through
 */
export function placesOf(addresses: readonly HostAddress[], wan: ReadonlySet<string>): Places {
  const names = new Set<string>();
  for (const { device, family, address } of addresses)
    if (device !== LOOPBACK && !wan.has(device) && family === 'ipv4' && PRIVATE.test(address)) names.add(device);
  return { inside: [...names].slice(0, MOST_DEVICES), outside: [...wan].slice(0, MOST_DEVICES) };
}

/** The side of a tap, and the way of what passes it: from the phone, or to it. */
export interface Placed {
  readonly tap: Tap;
  readonly inside: boolean;
  readonly fromPhone: boolean;
}

export const SIP_PORTS: readonly number[] = [5060];

/**
 * Taps of IPv4 over UDP. A message from a phone goes in at a LAN device (ingress) and out at the WAN's (egress), one to a phone
 * the other way round.
 * @param ports of SIP, of either end
 */
export function tapsOf({ inside, outside }: Places, ports: readonly number[] = SIP_PORTS): Placed[] {
  const matches = ports.flatMap((port) => [`udp dport ${port}`, `udp sport ${port}`]);
  const at = (device: string, index: number, side: 'l' | 'w'): Placed[] =>
    (['ingress', 'egress'] as const).map((hook) => ({
      tap: { name: `${side}${index}${hook === 'ingress' ? 'in' : 'out'}`, device, hook, family: 'ip', transport: 'udp', matches },
      inside: side === 'l',
      // What comes in at the LAN's side is from a phone, and what goes out at the WAN's too.
      fromPhone: (side === 'l') === (hook === 'ingress'),
    }));
  return [...inside.flatMap((device, index) => at(device, index, 'l')), ...outside.flatMap((device, index) => at(device, index, 'w'))];
}
