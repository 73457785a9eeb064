/** The tab *Diagnosis*: a probe, causes of what happens, calls as they happen, and a document of it all. */
import type { CallsReply, Reply } from '../object/object.ts';
import type { Ladder, Sentence, Watched } from '../object/watched.ts';
import { cameOf, fixOf, sentence, sentences } from './answered.ts';
import type { Came, Diagnosed, Probed } from './answered.ts';
import { foldOf, notice } from './blocks.ts';
import { ladderOf } from './drawings/ladder.ts';
import type { Rung } from './drawings/ladder.ts';
import type { State } from './state.ts';
import type { Ask, Block, Details, Notice, Section, Table, Tone } from './view.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

type Full = Extract<Reply, { facts: object }>;
type Row = Table['rows'][number];

/** So many calls are drawn. */
const LADDERS = 5;

const section = (name: string, title: string, heads: string[], rows: Row[], lines: string[] = []): Section => ({
  kind: 'section',
  name,
  title,
  lines,
  table: { heads, rows, empty: '' },
});

/** What is asked for, and how it stands. */
function askOf(
  name: string,
  { busy, failed }: Pick<Came<object>, 'busy' | 'failed'>,
  what: Pick<Ask, 'title' | 'lines' | 'ask' | 'field' | 'label'> & {
    allowed: boolean;
    notices?: Notice[];
    save?: Ask['save'];
  },
  words: Words,
): Ask {
  const { title, lines, ask, field, label, allowed, notices = [], save = null } = what;
  const trouble = failed === null ? [] : [notice(`${name} failed`, 'warning', fill(words.diagnosis.failed, failed))];
  return {
    kind: 'ask',
    name,
    title,
    lines: allowed ? lines : [...lines, words.diagnosis.denied],
    field,
    ask,
    label: busy ? words.diagnosis.working : label,
    busy,
    disabled: busy || !allowed,
    notices: [...trouble, ...notices],
    save,
  };
}

function details(name: string, label: string, rows: Row[], heads: string[], state: State): Details[] {
  if (rows.length === 0) return [];
  return [{ kind: 'details', name, label, open: state.open.includes(name), blocks: [section(`${name}-rows`, '', heads, rows)] }];
}

const VERDICTS: Readonly<Record<string, Tone>> = { unchanged: 'success', 'rewritten here': 'danger', 'dropped here': 'danger' };
const FATES: Readonly<Record<string, Tone>> = { unchanged: 'success', 'not tried': 'notice' };

/** What is said under one of some names; the name itself where another version has another. */
const named = (names: Readonly<Record<string, string>>, name: string): string =>
  Object.prototype.hasOwnProperty.call(names, name) ? (names[name] as string) : name;

function probeOf(state: State, words: Words): Block[] {
  const { diagnosis } = words;
  const came = cameOf<Probed>(state, 'probe', 'verdict', words);
  const { value, put } = came;
  const notices =
    value === null
      ? []
      : [
          notice(
            'probed',
            VERDICTS[value.verdict] ?? 'warning',
            fill(named(diagnosis.verdicts, value.verdict), sentence(value, 'because', value.because ?? '', put)),
            [...sentences(value, 'remarks', value.remarks, put), ...sentences(value, 'leftOver', value.leftOver, put)],
          ),
        ];
  const changed = (value?.alterations ?? []).map((one, at): Row => ({
    name: String(at),
    cells: [
      { text: `${one.field} ${one.part}`.trim(), code: true },
      { text: one.before ?? diagnosis.noField, code: true },
      { text: one.after ?? diagnosis.noField, code: true, tone: 'danger' },
      { text: one.messages.length > 3 ? String(one.messages.length) : sentences(one, 'messages', one.messages, put).join(', ') },
    ],
  }));
  const messages = (value?.messages ?? []).map((one): Row => {
    const reason = one.reason === null ? '' : ` (${sentence(one, 'reason', one.reason, put)})`;
    const fate = named(diagnosis.fates, one.fate) + reason;
    return { name: one.name, cells: [{ text: sentence(one, 'name', one.name, put) }, { text: fate, tone: FATES[one.fate] ?? 'danger' }] };
  });
  return [
    askOf(
      'probe',
      came,
      {
        title: diagnosis.probe,
        lines: [diagnosis.probeAbout],
        ask: { method: 'probe', args: { language: diagnosis.language } },
        field: null,
        label: diagnosis.probeGo,
        allowed: state.rights.write,
        notices,
      },
      words,
    ),
    ...(changed.length === 0
      ? []
      : [section('probe-fields', diagnosis.fields, [diagnosis.field, diagnosis.sent, diagnosis.seen, diagnosis.inMessages], changed)]),
    ...details('probe-messages', fill(diagnosis.messages, messages.length), messages, [diagnosis.message, diagnosis.result], state),
  ];
}

