/** Two messages that are one message on both sides of a router: what is different, field by field. */
import { bodiesOf } from '../languages/sip/body.ts';
import type { Part } from '../languages/sip/body.ts';
import { fieldNamed } from '../languages/sip/fields.ts';
import type { Field } from '../languages/sip/fields.ts';
import { parseMessage } from '../languages/sip/message.ts';
import type { Message } from '../languages/sip/message.ts';
import { parseSdp } from '../languages/sip/sdp.ts';
import { piece, skipBlanks } from '../languages/sip/text.ts';
import type { Piece, Refusal, Span } from '../languages/sip/text.ts';
import { classify } from './classify.ts';
import type { Translation } from './classify.ts';
import { compareLists, compareUnits } from './difference.ts';
import type { Change, Difference, Found } from './difference.ts';
import { fieldTitle, fieldUnits, startLineUnit } from './header-units.ts';
import { sdpUnits } from './sdp-units.ts';
import type { Keyed } from './sdp-units.ts';

/**
 * What is different. Empty exactly where the texts are equal.
 * @param before the message in the direction it travels: as it left its sender's side
 * @param after  as it came out
 */
export function differencesOf(before: string, after: string, translation: Translation): Difference[] {
  if (before === after) return [];
  const [was, is] = [parseMessage(before), parseMessage(after)];
  const found = 'refused' in was || 'refused' in is ? unreadable(before, after, was, is) : messages(was, is);
  const isRequest = !('refused' in was) && was.startLine.kind === 'request';
  return classify(found.length > 0 ? found : [firstDifference(before, after)], translation, isRequest);
}

const MOST_SHOWN = 80;

/** Where two texts part, as the last resort: nothing that differs is ever left out. */
function firstDifference(before: string, after: string): Found {
  let at = 0;
  while (at < before.length && at < after.length && before.charCodeAt(at) === after.charCodeAt(at)) at++;
  const from = (text: string): Piece => piece(text, at, Math.min(text.length, at + MOST_SHOWN));
  return { field: 'Message', at: 1, part: '', change: 'value', before: from(before), after: from(after) };
}

function unreadable(before: string, after: string, was: Message | Refusal, is: Message | Refusal): Found[] {
  if (before.startsWith(after)) return [cut('Message', { start: 0, end: before.length }, { start: 0, end: after.length })];
  return 'refused' in was === 'refused' in is ? [] : [firstDifference(before, after)];
}

function cut(field: string, was: Span, is: Span): Found {
  return {
    field,
    at: 1,
    part: '',
    change: 'cut',
    before: { text: `${was.end - was.start} bytes`, start: was.start, end: was.end },
    after: { text: `${is.end - is.start} bytes`, start: is.start, end: is.end },
  };
}

function messages(was: Message, is: Message): Found[] {
  const found: Found[] = [];
  const [lead, newLead] = [piece(was.text, was.lead.start, was.lead.end), piece(is.text, is.lead.start, is.lead.end)];
  if (lead.text !== newLead.text) found.push({ field: 'Message', at: 1, part: 'lead', change: 'layout', before: lead, after: newLead });
  found.push(...compareUnits(startLineUnit(was.text, was.startLine), startLineUnit(is.text, is.startLine)));
  found.push(...headers(was.text, was.fields, is.text, is.fields, was, is));
  found.push(...lineEnds(was, is));
  found.push(...body(was, is));
  return found;
}

type Lengths = Pick<Message, 'body' | 'end' | 'declaredLength'>;

/** Bytes that stand behind the header. */
const actualLength = ({ body: { start }, end }: Lengths): number => end - start;

