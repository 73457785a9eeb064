import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hash } from '../../../src/host/hash.ts';
import { LISTED_FILE, METHODS } from '../../../src/voice/own.ts';
import { clearing } from '../../../src/voice/render/nft/clearing.ts';
import type { Existing } from '../../../src/voice/render/nft/clearing.ts';
import { renderNft } from '../../../src/voice/render/nft/table.ts';
import { portMatch } from '../../../src/voice/render/nft/writer.ts';
import { offloadRules } from '../../../src/voice/render/offload.ts';
import { voiceOf } from '../../../src/voice/render/voice.ts';
import type { Voice } from '../../../src/voice/rules.ts';
import { observeNftPolicy, LIST, parseInForce } from '../../../src/voice/seen/nft.ts';
import { NOW } from '../../routers.ts';
import { policyFacts } from '../../voice.ts';
import { made } from './made.ts';

const VOICE: Voice = {
  wan: ['wan'],
  ports: [5060],
  tlsPorts: [5061],
  timeouts: { signallingUnreplied: 120, signallingReplied: 620, media: 300 },
  marking: { media: { name: 'EF', value: 46 }, signalling: { name: 'CS3', value: 24 } },
  limit: { register: 5, invite: 10, options: 10, other: 20, kilobytes: 2 },
  signalling: { ipv4: ['203.0.113.0/24'], ipv6: ['2001:db8::/32'] },
  media: { ipv4: [], ipv6: [] },
  unmarked: { ipv4: [], ipv6: [] },
  sites: { ipv4: [], ipv6: [] },
};

/** The rules of one chain. */
function chain(voice: Voice, name: string, perFlow = true): string[] {
  const lines = renderNft(voice, perFlow).text.split('\n');
  const from = lines.indexOf(`\tchain ${name} {`);
  return from < 0 ? [] : lines.slice(from + 1, lines.indexOf('\t}', from)).map((line) => line.trim());
}

const rendering = suite('the voice rules for nft');

rendering('look at a forwarded packet that is no voice with three cheap tests, and at what the internet began with one more', () => {
  assert.equal(chain(VOICE, 'dialled'), ['ct state new meta l4proto udp jump flows', 'goto elsewhere']);
  assert.equal(chain(VOICE, 'forwarded'), [
    'type filter hook forward priority -140; policy accept;',
    'th dport & 65534 == 5060 meta l4proto { tcp, udp } goto signalling',
    'th sport & 65534 == 5060 meta l4proto { tcp, udp } goto signalling',
    '@th,64,2 2 meta l4proto udp goto media_marks',
    'ct direction original iifname "wan" goto dialled',
  ]);
  assert.equal(chain(VOICE, 'signalling')[0], 'iifname "wan" jump outside');
  assert.equal(chain(VOICE, 'outside'), [
    'ct direction reply return',
    'th dport & 65534 == 5060 meta l4proto { tcp, udp } goto internet',
    'goto elsewhere',
  ]);
  // No more than two looks at what it holds where it is no SIP.
  assert.equal(chain(VOICE, 'elsewhere'), [
    'meta l4proto tcp ct original proto-dst 5060-5061 goto connections',
    'meta l4proto != udp return',
    'meta l4proto udp ct original proto-dst 5060-5061 goto internet',
    '@th,64,32 & 0xc0c0c000 == 0x40404000 goto letters',
    '@th,64,16 0x0d0a goto line',
  ]);
  assert.equal(chain(VOICE, 'incoming').slice(1), ['ct state new meta l4proto udp jump flows', 'iifname "wan" jump outside']);
  assert.not.match(renderNft(VOICE, true).text, /hook prerouting/, 'every packet pays for a hook');
  assert.ok(
    chain({ ...VOICE, ports: [5060, 5080] }, 'forwarded').includes(
      'th dport { 5060-5061, 5080 } meta l4proto { tcp, udp } goto signalling',
    ),
  );
});

