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

/**
 * Messages in the order of time. What goes in and what comes out are listed one after the other, so that an answer may seem to be
 * older than its request: it is put behind it. Within a tick answers go by their number.
 */
export function inOrder(messages: readonly Sighted[]): Sighted[] {
  const all = messages.map((sighted) => {
    const known = identify(sighted.text);
    const isRequest = known === null || known.method !== null;
    return { sighted, at: sighted.at, branch: known?.branch ?? '', rank: isRequest ? 0 : (known.status ?? 0) };
  });
  const requested = new Map<string, number>();
  for (const { at, branch, rank } of all) if (rank === 0 && at < (requested.get(branch) ?? Infinity)) requested.set(branch, at);
  for (const one of all) {
    const request = one.rank === 0 ? undefined : requested.get(one.branch);
    if (request !== undefined && one.at < request && request - one.at < LISTED_WITHIN) one.at = request;
  }
  const sorted = all.sort((one, other) => one.at - other.at || one.rank - other.rank);
  for (let index = 1; index < sorted.length; index++) {
    for (let at = index; at > 0; at--) {
      const [before, one] = [sorted[at - 1]!, sorted[at]!];
      if (one.at - before.at > TICK || before.branch !== one.branch || before.rank <= one.rank) break;
      [sorted[at - 1], sorted[at]] = [one, before];
    }
  }
  return sorted.map(({ sighted }) => sighted);
}
