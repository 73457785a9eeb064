/**
 * SIP requests from the internet as chains of iptables: the same as nft/attempts.ts. They stand before the destination is
 * translated, so a port is the one that was dialled.
 *
 * Without ipset an address is remembered without its port (the match `recent`): what a call or a registration allows is then
 * allowed to the whole address, and is never more than so many times what a stranger may.
 */
import { quoteArgument } from '../../../languages/iptables/arguments.ts';
import { digit, LIMIT_EXPIRES, ONCE, OURS, PEER_SETS } from '../../own.ts';
import type { Family, Method } from '../../own.ts';
import { ratesOf } from '../../rules.ts';
import type { Voice } from '../../rules.ts';
import {
  AT_ONCE,
  INVITE_TRANSACTION,
  KNOWN,
  LONGEST_METHOD,
  MORE,
  OF_CALL,
  REGISTERED,
  RETURNED,
  SHORTEST,
  TCP_BURST,
  TRANSACTION,
} from '../requests.ts';
import { byte, holds, lengthOf, memory, portLists, u32 } from './matching.ts';
import type { Extensions, Memory } from './matching.ts';
import { prefixChains } from './prefixes.ts';
import type { Table } from './tables.ts';

/** What hashlimit's tables are called by. */
const LETTER = { register: 'r', invite: 'i', options: 'o', other: 'x', tcp: 't', call: 'c', office: 'f', kilobytes: 'b' } as const;

/** hashlimit holds on to the rate a table was made with, so its name carries the rate (15 characters at most). */
export const limitName = (what: keyof typeof LETTER, rate: number): string => `${OURS}${LETTER[what]}${rate}`;

/** Who has one IPv6 address has 2^64 of them. */
const SOURCE = { ipv4: { bits: 32, mask: '255.255.255.255' }, ipv6: { bits: 64, mask: 'ffff:ffff:ffff:ffff::' } };

/** Seconds that peers and sources are remembered. */
const MEMORIES = {
  registering: TRANSACTION,
  challenged: TRANSACTION,
  returned: RETURNED,
  asking: AT_ONCE,
  inviting: INVITE_TRANSACTION,
  registered: REGISTERED,
  renewing: TRANSACTION,
  offices: REGISTERED,
  once: ONCE,
} as const satisfies Partial<Record<keyof typeof PEER_SETS, number>>;

/** What the rules of one family are made from. */
interface Making {
  voice: Voice;
  limit: NonNullable<Voice['limit']>;
  family: Family;
  has: Extensions;
  chains: Table['chains'];
  /** Something remembers addresses. */
  remembers: boolean;
  calls: Memory;
  known: Record<keyof typeof MEMORIES, Memory>;
}

function makingOf(voice: Voice, limit: Making['limit'], family: Family, has: Extensions, { chains }: Table): Making {
  const n = digit(family);
  const known = (Object.keys(MEMORIES) as (keyof typeof MEMORIES)[]).map((name) => [
    name,
    memory(`${name}${n}`, has, MEMORIES[name], PEER_SETS[name] === 'ip,port'),
  ]);
  return {
    voice,
    limit,
    family,
    has,
    chains,
    remembers: has['set'] === true || has['recent'] === true,
    calls: memory(`calls${n}`, has, voice.timeouts.signallingReplied, true),
    known: Object.fromEntries(known) as Making['known'],
  };
}

/** hashlimit, by what a source may: `unit` in its own words. */
function hashlimit({ family }: Making, how: 'above' | 'upto', name: string, rate: string, burst: string, mode = 'srcip'): string {
  return (
    `-m hashlimit --hashlimit-${how} ${rate} --hashlimit-burst ${burst} --hashlimit-mode ${mode}` +
    ` --hashlimit-srcmask ${SOURCE[family].bits} --hashlimit-name ${name} --hashlimit-htable-size 1024` +
    ` --hashlimit-htable-max 8192 --hashlimit-htable-expire ${LIMIT_EXPIRES}000`
  );
}

