/** A comparison on a terminal of 80 columns: the answer, a ladder of each call with both sides, what changed, what to say. */
import type { Call, Comparison, Row, SideSummary } from '../compare/comparison.ts';
import type { Difference } from '../compare/difference.ts';
import { english } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { COLUMNS, folded } from './fold.ts';

const WIDTH = COLUMNS;
/** Between two lifelines. */
const LANE = 23;
/** Calls that are drawn; JSON and the page have more. */
const MOST_CALLS = 6;
const FIELD = 26;

/** Fits a text into so many columns; what is too long loses its middle. */
function fitted(text: string, width: number): string {
  if (text.length <= width) return text;
  const keep = width - 2;
  return `${text.slice(0, Math.ceil(keep / 2))}..${text.slice(text.length - Math.floor(keep / 2))}`;
}

const centered = (text: string, width: number): string => {
  const left = Math.max(0, (width - text.length) >> 1);
  return (' '.repeat(left) + text).padEnd(width).slice(0, width);
};

/** `--- INVITE (SDP) --->` */
function arrow(label: string, toProvider: boolean, stops: boolean): string {
  const words = ` ${fitted(label, LANE - 6)} `;
  const left = Math.max(1, (LANE - words.length) >> 1);
  const line = '-'.repeat(left) + words + '-'.repeat(Math.max(1, LANE - left - words.length));
  if (stops) return toProvider ? `${line.slice(0, -1)}X` : `X${line.slice(1)}`;
  return toProvider ? `${line.slice(0, -1)}>` : `<${line.slice(1)}`;
}

const seconds = (time: number): string => (Math.abs(time) >= 1000 ? time.toFixed(1) : time.toFixed(3)).padStart(9);

const MARKS: Readonly<Record<Row['fate'], Said | null>> = {
  same: null,
  changed: say('drawn-changed', 'changed'),
  served: say('drawn-served', 'by a server'),
  dropped: say('mark-dropped', 'DROPPED'),
  appeared: say('mark-appeared', 'not seen in'),
  outside: say('drawn-outside', 'not captured'),
  local: say('drawn-local', 'local'),
};

function mark(row: Row, number: number | undefined, put: Put): string {
  const known = MARKS[row.fate];
  const { again, delay, partly, lan, wan } = row;
  const parts = [
    ...(number === undefined ? [] : [`(${number})`]),
    ...(known === null ? [] : [put(known)]),
    ...(again ? [put(say('drawn-again', 'again'))] : []),
    ...(partly ? [put(say('mark-cut', 'cut'))] : []),
    ...((lan?.doubled ?? 0) + (wan?.doubled ?? 0) > 0 ? [put(say('mark-twice', 'twice'))] : []),
    ...(delay !== null && delay > 0.2 ? [put(say('drawn-late', '{seconds} s late', { seconds: delay.toFixed(1) }))] : []),
  ];
  return parts.join(' ');
}

function ladderRow(row: Row, number: number | undefined, put: Put): string {
  const { toProvider, what, sdp, lan, wan, fate } = row;
  const label = `${what}${sdp ? ' (SDP)' : ''}`;
  const blank = ' '.repeat(LANE);
  const lost = fate === 'dropped';
  const left = lan === null ? blank : arrow(label, toProvider, lost && toProvider);
  const right = wan === null ? blank : arrow(label, toProvider, lost && !toProvider);
  const router = fate === 'changed' ? '*' : fate === 'served' ? '+' : ' ';
  return `${seconds(row.time)} |${left}|${router}|${right}| ${mark(row, number, put)}`.trimEnd();
}

/** A field as people call it; what of it is SIP's own stays. */
export function nameOf({ field, at, part, change }: Difference, put: Put = english): string {
  const place = /^SDP/.test(field)
    ? at > 0
      ? put(say('field-of', ' of m= {number}', { number: at }))
      : ''
    : at > 1
      ? ` ${at}`
      : field === 'Via'
        ? put(say('field-top', ' (top)'))
        : '';
  const detail = part === '' || part === 'place' ? '' : part === 'name' ? put(say('field-name', ' name')) : ` ${part}`;
  return `${field}${place}${detail}${change === 'reordered' ? put(say('field-order', ' order')) : ''}`;
}

const WORDS: Readonly<Partial<Record<Difference['change'], Said>>> = {
  layout: say('change-layout', 'written otherwise'),
  respelled: say('change-respelled', 'name written otherwise'),
  reordered: say('change-reordered', 'moved'),
  cut: say('text-cut', 'CUT OFF'),
  'length-wrong': say('text-length-wrong', 'NOW WRONG'),
  'length-corrected': say('text-length-corrected', 'was wrong'),
};

function differenceLines(difference: Difference, put: Put): string[] {
  const { before, after, change, cause } = difference;
  const value = (text: string): string => text.replace(/\r\n|\r|\n/g, ' ').trim();
  const known = WORDS[change];
  const words = [
    ...(known === undefined ? [] : [put(known)]),
    ...(cause === 'server' ? [put(say('text-by-server', 'by a SIP server'))] : []),
  ];
  const remark = words.length === 0 ? '' : ` (${words.join(', ')})`;
  const [was, is] = [
    before === null ? put(say('field-not-there', 'not there')) : value(before.text),
    after === null ? put(say('field-taken-out', 'taken out')) : value(after.text),
  ];
  const name = `     ${nameOf(difference, put)}`;
  const one = `${name.padEnd(FIELD)} ${was} -> ${is}${remark}`;
  if (one.length <= WIDTH) return [one];
  const room = WIDTH - 12;
  return [`${name}${remark}`, `         ${fitted(was, room)}`, `      -> ${fitted(is, room)}`];
}

