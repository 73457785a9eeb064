/** A message that was recorded at one side of the router, as a watch hears it. */
import type { PhoneMessage } from '../probe/phones/sightings.ts';
import type { End } from '../probe/record/recorded.ts';
import { identify } from '../languages/sip/identify.ts';
import { latin1 } from '../languages/sip/text.ts';
import { placeOf } from './network.ts';
import type { Sighted } from './passage.ts';

const textOf = ({ address, port }: End): string => placeOf(address, port);

/** At the WAN's side the phone is named by where the far end sees it. */
export function sightedOf({ at, inside, fromPhone, recorded, whole }: PhoneMessage): Sighted {
  const { from, to, bytes, length, id } = recorded;
  const [phone, far] = fromPhone ? [from, to] : [to, from];
  return { at, inside, fromPhone, phone: textOf(phone), far: textOf(far), text: latin1(bytes), whole, length, id };
}

/** The kernel dates a record by its own ticks, some milliseconds long. */
const UNSURE = 20;

/** Messages in the order of time; what came within one tick so that a request is before its answers, and these by their number. */
export function inOrder(messages: readonly Sighted[]): Sighted[] {
  const sorted = messages
    .map((sighted) => {
      const known = identify(sighted.text);
      return { sighted, branch: known?.branch ?? '', rank: known === null || known.method !== null ? 0 : (known.status ?? 0) };
    })
    .sort((one, other) => one.sighted.at - other.sighted.at);
  for (let index = 1; index < sorted.length; index++) {
    for (let at = index; at > 0; at--) {
      const [before, one] = [sorted[at - 1]!, sorted[at]!];
      if (one.sighted.at - before.sighted.at > UNSURE || before.branch !== one.branch || before.rank <= one.rank) break;
      [sorted[at - 1], sorted[at]] = [one, before];
    }
  }
  return sorted.map(({ sighted }) => sighted);
}
