/** The other side of src/dns: queries read and answers written, as a name server does (RFC 1035 §4). */
import type { Question } from '../../../../src/languages/dns/message.ts';

const TYPES: Readonly<Record<string, number>> = { A: 1, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, SRV: 33, NAPTR: 35, RRSIG: 46 };

/** `data` as a zone file has it, field by field; for TXT and RRSIG bytes. */
export type Entry = { readonly name: string; readonly ttl: number; readonly type: string; readonly data: readonly (string | number)[] };

export type Reply = {
  readonly id: number;
  /** null: it repeats no question. */
  readonly question: Question | null;
  readonly code?: number;
  readonly truncated?: boolean;
  readonly answers?: readonly Entry[];
  readonly authorities?: readonly Entry[];
  readonly additional?: readonly Entry[];
  /** Whether names already written are pointed to, as servers do. */
  readonly compress?: boolean;
};

/** The number and the question of a query. */
export function readQuery(bytes: Uint8Array): { id: number; question: Question } {
  const labels: string[] = [];
  let at = 12;
  for (let size = bytes[at++]!; size > 0; size = bytes[at++]!) {
    labels.push(String.fromCharCode(...bytes.subarray(at, at + size)));
    at += size;
  }
  const type = (bytes[at]! << 8) | bytes[at + 1]!;
  const name = Object.keys(TYPES).find((each) => TYPES[each] === type);
  return { id: (bytes[0]! << 8) | bytes[1]!, question: { name: labels.join('.'), type: name as Question['type'] } };
}

export function writeReply(reply: Reply): Uint8Array {
  const bytes: number[] = [];
  const seen = new Map<string, number>();
  const u16 = (value: number): void => {
    bytes.push((value >> 8) & 255, value & 255);
  };
  const u32 = (value: number): void => {
    u16((value / 65536) & 0xffff);
    u16(value & 0xffff);
  };
  const name = (text: string): void => {
    const labels = text === '' ? [] : text.split('.');
    while (labels.length > 0) {
      const rest = labels.join('.').toLowerCase();
      const before = seen.get(rest);
      if (before !== undefined && reply.compress !== false) {
        u16(0xc000 | before);
        return;
      }
      if (bytes.length < 0x4000) seen.set(rest, bytes.length);
      const label = labels.shift()!;
      bytes.push(label.length, ...Buffer.from(label, 'latin1'));
    }
    bytes.push(0);
  };
  const string = (text: string): void => {
    bytes.push(text.length, ...Buffer.from(text, 'latin1'));
  };
  const address = (text: string): void => {
    if (!text.includes(':')) {
      bytes.push(...text.split('.').map(Number));
      return;
    }
    const [before = '', after] = text.split('::');
    const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
    const all =
      after === undefined
        ? groups(before)
        : [...groups(before), ...Array<string>(8 - groups(before).length - groups(after).length).fill('0'), ...groups(after)];
    for (const group of all) u16(parseInt(group, 16));
  };
  const record = (entry: Entry): void => {
    name(entry.name);
    u16(TYPES[entry.type]!);
    u16(1);
    u32(entry.ttl);
    const at = bytes.length;
    u16(0);
    const [one, two, three, four, five, six] = entry.data as [never, never, never, never, never, never];
    if (entry.type === 'A' || entry.type === 'AAAA') address(one);
    else if (entry.type === 'CNAME') name(one);
    else if (entry.type === 'SRV') {
      u16(one);
      u16(two);
      u16(three);
      name(four);
    } else if (entry.type === 'NAPTR') {
      u16(one);
      u16(two);
      string(three);
      string(four);
      string(five);
      name(six);
    } else if (entry.type === 'SOA') {
      name(one);
      name(two);
      for (const number of entry.data.slice(2)) u32(Number(number));
    } else bytes.push(...entry.data.map(Number));
    const size = bytes.length - at - 2;
    bytes[at] = size >> 8;
    bytes[at + 1] = size & 255;
  };
  const { question, answers = [], authorities = [], additional = [] } = reply;
  u16(reply.id);
  u16(0x8180 | (reply.truncated === true ? 0x0200 : 0) | (reply.code ?? 0));
  for (const count of [question === null ? 0 : 1, answers.length, authorities.length, additional.length]) u16(count);
  if (question !== null) {
    name(question.name);
    u16(TYPES[question.type]!);
    u16(1);
  }
  for (const entry of [...answers, ...authorities, ...additional]) record(entry);
  return Uint8Array.from(bytes);
}