const MOST_BURST = 10_000;
const minute = (making: Making, how: 'above' | 'upto', what: keyof typeof LETTER, rate: number, mode?: string): string =>
  hashlimit(making, how, limitName(what, rate), `${rate}/minute`, `${Math.min(rate, MOST_BURST)}`, mode);

const go = (name: string): string => `-g ${OURS}${name}`;

/** Whether what came to a port of SIP is a request: nothing that is too short, a reply, or no text. */
function sipChain({ family, chains }: Making): void {
  const slash = (at: number): string => `${byte(family, at)}&0xdfdfdfff=0x5349502f`;
  chains[`${OURS}sip`] = [
    ...[
      [slash(0)],
      [`${lengthOf(family)}=0x0:${`0x${(SHORTEST - 1).toString(16)}`}`],
      [`${byte(family, 0)}>>0x18=0x0:0x8,0x7f:0xff`],
      // DTLS.
      [`${byte(family, 0)}>>0x10&0xff=0xfe`],
      [...holds(family, 0, '\r\n'), slash(2)],
      [...holds(family, 0, '\r\n\r\n'), slash(4)],
    ].map((tests) => `${u32(...tests)} -j RETURN`),
    go('request'),
  ];
}

const knownAt = (family: Family, at: number, to: (method: Method) => string): string[] =>
  KNOWN.map((method) => `${u32(...holds(family, at, `${method.toUpperCase()} `))} ${to(method)}`);

/** What came to another port, and begins like a request. */
function otherPorts({ family, chains }: Making): void {
  const methods = (from: number): string[] =>
    Array.from(
      { length: LONGEST_METHOD - 2 },
      (_, nth) => `${u32(`${byte(family, from + nth + 3)}&0xffdfdfdf=0x20534950`)} ${go('request')}`,
    );
  const known = (at: number): string[] => knownAt(family, at, () => go('request'));
  chains[`${OURS}letters`] = [...known(0), ...methods(0)];
  chains[`${OURS}line`] = [...known(2), ...known(4), ...methods(2)];
}

/** Who is never limited; all others go on to `unknown`. */
function requestChain({ voice, family, has, chains }: Making): void {
  const n = digit(family);
  const unknown = go('unknown');
  if (has['set']) {
    const sets = ['signalling', 'media', 'sites'].map((name) => `-m set --match-set ${OURS}${name}${n} src -j RETURN`);
    chains[`${OURS}request`] = [...sets, unknown];
    return;
  }
  chains[`${OURS}request`] = [];
  const networks = [...voice.signalling[family], ...voice.media[family], ...voice.sites[family]];
  if (has['recent']) {
    // Noted and asked for at once. Were each end of the tree to lead on, the nft flavour would refuse it: its kernel follows every way
    // through the chains, and none may be longer than 16 (nf_tables_api.c, nft_chain_validate).
    const trusted = memory(`trusted${n}`, has, 2);
    prefixChains(chains, 'p', networks, '-s', trusted.learn('src'), null);
    chains[`${OURS}request`] =
      chains[`${OURS}p0`] === undefined ? [unknown] : [`-j ${OURS}p0`, `${trusted.knows('src')} -j RETURN`, unknown];
    return;
  }
  prefixChains(chains, 'p', networks, '-s', '-j RETURN', unknown);
  chains[`${OURS}request`] = [chains[`${OURS}p0`] === undefined ? unknown : go('p0')];
}

/** Notes a source on a list, with the time. */
const listed = ({ family }: Making, list: string): string =>
  `-m recent --set --name ${OURS}${list}${digit(family)} --mask ${SOURCE[family].mask} --rsource`;

