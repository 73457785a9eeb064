import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Asking, Host, HostAddress, Reading } from '../../../src/host/host.ts';
import { readPrefix } from '../../../src/languages/address/prefixes.ts';
import type { Prefix } from '../../../src/languages/address/prefixes.ts';
import type { Names } from '../../../src/voice/facts.ts';
import { nameServers } from '../../../src/voice/names/servers.ts';
import { readNames, refreshNames } from '../../../src/voice/names/names.ts';
import { KEPT_NAMES, NAMES } from '../../../src/voice/own.ts';
import { repliesTo } from '../../lab/name-server.ts';
import type { Asked, Zone } from '../../lab/name-server.ts';
import type { Provider } from '../../../src/wish/wish.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);

/** A router with a clock and files of its own, and name servers that answer from zones. */
class Router {
  now = START;
  files = new Map<string, string>([['/etc/resolv.conf', '# here\nsearch lan\nnameserver 127.0.0.1\n']]);
  writes: string[] = [];
  readOnly = false;
  /** By the server's address. */
  zones: Record<string, Zone> = {};
  asked: (Asked & { server: string })[] = [];
  most = 0;
  #open = 0;
  own: HostAddress[] = [{ device: 'wan', family: 'ipv4', address: '203.0.113.20', prefix: 24 }];

  set zone(zone: Zone) {
    this.zones = { '127.0.0.1': zone };
  }

  readonly host = {
    now: () => this.now,
    addresses: () => this.own,
    read: async (path: string): Promise<Reading<string>> => {
      const value = this.files.get(path);
      return value === undefined ? { state: 'absent', source: path } : { state: 'present', value, source: path };
    },
    kind: async (path: string): Promise<Reading<string>> =>
      this.files.has(path) ? { state: 'present', value: 'file', source: path } : { state: 'absent', source: path },
    write: async (path: string, text: string) => {
      if (this.readOnly) throw new Error(`${path} could not be written: the file system is read-only (EROFS)`);
      this.writes.push(path);
      this.files.set(path, text);
    },
    remove: async (path: string) => {
      this.writes.push(path);
      this.files.delete(path);
    },
  } as unknown as Host;

  readonly asking: Asking = {
    id: () => (this.asked.length * 7919) & 0xffff,
    ask: async (server, message, over, timeout, fits) => {
      this.most = Math.max(this.most, ++this.#open);
      const start = this.now;
      await new Promise((resolve) => setImmediate(resolve));
      this.#open--;
      const zone = this.zones[server.address];
      const { asked, replies } = zone === undefined ? { asked: null, replies: [] } : repliesTo(zone, message, over);
      if (asked !== null) this.asked.push({ ...asked, server: server.address });
      const reply = replies.find(fits);
      if (reply !== undefined) return reply;
      this.now = Math.max(this.now, start + timeout);
      throw new Error(`${server.address}: no answer within ${timeout} ms`);
    },
  };

  async refresh(...hosts: string[]): ReturnType<typeof refreshNames> {
    this.asked = [];
    this.writes = [];
    return refreshNames(
      this.host,
      this.asking,
      hosts.map((host): Provider['hosts'][number] => {
        const [name = '', port] = host.split(':');
        return { name, port: port === undefined ? null : Number(port) };
      }),
      this.now,
    );
  }
}

/** Without the null prototype, which `equal` sees. */
const plain = (names: Names): Names => JSON.parse(JSON.stringify(names)) as Names;
const a = (...addresses: string[]) => ({ ttl: 300, data: addresses.map((address) => [address]) });
const srv = (...targets: [port: number, target: string][]) => ({ ttl: 600, data: targets.map(([port, target]) => [10, 10, port, target]) });

const locating = suite('a provider is found');

locating('by the SRV records of every transport, and by NAPTR where there is one (RFC 3263)', async () => {
  const router = new Router();
  router.zone = {
    'NAPTR voip.example': {
      ttl: 900,
      data: [
        [50, 50, 's', 'SIPS+D2T', '', '_sips._tcp.tls.voip.example'],
        [90, 50, 's', 'SIP+D2U', '', '_sip._udp.odd.voip.example'],
        [90, 50, 'u', 'E2U+sip', '!^.*$!sip:x@evil.example!', ''],
        [90, 50, 's', 'SIP+D2S', '', '_sip._sctp.voip.example'],
      ],
    },
    'SRV _sips._tcp.tls.voip.example': srv([5071, 'tls.voip.example']),
    'SRV _sip._udp.odd.voip.example': srv([5099, 'odd.voip.example']),
    'SRV _sip._udp.voip.example': srv([5060, 'one.voip.example'], [5080, 'two.voip.example'], [0, 'one.voip.example']),
    'SRV _sip._tcp.voip.example': srv([5060, 'one.voip.example'], [1, '']),
    'SRV _sips._tcp.voip.example': srv([5061, 'one.voip.example']),
    'A voip.example': a('192.0.2.80'), // a web site
    'A one.voip.example': { ttl: 120, data: [['192.0.2.1']], alias: 'pool.voip.example' },
    'AAAA one.voip.example': { ttl: 300, data: [['2001:db8::1']] },
    'A two.voip.example': a('192.0.2.2'),
    'A tls.voip.example': a('192.0.2.3'),
    'A odd.voip.example': a('192.0.2.4'),
  };
  const { names, changed, next } = await router.refresh('VoIP.example.');
  assert.equal(plain(names), {
    'voip.example': {
      addresses: ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '2001:db8::1'],
      ports: [5060, 5080, 5099],
      tlsPorts: [5061, 5071],
      at: START,
      until: START + 120 * SECOND,
      failed: null,
    },
  });
  assert.is(changed, true);
  assert.is(next, START + 120 * SECOND);
  assert.is(router.asked.filter(({ name }) => name.includes('sctp') || name.includes('evil')).length, 0);
  const keys = router.asked.map(({ type, name }) => `${type} ${name}`);
  assert.is(new Set(keys).size, keys.length, 'nothing is asked twice');
});

