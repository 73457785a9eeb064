/** One saved document a line in, one verdict a line out. */
import { savedFacts, savedOutcome } from '../survey/saved.ts';
import { among, fields, list, maybe, moment, number, orNull, record, text, values } from '../survey/shape.ts';
import type { Shape } from '../survey/shape.ts';
import type { Coded, Said } from '../words/say.ts';
import type { ExitCode, Surveyor } from '../survey/survey.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { Wish } from '../wish/wish.ts';
import type { Line } from './lines.ts';

/** Bytes that one document of a stream may have. */
export const MOST_LINE = 16 << 20;

/** What every line of the answer says. */
interface Answered {
  /** Of the input, counted from 1. */
  line: number;
  /** As the document calls its router: its field `router`; not there where it has none. */
  router?: string;
  /** What `sipalg status --from` would end with for this document alone. */
  exit: ExitCode;
}

/** A router that was judged. */
export interface Judged extends Answered {
  /** When it was looked at, milliseconds since the epoch. */
  at: number;
  /** null: not told. */
  release: string | null;
  wish: Wish['alg'];
  verdict: Verdict;
}

/** A line that could not be judged; the exit is 2. */
export interface Unjudged extends Answered {
  exit: 2;
  /** A sentence. */
  error: string;
}

export type VerdictLine = Judged | Unjudged;

/** A name that a document gives its router: shown, so neither endless nor anything but a text. */
function nameIn(document: unknown): { router?: string } {
  const router = typeof document === 'object' && document !== null ? (document as { router?: unknown }).router : undefined;
  return typeof router === 'string' && router !== '' ? { router: router.slice(0, 200) } : {};
}

const texts = list(text);
const RETURNS = ['firewall reload', 'boot', 'package upgrade', 'sysupgrade'] as const;

const coded = { code: text, parameters: maybe(values) };
const said = fields<Said>({ ...coded, text });
const codedLines = maybe(record(fields<Coded>(coded)));

/** A line that was answered before, as `status --from -` writes it. */
const ANSWERED: Shape<Judged> = fields<Judged>({
  line: number,
  router: maybe(text),
  exit: among([0, 1, 2] as const),
  at: moment,
  release: orNull(text),
  wish: among(['unmanaged', 'disabled', 'enabled'] as const),
  verdict: fields<Verdict>({
    alg: among(['rewriting', 'tracking', 'off', 'unknown'] as const),
    flows: orNull(fields({ translated: number, watched: number })),
    text,
    said: maybe(list(said)),
    returns: list(fields<Verdict['returns'][number]>({
        at: among(RETURNS),
        because: text,
        says: maybe(text),
        parameters: maybe(values),
        evidence: texts,
        coded: codedLines,
      })),
    findings: list(
      fields<Verdict['findings'][number]>({
        code: text,
        of: maybe(among(['policy'] as const)),
        weight: among(['alarm', 'trouble', 'risk', 'note'] as const),
        text,
        says: maybe(text),
        parameters: maybe(values),
        evidence: texts,
        coded: codedLines,
      }),
    ),
    unread: list(fields<Verdict['unread'][number]>({ source: text, because: text, says: maybe(text) })),
    policy: () => null, // Nothing is made of it.
  }),
});
const FAILED: Shape<Unjudged> = fields<Unjudged>({ line: number, router: maybe(text), exit: among([2] as const), error: text });

/** Not thrown for a fault: what was found needs no judging any more. */
class Known extends Error {
  readonly answer: VerdictLine;

  constructor(answer: VerdictLine) {
    super('it is an answer already');
    this.answer = answer;
  }
}

function answerIn(document: unknown): VerdictLine | null {
  if (typeof document !== 'object' || document === null || 'facts' in document || !('exit' in document)) return null;
  return ANSWERED(document, '') === null || FAILED(document, '') === null ? (document as VerdictLine) : null;
}

