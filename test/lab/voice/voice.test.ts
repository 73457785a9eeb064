/** The voice rules on a router: put there, changed by others, brought back by the firewall itself, and taken away. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { configuration, openHouse, PROVIDER } from './router.ts';
import type { House } from './router.ts';

const room = suite('the voice rules on a router');
let house: House;
room.before.each(async () => {
  house = await openHouse();
});
room.after.each(() => house.close());

const FILES = [
  '/etc/sipalg.policy',
  '/etc/sipalg.include',
  '/etc/sipalg.names',
  '/etc/sysctl.d/99-sipalg.conf',
  '/var/run/sipalg.policy',
  '/var/run/sipalg.names',
];
const there = async (): Promise<string[]> =>
  (await house.router.run(['sh', '-c', `ls ${FILES.join(' ')} 2>/dev/null`])).stdout.split('\n').filter((line) => line !== '');
const nft = (...argv: string[]): Promise<string> => house.router.must(['nft', ...argv]);
const said = async (...argv: string[]): Promise<string> => (await house.router.run(['sipalg', ...argv])).stdout;

room('come and go without a trace: every file, the table, and the bytes of /etc/config/firewall', async () => {
  const before = house.files.read('/etc/config/firewall');
  const ruleset = (await nft('list', 'ruleset')).replace(/counter packets \d+ bytes \d+/g, '');
  await house.mustApply(configuration(PROVIDER));
  assert.equal(await there(), ['/etc/sipalg.include', '/etc/sipalg.policy', '/var/run/sipalg.policy']);
  assert.match(await said('policy'), 'The voice firewall rules are in force.');
  const again = await house.router.run(['sipalg', 'apply']);
  assert.match(again.stdout, 'nothing to do');
  await house.mustApply(configuration(PROVIDER, 0));
  assert.equal(await there(), []);
  assert.is(house.files.read('/etc/config/firewall'), before);
  assert.is((await nft('list', 'ruleset')).replace(/counter packets \d+ bytes \d+/g, ''), ruleset);
});

room('that somebody changed are noticed and put right, and what they counted is still there', async () => {
  await house.mustApply(configuration(PROVIDER));
  await house.scan({ count: 30 });
  const counted = async (): Promise<string> => /counter attempts_register \{\s*packets (\d+)/.exec(await house.table())?.[1] ?? '';
  const before = await counted();
  assert.ok(Number(before) >= 30);
  for (const change of [
    ['flush', 'chain', 'inet', 'sipalg', 'signalling'],
    ['flush', 'set', 'inet', 'sipalg', 'signalling4'],
    ['delete', 'chain', 'inet', 'sipalg', 'incoming'],
  ]) {
    await nft(...change);
    assert.match((await said('status')).replace(/\s+/g, ' '), 'not as they were loaded');
    await house.mustApply(configuration(PROVIDER));
    assert.match(await said('policy'), 'The voice firewall rules are in force.');
  }
  assert.is(await counted(), before);
});

room('come back with the firewall, without Node, when everything was flushed; a reload does not touch them', async () => {
  await house.mustApply(configuration(PROVIDER));
  const handles = await nft('-a', 'list', 'chain', 'inet', 'sipalg', 'forwarded');
  await house.router.must(['fw4', '-q', 'reload']);
  assert.is(await nft('-a', 'list', 'chain', 'inet', 'sipalg', 'forwarded'), handles);
  const table = await nft('-s', 'list', 'table', 'inet', 'sipalg');
  await nft('flush', 'ruleset');
  await house.router.must(['fw4', '-q', 'reload']);
  assert.is(await nft('-s', 'list', 'table', 'inet', 'sipalg'), table);
  assert.match(await said('policy'), 'The voice firewall rules are in force.');
});

room('a half of them that is left in the way does not keep the firewall from bringing back all of them', async () => {
  await house.mustApply(configuration(PROVIDER));
  await nft(
    'delete table inet sipalg; add table inet sipalg; add set inet sipalg signalling4 { type ipv4_addr; flags interval; elements = { 203.0.0.0/16 }; }',
  );
  await house.router.must(['fw4', '-q', 'reload']);
  assert.match(await said('policy'), 'The voice firewall rules are in force.');
});

room('a script of ours that fails does not fail the firewall', async () => {
  await house.mustApply(configuration(PROVIDER));
  await nft('flush', 'ruleset');
  house.files.write('/etc/sipalg.policy', 'table inet sipalg { chain x { nonsense }');
  const { status } = await house.router.run(['fw4', 'reload']);
  assert.is(status, 0);
  assert.match(await nft('list', 'tables'), 'table inet fw4');
  await house.mustApply(configuration(PROVIDER));
  assert.match(await said('policy'), 'The voice firewall rules are in force.');
});

room('on a kernel without timeouts for single flows go without them, raise the two of all flows, and give them back', async () => {
  await house.udpTimeouts(60, 180);
  const real = (await house.router.must(['readlink', '-f', '/usr/sbin/nft'])).trim();
  await house.router.must(['cp', real, '/usr/sbin/nft.real']);
  house.files.write(
    '/usr/sbin/nft',
    `#!/bin/sh
for last; do :; done
if [ "$last" = - ]; then cat > /tmp/nft.$$; else cp "$last" /tmp/nft.$$ 2>/dev/null; fi
if grep -qs 'ct timeout' /tmp/nft.$$; then rm /tmp/nft.$$; echo 'Error: Could not process rule: Not supported' >&2; exit 1; fi
[ "$last" = - ] || { rm -f /tmp/nft.$$; exec nft.real "$@"; }
nft.real "$@" < /tmp/nft.$$; code=$?; rm /tmp/nft.$$; exit $code
`,
    0o755,
  );
  await house.mustApply(configuration(`${PROVIDER}\nconfig timeouts 'timeouts'\n\toption signalling_replied '650'\n`));
  const now = (): Promise<string> =>
    house.router.must(['sh', '-c', 'cd /proc/sys/net/netfilter; cat nf_conntrack_udp_timeout nf_conntrack_udp_timeout_stream']);
  assert.is(await now(), '650\n650\n');
  assert.not.match(await house.table(), 'ct timeout');
  assert.match(house.files.read('/etc/sysctl.d/99-sipalg.conf'), /^# before: 60 180\n/m);
  assert.match((await said('status')).replace(/\s+/g, ' '), 'cannot give single flows timeouts');
  await house.mustApply(configuration(PROVIDER, 0));
  assert.is(await now(), '60\n180\n');
  assert.equal(await there(), []);
});

room('that cannot be told to the firewall are taken away again, and a change that fails gives back the former ones', async () => {
  const firewall = ['mount', '--bind', '/etc/config/firewall', '/etc/config/firewall'];
  await house.router.must(firewall); // a file that is mounted cannot be replaced
  const { status, stderr } = await house.apply(configuration(PROVIDER));
  assert.is(status, 2);
  assert.match(stderr, /That did not work: .*\/etc\/config\/firewall.*Everything done before it has been taken back/s);
  assert.equal(
    (await there()).filter((path) => path.startsWith('/etc/')),
    [],
  );
  assert.is(await house.table(), '');
  await house.router.must(['umount', '/etc/config/firewall']);

  // Sets that were taken out and put in again stand in another order.
  const rules = async (): Promise<string[]> => (await nft('-s', 'list', 'table', 'inet', 'sipalg')).split('\n').sort();
  await house.mustApply(configuration(PROVIDER));
  const former = { file: house.files.read('/etc/sipalg.policy'), rules: await rules() };
  house.files.write(
    '/etc/config/firewall',
    `${house.files
      .read('/etc/config/firewall')
      .replace(/config include 'sipalg_include'[^]*$/, '')
      .trimEnd()}\n`,
  );
  await house.router.must(firewall);
  const again = await house.apply(
    configuration(`${PROVIDER}\tlist signalling '198.51.100.0/24'\n\nconfig limit 'limit'\n\toption register '9'\n`),
  );
  assert.is(again.status, 2);
  assert.is(house.files.read('/etc/sipalg.policy'), former.file);
  assert.equal(await rules(), former.rules);
  await house.router.must(['umount', '/etc/config/firewall']);
  await house.mustApply(configuration(PROVIDER));
  assert.match(await said('policy'), 'The voice firewall rules are in force.');
});

room('of a configuration full of mistakes are in force as far as it goes, and each mistake is named', async () => {
  const { stdout } = await house.apply(
    configuration(
      "config provider 'bad'\n\tlist signalling '0.0.0.0/0'\n\tlist signalling '198.51.100.0/24'\n\tlist host 'a b;c'\nconfig limit 'limit'\n\toption register 'many'\n",
    ),
  );
  const status = stdout + (await said('status'));
  for (const word of ['0.0.0.0/0', 'a b;c', 'many']) assert.ok(status.includes(word), `${word}: ${status}`);
  const table = await house.table();
  assert.match(table, 'elements = { 198.51.100.0/24 }');
  assert.match(table, 'limit rate over 5/minute');
});

room.run();