locating('by its own addresses where it has no SRV records, or stands with a port', async () => {
  const router = new Router();
  router.zone = {
    'A plain.example': a('192.0.2.1'),
    'AAAA plain.example': a('2001:db8::1'),
    'A both.example': a('192.0.2.5'),
    'SRV _sip._udp.both.example': srv([5060, 'sbc.both.example']),
    'A sbc.both.example': a('192.0.2.6'),
  };
  const { names } = await router.refresh('plain.example', 'both.example:5080');
  assert.equal(names['plain.example']?.addresses, ['192.0.2.1', '2001:db8::1']);
  assert.equal([names['both.example']?.addresses, names['both.example']?.ports], [['192.0.2.5'], []]);
  assert.equal(
    router.asked.filter(({ name }) => name.endsWith('both.example')).map(({ type }) => type),
    ['A', 'AAAA'],
    'a name with a port is asked for addresses alone',
  );
  const both = await router.refresh('plain.example', 'both.example', 'both.example:5080');
  assert.equal(both.names['both.example']?.addresses, ['192.0.2.5'], 'its time has not come');
  router.now += HOUR;
  assert.equal((await router.refresh('both.example', 'both.example:5080')).names['both.example']?.addresses, ['192.0.2.5', '192.0.2.6']);
});

locating('over TCP where an answer is too long for a datagram', async () => {
  const router = new Router();
  const all = Array.from({ length: 40 }, (_, at) => `192.0.2.${at}`).sort();
  router.zone = { 'A big.example': { bad: 'truncated', ttl: 300, data: all.map((address) => [address]) } };
  assert.equal((await router.refresh('big.example')).names['big.example']?.addresses, all);
  router.now += HOUR;
  router.zone = { 'A big.example': { bad: 'half' } };
  const { names } = await router.refresh('big.example');
  assert.match(names['big.example']?.failed?.because ?? '', /big\.example: 127\.0\.0\.1 says only a part over TCP/);
});

locating('by the next name server where one is silent, fails or says nonsense', async () => {
  for (const bad of [{ bad: 'silent' }, { bad: 'garbage' }, { code: 2 }, { code: 5 }] as const) {
    const router = new Router();
    router.files.set(
      '/tmp/resolv.conf.d/resolv.conf.auto',
      '# Interface wan\nnameserver 198.51.100.53\nnameserver 2001:db8::53\nnameserver fe80::1%wan\nnameserver not;an;address\n',
    );
    router.zones = { '127.0.0.1': { 'A one.example': bad }, '198.51.100.53': { 'A one.example': a('192.0.2.1') }, '2001:db8::53': {} };
    const { names } = await router.refresh('one.example:5060');
    assert.equal([names['one.example']?.addresses, names['one.example']?.failed], [['192.0.2.1'], null], JSON.stringify(bad));
  }
});