function headers(before: string, was: readonly Field[], after: string, is: readonly Field[], one: Lengths, other: Lengths): Found[] {
  const found: Found[] = [];
  const names = new Set([...was, ...is].map(({ canonical }) => canonical));
  for (const name of names) {
    const left = was.filter(({ canonical }) => canonical === name);
    const right = is.filter(({ canonical }) => canonical === name);
    if (name === 'content-length') {
      found.push(...contentLength(before, left, after, right, one, other));
      continue;
    }
    if (left.length === right.length && left.every((field, index) => lineOf(before, field) === lineOf(after, right[index]!))) continue;
    const differing = compareLists(fieldUnits(before, name, left), fieldUnits(after, name, right));
    found.push(...differing);
    found.push(...respelled(name, left, right));
    if (differing.length === 0 && !sameValues(before, left, after, right)) {
      found.push({
        field: fieldTitle(name),
        at: 1,
        part: '',
        change: 'layout',
        before: valueOf(before, left[0]),
        after: valueOf(after, right[0]),
      });
    }
  }
  found.push(...moved(was, is));
  if (one.declaredLength !== null && other.declaredLength === one.declaredLength) {
    // Not touched, and no longer right.
    const [right, wrong] = [actualLength(one) === one.declaredLength, actualLength(other) !== other.declaredLength];
    const isCut = before.slice(one.body.start, one.end).startsWith(after.slice(other.body.start, other.end));
    if (right && wrong && !isCut) {
      found.push({
        field: 'Content-Length',
        at: 1,
        part: '',
        change: 'length-wrong',
        before: valueOf(before, fieldNamed(was, 'content-length')),
        after: valueOf(after, fieldNamed(is, 'content-length')),
      });
    }
  }
  return found;
}

function contentLength(
  before: string,
  left: readonly Field[],
  after: string,
  right: readonly Field[],
  one: Lengths,
  other: Lengths,
): Found[] {
  const found = respelled('content-length', left, right);
  for (const each of compareLists(fieldUnits(before, 'content-length', left), fieldUnits(after, 'content-length', right))) {
    const [was, is] = [actualLength(one) === one.declaredLength, actualLength(other) === other.declaredLength];
    const same = one.declaredLength === other.declaredLength;
    const change: Change | null =
      each.change !== null
        ? each.change
        : same
          ? 'layout'
          : was && is
            ? 'length'
            : is
              ? 'length-corrected'
              : was
                ? 'length-wrong'
                : 'value';
    found.push({ ...each, change });
  }
  if (found.length === 0 && !sameValues(before, left, after, right)) {
    found.push({
      field: 'Content-Length',
      at: 1,
      part: '',
      change: 'layout',
      before: valueOf(before, left[0]),
      after: valueOf(after, right[0]),
    });
  }
  return found;
}

/** A field from its name to its value, folds and all; without the line end, which `lineEnds` looks at. */
const lineOf = (text: string, { start, value }: Field): string => text.slice(start, value.end);
const valueOf = (text: string, field: Field | undefined): Piece | null =>
  field === undefined ? null : piece(text, field.value.start, field.value.end);

/** Whether the lines are the same but for their names. */
function sameValues(before: string, left: readonly Field[], after: string, right: readonly Field[]): boolean {
  const rest = (text: string, { name, value }: Field): string => text.slice(name.end, value.end);
  return left.length === right.length && left.every((field, index) => rest(before, field) === rest(after, right[index]!));
}

function respelled(name: string, left: readonly Field[], right: readonly Field[]): Found[] {
  return left.flatMap(({ name: was }, index) => {
    const is = right[index]?.name;
    return is === undefined || was.text === is.text
      ? []
      : [{ field: fieldTitle(name), at: index + 1, part: 'name', change: 'respelled' as const, before: was, after: is }];
  });
}

/** Fields that stand elsewhere among the others, with those left out that are there on one side alone. */
function moved(was: readonly Field[], is: readonly Field[]): Found[] {
  const keys = (fields: readonly Field[]): Map<string, Field> => {
    const counts = new Map<string, number>();
    return new Map(
      fields.map((field) => {
        const count = (counts.get(field.canonical) ?? 0) + 1;
        counts.set(field.canonical, count);
        return [`${field.canonical} ${count}`, field];
      }),
    );
  };
  const [left, right] = [keys(was), keys(is)];
  const order = [...left.keys()].filter((key) => right.has(key));
  const place = new Map([...right.keys()].filter((key) => left.has(key)).map((key, index) => [key, index]));
  const stay = longestRise(order.map((key) => place.get(key)!));
  return order.flatMap((key, index) => {
    const [field, other] = [left.get(key)!, right.get(key)!];
    return stay.has(index)
      ? []
      : [
          {
            field: fieldTitle(field.canonical),
            at: Number(key.slice(key.lastIndexOf(' ') + 1)),
            part: 'place',
            change: 'reordered' as const,
            before: field.name,
            after: other.name,
          },
        ];
  });
}

