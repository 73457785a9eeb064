/** A watch that a page asks for: how it is started, what it leaves, and that it is bounded. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from '../../../src/host/host.ts';
import { createObject } from '../../../src/object/object.ts';
import type { CallsReply } from '../../../src/object/object.ts';
import { CALLS, keepWatched, readWatched } from '../../../src/object/watched.ts';
import type { Ladder, Summary, Watched } from '../../../src/object/watched.ts';
import { watchCalls } from '../../../src/rpcd/watch-calls.ts';
import type { Listener } from '../../../src/rpcd/watch-calls.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { handClock, settle } from '../daemon/hand.ts';

const SUMMARY: Summary = { phones: 1, calls: 1, answered: 0, failed: 0, causes: [], registrations: [], ladders: [] };

/** A router whose memory can be written; a watch that is started runs in it, and does what it is given. */
function router(watch: (listener: Listener) => Promise<void>) {
  const clock = handClock();
  const files = new Map<string, string>();
  const recorded = recordedRouter('stock-alg-on');
  const started: string[] = [];
  let isHeld = false;
  const host: Host = {
    ...recorded,
    now: () => 1_000_000 + clock.now(),
    read: async (path, options) => {
      const value = files.get(path);
      if (value !== undefined) return { state: 'present', value, source: path };
      return path.startsWith(CALLS) ? { state: 'absent', source: path } : recorded.read(path, options);
    },
    write: async (path, text) => void files.set(path, text),
    remove: async (path) => void files.delete(path),
    lock: async () => {
      if (isHeld) return { busy: '' };
      isHeld = true;
      return { lock: { release: async () => void (isHeld = false) } };
    },
    run: async (argv, options) => {
      if (argv[0] !== 'sh') return recorded.run(argv, options);
      started.push(argv.slice(4).join(' '));
      void watchCalls({ host, seconds: Number(argv.at(-1)), watch });
      return { state: 'exited', command: 'sh', code: 0, stdout: '', stderr: '' };
    },
  };
  const object = createObject({ host, surveyor, clock, self: ['node', 'sipalg.js'] });
  const calls = async (): Promise<Watched | null> => ((await object.call('calls', {})) as CallsReply).watched;
  return { clock, files, started, host, object, calls };
}

const watched = suite('a watch of calls');

watched('is started beside the object, is answered as it has begun, and is not started twice', async () => {
  const all = router(() => new Promise(() => undefined));
  assert.is(await all.calls(), null);
  const { watched: begun } = (await all.object.call('watch', { seconds: 60 })) as CallsReply;
  assert.equal([begun?.live, begun?.began, begun?.until], [true, 1_000_000, 1_060_000]);
  await all.object.call('watch', { seconds: 30 });
  assert.equal(all.started, ['node sipalg.js rpcd watch 60']);
  assert.equal(await all.calls(), begun);
});

watched('tells what it sees as it comes, and how it stood in the end', async () => {
  let end = (): void => undefined;
  const all = router(async ({ told, remark, each }) => {
    remark({ text: 'Packets are not counted.' });
    told({ at: 5, cause: 'state-short', phone: null, call: null, text: 'the state expired' });
    await each({ ...SUMMARY, causes: [{ code: 'state-short', times: 1, text: 'The router forgets the phone.', fixes: [] }] });
    await new Promise<void>((resolve) => (end = resolve));
    await each({ ...SUMMARY, answered: 1 });
  });
  await all.object.call('watch', {});
  await settle();
  const now = await all.calls();
  assert.equal([now?.live, now?.told, now?.remarks, now?.summary?.causes[0]?.times], [
    true,
    [{ at: 5, cause: 'state-short', phone: null, call: null, text: 'the state expired' }],
    [{ text: 'Packets are not counted.' }],
    1,
  ]);
  end();
  await settle();
  const then = await all.calls();
  assert.equal([then?.live, then?.summary?.answered, then?.trouble], [false, 1, null]);
});

watched('is ended before its time by who asks for 0 seconds, sums up, and leaves nothing for the next one to end by', async () => {
  let looks = 0;
  const all: ReturnType<typeof router> = router(async ({ each, goOn }) => {
    while (goOn()) {
      looks += 1;
      await each(SUMMARY);
      await new Promise<void>((resolve) => all.clock.after(2000, resolve));
    }
    await each({ ...SUMMARY, answered: 1 });
  });
  const end = async (): Promise<Watched | null> => {
    const ending = all.object.call('watch', { seconds: 0 });
    await all.clock.pass(4000);
    return ((await ending) as CallsReply).watched;
  };
  assert.is(await end(), null, 'where there is none, nothing is ended');
  await all.object.call('watch', {});
  await all.clock.pass(4500);
  const before = looks;
  const ended = await end();
  assert.equal([ended?.live, ended?.summary?.answered, looks - before], [false, 1, 1]);
  assert.equal([...all.files.keys()], [CALLS]);
  assert.is((await end())?.began, ended?.began);
  await all.object.call('watch', {});
  await all.clock.pass(4000);
  assert.is((await all.calls())?.live, true, 'another one goes on');
});

watched('that could look at nothing says why, and the next one may begin', async () => {
  const all = router(async () => {
    throw new Error('There is no conntrack.');
  });
  await all.object.call('watch', {});
  await settle();
  const first = await all.calls();
  assert.equal([first?.live, first?.trouble], [false, { text: 'There is no conntrack.' }]);
  await all.clock.pass(1);
  await all.object.call('watch', {});
  assert.is(all.started.length, 2);
});

watched('that has written nothing for some time is over: its program is gone', async () => {
  const all = router(() => new Promise(() => undefined));
  await all.object.call('watch', {});
  await all.clock.pass(14_999);
  assert.is((await all.calls())?.live, true);
  await all.clock.pass(1);
  assert.is((await all.calls())?.live, false);
});

watched('whose file is damaged says so', async () => {
  const all = router(async () => undefined);
  for (const [text, because] of [
    ['{"at":', 'it is no JSON'],
    ['{"at":1}', 'it has no began that sipalg understands'],
  ] as const) {
    all.files.set(CALLS, text);
    assert.is((await readWatched(all.host))?.trouble?.text, `${CALLS}, where a watch writes down what it sees, could not be read: ${because}.`);
  }
});

watched('keeps the newest, and no more than a page needs', () => {
  const ladder = (call: number): Ladder => ({
    call,
    phone: '192.168.1.20:5060',
    far: '203.0.113.10:5060',
    rungs: Array.from({ length: 90 }, (_, at) => ({ at, what: 'INVITE', fromPhone: true, sdp: true, again: 0, fate: 'passed' as const })),
    omitted: 5,
  });
  const { kept, told, remark, summary } = keepWatched(0, 1);
  for (let at = 0; at < 1000; at++) {
    told({ at, cause: null, phone: null, call: null, text: 'x' });
    remark({ text: `remark ${at}` });
  }
  summary({ ...SUMMARY, ladders: Array.from({ length: 500 }, (_, at) => ladder(at + 1)) });
  assert.equal([kept.told.length, kept.told[0]?.at, kept.omitted, kept.remarks.length], [100, 900, 900, 20]);
  const { ladders = [] } = kept.summary ?? {};
  assert.equal([ladders.length, ladders[0]?.call, ladders[0]?.rungs.length, ladders[0]?.omitted], [20, 481, 60, 35]);
  assert.ok(JSON.stringify(kept).length < 160_000);
});

watched.run();