locating("through this router's own name server first", async () => {
  const router = new Router();
  const servers = async (): Promise<string[]> => (await nameServers(router.host)).map(({ address, port }) => `${address} ${port}`);
  assert.equal(await servers(), ['127.0.0.1 53']);
  router.files.set(
    '/tmp/resolv.conf.d/resolv.conf.auto',
    '# Interface wan\nnameserver 198.51.100.53\n nameserver\t127.0.0.1 \nnameserver fe80::1%wan\nnameserver 192.0.2.53\n',
  );
  assert.equal(await servers(), ['127.0.0.1 53', '198.51.100.53 53', 'fe80::1%wan 53']);
  router.files.clear();
  assert.equal(await servers(), ['127.0.0.1 53']);
});

const keeping = suite('an answer once had');

keeping('holds for its TTL, not shorter than a minute nor longer than a day', async () => {
  for (const [ttl, lasts] of [
    [0, 60 * SECOND],
    [59, 60 * SECOND],
    [61, 61 * SECOND],
    [86400, DAY],
    [2 ** 31 - 1, DAY],
  ] as const) {
    const router = new Router();
    router.zone = { 'A one.example': { ttl, data: [['192.0.2.1']] } };
    assert.is((await router.refresh('one.example:5060')).next, START + lasts, `TTL ${ttl}`);
    router.now += lasts - 1;
    await router.refresh('one.example:5060');
    assert.is(router.asked.length, 0, `TTL ${ttl}, a moment before`);
    router.now += 1;
    await router.refresh('one.example:5060');
    assert.ok(router.asked.length > 0, `TTL ${ttl}`);
  }
});

keeping('is kept through every kind of failure, for ever, and the failure is told', async () => {
  const failures: [Zone | null, RegExp][] = [
    [null, /no answer within 1500 ms/],
    [{}, /^one\.example does not exist \(NXDOMAIN\)$/],
    [{ 'TXT one.example': a() }, /^one\.example has no A record$/],
    [{ 'A one.example': { code: 2 }, 'AAAA one.example': { code: 2 } }, /says SERVFAIL$/],
    [{ 'A one.example': { bad: 'garbage' } }, /it (answers|holds|breaks)/],
    [{ 'A one.example': a('127.0.0.1') }, /^one\.example leads to 127\.0\.0\.1, a loopback address: that address is left out\.$/],
  ];
  const router = new Router();
  router.zone = { 'A one.example': a('192.0.2.1') };
  await router.refresh('one.example:5060');
  for (const [zone, why] of failures) {
    router.now += 400 * DAY;
    router.zones = zone === null ? {} : { '127.0.0.1': zone };
    const at = router.now;
    const { names, changed } = await router.refresh('one.example:5060');
    const answer = names['one.example'];
    assert.equal([answer?.addresses, answer?.at, changed], [['192.0.2.1'], START, false], String(why));
    assert.match(answer?.failed?.because ?? '', why);
    assert.is(answer?.until, at + 300 * SECOND);
  }
  router.now += DAY;
  router.zone = { 'A one.example': a('192.0.2.1') };
  assert.equal(plain((await router.refresh('one.example:5060')).names)['one.example'], {
    addresses: ['192.0.2.1'],
    ports: [],
    tlsPorts: [],
    at: router.now,
    until: router.now + 300 * SECOND,
    failed: null,
  });
});

keeping('never is there to begin with where there was none: it is asked again soon', async () => {
  const router = new Router();
  router.zone = {};
  const { names, changed, next } = await router.refresh('none.example');
  assert.equal(plain(names), {
    'none.example': {
      addresses: [],
      ports: [],
      tlsPorts: [],
      at: 0,
      until: START + 60 * SECOND,
      failed: { at: START, because: 'none.example does not exist (NXDOMAIN)' },
    },
  });
  assert.equal([changed, next], [true, START + 60 * SECOND]);
  assert.equal(router.writes, [NAMES], 'nothing worth the flash');
});

