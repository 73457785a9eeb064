/** /etc/config/sipalg for the page's own mount: what is read and written, and what is said of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createConfiguration } from '../../../src/daemon/configuration.ts';
import type { Host } from '../../../src/host/host.ts';
import type { Written } from '../../../src/http/configuration.ts';
import { Trouble } from '../../../src/words/say.ts';

const FILE = `config sipalg 'main'
	option alg 'unmanaged'

config serve 'serve'

config hep 'hep'
	option password 'secret'

config provider
	list host 'sip.example.com'
`;

/** @param busy somebody else has the lock */
function router({ text = FILE, busy = false, others = null as string | null } = {}) {
  const file: { text: string; mode?: number | undefined } = { text };
  const echoed: string[] = [];
  const state = { locked: 0, released: 0, written: 0 };
  const door = createConfiguration({
    host: {
      read: async (path: string) =>
        path === '/etc/config/sipalg'
          ? { state: 'present', value: file.text, source: path }
          : { state: 'absent', source: path },
      write: async (_: string, next: string, mode?: number) => {
        file.text = others ?? next;
        file.mode = mode;
      },
      lock: async () => {
        state.locked += 1;
        return busy ? { busy: 'process 7 (sipalg apply)' } : { lock: { release: async () => void (state.released += 1) } };
      },
      kind: async (path: string) => ({ state: 'present', value: 'directory', source: path }),
      process: () => ({ pid: 1, uid: 0 }),
    } as unknown as Host,
    echo: (command) => echoed.push(command),
    onWritten: () => (state.written += 1),
  });
  const write = async (...changes: unknown[]): Promise<Written> => door.write((await door.read(true)).revision, changes);
  return { door, file, echoed, state, write };
}

const set = (type: string, section: string, option: string, value: unknown): unknown => ({ do: 'set', type, section, option, value });

const configuration = suite('the configuration by the page');

configuration('is written under the lock of a run, said command by command, and then put in force', async () => {
  const { write, file, echoed, state } = router();
  const written = await write(set('sipalg', 'main', 'alg', 'disabled'), set('provider', '@provider[0]', 'media', ['203.0.113.0/24']));
  assert.ok('done' in written);
  assert.is(
    file.text,
    FILE.replace('unmanaged', 'disabled').replace("'sip.example.com'\n", "'sip.example.com'\n\tlist media '203.0.113.0/24'\n"),
  );
  assert.equal(echoed, [
    "uci set sipalg.main.alg='disabled'",
    "uci delete 'sipalg.@provider[0].media'",
    "uci add_list 'sipalg.@provider[0].media'='203.0.113.0/24'",
    'uci commit sipalg',
  ]);
  assert.equal(state, { locked: 1, released: 1, written: 1 });
  assert.is(file.mode, 0o600, 'a file that is new may hold a password');
});

configuration('is said in a form that runs nothing else when it is typed', async () => {
  const { write, echoed } = router();
  assert.ok('done' in (await write(set('serve', 'serve', 'cert', "/etc/it's.pem"))));
  assert.equal(echoed, ["uci set sipalg.serve.cert='/etc/it'\\''s.pem'", 'uci commit sipalg']);
});

configuration('says no password, and shows it to who may write it alone', async () => {
  const { door, write, echoed } = router();
  const shown = async (secrets: boolean): Promise<unknown> =>
    (await door.read(secrets)).sections.find(({ type }) => type === 'hep')?.values;
  assert.equal(await shown(true), { password: 'secret' });
  assert.equal(await shown(false), {});
  assert.ok('done' in (await write(set('hep', 'hep', 'password', 'another'))));
  assert.equal(echoed, ['uci set sipalg.hep.password=...', 'uci commit sipalg']);
  const lying = await write(set('sipalg', 'hep', 'password', 'a third'));
  assert.ok('refused' in lying);
  assert.equal(
    [lying.refused[0]?.code, lying.refused[0]?.text],
    ['form-refused', '/etc/config/sipalg: the section "hep" is of type "hep", not "sipalg".'],
  );
  assert.is(echoed.length, 2);
});

configuration('is not written over what somebody else has written, nor where a value is bad, nor where nothing changes', async () => {
  const { door, write, file, echoed, state } = router();
  assert.equal(await door.write('another revision', [set('sipalg', 'main', 'alg', 'disabled')]), { stale: true });
  const refused = await write(set('serve', 'serve', 'every', '0'));
  assert.equal('refused' in refused && refused.refused.map(({ section, option }) => [section, option]), [['sipalg.serve', 'every']]);
  assert.ok('done' in (await write(set('sipalg', 'main', 'alg', 'unmanaged'))));
  assert.equal([file.text, echoed, state], [FILE, [], { locked: 3, released: 3, written: 0 }]);
});

configuration('takes no change that is none, and does not touch the lock for it', async () => {
  const { write, state } = router();
  for (const change of [
    null,
    'x',
    {},
    { do: 'set', type: 'constructor', section: 'main', option: 'alg', value: '1' },
    { do: 'set', type: 'sipalg', section: 'main', option: 'alg', value: 1 },
    { do: 'set', type: 'sipalg', section: 'main', option: 'alg', value: 'x'.repeat(1001) },
    { do: 'add', type: 'nothing', section: 'a' },
    { do: 'remove' },
  ])
    await write(change).then(
      () => assert.unreachable(JSON.stringify(change)),
      (error: Error) => assert.is(error.message, 'One of the changes is none that this program knows.'),
    );
  assert.is(state.locked, 0);
});

configuration('that cannot be locked says by whom, and one that is not as written says that', async () => {
  const busy = router({ busy: true });
  await busy.write(set('sipalg', 'main', 'alg', 'disabled')).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /^sipalg is locked \(\/var\/run\/sipalg\.lock\) by process 7 \(sipalg apply\), for longer/),
  );
  const raced = router({ others: '# theirs\n' });
  await raced.write(set('sipalg', 'main', 'alg', 'disabled')).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error instanceof Trouble && error.said.code, 'form-raced'),
  );
  assert.equal(raced.state, { locked: 1, released: 1, written: 0 });
});

configuration('that cannot be read says why, with a code', async () => {
  const { door } = router({ text: 'config sipalg\n\toption\n' });
  for (const secrets of [true, false])
    await door.read(secrets).then(
      () => assert.unreachable(),
      (error: Error) => {
        assert.match(error.message, /^\/etc\/config\/sipalg, line 2: .*\.$/);
        assert.is(error instanceof Trouble && error.said.code, 'form-line');
      },
    );
});

configuration.run();