function causesOf(state: State, words: Words): Block[] {
  const { diagnosis } = words;
  const came = cameOf<Diagnosed>(state, 'diagnose', 'diagnosis', words);
  const { put } = came;
  const { number = null, found = [], unknown = [], ruledOut = [], advisories = [], ...rest } = came.value?.diagnosis ?? {};
  const none = came.value !== null && found.length === 0 ? [notice('no cause', 'success', diagnosis.noneFound)] : [];
  const meaning = number === null ? [] : [notice('number', 'notice', `${sentence(rest, 'number', number, put)}.`)];
  const rows = found.map((one): Row => {
    const { code, what, evidence, fix, alike } = one;
    const lines = [
      ...sentences(one, 'evidence', evidence, put),
      ...(alike === null ? [] : [fill(diagnosis.alike, alike.codes.join(', '), sentence(alike, 'tell', alike.tell, put))]),
    ];
    const fold = foldOf(`cause ${code}`, fill(words.evidence, lines.length), lines, state);
    return {
      name: code,
      cells: [{ text: sentence(one, 'what', what, put), ...(fold === null ? {} : { fold }) }, { text: fixOf(fix, put, words) }],
    };
  });
  const cells = (one: { coded?: Readonly<Record<string, unknown>> }, fields: Record<string, string>): Row['cells'] =>
    Object.entries(fields).map(([field, text]) => ({ text: sentence(one, field, text, put) }));
  return [
    askOf(
      'diagnose',
      came,
      {
        title: diagnosis.causes,
        lines: [diagnosis.causesAbout],
        ask: { method: 'diagnose', args: { language: diagnosis.language } },
        field: {
          argument: 'symptom',
          label: diagnosis.symptom,
          typed: state.typed['diagnose'] ?? '',
          suggestions: diagnosis.symptoms,
        },
        label: diagnosis.causesGo,
        allowed: true,
        notices: [...none, ...meaning],
      },
      words,
    ),
    ...(rows.length === 0 ? [] : [section('causes', diagnosis.found, [diagnosis.cause, diagnosis.fix], rows)]),
    ...details(
      'causes-unknown',
      fill(diagnosis.unknown, unknown.length),
      unknown.map((one) => ({ name: one.code, cells: cells(one, { what: one.what, because: one.because, tell: one.tell }) })),
      [diagnosis.cause, diagnosis.because, diagnosis.tell],
      state,
    ),
    ...details(
      'causes-out',
      fill(diagnosis.ruledOut, ruledOut.length),
      ruledOut.map((one) => ({ name: one.code, cells: cells(one, { what: one.what, because: one.because }) })),
      [diagnosis.cause, diagnosis.because],
      state,
    ),
    ...details(
      'advisories',
      fill(diagnosis.security, advisories.length),
      advisories.map((one) => ({ name: one.id, cells: cells(one, { text: one.text, fix: one.fix }) })),
      [diagnosis.cause, diagnosis.fix],
      state,
    ),
  ];
}

function rungText(rung: Rung, words: Words): string {
  const { rungFates, again } = words.diagnosis;
  const fate = rung.fate === 'changed' || rung.fate === 'dropped' ? rungFates[rung.fate] : '';
  return [fate, rung.again > 0 ? fill(again, rung.again) : ''].filter((text) => text !== '').join(', ');
}

function drawnCall(ladder: Ladder, words: Words): Block[] {
  const { diagnosis } = words;
  const title = fill(diagnosis.call, ladder.call);
  const spoken = ladder.rungs.map((rung) => {
    const more = rungText(rung, words);
    return fill(rung.fromPhone ? diagnosis.rung : diagnosis.rungBack, rung.what) + (more === '' ? '' : `: ${more}`);
  });
  const tree = ladderOf(ladder, {
    label: `${title}: ${ladder.phone}, ${ladder.far}. ${spoken.join('; ')}.`,
    ...diagnosis.ends,
    said: (rung) => rungText(rung, words),
    omitted: fill(diagnosis.omitted, ladder.omitted),
  });
  return tree === null ? [] : [{ kind: 'drawing', name: `call-${ladder.call}`, title, lines: [], tree }];
}

