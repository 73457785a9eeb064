/** The tabs *Voice rules* (what is in force and counted, and attempts) and *Providers* (their names and how old the answers are). */
import type { Reply } from '../object/object.ts';
import type { Reading } from '../host/host.ts';
import type { InForce, PolicyFacts } from '../voice/facts.ts';
import { counterIn } from '../words/counters.ts';
import { putLines } from '../words/english.ts';
import { ago } from './blocks.ts';
import { historyOf } from './history.ts';
import type { State } from './state.ts';
import type { Block, Section, Table } from './view.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

type Row = Table['rows'][number];
type Full = Extract<Reply, { facts: object }>;

/** So many addresses of a list and so many rows are drawn; the rest are counted. */
const SHOWN = 8;
export const MOST_ROWS = 50;

function few(list: readonly string[], words: Words): string {
  return list.length <= SHOWN ? list.join(', ') : `${list.slice(0, SHOWN).join(', ')} ${fill(words.voice.more, list.length - SHOWN)}`;
}

/** The rows of the first of a list, and what is said of the others. */
function bounded<T>(list: readonly T[], words: Words, row: (one: T) => Row): { rows: Row[]; lines: string[] } {
  return {
    rows: list.slice(0, MOST_ROWS).map(row),
    lines: list.length <= MOST_ROWS ? [] : [fill(words.voice.longer, MOST_ROWS, list.length)],
  };
}

/** What the kernel answered: one reading of nftables, or one for each family of iptables. */
function kernel({ backend, inForce: { all, ipv4, ipv6 } }: PolicyFacts): { of: string; reading: Reading<InForce> }[] {
  return backend === 'nft'
    ? [{ of: '', reading: all }]
    : [
        { of: 'IPv4 ', reading: ipv4 },
        { of: 'IPv6 ', reading: ipv6 },
      ];
}

function seen(policy: PolicyFacts): { of: string; value: InForce }[] {
  return kernel(policy).flatMap(({ of, reading }) => (reading.state === 'present' ? [{ of, value: reading.value }] : []));
}

/** How it stands, as the plan has it: what is in force leaves nothing to do. */
function stateOf(policy: PolicyFacts, { facts, plan }: Full, words: Words): string[] {
  const unread = kernel(policy).flatMap(({ reading }) =>
    reading.state === 'failed' ? [fill(words.voice.unknown, `${reading.source}: ${words.put(undefined, reading.because)}`)] : [],
  );
  if (unread.length > 0) return unread;
  if (facts.wish.wish.policy === null) return [words.voice.untold];
  if (!policy.wanted) return [words.voice.left];
  const steps = plan.steps.some(({ of }) => of === 'policy');
  return steps || plan.lacking.length > 0
    ? [words.voice.missing, ...putLines(words.put, plan.lacking, plan.lackingCoded)]
    : [words.voice.inForce];
}

/** What a counter counts; one of another version has its name alone. */
function counted(of: string, name: string, words: Words): Row['cells'][number] {
  const said = counterIn(name);
  return said === null ? { text: of + name, code: true } : { text: of + words.put(said) };
}

/** Methods as the rules count them, in the order in which they are shown. */
const METHODS = ['register', 'invite', 'options', 'other', 'tcp', 'kilobytes'] as const;
/** A method's counters: what came from strangers, and what of it was dropped. */
const OF_METHOD = /^(attempts|limited)_(\w+)$/;

const sum = (policy: PolicyFacts, name: string): number | null => {
  const found = seen(policy).flatMap(({ value }) => value.counters.filter((one) => one.name === name));
  return found.length === 0 ? null : found.reduce((all, { packets }) => all + packets, 0);
};

/** What came and what was limited, a row for each method. */
function methodsOf(policy: PolicyFacts, reply: Full, words: Words): Section {
  const { voice } = words;
  const rows = METHODS.flatMap((method): Row[] => {
    const asked = sum(policy, `attempts_${method}`);
    const dropped = sum(policy, `limited_${method}`);
    if (asked === null && dropped === null) return [];
    const cells = [voice.methods[method], asked === null ? '' : String(asked), dropped === null ? '' : String(dropped)];
    return [{ name: method, cells: cells.map((text) => ({ text })) }];
  });
  const phones = seen(policy).flatMap(({ value }) => value.phones);
  const everyFlow = policy.wanted && policy.perFlow.state === 'present' && !policy.perFlow.value;
  return {
    kind: 'section',
    name: 'voice',
    title: voice.title,
    lines: [
      ...stateOf(policy, reply, words),
      ...(everyFlow ? [voice.everyFlow] : []),
      ...(phones.length > 0 ? [fill(voice.phones, few(phones, words))] : []),
    ],
    table: { heads: [voice.method, voice.seen, voice.limited], rows, empty: '' },
  };
}