/** What is counted of a method, and limited. */
function method(making: Making, name: Method): void {
  const { limit, has, chains, remembers, known } = making;
  const rate = ratesOf(limit)[name];
  const put = name === 'tcp' || !remembers ? '-j RETURN' : go(`put_${name}`);
  const office = limit.register * MORE;
  if (remembers && has['hashlimit'])
    chains[`${OURS}asked_${name}`] = [
      // Others behind an address from which somebody is registered.
      `${known.offices.knows('src')} ${minute(making, 'upto', 'office', office)} ${put}`,
      go(`attempts_${name}`),
    ];
  // A rule without a target counts, and lets pass. Who asks once is on a list of its own: a flood of addresses that nobody has
  // pushes no other off the one that tells who tried.
  chains[`${OURS}attempts_${name}`] = [
    '',
    ...(has['recent']
      ? [
          `${known.once.knows('src')} ${listed(making, name)}`,
          `${known.once.lacks('src')} ${listed(making, `single_${name}`)}`,
          known.once.learn('src'),
        ]
      : []),
    // A table that is full drops what a new stranger asks until others have left it, for two minutes at most; providers and calls
    // never come here.
    ...(has['hashlimit'] ? [`${minute(making, 'above', name, rate)} ${go(`limited_${name}`)}`] : []),
    ...(put === '-j RETURN' ? [] : [put]),
  ];
  if (has['hashlimit']) chains[`${OURS}limited_${name}`] = [`${has['recent'] ? `${listed(making, `limited_${name}`)} ` : ''}-j DROP`];
  if (put === '-j RETURN') return;
  const asks = name === 'register' ? known.registering : name === 'invite' ? known.inviting : known.asking;
  chains[`${OURS}put_${name}`] = [
    asks.learn('src'),
    // Who waits for another answer is not learnt as registered by it; where that cannot be remembered, nothing is asked.
    ...(name === 'register' || !has['hashlimit'] ? [] : [`${asks.lacks('src')} ${go(`limited_${name}`)}`]),
  ];
}

/** The way of a request of somebody unknown, by its method. */
function unknownChain(making: Making): void {
  const { limit, family, has, chains, remembers, calls, known } = making;
  const asked = (name: Method): string => go(`${remembers && has['hashlimit'] ? 'asked' : 'attempts'}_${name}`);
  const unknown = (chains[`${OURS}unknown`] = [`-p tcp ${go('connections')}`]);
  const connections = (chains[`${OURS}connections`] = [`-m conntrack --ctstate NEW ${asked('tcp')}`]);
  if (has['hashlimit']) {
    const { kilobytes } = limit;
    const rate = hashlimit(making, 'above', limitName('kilobytes', kilobytes), `${kilobytes}kb/s`, `${kilobytes * TCP_BURST}kb`);
    connections.push(`${rate} ${go('limited_kilobytes')}`);
    chains[`${OURS}limited_kilobytes`] = ['-j DROP'];
  }
  if (!has['u32']) return;
  unknown.push(...[0, 2, 4].flatMap((at) => knownAt(family, at, (name) => go(`from_${name}`))), go('from_other'));
  // Only a set knows the port.
  const registered = has['set'] ? [`${known.registered.knows('src')} -j RETURN`] : [];
  if (has['set']) chains[`${OURS}renew`] = [known.renewing.learn('src')];
  if (remembers)
    chains[`${OURS}back`] = [
      ...(has['recent'] ? [listed(making, 'register')] : []),
      known.returned.learn('src'),
      known.registering.learn('src'),
    ];
  chains[`${OURS}from_register`] = [
    // The answer says whether it still is.
    ...(has['set'] ? [`${known.registered.knows('src')} ${go('renew')}`] : []),
    // REGISTER, 401, REGISTER: the second is part of the first, once for each source and a while.
    ...(remembers ? [`${known.challenged.knows('src')} ${known.returned.lacks('src')} ${go('back')}`] : []),
    asked('register'),
  ];
  const ringing = minute(making, 'upto', 'call', limit.invite * MORE, has['set'] ? 'srcip,srcport' : 'srcip');
  chains[`${OURS}from_invite`] = [
    ...registered,
    ...(remembers ? [`${calls.knows('src')} ${has['hashlimit'] ? `${ringing} ` : ''}-j RETURN`] : []),
    asked('invite'),
  ];
  chains[`${OURS}from_options`] = [...registered, asked('options')];
  chains[`${OURS}from_other`] = [...registered, ...(remembers ? [`${calls.knows('src')} ${go('of_call')}`] : []), asked('other')];
  if (remembers) chains[`${OURS}of_call`] = [...OF_CALL.map((name) => `${u32(...holds(family, 0, `${name} `))} -j RETURN`), asked('other')];
}

