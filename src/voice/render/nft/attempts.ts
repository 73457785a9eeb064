/** Requests from the internet that begin a conversation: counted by method and source, and limited. */
import { FIRST_KNOWN, METHODS, REMEMBERED } from '../../own.ts';
import { ratesOf } from '../../rules.ts';
import type { Voice } from '../../rules.ts';
import type { Limit } from '../../../wish/wish.ts';
import { begins, each, FAMILIES, portMatch } from './writer.ts';
import type { Writer } from './writer.ts';

/** Most sources that are told apart, in each family. Those beyond share one allowance and are counted, not listed. */
export const MOST_SOURCES = 4096;
export const MOST_LISTED = 1024;

export function limits(writer: Writer, limit: NonNullable<Limit>, { ports, tlsPorts, timeouts }: Voice): void {
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
