/** Which ways to the internet a test tries beside the one it takes, by what `ip` of iproute2 and of busybox show. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from '../../../src/host/host.ts';
import type { Ground } from '../../../src/probe/ground.ts';
import { steeringOf } from '../../../src/probe/steer.ts';
import { waysOut } from '../../../src/probe/phones/ways-out.ts';
import { defaultRoutes, isSteered, otherWays } from '../../../src/probe/wans.ts';
import type { OtherWays } from '../../../src/probe/wans.ts';

const ways = suite('ways to the internet that a test tries');

const showing = (stdout: string, code = 0): Host =>
  ({ run: (argv: readonly string[]) => Promise.resolve({ state: 'exited', command: argv.join(' '), code, stdout, stderr: '' }) }) as unknown as Host;

const STOCK = '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n';

ways('are steered where there is any rule beside those of the kernel', async () => {
  assert.is(await isSteered(showing(STOCK)), false);
  // busybox ends each with a blank; and has no such command at all where it was built without it.
  assert.is(await isSteered(showing(STOCK.replaceAll('\n', ' \n'))), false);
  assert.is(await isSteered(showing('', 1)), false);
  assert.is(await isSteered(showing(`${STOCK}2001:\tfrom all fwmark 0x100/0x3f00 lookup 1\n`)), true);
  assert.is(await isSteered(showing(STOCK.replace('32766:', '100:'))), true, 'moved by the owner');
});

const ROUTES = `default via 198.51.100.1 dev wanb table 2
default via 203.0.113.10 dev wan proto static src 203.0.113.20 metric 10
default via 10.64.0.1 dev wwan0 proto static metric 20 onlink
unreachable default table 9
10.0.0.0/8 via 192.168.1.2 dev br-lan
`;

const of = async (text: string, way: string, steered: boolean): Promise<OtherWays> => otherWays(await defaultRoutes(showing(text)), way, steered);

ways('are all with a default route of any table, by the hop it has; the one that is taken too where rules steer', async () => {
  assert.equal(await of(ROUTES, 'wan', false), {
    tried: [
      { device: 'wwan0', provider: '192.0.2.36', route: ['192.0.2.36/32', 'via', '10.64.0.1', 'dev', 'wwan0', 'onlink'] },
      { device: 'wanb', provider: '192.0.2.37', route: ['192.0.2.37/32', 'via', '198.51.100.1', 'dev', 'wanb'] },
    ],
    more: [],
    isSpread: false,
  });
  const { tried } = await of(ROUTES, 'wan', true);
  assert.equal(
    tried.map(({ device, route }) => [device, route.slice(-2)]),
    [
      ['wan', ['table', '190']],
      ['wwan0', ['table', '190']],
      ['wanb', ['table', '190']],
    ],
  );
  assert.equal((await of('default dev ds-wan scope link\n', 'ds-wan', true)).tried, [], 'there is no other');
  assert.is((await of('default dev wanb scope link table 2\n', 'wan', true)).tried.length, 1);
});

ways('are outside for real phones too, whose table ever has them: a modem with a private address is none', async () => {
  const main = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
  const wan = 'wan\t00000000\t0A7100CB\t0003\t0\t0\t10\t00000000\t0\t0\t0\n';
  const host = (routes: string, shown = showing(ROUTES)): Host =>
    ({
      ...shown,
      read: (path: string) => Promise.resolve({ state: 'present', source: path, value: path.endsWith('/route') ? routes : '' }),
    }) as unknown as Host;
  assert.equal([...(await waysOut(host(main + wan))).ipv4], ['wan', 'wwan0', 'wanb']);
  // Neither the one nor the other is needed.
  assert.equal([...(await waysOut(host('not a head'))).ipv4], ['wan', 'wwan0', 'wanb']);
  assert.equal([...(await waysOut(host(main + wan, showing('', 1)))).ipv4], ['wan']);
  assert.equal([...(await waysOut(host(main, showing('')))).ipv4], []);
});

ways('are four at most, and those beyond are named', async () => {
  const devices = ['a0', 'b0', 'c0', 'd0', 'e0', 'f0'];
  const { tried, more } = await of(devices.map((one) => `default dev ${one} scope link\n`).join(''), 'a0', false);
  assert.equal([tried.map(({ device }) => device), more], [['b0', 'c0', 'd0', 'e0'], ['f0']]);
});

ways('are read where one route has several hops, of which one may be of IPv6', async () => {
  const text = 'default proto static \n\tnexthop via 203.0.113.10 dev wan weight 1 \n\tnexthop via inet6 fe80::1 dev wanb weight 1 \n';
  const { tried, isSpread } = await of(text, 'wan', false);
  assert.equal([tried.map(({ route }) => route.join(' ')), isSpread], [['192.0.2.36/32 via inet6 fe80::1 dev wanb'], true]);
});

ways('need no rule of ours where nobody steers and nothing is refused', () => {
  const ground = { lan: { device: 'br-lan' }, others: { tried: [{}] }, steered: false, strict: false } as unknown as Ground;
  assert.equal(steeringOf(ground, ['192.168.1.9']), { rules: [], routes: [] });
  assert.equal(steeringOf({ ...ground, strict: true }, ['192.168.1.9']), {
    rules: [['to', '192.0.2.33', 'iif', 'br-lan', 'tos', '0x10', 'lookup', '190', 'priority', '51']],
    routes: [['192.0.2.33/32', 'dev', 'br-lan', 'table', '190']],
  });
});

ways.run();
