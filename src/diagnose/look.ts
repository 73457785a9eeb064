/** What was seen, as the causes ask for it: who is a phone, how long its state has been silent, what a rule would meet. Pure. */
import type { Reading } from '../host/host.ts';
import type { AlgState } from '../judge/verdict.ts';
import { isWithin } from '../languages/address/within.ts';
import type { CallFacts, CallFlow, DropRule, Moved, SipRedirect } from '../observe/calls/facts.ts';
import type { RouterFacts } from '../survey/survey.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import type { Asked } from './symptoms.ts';

export interface Look {
  facts: RouterFacts;
  calls: CallFacts;
  alg: AlgState;
  asked: Asked;
}

export const valueOf = <T>(reading: Reading<T>): T | null => (reading.state === 'present' ? reading.value : null);

/** RFC 1918 and, apart from it, what a carrier translates: RFC 6598, and RFC 7335 of DS-Lite and 464XLAT. */
export const isPrivate = (address: string): boolean => /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(address);
export const isShared = (address: string): boolean => /^(100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|192\.0\.0\.[0-7]$)/.test(address);

export { isWithin };

export function isInside({ calls }: Look, address: string): boolean {
  if (calls.own.includes(address)) return false;
  return (
    calls.lan.some(({ address: base, prefix }) => isWithin(address, { address: base, prefix })) ||
    (calls.lan.length === 0 && isPrivate(address))
  );
}

const NO_FLOWS = { signalling: [], media: [], unseen: 0 };
export const flowsOf = ({ calls }: Look): { signalling: CallFlow[]; media: CallFlow[]; unseen: number } => valueOf(calls.flows) ?? NO_FLOWS;

/** Signalling that a phone behind the router began. What ends at the router itself is for a program on it, and needs no state. */
export const fromPhones = (look: Look): CallFlow[] =>
  flowsOf(look).signalling.filter(({ source, destination }) => isInside(look, source) && !look.calls.own.includes(destination));
/** Signalling that somebody outside began. */
export const fromOutside = (look: Look): CallFlow[] =>
  flowsOf(look).signalling.filter(({ source }) => !isInside(look, source) && !look.calls.own.includes(source));
/** Signalling of the router itself. */
export const fromRouter = (look: Look): CallFlow[] =>
  flowsOf(look).signalling.filter(({ source, destination }) => look.calls.own.includes(source) && !isInside(look, destination));
/** Audio of a device that has signalling. */
export function audioOf(look: Look): CallFlow[] {
  const phones = new Set(fromPhones(look).map(({ source }) => source));
  return flowsOf(look).media.filter(({ source }) => phones.has(source));
}
export const isOffloaded = ({ flags }: CallFlow): boolean => flags.some((flag) => flag.endsWith('OFFLOAD'));
export const isUnanswered = (flow: CallFlow): boolean => !isOffloaded(flow) && flow.in?.packets === 0 && (flow.out?.packets ?? 0) >= 20;
export const isTwoWay = (flow: CallFlow): boolean => (flow.out?.packets ?? 0) >= 20 && (flow.in?.packets ?? 0) >= 20;
export const isMoved = ({ sourcePort, replyPort, replyDestination, source }: CallFlow): boolean =>
  replyDestination !== source && replyPort !== sourcePort;

/** By how much an audio flow grew between the two looks; null where there was none. */
export function grown({ calls: { moved } }: Look, flow: CallFlow): { out: number; in: number; seconds: number } | null {
  const found = (moved?.flows ?? []).find(
    ({ source, sourcePort, destination, destinationPort }) =>
      source === flow.source &&
      sourcePort === flow.sourcePort &&
      destination === flow.destination &&
      destinationPort === flow.destinationPort,
  );
  return found === undefined ? null : { out: found.out, in: found.in, seconds: (moved as Moved).seconds };
}

/** What audio's packets have, headers of IP and UDP included (RFC 3551: G.729 of 10 ms has 50 bytes, G.711 of 40 ms 360). */
const AUDIO_BYTES = { least: 50, most: 380 };

/**
 * Packets a second from the internet that were turned away between the two looks and have the size of audio; null where that was
 * not looked at. Scans of ports have less bytes, and what scanners say in SIP has more.
 */
export function rejectedRate({ calls: { moved } }: Look): number | null {
  if (moved === null || moved.rejected === null) return null;
  const { packets, bytes } = moved.rejected;
  const mean = packets === 0 ? 0 : bytes / packets;
  return mean >= AUDIO_BYTES.least && mean <= AUDIO_BYTES.most ? packets / moved.seconds : 0;
}

/** Bytes of audio packets of 20 and 30 ms: G.729; G.711 and G.722, plain or as SRTP, of IPv4 and of IPv6 (RFC 3551, RFC 3711). */
const USUAL_BYTES = [
  [58, 62],
  [194, 243],
  [272, 325],
] as const;
const isUsual = (bytes: number, packets: number): boolean =>
  packets > 0 && USUAL_BYTES.some(([least, most]) => least <= bytes / packets && bytes / packets <= most);

/**
 * Whether what was turned away has the size of the usual audio, and not only one that audio may have: what comes for a client of
 * a DHT has 100 bytes.
 */
export const isRejectedAudio = ({ calls: { moved } }: Look): boolean =>
  moved?.rejected != null && isUsual(moved.rejected.bytes, moved.rejected.packets);

