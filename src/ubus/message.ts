/**
 * Messages (ubusmsg.h, libubus-io.c): 8 bytes { u8 version = 0, u8 type, be16 seq,
 * be32 peer }, then one blob that holds the attributes.
 *
 * `peer` is whom it is for: an object's id in a request, a client's id in an
 * answer to one; ubusd exchanges them on the way.
 */
import { BlobWriter, MAX_BLOB, readAttributes } from './blob.ts';
import { Status, UbusError } from './status.ts';
import { readString } from './value.ts';

/** Message types (`enum ubus_msg_type`). */
export const MessageType = {
  HELLO: 0,
  STATUS: 1,
  DATA: 2,
  PING: 3,
  LOOKUP: 4,
  INVOKE: 5,
  ADD_OBJECT: 6,
  REMOVE_OBJECT: 7,
  SUBSCRIBE: 8,
  UNSUBSCRIBE: 9,
  NOTIFY: 10,
  MONITOR: 11,
} as const;

/** Objects that ubusd itself provides. */
export const SystemObject = { EVENT: 1, ACL: 2, MONITOR: 3 } as const;

/** Bytes before the attributes: the message's header and the blob's. */
export const HEADER = 12;

/**
 * A message's attributes (`enum ubus_msg_attr`). They are written in the order of
 * the object's properties, and read into it in the order they came. `data` and
 * `signature` stay bytes, the inside of a table: see encodeTable and decodeTable.
 */
export interface Attributes {
  status?: number;
  /** OBJPATH: an object's name, or a pattern in a lookup. */
  path?: string;
  /** OBJID */
  object?: number;
  method?: string;
  /** OBJTYPE: the id of an object's signature. */
  type?: number;
  signature?: Uint8Array;
  data?: Uint8Array;
  /** TARGET: the object a subscription is for. */
  target?: number;
  /** ACTIVE: somebody subscribes. */
  active?: boolean;
  noReply?: boolean;
  /** Ids of the objects a notification went to. */
  subscribers?: readonly number[];
  user?: string;
  group?: string;
}

export interface Message {
  /** One of {@link MessageType}. */
  type: number;
  /** 16 bits; an answer repeats its request's. */
  seq: number;
  /** 32 bits without sign. */
  peer: number;
  attributes: Attributes;
}

type Kind = 'word' | 'flag' | 'text' | 'bytes' | 'words';

/** Attribute ids 1..13, in the order of their numbers. */
const fields: readonly (readonly [keyof Attributes, Kind])[] = [
  ['status', 'word'],
  ['path', 'text'],
  ['object', 'word'],
  ['method', 'text'],
  ['type', 'word'],
  ['signature', 'bytes'],
  ['data', 'bytes'],
  ['target', 'word'],
  ['active', 'flag'],
  ['noReply', 'flag'],
  ['subscribers', 'words'],
  ['user', 'text'],
  ['group', 'text'],
];

const ids = new Map(fields.map(([name], at) => [name as string, at + 1]));

/** @throws UbusError INVALID_ARGUMENT when the message is larger than ubusd takes */
export function encodeMessage({ type, seq, peer, attributes }: Message): Uint8Array {
  const writer = new BlobWriter(MAX_BLOB + 8);
  writer.u8(0);
  writer.u8(type);
  writer.u16(seq);
  writer.u32(peer);
  const blob = writer.open(0);
  for (const [name, value] of Object.entries(attributes)) {
    const id = ids.get(name);
    if (id === undefined || value === undefined) continue;
    const start = writer.open(id);
    const kind = fields[id - 1]![1];
    if (kind === 'word') writer.u32(value as number);
    else if (kind === 'flag') writer.u8(value ? 1 : 0);
    else if (kind === 'text') writer.text(value as string);
    else if (kind === 'bytes') writer.raw(value as Uint8Array);
    else {
      for (const word of value as readonly number[]) {
        const item = writer.open(0);
        writer.u32(word);
        writer.close(item);
      }
    }
    writer.close(start);
  }
  writer.close(blob);
  return writer.finish();
}

/** The header of a frame of at least {@link HEADER} bytes. */
export function decodeHeader(frame: Uint8Array): { type: number; seq: number; peer: number } {
  const view = new DataView(frame.buffer, frame.byteOffset, 8);
  return { type: view.getUint8(1), seq: view.getUint16(2), peer: view.getUint32(4) };
}

/**
 * Reads one frame, as frames.ts cuts them. Attributes this library does not know
 * are skipped; `data` and `signature` point into the frame.
 * @throws UbusError PARSE_ERROR when an attribute is not what its id says
 */
export function decodeMessage(frame: Uint8Array): Message {
  return { ...decodeHeader(frame), attributes: decodeAttributes(frame.subarray(HEADER)) };
}

/** Reads the inside of a message's blob. Throws as {@link decodeMessage} does. */
export function decodeAttributes(bytes: Uint8Array): Attributes {
  const attributes: Record<string, unknown> = {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { id, from, to } of readAttributes(bytes, 0, bytes.length)) {
    const field = fields[id - 1];
    if (field === undefined) continue;
    const [name, kind] = field;
    if (kind === 'word') attributes[name] = word(view, name, from, to);
    else if (kind === 'flag') attributes[name] = size(1, name, from, to) && view.getUint8(from) !== 0;
    else if (kind === 'text') attributes[name] = readString(bytes, from, to);
    else if (kind === 'bytes') attributes[name] = bytes.subarray(from, to);
    else attributes[name] = readAttributes(bytes, from, to).map((item) => word(view, name, item.from, item.to));
  }
  return attributes as Attributes;
}

function size(wanted: number, name: string, from: number, to: number): true {
  if (to - from === wanted) return true;
  throw new UbusError(Status.PARSE_ERROR, `the attribute ${name} has ${to - from} bytes instead of ${wanted}`);
}

function word(view: DataView, name: string, from: number, to: number): number {
  size(4, name, from, to);
  return view.getUint32(from);
}