/** A call as a ladder, and what was changed in it. */
export function callLines(call: Call, index: number, of: number, put: Put = english): string[] {
  const { callId, kind, inside, outside, far, rows, omitted, notes } = call;
  const lines = [
    '',
    put(say('text-call', 'Call {number} of {calls}: {kind}, Call-ID {id}', { number: index + 1, calls: of, kind, id: fitted(callId, 50) })),
  ];
  if (inside !== null && outside !== null && inside !== outside) {
    lines.push(put(say('text-translation', '  Address translation: {inside} is {outside} outside.', { inside, outside })));
  }
  const room = 2 * LANE + 4;
  const [phone, provider] = [
    fitted(inside ?? put(say('end-phone', 'phone')), LANE),
    fitted(far ?? put(say('end-provider', 'provider')), LANE),
  ];
  lines.push(
    '',
    `${' '.repeat(10)}${phone}${put(say('end-router', 'router')).padStart((room + 6 - 2 * phone.length) / 2)}`.padEnd(
      10 + room - provider.length,
    ) + provider,
  );
  lines.push(
    `${' '.repeat(10)}|${centered(put(say('side-lan', 'LAN side')), LANE)}| |${centered(put(say('side-wan', 'WAN side')), LANE)}|`,
  );
  const numbers = new Map<Row, number>();
  for (const row of rows) if (row.differences.length > 0) numbers.set(row, numbers.size + 1);
  for (const row of rows) lines.push(ladderRow(row, numbers.get(row), put));
  if (omitted > 0)
    lines.push(`          ... ${put(say('text-omitted', '{messages} more messages of this call are not shown', { messages: omitted }))}`);
  const said = new Map<string, number>();
  for (const [row, number] of numbers) {
    const details = row.differences.flatMap((difference) => differenceLines(difference, put));
    const key = `${row.toProvider} ${details.join('\n')}`;
    const same = said.get(key);
    const way = `${row.what}, ${put(row.toProvider ? say('to-the-provider', 'to the provider') : say('to-the-phone', 'to the phone'))}`;
    if (same !== undefined) {
      lines.push(put(say('text-as', ' ({number}) {way}: as ({same})', { number, way, same })));
      continue;
    }
    said.set(key, number);
    const [from, to] = row.toProvider ? [row.lan, row.wan] : [row.wan, row.lan];
    const sizes =
      from !== null && to !== null && from.length !== to.length
        ? put(say('text-bytes', ', {before} bytes became {after}', { before: from.length, after: to.length }))
        : '';
    lines.push('', ` (${number}) ${way}${sizes}`, ...details);
  }
  for (const note of notes) lines.push('', folded(put(note)));
  return lines;
}

function sideLine(label: string, { name, packets, messages, bytes }: SideSummary, put: Put): string {
  return put(
    say('text-side', '{label} {name}: {messages} {messages:message|messages} of SIP, {packets} {packets:packet|packets}, {bytes} bytes', {
      label,
      name: fitted(name, 30),
      messages,
      packets,
      bytes,
    }),
  );
}

const interesting = ({ rows }: Call): boolean => rows.some(({ fate }) => fate !== 'same');

/** What was seen on both sides, in figures. */
export function figures({ counts }: Pick<Comparison, 'counts'>): Said {
  const { pairs, same, changed, served, dropped, doubled, delayed } = counts;
  const values = { pairs, same, changed, served, dropped, doubled, delayed };
  return served > 0
    ? say(
        'text-figures-served',
        '{pairs} on both sides: {same} unchanged, {changed} changed, {served} by a server; '
          + '{dropped} dropped, {delayed} delayed, {doubled} doubled',
        values,
      )
    : say(
        'text-figures',
        '{pairs} on both sides: {same} unchanged, {changed} changed; {dropped} dropped, {delayed} delayed, {doubled} doubled',
        values,
      );
}

/** @param width columns for what is words; a ladder has the {@link WIDTH} it needs */
export function comparisonText(comparison: Comparison, put: Put = english, width = COLUMNS): string {
  const { summary, paragraph, remarks, lan, wan, calls, counts } = comparison;
  const words = (said: Said): string => folded(put(said), width);
  const lines = [words(summary), ''];
  lines.push(folded(sideLine(wan === null ? '   ' : 'LAN', lan, put), width, 4));
  if (wan !== null) lines.push(folded(sideLine('WAN', wan, put), width, 4));
  for (const side of wan === null ? [lan] : [lan, wan])
    for (const problem of side.problems) lines.push(folded(`  ${put(undefined, problem)}`, width));
  if (counts.pairs > 0) lines.push(words(figures(comparison)));
  for (const remark of remarks) lines.push('', words(remark));
  const drawn = [...calls.filter(interesting), ...calls.filter((call) => !interesting(call))].slice(0, MOST_CALLS);
  drawn.forEach((call, index) => lines.push(...callLines(call, index, calls.length, put)));
  if (calls.length > drawn.length)
    lines.push('', words(say('text-more-calls', '{calls} more calls are in --json and --html.', { calls: calls.length - drawn.length })));
  if (paragraph !== '') lines.push('', put(say('text-support', 'For the support of your provider:')), '', words(paragraph));
  return `${lines.join('\n')}\n`;
}
