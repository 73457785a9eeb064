/**
 * The voice rules as chains of iptables, for routers with fw3: the same wish as
 * nft/table.ts. All of it stands in table mangle: before the destination is translated,
 * and after conntrack knows the flow. One rule of another table keeps marked
 * voice out of flow offload, where that is on.
 *
 * A packet meets the cheapest test first; prefixes are looked up for those alone
 * that look like a new request or like RTP already. Nothing here ends with
 * ACCEPT in mangle: the rules of others behind ours still see every packet.
 */
import { quoteArgument } from '../../../languages/iptables/arguments.ts';
import { hash } from '../../digest.ts';
import type { Jump } from '../../facts.ts';
import { digit, LIMIT_EXPIRES, OURS } from '../../own.ts';
import type { Family, Method } from '../../own.ts';
import { ratesOf } from '../../rules.ts';
import type { Voice } from '../../rules.ts';
import { keptMarks } from '../offload.ts';
import { prefixChains } from './prefixes.ts';

/** Which matches and targets are to be had, by name; `set` stands for ipset, its match and its target. */
export type Extensions = Readonly<Record<string, boolean>>;

/** What is ours of a table. Rules as iptables-restore takes them, after `-A CHAIN `. */
export interface Table {
  name: 'mangle' | 'filter';
  chains: Record<string, string[]>;
  jumps: Jump[];
}

/** A day: how long a phone is remembered after its last message, seconds. */
const DAY = 86_400;

/** Bytes of the first words of a request, four and (masked) three or four more. */
const METHODS = {
  register: { first: '0x52454749', rest: '=0x53544552' },
  invite: { first: '0x494e5649', rest: '>>0x8=0x544520' },
  options: { first: '0x4f505449', rest: '=0x4f4e5320' },
} as const;

/**
 * Where a byte of a UDP packet's payload is (xt_u32.c), in iptables' own spelling, by which a jump is known again; behind IPv6's
 * own header, for one without extension headers.
 */
const byte = (family: Family, at: number): string =>
  family === 'ipv4' ? `0x0>>0x16&0x3c@0x${(8 + at).toString(16)}` : `0x${(48 + at).toString(16)}`;
const u32 = (...tests: string[]): string => `-m u32 --u32 "${tests.join('&&')}"`;

/** Lists of ports as multiport takes them: 15 at most. */
function ports(which: '--ports' | '--dports', list: readonly number[]): string[] {
  const sorted = [...new Set(list)].sort((one, other) => one - other);
  return Array.from(
    { length: Math.ceil(sorted.length / 15) },
    (_, nth) => `-m multiport ${which} ${sorted.slice(nth * 15, nth * 15 + 15).join(',')}`,
  );
}

/** What remembers addresses: ipset where there is one, else the last hundred of the match `recent`. */
function memory(
  name: string,
  has: Extensions,
  seconds: number,
  both = '',
): { learn(end: 'src' | 'dst'): string; knows(end: 'src' | 'dst'): string } {
  const side = { src: '--rsource', dst: '--rdest' };
  const ends = (end: string): string => (both === '' ? end : `${end},${end}`);
  return has['set']
    ? {
        learn: (end) => `-j SET --add-set ${name} ${ends(end)} --exist --timeout ${seconds}`,
        knows: (end) => `-m set --match-set ${name} ${ends(end)}`,
      }
    : {
        learn: (end) => `-m recent --set --name ${name} ${side[end]}`,
        knows: (end) => `-m recent --rcheck --seconds ${seconds} --name ${name} ${side[end]}`,
      };
}

/** hashlimit holds on to the rate a table was made with, so its name carries the rate (15 characters at most). */
export const limitName = (method: Method, rate: number): string => `${OURS}${method[0]}${rate}`;

/** Who has one IPv6 address has 2^64 of them. */
const SOURCE = { ipv4: { bits: 32, mask: '255.255.255.255' }, ipv6: { bits: 64, mask: 'ffff:ffff:ffff:ffff::' } };

