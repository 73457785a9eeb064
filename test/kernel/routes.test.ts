import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRoutes } from '../../src/kernel/routes.ts';
import { fixture, hurt, readsLongLines, refuses } from './texts.ts';

const TEXT = fixture('kernel/proc-net-route.txt');
const HEAD = `${TEXT.split('\n')[0]}\n`;
const row = (destination: string, gateway: string, mask: string): string =>
  `eth0\t${destination}\t${gateway}\t0003\t0\t0\t0\t${mask}\t0\t0\t0\n`;

const routes = suite('kernel/routes');

routes('tells the default route, its device and its gateway', () => {
  const all = parseRoutes(TEXT);
  assert.equal(all[0], {
    device: 'wan0', destination: '0.0.0.0', gateway: '203.0.113.10', mask: '0.0.0.0', flags: 3, metric: 0,
  });
  assert.equal(all[1], {
    device: 'lan0', destination: '192.168.1.0', gateway: '0.0.0.0', mask: '255.255.255.0', flags: 1, metric: 0,
  });
});

routes('reads the same routes from a big-endian router', () => {
  const big = TEXT.replace(/\b[0-9A-F]{8}\b/g, (word) => (word.match(/../g) as string[]).reverse().join(''));
  assert.is.not(big, TEXT);
  assert.equal(parseRoutes(big), parseRoutes(TEXT));
});

routes('takes the order for little-endian where the masks do not tell', () => {
  assert.is(parseRoutes(HEAD + row('00000000', '0101A8C0', '00000000'))[0]?.gateway, '192.168.1.1');
});

routes('finds none in a router without routes', () => assert.equal(parseRoutes(HEAD), []));

routes('refuses what is not that file', () => {
  refuses(() => parseRoutes(''), /is not the head/, 1);
  refuses(() => parseRoutes(HEAD + 'eth0\tx\n'), /is not a line/, 2);
  refuses(() => parseRoutes(HEAD + row('00000000', '0', '00000000')), /is not a line/, 2);
  refuses(() => parseRoutes(HEAD + row('0001A8C0', '00000000', '00FFFFFF') + row('C0A80100', '00000000', 'FFFFFF00')),
    /fit neither byte order/, 2);
});

routes('reads or refuses any damage, in linear time', () => {
  const seen = hurt([TEXT], parseRoutes, (all) => {
    for (const route of all) assert.match(route.mask, /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/);
  });
  assert.ok(seen.read > 50 && seen.refused > 50, JSON.stringify(seen));
  readsLongLines(HEAD, parseRoutes);
});
routes.run();