/** Indexes of a longest rising subsequence: what did not move. Each number stands there once. */
function longestRise(numbers: readonly number[]): Set<number> {
  if (numbers.every((number, index) => number === index)) return new Set(numbers);
  const tails: number[] = [];
  const before: number[] = [];
  numbers.forEach((number, index) => {
    let [low, high] = [0, tails.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[tails[middle]!]! < number) low = middle + 1;
      else high = middle;
    }
    before[index] = low === 0 ? -1 : tails[low - 1]!;
    tails[low] = index;
  });
  const stay = new Set<number>();
  for (let at = tails.at(-1) ?? -1; at >= 0; at = before[at]!) stay.add(at);
  return stay;
}

/** Line ends of the header: CR LF, LF or CR alone. */
function lineEnds(was: Message, is: Message): Found[] {
  const kinds = ({ text, lead, body: { start } }: Message): string =>
    [...new Set(text.slice(lead.end, start).match(/\r\n|\n|\r/g) ?? [])]
      .map((end) => end.replace('\r', 'CR').replace('\n', 'LF'))
      .sort()
      .join(' and ');
  const [one, other] = [kinds(was), kinds(is)];
  if (one === other) return [];
  const at = (text: string, message: Message): Piece => ({ text, start: message.lead.end, end: message.body.start });
  return [{ field: 'Line ends', at: 1, part: '', change: 'layout', before: at(one, was), after: at(other, is) }];
}

function body(was: Message, is: Message): Found[] {
  const [from, to] = [
    { start: was.body.start, end: was.end },
    { start: is.body.start, end: is.end },
  ];
  const [one, other] = [was.text.slice(from.start, from.end), is.text.slice(to.start, to.end)];
  if (one === other) return [];
  if (one.startsWith(other)) return [cut('Body', from, to)];
  const [left, right] = [bodiesOf(was, from).parts, bodiesOf(is, to).parts];
  const whole = (): Found[] => [{ field: 'Body', at: 1, part: '', change: null, before: shown(was.text, from), after: shown(is.text, to) }];
  if (left.length !== right.length || left.length === 0) return whole();
  const found = left.flatMap((part, index) => bodyPart(was.text, part, is.text, right[index]!, index + 1));
  return found.length > 0 ? found : whole();
}

function bodyPart(before: string, was: Part, after: string, is: Part, at: number): Found[] {
  const none = { body: { start: 0, end: 0 }, end: 0, declaredLength: null };
  const found = was.fields.length + is.fields.length === 0 ? [] : headers(before, was.fields, after, is.fields, none, none);
  if (before.slice(was.content.start, was.content.end) === after.slice(is.content.start, is.content.end)) return found;
  const [one, other] = [sessionOf(before, was), sessionOf(after, is)];
  if (one !== null && other !== null) found.push(...sessions(one, other));
  else found.push({ field: 'Body', at, part: '', change: null, before: shown(before, was.content), after: shown(after, is.content) });
  return found;
}

function shown(text: string, { start, end }: Span): Piece {
  return { text: text.slice(start, Math.min(end, start + MOST_SHOWN)), start, end };
}

function sessionOf(text: string, { type, content }: Part): Keyed[] | null {
  const start = type === 'application/sdp' ? content.start : skipBlanks(text, content.start, content.end);
  if (type !== 'application/sdp' && !text.startsWith('v=', start)) return null;
  const sdp = parseSdp(text, start, content.end);
  return 'refused' in sdp ? null : sdpUnits(sdp);
}

function sessions(was: readonly Keyed[], is: readonly Keyed[]): Found[] {
  const nameOf = ({ key }: Keyed): string => key.slice(0, key.lastIndexOf(' '));
  const found: Found[] = [];
  for (const name of new Set([...was, ...is].map(nameOf))) {
    found.push(
      ...compareLists(
        was.filter((unit) => nameOf(unit) === name),
        is.filter((unit) => nameOf(unit) === name),
      ),
    );
  }
  const keys = new Set(is.map(({ key }) => key));
  const place = new Map(is.map(({ key }, index) => [key, index]));
  const common = was.filter(({ key }) => keys.has(key));
  const ranks = common.map(({ key }) => place.get(key)!);
  const stay = longestRise(ranks.map((rank) => ranks.filter((other) => other < rank).length));
  common.forEach((unit, index) => {
    if (stay.has(index)) return;
    found.push({
      field: unit.field,
      at: unit.at,
      part: 'place',
      change: 'reordered',
      before: unit.whole,
      after: is[place.get(unit.key)!]!.whole,
    });
  });
  return found;
}
