/**
 * Rules that record the very bytes of messages: at a device's ingress or egress (family netdev) each 32 bytes of a packet
 * become an element of a set that the packet itself fills (nft(8), "add @set"), and what is left over at its end elements of
 * 16, 8, 4, 2 and 1 byte. No capture software is needed: nft, and kmod-nft-netdev of OpenWrt 24.10 and later.
 *
 * Egress is behind the SIP helper, which runs last in postrouting; ingress is before it. What a kernel can record of a
 * message depends on its version: up to 6.12 the offset within the header is 255 bytes at most (nft_payload.c,
 * NLA_POLICY_MAX(NLA_BE32, 255)), so the first eight chunks behind a UDP header, 256 bytes; 6.18 takes any.
 *
 * nft 1.0.6 and 1.1.3 end abnormally on sets whose keys have more than four parts: none here has more.
 */
import { Refused, quote } from '../../languages/refused.ts';

/** One place where messages are recorded. */
export interface Tap {
  /** Begins the names of its sets and chains: lower case letters and digits, at most 12, another one for each tap of a table. */
  readonly name: string;
  /** A device that is there: egress of one that is not there loads without a word and counts nothing. */
  readonly device: string;
  readonly hook: 'ingress' | 'egress';
  /** One of netdev's; egress chains of others at the same priority see what is recorded before or after. */
  readonly priority?: number;
  readonly family: 'ip' | 'ip6';
  readonly transport: 'udp' | 'tcp';
  /** Matches of nft, each a rule of its own, before which family and transport are asked for already: `udp dport 5060`. */
  readonly matches: readonly string[];
  /** Whether what matches goes no further. */
  readonly drop?: boolean;
  /** Of TCP, four bytes each: a segment whose payload begins otherwise is passed by. Not given: every segment. */
  readonly begins?: readonly string[];
  /** Messages at this tap, where they are to be fewer than Limits.messages. */
  readonly messages?: number;
  /** Bytes of each message, where fewer are enough than are recorded of others: what is listed and loaded goes by it. */
  readonly bytes?: number;
  /** Length of the longest message whose last bytes are recorded behind its whole chunks: each costs rules. All, if not given. */
  readonly tails?: number;
  /** Into pieces of so many bytes at least these are cut; what is shorter is not recorded. 1, if not given. */
  readonly least?: (typeof TAILS)[number];
  /** Ends the name of its table, of lower case letters: what is listed by itself costs less. */
  readonly part?: string;
  /** Its packets are counted by a counter with a name, which is read without the rules. */
  readonly named?: boolean;
}

/** How much is recorded: memory in the kernel is bounded by these, about 130 bytes for each 32 of a message. */
export interface Limits {
  /** Bytes of each message; what is beyond is not recorded. */
  readonly bytes: number;
  /** Messages at each tap; when it is full, later ones are not recorded. */
  readonly messages: number;
  /** Seconds after which an element goes by itself, should nobody take the table away; 1 to 86,400. */
  readonly seconds: number;
}

/** What each kernel takes. */
export const NARROW = 256;
export const WIDE = 1500;

/** A raw number has 16 bytes at most: each element holds two. Half as many sets take half as long to list. */
export const CHUNK = 32;
const HALF = 16;
/** Beyond it a kernel up to 6.12 refuses the whole table. */
const LAST_OFFSET = 255;
/** Where the payload begins behind the header that offsets count from. TCP's header has options, so it is asked for its payload. */
const BASE = { udp: { header: 'th', start: 8 }, tcp: { header: 'ih', start: 0 } } as const;
/**
 * What says how long a packet's payload is, and by how much it says more. Of TCP that is told for a header without options, as
 * a test writes them, and with timestamps alone (RFC 7323 §3.2: 12 bytes), as phones do: of a header with others, of a segment that
 * tells of losses, what stands behind the last whole chunk is not recorded.
 */
