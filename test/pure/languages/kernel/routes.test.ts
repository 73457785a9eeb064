import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDefaultRoutes, parseRoutes, wayTo } from '../../../../src/languages/kernel/routes.ts';
import { fixture, hurt, readsLongLines, refuses } from '../texts.ts';

const TEXT = fixture('kernel/proc-net-route.txt');
const HEAD = `${TEXT.split('\n')[0]}\n`;
const row = (device: string, destination: string, mask: string, metric: number, flags = '0003'): string =>
  `${device}\t${destination}\t0101A8C0\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0\n`;

const routes = suite('kernel/routes');

routes('tells the default route and its device', () => {
  assert.equal(parseDefaultRoutes(TEXT), [{ device: 'wan0', metric: 0 }]);
});

routes('reads the same from a big-endian router', () => {
  const big = TEXT.replace(/\b[0-9A-F]{8}\b/g, (word) => (word.match(/../g) as string[]).reverse().join(''));
  assert.is.not(big, TEXT);
  assert.equal(parseDefaultRoutes(big), parseDefaultRoutes(TEXT));
});

routes('puts the route of the lowest metric first', () => {
  const all = parseDefaultRoutes(HEAD + row('wwan0', '00000000', '00000000', 20) + row('wan', '00000000', '00000000', 10));
  assert.equal(
    all.map(({ device }) => device),
    ['wan', 'wwan0'],
  );
});

routes('takes no route to half the internet, and none that leads nowhere', () => {
  assert.equal(parseDefaultRoutes(HEAD + row('tun0', '00000000', '00000080', 0) + row('*', '00000000', '00000000', 0, '0201')), []);
});

routes('tells the device a packet leaves by: the longest prefix, then the lowest metric, in either byte order', () => {
  const more = row('tun0', '0000000A', '000000FF', 0) + row('tun1', '00000000', '00000080', 5) + row('wg0', '0A7100CB', 'FFFFFFFF', 0);
  for (const text of [
    TEXT + more,
    (TEXT + more).replace(/\b[0-9A-F]{8}\b/g, (word) => (word.match(/../g) as string[]).reverse().join('')),
  ]) {
    const all = parseRoutes(text);
    const ways = ['192.168.1.9', '203.0.113.77', '203.0.113.10', '10.9.8.7', '100.64.0.1', '198.51.100.1'];
    assert.equal(
      ways.map((address) => wayTo(all, address)),
      ['lan0', 'wan0', 'wg0', 'tun0', 'tun1', 'wan0'],
    );
  }
  assert.is(wayTo(parseRoutes(HEAD), '198.51.100.1'), null);
});

routes('finds none in a router without routes', () => assert.equal(parseDefaultRoutes(HEAD), []));

routes('refuses what is not that file', () => {
  refuses(() => parseDefaultRoutes(''), /is not the head/, 1);
  refuses(() => parseDefaultRoutes(HEAD + 'eth0\tx\n'), /is not a line/, 2);
});

routes('reads or refuses any damage, in linear time', () => {
  const seen = hurt([TEXT], parseDefaultRoutes, (all) => {
    for (const { metric } of all) assert.ok(Number.isFinite(metric));
  });
  assert.ok(seen.read > 50 && seen.refused > 50, JSON.stringify(seen));
  readsLongLines(HEAD, parseDefaultRoutes);
});
routes.run();
