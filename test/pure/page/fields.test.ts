import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { itemsOf, unsetOf, wrongOf } from '../../../src/page/check.ts';
import { GROUPS, keyOf } from '../../../src/page/fields.ts';
import { changesOf, EMPTY, entered, formOf, read, saved } from '../../../src/page/form.ts';
import type { FormState } from '../../../src/page/form.ts';
import { wordsIn } from '../../../src/page/words.ts';
import { readConfiguration } from '../../../src/wish/read.ts';
import { SCHEMA } from '../../../src/wish/schema.ts';
import type { TypeName } from '../../../src/wish/schema.ts';

const words = wordsIn((text) => text);

const fields = suite('the fields');

fields('are all options that the configuration has, each once and with words of its own', () => {
  const all = Object.entries(SCHEMA).flatMap(([type, { options }]) =>
    Object.keys(options).map((option) => keyOf(type as TypeName, option)),
  );
  const drawn = GROUPS.flatMap((group) => group.fields.map(({ option }) => keyOf(group.type, option)));
  assert.equal([...drawn].sort(), all.sort());
  assert.equal(Object.keys(words.form.fields).sort(), all.sort());
});

fields('are lists where the schema takes lists, and boxes where it takes 1 or 0', () => {
  for (const { type, fields: of } of GROUPS)
    for (const { option, kind } of of) {
      const schema = (SCHEMA[type].options as Record<string, { takes: string; read(given: string): unknown }>)[option];
      assert.is(kind === 'list', schema?.takes === 'list', keyOf(type, option));
      const flag = schema?.takes === 'option' && schema.read('1') === true && schema.read('no') === false;
      assert.is(kind === 'flag', flag, keyOf(type, option));
    }
});

/** What a section lacks as a whole. */
const LACKS = ['problem-provider', 'problem-site', 'problem-inbound'];

const GIVEN = [
  '',
  '0',
  '1',
  'yes',
  'No',
  '5',
  '29',
  '30',
  '86400',
  '86401',
  '6001',
  'EF',
  'ef',
  'AF14',
  '64',
  '0x2e',
  'disabled',
  'off',
  'de',
  'pt_BR',
  'german',
  '127.0.0.1:8061',
  '127.0.0.1',
  '203.0.113.0/24',
  '203.0.113.0/33',
  '10.0.0.0/4',
  '127.0.0.1/32',
  '2001:db8::/32',
  'sip.example.com',
  'sip.example.com:80',
  '192.168.1.20',
  '1024',
  '80',
  '10000-20000',
  '20000-10000',
  '/etc/uhttpd.crt',
  'uhttpd.crt',
  'info',
  'all',
];

fields('take what the reader of the configuration takes, and nothing else', () => {
  for (const { type, fields: of } of GROUPS)
    for (const { option, kind } of of)
      for (const text of GIVEN.filter((one) => one !== '')) {
        const name = SCHEMA[type].name ?? 'x';
        const file = `config ${type} '${name}'\n\t${kind === 'list' ? 'list' : 'option'} ${option} '${text}'\n`;
        const refused = readConfiguration(file).problems.some(
          (problem) => problem.option === option && !LACKS.includes(problem.code ?? ''),
        );
        const wrong = wrongOf(type, name, option, { enabled: '0', [option]: kind === 'list' ? [text] : text }, words);
        assert.is(wrong !== null, refused, `${file}${wrong}`);
      }
});

fields('refuse in the words of the reader', () => {
  assert.is(wrongOf('timeouts', 'timeouts', 'media', { media: '10' }, words), '"10" is not allowed here; it may be 30 to 86400 (seconds).');
  const network = { signalling: ['10.0.0.0/4'] };
  const [problem] = readConfiguration("config provider 'x'\n\tlist signalling '10.0.0.0/4'\n").problems;
  const said = wrongOf('provider', 'x', 'signalling', network, words) ?? '-';
  assert.ok(problem?.text.includes(said), `${problem?.text} / ${said}`);
  assert.is(wrongOf('provider', 'x', 'host', {}, words), readConfiguration("config provider 'x'\n").problems[0]?.text);
  assert.is(wrongOf('provider', 'x', 'host', { signalling: ['203.0.113.0/24'] }, words), null);
  assert.is(wrongOf('provider', 'x', 'host', { enabled: 'off' }, words), null, 'one that is off lacks nothing');
  assert.is(
    wrongOf('provider', 'x', 'inbound', { host: 'sip.example.com', inbound: '1' }, words),
    readConfiguration("config provider 'x'\n\tlist host 'sip.example.com'\n\toption inbound '1'\n").problems[0]?.text,
  );
});