keeping('takes a new one at once, and lets the old go after an hour', async () => {
  const router = new Router();
  router.zone = { 'A one.example': a('192.0.2.1', '192.0.2.2') };
  await router.refresh('one.example:5060');
  router.now += 2 * HOUR;
  const moved = router.now;
  router.zone = { 'A one.example': a('192.0.2.3', '192.0.2.2') };
  const { names, changed } = await router.refresh('one.example:5060');
  assert.is(changed, true);
  assert.equal(
    [names['one.example']?.addresses, names['one.example']?.former],
    [['192.0.2.1', '192.0.2.2', '192.0.2.3'], { '192.0.2.1': moved }],
  );
  router.now = moved + HOUR - SECOND;
  const still = await router.refresh('one.example:5060');
  assert.equal([still.names['one.example']?.addresses.length, still.changed], [3, false]);
  assert.is(still.next, router.now + 60 * SECOND, 'it is asked again when the hour is over');
  router.now = moved + HOUR + 60 * SECOND;
  const over = await router.refresh('one.example:5060');
  assert.equal(
    [over.names['one.example']?.addresses, over.names['one.example']?.former, over.changed],
    [['192.0.2.2', '192.0.2.3'], undefined, true],
  );
});

keeping('is not replaced by a web site when the SRV records cannot be had', async () => {
  const router = new Router();
  const good: Zone = {
    'SRV _sip._udp.one.example': srv([5060, 'sbc.one.example']),
    'A sbc.one.example': a('192.0.2.1'),
    'A one.example': a('192.0.2.80'),
  };
  router.zone = good;
  await router.refresh('one.example');
  router.now += HOUR;
  router.zone = { ...good, 'SRV _sip._udp.one.example': { code: 2 } };
  const { names } = await router.refresh('one.example');
  assert.equal([names['one.example']?.addresses, names['one.example']?.ports], [['192.0.2.1'], [5060]]);
  assert.match(names['one.example']?.failed?.because ?? '', /_sip\._udp\.one\.example: 127\.0\.0\.1 says SERVFAIL/);
  // But where the server says that there are none any more, that is so.
  router.now += HOUR;
  router.zone = { 'A one.example': a('192.0.2.80') };
  assert.equal((await router.refresh('one.example')).names['one.example']?.addresses, ['192.0.2.1', '192.0.2.80']);
  router.now += 2 * HOUR;
  assert.equal((await router.refresh('one.example')).names['one.example']?.addresses, ['192.0.2.80']);
});

keeping('stands in for the part that went without an answer', async () => {
  const router = new Router();
  router.zone = {
    'SRV _sip._udp.one.example': srv([5060, 'x.one.example'], [5070, 'y.one.example']),
    'A x.one.example': a('192.0.2.1'),
    'A y.one.example': a('192.0.2.2'),
  };
  await router.refresh('one.example');
  router.now += HOUR;
  router.zone = { ...router.zones['127.0.0.1'], 'A x.one.example': a('192.0.2.9'), 'A y.one.example': { bad: 'silent' } };
  for (let hours = 0; hours < 30; hours++) {
    const { names } = await router.refresh('one.example');
    assert.ok(names['one.example']?.addresses.includes('192.0.2.2'), `after ${hours} h`);
    assert.match(names['one.example']?.failed?.because ?? '', /^y\.one\.example: 127\.0\.0\.1: no answer/);
    router.now += HOUR;
  }
});

keeping('needs no NAPTR: a resolver that will not hear of it does no harm', async () => {
  const router = new Router();
  router.zone = { 'NAPTR one.example': { bad: 'silent' }, 'A one.example': a('192.0.2.1') };
  const { names } = await router.refresh('one.example');
  assert.equal([names['one.example']?.addresses, names['one.example']?.failed], [['192.0.2.1'], null]);
});

const guarding = suite('what a name server says');

guarding('is no address of a provider where no provider can be', async () => {
  const router = new Router();
  router.zone = {
    'A evil.example': a(
      '127.0.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '239.255.255.255',
      '169.254.1.1',
      '255.255.255.255',
      '240.0.0.1',
      '203.0.113.20',
      '10.1.2.3',
      '100.64.0.1',
      '192.168.1.10',
      '192.0.2.1',
      '2.4.5.6',
      '23.1.1.1',
      '25.1.1.1',
    ),
    'AAAA evil.example': a(
      '::1',
      '::',
      'ff02::1',
      'fe80::1',
      'febf::1',
      '::ffff:192.0.2.1'.replace('192.0.2.1', 'c000:201'),
      'fd00::1',
      '2001:db8::2',
      'fec0::1',
    ),
  };
  const answer = (await router.refresh('evil.example:5060')).names['evil.example'];
  assert.equal(answer?.addresses, [
    '10.1.2.3',
    '100.64.0.1',
    '192.0.2.1',
    '192.168.1.10',
    '2.4.5.6',
    '2001:db8::2',
    '23.1.1.1',
    '25.1.1.1',
    'fd00::1',
    'fec0::1',
  ]);
  assert.is(answer?.refused?.length, 14);
  assert.ok(answer?.refused?.includes('evil.example leads to 203.0.113.20, this router itself: that address is left out.'));
  assert.ok(answer?.refused?.includes('evil.example leads to ff02::1, a multicast address: that address is left out.'));
});

