/** How many looks pages cost: one for all that ask within two seconds. Who asks over ubus by hand always gets a fresh one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createObject } from '../../../src/object/object.ts';
import type { HistoryReply } from '../../../src/object/object.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { handClock } from '../daemon/hand.ts';
import { machine } from '../rpcd/machine.ts';

const SESSION = { ubus_rpc_session: '0'.repeat(32) };

function counted() {
  let looks = 0;
  const clock = handClock();
  const look: typeof surveyor.look = (host, ...more) => {
    looks += 1;
    return surveyor.look(host, ...more);
  };
  const object = createObject({ host: recordedRouter('voice-in-force'), surveyor: { ...surveyor, look }, clock });
  return { clock, object, looks: () => looks };
}

const sharing = suite('pages that ask together');

sharing('cost the resident program one look in two seconds', async () => {
  const { clock, object, looks } = counted();
  for (let page = 0; page < 5; page++) await object.call('status', SESSION);
  await object.call('status', {}, true);
  await object.call('policy', SESSION);
  assert.is(looks(), 1);
  await clock.pass(1999);
  await object.call('status', SESSION);
  assert.is(looks(), 1);
  await clock.pass(1);
  await object.call('status', SESSION);
  assert.is(looks(), 2);
});

sharing('get a fresh look where something has happened meanwhile, and so does whoever asks by hand', async () => {
  const { object, looks } = counted();
  await object.call('status', SESSION);
  object.passes.outdate();
  await object.call('status', SESSION);
  assert.is(looks(), 2);
  await object.call('status', {});
  assert.is(looks(), 3);
});

/** Calls of the plugin, each by a process of its own; how often the rules were listed says how often it looked. */
function plugin() {
  let looks = 0;
  const recorded = recordedRouter('stock-alg-on');
  const all = machine('stock-alg-on', {
    run: (argv, options) => {
      if (argv[0] === 'nft') looks += 1;
      return recorded.run(argv, options);
    },
  });
  return { ...all, looks: () => looks };
}

sharing('cost one look in two seconds also where each call is a process of its own', async () => {
  const { call, clock, looks } = plugin();
  const first = await call('status', JSON.stringify(SESSION));
  const each = looks();
  assert.ok(each > 0);
  assert.equal(JSON.parse(await call('status', JSON.stringify(SESSION))), JSON.parse(first));
  await clock.pass(1000);
  const later = JSON.parse(await call('policy', JSON.stringify(SESSION))) as { now: { age: number }; verdict: object };
  assert.equal([later.now.age, later.verdict], [1000, (JSON.parse(first) as { verdict: object }).verdict]);
  assert.is(looks(), each);
  await call('status');
  assert.is(looks(), 2 * each, 'who asks by hand gets a fresh look');
  await clock.pass(1001);
  await call('status', JSON.stringify(SESSION));
  assert.is(looks(), 3 * each);
});

sharing('get a fresh look of the plugin where the wish or a run has changed since', async () => {
  const { call, files, looks } = plugin();
  await call('status', JSON.stringify(SESSION));
  const each = looks();
  files.set('/etc/config/sipalg', "config sipalg 'main'\n\toption alg 'disabled'\n");
  await call('status', JSON.stringify(SESSION));
  assert.is(looks(), 2 * each);
});

sharing('is so of the history too, which the plugin writes down every few minutes at most', async () => {
  let written = 0;
  const recorded = recordedRouter('voice-in-force');
  const files = new Map<string, string>();
  const all = machine('voice-in-force', {
    read: async (path, options) => {
      const value = files.get(path);
      if (value !== undefined) return { state: 'present', value, source: path };
      return path.startsWith('/var/run/sipalg.run') ? { state: 'absent', source: path } : recorded.read(path, options);
    },
    write: async (path, text) => {
      if (path === '/var/run/sipalg.run.history') written += 1;
      files.set(path, text);
    },
    run: async (argv, options) =>
      argv[0] === 'conntrack' && argv[1] === '-L'
        ? { state: 'exited', command: 'conntrack -L', code: 0, stdout: '', stderr: '' }
        : recorded.run(argv, options),
  });
  const spans = async (): Promise<number> => {
    const { spans, phones, unread } = JSON.parse(await all.call('history', JSON.stringify(SESSION))) as HistoryReply;
    assert.equal([phones, unread], [[], null]);
    return spans.length;
  };
  assert.is(await spans(), 0);
  for (let minute = 1; minute <= 10; minute++) {
    await all.clock.pass(60_000);
    assert.is(await spans(), 1, `minute ${minute}`);
  }
  assert.is(written, 4);
});

sharing.run();