function standing({ live, until, at, summary }: Watched, words: Words): string[] {
  const { diagnosis } = words;
  if (live) {
    const seconds = Math.max(0, Math.round((until - at) / 1000));
    const left = seconds < 120 ? fill(words.seconds, seconds) : fill(words.minutes, Math.round(seconds / 60));
    return [fill(diagnosis.watching, left), ...((summary?.ladders.length ?? 0) === 0 ? [diagnosis.noCalls] : [])];
  }
  return summary === null ? [] : [fill(diagnosis.watched, summary.calls, summary.answered, summary.failed)];
}

/** The later of two answers: of who started a watch, and of who asked how it goes. */
function watchedOf(state: State, words: Words): Came<CallsReply> {
  const asked = cameOf<CallsReply>(state, 'calls', 'watched', words);
  const began = cameOf<CallsReply>(state, 'watch', 'watched', words);
  const { last, put } = (began.last?.watched?.at ?? 0) > (asked.last?.watched?.at ?? 0) ? began : asked;
  return { busy: began.busy, failed: began.failed, value: last, last, put };
}

function callsOf(state: State, words: Words): Block[] {
  const { diagnosis } = words;
  const came = watchedOf(state, words);
  const { put } = came;
  const watched = came.value?.watched ?? null;
  const live = watched?.live === true;
  const { trouble = null, remarks = [], told = [], summary = null } = watched ?? {};
  const said = (one: Sentence): string => sentence(one, 'text', one.text, put);
  const failed = came.failed ?? (trouble === null ? null : said(trouble));
  const causes = (summary?.causes ?? []).map((one): Row => {
    const { code, times, fixes = [] } = one; // a watch of a former version has none
    return { name: code, cells: [said(one), fixes.map(said).join(' '), String(times)].map((text) => ({ text })) };
  });
  const happened = told
    .map((one, at): Row => {
      const call = one.call === null ? '' : fill(diagnosis.call, one.call);
      return { name: String(at), cells: [one.phone ?? '', call, said(one)].map((text) => ({ text })) };
    })
    .reverse();
  return [
    askOf(
      'watch',
      { busy: came.busy, failed },
      {
        title: diagnosis.calls,
        lines: [diagnosis.callsAbout, ...(watched === null ? [] : standing(watched, words)), ...remarks.map(said)],
        // 0 ends the one that goes on.
        ask: { method: 'watch', args: { seconds: live ? 0 : 600, language: diagnosis.language } },
        field: null,
        label: live ? diagnosis.callsEnd : diagnosis.callsGo,
        allowed: state.rights.write,
      },
      words,
    ),
    ...(causes.length === 0
      ? []
      : [section('calls-causes', diagnosis.causesSeen, [diagnosis.cause, diagnosis.fix, diagnosis.times], causes)]),
    ...details(
      'calls-told',
      fill(diagnosis.happened, happened.length),
      happened,
      [diagnosis.ends.phone, diagnosis.aCall, diagnosis.happenedHead],
      state,
    ),
    ...[...(summary?.ladders ?? [])]
      .reverse()
      .slice(0, LADDERS)
      .flatMap((ladder) => drawnCall(ladder, words)),
  ];
}

function reportOf(state: State, words: Words): Block[] {
  const { diagnosis } = words;
  const came = cameOf<{ html: string }>(state, 'report', 'html', words);
  const text = came.value?.html ?? null;
  return [
    askOf(
      'report',
      came,
      {
        title: diagnosis.report,
        lines: [diagnosis.reportAbout],
        ask: { method: 'report', args: { language: diagnosis.language } },
        field: null,
        label: diagnosis.reportGo,
        allowed: true,
        save: text === null ? null : { label: fill(diagnosis.save, Math.ceil(text.length / 1000)), file: 'sipalg-report.html', text },
      },
      words,
    ),
  ];
}

export function diagnosisOf(_reply: Full, state: State, words: Words): Block[] {
  return [...probeOf(state, words), ...causesOf(state, words), ...callsOf(state, words), ...reportOf(state, words)];
}

/** What an open tab asks for by itself, with each look. */
export function asksOf(
  { tab, answers }: Pick<State, 'tab' | 'answers'>,
  words: Words,
): { name: string; method: 'history' | 'calls'; args: Readonly<Record<string, string>> }[] {
  if (tab === 'voice') return [{ name: 'history', method: 'history', args: {} }];
  if (tab !== 'diagnosis') return [];
  const isLive = (name: string): boolean => (answers[name]?.result as CallsReply | null | undefined)?.watched?.live === true;
  const args = { language: words.diagnosis.language };
  // One that has ended tells nothing new.
  return answers['calls'] === undefined || isLive('calls') || isLive('watch') ? [{ name: 'calls', method: 'calls', args }] : [];
}
