/** What is different in a message between the two sides: the shape, and the names of what did it. */
import type { Piece } from '../languages/sip/text.ts';

/**
 * Who changed it. Address translation changes no byte of a message, so what differs between the two sides of a router is
 * an ALG's, unless it is what a SIP server adds (RFC 3261 §16.6, RFC 3581): then a server stands between the captures.
 */
export type Cause = 'alg' | 'server';

export type Change =
  /** The address, or address and port, of the phone's flow on one side became that of the other side. */
  | 'translated'
  | 'port'
  | 'added'
  | 'removed'
  /** Fields, members or lines stand in another order. */
  | 'reordered'
  /** A name written otherwise: case, compact form. */
  | 'respelled'
  /** Blanks, folds, quotes, line ends; nothing of the meaning. */
  | 'layout'
  /** Content-Length: right before and behind it; wrong before and right behind; right before and wrong behind. */
  | 'length'
  | 'length-corrected'
  | 'length-wrong'
  /** The end of the message is missing. */
  | 'cut'
  | 'value';

/** What a line of the header is called that has no name. */
export const NO_FIELD = 'Line that is no field';

export interface Difference {
  /** `Request-URI`, `Via`, `SDP c=`, `Content-Length`, … as people call it. */
  readonly field: string;
  /** Which of several, from 1: the top Via is 1. For lines of SDP: the medium, 0 before the first. */
  readonly at: number;
  /** `sent-by`, `;received`, `URI host`, `address`; '' for all of it. */
  readonly part: string;
  readonly change: Change;
  readonly cause: Cause;
  /** As it was before, in the direction of travel; null where it was not there. Spans are bytes of the message. */
  readonly before: Piece | null;
  readonly after: Piece | null;
}

/** The smallest named part of a message. */
export interface Slot extends Piece {
  readonly part: string;
}

/** One value of a field that may stand there several times, or a line of a session description. */
export interface Unit {
  readonly field: string;
  readonly at: number;
  /** All of it. */
  readonly whole: Piece;
  readonly slots: readonly Slot[];
}

export type Found = Omit<Difference, 'cause' | 'change'> & { readonly change: Change | null };

/** What differs between two values of the same field. `change` is null where the cause has to say it. */
export function compareUnits(before: Unit, after: Unit): Found[] {
  if (before.whole.text === after.whole.text) return [];
  const { field, at } = before;
  const found: Found[] = [];
  const left = group(before.slots);
  const right = group(after.slots);
  for (const [part, one] of left) {
    const other = right.get(part);
    for (let index = 0; index < Math.max(one.length, other?.length ?? 0); index++) {
      const [was, is] = [one[index] ?? null, other?.[index] ?? null];
      if (was?.text === is?.text) continue;
      found.push({ field, at, part, change: was === null ? 'added' : is === null ? 'removed' : null, before: was, after: is });
    }
  }
  for (const [part, all] of right) {
    if (!left.has(part)) for (const is of all) found.push({ field, at, part, change: 'added', before: null, after: is });
  }
  if (found.length > 0) return found;
  const order = (slots: readonly Slot[]): string => slots.map(({ part }) => part).join(' ');
  const change = order(before.slots) === order(after.slots) ? 'layout' : 'reordered';
  return [{ field, at, part: '', change, before: before.whole, after: after.whole }];
}

function group(slots: readonly Slot[]): Map<string, Slot[]> {
  const map = new Map<string, Slot[]>();
  for (const slot of slots) {
    const list = map.get(slot.part);
    if (list === undefined) map.set(slot.part, [slot]);
    else list.push(slot);
  }
  return map;
}

/** Values of one field on both sides put beside each other; a value with nothing beside it was added or removed. */
export function compareLists(before: readonly Unit[], after: readonly Unit[]): Found[] {
  const found: Found[] = [];
  const moved = reordered(before, after);
  if (moved !== null) return moved;
  for (const [was, is] of align(before, after)) {
    if (was !== null && is !== null) found.push(...compareUnits(was, is));
    else if (is !== null) found.push({ field: is.field, at: is.at, part: '', change: 'added', before: null, after: is.whole });
    else if (was !== null) found.push({ field: was.field, at: was.at, part: '', change: 'removed', before: was.whole, after: null });
  }
  return found;
}

/** The same values in another order are one difference. */
function reordered(before: readonly Unit[], after: readonly Unit[]): Found[] | null {
  if (before.length !== after.length || before.length < 2 || before.every(({ whole }, index) => whole.text === after[index]!.whole.text)) {
    return null;
  }
  const sorted = (units: readonly Unit[]): string => JSON.stringify(units.map(({ whole }) => whole.text).sort());
  if (sorted(before) !== sorted(after)) return null;
  const index = before.findIndex(({ whole }, at) => whole.text !== after[at]!.whole.text);
  const first = before[index]!;
  return [{ field: first.field, at: first.at, part: '', change: 'reordered', before: first.whole, after: after[index]!.whole }];
}

const MOST_ALIGNED = 64;

/** Longest common subsequence where the numbers differ, so that what was added on top moves nothing else. */
function align(before: readonly Unit[], after: readonly Unit[]): [Unit | null, Unit | null][] {
  const [n, m] = [before.length, after.length];
  if (n === m || n > MOST_ALIGNED || m > MOST_ALIGNED) {
    return Array.from({ length: Math.max(n, m) }, (_, index) => [before[index] ?? null, after[index] ?? null]);
  }
  const score = (one: Unit, other: Unit): number => {
    if (one.whole.text === other.whole.text) return 8;
    const texts = new Map(other.slots.map(({ part, text }) => [part, text]));
    // A branch is one hop's own.
    if (one.slots.some(({ part, text }) => part === ';branch' && texts.has(part) && texts.get(part) !== text)) return 0;
    return Math.min(7, one.slots.filter(({ part, text }) => texts.get(part) === text).length);
  };
  const best = Array.from({ length: n + 1 }, () => new Array<number>(m + 1).fill(0));
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      const both = score(before[i]!, after[j]!);
      best[i]![j] = Math.max(best[i + 1]![j]!, best[i]![j + 1]!, both > 0 ? both + best[i + 1]![j + 1]! : 0);
    }
  }
  const pairs: [Unit | null, Unit | null][] = [];
  let [i, j] = [0, 0];
  while (i < n || j < m) {
    const both = i < n && j < m ? score(before[i]!, after[j]!) : 0;
    if (both > 0 && best[i]![j] === both + best[i + 1]![j + 1]!) pairs.push([before[i++]!, after[j++]!]);
    else if (j < m && (i === n || best[i]![j] === best[i]![j + 1])) pairs.push([null, after[j++]!]);
    else pairs.push([before[i++]!, null]);
  }
  return pairs;
}