/** Whether both ends of a flow send packets of the usual audio. */
export const isSizedAsAudio = ({ out, in: back }: CallFlow): boolean =>
  out !== null && back !== null && isUsual(out.bytes, out.packets) && isUsual(back.bytes, back.packets);

/** Packets a second that a rule dropped between the two looks; null where that was not looked at. */
export function droppedRate({ calls: { moved } }: Look, rule: DropRule): number | null {
  if (moved?.dropped === undefined) return null;
  const isIt = (one: DropRule | NonNullable<Moved['dropped']>[number]): boolean =>
    one.family === rule.family && one.table === rule.table && one.chain === rule.chain && one.handle === rule.handle;
  return (moved.dropped.find(isIt)?.packets ?? 0) / moved.seconds;
}

/** A flow as a line of evidence. */
export function shown({ protocol, source, sourcePort, destination, destinationPort, left, out, in: back, flags }: CallFlow): Said {
  const flow = `${protocol} ${source}:${sourcePort} -> ${destination}:${destinationPort}`;
  return say('flow', '{flow}{left}{packets}{flags}', {
    flow,
    left: left === null ? '' : say('flow-time-left', ', {seconds} s left', { seconds: left }),
    packets: out && back ? say('flow-packets', ', {out} packets out, {in} in', { out: out.packets, in: back.packets }) : '',
    flags: flags.length > 0 ? `, ${flags.join(' ')}` : '',
  });
}

const named = ({ facts }: Look): boolean =>
  facts.policy.state === 'present' &&
  valueOf(facts.policy.value.inForce.all)?.objects.some(({ kind, name }) => kind === 'ct timeout' && name.startsWith('signalling')) ===
    true;

/** How long the state of a signalling flow lives after a packet; null where that is not known (an ALG keeps it, or it is offloaded). */
export function lifeOf(look: Look, { left, flags, protocol }: CallFlow): number | null {
  if (protocol !== 'udp' || left === null) return null;
  const { udp, udpStream } = look.facts.timeouts;
  const own = look.facts.policy.state === 'present' && named(look) ? look.facts.policy.value.wish.timeouts : null;
  const plain = flags.includes('ASSURED') ? valueOf(udpStream) : valueOf(udp);
  // The voice rules give a phone's flow the long one from its first packet.
  const life = own === null ? plain : own.signallingReplied;
  return life === null || left > life ? null : life;
}

const inRange = (value: string, number: number): boolean => {
  const [first = '', last = first] = value.split('-');
  return Number(first) <= number && number <= Number(last);
};

/** A packet as a rule may meet it; a port of null is any. */
export interface Packet {
  source: string;
  sourcePort: number | null;
  destination: string;
  destinationPort: number | null;
}

/**
 * Whether a rule meets UDP packets like this one. Its devices are not held against anything: where it stands decides that, and an
 * address or a port is asked for in any case.
 */
export function meets({ asks, more, family }: DropRule, packet: Packet): boolean {
  if (more || (family === 'ip' && packet.source.includes(':')) || (family === 'ip6' && !packet.source.includes(':'))) return false;
  return asks.every(({ of, not, values }) => {
    if (of === 'in' || of === 'out') return true;
    if (of === 'protocol') return values.some((one) => one === 'udp' || one === '17') !== not;
    const port = of === 'source port' ? packet.sourcePort : of === 'destination port' ? packet.destinationPort : undefined;
    if (port !== undefined) return port === null || values.some((value) => inRange(value, port)) !== not;
    const address = of === 'source' ? packet.source : packet.destination;
    return values.some((value) => isWithin(address, value)) !== not;
  });
}

/** A flow, and the port it has outside. */
export const outside = (flow: CallFlow): Said =>
  say('flow-outside-port', '{flow}; outside from port {port}', { flow: shown(flow), port: flow.replyPort });

/** Holes that helpers keep open, of how many; null where either could not be read. */
export function holesTaken({ calls, facts }: Look): { open: number; most: number | null; full: boolean } | null {
  const table = valueOf(calls.table);
  const open = valueOf(facts.expectations)?.length;
  if (table === null || open === undefined) return null;
  const most = table.expectations;
  return { open, most, full: most !== null && open > 0 && open >= 0.95 * most };
}

/** A rule as a line of evidence, with what it has dropped. */
export function shownRule({ family, table, chain, handle, comment, packets }: DropRule): Line {
  const rule = `nft ${family} ${table} ${chain} handle ${handle}${comment === null ? '' : ` ("${comment}")`}`;
  return packets === null ? rule : say('rule-dropped', '{rule} has dropped {packets} {packets:packet|packets}', { rule, packets });
}

/** Everybody that the phones talk SIP to. */
export const peersOf = (look: Look): string[] => [...new Set(fromPhones(look).map(({ destination }) => destination))];

/** Rules beside /etc/config/firewall by which SIP from anywhere goes to a device: UPnP's, or an include's. */
export const redirectsOf = ({ redirects }: CallFacts): SipRedirect[] => valueOf(redirects) ?? [];
export const shownRedirect = ({ family, table, chain, handle, ports, to }: SipRedirect): Said =>
  say('rule-leads', '{rule} leads {ports} to {address}', {
    rule: `nft ${family} ${table} ${chain} handle ${handle}${/upnp/i.test(chain) ? ' (UPnP)' : ''}`,
    ports: ports.join(', '),
    address: to,
  });
