import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { BACK, FORWARD, LEAST, limitWaiting } from '../../../src/apply/waiting.ts';
import type { Host } from '../../../src/host/host.ts';
import { recordedRouter } from '../../routers.ts';

/** A machine on which every command hangs until it is killed, and every lock is held by somebody else. */
function hanging(): { host: Host; passed: () => number } {
  let time = 0;
  const host: Host = {
    ...recordedRouter('stock-alg-on'),
    elapsed: () => time,
    now: () => 1e12 - time * 1000, // somebody sets the clock back all the while
    async run(argv, { timeout = 30_000 } = {}) {
      time += timeout;
      return { state: 'failed', command: argv.join(' '), because: `it did not end within ${timeout / 1000} s and was killed` };
    },
    async lock(_path, wait) {
      time += wait;
      return { busy: '' };
    },
  };
  return { host, passed: () => time };
}

const waiting = suite('one budget for all waiting');

waiting('ends whatever hangs, before the init script does', async () => {
  const { host, passed } = hanging();
  const budget = limitWaiting(host);
  for (let n = 0; n < 20; n++) {
    await budget.host.run(['nft', 'list', 'ruleset']);
    await budget.host.lock('/var/run/fw4.lock', 500, '');
  }
  assert.ok(passed() < FORWARD + LEAST, `${passed()} ms`);
  const late = await budget.host.run(['conntrack', '-L']);
  assert.equal(late, { state: 'failed', command: 'conntrack -L', because: 'it was not begun: the 55 s for all waiting are over' });
  const before = passed();
  budget.takeBack();
  for (let n = 0; n < 20; n++) await budget.host.run(['nft', '-f', '-']);
  assert.ok(passed() - before < BACK + LEAST && passed() > before);
  const patience = Number(/^PATIENCE=(\d+)$/m.exec(readFileSync('files/etc/init.d/sipalg', 'utf8'))?.[1]) * 1000;
  assert.ok(FORWARD + BACK + 2 * LEAST + 5000 <= patience, 'there is room for what is no waiting');
});

waiting('is none where nothing hangs', async () => {
  const said = { state: 'exited', command: 'x', code: 0, stdout: '', stderr: '' } as const;
  const given: (number | undefined)[] = [];
  const { host } = hanging();
  const budget = limitWaiting({
    ...host,
    async run(_argv, options) {
      given.push(options?.timeout);
      return said;
    },
  });
  assert.is(await budget.host.run(['x']), said);
  await budget.host.run(['x'], { timeout: 5000 });
  assert.equal(given, [30_000, 5000]);
});

waiting('gives a command that is begun some seconds, though fewer are left: `rmmod` cannot be broken off', async () => {
  const given: (number | undefined)[] = [];
  let time = 0;
  const { host } = hanging();
  const here: Host = {
    ...host,
    elapsed: () => time,
    async run(argv, options) {
      given.push(options?.timeout);
      return { state: 'exited', command: argv.join(' '), code: 0, stdout: '', stderr: '' };
    },
  };
  const budget = limitWaiting(here);
  time = FORWARD - 10;
  await budget.host.run(['rmmod', 'nf_conntrack_sip']);
  await limitWaiting(here, 10, 0, 0).host.run(['nft', 'list', 'ruleset']);
  assert.equal(given, [LEAST, 1000]);
});

waiting.run();
