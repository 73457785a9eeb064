/** The rules over everything that is done to a firewall: reloads, changes, a flush, and being taken away. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { comparable } from '../listing.ts';
import { ADDRESS } from '../network.ts';
import { startTraffic, STREAMS } from '../traffic.ts';
import { configuration, openHouse, PROVIDER, SCANNERS, wait } from './router.ts';
import type { House } from './router.ts';

const storms = suite('the voice rules');
let house: House;
storms.before.each(async () => {
  house = await openHouse();
});
storms.after.each(() => house.close());

const ROUNDS = 12;

/**
 * Looks again and again, until stopped, whether the rules that limit and those that count are there. A listing is made of
 * several dumps, and nft may take one for whole that a commit went through (seen on Linux 6.18 with nft 1.0.6, in tables
 * of nobody's but nft's): what is missing is missing when the next listing lacks it too.
 */
function watching(): { stop(): Promise<{ looks: number; missing: string[] }> } {
  let on = true;
  const missing: string[] = [];
  let looks = 0;
  const lacking = async (): Promise<string | null> => {
    const { status, stdout, stderr } = await house.router.run(['nft', 'list', 'table', 'inet', 'sipalg']);
    looks++;
    const lacks = ['goto internet', 'goto from_register', ADDRESS.provider].filter((each) => !stdout.includes(each));
    return status === 0 && lacks.length === 0 ? null : `${lacks.join(', ')} in: ${stdout}${stderr}`;
  };
  const ended = (async () => {
    while (on) {
      const first = await lacking();
      const second = first === null ? null : await lacking();
      if (second !== null) missing.push(second);
    }
  })();
  return {
    async stop() {
      on = false;
      await ended;
      return { looks, missing };
    },
  };
}

storms('stand through a storm of reloads and of changes, with calls and scanners all the while', async () => {
  const settings = (round: number): string =>
    configuration(
      `${PROVIDER}${round % 3 === 2 ? '' : "\tlist media '198.51.100.0/24'\n"}config timeouts 'timeouts'\n\toption media '${300 + (round % 4)}'\n`,
    );
  await house.mustApply(settings(0));
  const pbx = await house.pbx();
  const traffic = await startTraffic(house);
  const watch = watching();
  const began = Date.now();
  let over = false;
  const scanning = (async () => {
    for (let port = 6000; !over; port++) await house.scan({ count: 400, every: 5, batch: 2, from: { address: SCANNERS[0], port } });
  })();
  for (let round = 1; round <= ROUNDS; round++) {
    const ran = await Promise.all([house.router.run(['fw4', '-q', 'reload']), round % 2 === 0 ? house.apply(settings(round)) : null]);
    assert.is(ran[0].status, 0, ran[0].stderr);
    assert.ok(ran[1] === null || ran[1].status === 0, ran[1]?.stdout);
  }
  over = true;
  await scanning;
  const { looks, missing } = await watch.stop();
  assert.ok(looks > 20, `${looks} looks`);
  assert.equal(missing, []);
  for (const { name, direction, sent, lost } of await traffic.stop())
    assert.ok(sent > 100 && lost === 0, `${name} ${direction}: ${lost} of ${sent} lost`);
  const seconds = (Date.now() - began) / 1000;
  const heard = (await pbx.heard())[`${SCANNERS[0]} REGISTER`] ?? 0;
  assert.ok(heard <= 5 + Math.ceil((seconds * 5) / 60), `${heard} requests in ${seconds} s: no change gave a source its allowance anew`);
  assert.is((await house.router.run(['sipalg', 'status'])).status, 0);
  await pbx.end();
});

storms("are noticed when a flush has taken them, and are put back: by the firewall's next start, and by apply", async () => {
  await house.mustApply(configuration(PROVIDER));
  await house.router.must(['fw4', 'flush']);
  assert.is(await house.table(), '');
  const { stdout } = await house.router.run(['sipalg', 'status', '--json']);
  assert.match(stdout, /"policy-missing"/);
  await house.router.must(['fw4', '-q', 'start']);
  assert.match(await house.table(), /goto internet/, 'the firewall brings them along');
  assert.is((await house.router.run(['sipalg', 'status'])).status, 0, 'whole');
  await house.router.must(['fw4', 'flush']);
  await house.router.must(['fw4', '-q', 'start']);
  await house.router.must(['nft', 'delete', 'table', 'inet', 'sipalg']);
  await house.mustApply(configuration(PROVIDER));
  assert.match(await house.table(), /goto internet/);
});

storms('are noticed when somebody has changed them, and made whole', async () => {
  const config = configuration(PROVIDER);
  await house.mustApply(config);
  for (const change of [
    ['flush', 'chain', 'inet', 'sipalg', 'internet'],
    ['add', 'element', 'inet', 'sipalg', 'signalling4', '{ 0.0.0.0/1 }'],
    ['insert', 'rule', 'inet', 'sipalg', 'forwarded', 'accept'],
    ['delete', 'element', 'inet', 'sipalg', 'signalling4', `{ ${ADDRESS.provider} }`],
  ]) {
    const rules = async (): Promise<unknown[]> =>
      comparable((await house.ruleset()).filter((entry) => JSON.stringify(entry).includes('"table":"sipalg"')));
    const before = await rules();
    assert.ok(before.length > 50);
    await house.router.must(['nft', ...change]);
    assert.match((await house.router.run(['sipalg', 'status', '--json'])).stdout, /"policy-changed"/, change.join(' '));
    await house.mustApply(config);
    assert.equal(await rules(), before, change.join(' '));
  }
});

storms('are the same again when nothing has changed: nothing is run, nothing is written', async () => {
  await house.mustApply(configuration(PROVIDER));
  const listed = async (): Promise<string> =>
    (await house.router.must(['nft', '-a', 'list', 'ruleset'])).replace(/packets \d+ bytes \d+/g, '');
  const before = await listed();
  const again = await house.apply(configuration(PROVIDER));
  assert.not.match(again.stdout + again.stderr, /^\s*\[#\]/m);
  assert.is(await listed(), before); // handles and all
});

storms('go without a trace, and calls go on', async () => {
  const files = async (): Promise<string> =>
    house.router.must([
      'sh',
      '-c',
      'cd / && find etc var/run run/ -xdev -type f ! -path "*/sipalg.journal" ! -path "etc/config/sipalg" ! -name "*.lock" ! -name fw4.state | sort | while read -r f; do md5sum "$f"; done',
    ]);
  const before = {
    rules: comparable(await house.ruleset()),
    files: await files(),
    sysctl: await house.router.must(['sh', '-c', 'cat /proc/sys/net/netfilter/nf_conntrack_udp_timeout*']),
  };
  const traffic = await startTraffic(house);
  await house.mustApply(configuration(PROVIDER));
  assert.ok(house.files.exists('/etc/sipalg.policy') && house.files.exists('/etc/sipalg.include'));
  await wait(500);
  await house.mustApply(configuration(PROVIDER, 0));
  assert.equal(
    {
      rules: comparable(await house.ruleset()),
      files: await files(),
      sysctl: await house.router.must(['sh', '-c', 'cat /proc/sys/net/netfilter/nf_conntrack_udp_timeout*']),
    },
    before,
  );
  for (const { name, direction, lost, sent } of await traffic.stop())
    assert.ok(sent > 30 && lost === 0, `${name} ${direction}: ${lost} of ${sent} lost`);
  assert.ok(STREAMS.some(({ kind }) => kind === 'rtp'));
});

storms.run();
