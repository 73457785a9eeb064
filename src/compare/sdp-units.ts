/** The lines of a session description as named parts, each with its place. */
import type { Sdp, SdpLine } from '../languages/sip/sdp.ts';
import type { Piece } from '../languages/sip/text.ts';
import type { Slot, Unit } from './difference.ts';

/** A line, and what it is known by among the lines of a description: `c=` of medium 1, the second `a=rtpmap` of medium 2. */
export interface Keyed extends Unit {
  readonly key: string;
}

function words(value: Piece): Piece[] {
  return [...value.text.matchAll(/[^ \t]+/g)].map(({ index, 0: text }) => ({
    text,
    start: value.start + index,
    end: value.start + index + text.length,
  }));
}

const named = (value: Piece, names: readonly string[]): Slot[] =>
  words(value).map((word, index) => ({ part: names[index] ?? 'more', ...word }));

const PARTS: Readonly<Record<string, readonly string[]>> = {
  o: ['user', 'session', 'version', 'network', 'family', 'address'],
  c: ['network', 'family', 'address'],
  m: ['type', 'port', 'protocol'],
  rtcp: ['port', 'network', 'family', 'address'],
  candidate: ['foundation', 'component', 'transport', 'priority', 'address', 'port'],
};

function slotsOf(name: string, value: Piece): Slot[] {
  const names = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (names === undefined) return [{ part: '', ...value }];
  const slots = named(value, names);
  if (name !== 'candidate') return slots;
  // `typ host raddr 192.168.1.10 rport 9`: a word names the one behind it.
  return slots.map((slot, index) => (index < 6 || index % 2 === 0 ? slot : { ...slot, part: slots[index - 1]!.text.toLowerCase() }));
}

/** Lines with their line ends left out; the last empty one is none. */
export function sdpUnits(sdp: Sdp): Keyed[] {
  let medium = 0;
  const counts = new Map<string, number>();
  return sdp.lines.flatMap((line) => {
    if (line.type === null && line.value.text === '') return [];
    if (line.type === 'm') medium++;
    const { name, field, value } = nameOf(line);
    const place = `${medium} ${name}`;
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    const whole = {
      text: line.type === null ? line.value.text : `${line.type}=${line.value.text}`,
      start: line.start,
      end: line.value.end,
    };
    return [{ key: `${place} ${count}`, field, at: medium, whole, slots: slotsOf(name, value) }];
  });
}

function nameOf({ type, value }: SdpLine): { name: string; field: string; value: Piece } {
  if (type === null) return { name: '?', field: 'SDP', value };
  if (type !== 'a') return { name: type, field: `SDP ${type}=`, value };
  const colon = value.text.indexOf(':');
  const name = colon < 0 ? value.text : value.text.slice(0, colon);
  const rest = colon < 0 ? value : { text: value.text.slice(colon + 1), start: value.start + colon + 1, end: value.end };
  // sendrecv, sendonly, …: one attribute of four values (RFC 8866 §6.7).
  if (/^(sendrecv|sendonly|recvonly|inactive)$/.test(name)) return { name: 'direction', field: 'SDP a=direction', value };
  return { name, field: `SDP a=${name}`, value: rest };
}
