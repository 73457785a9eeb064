/**
 * SIP requests from the internet: told from what is none, counted by method and source, and limited.
 *
 * Over UDP a datagram to a port of SIP is a request unless it is something else: a reply (RFC 3261 §7.2), a keep-alive (CRLFs,
 * RFC 5626 §3.5.1; zeros; STUN, whose first byte is below any character) or too short to be answered. So no method, letter case or
 * CRLF before the first line (which §7.5 has receivers ignore) passes by. At other ports a request is known by its first letters.
 */
import { FIRST_KNOWN, METHODS, ONCE, REMEMBERED } from '../../own.ts';
import type { Method } from '../../own.ts';
import { ratesOf } from '../../rules.ts';
import type { Voice } from '../../rules.ts';
import type { Limit } from '../../../wish/wish.ts';
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
import { begins, each, FAMILIES, portMatch, portTest } from './writer.ts';
import type { FamilyNames, Writer } from './writer.ts';

/**
 * Most sources that are told apart, in each family; those beyond share one allowance and are counted, not listed. The kernel makes
 * room for all of them when a set is declared (nft_set_hash.c, nelem_hint: 16 bytes each and more), so the rest has fewer.
 */
export const MOST_SOURCES = 4096;
export const MOST_LISTED = 1024;

/** How long it is kept when a source was first seen, seconds: not as long as the set would. */
const FIRST_KEPT = 172_800;
/** In any letter case: no method may hold a slash, so what begins like this is a reply. */
const REPLY = (at: number): string => `@th,${64 + 8 * at},32 & 0xdfdfdfff == 0x5349502f`;
const LINE_END = (at: number): string => `@th,${64 + 8 * at},16 0x0d0a`;
/** Both ends of a flow of the internet's: where a request comes from, and where its answer goes to. */
const from = ({ ip }: FamilyNames): string => `${ip} saddr . udp sport`;
const to = ({ ip }: FamilyNames): string => `${ip} daddr . udp dport`;
/** A source as the sets of sources hold it, where an answer goes to it. */
const target = ({ source }: FamilyNames): string => source.replace('saddr', 'daddr');

const knownAt = (at: number): string[] => KNOWN.map((method) => `${begins(`${method.toUpperCase()} `, at)} goto from_${method}`);

/** What others behind the address of somebody registered share, whatever the method: per minute. */
const officeRate = ({ register }: NonNullable<Limit>): number => register * MORE;

function declareSets(writer: Writer, limit: NonNullable<Limit>, { timeouts }: Voice): void {
  const rates = ratesOf(limit);
  writer.dynamic('unsure', 'inet_proto', INVITE_TRANSACTION, 4);
  for (const { number, type } of FAMILIES) {
    const peers = (name: string, seconds: number, most = MOST_LISTED): void =>
      writer.dynamic(`${name}${number}`, `${type} . inet_service`, seconds, most);
    const sources = (name: string, seconds: number, most = MOST_LISTED): void => writer.dynamic(name, type, seconds, most);
    peers('calls', timeouts.signallingReplied, MOST_SOURCES);
    writer.dynamic(`ringing${number}_${limit.invite * MORE}`, `${type} . inet_service`, 60, MOST_LISTED);
    peers('registering', TRANSACTION);
    peers('challenged', TRANSACTION);
    peers('asking', AT_ONCE);
    peers('inviting', INVITE_TRANSACTION);
    peers('registered', REGISTERED);
    peers('renewing', TRANSACTION);
    sources(`returned${number}`, RETURNED);
    sources(`offices${number}`, REGISTERED);
    sources(`office${number}_${officeRate(limit)}`, 60);
    sources(`kilobytes${number}_${limit.kilobytes}`, 60);
    sources(`first${number}`, FIRST_KNOWN, MOST_SOURCES);
    sources(`once${number}`, ONCE, MOST_SOURCES);
    sources(`lately${number}`, 60, MOST_SOURCES);
    for (const method of METHODS) {
      // The rate is in the name: an element keeps the limit it was made with. After a minute without a request its
      // allowance is whole again.
      sources(`${method}${number}_${rates[method]}`, 60, MOST_SOURCES);
      sources(`single_${method}${number}`, ONCE);
      for (const what of ['seen', 'dropped']) sources(`${what}_${method}${number}`, REMEMBERED);
    }
  }
}

/** Who is never limited; a packet of theirs goes on to be marked. */
const exempt = each(({ ip, number }) => ['signalling', 'media', 'sites'].map((set) => `${ip} saddr @${set}${number} return`));

