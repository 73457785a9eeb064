import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseExpectations } from '../../../../src/languages/kernel/expectations.ts';
import { fixture, hurt, readsLongLines, refuses } from '../texts.ts';

const TEXT = fixture('kernel/proc-nf_conntrack_expect.txt');
const expectations = suite('kernel/expectations');

expectations('tells the hole, its class and how long it stays', () => {
  const all = parseExpectations(TEXT);
  assert.is(all.length, 16);
  assert.equal(
    all.find((one) => one.flags.length > 0 && one.l3proto === 2),
    {
      timeout: 3597,
      l3proto: 2,
      proto: 17,
      src: '203.0.113.10',
      dst: '203.0.113.2',
      sport: 0,
      dport: 5060,
      flags: ['PERMANENT'],
      helper: 'sip',
      klass: 'signalling',
      rest: [],
    },
  );
  assert.equal([...new Set(all.map((one) => `${one.helper}/${one.klass}`))].sort(), ['sip/audio', 'sip/signalling', 'sip/video']);
  assert.is(all.filter((one) => one.l3proto === 10).length, 6);
});

expectations('reads joined flags, no timer, no helper, and names that look like flags', () => {
  const [both, bare, q931, ras] = parseExpectations(
    '- l3proto = 2 proto=17 src=1.2.3.4 dst=5.6.7.8 sport=0 dport=5060 PERMANENT,INACTIVE,USERSPACE sip/signalling\n'
      + '-1 l3proto = 2 proto=6 src=1.2.3.4 dst=5.6.7.8 sport=0 dport=21 \n'
      + '9 l3proto = 2 proto=6 src=1.2.3.4 dst=5.6.7.8 sport=0 dport=1720 Q.931\n'
      + '9 l3proto = 2 proto=47 src=1.2.3.4 dst=5.6.7.8 srckey=0x1 dstkey=0x2 RAS more\n',
  );
  assert.equal([both?.timeout, both?.flags], [null, ['PERMANENT', 'INACTIVE', 'USERSPACE']]);
  assert.equal([bare?.timeout, bare?.flags, bare?.helper, bare?.klass], [-1, [], null, null]);
  assert.equal([q931?.helper, q931?.klass], ['Q.931', null]);
  const many = `9 l3proto = 2 proto=17 src=1.2.3.4 dst=5.6.7.8 ${'PERMANENT,'.repeat(200_000)}PERMANENT`;
  assert.equal(parseExpectations(many)[0]?.flags, [], 'no flags but the three');
  assert.equal([ras?.helper, ras?.sport, ras?.rest], ['RAS', null, ['srckey=0x1', 'dstkey=0x2', 'more']]);
});

expectations('finds nothing in an empty file', () => assert.equal(parseExpectations(''), []));

expectations('refuses what is not a line of it, and names the line', () => {
  const good = TEXT.split('\n')[0] as string;
  refuses(() => parseExpectations(`${good}\nhello\n`), /does not follow the timeout/, 2);
  refuses(() => parseExpectations(good.replace(/^177/, 'soon')), /neither seconds/, 1);
  refuses(() => parseExpectations(good.replace('dport=4011', 'dport=65536')), /is not a port/, 1);
  refuses(() => parseExpectations(`${good} sport=1`), /stands twice/, 1);
  refuses(() => parseExpectations('1 l3proto = 2 proto=17 src=-F dst=5.6.7.8'), /is not an address/, 1);
  refuses(() => parseExpectations('1 l3proto = 2 src=1.2.3.4 dst=5.6.7.8'), /not a number from 0 to 255/, 1);
});

expectations('reads or refuses any damage, in linear time', () => {
  const seen = hurt([TEXT, ...TEXT.split('\n')], parseExpectations, (all) => {
    for (const one of all) assert.ok(Number.isInteger(one.proto) && Number.isInteger(one.l3proto) && one.src !== '');
  });
  assert.ok(seen.read > 50 && seen.refused > 50, JSON.stringify(seen));
  readsLongLines(TEXT.split('\n')[0] as string, parseExpectations);
});
expectations.run();
