/** Metrics of a router with a real ALG, scraped by Debian's Prometheus; every alert fires by its cause and goes with it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { configuration, openHouse, PROVIDER, wait } from '../voice/router.ts';
import type { House } from '../voice/router.ts';
import { RULES, startPrometheus } from './prometheus.ts';
import type { Scraping } from './prometheus.ts';

const FILE = '/var/prometheus/sipalg.prom';

interface Context {
  house: House;
  prometheus: Scraping;
  /** Whether metrics are written, again and again, as /etc/init.d/sipalg-metrics would. */
  writing: boolean;
  writer: Promise<void>;
  over: boolean;
}

const alerts = suite<Context>('metrics and alerts');

alerts.before(async (context) => {
  context.house = await openHouse({ ruleset: 'stock-alg-on' });
  context.over = false;
  context.writing = true;
  const { router } = context.house;
  await router.must(['sipalg', 'metrics', '--file', FILE], { timeout: 60_000 });
  context.writer = (async () => {
    while (!context.over) {
      if (context.writing) await router.must(['sipalg', 'metrics', '--file', FILE], { timeout: 60_000 });
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  context.prometheus = await startPrometheus(async () => context.house.files.read(FILE));
});

alerts.after(async (context) => {
  context.over = true;
  await context.writer.catch(() => undefined); // What it failed by has failed a test already, for nothing was renewed.
  await context.prometheus?.stop();
  await context.house.close();
});

const promtool = (words: readonly string[], input = ''): { status: number | null; said: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', words, { input, encoding: 'utf8', timeout: 60_000 });
  return { status, said: stdout + stderr };
};

alerts('promtool has nothing to say of metrics and rules', ({ house }) => {
  const text = house.files.read(FILE);
  assert.equal(promtool(['check', 'metrics'], text), { status: 0, said: '' });
  assert.match(text, /\nsipalg_verdict\{state="rewriting"\} 1\n/);
  assert.is(promtool(['check', 'rules', RULES]).status, 0);
  // As an exporter of another user reads it.
  assert.is(statSync(house.files.host(FILE)).mode & 0o777, 0o644);
});

alerts(
  'an ALG that is on; then off, but only until the firewall is loaded; then not as is wished; then in order',
  async ({ house, prometheus }) => {
    await prometheus.settles(['SipAlgOn'], 'the ALG is on');
    const [verdict] = await prometheus.query('sipalg_verdict == 1');
    assert.is(verdict?.metric['state'], 'rewriting');
    assert.is((await house.router.run(['sipalg', 'probe'], { timeout: 60_000 })).status, 1);
    await prometheus.settles(['SipAlgOn', 'SipProbeChanged'], 'a probe has found it too');
    const [age] = await prometheus.query('time() - sipalg_probe_timestamp_seconds{kind="router"}');
    assert.ok(Number(age?.value[1] ?? NaN) < 60, JSON.stringify(age));
    await house.router.must(['nft', 'flush', 'chain', 'inet', 'fw4', 'helper_lan']);
    await prometheus.settles(['SipAlgWouldReturn', 'SipProbeChanged'], 'its rule is gone, and the next load of the firewall brings it back');
    house.files.write('/etc/config/sipalg', configuration('', 0).replace('unmanaged', 'disabled'));
    await prometheus.settles(['SipAlgNotAsWished', 'SipAlgWouldReturn', 'SipProbeChanged'], 'it is to be off for good, and nobody has applied that');
    await house.router.must(['sipalg', 'apply'], { timeout: 60_000 });
    await prometheus.settles(['SipProbeChanged'], 'the wish is reached');
    await house.router.must(['sipalg', 'probe'], { timeout: 60_000 });
    await prometheus.settles([], 'and a probe finds nothing');
  },
);

alerts('a router that cannot be looked at', async ({ house, prometheus }) => {
  await house.router.must(['mv', '/usr/sbin/nft', '/usr/sbin/nft-away']);
  await prometheus.settles(['SipAlgUnknown'], 'there is no nft to ask');
  await house.router.must(['mv', '/usr/sbin/nft-away', '/usr/sbin/nft']);
  await prometheus.settles([], 'it can be asked again');
});

alerts('a Homer server that is away', async ({ house, prometheus }) => {
  // Nobody listens there.
  const hep = "\nconfig hep 'hep'\n\toption enabled '1'\n\toption server '203.0.113.10:9060'\n";
  const before = house.files.read('/etc/config/sipalg');
  house.files.write('/etc/config/sipalg', `${before}\n${hep}`);
  const sender = house.router.spawn(['sipalg', 'send-messages']);
  sender.child.stdout.resume();
  sender.child.stderr.resume();
  const counted = async (): Promise<number> => (await prometheus.query('sipalg_hep_messages_total{result="failed"}')).length;
  for (const end = Date.now() + 30_000; (await counted()) === 0 && Date.now() < end; ) await wait(200);
  assert.is(await counted(), 1, 'it sends, and counts');
  await prometheus.settles([], 'nothing is lost yet');
  await house.sendSip('invite', { from: 'phone', to: 'provider' });
  await prometheus.settles(['SipMessagesLost'], 'what is sent comes back');
  sender.signal('SIGTERM');
  assert.is((await sender.ended).status, 0);
  house.files.write('/etc/config/sipalg', before);
  house.files.remove('/var/run/sipalg.hep');
  await prometheus.settles([], 'nobody sends any more');
});

alerts('metrics that nobody renews', async (context) => {
  context.writing = false;
  await context.prometheus.settles(['SipAlgMetricsOld'], 'nobody writes any more');
  context.writing = true;
  await context.prometheus.settles([], 'somebody writes again');
});

alerts('a scanner, whose requests are counted and dropped', async ({ house, prometheus }) => {
  await house.mustApply(configuration(PROVIDER).replace('unmanaged', 'disabled'));
  await prometheus.settles([], 'the voice rules are in force');
  await house.scan({ count: 400, every: 10, batch: 2 });
  await prometheus.settles(['SipRequestsLimited', 'SipScanned'], 'requests come, and most are dropped');
  // The alert may come before what was written behind the last request is scraped.
  const dropped = async (): Promise<number> =>
    Number((await prometheus.query('sum(sipalg_limited_total{method="register"})'))[0]?.value[1] ?? 0);
  const end = Date.now() + 30_000;
  while ((await dropped()) <= 300 && Date.now() < end) await wait(500);
  assert.ok((await dropped()) > 300, `${await dropped()} were dropped`);
  await prometheus.settles([], 'the scanner has gone');
});

alerts("a provider's name that has had no answer for days", async ({ house, prometheus }) => {
  const days = Date.now() - 3 * 86_400_000;
  const answer = { addresses: ['203.0.113.10'], ports: [], tlsPorts: [], at: days, until: days + 60_000, failed: null };
  house.files.write('/etc/sipalg.names', JSON.stringify({ 'sip.example.net': answer }));
  const named = configuration("config provider 'named'\n\tlist host 'sip.example.net'\n").replace('unmanaged', 'disabled');
  house.files.write('/etc/resolv.conf', '');
  await house.apply(named);
  await prometheus.settles(['SipProviderAnswerOld'], 'its answer is three days old');
  await house.apply(configuration(PROVIDER).replace('unmanaged', 'disabled'));
  await prometheus.settles([], 'nobody asks for that name any more');
});

alerts('each alert that there is was seen', () => {
  const named = [...readFileSync(RULES, 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name]) => name ?? '');
  const tried = readFileSync('test/lab/fleet/prometheus.test.ts', 'utf8');
  assert.equal(
    named.filter((name) => !tried.includes(`'${name}'`)),
    [],
  );
});

alerts.run();
