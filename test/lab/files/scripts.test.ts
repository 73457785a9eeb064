/** What holds for every script that goes onto a router. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { scripts, SHELLS } from './scripts.ts';

const every = suite('scripts of the router');
const DAEMON = 'package/sipalg-daemon/root';
const FLEET = 'package/sipalg-fleet/root';
const CALLS = 'package/sipalg-calls/root';
const found = [...scripts(), ...[DAEMON, FLEET, CALLS].flatMap((root) => scripts(root))];

every('are all there', () => {
  for (const path of [
    'files/etc/init.d/sipalg',
    'files/etc/init.d/sipalg-early',
    'files/etc/hotplug.d/iface/30-sipalg',
    'files/usr/sbin/sipalg',
    `${DAEMON}/etc/init.d/sipalg-daemon`,
    `${FLEET}/etc/init.d/sipalg-metrics`,
    `${FLEET}/usr/lib/sipalg/metrics.sh`,
    `${CALLS}/etc/init.d/sipalg-hep`,
  ]) {
    assert.ok(found.includes(path), path);
  }
});

for (const path of found) {
  every(`${path} has nothing for shellcheck to say`, () => {
    const { status, stdout, stderr, error } = spawnSync('shellcheck', ['--shell=dash', path], { encoding: 'utf8', timeout: 20_000 });
    assert.is(error, undefined);
    assert.is(status, 0, stdout + stderr);
  });

  for (const [shell = '', ...args] of SHELLS) {
    every(`${path} is understood by ${shell}`, () => {
      const { status, stderr } = spawnSync(shell, [...args, '-n', path], { encoding: 'utf8', timeout: 20_000 });
      assert.is(status, 0, stderr);
    });
  }

  every(`${path} may be run where it is to be run`, () => {
    // hotplug-call and removal scripts read theirs; all others are programs.
    const isRead = /\/hotplug\.d\/|\.sh$/.test(path);
    if (!isRead) assert.ok(statSync(path).mode & 0o111, 'it is not executable');
    assert.not.match(readFileSync(path, 'utf8'), /\r|[ \t]$/m);
  });
}

every('start in the order that counts: modules, early, firewall, network, sipalg, its daemon', () => {
  const start = (name: string, root = 'files'): number =>
    Number(/^START=(\d+)$/m.exec(readFileSync(`${root}/etc/init.d/${name}`, 'utf8'))?.[1]);
  const [BOOT, FIREWALL, NETWORK] = [10, 19, 20];
  assert.ok(start('sipalg-early') > BOOT && start('sipalg-early') < FIREWALL);
  assert.ok(start('sipalg') > NETWORK);
  assert.ok(start('sipalg-daemon', DAEMON) > start('sipalg'));
});

every.run();