rendering('set timeouts whose object carries them in its name, in each family', () => {
  assert.equal(chain(VOICE, 'timeout_signalling'), [
    'iifname "wan" goto timeout_unanswered',
    'meta nfproto ipv4 ct timeout set "signalling4_620"',
    'meta nfproto ipv6 ct timeout set "signalling6_620"',
  ]);
  assert.equal(chain(VOICE, 'timeout_unanswered'), [
    'meta nfproto ipv4 ct timeout set "signalling4_120_620"',
    'meta nfproto ipv6 ct timeout set "signalling6_120_620"',
  ]);
  assert.equal(chain(VOICE, 'timeout_media'), [
    'meta nfproto ipv4 ct timeout set "media4_300"',
    'meta nfproto ipv6 ct timeout set "media6_300"',
  ]);
  assert.not.match(renderNft(VOICE, false).text, /timeout_|ct timeout/);
});

rendering('let providers and calls pass before anything of a stranger is counted, and limit what is over', () => {
  assert.equal(chain(VOICE, 'internet'), [
    'meta l4proto tcp goto connections',
    '@th,64,32 & 0xdfdfdfff == 0x5349502f return',
    'udp length < 25 return',
    '@th,64,72 0x524547495354455220 goto from_register',
    '@th,64,56 0x494e5649544520 goto from_invite',
    '@th,64,64 0x4f5054494f4e5320 goto from_options',
    '@th,64,16 0x0d0a goto line2',
    '@th,64,8 < 9 return',
    '@th,64,8 > 126 return',
    '@th,72,8 0xfe return',
    'goto from_other',
  ]);
  assert.equal(chain(VOICE, 'line2').slice(0, 3), [
    '@th,80,16 0x0d0a goto line4',
    '@th,80,32 & 0xdfdfdfff == 0x5349502f return',
    '@th,80,72 0x524547495354455220 goto from_register',
  ]);
  const peer = 'ip saddr . udp sport';
  assert.equal(
    chain(VOICE, 'from_register').filter((rule) => !rule.startsWith('ip6')),
    [
      ...['signalling', 'media', 'sites'].map((set) => `ip saddr @${set}4 return`),
      `${peer} @registered4 update @renewing4 { ${peer} } return`,
      `${peer} @registered4 return`,
      `${peer} @challenged4 ip saddr != @returned4 update @returned4 { ip saddr } goto back_register`,
      'goto asked_register',
    ],
  );
  const office = 'update @office4_50 { ip saddr limit rate 50/minute burst 50 packets } goto put_register';
  assert.equal(
    chain(VOICE, 'asked_register').filter((rule) => !rule.startsWith('ip6') && !/\{ ip6/.test(rule)),
    [
      `ip saddr @offices4 ${office}`,
      'counter name "attempts_register"',
      'ip saddr @first4 goto again_register',
      'ip saddr @once4 goto again_register',
      'update @single_register4 { ip saddr counter }',
      'update @once4 { ip saddr }',
      'goto allowed_register',
    ],
  );
  const rules = chain(VOICE, 'allowed_register');
  assert.equal(rules.slice(-2), ['limit rate over 5/minute burst 5 packets goto limited_register', 'goto put_register']);
  assert.not.match(renderNft(VOICE, true).text, /^\t\t.*\baccept$/m, 'who is let by is still to be marked');
  assert.ok(rules.includes('update @register4_5 { ip saddr limit rate over 5/minute burst 5 packets } goto limited_register'));
  assert.ok(
    rules.includes(
      'update @register6_5 { ip6 saddr & ffff:ffff:ffff:ffff:: limit rate over 5/minute burst 5 packets } goto limited_register',
    ),
  );
  assert.equal(chain(VOICE, 'limited_register').at(-1), 'counter name "limited_register" drop');
  assert.equal(chain(VOICE, 'connections').slice(6, 8), [
    'ct state new goto asked_tcp',
    'update @kilobytes4_2 { ip saddr limit rate over 2 kbytes/second burst 32 kbytes } goto limited_kilobytes',
  ]);
  assert.ok(
    chain(VOICE, 'allowed_tcp').some((rule) => rule.includes('over 25/minute')),
    'TCP may carry any of the three',
  );
});

rendering('never look up a set whose elements hold a limit or a counter: looking up spends of the one and adds to the other', () => {
  const { text } = renderNft(VOICE, true);
  const holding = new Set([...text.matchAll(/update @(\w+) \{[^}]*\b(?:limit|counter)\b[^}]*\}/g)].map(([, name]) => name));
  const lookedUp = new Set([...text.matchAll(/(?<!update|add) @(\w+)/g)].map(([, name]) => name));
  assert.ok(holding.size > 30 && lookedUp.size > 20);
  assert.equal(
    [...lookedUp].filter((name) => holding.has(name)),
    [],
  );
});

