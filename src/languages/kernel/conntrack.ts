/**
 * Flows the kernel tracks: `/proc/net/nf_conntrack` (net/netfilter/nf_conntrack_standalone.c,
 * `ct_seq_show`) and `conntrack -L` (libnetfilter_conntrack, snprintf_default.c). The two
 * are one language, but only the second says which helper a flow carries.
 */
import { Refused, quote } from '../refused.ts';

export { deleteArguments } from './deletion.ts';

/** One direction of a flow. */
export interface Tuple {
  /** As written: /proc prints IPv6 in full, conntrack prints it short. */
  src: string;
  dst: string;
  /** Null where the protocol has no ports. */
  sport: number | null;
  dport: number | null;
  /** What else tells this direction, as written: `type= code= id= srckey= dstkey= zone-orig= zone-reply=`. */
  other: string[];
  /**
   * Null where the kernel does not count (`nf_conntrack_acct` 0). A number, as facts are
   * JSON; the kernel counts in 64 bits, so past 2^53 it is the nearest double.
   */
  packets: number | null;
  bytes: number | null;
}

/** One tracked flow. */
export interface Flow {
  /** Stated, or told by the addresses where `conntrack -L` leaves it out; null for neither. */
  family: 'ipv4' | 'ipv6' | null;
  /** `udp`, `tcp`, ...; `unknown` where the kernel has no name. */
  protocol: string;
  /** IP protocol number. */
  number: number;
  /** Seconds left; null where none is printed (offloaded flows, events of ends). */
  timeout: number | null;
  /** ESTABLISHED, TIME_WAIT, ... of TCP (SCTP and DCCP print theirs in the same place). */
  tcpState: string | null;
  original: Tuple;
  reply: Tuple;
  /** UNREPLIED, ASSURED, OFFLOAD, HW_OFFLOAD, without their brackets. */
  flags: string[];
  /** Only `conntrack` prints it; null from /proc says nothing. */
  helper: string | null;
  mark: number | null;
  /** Null where none is printed: /proc prints 0 for the default zone, conntrack prints nothing. */
  zone: number | null;
  use: number | null;
  /** Words not understood, in their order: `secctx= delta-time= id=` and newer ones. */
  rest: string[];
}

/**
 * How many flows `conntrack -L` says it has shown, in its last words (src/conntrack.c, exit_msg): `conntrack v1.4.7
 * (conntrack-tools): 5 flow entries have been shown.` null: it says nothing of the kind, and has not looked.
 */
export function shownFlows(stderr: string): number | null {
  const found = /\(conntrack-tools\): (\d{1,10}) flow entries have been shown\./.exec(stderr)?.[1];
  return found === undefined ? null : Number(found);
}

/** What a flow is told by in bulk: its family is that of the listing. */
export interface FlowKind {
  protocol: string;
  source: string;
  destination: string;
  destinationPort: number;
  helper: string | null;
}

const KIND = new RegExp(
  '^(?:ipv[46] +\\d+ +)?([a-z0-9]+) +\\d+ (?:\\d+ )?(?:[A-Z0-9_]+ )?' // family, protocol, seconds, state of TCP
    + 'src=([0-9A-Fa-f:.]{2,45}) dst=([0-9A-Fa-f:.]{2,45}) sport=\\d+ dport=(\\d{1,5}) '
    + '(?:.* )?src=\\S+ dst=\\S+ sport=\\d+ dport=\\d+ ',
);

/** The kind of a flow, from a line of `conntrack -L` that has one; null for a line that is to be read word by word. */
export function kindOfFlow(line: string): FlowKind | null {
  const [, protocol = '', source = '', destination = '', port = ''] = KIND.exec(line) ?? [];
  if (protocol === '') return null;
  return { protocol, source, destination, destinationPort: Number(port), helper: / helper=(\S+)/.exec(line)?.[1] ?? null };
}

/**
 * One line of `/proc/net/nf_conntrack`.
 *
 * @throws Refused for anything else
 */
export function parseProcFlow(line: string): Flow {
  const tokens = words(line);
  const [family = '', l3number = ''] = tokens;
  if (!/^(ipv4|ipv6|unknown)$/.test(family) || numeral(l3number, 255) === undefined) {
    throw new Refused(`${quote(line)} is not a line of /proc/net/nf_conntrack; that starts with "ipv4 2" or "ipv6 10"`, 1);
  }
  return readFlow(line, tokens.slice(2), family === 'unknown' ? null : (family as 'ipv4' | 'ipv6'));
}

/**
 * One line of `conntrack -L` or `conntrack -E`, with or without `-o extended`,
 * `-o id`, `-o timestamp`; what stands in brackets before the flow is passed over.
 *
 * @throws Refused for anything else
 */
export function parseConntrackFlow(line: string): Flow {
  let text = line.trim();
  // A time and the event's name, no more: a loop without end would be slow on a line of brackets.
  for (let groups = 0; groups < 2 && text.startsWith('[') && text.includes(']'); groups++) {
    text = text.slice(text.indexOf(']') + 1).trimStart();
  }
  const tokens = words(text);
  const [family, l3number = ''] = tokens;
  const stated = (family === 'ipv4' || family === 'ipv6') && numeral(l3number, 255) !== undefined;
  return readFlow(line, stated ? tokens.slice(2) : tokens, stated ? family : null);
}

