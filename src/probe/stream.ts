/**
 * SIP over TCP without a socket: the phone's segments and the provider's are written, in the order in which two hosts would
 * send them, so that the router's connection tracking takes them for a connection (RFC 9293 §3.5; nf_conntrack_proto_tcp.c
 * looks at flags, numbers and windows). First the phone's SYN, which shows the port the router gives it; then the provider's
 * SYN and the phone's ACK and data; then the provider's answer, and a reset that ends it.
 */
import type { Ends, Packet, Segment } from './packet.ts';
import type { Recorded } from './record/recorded.ts';
import type { Sent } from './results.ts';
import { CONTROL, SIP, TESTS_CONTROL, TESTS_FIELDS, message, session } from './vectors.ts';
import type { Scene } from './vectors.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

export interface StreamMessage {
  readonly name: Said;
  readonly tests: Said;
  readonly text: string;
  /** Where it is cut into segments. */
  readonly cuts: readonly number[];
}

export interface Stream {
  readonly ends: Ends;
  readonly control: boolean;
  readonly messages: readonly StreamMessage[];
  /** IP ids of its packets count from here. */
  readonly firstId: number;
}

const FIRST_ID = 0x5200;
const IDS = 0x20;
/** Initial sequence numbers of the phone and of the provider. */
const PHONE_SEQ = 0x51be0000;
const PROVIDER_SEQ = 0x51bf0000;
const [SYN, RST, PSH, ACK] = [2, 4, 8, 16];
const SPACE = 2 ** 32;

/** Within the Via, so that neither segment holds all of it. */
const CUT = 60;

/** The control, and a connection over which a phone says three things. */
export function streamsOf(scene: Pick<Scene, 'phone' | 'provider' | 'media'>): Stream[] {
  const { phone, media } = scene;
  const contact = `Contact:<sip:${phone}:${SIP}>`;
  const tcp = { from: phone, transport: 'TCP' } as const;
  const control = message(scene, { ...tcp, method: 'OPTIONS', id: 'tc', port: CONTROL, more: [contact] });
  const whole = message(scene, { ...tcp, method: 'OPTIONS', id: 'to', more: [contact] });
  // Short, for old kernels write 251 bytes of a segment.
  const call = message(scene, {
    ...tcp,
    method: 'INVITE',
    id: 'i',
    via: `v:SIP/2.0/TCP ${phone}:${SIP};branch=z9hG4bKi`,
    sdp: session(phone, phone, media + 2),
  });
  const parted = message(scene, { ...tcp, method: 'OPTIONS', id: 'ts', more: [contact] });
  return [
    {
      ends: control.ends,
      control: true,
      firstId: FIRST_ID,
      messages: [{ name: say('sent-tcp-control', 'control over TCP'), tests: TESTS_CONTROL, text: control.text, cuts: [] }],
    },
    {
      ends: whole.ends,
      control: false,
      firstId: FIRST_ID + IDS,
      messages: [
        { name: say('sent-tcp-options', 'OPTIONS over TCP'), tests: TESTS_FIELDS, text: whole.text, cuts: [] },
        {
          name: say('sent-tcp-invite', 'INVITE over TCP'),
          tests: say('tests-behind', 'a call, behind what may have changed in length'),
          text: call.text,
          cuts: [],
        },
        {
          name: say('sent-tcp-segments', 'OPTIONS over TCP, in two segments'),
          tests: say('tests-segments', 'a message whose Via lies in two segments'),
          text: parted.text,
          cuts: [CUT],
        },
      ],
    },
  ];
}

const back = ({ from, to }: Ends): Ends => ({ from: to, to: from });

const packet = (ends: Ends, id: number, segment: Segment, ttl: number, payload = ''): Packet => ({ ...ends, id, segment, ttl, payload });

export const opening = ({ ends, firstId }: Stream, ttl: number): Packet =>
  packet(ends, firstId, { seq: PHONE_SEQ, ack: 0, flags: SYN }, ttl);

/** A segment of data: which message it is of, and where in the phone's numbers it begins. */
interface Part {
  readonly id: number;
  readonly index: number;
  readonly seq: number;
  readonly payload: string;
}

function partsOf({ messages, firstId }: Stream): Part[] {
  let seq = PHONE_SEQ + 1;
  let id = firstId + 3;
  return messages.flatMap(({ text, cuts }, index) =>
    [0, ...cuts].map((from, at) => {
      const payload = text.slice(from, cuts[at] ?? text.length);
      const part = { id: id++, index, seq, payload };
      seq += payload.length;
      return part;
    }),
  );
}