guarding('never wipes the last good answer, however odd: what is written can be read back', async () => {
  const odd: [string, Zone][] = [
    [
      '200 ports',
      {
        'SRV _sip._udp.one.example': srv(...Array.from({ length: 200 }, (_, at): [number, string] => [5060 + at, 'sbc.one.example'])),
        'A sbc.one.example': a('192.0.2.1'),
      },
    ],
    ['200 refused', { 'A one.example': a('192.0.2.1', ...Array.from({ length: 200 }, (_, at) => `127.0.1.${at}`)) }],
    ['200 good', { 'A one.example': a('192.0.2.1', ...Array.from({ length: 200 }, (_, at) => `198.51.100.${at}`)) }],
  ];
  for (const [what, zone] of odd) {
    const router = new Router();
    router.zone = { 'A one.example': a('192.0.2.1') };
    await router.refresh('one.example');
    router.now += 2 * HOUR;
    router.zone = zone;
    const { names } = await router.refresh('one.example');
    assert.ok(names['one.example']?.addresses.includes('192.0.2.1'), what);
    assert.equal(plain(await readNames(router.host)), plain(names), what);
    const { ports, refused = [] } = names['one.example'] ?? { ports: [] };
    assert.ok(ports.length <= 16 && (ports.length === 0 || ports[0] === 5060) && refused.length <= 33, what);
    // Nor after the hour that what was there before is kept.
    router.now += 2 * HOUR;
    await router.refresh('one.example');
    assert.ok((await readNames(router.host))['one.example']?.addresses.includes('192.0.2.1'), what);
  }
});

guarding('opens nothing behind the router: an address there is refused, and the last good ones stay', async () => {
  const router = new Router();
  const inside = async () => [readPrefix('192.168.1.0/24'), readPrefix('2001:db8:1::/64')] as Prefix[];
  const ask = (zone: Zone): ReturnType<typeof refreshNames> => {
    router.zone = zone;
    return refreshNames(router.host, router.asking, [{ name: 'one.example', port: null }], router.now, inside);
  };
  await ask({ 'A one.example': a('192.0.2.1') });
  for (let hours = 0; hours < 5; hours++) {
    router.now += 2 * HOUR;
    const { names } = await ask({ 'A one.example': a('192.168.1.50'), 'AAAA one.example': a('2001:db8:1::50') });
    assert.equal(names['one.example']?.addresses, ['192.0.2.1']);
    assert.match(names['one.example']?.refused?.[0] ?? '', 'leads to 192.168.1.50, in a network behind this router');
  }
});

guarding('is bounded: names, addresses, targets, questions at once, and the time of all together', async () => {
  const router = new Router();
  const names = Array.from({ length: 100 }, (_, at) => `n${at}.example`);
  const dead = await router.refresh(...names);
  assert.is(Object.keys(dead.names).length, 64);
  assert.ok(router.now - START <= 5000, `${router.now - START} ms`);
  assert.is(router.most, 32);
  assert.match(JSON.stringify(dead.names), /the time was over \(5 s for all names\)/);
  const crowd = new Router();
  crowd.zone = {
    'SRV _sip._udp.big.example': srv(...Array.from({ length: 300 }, (_, at): [number, string] => [5060 + at, `t${at}.example`])),
    ...Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [
        `A t${at}.example`,
        a(...Array.from({ length: 20 }, (__, host) => `10.${at % 250}.0.${host}`)),
      ]),
    ),
  };
  const answer = (await crowd.refresh('big.example')).names['big.example'];
  assert.is(answer?.addresses.length, 64);
  assert.is(answer?.ports.length, 16);
});

