/** Providers' names on QuickJS, which has no sockets: asked of a real name server in the router by busybox's nslookup. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundled } from '../../bundled.ts';
import type { Zone } from '../name-server.ts';
import { configuration, openHouse } from './router.ts';
import type { House } from './router.ts';

const NAMES = '/var/run/sipalg.names';
const CONFIG = configuration("config provider 'named'\n\tlist host 'voip.example'\n");

type Context = { house: House; say(zone: Zone): Promise<void>; stop(): Promise<void> };

const names = suite<Context>('providers by name, on QuickJS');

names.before(async (context) => {
  const house = (context.house = await openHouse({ engine: 'quickjs', files: { '/usr/bin/nslookup': '' } }));
  house.files.write('/usr/bin/nslookup', '#!/bin/sh\nexec busybox nslookup "$@"\n', 0o755);
  house.files.write('/etc/resolv.conf', 'nameserver 127.0.0.1\n');
  const server = house.router.spawn([process.execPath, '-e', await bundled('test/lab/name-server.ts'), 'serve', '127.0.0.1', '53']);
  const line = (): Promise<void> =>
    new Promise((resolve) => {
      server.child.stdout.once('data', () => resolve());
    });
  await line();
  context.say = async (zone) => {
    const said = line();
    server.child.stdin.write(`${JSON.stringify({ zone })}\n`);
    await said;
  };
  context.stop = async () => {
    server.child.stdin.end();
    await server.ended;
  };
});
names.after(({ house }) => house.close());

async function held(house: House, set: string): Promise<string[]> {
  const text = (await house.router.must(['nft', 'list', 'set', 'inet', 'sipalg', set])).replace(/\s+/g, ' ');
  return (/elements = \{ ([^}]*) \}/.exec(text)?.[1] ?? '').split(', ').filter(Boolean).sort();
}

/** Every answer is due. */
function later(house: House): void {
  const all = JSON.parse(house.files.read(NAMES)) as Record<string, { until: number }>;
  for (const answer of Object.values(all)) answer.until = 0;
  house.files.write(NAMES, JSON.stringify(all));
}

names('are in force with their SIP servers in both families, and stay so through every failure, which is told', async (context) => {
  const { house, say, stop } = context;
  await say({
    'SRV _sip._udp.voip.example': { ttl: 60, data: [[1, 1, 5066, 'sbc.voip.example']] },
    'A sbc.voip.example': { ttl: 60, data: [['203.0.113.66']] },
    'AAAA sbc.voip.example': { ttl: 60, data: [['2001:db8:5::5']] },
    'A voip.example': { ttl: 60, data: [['192.0.2.80']] },
  });
  await house.mustApply(CONFIG);
  const inForce = async () => [await held(house, 'signalling4'), await held(house, 'signalling6')];
  assert.equal(await inForce(), [['203.0.113.66'], ['2001:db8:5::5']]);
  assert.match(await house.table(), /5066/);
  for (const [zone, why] of [
    [{}, /NXDOMAIN/],
    [{ 'SRV _sip._udp.voip.example': { code: 2 }, 'A voip.example': { code: 2 } }, /it says SERVFAIL/],
    [{ 'SRV _sip._udp.voip.example': { bad: 'garbage' } }, /Parse error/],
  ] as const) {
    await say(zone);
    later(house);
    await house.apply(CONFIG);
    assert.equal(await inForce(), [['203.0.113.66'], ['2001:db8:5::5']], String(why));
    assert.match((await house.router.run(['sipalg', 'policy'])).stdout, why);
  }
  await stop();
  later(house);
  const start = performance.now();
  await house.apply(CONFIG);
  assert.ok(performance.now() - start < 30_000);
  assert.equal(await inForce(), [['203.0.113.66'], ['2001:db8:5::5']]);
});

names.run();
