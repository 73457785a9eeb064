/**
 * The voice rules as one nft table of our own, `inet sipalg` (nft(8)). Written for
 * nft 1.0.2 and later. The names of counters and of the sets of sources are an
 * interface: collectors export them.
 *
 * All hooks are at priority -140: after conntrack (-200), for a timeout that is
 * set earlier is silently ignored, and after mangle (-150), whose marks would win
 * otherwise. None is before destination NAT: every packet of the router pays for a hook (1 to 1.5 % of what it costs), so the
 * port that was dialled is asked of the flow.
 */
import { hash } from '../../digest.ts';
import { FIRST_KNOWN, METHODS, REMEMBERED, TABLE, TEXT_CHAIN } from '../../own.ts';
import { ratesOf } from '../../rules.ts';
import type { Voice } from '../../rules.ts';
import type { Prefixes } from '../../../languages/address/prefix-sets.ts';
import type { Limit, Marking } from '../../../wish/wish.ts';

export const PRIORITY = -140;
/** Raised whenever an object of the same name is declared in another way: then the old table goes as a whole. */
export const FORMAT = 1;

/** Most sources that are told apart, in each family. Those beyond share one allowance and are counted, not listed. */
export const MOST_SOURCES = 4096;
export const MOST_LISTED = 1024;
const MOST_PHONES = 1024;

export interface NftText {
  /** A script that replaces the rules in one transaction, from whatever was there. */
  text: string;
  /** The chain whose name says which text is in force. */
  mark: string;
  /** What it declares, as `kind name`. */
  declared: Set<string>;
}

/** ASCII as nft matches it in a payload. */
const bytes = (text: string): string => `0x${[...text].map((char) => char.charCodeAt(0).toString(16)).join('')}`;
/** What a UDP payload begins with: @th counts bits from the UDP header, which has 64. */
const begins = (text: string): string => `@th,64,${text.length * 8} ${bytes(text)}`;
/** RTP and RTCP begin with version 2 (RFC 3550 §5.1); no SIP message, STUN or DTLS packet does. */
const RTP = '@th,64,2 2';

const FAMILIES = [
  { family: 'ipv4', number: 4, ip: 'ip', type: 'ipv4_addr', source: 'ip saddr' },
  // Who has one IPv6 address has 2^64 of them.
  { family: 'ipv6', number: 6, ip: 'ip6', type: 'ipv6_addr', source: 'ip6 saddr & ffff:ffff:ffff:ffff::' },
] as const;

/** Neighbouring ports as ranges: one range is compared, more are looked up. */
export function portMatch(ports: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const port of [...new Set(ports)].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === port - 1) last[1] = port;
    else ranges.push([port, port]);
  }
  const texts = ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  return texts.length === 1 ? (texts[0] as string) : `{ ${texts.join(', ')} }`;
}

/**
 * A port of ours at one side of a packet. Every packet is put to this test: a pair that differs in its last bit, as 5060 and
 * 5061, costs less under a mask than as a range.
 */
function portTest(side: 'sport' | 'dport', ports: readonly number[]): string {
  const [first = 0, second, ...more] = [...new Set(ports)].sort((one, other) => one - other);
  return first % 2 === 0 && second === first + 1 && more.length === 0 ? `th ${side} & 65534 == ${first}` : `th ${side} ${portMatch(ports)}`;
}

function devices(wan: readonly string[]): string {
  const quoted = wan.map((device) => JSON.stringify(device));
  return quoted.length === 1 ? (quoted[0] as string) : `{ ${quoted.join(', ')} }`;
}

/** Lines of the table, by kind and name. */
class Writer {
  readonly declared = new Set<string>();
  private readonly lines: string[] = [];

  private block(kind: string, name: string, body: readonly string[]): void {
    this.declared.add(`${kind} ${name}`);
    this.lines.push(`\t${kind} ${name} {`, ...body.map((line) => `\t\t${line}`), '\t}');
  }

  counter(name: string): string {
    if (!this.declared.has(`counter ${name}`)) this.block('counter', name, []);
    return `counter name "${name}"`;
  }

  timeout(name: string, l3: string, unreplied: number, replied: number): void {
    this.block('ct timeout', name, ['protocol udp', `l3proto ${l3}`, `policy = { unreplied : ${unreplied}, replied : ${replied} }`]);
  }

  /** A set that the rules fill. */
  dynamic(name: string, type: string, seconds: number, size: number): void {
    this.block('set', name, [`type ${type}`, 'flags dynamic,timeout', `timeout ${seconds}s`, `size ${size}`]);
  }

  networks(name: string, type: string, prefixes: readonly string[]): void {
    this.block('set', name, [
      `type ${type}`,
      'flags interval',
      ...(prefixes.length === 0 ? [] : [`elements = { ${prefixes.join(',\n\t\t\t')} }`]),
    ]);
  }

  chain(name: string, rules: readonly string[], hook?: string): void {
    this.block('chain', name, [...(hook === undefined ? [] : [`type filter hook ${hook} priority ${PRIORITY}; policy accept;`]), ...rules]);
  }