/** @param written null: the line was too long to be held @returns of a line that is an answer already, that answer */
export async function judgeLine(surveyor: Surveyor, line: number, written: string | null): Promise<VerdictLine> {
  const source = `line ${line}`;
  let named: { router?: string } = {};
  try {
    if (written === null) throw new Error(`${source} has more than ${MOST_LINE} bytes, and no document of one router has so many.`);
    const saved = savedFacts({ state: 'present', value: written, source }, source, surveyor.version, (document) => {
      const known = answerIn(document);
      if (known !== null) throw new Known({ ...known, line });
      named = nameIn(document);
    });
    const { verdict, exit } = await savedOutcome(surveyor, saved, source);
    const { at, system, wish } = saved.facts;
    const release = system.release.state === 'present' ? system.release.value : null;
    return { line, ...named, exit, at, release, wish: wish.wish.alg, verdict };
  } catch (error) {
    if (error instanceof Known) return error.answer;
    const { message } = error as Error;
    return { line, ...named, exit: 2, error: message.charAt(0).toUpperCase() + message.slice(1) };
  }
}

/** One line of JSON; what a terminal obeys is written as JSON can. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`) + '\n';

/** What a number of lines came to. */
export interface Answers {
  /** One line for each, whole. */
  text: string;
  /** The highest; null where there was none. */
  worst: ExitCode | null;
}

const worse = (one: ExitCode | null, other: ExitCode | null): ExitCode | null =>
  one === null || (other !== null && other > one) ? other : one;

/** Answers lines in their order. */
export async function answersTo(surveyor: Surveyor, lines: readonly Line[], textOf: (bytes: Uint8Array) => string): Promise<Answers> {
  const answers: Answers = { text: '', worst: null };
  for (const { number, bytes } of lines) {
    const answer = await judgeLine(surveyor, number, bytes === null ? null : textOf(bytes));
    answers.worst = worse(answers.worst, answer.exit);
    answers.text += jsonLine(answer);
  }
  return answers;
}

/** Somebody who answers lines beside us. */
export type Judge = (lines: Line[]) => Promise<Answers>;

/** So many lines are judged here before others are called: to start them takes longer. */
const ALONE = 200;
/** So many are handed to one judge at a time, or as many as have so many bytes together. */
const BATCH = 32;
const BATCH_BYTES = 1 << 20;

/** Lines as they come, in parcels of their own bytes, which hold on. */
async function* parcels(lines: AsyncIterable<Line[]>): AsyncGenerator<Line[]> {
  let parcel: Line[] = [];
  let bytes = 0;
  for await (const some of lines) {
    for (const line of some) {
      parcel.push(line.bytes === null ? line : { ...line, bytes: new Uint8Array(line.bytes) });
      bytes += line.bytes?.length ?? 0;
      if (parcel.length < BATCH && bytes < BATCH_BYTES) continue;
      yield parcel;
      [parcel, bytes] = [[], 0];
    }
    // Who waits for an answer to what was sent gets it.
    if (parcel.length > 0) yield parcel;
    [parcel, bytes] = [[], 0];
  }
}

/**
 * Judges lines; the answers come in their order, and of what is under way little is held.
 * @param own judges here
 * @param others starts those that judge beside us, once there is much to do; each gets a parcel while it works on another
 * @param out takes a whole number of lines
 * @returns the highest exit there was; 2 where no line was
 */
export async function judgeLines(
  lines: AsyncIterable<Line[]>,
  own: Judge,
  others: () => Promise<readonly Judge[]>,
  out: (text: string) => void,
): Promise<ExitCode> {
  let worst: ExitCode | null = null;
  let alone = 0;
  let judges: readonly Judge[] | null = null;
  let turn = 0;
  const underWay: Promise<Answers>[] = [];
  const take = async (): Promise<void> => {
    const answers = await (underWay.shift() as Promise<Answers>);
    worst = worse(worst, answers.worst);
    out(answers.text);
  };
  try {
    for await (const parcel of parcels(lines)) {
      if (judges === null && alone >= ALONE) judges = await others();
      const judge = judges === null || judges.length === 0 ? own : (judges[turn++ % judges.length] as Judge);
      alone += parcel.length;
      underWay.push(judge(parcel));
      while (underWay.length > 2 * (judges?.length ?? 0)) await take();
    }
    while (underWay.length > 0) await take();
  } catch (error) {
    await Promise.allSettled(underWay);
    throw error;
  }
  return worst ?? 2;
}
