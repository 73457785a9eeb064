/** The tables of the tab *Status*: what would bring it back, rules, flows, timeouts, versions. One with nothing in it is not there. */
import type { Reply } from '../object/object.ts';
import type { Reading } from '../host/host.ts';
import type { Facts } from '../observe/facts.ts';
import type { Verdict } from '../judge/verdict.ts';
import { ago, codeOf, evidenceFold } from './blocks.ts';
import type { State } from './state.ts';
import type { Section, Table } from './view.ts';
import { fill } from './words.ts';
import type { Words } from './words.ts';

type Row = Table['rows'][number];
type Full = Extract<Reply, { facts: object }>;

export function returnsOf({ returns }: Verdict, state: State, words: Words): Section[] {
  if (returns.length === 0) return [];
  const rows = returns.map((one): Row => {
    const { at, because, says, parameters } = one;
    const fold = evidenceFold(`return ${at}`, one, state, words);
    const why = words.put(
      says === undefined ? undefined : codeOf({ code: says, ...(parameters === undefined ? {} : { parameters }) }),
      because,
    );
    return { name: at, cells: [{ text: words.at[at] }, { text: why, ...(fold === null ? {} : { fold }) }] };
  });
  return [
    {
      kind: 'section',
      name: 'returns',
      title: words.returns,
      lines: [],
      table: { heads: [words.columns.at, words.columns.because], rows, empty: '' },
    },
  ];
}

const COUNTER = /\bcounter packets (\d+) bytes (\d+)/;

function ruleRow(name: string, place: string, rule: string, words: Words): Row {
  const counted = COUNTER.exec(rule);
  return {
    name,
    cells: [
      { text: place, code: true },
      { text: rule, code: true },
      { text: counted === null ? '' : fill(words.packets, counted[1] as string, counted[2] as string) },
    ],
  };
}

/** A failed reading as a row: it never looks like "no rule". */
function unreadRow(reading: Reading<unknown>, words: Words): Row[] {
  if (reading.state !== 'failed') return [];
  return [
    {
      name: `unread ${reading.source}`,
      cells: [{ text: reading.source, code: true }, { text: fill(words.unreadRule, words.put(undefined, reading.because)) }, { text: '' }],
    },
  ];
}

function rulesOf({ nft, iptables }: Facts, words: Words): Section[] {
  const rows: Row[] = [...unreadRow(nft, words)];
  for (const { family, table, chain, handle, rule, map } of nft.state === 'present' ? nft.value.assignments : []) {
    const place = `${family} ${table} ${chain} handle ${handle}`;
    const mapped = map === null ? '' : fill(words.map, map.name, map.elements.join(', '));
    rows.push(ruleRow(place, place, [rule ?? '', mapped].filter((part) => part !== '').join('; '), words));
  }
  for (const reading of iptables) {
    rows.push(...unreadRow(reading, words));
    for (const { table, chain, position, rule } of reading.state === 'present' ? reading.value.assignments : []) {
      rows.push(
        ruleRow(`${reading.source} ${table} ${chain} ${position}`, `${reading.source}: ${table} ${chain} ${position}`, rule, words),
      );
    }
  }
  if (rows.length === 0) return [];
  const heads = [words.columns.place, words.columns.rule, words.columns.counted];
  if (rows.every(({ cells }) => cells[2]?.text === '')) {
    heads.pop();
    for (const { cells } of rows) cells.pop();
  }
  return [{ kind: 'section', name: 'rules', title: words.rules, lines: [], table: { heads, rows, empty: '' } }];
}

function flowsOf({ flows }: Facts, words: Words): Section[] {
  if (flows.state !== 'present' || flows.value.flows.length === 0) return [];
  const end = (address: string, port: number | null): string =>
    port === null ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const rows = flows.value.flows.map(({ protocol, source, sourcePort, destination, destinationPort, timeout, remove }): Row => ({
    name: remove.join(' '),
    cells: [
      { text: fill(words.flow, protocol, end(source, sourcePort), end(destination, destinationPort)) },
      { text: timeout === null ? '' : fill(words.seconds, timeout) },
    ],
  }));
  const lines = flows.value.certain ? [] : [words.guessed];
  return [
    {
      kind: 'section',
      name: 'flows',
      title: words.flows,
      lines,
      table: { heads: [words.columns.flow, words.columns.seconds], rows, empty: '' },
    },
  ];
}

function said<T extends string | number>(reading: Reading<T>, words: Words, write: (value: T) => string = String): string {
  return reading.state === 'present'
    ? write(reading.value)
    : reading.state === 'absent'
      ? words.none
      : `${words.unreadable}: ${words.put(undefined, reading.because)}`;
}

function timeoutsOf({ timeouts }: Facts, words: Words): Section {
  const row = (name: string, label: string, reading: Reading<number>): Row => ({
    name,
    cells: [{ text: label }, { text: said(reading, words, (value) => fill(words.seconds, value)) }, { text: reading.source, code: true }],
  });
  const rows = [row('unreplied', words.unreplied, timeouts.udp), row('replied', words.replied, timeouts.udpStream)];
  return { kind: 'section', name: 'timeouts', title: words.timeouts, lines: [], table: { heads: [], rows, empty: '' } };
}

function versionsOf({ version, facts, now }: Full, words: Words): Section {
  const { system, journal } = facts;
  const row = (name: string, label: string, text: string): Row => ({ name, cells: [{ text: label }, { text }] });
  const rows = [
    row('release', words.release, said(system.release, words)),
    row('kernel', words.kernel, said(system.kernel, words)),
    row('firewall', words.firewall, said(system.firewall, words)),
    row('program', words.program, version),
    row('age', words.age, ago(now.age, words)),
  ];
  if (journal.state === 'present') rows.push(row('taken', words.taken, new Date(journal.value.since).toISOString().slice(0, 10)));
  if (journal.state === 'failed') rows.push(row('taken', words.taken, `${words.unreadable}: ${words.put(undefined, journal.because)}`));
  return { kind: 'section', name: 'versions', title: words.router, lines: [], table: { heads: [], rows, empty: '' } };
}

export function detailsOf(reply: Full, words: Words): Section[] {
  const { facts } = reply;
  return [...rulesOf(facts, words), ...flowsOf(facts, words), timeoutsOf(facts, words), versionsOf(reply, words)];
}