rendering('drop nothing anywhere but behind a limit', () => {
  const { text } = renderNft(VOICE, true);
  assert.is(text.split('\n').filter((line) => /\b(drop|reject)\b/.test(line)).length, METHODS.length + 1);
  for (const changes of [{ limit: null }, { wan: [] }])
    assert.not.match(renderNft({ ...VOICE, ...changes }, true).text, /drop\b|internet|from_/);
});

rendering('learn phones from what leaves alone, and without a known way out from private addresses alone', () => {
  assert.is(chain(VOICE, 'signalling').at(-1), 'oifname "wan" goto leaving');
  assert.ok(chain(VOICE, 'leaving').includes('ct direction original update @phones4 { ip saddr }'));
  const learning = (voice: Voice): string[] =>
    renderNft(voice, true)
      .text.split('\n')
      .filter((line) => line.includes('update @phones4'))
      .map((line) => line.trim());
  assert.is(learning(VOICE).length, 2);
  assert.ok(
    learning({ ...VOICE, wan: [] }).includes(
      'ct direction original ip saddr { 10.0.0.0/8, 100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 } update @phones4 { ip saddr }',
    ),
  );
});

rendering('mark in both families, by class', () => {
  assert.equal(chain(VOICE, 'mark_media'), ['counter name "voice_media"', 'ip dscp cs0 ip dscp set ef', 'ip6 dscp cs0 ip6 dscp set ef']);
  const marking = VOICE.marking as NonNullable<Voice['marking']>;
  assert.equal(chain({ ...VOICE, marking: { ...marking, overwrite: true } }, 'mark_media').slice(1), ['ip dscp set ef', 'ip6 dscp set ef']);
  const none = { name: 'CS0', value: 0 };
  assert.equal(chain({ ...VOICE, marking: { ...marking, media: none } }, 'mark_media'), ['counter name "voice_media"']);
  assert.is(chain({ ...VOICE, marking: { ...marking, media: none, overwrite: true } }, 'mark_media')[1], 'ip dscp set cs0');
  assert.not.match(renderNft({ ...VOICE, marking: null }, true).text, /dscp|mark_media/);
});

rendering('leave the voice of a provider unmarked where that is wished, from its networks and to them', () => {
  const rules = (ipv4: string[]): string[] => chain({ ...VOICE, unmarked: { ipv4, ipv6: [] } }, 'mark_media').slice(1);
  assert.equal(rules(['203.0.113.5']), [
    'ip dscp cs0 ip saddr != 203.0.113.5 ip daddr != 203.0.113.5 ip dscp set ef',
    'ip6 dscp cs0 ip6 dscp set ef',
  ]);
  assert.match(rules(['203.0.113.5', '198.51.100.0/24'])[0] ?? '', 'ip saddr != { 203.0.113.5, 198.51.100.0/24 } ip daddr != {');
});

rendering("keep what phones have marked by themselves out of fw4's offload, with what is marked here", () => {
  const marking = VOICE.marking as NonNullable<Voice['marking']>;
  const none = { name: 'CS0', value: 0 };
  const tests = (given: Voice['marking']): string[] => offloadRules(given).map((rule) => /forward (.*) ct status/.exec(rule)?.[1] ?? rule);
  assert.equal(tests(marking), ['ip dscp != cs0', 'ip6 dscp != cs0']);
  assert.equal(tests({ ...marking, overwrite: true }), ['ip dscp { cs3, ef }', 'ip6 dscp { cs3, ef }']);
  assert.equal(tests({ ...marking, media: none }), ['ip dscp != cs0', 'ip6 dscp != cs0']);
  assert.equal(tests({ media: none, signalling: none }), []);
  assert.equal(tests(null), []);
});

