/** /usr/sbin/sipalg: which engine it takes, and how it starts it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs it where only these engines are; each says how it was called, and ends with 7. */
function run(engines: readonly string[], ...words: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'wrapper-'));
  mkdirSync(join(folder, 'bin'));
  for (const name of engines) writeFileSync(join(folder, 'bin', name), `#!/bin/sh\nprintf '%s|' ${name} "$@"; exit 7\n`, { mode: 0o755 });
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['files/usr/sbin/sipalg', ...words], {
    encoding: 'utf8',
    env: { PATH: join(folder, 'bin') },
  });
  return { status, said: stdout.split('|').slice(0, -1), stderr };
}

const QJS = ['qjs', '--no-unhandled-rejection', '--strip-source', '-m', '/usr/lib/sipalg/sipalg.qjs.mjs'];
const NODE = ['node', '--max-semi-space-size=1', '--max-old-space-size=96', '/usr/lib/sipalg/sipalg.mjs'];
/** The daemon stays: its memory counts for more than its speed, and it tidies up behind each look. */
const SMALL = '--optimize-for-size --expose-gc --v8-pool-size=0 --max-lazy --no-opt --no-sparkplug';
const STAYS = ['node', ...SMALL.split(' '), ...NODE.slice(1)];

const wrapper = suite('the command on the router');

wrapper('takes qjs where there is one, else Node, and Node for what stays', () => {
  for (const [engines, words, expected] of [
    [['qjs', 'node'], ['status', '--json'], QJS],
    [['qjs'], ['status', '--json'], QJS],
    [['node'], ['status', '--json'], NODE],
    [['qjs', 'node'], ['serve', '--no-page'], STAYS],
    [['node'], ['serve'], STAYS],
    [['qjs'], ['serve'], QJS], // which says what it lacks
    [['qjs', 'node'], [], QJS],
  ] as const)
    assert.equal(run(engines, ...words), { status: 7, said: [...expected, ...words], stderr: '' });
});

wrapper('hands words on as they are', () => {
  assert.equal(run(['qjs'], 'status', '', 'a b', '$x;`y`"').said, [...QJS, 'status', '', 'a b', '$x;`y`"']);
});

wrapper('says what to install where there is neither', () => {
  const { status, said, stderr } = run([], 'status');
  assert.equal([status, said], [2, []]);
  assert.match(stderr, /^sipalg: there is neither qjs nor node to run it; install the package quickjs .* or node .*\n$/);
});

wrapper.run();
