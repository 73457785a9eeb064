/** Metrics of recorded routers: names that do not change, and nothing that is not known. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { metricsOf } from '../../../src/fleet/metrics.ts';
import type { Host } from '../../../src/host/host.ts';
import { readSent, writeSent } from '../../../src/hep/record.ts';
import { exposition } from '../../../src/languages/prometheus/exposition.ts';
import { lastProbes, noteProbe } from '../../../src/probe/last.ts';
import { recordedRouter, routerNames } from '../../routers.ts';
import { saying } from '../../saying.ts';
import { reportOf, surveyor } from '../../survey.ts';

const metrics = suite('metrics');

const of = async (name: string): Promise<string> => exposition(metricsOf(await reportOf(recordedRouter(name))));
const valueIn = (text: string, sample: string): number | null => {
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
  return line === undefined ? null : Number(line.slice(sample.length));
};

metrics('say of each recorded router what its verdict says, whole, with the same help texts', async () => {
  const help = new Map<string, string>();
  for (const name of routerNames()) {
    const report = await reportOf(recordedRouter(name));
    const text = exposition(metricsOf(report));
    assert.is(valueIn(text, `sipalg_verdict{state="${report.verdict.alg}"}`), 1, name);
    assert.is(text.match(/^sipalg_verdict\{.*\} 1$/gm)?.length, 1, name);
    assert.match(text, /\nsipalg_check_success [01]\n$/);
    for (const [, metric = '', words = ''] of text.matchAll(/^# HELP (\w+) (.*)$/gm)) {
      assert.is(help.get(metric) ?? words, words);
      help.set(metric, words);
    }
    assert.is(valueIn(text, 'sipalg_exit_code'), (await surveyor.outcome(report.facts)).exit, name);
  }
  assert.is(help.size, 19); // and four of what may be noted beside a look
});

metrics('say how the last probes ended, and what became of messages for a Homer server, as they were noted', async () => {
  const files = new Map<string, string>();
  const host = {
    process: () => ({ pid: 1, uid: 0 }),
    now: () => 1_700_000_000_500,
    read: async (path: string) => {
      const value = files.get(path);
      return value === undefined ? { state: 'absent', source: path } : { state: 'present', source: path, value };
    },
    write: async (path: string, text: string) => void files.set(path, text),
  } as unknown as Host;
  const complaints: string[] = [];
  const complain = (text: string): void => void complaints.push(text);
  const router = await reportOf(recordedRouter('stock-alg-on'));
  const text = async (): Promise<string> =>
    exposition(metricsOf(router, { probes: await lastProbes(host), sent: await readSent(host) }));
  assert.is(await text(), await of('stock-alg-on'), 'nothing is noted');
  await noteProbe(host, complain, 'router', 1, 14, 9);
  await noteProbe(host, complain, 'provider', 0, 8, 0);
  await writeSent(host, { sent: 7, failed: 1, overflowed: 2, oversized: 3, missed: 4, unread: 5, cut: 6, waiting: 0 });
  const all = await text();
  for (const [sample, value] of [
    ['sipalg_probe_timestamp_seconds{kind="router"}', 1_700_000_000.5],
    ['sipalg_probe_result{kind="router",result="changed"}', 1],
    ['sipalg_probe_result{kind="router",result="unchanged"}', 0],
    ['sipalg_probe_result{kind="provider",result="unchanged"}', 1],
    ['sipalg_probe_messages{kind="router",which="all"}', 14],
    ['sipalg_probe_messages{kind="router",which="changed"}', 9],
    ['sipalg_hep_messages_total{result="sent"}', 7],
    ['sipalg_hep_messages_total{result="unread"}', 5],
  ] as const)
    assert.is(valueIn(all, sample), value, sample);
  // Those of nobody, and damaged ones, are not there.
  await noteProbe({ ...host, process: () => ({ pid: 1, uid: 1000 }) }, complain, 'mirror', 0, 1, 0);
  files.set('/var/run/sipalg.probed.router', '{"at":1700000000000,"result":"fine","messages":1,"changed":0}');
  files.set('/var/run/sipalg.probed.phones', '{');
  files.set('/var/run/sipalg.hep', '{"sent":"7"}');
  const full = async (): Promise<void> => Promise.reject(new Error('no space is left on the device'));
  await noteProbe({ ...host, write: full }, complain, 'mirror', 0, 1, 0);
  assert.equal(complaints, ['no space is left on the device']);
  const left = await text();
  assert.not.match(left, /kind="(mirror|router|phones)"|sipalg_hep/);
  assert.match(left, 'kind="provider"');
});

metrics('count what the voice rules count, on both firewalls, and leave out what is not known', async () => {
  for (const name of ['voice-in-force', 'voice-fw3']) {
    const text = await of(name);
    assert.is(text.match(/^sipalg_attempts_total\{method="\w+"\}/gm)?.length, 5, `${name}: ${text}`);
    assert.ok((valueIn(text, 'sipalg_voice_packets_total{kind="signalling"}') ?? -1) >= 0, name);
  }
  assert.ok((valueIn(await of('voice-in-force'), 'sipalg_limited_total{method="register"}') ?? 0) > 0);
  const stale = await of('voice-stale-names');
  assert.ok((valueIn(stale, 'sipalg_oldest_provider_answer_timestamp_seconds') ?? 0) > 1e9, stale);
  const plain = await of('stock-alg-on');
  for (const absent of ['sipalg_attempts_total', 'sipalg_voice_bytes_total', 'sipalg_oldest_provider_answer', 'sipalg_provider_names'])
    assert.not.match(plain, new RegExp(absent));
  const unread = await of('hostile-nft');
  assert.is(valueIn(unread, 'sipalg_check_success'), 0);
});

metrics('are refused where a reader would refuse them', () => {
  const one = { name: 'a', type: 'gauge', help: 'x', samples: [{ value: 1 }] } as const;
  assert.is(
    exposition([{ ...one, help: 'a\nb\\', samples: [{ labels: { l: 'q"\\\n\udc80' }, value: 1 }] }]),
    '# HELP a a\\nb\\\\\n# TYPE a gauge\na{l="q\\"\\\\\\n\ufffd"} 1\n',
  );
  assert.throws(() => exposition([one, one]), saying('cannot name a metric, or names two'));
  assert.throws(() => exposition([{ ...one, name: 'a_total' }]), saying('a counter ends with _total'));
  assert.throws(() => exposition([{ ...one, samples: [{ value: 1 }, { value: 2 }] }]), saying('one sample twice'));
  assert.is(exposition([{ ...one, samples: [] }]), '');
});

metrics.run();
