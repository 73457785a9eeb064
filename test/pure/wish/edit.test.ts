import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { edited, newProblems, shownOf } from '../../../src/wish/edit.ts';

const FILE = `# mine
config sipalg 'main'
	option alg 'disabled' # stays

config provider
	list host 'sip.example.com'
	option signalling '203.0.113.0/24 203.0.113.5'

config provider 'b'
	list host 'b.example.com'
`;

const edit = suite('changes of the configuration');

edit('change what they name, and no other byte', () => {
  assert.is(
    edited(FILE, [{ do: 'set', type: 'sipalg', section: 'main', option: 'alg', value: 'unmanaged' }]),
    FILE.replace("'disabled'", "'unmanaged'"),
  );
  assert.is(edited(FILE, []), FILE);
});

edit('make a section of which one is read where it is first needed', () => {
  assert.is(
    edited(FILE, [
      { do: 'set', type: 'timeouts', section: 'timeouts', option: 'media', value: '400' },
      { do: 'set', type: 'timeouts', section: 'timeouts', option: 'signalling_replied', value: '700' },
    ]),
    `${FILE}\nconfig timeouts 'timeouts'\n\toption media '400'\n\toption signalling_replied '700'\n`,
  );
});

edit('write lists: of an option a list, of a list what is gone and what is new', () => {
  assert.is(
    edited(FILE, [{ do: 'set', type: 'provider', section: '@provider[0]', option: 'signalling', value: ['203.0.113.5', '192.0.2.0/28'] }]),
    FILE.replace(
      "\toption signalling '203.0.113.0/24 203.0.113.5'\n",
      "\tlist signalling '203.0.113.5'\n\tlist signalling '192.0.2.0/28'\n",
    ),
  );
  assert.is(
    edited(FILE, [{ do: 'set', type: 'provider', section: 'b', option: 'host', value: [] }]),
    FILE.replace("\tlist host 'b.example.com'\n", ''),
  );
});

edit('add and remove sections, and refuse what UCI does not take', () => {
  assert.is(edited(FILE, [{ do: 'add', type: 'site', section: 'office' }]), `${FILE}\nconfig site 'office'\n`);
  assert.is(edited(FILE, [{ do: 'remove', section: 'b' }]).includes("'b'"), false);
  assert.throws(() => edited(FILE, [{ do: 'add', type: 'site', section: 'b' }]), /is there already/);
  assert.throws(() => edited(FILE, [{ do: 'add', type: 'site', section: 'a b' }]), /cannot name a section/);
  assert.throws(
    () => edited(FILE, [{ do: 'set', type: 'provider', section: 'gone', option: 'host', value: ['x'] }]),
    /there is no section "gone" any more/,
  );
});

edit('tell what they would bring, not what was wrong before', () => {
  const bad = FILE.replace("'disabled'", "'offf'");
  const after = edited(bad, [{ do: 'set', type: 'timeouts', section: 'timeouts', option: 'media', value: '1' }]);
  assert.equal(
    newProblems(bad, after).map(({ section, option }) => [section, option]),
    [['sipalg.timeouts', 'media']],
  );
  assert.equal(newProblems(bad, FILE), []);
});

edit('begin with what is read: every section once, values as they stand', () => {
  assert.equal(shownOf(`${FILE}\nconfig sipalg 'second'\n\nconfig whatever 'x'\n`), [
    { type: 'sipalg', section: 'main', values: { alg: 'disabled' } },
    { type: 'provider', section: '@provider[0]', values: { host: ['sip.example.com'], signalling: '203.0.113.0/24 203.0.113.5' } },
    { type: 'provider', section: 'b', values: { host: ['b.example.com'] } },
  ]);
});

edit.run();
