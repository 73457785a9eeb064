/**
 * Session descriptions (RFC 8866) as far as a router can change them or be led by them: addresses, ports, candidates,
 * directions, encryption. Every line is kept with its place, known or not. Lines end in CR LF, LF or CR. A description
 * with faults is read as far as it goes, for the kernel's ALG looks for `v=`, `o=`, `c=` and `m=` and at nothing else.
 */
import { Lines, piece, quoted, report } from './text.ts';
import type { Piece, Problem, Refusal, Span } from './text.ts';

/** `x=value`, its line end in the span. */
export interface SdpLine extends Span {
  /** The letter; null where the line is no `x=value`. */
  readonly type: string | null;
  /** Behind the `=`, without the line end; all of the line where it is no `x=value`. */
  readonly value: Piece;
}

/** `o=` (RFC 8866 §5.2). A word that is not there is empty. */
export interface Origin extends Span {
  readonly username: Piece;
  readonly sessionId: Piece;
  readonly version: Piece;
  readonly networkType: Piece;
  readonly addressType: Piece;
  readonly address: Piece;
}

/** `c=` (RFC 8866 §5.7). */
export interface Connection extends Span {
  readonly networkType: Piece;
  readonly addressType: Piece;
  /** Without the `/ttl` and `/count` of a multicast group. */
  readonly address: Piece;
}

