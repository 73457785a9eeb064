/** Where the messages of real phones are recorded: at both sides of this router, as they come in and as they go out. */
import type { HostAddress } from '../../host/host.ts';
import type { Tap } from '../record/taps.ts';
import { SIP_PORTS } from './ports.ts';
import type { WaysOut } from './ways-out.ts';

/** What is at one side: phones, or the internet. */
export interface Places {
  readonly inside: readonly string[];
  readonly outside: readonly string[];
  /** The same for IPv6; none where no default route of it leads out, or no network inside has addresses of it. */
  readonly inside6: readonly string[];
  readonly outside6: readonly string[];
}

const PRIVATE = /^(10|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
const LINK_LOCAL = /^fe[89ab]/;
const LOOPBACK = 'lo';
/** Each device has two taps of each kind, and each tap its sets: a router with more networks than this records the first ones. */
const MOST_DEVICES = 4;

/** @param addresses of this machine */
export function placesOf(addresses: readonly HostAddress[], { ipv4: wan, ipv6: wan6 }: WaysOut): Places {
  const within = (family: HostAddress['family'], isOurs: (address: string) => boolean): string[] => {
    const names = addresses.filter((one) => one.family === family && isOurs(one.address)).map(({ device }) => device);
    return [...new Set(names)].filter((device) => device !== LOOPBACK && !wan.has(device) && !wan6.has(device)).slice(0, MOST_DEVICES);
  };
  const inside6 = wan6.size === 0 ? [] : within('ipv6', (address) => !LINK_LOCAL.test(address));
  return {
    inside: within('ipv4', (address) => PRIVATE.test(address)),
    outside: [...wan].slice(0, MOST_DEVICES),
    inside6,
    outside6: inside6.length === 0 ? [] : [...wan6].slice(0, MOST_DEVICES),
  };
}

/** The side of a tap, and the way of what passes it: from the phone, or to it. */
export interface Placed {
  readonly tap: Tap;
  readonly inside: boolean;
  readonly fromPhone: boolean;
}

interface Kind {
  readonly family: Tap['family'];
  readonly transport: Tap['transport'];
}

/** What most phones speak comes first. */
const ALL_KINDS: readonly Kind[] = [
  { family: 'ip', transport: 'udp' },
  { family: 'ip6', transport: 'udp' },
  { family: 'ip', transport: 'tcp' },
  { family: 'ip6', transport: 'tcp' },
];

/** Messages at each tap of the other kinds, which fewer phones speak. */
const FEWER = 64;
/** And bytes of each over IPv6: how long nft takes to list and to load goes by it, for everybody who lists. */
const SHORTER = 1024;
/** What is left over at the end of a message is recorded to within three bytes: a quarter of the rules that all of it would need. */
const COARSE = 4;

/** How a message begins (RFC 3261 §7, and the methods of its extensions): the segments of TCP that are recorded. */
export const BEGINNINGS: readonly string[] = [
  ...['SIP/', 'INVI', 'ACK ', 'BYE ', 'CANC', 'REGI', 'OPTI'],
  ...['PRAC', 'UPDA', 'INFO', 'REFE', 'SUBS', 'NOTI', 'PUBL', 'MESS'],
];

/**
 * Taps of every kind that is asked for. A message from a phone goes in at a LAN device (ingress) and out at the WAN's (egress), one
 * to a phone the other way round.
 * @param ports of SIP, of either end
 * @param exact of UDP over IPv4, which most phones speak, each byte is recorded
 */
export function tapsOf(places: Places, ports: readonly number[] = SIP_PORTS, exact = true): Placed[] {
  const at = (device: string, index: number, side: 'l' | 'w', { family, transport }: Kind): Placed[] =>
    (['ingress', 'egress'] as const).map((hook) => ({
      tap: {
        name: `${side}${index}${hook === 'ingress' ? 'in' : 'out'}${family === 'ip6' ? '6' : ''}${transport === 'tcp' ? 't' : ''}`,
        device,
        hook,
        family,
        transport,
        matches: ports.flatMap((port) => [`${transport} dport ${port}`, `${transport} sport ${port}`]),
        ...(transport === 'tcp' ? { begins: BEGINNINGS } : {}),
        ...(exact && transport === 'udp' && family === 'ip' ? {} : { least: COARSE }),
        // Each kind is listed by itself, and not at all where nothing has come.
        part: `${transport === 'tcp' ? 'tcp' : ''}${family === 'ip6' ? 'six' : ''}`,
        named: true,
        ...(family === 'ip' && transport === 'udp' ? {} : { messages: FEWER }),
        ...(family === 'ip6' ? { bytes: SHORTER } : {}),
      },
      inside: side === 'l',
      // What comes in at the LAN's side is from a phone, and what goes out at the WAN's too.
      fromPhone: (side === 'l') === (hook === 'ingress'),
    }));
  return ALL_KINDS.flatMap((kind) => {
    const [inside, outside] = kind.family === 'ip' ? [places.inside, places.outside] : [places.inside6, places.outside6];
    return [
      ...inside.flatMap((device, index) => at(device, index, 'l', kind)),
      ...outside.flatMap((device, index) => at(device, index, 'w', kind)),
    ];
  });
}