guarding("is asked for only where a name can be asked for, and names may be those of an object's own", async () => {
  const router = new Router();
  router.zone = { 'A constructor': a('192.0.2.1'), 'A __proto__': a('192.0.2.2') };
  const { names } = await router.refresh('constructor:5060', '__proto__:5060', 'a b;c:5060');
  assert.equal(Object.keys(names).sort(), ['__proto__', 'a b;c', 'constructor']);
  assert.equal([names['constructor']?.addresses, names['__proto__']?.addresses], [['192.0.2.1'], ['192.0.2.2']]);
  assert.match(names['a b;c']?.failed?.because ?? '', /"a b;c" is no name that can be asked for/);
  const again = await readNames(router.host);
  assert.equal(again['__proto__']?.addresses, ['192.0.2.2']);
  assert.is(again['toString'], undefined);
});

const files = suite('the files of names');

files('are written to the flash when addresses change, and no more than once an hour', async () => {
  const router = new Router();
  const refresh = async (...addresses: string[]): Promise<string[]> => {
    router.zone = { 'A one.example': { ttl: 60, data: addresses.map((address) => [address]) } };
    await router.refresh('one.example:5060');
    router.now += 60 * SECOND;
    return router.writes;
  };
  assert.equal(await refresh('192.0.2.1'), [NAMES, KEPT_NAMES]);
  assert.equal(await refresh('192.0.2.1'), [NAMES]);
  for (let minutes = 2; minutes < 60; minutes++)
    assert.equal(await refresh(`192.0.2.${minutes}`), [NAMES], 'a pool that turns each minute');
  assert.equal(await refresh('192.0.2.60'), [NAMES, KEPT_NAMES]);
  assert.equal(await refresh('192.0.2.61'), [NAMES]);
});

files('of names that are gone are taken away, and forgotten with their names', async () => {
  const router = new Router();
  router.zone = { 'A one.example': a('192.0.2.1'), 'A two.example': a('192.0.2.2') };
  await router.refresh('one.example:5060', 'two.example:5060');
  const { names, changed } = await router.refresh('two.example:5060');
  assert.equal([Object.keys(names), changed, router.writes], [['two.example'], true, [NAMES, KEPT_NAMES]]);
  assert.equal(await router.refresh(), { names: await readNames(router.host), changed: true, next: null, trouble: null });
  assert.not(router.files.has(NAMES) || router.files.has(KEPT_NAMES));
  await router.refresh();
  assert.equal(router.writes, []);
});

files('give the last good answers back after a boot', async () => {
  const router = new Router();
  router.zone = { 'A one.example': a('192.0.2.1') };
  await router.refresh('one.example:5060');
  router.files.delete(NAMES);
  router.zones = {};
  router.now = Date.UTC(2000, 0, 1); // the clock has not been set yet
  const { names, changed } = await router.refresh('one.example:5060');
  assert.equal([names['one.example']?.addresses, changed], [['192.0.2.1'], false]);
  assert.ok(router.asked.length > 0 || names['one.example']?.failed, 'a time in another year is no reason to wait');
});

files('that are spoilt are as good as none, entry by entry', async () => {
  const router = new Router();
  const good = { addresses: ['192.0.2.1'], ports: [5060], tlsPorts: [], at: 1, until: 2, failed: null };
  for (const text of ['', '{', 'null', '[]', '7', '"x"', '{"one.example":null}']) {
    router.files.set(NAMES, text);
    assert.equal(plain(await readNames(router.host)), {}, text);
  }
  const bad = [
    { addresses: ['192.0.2.1; flush ruleset'] },
    { addresses: 'x' },
    { addresses: [1] },
    { ports: [0] },
    { ports: ['5060'] },
    { tlsPorts: [65536] },
    { at: null },
    { until: '1' },
    { failed: true },
    { failed: { at: 1 } },
    { former: { x: 'y' } },
    { former: null },
    { refused: [1] },
    { addresses: Array<string>(1000).fill('192.0.2.1') },
  ].map((each, at) => [`bad${at}.example`, { ...good, ...each }]);
  router.files.set(NAMES, JSON.stringify({ ...Object.fromEntries(bad), 'good.example': good }));
  assert.equal(plain(await readNames(router.host)), { 'good.example': good });
});

files('that cannot be written are told, and nothing else is lost', async () => {
  const router = new Router();
  router.readOnly = true;
  router.zone = { 'A one.example': a('192.0.2.1') };
  const { names, trouble } = await router.refresh('one.example:5060');
  assert.equal(names['one.example']?.addresses, ['192.0.2.1']);
  assert.match(
    trouble ?? '',
    /could not be written: the file system is read-only \(EROFS\); the answers for providers' names are not kept$/,
  );
});

for (const each of [locating, keeping, guarding, files]) each.run();