/** What comes from the internet, and what of it is a request of somebody unknown. */
function limits(voice: Voice, family: Family, has: Extensions, table: Table, comment: string): void {
  const { limit } = voice;
  if (limit === null || voice.wan.length === 0 || !(has['hashlimit'] || has['recent'])) return;
  const remembers = has['set'] || has['recent'];
  const n = digit(family);
  const calls = memory(`${OURS}calls${n}`, has, voice.timeouts.signallingReplied, 'ip,port');
  const rates = ratesOf(limit);
  const { chains, jumps } = table;
  // Without a memory for calls only what opens a flow is looked at: a call is never limited.
  const begun = remembers ? '--ctdir ORIGINAL' : '--ctstate NEW';
  for (const wan of voice.wan.map(quoteArgument)) {
    if (has['u32']) jumps.push({ chain: 'PREROUTING', rule: `-i ${wan} -p udp -m conntrack ${begun}${comment} -j ${OURS}internet` });
    for (const match of ports('--dports', [...voice.ports, ...voice.tlsPorts])) {
      jumps.push({ chain: 'PREROUTING', rule: `-i ${wan} -p tcp ${match} -m conntrack --ctstate NEW${comment} -j ${OURS}request` });
    }
  }
  if (has['u32'])
    chains[`${OURS}internet`] = [
      `${u32(
        `${byte(family, 0)}=${Object.values(METHODS)
          .map(({ first }) => first)
          .join(',')}`,
      )} -g ${OURS}request`,
    ];
  const unknown = `-g ${OURS}unknown`;
  const request: string[] = (chains[`${OURS}request`] = []);
  if (has['set']) request.push(...['signalling', 'media'].map((name) => `-m set --match-set ${OURS}${name}${n} src -j RETURN`), unknown);
  else {
    prefixChains(chains, 'p', [...voice.signalling[family], ...voice.media[family]], '-s', '-j RETURN', unknown);
    request.push(chains[`${OURS}p0`] === undefined ? unknown : `-g ${OURS}p0`);
  }
  chains[`${OURS}unknown`] = [
    `-p tcp -g ${OURS}attempts_tcp`,
    ...(remembers && has['u32'] ? [`${calls.knows('src')} -g ${OURS}call`] : []),
    ...(has['u32']
      ? Object.entries(METHODS).map(
          ([method, { first, rest }]) => `${u32(`${byte(family, 0)}=${first}`, `${byte(family, 4)}${rest}`)} -g ${OURS}attempts_${method}`,
        )
      : []),
  ];
  for (const [method, rate] of Object.entries(rates) as [Method, number][]) {
    if (method !== 'tcp' && !has['u32']) continue;
    const notes = (name: string): string =>
      has['recent'] ? `-m recent --set --name ${OURS}${name}${n} --mask ${SOURCE[family].mask} --rsource` : '';
    // A rule without a target counts, and lets pass.
    const chain: string[] = (chains[`${OURS}attempts_${method}`] = [notes(method)]);
    if (!has['hashlimit']) continue;
    // A table that is full drops what a new stranger asks until others have left it, for two minutes at most; providers and calls
    // never come here.
    chain.push(
      `-m hashlimit --hashlimit-above ${rate}/minute --hashlimit-burst ${Math.min(rate, 10_000)} --hashlimit-mode srcip`
        + ` --hashlimit-srcmask ${SOURCE[family].bits} --hashlimit-name ${limitName(method, rate)} --hashlimit-htable-size 1024`
        + ` --hashlimit-htable-max 8192 --hashlimit-htable-expire ${LIMIT_EXPIRES}000 -g ${OURS}limited_${method}`,
    );
    chains[`${OURS}limited_${method}`] = [`${notes(`limited_${method}`)} -j DROP`.trim()];
  }
  if (!remembers || !has['u32']) return;
  // Something behind us let it ring: from then on it is a call.
  chains[`${OURS}call`] = [calls.learn('src')];
  chains[`${OURS}answers`] = [
    `${u32(`${byte(family, 0)}=0x5349502f`, `${byte(family, 4)}=0x322e3020`, `${byte(family, 8)}>>0x10=0x3138`)} ${calls.learn('dst')}`,
  ];
  for (const chain of ['FORWARD', 'OUTPUT']) {
    for (const wan of voice.wan.map(quoteArgument))
      jumps.push({ chain, rule: `-o ${wan} -p udp -m conntrack --ctdir REPLY${comment} -j ${OURS}answers` });
  }
}