fields('show what holds where nothing is given', () => {
  assert.equal(
    [
      unsetOf('timeouts', 'media'),
      unsetOf('marking', 'signalling'),
      unsetOf('limit', 'enabled'),
      unsetOf('serve', 'listen'),
      unsetOf('provider', 'host'),
    ],
    ['300', 'CS3', '1', '', ''],
  );
  assert.equal([itemsOf('a  b'), itemsOf([' c ', '']), itemsOf(null)], [['a', 'b'], ['c'], []]);
});

const form = suite('the form');

const FILE = {
  revision: 'r1',
  sections: [
    { type: 'sipalg', section: 'main', values: { policy: 'yes' } },
    { type: 'provider', section: 'a', values: { host: ['x.example.com', 'y.example.com'] } },
  ],
};
const begun = (): FormState => read(EMPTY, FILE);

form('sends what is another than in the file, however it is written there', () => {
  let now = entered(begun(), { do: 'enter', section: 'main', option: 'policy', value: '1' });
  assert.equal(changesOf(now), [], '1 is what "yes" means');
  now = entered(now, { do: 'enter', section: 'timeouts', option: 'media', value: '400' });
  now = entered(now, { do: 'enter', section: 'a', option: 'host', value: ['x.example.com', ''] });
  now = entered(now, { do: 'add', type: 'site', section: 'office' });
  now = entered(now, { do: 'enter', section: 'office', option: 'network', value: ['203.0.113.0/29'] });
  assert.equal(changesOf(now), [
    { do: 'add', type: 'site', section: 'office' },
    { do: 'set', type: 'timeouts', section: 'timeouts', option: 'media', value: '400' },
    { do: 'set', type: 'provider', section: 'a', option: 'host', value: ['x.example.com'] },
    { do: 'set', type: 'site', section: 'office', option: 'network', value: ['203.0.113.0/29'] },
  ]);
  assert.equal(changesOf(entered(begun(), { do: 'remove', section: 'a' })), [{ do: 'remove', section: 'a' }]);
  const gone = entered(now, { do: 'remove', section: 'office' });
  assert.is(
    changesOf(gone).some((change) => change.section === 'office'),
    false,
    'what was only added here was never there',
  );
});

form('shows fields of voice rules where these are switched on, and what needs a box where that is ticked', () => {
  const names = (state: FormState): string[] => formOf(state, 'voice', true, words)?.groups.map(({ name }) => name) ?? [];
  assert.equal(names(begun()), ['rules', 'timeouts', 'marking', 'limit']);
  assert.equal(names(entered(begun(), { do: 'enter', section: 'main', option: 'policy', value: '0' })), ['rules']);
  const provider = (state: FormState): string[] =>
    formOf(state, 'providers', true, words)?.groups[0]?.sections[0]?.fields.map(({ option }) => option) ?? [];
  assert.is(provider(begun()).includes('pbx'), false);
  assert.is(provider(entered(begun(), { do: 'enter', section: 'a', option: 'inbound', value: '1' })).includes('pbx'), true);
});

form('keeps what was entered where it was refused or is stale, and begins anew where it was written', () => {
  const typed = entered(begun(), { do: 'enter', section: 'timeouts', option: 'media', value: '400' });
  const refused = saved(typed, { refused: [{ section: 'sipalg.timeouts', option: 'media', text: 'No.' }] }, words);
  const field = formOf(refused, 'voice', true, words)?.groups[1]?.sections[0]?.fields.find(({ option }) => option === 'media');
  assert.equal([field?.value, field?.wrong, refused.said?.text], ['400', 'No.', 'Not saved: No.']);
  assert.equal(saved(typed, { stale: true }, words).entered, typed.entered);
  const done = saved(typed, { done: { ...FILE, revision: 'r2' } }, words);
  assert.equal([done.entered, done.file?.revision, done.said?.tone], [{}, 'r2', 'success']);
});

fields.run();
form.run();