/** What a peer that is known already may do, by method, before it is asked who it is. */
function spared(method: Method, invite: number): string[] {
  const registered = each((family) => {
    const peer = `${from(family)} @registered${family.number}`;
    // The answer says whether it still is.
    return [...(method === 'register' ? [`${peer} update @renewing${family.number} { ${from(family)} } return`] : []), `${peer} return`];
  });
  if (method === 'register') {
    return [
      ...registered,
      // REGISTER, 401, REGISTER: the second is part of the first; seen, and not limited. Once for each source and a while, for from then on
      // it is somebody registered, or somebody who guesses.
      ...each((family) => {
        const { number, source } = family;
        const once = `${source} != @returned${number} update @returned${number} { ${source} }`;
        return `${from(family)} @challenged${number} ${once} goto back_register`;
      }),
    ];
  }
  return [
    ...registered,
    // What rings or is up is no way round the limit: not for other requests, and not for any number of calls.
    ...(method === 'invite'
      ? each((family) => {
          const { number } = family;
          const peer = from(family);
          const rate = `limit rate ${invite * MORE}/minute burst ${invite * MORE} packets`;
          return `${peer} @calls${number} update @ringing${number}_${invite * MORE} { ${peer} ${rate} } return`;
        })
      : []),
    ...(method === 'other' ? each((family) => `${from(family)} @calls${family.number} goto of_call`) : []),
  ];
}

/** The chains of a method: `from_` whom, `asked_` one that counts, `again_` not the first, `allowed_`, and `put_` to us or `limited_`. */
function method(writer: Writer, name: Method, limit: NonNullable<Limit>): void {
  const rate = ratesOf(limit)[name];
  const over = `limit rate over ${rate}/minute burst ${rate} packets`;
  writer.chain(`limited_${name}`, [
    ...each(({ number, source }) => `update @dropped_${name}${number} { ${source} counter }`),
    `${writer.counter(`limited_${name}`)} drop`,
  ]);
  if (name !== 'tcp') {
    const asks = name === 'register' ? 'registering' : name === 'invite' ? 'inviting' : 'asking';
    const open = each((family) => `update @${asks}${family.number} { ${from(family)} } return`);
    // Who waits for another answer is not learnt as registered by it; where that cannot be remembered, nobody is for a while.
    writer.chain(`put_${name}`, name === 'register' ? open : [...open, 'update @unsure { meta l4proto }']);
  }
  const put = name === 'tcp' ? 'return' : `goto put_${name}`;
  writer.chain(`allowed_${name}`, [
    ...each(({ number, source }) => [
      `update @lately${number} { ${source} }`,
      `update @${name}${number}_${rate} { ${source} ${over} } goto limited_${name}`,
      // Asked of a set without limits: looking an element up spends of the limit it holds (nft_lookup.c, nft_set_elem_update_expr).
      // Whoever is in here was not too many for the other.
      `${source} @lately${number} ${put}`,
    ]),
    // Only where the sets are full.
    `${over} goto limited_${name}`,
    ...(name === 'tcp' ? [] : [put]),
  ]);
  writer.chain(`again_${name}`, [
    ...each(({ number, source }) => [
      `add @first${number} { ${source} timeout ${FIRST_KEPT}s }`,
      `update @seen_${name}${number} { ${source} counter }`,
    ]),
    `goto allowed_${name}`,
  ]);
  const office = officeRate(limit);
  writer.chain(`asked_${name}`, [
    // Others behind an address from which somebody is registered: a branch office, or everybody behind that provider's translation.
    ...each(({ number, source }) => {
      const more = `limit rate ${office}/minute burst ${office} packets`;
      return `${source} @offices${number} update @office${number}_${office} { ${source} ${more} } ${put}`;
    }),
    writer.counter(`attempts_${name}`),
    ...each(({ number, source }) => [
      `${source} @first${number} goto again_${name}`,
      `${source} @once${number} goto again_${name}`,
      `update @single_${name}${number} { ${source} counter }`,
      `update @once${number} { ${source} }`,
    ]),
    `goto allowed_${name}`,
  ]);
  if (name === 'register') {
    writer.chain('back_register', [
      writer.counter('attempts_register'),
      ...each(({ number, source }) => `update @seen_register${number} { ${source} counter }`),
      'goto put_register',
    ]);
  }
  // Of TCP everything has been asked already.
  if (name !== 'tcp') writer.chain(`from_${name}`, [...exempt, ...spared(name, limit.invite), `goto asked_${name}`]);
}

