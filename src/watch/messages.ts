/** A message that was recorded at one side of the router, as a watch hears it. */
import type { PhoneMessage } from '../probe/phones/sightings.ts';
import type { End } from '../probe/record/recorded.ts';
import { identify } from '../languages/sip/identify.ts';
import { placeOf } from './network.ts';
import type { Sighted } from './passage.ts';

const endOf = ({ address, port }: End): string => placeOf(address, port);

/** At the WAN's side the phone is named by where the far end sees it. */
export function sightedOf({ at, inside, fromPhone, transport, recorded, text, whole }: PhoneMessage): Sighted {
  const { from, to, length, id } = recorded;
  const [phone, far] = fromPhone ? [from, to] : [to, from];
  return { at, inside, fromPhone, transport, phone: endOf(phone), far: endOf(far), text, whole, length, id };
}

/** The kernel dates a record by ticks, some milliseconds long. */
const TICK = 20;
/** Milliseconds between the listing of the first tap and of the last one, on a router that is busy. */
const LISTED_WITHIN = 5000;

/** The ACK of a transaction is its last message. */
const ACK_RANK = 1000;

interface Ordered {
  readonly sighted: Sighted;
  at: number;
  readonly branch: string;
  /** The call and who asks in it: numbers of CSeq are counted by each side for itself (RFC 3261 §12.2.1.1). */
  readonly asking: string;
  readonly cseq: number;
  /** 0: a request. */
  readonly rank: number;
}

function orderedOf(sighted: Sighted): Ordered {
  const known = identify(sighted.text);
  const isRequest = known === null || known.method !== null;
  const cseq = Number.parseInt(known?.cseq ?? '', 10);
  return {
    sighted,
    at: sighted.at,
    branch: known?.branch ?? '',
    asking: known?.callId == null || Number.isNaN(cseq) ? '' : `${sighted.inside} ${sighted.fromPhone === isRequest} ${known.callId}`,
    cseq,
    rank: known?.method === 'ACK' ? ACK_RANK : isRequest ? 0 : (known.status ?? 0),
  };
}

/** An answer has its request's branch; the ACK of a call that was answered has one of its own (RFC 3261 §17.1.1.3), and its number. */
const transactionsOf = ({ branch, asking, cseq }: Ordered): string[] => [
  ...(branch === '' ? [] : [branch]),
  ...(asking === '' ? [] : [`${asking} ${cseq}`]),
];

/**
 * What a side asks in a call, and the answers to it, in the order of its numbers. Two listings may date what came together apart: a
 * set that grows while it is listed shows some of it in the next one alone.
 */
function byNumber(sorted: Ordered[]): void {
  const places = new Map<string, number[]>();
  for (const [place, { asking }] of sorted.entries()) {
    if (asking === '') continue;
    const same = places.get(asking);
    if (same === undefined) places.set(asking, [place]);
    else same.push(place);
  }
  for (const own of places.values()) {
    const group = own.map((place) => sorted[place]!);
    for (let index = 1; index < group.length; index++) {
      const one = group[index]!;
      let place = index;
      for (let at = index - 1; at >= 0 && one.at - group[at]!.at < LISTED_WITHIN; at--) if (one.cseq < group[at]!.cseq) place = at;
      if (place < index) group.splice(place, 0, ...group.splice(index, 1));
    }
    for (const [nth, place] of own.entries()) sorted[place] = group[nth]!;
  }
}

/** Whether of two messages of one moment the one that is listed later came first. */
const overtakes = (later: Ordered, before: Ordered): boolean =>
  later.asking !== '' && later.asking === before.asking
    ? later.cseq < before.cseq || (later.cseq === before.cseq && later.rank < before.rank)
    : later.branch === before.branch && later.rank < before.rank;

/**
 * Messages in the order of time. What goes in and what comes out are listed one after the other, so that an answer may seem to be
 * older than its request: it is put behind it, and so is an ACK. Requests of a side go by their numbers, and within a tick answers
 * by theirs.
 */
export function inOrder(messages: readonly Sighted[]): Sighted[] {
  const all = messages.map(orderedOf);
  const requested = new Map<string, number>();
  for (const one of all) {
    if (one.rank !== 0) continue;
    for (const key of transactionsOf(one)) requested.set(key, Math.min(one.at, requested.get(key) ?? Infinity));
  }
  for (const one of all) {
    if (one.rank === 0) continue;
    const request = transactionsOf(one).map((key) => requested.get(key)).find((at) => at !== undefined);
    if (request !== undefined && one.at < request && request - one.at < LISTED_WITHIN) one.at = request;
  }
  const sorted = all.sort((one, other) => one.at - other.at || one.rank - other.rank);
  byNumber(sorted);
  for (let index = 1; index < sorted.length; index++) {
    const one = sorted[index]!;
    // Those of other calls that stand between do not matter.
    let place = index;
    for (let at = index - 1; at >= 0 && one.at - sorted[at]!.at <= TICK; at--) if (overtakes(one, sorted[at]!)) place = at;
    if (place < index) sorted.splice(place, 0, ...sorted.splice(index, 1));
  }
  return sorted.map(({ sighted }) => sighted);
}
