import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { locate, readTarget } from '../../../src/probe/provider/target.ts';
import type { Target } from '../../../src/probe/provider/target.ts';
import { namesOf } from './world.ts';

const target = suite('where a provider is');

target('is read as a name or an address, with a port or without', () => {
  for (const [text, host, port] of [
    ['sip.example.com', 'sip.example.com', null],
    ['SIP.Example.COM.:5080', 'sip.example.com', 5080],
    ['203.0.113.5', '203.0.113.5', null],
    ['203.0.113.5:65535', '203.0.113.5', 65_535],
    ['2001:db8::5', '2001:db8::5', null],
    ['[2001:db8::5]', '2001:db8::5', null],
    ['[2001:DB8::5]:5061', '2001:db8::5', 5061],
    ['localhost', 'localhost', null],
  ] as const) {
    const read = readTarget(text);
    assert.equal(read, { host, isAddress: /^[\d.]+$|:/.test(host), port }, text);
  }
});

target('is refused in a sentence that quotes it and says what is allowed', () => {
  const wrongs = [
    '',
    'a b',
    'sip:example.com',
    'example.com:',
    'example.com:0',
    'example.com:70000',
    '300.1.1.1',
    '1.2.3',
    '[203.0.113.5]',
    '[::1',
    '-x y',
  ];
  for (const text of [...wrongs, 'user@example.com', 'http://example.com', 'x'.repeat(300), 'exa\nmple.com', '[sip.example.com]:5060']) {
    const read = readTarget(text);
    assert.ok(
      'wrong' in read
        && read.wrong.text.includes(JSON.stringify(text.slice(0, 80)).slice(0, -1))
        && read.wrong.text.includes('sip.example.com:5080'),
      text,
    );
  }
});

const located = async (table: Parameters<typeof namesOf>[0], text = 'example.com') => {
  const names = namesOf(table);
  const found = await locate(names, readTarget(text) as Target);
  return { ...found, asked: names.asked, places: found.servers.map(({ over, address, port, by }) => `${over} ${address} ${port} ${by}`) };
};

target('needs no name server where it is an address', async () => {
  const { places, asked } = await located({}, '203.0.113.5:5080');
  assert.equal(places, ['udp 203.0.113.5 5080 address', 'tcp 203.0.113.5 5080 address', 'tls 203.0.113.5 5061 address']);
  assert.equal(asked, []);
});

target('is asked for by NAPTR, SRV, A and AAAA in the order of RFC 3263', async () => {
  const srv = (port: number, target: string, priority = 1, weight = 1): object => ({ priority, weight, port, target });
  const { places, unpublished } = await located({
    'NAPTR example.com': [
      { order: 20, preference: 1, flags: 's', service: 'SIP+D2U', regexp: '', replacement: 'other.example.com' },
      { order: 10, preference: 2, flags: 's', service: 'SIP+D2U', regexp: '', replacement: '_sip._udp.pool.example.com' },
      { order: 10, preference: 1, flags: 's', service: 'SIPS+D2T', regexp: '', replacement: '_sips._tcp.pool.example.com' },
      { order: 1, preference: 1, flags: 'u', service: 'E2U+SIP', regexp: '', replacement: 'no.example.com' },
    ],
    'SRV _sip._udp.pool.example.com': [srv(5080, 'b.example.com', 2), srv(5070, 'a.example.com', 1, 1), srv(5075, 'c.example.com', 1, 9)],
    'SRV _sips._tcp.pool.example.com': [srv(5443, 'a.example.com')],
    'A a.example.com': [{ address: '198.51.100.1' }],
    'AAAA a.example.com': [{ address: '2001:db8::1' }],
    'A b.example.com': [{ address: '198.51.100.2' }],
    'AAAA c.example.com': [{ address: '2001:db8::3' }],
  });
  assert.equal(places, [
    'udp 198.51.100.1 5070 NAPTR and SRV',
    'udp 198.51.100.2 5080 NAPTR and SRV',
    'udp 2001:db8::3 5075 NAPTR and SRV',
    'tls 198.51.100.1 5443 NAPTR and SRV',
    'tls 2001:db8::1 5443 NAPTR and SRV',
  ]);
  assert.equal(unpublished, ['tcp']);
});

target('is its own addresses where it has no SRV records, or stands with a port', async () => {
  const table = { 'A example.com': [{ address: '198.51.100.1' }] };
  assert.equal((await located(table)).places, ['udp 198.51.100.1 5060 A', 'tcp 198.51.100.1 5060 A', 'tls 198.51.100.1 5061 A']);
  const { places, asked } = await located(table, 'example.com:5090');
  assert.equal(places, ['udp 198.51.100.1 5090 A', 'tcp 198.51.100.1 5090 A', 'tls 198.51.100.1 5061 A']);
  assert.not.ok(
    asked.some((one) => /^(SRV|NAPTR)/.test(one)),
    'RFC 3263 §4.2: with a port, no SRV',
  );
});

target('is not where SRV says that there is no such service', async () => {
  const { places, unpublished } = await located({
    'SRV _sip._udp.example.com': [{ priority: 0, weight: 0, port: 5060, target: 'a.example.com' }],
    'SRV _sip._tcp.example.com': [{ priority: 0, weight: 0, port: 0, target: '' }],
    'A a.example.com': [{ address: '198.51.100.1' }],
    'A example.com': [{ address: '198.51.100.80' }],
  });
  assert.equal(places, ['udp 198.51.100.1 5060 SRV']);
  assert.equal(unpublished, ['tcp', 'tls']);
});

target('is told with the questions that went without an answer', async () => {
  const { places, failures } = await located({
    'NAPTR example.com': 'example.com: REFUSED',
    'SRV _sips._tcp.example.com': '_sips._tcp.example.com: no answer',
    'A example.com': [{ address: '198.51.100.1' }],
  });
  assert.is(places.length, 3);
  assert.equal(failures, ['_sips._tcp.example.com: no answer'], 'a resolver without NAPTR is no trouble');
});

target.run();