/** Words that belong to the direction they stand in. `id` is ICMP's there, and the entry's own everywhere else. */
const OF_TUPLE: readonly string[] = ['type', 'code', 'srckey', 'dstkey'];
const OF_ICMP: readonly number[] = [1, 58];

function readFlow(line: string, tokens: readonly string[], stated: 'ipv4' | 'ipv6' | null): Flow {
  const refuse = (what: string): Refused => new Refused(`${what} in ${quote(line)}, which is not a tracked flow`, 1);
  const protocol = tokens[0] ?? '';
  const protocolNumber = numeral(tokens[1] ?? '', 255);
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(protocol) || protocolNumber === undefined) {
    throw refuse('no protocol with its number');
  }
  let at = 2;
  const timeout = numeral(tokens[at] ?? '', 4294967295) ?? null;
  if (timeout !== null) at++;
  const tcpState = /^[A-Z][A-Z0-9_]{0,31}$/.test(tokens[at] ?? '') ? (tokens[at++] as string) : null;

  const tuples: Written[] = [];
  const flow: Flow = {
    family: stated,
    protocol,
    number: protocolNumber,
    timeout,
    tcpState,
    original: emptyTuple(),
    reply: emptyTuple(),
    flags: [],
    helper: null,
    mark: null,
    zone: null,
    use: null,
    rest: [],
  };
  for (; at < tokens.length; at++) {
    const token = tokens[at] as string;
    const flag = /^\[([A-Z_]{1,32})\]$/.exec(token);
    if (flag !== null) {
      flow.flags.push(flag[1] as string);
      continue;
    }
    const equals = token.indexOf('=');
    const key = equals < 0 ? '' : token.slice(0, equals);
    const value = token.slice(equals + 1);
    if (key === 'src') tuples.push({ tuple: emptyTuple(), given: new Set() });
    const current = tuples.at(-1);
    if (IN_TUPLE.has(key)) {
      if (current === undefined) throw refuse(`"${key}=" stands before "src="`);
      if (current.given.has(key)) throw refuse(`"${key}=" stands twice in one direction`);
      current.given.add(key);
      if (!setInTuple(current.tuple, key, value)) throw refuse(`${quote(token)} has no such value`);
    } else if (current !== undefined && belongsToTuple(key, flow.number, current)) {
      current.given.add(key);
      current.tuple.other.push(token);
    } else if (key === 'mark' || key === 'zone' || key === 'use') {
      const read = numeral(value, 4294967295);
      if (read === undefined || flow[key] !== null) throw refuse(`${quote(token)} is not a number, or stands twice`);
      flow[key] = read;
    } else if (key === 'helper' && flow.helper === null && value !== '') {
      flow.helper = value;
    } else {
      flow.rest.push(token);
    }
  }
  const [original, reply] = tuples;
  if (original === undefined || reply === undefined || tuples.length !== 2) {
    throw refuse(`${tuples.length} directions instead of two`);
  }
  flow.original = original.tuple;
  flow.reply = reply.tuple;
  const kinds = new Set([original.tuple.src, original.tuple.dst, reply.tuple.src, reply.tuple.dst].map(familyOf));
  const [told = null] = kinds;
  if (kinds.size !== 1 || told === null || (stated !== null && told !== stated)) {
    throw refuse('addresses are missing, or not of one family');
  }
  flow.family = told;
  return flow;
}

interface Written {
  tuple: Tuple;
  given: Set<string>;
}

const IN_TUPLE: ReadonlySet<string> = new Set(['src', 'dst', 'sport', 'dport', 'packets', 'bytes']);

function emptyTuple(): Tuple {
  return { src: '', dst: '', sport: null, dport: null, other: [], packets: null, bytes: null };
}

function setInTuple(tuple: Tuple, key: string, value: string): boolean {
  if (key === 'src' || key === 'dst') {
    tuple[key] = value;
    return familyOf(value) !== null;
  }
  const port = key === 'sport' || key === 'dport';
  const read = port ? numeral(value, 65535) : /^[0-9]{1,20}$/.test(value) ? Number(value) : undefined;
  if (read === undefined) return false;
  tuple[key as 'sport' | 'dport' | 'packets' | 'bytes'] = read;
  return true;
}

function belongsToTuple(key: string, protocol: number, current: Written): boolean {
  if (current.given.has(key)) return false;
  if (key === 'zone-orig' || key === 'zone-reply') return true;
  return key === 'id' ? OF_ICMP.includes(protocol) : OF_TUPLE.includes(key);
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  if (address.length > 45) return null;
  const quads = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$/.exec(address);
  if (quads !== null) return quads.slice(1).every((quad) => Number(quad) <= 255) ? 'ipv4' : null;
  return /^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$/.test(address) ? 'ipv6' : null;
}

function words(line: string): string[] {
  const text = line.trim();
  if (/[\n\0]/.test(text)) throw new Refused(`${quote(line)} is more than one line of text; a flow is one line`, 1);
  return text.split(/[ \t]+/);
}

function numeral(text: string, most: number): number | undefined {
  return /^[0-9]{1,10}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}