const LENGTHS: Readonly<Record<Tap['transport'], Readonly<Record<Tap['family'], readonly (readonly [string, number])[]>>>> = {
  udp: { ip: [['udp length', 8]], ip6: [['udp length', 8]] },
  tcp: {
    ip: [
      ['tcp doff 5 ip length', 40],
      ['tcp doff 8 ip length', 52],
    ],
    ip6: [
      ['tcp doff 5 ip6 length', 20],
      ['tcp doff 8 ip6 length', 32],
    ],
  },
};

/** Bytes of a message that a kernel takes offsets for, by its release (`6.6.93`); a release that says nothing counts as old. */
export function recordable(kernel: string): number {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  return Number(major) * 1000 + Number(minor) > 6012 ? WIDE : NARROW;
}

/** What it is called in its table: no word of nft's, whatever a tap is called. */
export const nameIn = ({ name }: Pick<Tap, 'name'>): string => `tap_${name}`;

/** The counter of a tap that has one of that name. */
export const counterOf = (tap: Pick<Tap, 'name'>): string => `${nameIn(tap)}_n`;

const raw = ({ transport }: Tap, at: number, bytes: number): string => {
  const { header, start } = BASE[transport];
  return `@${header},${(start + at) * 8},${bytes * 8}`;
};

const chunk = (tap: Tap, at: number): string => `${raw(tap, at, HALF)} . ${raw(tap, at + HALF, HALF)}`;

/** What tells a packet's elements from another's: many phones send IP ids of 0, so its checksum, too. */
const groupOf = ({ family, transport }: Tap): string =>
  `${family === 'ip' ? 'ip id' : 'ip6 flowlabel'} . ${transport === 'udp' ? 'udp checksum' : 'tcp sequence'}`;

/** Sets that say what a packet is, beside its bytes. */
const HEADS = [
  ['from', ({ family, transport }: Tap) => `${family} saddr . ${transport} sport`],
  ['to', ({ family, transport }: Tap) => `${family} daddr . ${transport} dport`],
  [
    'size',
    ({ family, transport }: Tap) =>
      transport === 'tcp'
        ? family === 'ip'
          ? 'ip length . tcp doff'
          : 'ip6 length . tcp doff'
        : `udp length . ${family === 'ip' ? 'ip ttl' : 'ip6 hoplimit'}`,
  ],
] as const;

export const TAILS = [16, 8, 4, 2, 1] as const;

/** A packet that comes again with the same numbers and bytes makes no element of its own: it is counted in the one there is. */
const COUNTED = 'size';

/** Four bytes as nft writes a raw number. */
function wordOf(text: string): string {
  if (!/^[\x20-\x7e]{4}$/.test(text)) throw new Refused(`${quote(text)} is not how a segment begins: four letters, signs or blanks.`);
  return `0x${[...text].map((letter) => letter.charCodeAt(0).toString(16)).join('')}`;
}

/** What the sequence number of the other direction is: TCP alone. */
const ACK = 'tcp ackseq';

/** Bytes of a message that are recorded at a tap. */
export const bytesAt = ({ bytes }: Pick<Tap, 'bytes'>, most: number): number => Math.min(bytes ?? most, most);

