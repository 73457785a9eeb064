/** /usr/libexec/rpcd/sipalg in a router's shell: what it lists, when it lets the daemon have the name, and what it hands on. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { METHODS } from '../../../src/object/object.ts';

const PLUGIN = 'files/usr/libexec/rpcd/sipalg';
/** As rpcd 4476687 reads the types of `list` (plugin.c): by an example in JSON. */
const EXAMPLES: Record<string, unknown> = { string: '', boolean: false, int32: 0 };

interface Context {
  folder: string;
  /** A process that is a daemon's by its command line. */
  daemon: { pid: number; end(): void };
}

const plugin = suite<Context>("rpcd's plugin");

plugin.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'plugin-'));
  mkdirSync(join(context.folder, 'bin'));
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'serve', '--no-page'], { stdio: 'ignore' });
  context.daemon = { pid: child.pid ?? 0, end: () => child.kill('SIGKILL') };
});

plugin.after(({ folder, daemon }) => {
  daemon.end();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs it as rpcd would, where the daemon's file says this; every tool it calls tells so. */
function run({ folder }: Context, serving: string | null, ...words: string[]) {
  const file = join(folder, 'sipalg.daemon');
  if (serving === null) rmSync(file, { force: true });
  else writeFileSync(file, serving);
  const text = readFileSync(PLUGIN, 'utf8').replace('/var/run/sipalg.daemon', file).replace('/usr/sbin/sipalg', join(folder, 'bin/sipalg'));
  for (const name of ['sipalg', 'ubus'])
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\necho "${name} $* $(umask)" >>'${folder}/log'; cat; exit 7\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'log'), '');
  writeFileSync(join(folder, 'plugin'), text);
  chmodSync(join(folder, 'plugin'), 0o755);
  const { status, stdout } = spawnSync('busybox', ['sh', '-c', 'umask 0077; exec busybox sh "$@"', 'sh', join(folder, 'plugin'), ...words], {
    encoding: 'utf8',
    input: '{"a":1}',
    env: { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` },
    timeout: 10_000,
  });
  return { status, stdout, called: readFileSync(join(folder, 'log'), 'utf8') };
}

const WHOLE = Object.fromEntries(
  Object.entries(METHODS).map(([name, { args }]) => [
    name,
    Object.fromEntries(Object.entries(args).map(([arg, type]) => [arg, EXAMPLES[type as string]])),
  ]),
);

plugin("lists the object's methods and arguments, and starts nothing for it", (context) => {
  const { status, stdout, called } = run(context, null, 'list');
  assert.equal([status, called], [0, '']);
  assert.equal(JSON.parse(stdout), WHOLE);
});

plugin('lists nothing while the daemon has the name, yet a whole object: rpcd waits forever for one', (context) => {
  for (const state of ['serving', '']) {
    const { stdout, called } = run(context, `${context.daemon.pid} ${state}\n`, 'list');
    assert.equal([JSON.parse(stdout), called], [{}, '']);
  }
});

plugin('has a daemon that is about to end let go of the name, before it lists', (context) => {
  const { stdout, called } = run(context, `${context.daemon.pid} ending\n`, 'list');
  assert.match(called, /^ubus -t 3 call sipalg\.daemon release /);
  assert.equal(JSON.parse(stdout), WHOLE, 'whatever came of that');
});

plugin('lists them where the daemon is gone without a word', (context) => {
  for (const serving of ['', '\n', 'x serving\n', '4194304 serving\n', `${process.pid} serving\n`, '1 ending\n']) {
    const { stdout, called } = run(context, serving, 'list');
    assert.equal([JSON.parse(stdout), called], [WHOLE, ''], serving);
  }
});

plugin('hands a call on with its arguments, under the umask that files of a firewall need', (context) => {
  const { status, stdout, called } = run(context, null, 'call', 'plan');
  assert.equal([status, stdout], [7, '{"a":1}']);
  assert.is(called, 'sipalg rpcd call plan 0022\n');
});

plugin.run();
