/**
 * Messages of the domain name system (RFC 1035 §4): a query is written, an answer
 * is read or refused. Of an answer only its own section and the SOA of a negative
 * one are looked at: what else a server sends along was not asked for.
 */
import { writeIpv6 } from '../address/prefixes.ts';
import { Refused, quote } from '../refused.ts';

export type QuestionType = 'A' | 'AAAA' | 'SRV' | 'NAPTR';

/** A name without its final dot, and what is asked about it. */
export interface Question {
  name: string;
  type: QuestionType;
}

/** `ttl` in seconds; names in lower case, without their final dot. */
export type ResourceRecord = { name: string; ttl: number } /** RFC 1035 §3.4.1. */ & (
  | { type: 'A'; address: string }
  /** RFC 3596; in canonical text (RFC 5952). */
  | { type: 'AAAA'; address: string }
  | { type: 'CNAME'; target: string }
  /** RFC 2782. The target `` (the root) says that there is no such thing here. */
  | { type: 'SRV'; priority: number; weight: number; port: number; target: string }
  /** RFC 3403 §4.1; service as in `SIP+D2U`, flags in lower case. */
  | { type: 'NAPTR'; order: number; preference: number; flags: string; service: string; regexp: string; replacement: string }
);

export interface Answer {
  /** RCODE: 0 no error, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
  code: number;
  /** TC: the answer did not fit into a datagram; its records are not read. Ask over TCP. */
  truncated: boolean;
  records: ResourceRecord[];
  /** How long a negative answer holds (RFC 2308 §5), seconds; null where nothing says so. */
  negative: number | null;
}

const TYPES = { A: 1, CNAME: 5, SOA: 6, AAAA: 28, SRV: 33, NAPTR: 35 } as const;
const IN = 1;
const HEADER = 12;
/** A server may send 64 KiB over TCP: more than anybody's SIP servers need. */
const MOST_RECORDS = 512;
const MOST_NAME = 253;
const MOST_JUMPS = 32;
/** A CNAME leads to a CNAME; the last of so many is taken for a ring. */
const MOST_ALIASES = 8;

/**
 * What may stand in a label: letters, digits, `-`, and `_` (RFC 2782, and many a host's name). Anything else is legal in
 * DNS and never in the name of a host (RFC 1123 §2.1), so no further text has to be armed against it.
 */
const LABEL = /^[A-Za-z0-9_-]{1,63}$/;

/** Whether a text can be asked for; one final dot is allowed. */
export function isName(text: string): boolean {
  const name = text.replace(/\.$/, '');
  return name.length <= MOST_NAME && name.split('.').every((label) => LABEL.test(label));
}

/**
 * A query that wishes for recursion.
 * @param id 16 bits that nobody can guess
 * @throws Refused for what is no name
 */