/** The rest of the handshake, and what the phone says. @param seen its SYN as it came out */
export function talk(stream: Stream, seen: Recorded, ttl: number): Packet[] {
  const { ends, firstId } = stream;
  const ack = PROVIDER_SEQ + 1;
  return [
    packet(back(seen), firstId + 1, { seq: PROVIDER_SEQ, ack: (seen.check + 1) % SPACE, flags: SYN | ACK }, ttl),
    packet(ends, firstId + 2, { seq: PHONE_SEQ + 1, ack, flags: ACK }, ttl),
    ...partsOf(stream).map(({ id, seq, payload }) => packet(ends, id, { seq, ack, flags: PSH | ACK }, ttl, payload)),
  ];
}

/** IP id of the last segment of data. */
export const lastId = (stream: Stream): number => partsOf(stream).at(-1)!.id;

/** A message as it came out; null: not, or not all of it. */
export interface Heard {
  readonly sent: Sent;
  readonly seen: Recorded | null;
  readonly gap: number | null;
}

/** The messages of a stream, put together from their segments. @param seen what was recorded towards the provider */
export function heard(stream: Stream, seen: readonly Recorded[]): Heard[] {
  const parts = partsOf(stream);
  const syn = seen.find(({ id }) => id === stream.firstId);
  let next = syn === undefined ? null : (syn.check + 1) % SPACE;
  return stream.messages.map(({ name, tests, text }, index) => {
    const own = parts.filter((one) => one.index === index);
    const sent: Sent = {
      name,
      tests,
      control: stream.control,
      toProvider: true,
      part: 'TCP',
      ends: stream.ends,
      expected: stream.ends,
      text,
      id: own[0]!.id,
    };
    const found = own.map(({ id }) => seen.find((one) => one.id === id));
    if (!found.every((one): one is Recorded => one !== undefined)) {
      next = null;
      return { sent, seen: null, gap: null };
    }
    let gap = 0;
    for (const one of found) {
      // Behind what is missing nothing is known of the numbers.
      if (next !== null) gap += differenceOf(one.check, next);
      next = (one.check + one.length) % SPACE;
    }
    const bytes = Uint8Array.from(found.flatMap((one) => [...one.bytes]));
    const whole = { ...found[0]!, bytes, length: found.reduce((sum, { length }) => sum + length, 0) };
    return { sent, seen: whole, gap };
  });
}

/** By how much one number of a sequence is ahead of another (RFC 9293 §3.4). */
const differenceOf = (one: number, other: number): number => {
  const ahead = (one - other + SPACE) % SPACE;
  return ahead > SPACE / 2 ? ahead - SPACE : ahead;
};

/** Of what came out over a stream, where the next byte would be; null where nothing did. */
function endOf(stream: Stream, seen: readonly Recorded[]): number | null {
  const ids = partsOf(stream).map(({ id }) => id);
  const [last] = seen.filter(({ id }) => ids.includes(id)).sort((one, other) => other.id - one.id);
  return last === undefined ? null : (last.check + last.length) % SPACE;
}

export const answerId = ({ firstId }: Stream): number => firstId + 0x1e;

/** What the provider says, and that it got all. null: nothing came out to be answered. */
export function answering(stream: Stream, seen: readonly Recorded[], ends: Ends, text: string, ttl: number): Packet | null {
  const ack = endOf(stream, seen);
  return ack === null ? null : packet(ends, answerId(stream), { seq: PROVIDER_SEQ + 1, ack, flags: PSH | ACK }, ttl, text);
}

/** By how much what is said to have been got differs from what the phone has sent. @param seen the answer as it came to the phone */
export function gapOf(stream: Stream, seen: Recorded): number {
  const { seq, payload } = partsOf(stream).at(-1)!;
  return differenceOf(seen.ack ?? NaN, seq + payload.length) + differenceOf(seen.check, PROVIDER_SEQ + 1);
}

/** Ends it for the router, whose state of a connection that is not ended lives for hours. */
export function ending(stream: Stream, ttl: number): Packet {
  const { seq, payload } = partsOf(stream).at(-1)!;
  const numbers = { seq: seq + payload.length, ack: PROVIDER_SEQ + 1, flags: RST | ACK };
  return packet(stream.ends, stream.firstId + 0x1f, numbers, ttl);
}