rendering('write neighbouring ports as ranges', () => {
  assert.equal([[5060], [5061, 5060], [5060, 5080, 5061], [5060, 5060]].map(portMatch), [
    '5060',
    '5060-5061',
    '{ 5060-5061, 5080 }',
    '5060',
  ]);
});

rendering('the same voice is the same text, another one has another mark', () => {
  const { mark, text } = renderNft(VOICE, true);
  assert.match(mark, /^text_1_[0-9a-f]+$/);
  assert.ok(text.includes(`\tchain ${mark} {\n\t}\n`));
  assert.equal(renderNft(structuredClone(VOICE), true), renderNft(VOICE, true));
  const others = [
    { ports: [5060, 5080] },
    { wan: ['wan', 'wan2'] },
    { limit: null },
    { signalling: { ipv4: [], ipv6: [] } },
    { media: { ipv4: ['203.0.113.0/24'], ipv6: [] } },
  ];
  assert.is(
    new Set([mark, renderNft(VOICE, false).mark, ...others.map((each) => renderNft({ ...VOICE, ...each }, true).mark)]).size,
    others.length + 2,
  );
  assert.is(new Set(Array.from({ length: 20_000 }, (_, at) => hash(`text ${at}`))).size, 20_000);
});

/** What is there after a text was loaded. */
function objectsOf(declared: Iterable<string>): Existing[] {
  return [...declared].map((each) => ({ kind: each.slice(0, each.lastIndexOf(' ')), name: each.slice(each.lastIndexOf(' ') + 1) }));
}

rendering('what replaces a text keeps what was learnt and counted, and clears what is of no use any more', () => {
  const one = renderNft(VOICE, true);
  const other = renderNft(
    { ...VOICE, limit: { register: 6, invite: 10, options: 10, other: 20, kilobytes: 2 }, timeouts: { ...VOICE.timeouts, media: 400 } },
    true,
  );
  assert.equal(clearing([], one), []);
  const lines = clearing(objectsOf(one.declared), other);
  assert.is(lines[0], 'flush table inet sipalg');
  assert.equal(lines.slice(1).sort(), [
    `delete chain inet sipalg ${one.mark}`,
    ...[
      'media4',
      'media6',
      'office4_50',
      'office6_50',
      'register4_5',
      'register6_5',
      'signalling4',
      'signalling6',
      'sites4',
      'sites6',
      'tcp4_25',
      'tcp6_25',
    ].map((name) => `delete set inet sipalg ${name}`),
  ]);
  // Flows under a timeout that is no longer given out keep it, until there are too many of them.
  const many = Array.from({ length: 20 }, (_, at) => ({ kind: 'ct timeout', name: `media4_${1000 + at}` }));
  assert.ok(!clearing([...objectsOf(one.declared), ...many.slice(0, 10)], one).some((line) => line.includes('ct timeout')));
  assert.is(
    clearing([...objectsOf(one.declared), ...many], one).filter((line) => line.includes('delete ct timeout inet sipalg media4_10')).length,
    20,
  );
  assert.equal(
    clearing(
      [
        { kind: 'chain', name: 'text_0_abc' },
        { kind: 'set', name: 'phones4' },
      ],
      one,
    ),
    ['delete table inet sipalg'],
  );
  assert.equal(clearing([{ kind: 'chain', name: 'foreign' }], one), ['delete table inet sipalg']);
});

rendering.run();

const listing = suite('what is in force, as nft lists it');