/** What comes back from behind us: a call that rings, a challenge, a registration. */
function answers({ family, chains, has, calls, known }: Making): void {
  const status = (code: string): string => u32(...holds(family, 0, 'SIP/2.0 '), ...holds(family, 8, code));
  chains[`${OURS}answers`] = [
    `${status('18')} ${calls.learn('dst')}`,
    `${status('200 ')} ${go('accepted')}`,
    ...['401 ', '407 '].map((code) => `${status(code)} ${go('challenges')}`),
  ];
  chains[`${OURS}challenges`] = [`${known.registering.knows('dst')} ${known.challenged.learn('dst')}`];
  // Only of who asked for nothing else can it be told that this is what was granted.
  const nothing = [known.asking, known.inviting, calls].map((one) => one.lacks('dst')).join(' ');
  chains[`${OURS}accepted`] = [
    `${calls.knows('dst')} ${calls.learn('dst')}`,
    // A call that was taken without ringing.
    `${known.inviting.knows('dst')} ${known.asking.lacks('dst')} ${known.registering.lacks('dst')} ${calls.learn('dst')}`,
    ...(has['set'] ? [`${known.renewing.knows('dst')} ${go('granted')}`] : []),
    `${known.registering.knows('dst')} ${nothing} ${go('granted')}`,
  ];
  chains[`${OURS}granted`] = [...(has['set'] ? [known.registered.learn('dst')] : []), known.offices.learn('dst')];
}

/** What comes from the internet, and what of it is a request of somebody unknown. */
export function limits(voice: Voice, family: Family, has: Extensions, table: Table, comment: string): void {
  const { limit } = voice;
  if (limit === null || voice.wan.length === 0 || !(has['hashlimit'] || has['recent'])) return;
  const making = makingOf(voice, limit, family, has, table);
  const { chains, jumps } = table;
  const all = [...voice.ports, ...voice.tlsPorts];
  // Without a memory for calls only what opens a flow is looked at: a call is never limited.
  const begun = making.remembers ? '--ctdir ORIGINAL' : '--ctstate NEW';
  for (const wan of voice.wan.map(quoteArgument)) {
    if (has['u32']) jumps.push({ chain: 'PREROUTING', rule: `-i ${wan} -p udp -m conntrack ${begun}${comment} -j ${OURS}internet` });
    for (const match of portLists('--dports', all))
      jumps.push({ chain: 'PREROUTING', rule: `-i ${wan} -p tcp ${match} -m conntrack --ctdir ORIGINAL${comment} -j ${OURS}request` });
  }
  if (has['u32']) {
    chains[`${OURS}internet`] = [
      `${u32(`${byte(family, 0)}&0xc0c0c000=0x40404000`)} ${go('text')}`,
      `${u32(...holds(family, 0, '\r\n'))} ${go('text')}`,
      ...portLists('--dports', all).map((match) => `-p udp ${match} ${go('sip')}`),
    ];
    chains[`${OURS}text`] = [
      ...portLists('--dports', all).map((match) => `-p udp ${match} ${go('sip')}`),
      `${u32(...holds(family, 0, '\r\n'))} ${go('line')}`,
      go('letters'),
    ];
    sipChain(making);
    otherPorts(making);
  }
  requestChain(making);
  unknownChain(making);
  for (const name of Object.keys(ratesOf(limit)) as Method[]) if (name === 'tcp' || has['u32']) method(making, name);
  if (!making.remembers || !has['u32']) return;
  answers(making);
  for (const chain of ['FORWARD', 'OUTPUT']) {
    for (const wan of voice.wan.map(quoteArgument))
      jumps.push({ chain, rule: `-o ${wan} -p udp -m conntrack --ctdir REPLY${comment} -j ${OURS}answers` });
  }
}