/** What comes back from behind us: a call that rings, a challenge, a registration. */
function answers(writer: Writer): void {
  // Only of who asked for nothing else can it be told that this is what was granted.
  const granted = each((family) => {
    const { number } = family;
    const peer = to(family);
    const nothing = ['asking', 'inviting', 'calls'].map((set) => ` ${peer} != @${set}${number}`).join('');
    return `${peer} @registering${number}${nothing} goto granted`;
  });
  writer.chain(
    'granted',
    each((family) => [`update @registered${family.number} { ${to(family)} }`, `update @offices${family.number} { ${target(family)} }`]),
  );
  writer.chain('accepted', [
    ...each((family) => {
      const { number } = family;
      const peer = to(family);
      return [
        `${peer} @calls${number} update @calls${number} { ${peer} }`,
        // A call that was taken without ringing: its ACK and BYE are no attempts.
        `${peer} @inviting${number} ${peer} != @asking${number} ${peer} != @registering${number} update @calls${number} { ${peer} }`,
      ];
    }),
    `${begins('00 ', 9)} goto registrations`,
  ]);
  writer.chain('registrations', [
    ...each((family) => `${to(family)} @renewing${family.number} goto granted`),
    'meta l4proto @unsure return',
    ...granted,
  ]);
  writer.chain(
    'challenges',
    each((family) => `${to(family)} @registering${family.number} update @challenged${family.number} { ${to(family)} }`),
  );
  // Looked at where an answer leaves for the internet.
  writer.chain('answers', [
    ...each((family) => `${begins('SIP/2.0 18')} update @calls${family.number} { ${to(family)} }`),
    `${begins('SIP/2.0 2')} goto accepted`,
    ...['401', '407'].map((code) => `${begins(`SIP/2.0 ${code}`)} goto challenges`),
  ]);
}

/** The limit's sets and chains; packets from the internet are put to `outside`, what was dialled elsewhere to `elsewhere`. */
export function limits(writer: Writer, limit: NonNullable<Limit>, voice: Voice): void {
  const all = [...voice.ports, ...voice.tlsPorts];
  declareSets(writer, limit, voice);
  for (const name of METHODS) method(writer, name, limit);
  writer.chain('of_call', [...OF_CALL.map((name) => `${begins(`${name} `)} return`), 'goto asked_other']);
  writer.chain('limited_kilobytes', [`${writer.counter('limited_kilobytes')} drop`]);
  writer.chain('connections', [
    ...exempt,
    'ct state new goto asked_tcp',
    ...each(
      ({ number, source }) =>
        `update @kilobytes${number}_${limit.kilobytes} { ${source} limit rate over ${limit.kilobytes} kbytes/second ` +
        `burst ${limit.kilobytes * TCP_BURST} kbytes } goto limited_kilobytes`,
    ),
  ]);
  // A line's end before a request: once, twice, and beyond that whatever comes is some request.
  for (const at of [4, 2]) {
    writer.chain(`line${at}`, [
      ...(at === 2 ? [`${LINE_END(2)} goto line4`] : []),
      `${REPLY(at)} return`,
      ...knownAt(at),
      'goto from_other',
    ]);
  }
  writer.chain('internet', [
    'meta l4proto tcp goto connections',
    `${REPLY(0)} return`,
    `udp length < ${SHORTEST} return`,
    ...knownAt(0),
    `${LINE_END(0)} goto line2`,
    '@th,64,8 < 9 return',
    '@th,64,8 > 126 return',
    // DTLS (RFC 6347 §4.1): its version, where a method has a letter.
    '@th,72,8 0xfe return',
    'goto from_other',
  ]);
  // No port of SIP: three letters to begin with, and `sip:` or `sips:` behind the method.
  const methods = (at: number): string[] =>
    Array.from({ length: LONGEST_METHOD - 2 }, (_, nth) => `@th,${64 + 8 * (at + nth + 3)},32 & 0xffdfdfdf == 0x20534950 goto from_other`);
  writer.chain('letters', [...knownAt(0), ...methods(0)]);
  writer.chain('line', [...knownAt(2), ...knownAt(4), ...methods(2)]);
  writer.chain('elsewhere', [
    `meta l4proto tcp ct original proto-dst ${portMatch(all)} goto connections`,
    'meta l4proto != udp return',
    `meta l4proto udp ct original proto-dst ${portMatch(all)} goto internet`,
    '@th,64,32 & 0xc0c0c000 == 0x40404000 goto letters',
    `${LINE_END(0)} goto line`,
  ]);
  // What no flow is kept of has no direction, and is limited as well.
  writer.chain('outside', [
    'ct direction reply return',
    `${portTest('dport', all)} meta l4proto { tcp, udp } goto internet`,
    'goto elsewhere',
  ]);
  answers(writer);
}
