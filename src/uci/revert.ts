/**
 * Taking one change back out of a text that has been edited since: a merge of
 * three texts, line by line, that places nothing it is not certain about. Works
 * on any text of lines; in UCI files a line is also held to its section.
 */

import { quote } from '../language.ts';
import { certainMatches } from './matches.ts';

/** A text as its lines without their \n, and whether the last one has one. */
interface Lines {
  lines: string[];
  ended: boolean;
}

/** One part of a change: lines `at` to `until` of the earlier text became lines `from` to `to` of the later one. */
interface Hunk {
  at: number;
  until: number;
  from: number;
  to: number;
}

/** Lines `from` to `to` become lines `at` to `until` of the earlier text. */
type Replacement = Hunk;

/** The texts, and for each line of the later one the line it certainly is in the others, or -1. */
interface Merge {
  before: Lines;
  after: Lines;
  now: Lines;
  toBefore: Int32Array;
  toNow: Int32Array;
}

/**
 * Undoes the change `before` -> `after` in `now`, keeping whatever else has changed since.
 *
 * - `now` as the change left it: gives back `before`, byte for byte.
 * - A part of the change that is undone already counts as done.
 * - A part is undone where its lines are still together, in the section they
 *   were in; where lines had only been taken out, they go back if the two lines
 *   around the place are still neighbours. Anything else is a conflict, and
 *   then no text is given out, only a sentence for each line it is about.
 */
export function revert(before: string, after: string, now: string): { text: string } | { conflict: string[] } {
  if (now === after || now === before) return { text: before };
  const texts = { before: split(before), after: split(after), now: split(now) };
  const toBefore = certainMatches(texts.after.lines, texts.before.lines);
  const toNow = certainMatches(texts.after.lines, texts.now.lines);
  if (toBefore === null || toNow === null) {
    return { conflict: ['Too much of the file has changed since to find the earlier lines in it.'] };
  }
  const merge = { ...texts, toBefore, toNow };
  const conflict: string[] = [];
  const replacements: Replacement[] = [];
  for (const hunk of hunksOf(merge)) {
    const undone = undo(merge, hunk);
    if (undone === null) conflict.push(...sentences(merge, hunk));
    else replacements.push(...undone);
  }
  return conflict.length > 0 ? { conflict } : { text: join(merge, replacements) };
}

function split(text: string): Lines {
  const lines = text.split('\n');
  const ended = lines.at(-1) === '';
  if (ended) lines.pop();
  return { lines, ended };
}

/** What lies between the lines that certainly did not change. */
function hunksOf({ before, toBefore }: Merge): Hunk[] {
  const hunks: Hunk[] = [];
  let from = 0;
  let at = 0;
  for (let to = 0; to <= toBefore.length; to++) {
    const until = to < toBefore.length ? (toBefore[to] ?? -1) : before.lines.length;
    if (until < 0) continue;
    if (to > from || until > at) hunks.push({ at, until, from, to });
    from = to + 1;
    at = until + 1;
  }
  return hunks;
}

