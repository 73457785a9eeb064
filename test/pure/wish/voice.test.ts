import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readConfiguration } from '../../../src/wish/read.ts';
import { dscpOf } from '../../../src/wish/values.ts';
import { damage, seeded } from '../../seeded.ts';
import type { PolicyWish, Problem } from '../../../src/wish/wish.ts';

function readPolicyWish(text: string | null): { wish: PolicyWish; problems: Problem[] } {
  const { voice, problems } = readConfiguration(text);
  return { wish: voice, problems };
}

const DEFAULTS: PolicyWish = {
  timeouts: { signallingUnreplied: 120, signallingReplied: 620, media: 300 },
  marking: { media: { name: 'EF', value: 46 }, signalling: { name: 'CS3', value: 24 } },
  limit: { register: 5, invite: 10, options: 10, other: 20, kilobytes: 2 },
  providers: [],
  sites: [],
};

const FULL = `
config sipalg 'main'
	option policy '1'

config timeouts 'timeouts'
	option signalling_replied '3660'
	option media '90'

config marking 'marking'
	option signalling '26'
	option media 'va'

config limit 'limit'
	option register '60'
	option other '30'
	option kilobytes '8'

config site 'branch'
	list network '198.51.100.66'
	list network '2001:db8:66::/48'

config site 'shut'
	option enabled '0'
	list network '198.51.100.67'

config site
	list network '198.51.100.64/29'

config provider 'example'
	list host 'SIP.Example.com'
	list host 'pbx.example.net:5080'
	list host '192.0.2.9'
	list signalling '203.0.113.77/24'
	list signalling '2001:db8::/32'
	option media '198.51.100.0/24 198.51.100.0/24'
	option inbound '1'
	option pbx '192.168.1.20'
	list port '5080'
	list port '5060'
	option media_ports '10000:20000'

config provider 'off'
	option enabled '0'
	list host 'sip.example.org'

config provider
	list host 'sip.example.org'
`;

const wishes = suite('what the configuration asks for');

wishes('is the defaults where nothing is written, and in the stock file', () => {
  for (const text of [null, '', "config sipalg 'main'\n\toption policy '1'\n"])
    assert.equal(readPolicyWish(text), { wish: DEFAULTS, problems: [] });
});

wishes('is read from every section', () => {
  assert.equal(readPolicyWish(FULL), {
    problems: [],
    wish: {
      timeouts: { signallingUnreplied: 120, signallingReplied: 3660, media: 90 },
      marking: { media: { name: '44', value: 44 }, signalling: { name: 'AF31', value: 26 } },
      limit: { register: 60, invite: 10, options: 10, other: 30, kilobytes: 8 },
      sites: [
        { name: 'branch', networks: ['198.51.100.66', '2001:db8:66::/48'] },
        { name: 'site2', networks: ['198.51.100.64/29'] },
      ],
      providers: [
        {
          name: 'example',
          hosts: [
            { name: 'SIP.Example.com', port: null },
            { name: 'pbx.example.net', port: 5080 },
          ],
          signalling: ['203.0.113.0/24', '2001:db8::/32', '192.0.2.9'],
          media: ['198.51.100.0/24'],
          ports: [5060, 5080],
          inbound: { pbx: ['192.168.1.20'], ports: [5060, 5080], mediaPorts: '10000-20000' },
        },
        { name: 'provider2', hosts: [{ name: 'sip.example.org', port: null }], signalling: [], media: [], inbound: null },
      ],
    },
  });
});

wishes("a server's address may have a port, as its name may, and a port may stand alone", () => {
  const read = (...lines: string[]): { provider: unknown; problems: string[] } => {
    const { wish, problems } = readPolicyWish(`config provider 'x'\n\t${lines.join('\n\t')}\n`);
    const { hosts, signalling, ports } = wish.providers[0]!;
    return { provider: [hosts, signalling, ports], problems: problems.map(({ text }) => text) };
  };
  assert.equal(
    read(
      "list host '203.0.113.5:5065'",
      "list host '[2001:DB8::1]:5066'",
      "list host 'sip.example.com:5067'",
      "list host '203.0.113.6'",
      "list host '2001:db8::2'",
      "list host '[2001:db8::3]'",
      "list host '2001:db8::4:5065'",
      "option port '5068'",
    ),
    {
      provider: [
        [{ name: 'sip.example.com', port: 5067 }],
        ['203.0.113.5', '2001:db8::1', '203.0.113.6', '2001:db8::2', '2001:db8::3', '2001:db8::4:5065'],
        [5065, 5066, 5068],
      ],
      problems: [],
    },
  );
  for (const bad of ['203.0.113.5:80', '203.0.113.5:', '203.0.113.5:70000', '[203.0.113.5]:5065', '[2001:db8::1', '203.0.113.0/24:5065']) {
    const { provider, problems } = read(`list host '${bad}'`, "list signalling '192.0.2.1'");
    assert.equal(provider, [[], ['192.0.2.1'], undefined], bad);
    assert.match(problems.join(), `"${bad}"`);
    assert.match(problems.join(), '203.0.113.5:5080, [2001:db8::5]:5080');
  }
});

wishes("phones' own marks are overwritten where that is said alone, and a provider's voice may be left unmarked", () => {
  const marks = readPolicyWish("config marking\n\toption overwrite '1'\nconfig provider 'x'\n\tlist host '203.0.113.5'\n\toption marking 'off'\n");
  assert.equal([marks.wish.marking, marks.problems], [{ ...DEFAULTS.marking, overwrite: true }, []]);
  assert.is(marks.wish.providers[0]?.marking, false);
  const { wish } = readPolicyWish("config marking\n\toption overwrite '0'\nconfig provider 'x'\n\tlist host '203.0.113.5'\n");
  assert.equal([wish.marking, 'marking' in wish.providers[0]!], [DEFAULTS.marking, false]);
});