/** `a=name` or `a=name:value` (RFC 8866 §5.13). */
export interface Attribute extends Span {
  readonly name: Piece;
  readonly value: Piece | null;
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What stands before the first `m=`, or from one `m=` to the next. */
export interface Section extends Span {
  readonly connections: readonly Connection[];
  readonly attributes: readonly Attribute[];
  /** The last one that stands there; null where none does. */
  readonly direction: Direction | null;
}

export interface Media extends Section {
  /** `audio`, as written. */
  readonly type: Piece;
  /** As written, without `/count`. */
  readonly port: Piece;
  /** 0 to 65535; null where it is no such number. */
  readonly number: number | null;
  /** `RTP/AVP`. */
  readonly protocol: Piece;
  readonly formats: readonly Piece[];
  /** `a=rtcp:` (RFC 3605): a port, and an address where it is another than `c=`. */
  readonly rtcp: { readonly port: Piece; readonly address: Piece | null } | null;
  /** `a=candidate:` (RFC 8839 §5.1). */
  readonly candidates: readonly Candidate[];
  /** Keys in the description (RFC 4568, `a=crypto`), by DTLS (RFC 5763, `a=fingerprint`, here or for the session), or none that is seen. */
  readonly encryption: 'crypto' | 'dtls' | null;
}

export interface Candidate extends Span {
  readonly address: Piece;
  readonly port: Piece;
  /** `host`, `srflx`, `prflx`, `relay`. */
  readonly type: Piece | null;
  /** `raddr` and `rport`. */
  readonly related: { readonly address: Piece; readonly port: Piece | null } | null;
}

export interface Sdp extends Span {
  readonly lines: readonly SdpLine[];
  /** One in a sound description. */
  readonly origins: readonly Origin[];
  readonly session: Section;
  readonly media: readonly Media[];
  readonly problems: readonly Problem[];
}

/** A description of WebRTC with many media has some hundreds. */
export const MOST_LINES = 4096;

/** Reads the description that fills `start` to `end`; refuses what has no `v=` and no `m=`, `c=` or `o=` line. */
export function parseSdp(text: string, start = 0, end = text.length): Sdp | Refusal {
  const problems: Problem[] = [];
  const lines: SdpLine[] = [];
  const walk = new Lines(text, start, end);
  while (walk.advance()) {
    if (lines.length === MOST_LINES) return { refused: `The session description has more than ${MOST_LINES} lines.` };
    const known = /^[a-z]=/.test(text.slice(walk.start, Math.min(walk.start + 2, walk.stop)));
    const value = piece(text, known ? walk.start + 2 : walk.start, walk.stop);
    lines.push({ type: known ? text.charAt(walk.start) : null, value, start: walk.start, end: walk.next });
    if (!known && walk.stop > walk.start) {
      report(problems, 'sdp-line', { start: walk.start, end: walk.stop },
        `${quoted(value.text)} in a session description is no line of a letter, "=" and a value.`);
    }
  }
  if (!lines.some(({ type }) => type !== null && 'vocm'.includes(type))) {
    return { refused: `${quoted(text.slice(start, end))} is no session description: no line begins with v=, o=, c= or m=.` };
  }
  const firsts = lines.flatMap(({ type }, index) => type === 'm' ? [index] : []);
  const bound = (index: number): SdpLine[] => lines.slice(firsts[index], firsts[index + 1]);
  const head = lines.slice(0, firsts[0]);
  const session = sectionOf(head, start, problems);
  const origins = lines.filter(({ type }) => type === 'o').map((line) => originOf(line, problems));
  check(lines, head, origins, problems);
  const dtls = has(session, 'fingerprint');
  const media = firsts.map((_, index) => mediaOf(bound(index), dtls, problems));
  return { lines, origins, session, media, problems, start, end };
}

function check(lines: readonly SdpLine[], head: readonly SdpLine[], origins: readonly Origin[], problems: Problem[]): void {
  const whole = { start: lines[0]?.start ?? 0, end: lines.at(-1)?.end ?? 0 };
  const versions = lines.filter(({ type }) => type === 'v');
  if (versions.length === 0 || head[0]?.type !== 'v') report(problems, 'sdp-missing', whole,
    'The session description does not begin with v= (RFC 8866 §5.1).');
  if (versions.length > 1) report(problems, 'sdp-again', versions[1] as SdpLine, 'A second v= stands in one session description.');
  if (origins.length === 0) report(problems, 'sdp-missing', whole, 'The session description has no o= line (RFC 8866 §5.2).');
  if (origins.length > 1) report(problems, 'sdp-again', origins[1] as Origin, 'A second o= stands in one session description.');
}

function sectionOf(lines: readonly SdpLine[], start: number, problems: Problem[]): Section {
  const attributes = lines.filter(({ type }) => type === 'a').map(attributeOf);
  let direction: Direction | null = null;
  for (const { name, value } of attributes) {
    if (value === null && isDirection(name.text)) direction = name.text;
  }
  return { connections: lines.filter(({ type }) => type === 'c').map((line) => connectionOf(line, problems)),
    attributes, direction, start, end: lines.at(-1)?.end ?? start };
}

function isDirection(name: string): name is Direction {
  return name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive';
}

const has = ({ attributes }: Section, name: string): boolean => attributes.some((attribute) => attribute.name.text === name);

function mediaOf(lines: readonly SdpLine[], dtls: boolean, problems: Problem[]): Media {
  const line = lines[0] as SdpLine;
  const section = sectionOf(lines, line.start, problems);
  const [type, portWord, protocol, ...formats] = words(line.value);
  const nowhere = nothingAt(line.value.end);
  const port = portWord === undefined ? nowhere : before(portWord, '/');
  const number = /^\d{1,9}$/.test(port.text) && Number(port.text) <= 65_535 ? Number(port.text) : null;
  if (number === null || protocol === undefined) {
    report(problems, 'sdp-field', line.value,
      `${quoted(`m=${line.value.text}`)} is not a medium, a port from 0 to 65535, a protocol and formats (RFC 8866 §5.14).`);
  }
  const rtcp = section.attributes.find(({ name, value }) => name.text === 'rtcp' && value !== null)?.value;
  const rtcpWords = rtcp === null || rtcp === undefined ? [] : words(rtcp);
  return { ...section, type: type ?? nowhere, port, number, protocol: protocol ?? nowhere, formats,
    rtcp: rtcpWords[0] === undefined ? null : { port: rtcpWords[0], address: rtcpWords[3] ?? null },
    candidates: section.attributes.flatMap((attribute) => candidateOf(attribute, problems)),
    encryption: has(section, 'crypto') ? 'crypto' : has(section, 'fingerprint') || dtls ? 'dtls' : null };
}

function attributeOf({ value, start, end }: SdpLine): Attribute {
  const colon = value.text.indexOf(':');
  if (colon < 0) return { name: value, value: null, start, end };
  return { name: cut(value, 0, colon), value: cut(value, colon + 1, value.text.length), start, end };
}

function candidateOf({ name, value }: Attribute, problems: Problem[]): Candidate[] {
  if (name.text !== 'candidate' || value === null) return [];
  // foundation, component, transport, priority, address, port, "typ", type, then pairs
  const all = words(value);
  const [, , , , address, port, typ, type] = all;
  if (address === undefined || port === undefined) {
    report(problems, 'sdp-field', value, `${quoted(`a=candidate:${value.text}`)} has no address and port (RFC 8839 §5.1).`);
    return [];
  }
  const behind = (word: string): Piece | undefined => {
    const at = all.findIndex((each, index) => index > 7 && each.text.toLowerCase() === word);
    return at < 0 ? undefined : all[at + 1];
  };
  const raddr = behind('raddr');
  return [{ address, port, type: typ?.text.toLowerCase() === 'typ' ? type ?? null : null,
    related: raddr === undefined ? null : { address: raddr, port: behind('rport') ?? null }, start: value.start, end: value.end }];
}

function originOf({ value, start, end }: SdpLine, problems: Problem[]): Origin {
  const all = words(value);
  if (all.length !== 6) report(problems, 'sdp-field', value,
    `${quoted(`o=${value.text}`)} has ${all.length} words, and not 6 (RFC 8866 §5.2).`);
  const word = (index: number): Piece => all[index] ?? nothingAt(value.end);
  return { username: word(0), sessionId: word(1), version: word(2),
    networkType: word(3), addressType: word(4), address: word(5), start, end };
}

function connectionOf({ value, start, end }: SdpLine, problems: Problem[]): Connection {
  const all = words(value);
  if (all.length !== 3) report(problems, 'sdp-field', value,
    `${quoted(`c=${value.text}`)} has ${all.length} words, and not 3 (RFC 8866 §5.7).`);
  const word = (index: number): Piece => all[index] ?? nothingAt(value.end);
  return { networkType: word(0), addressType: word(1), address: before(word(2), '/'), start, end };
}

function nothingAt(at: number): Piece {
  return { text: '', start: at, end: at };
}

/** Words with one blank or more between them; RFC 8866 has one. */
function words(value: Piece): Piece[] {
  return [...value.text.matchAll(/[^ \t]+/g)].map(({ index, 0: word }) => cut(value, index, index + word.length));
}

function cut(value: Piece, from: number, to: number): Piece {
  return { text: value.text.slice(from, to), start: value.start + from, end: value.start + to };
}

function before(value: Piece, char: string): Piece {
  const at = value.text.indexOf(char);
  return at < 0 ? value : cut(value, 0, at);
}
