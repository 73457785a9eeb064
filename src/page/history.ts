/** The last day, drawn: attempts and where they came from, marked packets, and the phones the router knows. */
import type { HistoryReply, Reply } from '../object/object.ts';
import type { PhoneState } from '../object/history.ts';
import { cameOf } from './answered.ts';
import { barsOf, linesOf } from './drawings/day.ts';
import type { DayRow, Series } from './drawings/day.ts';
import { isTooShort, networksOf, phonesOf, sourcesOf } from './drawings/rows.ts';
import type { State } from './state.ts';
import type { Tree } from './tree.ts';
import type { Block } from './view.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

type Full = Extract<Reply, { facts: object }>;

/** The day ends with a quarter of an hour: a drawing that moved with each look would move without news. */
const QUARTER = 900_000;

const ATTEMPTS: readonly Series[] = ['register', 'invite', 'options', 'other', 'tcp'];

const drawn = (name: string, title: string, tree: Tree | null, lines: string[] = []): Block[] =>
  tree === null ? [] : [{ kind: 'drawing', name, title, lines, tree }];

function leftOf({ left, life, every }: PhoneState, words: Words): string {
  const { diagnosis } = words;
  const rest = life === null ? fill(diagnosis.left, left ?? '') : fill(diagnosis.leftOf, left ?? '', life);
  return every === null ? rest : fill(diagnosis.renews, rest, every);
}

export function historyOf({ facts }: Full, state: State, words: Words): Block[] {
  const { diagnosis, voice } = words;
  const { last } = cameOf<HistoryReply>(state, 'history', 'spans', words);
  const { at = facts.at, spans = [], phones = [] } = last ?? {};
  const now = Math.ceil(at / QUARTER) * QUARTER;
  const sum = (of: Series): number => spans.reduce((all, span) => all + span[of], 0);
  const rowsOf = (names: Partial<Record<Series, string>>, series: readonly Series[]): DayRow[] =>
    series.map((of) => ({ of, text: fill(diagnosis.attemptsRow, names[of] ?? of, sum(of)) }));
  const label = (title: string, rows: readonly DayRow[]): string =>
    `${title}. ${rows
      .filter(({ of }) => sum(of) > 0)
      .map(({ text }) => text)
      .join('; ')}.`;
  const attempts = rowsOf(voice.methods, ATTEMPTS);
  const marked = rowsOf({ media: diagnosis.media, signalling: diagnosis.signalling }, ['media', 'signalling']);
  const dayWords = (title: string, rows: readonly DayRow[]) => ({
    label: label(title, rows),
    axis: diagnosis.day,
    title: ({ from, to }: { from: number; to: number }, count: number) =>
      fill(diagnosis.inSpan, count, fill(words.minutes, Math.max(1, Math.round((to - from) / 60_000)))),
  });
  const rules = facts.policy?.state === 'present' ? Object.values(facts.policy.value.inForce) : [];
  const networks = networksOf(rules.flatMap((one) => (one.state === 'present' ? one.value.attempts : [])));
  const row = ({ network, sources, seen }: (typeof networks)[number]): string => fill(diagnosis.sourcesRow, network, seen, sources);
  const name = ({ phone, far }: PhoneState): string => fill(diagnosis.phone, phone, far);
  return [
    ...drawn('history-attempts', diagnosis.attempts, barsOf(spans, attempts, now, dayWords(diagnosis.attempts, attempts))),
    ...drawn(
      'history-sources',
      diagnosis.sources,
      sourcesOf(networks, now, { label: `${diagnosis.sources}. ${networks.slice(0, 12).map(row).join('; ')}.`, axis: diagnosis.day, row }),
    ),
    ...drawn('history-marked', diagnosis.marked, linesOf(spans, marked, now, dayWords(diagnosis.marked, marked))),
    ...drawn(
      'history-phones',
      diagnosis.phones,
      phonesOf(phones, {
        label: `${diagnosis.phones}. ${phones.map((phone) => `${name(phone)}: ${leftOf(phone, words)}`).join('; ')}.`,
        name,
        left: (phone) => leftOf(phone, words),
      }),
      phones.some(isTooShort) ? [diagnosis.tooShort] : [],
    ),
  ];
}