export function encodeQuery(id: number, { name, type }: Question): Uint8Array {
  if (!isName(name))
    throw new Refused(
      `${quote(name)} is no name that can be asked for: labels of 1 to 63 letters, digits, "-" and "_", ${MOST_NAME} characters in all`,
    );
  const bytes = [(id >> 8) & 255, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  for (const label of name.replace(/\.$/, '').split('.')) bytes.push(label.length, ...[...label].map((letter) => letter.charCodeAt(0)));
  return Uint8Array.from([...bytes, 0, 0, TYPES[type], 0, IN]);
}

/** Whether bytes are the answer to the query of that number, be it good or bad; anything else may come from anybody. */
export function answers(bytes: Uint8Array, id: number): boolean {
  return bytes.length >= HEADER && ((bytes[0]! << 8) | bytes[1]!) === id && (bytes[2]! & 0x80) !== 0;
}

/**
 * Reads the answer to a query. Any bytes are read or refused, in bounded time.
 * @throws Refused for what is not the answer to this question, or breaks off, or points in rings
 */
export function decodeAnswer(bytes: Uint8Array, id: number, question: Question): Answer {
  const reader = new Reader(bytes);
  if (!answers(bytes, id)) throw new Refused('it is not the answer to the query');
  const flags = reader.u16(2);
  if ((flags & 0x7800) !== 0) throw new Refused(`its operation is ${(flags >> 11) & 15}, and a query's is 0`);
  const [questions, count, authorities] = [reader.u16(4), reader.u16(6), reader.u16(8)];
  const code = flags & 15;
  // A server that fails may leave the question out; one that answers repeats it (RFC 5452 §4.2).
  if (questions > 1 || (questions === 0 && code === 0)) throw new Refused(`it answers ${questions} questions, and one was asked`);
  reader.at = HEADER;
  if (questions === 1) {
    const name = reader.name();
    const [type, klass] = [reader.next(2), reader.next(2)];
    if (name !== question.name.replace(/\.$/, '').toLowerCase() || type !== TYPES[question.type] || klass !== IN) {
      throw new Refused(`it answers another question, about ${quote(name)}`);
    }
  }
  const answer: Answer = { code, truncated: (flags & 0x0200) !== 0, records: [], negative: null };
  if (answer.truncated) return answer;
  if (count + authorities > MOST_RECORDS) throw new Refused(`it holds ${count + authorities} records; ${MOST_RECORDS} are enough`);
  for (let left = count; left > 0; left--) {
    const record = reader.record();
    if (record.type !== 'SOA' && record.type !== null) answer.records.push(record);
  }
  for (let left = authorities; left > 0 && answer.records.length === 0; left--) {
    const record = reader.record();
    if (record.type === 'SOA') answer.negative = Math.min(record.ttl, record.minimum);
  }
  return answer;
}

/**
 * The records an answer gives to its question, CNAMEs followed.
 * @returns `ttl` the shortest on the way; `name` where the aliases led
 */
export function recordsFor<T extends QuestionType>(
  answer: Answer,
  { name, type }: { name: string; type: T },
): { name: string; ttl: number; records: Extract<ResourceRecord, { type: T }>[] } {
  let ttl = Infinity;
  let at = name.replace(/\.$/, '').toLowerCase();
  for (let aliases = 0; ; aliases++) {
    const here = answer.records.filter((record) => record.name === at);
    const records = here.filter((record) => record.type === type);
    for (const record of records) ttl = Math.min(ttl, record.ttl);
    const alias = here.find((record) => record.type === 'CNAME');
    if (records.length > 0 || alias?.type !== 'CNAME' || aliases === MOST_ALIASES) {
      return { name: at, ttl, records: records as Extract<ResourceRecord, { type: T }>[] };
    }
    ttl = Math.min(ttl, alias.ttl);
    at = alias.target;
  }
}

/** `type` null: of a type or a class that was not asked for, as a DNSSEC signature is. */
type Read = ResourceRecord | { type: 'SOA'; ttl: number; minimum: number } | { type: null };

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @throws Refused where the message ends before */
  #byte(at: number): number {
    const byte = this.#bytes[at];
    if (byte === undefined) throw new Refused(`it breaks off after ${this.#bytes.length} bytes`);
    return byte;
  }

  u16(at: number): number {
    return (this.#byte(at) << 8) | this.#byte(at + 1);
  }

  /** The next `size` bytes as a number, 4 at most. */
  next(size: number): number {
    let value = 0;
    for (; size > 0; size--) value = value * 256 + this.#byte(this.at++);
    return value;
  }

  #text(size: number): string {
    let text = '';
    for (; size > 0; size--) text += String.fromCharCode(this.#byte(this.at++));
    return text;
  }

  /** A pointer leads to before the name it stands in, each further one to before that: so there are no rings. */
  name(): string {
    const labels: string[] = [];
    let end = 0;
    let length = 0;
    let jumps = 0;
    let start = this.at;
    for (;;) {
      const size = this.#byte(this.at++);
      if (size === 0) break;
      if (size >= 0xc0) {
        const target = ((size & 0x3f) << 8) | this.#byte(this.at++);
        end ||= this.at;
        if (target >= start || target < HEADER || ++jumps > MOST_JUMPS)
          throw new Refused(`a name points to byte ${target}, which is not before it, or too often`);
        this.at = start = target;
        continue;
      }
      const label = size < 64 ? this.#text(size) : '';
      length += size + 1;
      if (!LABEL.test(label)) throw new Refused(`${quote(label)} is no label of a host's name`);
      if (length > MOST_NAME + 1) throw new Refused(`a name is longer than ${MOST_NAME} characters`);
      labels.push(label);
    }
    if (end > 0) this.at = end;
    return labels.join('.').toLowerCase();
  }

  /** A character-string, RFC 1035 §3.3. */
  #string(): string {
    return this.#text(this.next(1));
  }

  record(): Read {
    const owner = this.at;
    this.#skipName();
    const [type, klass] = [this.next(2), this.next(2)];
    const life = this.next(4);
    const size = this.next(2);
    const end = this.at + size;
    if (size > 0) this.#byte(end - 1);
    const ttl = life > 0x7fffffff ? 0 : life; // RFC 2181 §8
    const known = klass === IN ? (Object.keys(TYPES) as (keyof typeof TYPES)[]).find((name) => TYPES[name] === type) : undefined;
    let read: Read = { type: null };
    if (known !== undefined) {
      const data = this.at;
      this.at = owner;
      const name = known === 'SOA' ? '' : this.name();
      this.at = data;
      read = this.#data(known, name, ttl, size, end);
      if (this.at !== end) throw new Refused(`a record of type ${known} is not ${size} bytes long, as it says`);
    }
    this.at = end;
    return read;
  }

  /** Passes over a name of any bytes: records that nobody asked for may be called anything. */
  #skipName(): void {
    for (let size = this.next(1); size > 0; size = this.next(1)) {
      if (size >= 0xc0) {
        this.at++;
        return;
      }
      if (size >= 64) throw new Refused(`a label says it is ${size} bytes long; 63 is the most`);
      this.at += size;
    }
  }

  #data(type: keyof typeof TYPES, name: string, ttl: number, size: number, end: number): Read {
    switch (type) {
      case 'A':
      case 'AAAA':
        if (size !== (type === 'A' ? 4 : 16)) throw new Refused(`an address of type ${type} has ${size} bytes`);
        return type === 'A'
          ? { name, ttl, type, address: [0, 0, 0, 0].map(() => this.next(1)).join('.') }
          : { name, ttl, type, address: this.#ipv6() };
      case 'CNAME':
        return { name, ttl, type, target: this.name() };
      case 'SRV':
        return { name, ttl, type, priority: this.next(2), weight: this.next(2), port: this.next(2), target: this.name() };
      case 'NAPTR':
        return {
          name,
          ttl,
          type,
          order: this.next(2),
          preference: this.next(2),
          flags: this.#string().toLowerCase(),
          service: this.#string().toUpperCase(),
          regexp: this.#string(),
          replacement: this.name(),
        };
      case 'SOA':
        // Of it only the last number is of use; mailbox names in it need not be a host's.
        if (size < 22) throw new Refused(`a record of type SOA has ${size} bytes`);
        this.at = end - 4;
        return { type, ttl, minimum: this.next(4) };
    }
  }

  #ipv6(): string {
    return writeIpv6(Array.from({ length: 8 }, () => this.next(2).toString(16).padStart(4, '0')).join(''));
  }
}
