/**
 * The holes that helpers announce: `/proc/net/nf_conntrack_expect`
 * (net/netfilter/nf_conntrack_expect.c, `exp_seq_show`).
 */
import { Refused, quote } from '../refused.ts';

/** One expectation: a flow that may come, from `src` to `dst`. */
export interface Expectation {
  /** Seconds left; null where it has no timer (`-`). */
  timeout: number | null;
  /** 2 IPv4, 10 IPv6. */
  l3proto: number;
  /** IP protocol number: 6 TCP, 17 UDP. */
  proto: number;
  /** As written: the kernel prints IPv6 in full, `2001:0db8:0000:...`. */
  src: string;
  dst: string;
  /** 0 means any port; null where the protocol has none. */
  sport: number | null;
  dport: number | null;
  /** PERMANENT, INACTIVE, USERSPACE. */
  flags: string[];
  /** `sip`; null where the kernel names none. */
  helper: string | null;
  /** `signalling`, `audio`, `video`, `image`: the part after the slash. */
  klass: string | null;
  /** Words not understood, in their order. */
  rest: string[];
}

const HELPER = /^[A-Za-z0-9_.-]{1,64}(\/[A-Za-z0-9_.-]{1,64})?$/;
const FLAGS: readonly string[] = ['PERMANENT', 'INACTIVE', 'USERSPACE'];

/**
 * All lines of `/proc/net/nf_conntrack_expect`.
 *
 * Each is `TIMEOUT l3proto = N proto=N src=A dst=A [sport=N dport=N] [FLAG,FLAG] [helper[/class]]`.
 *
 * @throws Refused for a line that is not like that
 */
export function parseExpectations(text: string): Expectation[] {
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, index + 1)]));
}

function parseLine(line: string, number: number): Expectation {
  const refuse = (what: string): Refused =>
    new Refused(`${what} in ${quote(line)}, which is not a line of /proc/net/nf_conntrack_expect`, number);
  const [timeout = '', word, equals, l3proto = '', ...tokens] = line.trim().split(/[ \t]+/);
  if (word !== 'l3proto' || equals !== '=') throw refuse('"l3proto = N" does not follow the timeout');
  if (timeout !== '-' && !/^-?[0-9]{1,12}$/.test(timeout)) {
    throw refuse(`${quote(timeout)} is neither seconds nor "-"`);
  }

  const given = new Map<string, string>();
  const expectation: Expectation = {
    timeout: timeout === '-' ? null : Number(timeout),
    l3proto: numeral(l3proto, 255) ?? NaN,
    proto: NaN,
    src: '',
    dst: '',
    sport: null,
    dport: null,
    flags: [],
    helper: null,
    klass: null,
    rest: [],
  };
  for (const token of tokens) {
    const at = token.indexOf('=');
    const key = at < 0 ? '' : token.slice(0, at);
    if (key === 'proto' || key === 'src' || key === 'dst' || key === 'sport' || key === 'dport') {
      if (given.has(key)) throw refuse(`"${key}=" stands twice`);
      given.set(key, token.slice(at + 1));
    } else if (areFlags(token)) {
      expectation.flags.push(...token.split(','));
    } else if (expectation.helper === null && HELPER.test(token)) {
      const slash = token.indexOf('/');
      expectation.helper = slash < 0 ? token : token.slice(0, slash);
      expectation.klass = slash < 0 ? null : token.slice(slash + 1);
    } else {
      expectation.rest.push(token);
    }
  }
  const port = (key: string): number | null => {
    const value = given.get(key);
    if (value === undefined) return null;
    const read = numeral(value, 65535);
    if (read === undefined) throw refuse(`${quote(value)} is not a port`);
    return read;
  };
  expectation.proto = numeral(given.get('proto') ?? '', 255) ?? NaN;
  expectation.src = given.get('src') ?? '';
  expectation.dst = given.get('dst') ?? '';
  expectation.sport = port('sport');
  expectation.dport = port('dport');
  if (Number.isNaN(expectation.l3proto) || Number.isNaN(expectation.proto)) {
    throw refuse('a protocol is not a number from 0 to 255');
  }
  for (const address of [expectation.src, expectation.dst]) {
    if (!/^[0-9A-Fa-f:.]{2,45}$/.test(address)) throw refuse(`${quote(address)} is not an address`);
  }
  return expectation;
}

/** Flags joined by commas; there are three, so a longer word is none of theirs. */
function areFlags(token: string): boolean {
  return token.length <= 40 && token.split(',').every((flag) => FLAGS.includes(flag));
}

function numeral(text: string, most: number): number | undefined {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}