  text(): string {
    return this.lines.join('\n');
  }
}

/** For each family the rule that `make` gives. */
function each(make: (family: (typeof FAMILIES)[number]) => string | readonly string[]): string[] {
  return FAMILIES.flatMap(make);
}

/** RTP of a phone or a provider, in either direction, goes to `chain`. */
function media(chain: string): string[] {
  return [
    'udp sport < 1024 return',
    'udp dport < 1024 return',
    ...each(({ ip, number }) =>
      ['phones', 'media'].flatMap((set) => ['saddr', 'daddr'].map((side) => `${ip} ${side} @${set}${number} goto ${chain}`)),
    ),
  ];
}

/** The rules that mark, each in one family. What a phone has marked by itself is left alone, unless it is to be overwritten. */
function marks(marking: NonNullable<Marking>, what: 'media' | 'signalling', unmarked: Prefixes): string[] {
  const { name, value } = marking[what];
  if (value === 0 && !marking.overwrite) return [];
  return each(({ family, ip }) => {
    const networks = unmarked[family];
    const set = networks.length === 1 ? (networks[0] as string) : `{ ${networks.join(', ')} }`;
    const spared = networks.length === 0 ? '' : `${ip} saddr != ${set} ${ip} daddr != ${set} `;
    return `${marking.overwrite ? '' : `${ip} dscp cs0 `}${spared}${ip} dscp set ${name.toLowerCase()}`;
  });
}

function limits(writer: Writer, limit: NonNullable<Limit>, { ports, tlsPorts, timeouts }: Voice): void {
  const rates = ratesOf(limit);
  for (const { number, type } of FAMILIES) {
    writer.dynamic(`calls${number}`, `${type} . inet_service`, timeouts.signallingReplied, MOST_SOURCES);
    writer.dynamic(`first${number}`, type, FIRST_KNOWN, MOST_SOURCES);
    writer.dynamic(`lately${number}`, type, 60, MOST_SOURCES);
    for (const method of METHODS) {
      // The rate is in the name: an element keeps the limit it was made with. After a minute without a request its
      // allowance is whole again.
      writer.dynamic(`${method}${number}_${rates[method]}`, type, 60, MOST_SOURCES);
      for (const what of ['seen', 'dropped']) writer.dynamic(`${what}_${method}${number}`, type, REMEMBERED, MOST_LISTED);
    }
  }
  // Who is never limited; a packet of theirs goes on to be marked.
  const exempt = each(({ ip, number }) => [
    `${ip} saddr @signalling${number} return`,
    `${ip} saddr @media${number} return`,
    `${ip} saddr . udp sport @calls${number} return`,
  ]);
  for (const method of METHODS) {
    const rate = `limit rate over ${rates[method]}/minute burst ${rates[method]} packets`;
    writer.chain(`limited_${method}`, [
      ...each(({ number, source }) => `update @dropped_${method}${number} { ${source} counter }`),
      `${writer.counter(`limited_${method}`)} drop`,
    ]);
    writer.chain(`from_${method}`, [
      ...exempt,
      writer.counter(`attempts_${method}`),
      ...each(({ number, source }) => [
        `add @first${number} { ${source} }`,
        `update @seen_${method}${number} { ${source} counter }`,
        `update @lately${number} { ${source} }`,
        `update @${method}${number}_${rates[method]} { ${source} ${rate} } goto limited_${method}`,
        // Asked of a set without limits: looking an element up spends of the limit it holds (nft_lookup.c, nft_set_elem_update_expr).
        // Whoever is in here was not too many for the other.
        `${source} @lately${number} return`,
      ]),
      // Only where the sets are full.
      `${rate} goto limited_${method}`,
    ]);
  }
  writer.chain('connections', [`meta l4proto tcp ct state new ct original proto-dst ${portMatch([...ports, ...tlsPorts])} goto from_tcp`]);
  writer.chain('internet', [
    'meta l4proto tcp goto connections',
    ...(['register', 'invite', 'options'] as const).map((method) => `${begins(`${method.toUpperCase()} `)} goto from_${method}`),
  ]);
  // What no flow is kept of has no direction, and is limited as well.
  writer.chain('outside', ['ct direction reply return', 'goto internet']);
  // A call that rings or is up: what its other side sends is part of it. Looked at where an answer leaves for the internet.
  writer.chain(
    'answers',
    each(({ ip, number }) => {
      const peer = `${ip} daddr . udp dport`;
      return [
        `${begins('SIP/2.0 18')} update @calls${number} { ${peer} }`,
        `${begins('SIP/2.0 2')} ${peer} @calls${number} update @calls${number} { ${peer} }`,
      ];
    }),
  );
}

/** A way a device may be known without knowing the internet's side: its address is private (RFC 1918, 6598, 4193). */
const PRIVATE = { ipv4: '{ 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 }', ipv6: 'fc00::/7' };