function validate({ name, device, matches }: Tap): void {
  if (!/^[a-z][a-z0-9]{0,11}$/.test(name))
    throw new Refused(`${quote(name)} is no name of a tap: lower case letters and digits, at most 12.`);
  if (!/^[^\s"/\\{};$]{1,15}$/.test(device)) throw new Refused(`${quote(device)} cannot be the name of a device.`);
  for (const match of matches) if (/[\n;{}#]/.test(match)) throw new Refused(`${quote(match)} is not one match of nft's.`);
}

function tapText(tap: Tap, { messages: most, seconds, ...limits }: Limits): string[] {
  validate(tap);
  const bytes = bytesAt(tap, limits.bytes);
  const messages = Math.min(most, tap.messages ?? most);
  const { device, hook, priority = -350, family, transport, matches, drop = false, begins = [], tails: tailed = bytes, least = 1 } = tap;
  const name = nameIn(tap);
  const key = (more: string): string => `${groupOf(tap)} . ${more}`;
  const set = (suffix: string, more: string): string =>
    `  set ${name}_${suffix} { typeof ${key(more)}; flags dynamic,timeout; size ${messages}; timeout ${seconds}s; }`;
  const add = (suffix: string, more: string): string =>
    `add @${name}_${suffix} { ${key(more)}${suffix === COUNTED ? ' counter' : ''} }`;
  const chunks = Array.from({ length: Math.ceil(bytes / CHUNK) }, (_, index) => index * CHUNK);
  const whole = chunks.filter((at) => at + CHUNK <= bytes);
  const lines = [
    ...(tap.named === true ? [`  counter ${counterOf(tap)} { }`] : []),
    ...HEADS.map(([suffix, more]) => set(suffix, more(tap))),
    ...whole.map((at) => set(`b${at}`, chunk(tap, at))),
    ...TAILS.map((size) => set(`t${size}`, raw(tap, 0, size))),
    ...(transport === 'tcp' ? [set('ack', ACK)] : []),
  ];
  const rules = [
    `counter ${tap.named === true ? `name "${counterOf(tap)}" ` : ''}${HEADS.map(([suffix, more]) => add(suffix, more(tap))).join(' ')}`,
    ...whole.map((at) => add(`b${at}`, chunk(tap, at))),
  ];
  if (transport === 'tcp') rules.push(add('ack', ACK));
  // By the length of a payload to the chain for what stands behind its last whole chunk.
  const { start } = BASE[transport];
  const ending = chunks.filter((at) => at < tailed);
  const lengths = LENGTHS[transport][family].slice(0, begins.length > 0 ? undefined : 1); // a test writes its headers itself
  for (const [nth, [length, over]] of lengths.entries()) {
    const chainOf = (at: number): string => `${name}_e${nth === 0 ? '' : 'o'}${at}`;
    for (const at of ending) {
      const tails = TAILS.filter((size) => size >= least).flatMap((size) =>
        Array.from({ length: CHUNK / size / 2 }, (_, index) => index * 2 * size).flatMap((from) => {
          if (at + from + size > bytes || (limits.bytes <= NARROW && start + at + from > LAST_OFFSET)) return [];
          const first = over + at + from + size;
          const range = size === 1 ? `${first}` : `${first}-${first + size - 1}`;
          return [`    ${length} ${range} ${add(`t${size}`, raw(tap, at + from, size))}`];
        }),
      );
      lines.push(`  chain ${chainOf(at)} {`, ...tails, '  }');
    }
    const ends = ending.map((at) => `${over + at + 1}-${over + at + CHUNK - 1} : jump ${chainOf(at)}`);
    if (ends.length > 0) rules.push(`${length} vmap { ${ends.join(', ')} }`);
  }
  if (drop) rules.push('counter drop');
  const version = family === 'ip' ? `meta protocol ip ip protocol ${transport}` : `meta protocol ip6 ip6 nexthdr ${transport}`;
  // Of a packet without payload there is nothing to load, and the rule ends there.
  const first = transport === 'tcp' && begins.length > 0 ? ` @ih,0,32 { ${begins.map(wordOf).join(', ')} }` : '';
  lines.push(
    `  chain ${name}_r {`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
    `  chain ${name} {`,
    `    type filter hook ${hook} device "${device}" priority ${priority}; policy accept;`,
    ...matches.map((match) => `    ${version} ${match}${first} goto ${name}_r`),
    '  }',
  );
  return lines;
}

/**
 * The script for `nft -f` that makes the table, in one transaction.
 * @param table name of a table of family netdev, of this run alone
 * @param more  further lines of that table, chains of its maker's
 * @throws Refused where a tap cannot be written as nft
 */
export const recordingScript = (table: string, taps: readonly Tap[], limits: Limits, more: readonly string[] = []): string =>
  [`table netdev ${table} {`, ...taps.flatMap((tap) => tapText(tap, limits)), ...more, '}', ''].join('\n');