/** What else is counted: marked packets, and counters of another version. */
function countersOf(policy: PolicyFacts, words: Words): Section[] {
  const isOfMethod = (name: string): boolean => (METHODS as readonly string[]).includes(OF_METHOD.exec(name)?.[2] ?? '');
  const rows = seen(policy).flatMap(({ of, value }) =>
    value.counters
      .filter(({ name }) => !isOfMethod(name))
      .map(({ name, packets, bytes }): Row => ({
        name: of + name,
        cells: [counted(of, name, words), { text: fill(words.packets, packets, bytes) }],
      })),
  );
  if (rows.length === 0) return [];
  return [{ kind: 'section', name: 'counters', title: words.voice.counters, lines: [], table: { heads: [], rows, empty: '' } }];
}

function answersOf({ wish: { providers }, names }: PolicyFacts, at: number, words: Words): Section[] {
  const { voice } = words;
  const asked = new Set(providers.flatMap(({ hosts }) => hosts.map(({ name }) => name.replace(/\.$/, '').toLowerCase())));
  if (asked.size === 0) return [];
  const { rows, lines } = bounded([...asked], words, (name) => {
    const answer = Object.prototype.hasOwnProperty.call(names, name) ? names[name] : undefined;
    const failed = answer === undefined ? null : answer.failed;
    const vain = failed === null ? '' : fill(voice.vain, ago(at - failed.at, words), words.put(undefined, failed.because));
    if (answer === undefined || answer.at === 0)
      return {
        name,
        cells: [{ text: name, code: true }, { text: '' }, { text: [voice.noAnswer, vain].filter((text) => text !== '').join('; ') }],
      };
    const when = ago(at - answer.at, words);
    // One server of several may have been silent when the others answered.
    const answered =
      failed === null
        ? when
        : failed.at > answer.at
          ? `${fill(voice.stale, when)}; ${vain}`
          : `${when}; ${fill(voice.partly, words.put(undefined, failed.because))}`;
    return { name, cells: [{ text: name, code: true }, { text: few(answer.addresses, words) || words.none }, { text: answered }] };
  });
  return [
    {
      kind: 'section',
      name: 'names',
      title: voice.theNames,
      lines,
      table: { heads: [voice.name, voice.addresses, voice.answered], rows, empty: '' },
    },
  ];
}

function attemptsOf(policy: PolicyFacts, at: number, words: Words): Section[] {
  const { voice } = words;
  const counting = seen(policy);
  if (counting.length === 0) return [];
  const since = (time: number | null): string => (time === null ? words.notKnown : ago(at - time, words));
  const attempts = counting.flatMap(({ value }) => value.attempts).sort((one, other) => other.seen - one.seen);
  if (attempts.length === 0) return [];
  const { rows, lines } = bounded(attempts, words, ({ source, method, seen: requests, dropped, first, last }) => ({
    name: `${source} ${method}`,
    cells: [
      { text: source, code: true },
      { text: method },
      { text: String(requests) },
      { text: String(dropped) },
      { text: since(first) },
      { text: since(last) },
    ],
  }));
  const heads = [voice.source, voice.method, voice.seen, voice.limited, voice.first, voice.last];
  return [{ kind: 'section', name: 'attempts', title: voice.attempts, lines, table: { heads, rows, empty: '' } }];
}

export function voiceOf(reply: Full, state: State, words: Words): Block[] {
  const { policy, at } = reply.facts;
  // A daemon that is older than this page knows nothing of them.
  if (policy === undefined) return [];
  if (policy.state !== 'present') {
    const line = policy.state === 'failed' ? fill(words.voice.unknown, words.put(undefined, policy.because)) : words.voice.off;
    return [{ kind: 'section', name: 'voice', title: words.voice.title, lines: [line], table: { heads: [], rows: [], empty: '' } }];
  }
  return [
    methodsOf(policy.value, reply, words),
    ...historyOf(reply, state, words),
    ...attemptsOf(policy.value, at + reply.now.age, words),
    ...countersOf(policy.value, words),
  ];
}

export function namesOf(reply: Full, _: State, words: Words): Block[] {
  const { policy, at } = reply.facts;
  if (policy === undefined || policy.state !== 'present') return [];
  return answersOf(policy.value, at + reply.now.age, words);
}
