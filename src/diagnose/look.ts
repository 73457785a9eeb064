/** What was seen, as the causes ask for it: who is a phone, how long its state has been silent, what a rule would meet. Pure. */
import type { Reading } from '../host/host.ts';
import type { AlgState } from '../judge/verdict.ts';
import { isWithin } from '../languages/address/within.ts';
import { meets } from '../languages/nft/drops.ts';
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

export { isWithin, meets };

/** Addresses that nobody on the internet has: unique local and link local ones of IPv6 (RFC 4193, RFC 4291). */
const isLocal = (address: string): boolean => /^(f[cd]|fe[89ab])[0-9a-f]{0,2}:/i.test(address);

export function isInside({ calls }: Look, address: string): boolean {
  if (calls.own.includes(address)) return false;
  return (
    isLocal(address) ||
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

/** Since when the kernel's own counts are: `, since the start 3 h ago`; '' where that is not known. */
export function since({ uptime }: Pick<CallFacts, 'uptime'>): Said | '' {
  const seconds = uptime === undefined ? null : valueOf(uptime);
  return seconds === null ? '' : say('since-start', ', since the start {ago} ago', { ago: span(seconds) });
}

/** A stretch of time in the one unit that says it best. */
export function span(seconds: number): Said {
  if (seconds < 120) return say('stretch-seconds', '{seconds} s', { seconds: Math.round(seconds) });
  if (seconds < 7200) return say('stretch-minutes', '{minutes} min', { minutes: Math.round(seconds / 60) });
  if (seconds < 172_800) return say('stretch-hours', '{hours} h', { hours: Math.round(seconds / 3600) });
  return say('stretch-days', '{days} days', { days: Math.round(seconds / 86_400) });
}

/** By how many packets a rule grew between the two looks; null where that was not seen. */
export function ruleGrew({ calls: { moved } }: Look, { family, table, chain, handle }: DropRule): number | null {
  const same = (moved?.dropped ?? []).filter((one) => one.family === family && one.table === table && one.chain === chain);
  return same.find((one) => one.handle === handle)?.packets ?? null;
}

/** By how much a flow grew between the two looks; null where there was none. */
export function grown(
  { calls: { moved } }: Look,
  flow: CallFlow,
): { out: number; in: number; outBytes: number | null; seconds: number } | null {
  const found = (moved?.flows ?? []).find(
    ({ source, sourcePort, destination, destinationPort }) =>
      source === flow.source &&
      sourcePort === flow.sourcePort &&
      destination === flow.destination &&
      destinationPort === flow.destinationPort,
  );
  return found === undefined ? null : { out: found.out, in: found.in, outBytes: found.outBytes ?? null, seconds: (moved as Moved).seconds };
}

/** What audio's packets have, headers of IP and UDP included (RFC 3551: G.729 of 10 ms has 50 bytes, G.711 of 40 ms 360). */
const AUDIO_BYTES = { least: 50, most: 380 };

/**
 * Packets a second from the internet that were turned away between the two looks and have the size of audio; null where that was
 * not looked at. Scans of ports have less bytes, and what scanners say in SIP has more.
 */
export function rejectedRate({ calls: { moved } }: Look): number | null {
  if (moved === null || moved.rejected === null) return null;
  const { packets, bytes, seconds = moved.seconds } = moved.rejected;
  const mean = packets === 0 ? 0 : bytes / packets;
  return mean >= AUDIO_BYTES.least && mean <= AUDIO_BYTES.most ? packets / seconds : 0;
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

/** Packets a second that a rule dropped between the two looks; null where that was not seen. */
export function droppedRate(look: Look, rule: DropRule): number | null {
  const grew = ruleGrew(look, rule);
  return grew === null ? null : grew / (look.calls.moved?.seconds ?? 1);
}

/** A flow as a line of evidence. */
export function shown({ protocol, source, sourcePort, destination, destinationPort, left, out, in: back, flags }: CallFlow): Said {
  const flow = `${protocol} ${source}:${sourcePort} -> ${destination}:${destinationPort}`;
  return say('flow', '{flow}{left}{packets}{flags}', {
    flow,
    left: left === null ? '' : say('flow-time-left', ', {seconds} s left', { seconds: left }),
    packets: out && back ? say('flow-counts', ', {out} {out:packet|packets} out, {in} in', { out: out.packets, in: back.packets }) : '',
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

/** Where a rule stands, as its tool names it. */
export const placeOf = ({ tool, family, table, chain, handle, comment }: DropRule): string => {
  const place = tool === undefined ? `nft ${family} ${table} ${chain} handle ${handle}` : `${tool} -t ${table}, ${chain} rule ${handle}`;
  return `${place}${comment === null ? '' : ` ("${comment}")`}`;
};

/** A rule as a line of evidence, with what it has dropped since it was loaded, and between the two looks. */
export function shownRule(look: Look, drop: DropRule): Line {
  const { packets } = drop;
  const rule = placeOf(drop);
  const grew = ruleGrew(look, drop);
  if (packets === null) return rule;
  return grew === null
    ? say('rule-dropped-since', '{rule} has dropped {packets} {packets:packet|packets} since it was loaded', { rule, packets })
    : say('rule-drops-now', '{rule} has dropped {grew} {grew:packet|packets} in the last {seconds} s, and {packets} before', {
        rule,
        grew,
        seconds: look.calls.moved?.seconds ?? 0,
        packets,
      });
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