listing('is read set by set as it is whole, and of a set that is full it counts alone how much stands in it', async () => {
  const set = (name: string, elem: unknown[]) => ({ set: { family: 'inet', name, table: 'sipalg', size: 4096, timeout: 300, elem } });
  const sources = Array.from({ length: 4096 }, (_, nth) => ({
    elem: { val: `198.18.${nth >> 8}.${nth & 255}`, timeout: 300, expires: 200 },
  }));
  const text = JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      set('phones4', ['192.168.1.10']),
      set('once4', sources),
      set('single_other4', [{ elem: { val: '198.18.0.1', expires: 290, counter: { packets: 1, bytes: 90 } } }]),
      set('seen_other4', [{ elem: { val: '198.18.0.1', expires: 86_390, counter: { packets: 4, bytes: 360 } } }]),
      { rule: { family: 'inet', table: 'sipalg', chain: 'x', expr: [{ set: { op: 'update', elem: 'a', set: '@once4' } }] } },
      { set: { family: 'inet', name: 'asking4', table: 'sipalg', size: 1024 } },
      { chain: { family: 'inet', table: 'sipalg', name: 'text_1_abc' } },
    ],
    // As nft writes it: a space behind each comma and colon.
  }).replace(/([,:])(?=["{[\d])/g, '$1 ');
  const whole = parseInForce(text, text, NOW);
  const seen = await observeNftPolicy(made({ answers: { [LIST.join(' ')]: text }, files: { [LISTED_FILE]: text } }), true);
  assert.equal(seen.state === 'present' && seen.value, whole);
  assert.is(whole.shape, whole.loaded);
  assert.equal(whole.lists, [
    { name: 'phones4', entries: 1, most: 4096 },
    { name: 'once4', entries: 4096, most: 4096 },
    { name: 'single_other4', entries: 1, most: 4096 },
    { name: 'seen_other4', entries: 1, most: 4096 },
  ]);
  assert.equal([whole.mark, whole.phones], ['text_1_abc', ['192.168.1.10']]);
  // Asked once, then four times more.
  assert.equal(
    whole.attempts.map(({ source, method, seen: count, first, last }) => [source, method, count, first, last]),
    [['198.18.0.1', 'OTHER', 5, NOW - 10_000, NOW - 10_000]],
  );
  const broken = await observeNftPolicy(made({ answers: { [LIST.join(' ')]: text.slice(0, -40) } }), true);
  assert.is(broken.state, 'failed', 'what was cut short says nothing');
});

listing.run();

const resolving = suite('from names and wishes to rules');

resolving("takes names' addresses for signalling, and for audio where nothing else is said", () => {
  const voice = voiceOf(policyFacts());
  assert.equal(voice.signalling, { ipv4: ['192.0.2.0/28', '203.0.113.0/24'], ipv6: ['2001:db8:5::5'] });
  assert.equal(voice.media, { ipv4: ['192.0.2.0/28', '198.51.100.0/24'], ipv6: ['2001:db8:5::/48'] });
  assert.equal([voice.ports, voice.tlsPorts, voice.wan], [[5060, 5080], [5061], ['pppoe-wan']]);
});

resolving("lets no name server bring other programs' ports or nobody's addresses in", () => {
  const facts = policyFacts();
  facts.names['sip.example.com'] = {
    addresses: ['127.0.0.1', '0.0.0.0', '224.0.0.1', '203.0.113.5', '::1', 'fe80::1'],
    ports: [22, 53, 5070],
    tlsPorts: [443, 5061],
    at: 1,
    until: 2,
    failed: null,
  };
  const voice = voiceOf(facts);
  assert.equal(voice.signalling, { ipv4: ['192.0.2.0/28', '203.0.113.0/24'], ipv6: [] });
  assert.equal([voice.ports, voice.tlsPorts], [[5060, 5070, 5080], [5061]]);
});

resolving('takes ports given with addresses or by themselves, and knows whose voice is not to be marked', () => {
  const facts = policyFacts();
  const [example, plain] = facts.wish.providers;
  facts.wish.providers = [example!, { ...plain!, ports: [5065, 5061], marking: false, media: ['198.51.100.7'] }];
  const voice = voiceOf(facts);
  assert.equal([voice.ports, voice.tlsPorts], [[5060, 5065, 5080], [5061]]);
  assert.equal(voice.unmarked, { ipv4: ['192.0.2.0/28', '198.51.100.7'], ipv6: [] });
});

resolving('lets no hostile device name into a script', () => {
  for (const name of ['a"b', 'a b', 'wan*', 'a\nb', '', 'abcdefghijklmnop', '{', '\\']) {
    assert.equal(voiceOf(policyFacts({ wan: { state: 'present', value: [name, 'eth0.2@x'], source: '' } })).wan, ['eth0.2@x'], name);
  }
});

resolving.run();
