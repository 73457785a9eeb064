import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseJournal, renderJournal, withTaken } from '../../../src/journal/journal.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import type { Taken } from '../../../src/journal/taken.ts';
import { observe } from '../../../src/observe/observe.ts';
import { planAlg as plan } from '../../../src/plan/plan.ts';
import { recordedRouter, routerNames } from '../../routers.ts';
import { damage, seeded } from '../../seeded.ts';

const rule = { family: 'inet', table: 't', chain: 'c', rule: 'ct helper set "sip"', remains: null, previous: null, next: 'x', place: 0 };
const TAKEN: Taken[] = [
  { kind: 'file', path: '/etc/modules.conf', before: null, after: 'x\n' },
  {
    kind: 'file',
    path: '/etc/config/firewall',
    before: 'a\udcff',
    after: 'b',
    settings: [
      { type: 'zone', name: null, index: 0, label: 'lan', option: 'helper', before: null, after: { kind: 'list', values: ['ftp'] } },
    ],
  },
  {
    kind: 'nft',
    rules: [rule],
    elements: [{ family: 'inet', table: 't', map: 'm', elements: ['1 : "sip"'] }],
    helpers: [{ family: 'inet', table: 't', name: 'sip', type: 'sip', protocol: 'udp', l3proto: 'inet' }],
  },
  {
    kind: 'iptables',
    save: 'iptables-save',
    restore: 'iptables-restore',
    rules: [{ table: 'raw', chain: 'c', rule: '-j CT --helper sip', previous: 'a', next: null, place: 1 }],
  },
  { kind: 'module', name: 'nf_conntrack_sip', parameters: { ports: '5060' } },
  { kind: 'automatic', value: 1 },
];
const JOURNAL: Journal = {
  format: 1,
  program: '0.1.0',
  since: 1_760_000_000_000,
  state: 'taken',
  taken: TAKEN,
  held: { because: 'x', of: 'y' },
};

const journals = suite('the journal');

journals('is read as it was written', () => {
  for (const state of ['taking', 'taken', 'giving back'] as const) {
    const journal: Journal = { ...JOURNAL, state, held: null };
    assert.equal(parseJournal(renderJournal(journal)), journal);
  }
  assert.equal(parseJournal(renderJournal(JOURNAL)), JOURNAL);
  assert.ok(renderJournal(JOURNAL).endsWith('\n'));
});

journals('holds everything that a plan takes, on every recorded router', async () => {
  for (const name of routerNames()) {
    const { takes } = plan(await observe(recordedRouter(name)), 'disabled', true);
    const journal = { ...JOURNAL, taken: takes };
    assert.equal(parseJournal(renderJournal(journal)), journal, name);
  }
});

journals('is refused in a sentence where it is something else', () => {
  const wrong: [string, RegExp][] = [
    ['', /no JSON; it may have been cut short/],
    [renderJournal(JOURNAL).slice(0, -20), /no JSON/],
    ['null', /not a journal of format 1/],
    ['[]', /format 1/],
    ['{"format":2}', /format 1/],
    ['{"format":1}', /entries are not what sipalg writes/],
  ];
  for (const [text, words] of wrong) assert.throws(() => parseJournal(text), words);
});

journals('is refused where any part of an entry is missing or of another kind', () => {
  /** Every way to spoil one field anywhere in a value. */
  const spoilt = (value: unknown): unknown[] => {
    if (typeof value !== 'object' || value === null) return [];
    return Object.keys(value).flatMap((key) => {
      const inside = (value as Record<string, unknown>)[key];
      const put = (other: unknown): unknown =>
        Array.isArray(value) ? value.map((one, at) => (String(at) === key ? other : one)) : { ...value, [key]: other };
      return [...spoilt(inside).map(put), put({ toString: 1 }), put(7.5)];
    });
  };
  let count = 0;
  for (const broken of spoilt(JOURNAL)) {
    // A parameter by another name is a parameter; a list of numbers is none.
    assert.throws(() => parseJournal(JSON.stringify(broken)), /./, JSON.stringify(broken).slice(0, 2000));
    count++;
  }
  assert.ok(count > 100, String(count));
});

journals('is read or refused when damaged, and what is read can be planned with', async () => {
  const facts = await observe(recordedRouter('disabled'));
  const text = renderJournal(JOURNAL);
  let read = 0;
  for (let seed = 1; seed <= 1500; seed++) {
    let journal: Journal;
    try {
      journal = parseJournal(damage(text, seeded(seed)));
    } catch (error) {
      assert.ok((error as Error).message.length < 200, `seed ${seed}`);
      continue;
    }
    read++;
    plan({ ...facts, journal: { state: 'present', source: 'x', value: journal } }, 'enabled', false);
  }
  assert.ok(read > 20 && read < 1480, String(read));
});

journals('takes each entry in once', () => {
  const empty: Journal = { ...JOURNAL, taken: [] };
  const once = withTaken(empty, TAKEN);
  assert.equal(once.taken, TAKEN);
  assert.equal(withTaken(once, JSON.parse(JSON.stringify(TAKEN)) as Taken[]), once);
  const other: Taken = { kind: 'automatic', value: 2 };
  assert.equal(withTaken(once, [other]).taken, [...TAKEN, other]);
  assert.equal(empty.taken, [], 'the journal given is left alone');
});

journals.run();