wishes('marking and limit can be switched off', () => {
  const { wish, problems } = readPolicyWish(
    "config marking 'marking'\n\toption enabled 'off'\nconfig limit 'limit'\n\toption enabled '0'\n",
  );
  assert.equal([wish.marking, wish.limit, problems], [null, null, []]);
});

/** [section, what stands in it, what the sentence must hold] */
const BAD: readonly (readonly [string, string, ...string[]])[] = [
  ['timeouts', "option media '5'", 'sipalg.x', 'media', '"5"', '30 to 86400'],
  ['timeouts', "option signalling_replied '10 min'", '"10 min"', 'Until it is, it is 620'],
  ['timeouts', "list media '300'", '"list 300"'],
  [
    'timeouts',
    "option signaling_replied '620'",
    'no option "signaling_replied"',
    'signalling_unreplied, signalling_replied and media',
    'mean "signalling_replied"?',
  ],
  ['marking', "option media 'gold'", '"gold"', 'AF11 to AF43', 'it is EF'],
  ['marking', "option signalling '64'", '"64"', '0 to 63'],
  ['marking', "option enabled 'maybe'", '"maybe"', '1 or 0'],
  ['limit', "option invite '0'", '"0"', '1 to 6000'],
  ['limit', "option options '1e3'", '"1e3"'],
  ['provider', "list host '*.example.com'", '"*.example.com"', 'sip.example.com', 'left out'],
  ['provider', "list host 'sip.example.com:80'", '"sip.example.com:80"', '1024 to 65535'],
  ['provider', "list host 'sip.ex\u00e4mple.com'", 'left out'],
  ['provider', "list host 'a;b'", '"a;b"'],
  ['provider', "list host '203.0.113.0/24'", '"203.0.113.0/24"'],
  ['provider', "list signalling '0.0.0.0/0'", '"0.0.0.0/0"', 'covers too much', 'left out'],
  ['provider', "list media 'sip.example.com'", '"sip.example.com"', 'no address'],
  ['provider', "option inbound '1'", 'option pbx', 'Nothing is opened'],
  ['provider', "option inbound '1'\n\toption pbx '192.168.1.0/24'", '"192.168.1.0/24"', '192.168.1.20'],
  ['provider', "list port '80'", '"80"', '1024 to 65535'],
  ['provider', "option media_ports '20000-10000'", '"20000-10000"'],
  ['provider', "option inbound '0'", 'stands for nobody'],
  ['provider', "option transport 'tls'", 'no option "transport"'],
];

wishes('a bad value is a sentence that names it, and the rest is in force', () => {
  for (const [type, line, ...words] of BAD) {
    const { wish, problems } = readPolicyWish(
      `config ${type} 'x'\n\t${line}\n\nconfig provider 'good'\n\tlist signalling '203.0.113.0/24'\n`,
    );
    assert.ok(problems.length > 0, line);
    const said = problems.map(({ text }) => text).join(' ');
    for (const word of words) assert.ok(said.includes(word), `${line}: ${said}`);
    assert.equal({ ...wish, providers: [] }, DEFAULTS, line);
    assert.equal(wish.providers.at(-1)?.signalling, ['203.0.113.0/24']);
    for (const each of wish.providers.slice(0, -1))
      assert.equal([...each.hosts, ...each.signalling, ...each.media, each.inbound], [null], line);
  }
});

wishes('a second section of a kind that stands alone is not read, and that is said', () => {
  const { wish, problems } = readPolicyWish("config limit\n\toption register '9'\nconfig limit\n\toption register '8'\n");
  assert.is(wish.limit?.register, 9);
  assert.match(problems[0]?.text ?? '', /sipalg\.@limit\[1\].*line 3.*not read/);
});

wishes('a provider without a name gets one of its own', () => {
  const { wish } = readPolicyWish("config provider\nconfig provider 'provider0'\n");
  assert.equal(
    wish.providers.map(({ name }) => name),
    ['provider0_', 'provider0'],
  );
});

wishes('knows the classes by name and by number', () => {
  assert.equal(
    ['ef', 'CS5', '46', '0x2e', 'AF43', 'be', '5', 'LE', '', '-1', 'AF44', 'constructor', '0x40'].map(
      (text) => dscpOf(text)?.value ?? null,
    ),
    [46, 40, 46, 46, 38, 0, 5, 1, null, null, null, null, null],
  );
});

wishes('whatever is written there, it answers, and nothing but plain characters comes through', () => {
  const random = seeded(41);
  for (let round = 0; round < 3000; round++) {
    const { wish } = readPolicyWish(damage(FULL, random));
    for (const { name, hosts, signalling, media, inbound } of wish.providers) {
      assert.match(
        [
          name,
          ...hosts.map((host) => `${host.name}:${host.port}`),
          ...signalling,
          ...media,
          ...(inbound ? [...inbound.pbx, ...inbound.ports, inbound.mediaPorts ?? ''] : []),
        ].join(' '),
        /^[A-Za-z0-9_.:/ -]*$/,
      );
    }
    assert.ok(Object.values(wish.timeouts).every((value) => value >= 30 && value <= 86_400));
  }
});

wishes.run();
