/** Providers' names, asked of a real name server in the router, and the sets that are in force. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundled } from '../../bundled.ts';
import type { Asked, Zone } from '../name-server.ts';
import { configuration, openHouse, SCANNERS } from './router.ts';
import type { House } from './router.ts';

const NAMES = '/var/run/sipalg.names';
const KEPT = '/etc/sipalg.names';

type Context = { house: House; say(zone: Zone, delay?: number): Promise<Asked[]>; stop(): Promise<void> };

const names = suite<Context>('providers by name');

names.before.each(async (context) => {
  const house = (context.house = await openHouse());
  house.files.write('/etc/resolv.conf', 'nameserver 127.0.0.1\n');
  const server = house.router.spawn([process.execPath, '-e', await bundled('test/lab/name-server.ts'), 'serve', '127.0.0.1', '53']);
  const line = (): Promise<string> =>
    new Promise((resolve) => {
      server.child.stdout.once('data', (data: Buffer) => resolve(String(data)));
    });
  await line();
  context.say = async (zone, delay = 0) => {
    const said = line();
    server.child.stdin.write(`${JSON.stringify({ zone, delay })}\n`);
    return JSON.parse(await said) as Asked[];
  };
  context.stop = async () => {
    server.child.stdin.end();
    await server.ended;
  };
});
names.after.each(({ house }) => house.close());

const CONFIG = configuration("config provider 'named'\n\tlist host 'voip.example'\n");
const srv = (...targets: [port: number, target: string][]): Zone => ({
  'SRV _sip._udp.voip.example': { ttl: 60, data: targets.map(([port, target]) => [1, 1, port, target]) },
});
const a = (name: string, ...addresses: string[]): Zone => ({ [`A ${name}`]: { ttl: 60, data: addresses.map((address) => [address]) } });

/** The networks in one of our sets. */
async function held(house: House, set: string): Promise<string[]> {
  const text = (await house.router.must(['nft', 'list', 'set', 'inet', 'sipalg', set])).replace(/\s+/g, ' ');
  return (/elements = \{ ([^}]*) \}/.exec(text)?.[1] ?? '')
    .split(', ')
    .filter((element) => element !== '')
    .sort();
}

/** As if an hour and more had passed: every answer is due, and what had left is over. */
function later(house: House): void {
  const all = JSON.parse(house.files.read(NAMES)) as Record<string, { until: number; at: number; former?: Record<string, number> }>;
  for (const answer of Object.values(all)) {
    answer.until = 0;
    for (const address of Object.keys(answer.former ?? {})) answer.former![address] = 1;
  }
  house.files.write(NAMES, JSON.stringify(all));
}

names(
  'are asked for, SRV first, and what they lead to is in force at once: addresses of both families, and ports',
  async ({ house, say }) => {
    await say({
      ...srv([5066, 'sbc.voip.example']),
      ...a('sbc.voip.example', SCANNERS[0]),
      'AAAA sbc.voip.example': { bad: 'truncated', ttl: 60, data: [['2001:db8:5::5']] },
      ...a('voip.example', '192.0.2.80'),
    });
    await house.mustApply(CONFIG);
    assert.equal([await held(house, 'signalling4'), await held(house, 'signalling6')], [[SCANNERS[0]], ['2001:db8:5::5']]);
    assert.match(await house.table(), /dport \{? ?5060-5061, 5066|dport \{ 5060, 5061, 5066|5066/);
    const asked = await say({});
    assert.ok(
      asked.some(({ over, name }) => over === 'stream' && name === 'sbc.voip.example'),
      'over TCP where it was truncated',
    );
    const pbx = await house.pbx();
    assert.equal(
      await house.scan({ count: 300, from: { address: SCANNERS[0], port: 5061 } }),
      { sent: 300, answered: 300 },
      'the provider is not limited',
    );
    assert.ok((await house.scan({ count: 300, from: { address: SCANNERS[1], port: 5061 } })).answered < 10, 'its neighbour is');
    await pbx.end();
  },
);

names('that lead elsewhere move the set in force; the old address stays for an hour', async ({ house, say }) => {
  await say(a('voip.example', '192.0.2.1'));
  await house.mustApply(CONFIG);
  assert.equal(await held(house, 'signalling4'), ['192.0.2.1']);
  await say(a('voip.example', '192.0.2.7'));
  await house.mustApply(CONFIG);
  assert.equal(await held(house, 'signalling4'), ['192.0.2.1'], 'its time has not come');
  later(house);
  await house.mustApply(CONFIG);
  assert.equal(await held(house, 'signalling4'), ['192.0.2.1', '192.0.2.7']);
  later(house);
  await house.mustApply(CONFIG);
  assert.equal(await held(house, 'signalling4'), ['192.0.2.7']);
  assert.match(house.files.read('/etc/sipalg.policy'), /192\.0\.2\.7/, 'the next start of the firewall has it too');
});

names('keep their last good answer through every failure, over a boot too, and the failure is told', async ({ house, say, stop }) => {
  await say(a('voip.example', '192.0.2.1'));
  await house.mustApply(CONFIG);
  const failures: [Zone, RegExp][] = [
    [{ ...a('other.example', '192.0.2.9') }, /NXDOMAIN/],
    [{ 'A voip.example': { code: 2 }, 'AAAA voip.example': { code: 2 } }, /SERVFAIL/],
    [{ 'A voip.example': { bad: 'garbage' } }, /voip\.example: .*it /],
    [{ 'A voip.example': { ttl: 60, data: [['127.0.0.1']] } }, /127\.0\.0\.1, a loopback address/],
    [
      Object.fromEntries(
        [
          'A voip.example',
          'AAAA voip.example',
          'NAPTR voip.example',
          'SRV _sip._udp.voip.example',
          'SRV _sip._tcp.voip.example',
          'SRV _sips._tcp.voip.example',
        ].map((key) => [key, { bad: 'silent' as const }]),
      ),
      /no answer within/,
    ],
  ];
  for (const [zone, why] of failures) {
    await say(zone);
    later(house);
    const start = performance.now();
    await house.apply(CONFIG);
    assert.ok(performance.now() - start < 15_000, 'a name server that is silent holds nothing up for long');
    assert.equal(await held(house, 'signalling4'), ['192.0.2.1'], String(why));
    const { stdout } = await house.router.run(['sipalg', 'policy']);
    assert.match(stdout, why);
  }
  house.files.remove(NAMES); // a boot
  await stop();
  await house.router.must(['nft', 'delete', 'table', 'inet', 'sipalg']);
  await house.apply(CONFIG);
  assert.equal(await held(house, 'signalling4'), ['192.0.2.1']);
});

names('are forgotten with the provider, and their files with the rules', async ({ house, say }) => {
  await say(a('voip.example', '192.0.2.1'));
  await house.mustApply(CONFIG);
  assert.ok(house.files.exists(NAMES) && house.files.exists(KEPT));
  await house.mustApply(configuration());
  assert.equal(await held(house, 'signalling4'), []);
  await house.mustApply(CONFIG);
  await house.mustApply(configuration('', 0));
  assert.not(house.files.exists(NAMES) || house.files.exists(KEPT));
  assert.is(await house.table(), '');
});

names.run();