/** Voice in both directions. What goes to the WAN still has its address from behind the router here. */
function marks(voice: Voice, family: Family, has: Extensions, table: Table, comment: string): void {
  const { marking } = voice;
  if (marking === null || !has['DSCP'] || !(has['dscp'] || marking.overwrite)) return;
  const { chains, jumps } = table;
  const n = digit(family);
  const learns = (has['set'] || has['recent']) && has['u32'];
  const phones = memory(`${OURS}phones${n}`, has, DAY);
  const media = `-g ${OURS}voice_media`;
  const version = has['u32'] ? ` ${u32(`${byte(family, 0)}>>0x1e=0x2`)}` : '';
  for (const chain of ['FORWARD', 'OUTPUT']) {
    // Straight to where it leads: most packets are no voice, and a jump and the way back cost each of them.
    for (const match of ports('--ports', voice.ports)) jumps.push({ chain, rule: `-p udp ${match}${comment} -j ${OURS}signalling` });
    // Version 2 (RFC 3550, section 5.1); below 1024 no phone sends audio.
    jumps.push({
      chain,
      rule: `-p udp -m udp --sport 1024:65535 --dport 1024:65535${version}${comment} -j ${OURS}rtp`,
    });
    for (const match of ports('--ports', [...voice.ports, ...voice.tlsPorts]))
      jumps.push({ chain, rule: `-p tcp ${match}${comment} -j ${OURS}signalling` });
  }
  chains[`${OURS}signalling`] = [
    // Who speaks SIP to the internet is a phone; never learnt from what arrives.
    ...(learns
      ? voice.wan
          .map(quoteArgument)
          .flatMap((wan) => [
            `-o ${wan} -m conntrack --ctdir ORIGINAL ${phones.learn('src')}`,
            ...(has['set']
              ? [`-o ${wan} -m conntrack --ctdir REPLY -m set --match-set ${OURS}signalling${n} dst ${phones.learn('src')}`]
              : []),
          ])
      : []),
    `-g ${OURS}voice_signalling`,
  ];
  const rtp: string[] = (chains[`${OURS}rtp`] = learns ? [`${phones.knows('src')} ${media}`, `${phones.knows('dst')} ${media}`] : []);
  if (has['set']) rtp.push(...['src', 'dst'].map((end) => `-m set --match-set ${OURS}media${n} ${end} ${media}`));
  else {
    for (const [base, flag] of [
      ['s', '-s'],
      ['d', '-d'],
    ] as const) {
      prefixChains(chains, base, voice.media[family], flag, media, null);
      if (chains[`${OURS}${base}0`] !== undefined) rtp.push(`-j ${OURS}${base}0`);
    }
  }
  setMark(voice, family, chains, 'signalling');
  setMark(voice, family, chains, 'media');
}

/** Counts, and marks what no phone has marked by itself, unless that is to be overwritten. */
function setMark(voice: Voice, family: Family, chains: Table['chains'], what: 'media' | 'signalling'): void {
  const marking = voice.marking as NonNullable<Voice['marking']>;
  const { value } = marking[what];
  // A rule without a target counts, and lets pass.
  const counting: string[] = (chains[`${OURS}voice_${what}`] = ['']);
  if (value === 0 && !marking.overwrite) return;
  const rule = `${marking.overwrite ? '' : '-m dscp --dscp 0x00 '}-j DSCP --set-dscp ${hex(value)}`;
  const networks = voice.unmarked[family];
  if (networks.length === 0) return void counting.push(rule);
  // From neither side; each chain of the tree is gone to, so a RETURN leads back to where the packet came from.
  const [from, to, set] = [`${what[0]}f`, `${what[0]}t`, `${OURS}mark_${what}`];
  chains[set] = [rule];
  prefixChains(chains, from, networks, '-s', '-j RETURN', `-g ${OURS}${to}0`);
  prefixChains(chains, to, networks, '-d', '-j RETURN', `-g ${set}`);
  counting.push(`-g ${OURS}${from}0`);
}

const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;

/**
 * What is to stand in a family's tables; none where nothing is wished that could be had.
 * @param offload flows are offloaded, and marked voice is to be kept out of it
 */
export function iptablesTables(voice: Voice, family: Family, has: Extensions, offload: boolean): Table[] {
  const comment = has['comment'] ? ' -m comment --comment "!sipalg"' : '';
  const mangle: Table = { name: 'mangle', chains: {}, jumps: [] };
  // A "+" would make a name stand for many devices.
  const safe = { ...voice, wan: voice.wan.filter((name) => !name.endsWith('+')) };
  limits(safe, family, has, mangle, comment);
  marks(safe, family, has, mangle, comment);
  if (mangle.jumps.length === 0) return [];
  const text = JSON.stringify([mangle, has['set'] ? [voice.signalling[family], voice.media[family]] : [], offload]);
  mangle.chains[`${OURS}text_${hash(text)}`] = [];
  const kept = keptMarks(voice.marking);
  if (!offload || !has['dscp'] || !has['DSCP'] || kept.length === 0) return [mangle];
  return [
    mangle,
    {
      name: 'filter',
      chains: {
        [`${OURS}keep`]:
          kept === 'any'
            ? ['-m dscp ! --dscp 0x00 -j ACCEPT']
            : kept.map(({ value }) => `-m dscp --dscp ${hex(value)} -j ACCEPT`),
      },
      jumps: [{ chain: 'FORWARD', rule: `-m conntrack --ctstate RELATED,ESTABLISHED${comment} -j ${OURS}keep`, beforeOffload: true }],
    },
  ];
}