/** @param perFlow whether kernel and nft can give a flow timeouts of its own */
export function renderNft(voice: Voice, perFlow: boolean): NftText {
  const { wan, marking, timeouts } = voice;
  const limit = wan.length > 0 ? voice.limit : null;
  const ports = portMatch([...voice.ports, ...voice.tlsPorts]);
  const writer = new Writer();

  for (const { family, number, type } of FAMILIES) {
    writer.dynamic(`phones${number}`, type, REMEMBERED, MOST_PHONES);
    writer.networks(`media${number}`, type, voice.media[family]);
    writer.networks(`signalling${number}`, type, voice.signalling[family]);
  }

  if (perFlow) {
    const { signallingUnreplied: unreplied, signallingReplied: replied } = timeouts;
    // An exchange that ends within two seconds leaves a flow at its first value (nf_conntrack_proto_udp.c), as REGISTER and its
    // answer do: so a flow that does not come from the internet is given the second one from the start.
    const chainOf = (name: string, object: string, first: number, second: number, before: readonly string[] = []): void => {
      for (const { number, ip } of FAMILIES) writer.timeout(`${object.replace('#', `${number}`)}`, ip, first, second);
      writer.chain(name, [
        ...before,
        ...each(({ number, family }) => `meta nfproto ${family} ct timeout set "${object.replace('#', `${number}`)}"`),
      ]);
    };
    const shorter = wan.length > 0 && unreplied < replied;
    if (shorter) chainOf('timeout_unanswered', `signalling#_${unreplied}_${replied}`, unreplied, replied);
    chainOf(
      'timeout_signalling',
      `signalling#_${replied}`,
      replied,
      replied,
      shorter ? [`iifname ${devices(wan)} goto timeout_unanswered`] : [],
    );
    chainOf('timeout_media', `media#_${timeouts.media}`, timeouts.media, timeouts.media);
    writer.chain('media_flows', media('timeout_media'));
    writer.chain('flows', [
      `meta l4proto udp ct original proto-dst ${ports} goto timeout_signalling`,
      `udp sport ${ports} goto timeout_signalling`,
      `${RTP} goto media_flows`,
    ]);
  }

  if (limit !== null) limits(writer, limit, voice);

  // Who speaks SIP to the internet is a phone. Never learnt from what arrives: from flows of its own, and from answers to a provider.
  const learn = each(({ ip, family, number }) => [
    `ct direction original ${wan.length > 0 ? '' : `${ip} saddr ${PRIVATE[family]} `}update @phones${number} { ${ip} saddr }`,
    `ct direction reply ${ip} daddr @signalling${number} update @phones${number} { ${ip} saddr }`,
  ]);
  const plain = `th dport ${portMatch(voice.ports)} ct direction original ${writer.counter('plain_signalling')}`;
  writer.chain('leaving', [plain, ...learn, ...(limit === null ? [] : ['ct direction reply meta l4proto udp goto answers'])]);
  const mark = (what: 'media' | 'signalling'): string[] =>
    marking === null ? [] : [writer.counter(`voice_${what}`), ...marks(marking, what, voice.unmarked)];
  const begun = (chain: string): string[] => (perFlow ? [`ct state new meta l4proto udp jump ${chain}`] : []);
  const outside = limit === null ? [] : [`iifname ${devices(wan)} jump outside`];
  writer.chain('signalling', [
    ...outside,
    ...begun('timeout_signalling'),
    ...mark('signalling'),
    wan.length > 0 ? `oifname ${devices(wan)} goto leaving` : 'goto leaving',
  ]);
  // What every packet is put to is as little as can be: each word of these rules costs them all. Whether a flow is new is
  // asked of voice alone; an answer to what was begun here, the most of what arrives, is let go by at once.
  const all = [...voice.ports, ...voice.tlsPorts];
  const passing = (['dport', 'sport'] as const).map((side) => `${portTest(side, all)} meta l4proto { tcp, udp } goto signalling`);
  if (marking !== null) {
    writer.chain('mark_media', mark('media'));
    writer.chain('media_marks', [...begun('media_flows'), ...media('mark_media')]);
  }
  if (marking !== null || perFlow) passing.push(`${RTP} meta l4proto udp goto ${marking === null ? 'media_flows' : 'media_marks'}`);
  // To a port that was translated on the way, or is none of SIP's.
  const dialled = [...begun('flows'), ...(limit === null ? [] : ['goto internet'])];
  const arriving = wan.length > 0 && dialled.length > 0 ? [`ct direction original iifname ${devices(wan)} goto dialled`] : [];
  if (arriving.length > 0) writer.chain('dialled', dialled);
  if (perFlow || limit !== null) writer.chain('incoming', [...begun('flows'), ...outside], 'input');
  writer.chain('forwarded', [...passing, ...arriving], 'forward');
  writer.chain('outgoing', passing, 'output');

  const body = writer.text();
  const name = `${TEXT_CHAIN}${FORMAT}_${hash(body)}`;
  writer.chain(name, []);
  return {
    text: `table ${TABLE} {\n}\nflush table ${TABLE}\ntable ${TABLE} {\n${writer.text()}\n}\n`,
    mark: name,
    declared: writer.declared,
  };
}
