/** How often a phone was seen to speak, against how long its state lives. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reading } from '../../../src/host/host.ts';
import { INTERVALS_FILE, mergeIntervals, observeIntervals, parseIntervals } from '../../../src/observe/calls/intervals.ts';
import type { Interval } from '../../../src/observe/calls/intervals.ts';
import { textOf } from '../../../src/words/say.ts';
import { intervalsSection } from '../../../src/report/router.ts';
import { intervalsOf, noteIntervals } from '../../../src/cli/noted-intervals.ts';
import { NOW, recordedRouter } from '../../routers.ts';
import { saying } from '../../saying.ts';
import { reportOf } from '../../survey.ts';
import { calls, codes, failed, flows, present, said, signalling } from './made.ts';

const intervals = suite('intervals of phones');

const seen = (how: Interval['how'], seconds: number, changes: Partial<Interval> = {}): Interval => ({
  phone: '192.168.1.10:5060',
  far: '198.51.100.5:5060',
  how,
  seconds,
  times: 3,
  at: NOW - 12 * 60_000,
  by: 'watch',
  ...changes,
});

/** A stock router: 60 s, and 180 s once answered. */
const asked = (noted: Reading<Interval[]> | undefined, left: number) =>
  said({ flows: flows([signalling({ left, flags: ['ASSURED'] })]), ...(noted === undefined ? {} : { intervals: noted }) });

intervals('say of a silent phone whether it speaks in time', async () => {
  // Silent for 100 of 180 s: without more that looks like a phone that sends no keep-alive.
  assert.equal(codes(await asked(undefined, 80)), ['state-short']);
  const kept = await asked(present([seen('spoke', 150)]), 80);
  assert.equal([codes(kept), kept.ruledOut.some(({ code }) => code === 'state-short')], [[], true]);
  // A registration is renewed before it ends.
  assert.equal(codes(await asked(present([seen('granted', 120)]), 80)), []);
  // Another phone's is not this one's.
  assert.equal(codes(await asked(present([seen('spoke', 150, { phone: '192.168.1.11:5060' })]), 80)), ['state-short']);
});

intervals('say of a phone that has just spoken that it will not in time', async () => {
  assert.equal(codes(await asked(undefined, 178)), []);
  const short = await asked(present([seen('spoke', 300), seen('granted', 600)]), 178);
  assert.equal(codes(short), ['state-short']);
  assert.equal(short.found[0]?.evidence.map(textOf), [
    'udp 192.168.1.10:5060 -> 198.51.100.5:5060, 178 s left, 20 packets out, 20 in, ASSURED: '
      + 'it spoke every 300 s (seen 3 times by sipalg watch, 12 min ago), and its state lives 180 s',
  ]);
  // Granted for longer, or renewed more rarely, does not say that nothing is sent in between.
  assert.equal(codes(await asked(present([seen('granted', 600)]), 178)), []);
  assert.equal(codes(await asked(present([seen('renewed', 300), seen('granted', 600)]), 178)), []);
  assert.equal(codes(await asked(present([seen('renewed', 300), seen('granted', 600)]), 80)), ['state-short'], 'but its silence does');
});

intervals('are told of each phone, with when it is due, or that nobody has seen them', async () => {
  const line = async (noted: Reading<Interval[]> | undefined, left: number): Promise<string> =>
    textOf((await asked(noted, left)).phones[0]!).split('; ')[1] ?? '';
  assert.is(
    await line(present([seen('spoke', 60), seen('granted', 600, { times: 1, by: 'probe --phones', at: NOW - 5 * 3_600_000 })]), 140),
    'it spoke every 60 s (seen 3 times by sipalg watch, 12 min ago) and '
      + 'it is registered for 600 s (seen 1 time by sipalg probe --phones, 5 h ago), due again in 20 s',
  );
  assert.match(await line(present([seen('spoke', 60)]), 100), 'overdue by 20 s');
  const nobody = await asked({ state: 'absent', source: INTERVALS_FILE }, 140);
  assert.equal(nobody.phones.map(textOf).slice(1), ['How often it registers was not seen: `sipalg watch` tells.']);
  assert.is(await line(failed, 140), 'how often it registers could not be read: it may not be read');
  assert.is(await line(undefined, 140), '');
});

intervals('are read as far as they are some, and the newest of each kind is kept', () => {
  assert.equal(parseIntervals(JSON.stringify([seen('spoke', 60), { phone: 1 }, { ...seen('spoke', 1), far: '; rm' }, null])), [
    seen('spoke', 60),
  ]);
  assert.throws(() => parseIntervals('{}'), saying('it is no list'));
  const newer = seen('spoke', 90, { at: NOW });
  assert.equal(mergeIntervals([seen('spoke', 60), seen('granted', 600)], [newer], NOW), [newer, seen('granted', 600)]);
  assert.equal(mergeIntervals([seen('spoke', 60, { at: NOW - 8 * 86_400_000 })], [], NOW), []);
  const many = Array.from({ length: 200 }, (_, nth) => seen('spoke', 60, { phone: `192.168.1.10:${1000 + nth}`, at: NOW - nth }));
  assert.equal([mergeIntervals(many, [], NOW).length, mergeIntervals(many, [], NOW)[0]?.phone], [64, '192.168.1.10:1000']);
});

intervals('are noted beside what was noted before, and a file that says something else is no reason to fail', async () => {
  let file = '[broken';
  const host = {
    ...recordedRouter('stock-alg-absent'),
    read: async () => present(file),
    write: async (_: string, text: string) => void (file = text),
    now: () => NOW,
  };
  assert.is((await observeIntervals(host)).state, 'failed');
  const far = '198.51.100.5:5060';
  const registration = { phone: '192.168.1.10:5060', far, expires: 600, every: 290, times: 4, granted: NOW, refused: null, seen: NOW };
  const spoken = [{ phone: '192.168.1.11:5060', far, every: 30, times: 9, at: NOW }];
  const gone = { ...registration, granted: null, seen: null };
  assert.is(await noteIntervals(host, intervalsOf({ registrations: [registration, gone], spoken }, 'watch')), null);
  assert.equal(
    JSON.parse(file).map(({ phone, how, seconds, times }: Interval) => [phone, how, seconds, times]),
    [
      ['192.168.1.10:5060', 'granted', 600, 4],
      ['192.168.1.10:5060', 'renewed', 290, 3],
      ['192.168.1.11:5060', 'spoke', 30, 9],
    ],
  );
  await noteIntervals(host, [seen('spoke', 25, { phone: '192.168.1.11:5060', at: NOW, by: 'probe --phones' })]);
  assert.is(JSON.parse(file).length, 3);
  assert.match(
    (await noteIntervals({ ...host, write: () => Promise.reject(new Error('the disk is full')) }, [seen('spoke', 25)]))!.text,
    'the disk is full',
  );
});

intervals('stand in the document for the provider, with how each is known', async () => {
  const report = await reportOf(recordedRouter('stock-alg-absent'));
  const { blocks } = intervalsSection({ ...report, facts: { ...report.facts, calls: calls({ intervals: present([seen('spoke', 60)]) }) } });
  const [table] = blocks;
  const rows = table?.is === 'table' ? table.rows : [];
  const text = rows.at(-1)!.map((cell) => (typeof cell === 'string' ? cell : cell.text));
  assert.equal(text, [
    '192.168.1.10:5060 speaks to 198.51.100.5:5060 every',
    '60 s',
    'seen 3 times by `sipalg watch`, last on 2026-10-01 11:48:00 UTC',
  ]);
});

intervals.run();