/** What undoes one part of the change in `now`: nothing when that is done already; null when it is not certain. */
function undo(merge: Merge, hunk: Hunk): Replacement[] | null {
  const { now, after, toNow } = merge;
  const first = hunk.to > hunk.from ? (toNow[hunk.from] ?? -1) : gap(merge, hunk.from);
  const together = first >= 0 && inOrder(toNow.subarray(hunk.from, hunk.to), first);
  if (together && sameSection(merge, hunk.from, first)) {
    return [{ ...hunk, from: first, to: first + hunk.to - hunk.from }];
  }
  // Where in `now` the part must lie: between the nearest lines that are certain.
  let low = hunk.from - 1;
  while (low >= 0 && (toNow[low] ?? -1) < 0) low -= 1;
  let high = hunk.to;
  while (high < toNow.length && (toNow[high] ?? -1) < 0) high += 1;
  const start = low < 0 ? 0 : (toNow[low] ?? -1) + 1;
  const end = high < toNow.length ? (toNow[high] ?? 0) : now.lines.length;
  const stretch = now.lines.slice(start, end);
  const kept = new Set(stretch);
  const earlier = merge.before.lines.slice(hunk.at, hunk.until);
  const later = after.lines.slice(hunk.from, hunk.to);
  if (earlier.length === 0) {
    // Lines that had only been added go one by one; those that are gone already are done.
    const taken: Replacement[] = [];
    for (let line = hunk.from; line < hunk.to; line++) {
      const place = toNow[line] ?? -1;
      if (place >= 0 && sameSection(merge, line, place)) {
        taken.push({ at: hunk.at, until: hunk.at, from: place, to: place + 1 });
      } else if (place >= 0 || kept.has(after.lines[line] ?? '')) {
        return null;
      }
    }
    return taken;
  }
  // Where the two sides of the part hold the same lines, only in another number, nobody can tell them apart.
  const [was, is] = [new Set(earlier), new Set(later)];
  const added = later.filter((line) => !was.has(line));
  const removed = earlier.filter((line) => !is.has(line));
  const told = added.length + removed.length > 0 && !added.some((line) => kept.has(line));
  // The same lines next to the part were there all along; they do not say that it is undone.
  const around = [after.lines.slice(low + 1, hunk.from), after.lines.slice(hunk.to, high)];
  const twin = around.some((lines) => placesOf(lines, earlier).length > 0);
  const [back, ...others] = placesOf(stretch, earlier);
  return told && !twin && others.length === 0 && back !== undefined && sameSection(merge, hunk.from, start + back) ? [] : null;
}

/** The line of `now` before which the lines between `at - 1` and `at` stood; -1 when those are no neighbours any more. */
function gap({ now, toNow }: Merge, at: number): number {
  const above = at === 0 ? -1 : (toNow[at - 1] ?? -1);
  const below = at === toNow.length ? now.lines.length : (toNow[at] ?? -1);
  return (at === 0 || above >= 0) && below === above + 1 ? below : -1;
}

function inOrder(places: Int32Array, first: number): boolean {
  return places.every((place, nth) => place === first + nth);
}

/** Is the `config` line above a line of the later text the one above a line of `now`? */
function sameSection({ after, now, toNow }: Merge, line: number, place: number): boolean {
  const was = sectionLine(after.lines, line);
  const is = sectionLine(now.lines, place);
  return was < 0 ? is < 0 : toNow[was] === is;
}

function sectionLine(lines: readonly string[], below: number): number {
  let line = below - 1;
  while (line >= 0 && !/^\s*c(onfig)?[ \t]/.test(lines[line] ?? '')) line -= 1;
  return line;
}

/** Where `part` stands in `lines`, each place once. */
function placesOf(lines: readonly string[], part: readonly string[]): number[] {
  const places: number[] = [];
  for (let at = lines.indexOf(part[0] ?? ''); at >= 0; at = lines.indexOf(part[0] ?? '', at + 1)) {
    if (part.every((line, nth) => lines[at + nth] === line)) places.push(at);
    if (places.length > 1) break;
  }
  return places;
}

function sentences({ before, after }: Merge, hunk: Hunk): string[] {
  const why = 'the lines around it have changed since';
  const back = before.lines
    .slice(hunk.at, hunk.until)
    .map((line, nth) => `Line ${hunk.at + nth + 1} of the earlier text, ${quote(line)}, could not be put back: ${why}.`);
  if (back.length > 0) return back;
  return after.lines
    .slice(hunk.from, hunk.to)
    .map((line) => `The added line ${quote(line)} could not be taken out: ${why}.`);
}

function join({ before, after, now, toBefore, toNow }: Merge, replacements: readonly Replacement[]): string {
  const lines: string[] = [];
  let done = 0;
  /** Is the last line given out the last line of the earlier text? */
  let last = false;
  const keep = (until: number): void => {
    if (until <= done) return;
    for (; done < until; done++) lines.push(now.lines[done] ?? '');
    const line = toNow.indexOf(until - 1);
    last = line >= 0 && toBefore[line] === before.lines.length - 1;
  };
  for (const { from, to, at, until } of replacements) {
    keep(from);
    for (let line = at; line < until; line++) lines.push(before.lines[line] ?? '');
    if (until > at) last = until === before.lines.length;
    done = to;
  }
  keep(now.lines.length);
  if (lines.length === 0) return '';
  const ended = last && now.ended === after.ended ? before.ended : now.ended;
  return lines.join('\n') + (ended ? '\n' : '');
}
