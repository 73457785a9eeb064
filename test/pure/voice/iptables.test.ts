import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SavedRuleset } from '../../../src/languages/iptables/save.ts';
import { parseSave } from '../../../src/languages/iptables/save.ts';
import { iptablesTables } from '../../../src/voice/render/iptables/tables.ts';
import { ipsetText, prefixChains, swapLines } from '../../../src/voice/render/iptables/prefixes.ts';
import { readPolicyFile, readRestore, seenOf, tablesOf, transaction, writePolicyFile } from '../../../src/voice/render/iptables/restore.ts';
import { keptOut } from '../../../src/voice/seen/iptables.ts';
import { counterName, markOf, ownTables, shapeOf } from '../../../src/voice/seen/iptables-own.ts';
import { readPrefix, writePrefix } from '../../../src/languages/address/prefixes.ts';
import { mergePrefixes } from '../../../src/languages/address/prefix-sets.ts';
import type { Prefix } from '../../../src/languages/address/prefixes.ts';
import { seeded } from '../../seeded.ts';
import { VOICE } from '../../lab/voice/fw3.ts';

/** What a text of ours leads to. */
function rulesIn(text: string): SavedRuleset {
  const ruleset = readRestore(text);
  if (ruleset === null) throw new Error(`iptables would not save this: ${text}`);
  return ruleset;
}

const ALL = {
  comment: true,
  conntrack: true,
  multiport: true,
  u32: true,
  recent: true,
  hashlimit: true,
  DSCP: true,
  dscp: true,
  set: true,
};

/** Rules that are like others: of other methods, and of other places in a datagram. */
const LIKE = /^-A sipalg_(?:letters|line|of_call|unknown .* sipalg_from|(?:asked|attempts|limited|put)_(?:invite|options|tcp)|from_options)/;

const test = suite('policy/iptables');

test('reads as it is meant to', () => {
  const text = transaction(iptablesTables(VOICE, 'ipv4', ALL, false), []);
  const rules = text
    .split('\n')
    .filter((line) => line.startsWith('-A ') && !LIKE.test(line))
    .map((line) => line.replace(' -m comment --comment "!sipalg"', '').replace(/ --hashlimit-htable-\S+ \d+/g, ''));
  assert.is(
    rules.join('\n'),
    `-A sipalg_internet -m u32 --u32 "0x0>>0x16&0x3c@0x8&0xc0c0c000=0x40404000" -g sipalg_text
-A sipalg_internet -m u32 --u32 "0x0>>0x16&0x3c@0x8>>0x10=0xd0a" -g sipalg_text
-A sipalg_internet -p udp -m multiport --dports 5060,5061 -g sipalg_sip
-A sipalg_text -p udp -m multiport --dports 5060,5061 -g sipalg_sip
-A sipalg_text -m u32 --u32 "0x0>>0x16&0x3c@0x8>>0x10=0xd0a" -g sipalg_line
-A sipalg_text -g sipalg_letters
-A sipalg_sip -m u32 --u32 "0x0>>0x16&0x3c@0x8&0xdfdfdfff=0x5349502f" -j RETURN
-A sipalg_sip -m u32 --u32 "0x0>>0x16&0x3c@0x4>>0x10=0x0:0x18" -j RETURN
-A sipalg_sip -m u32 --u32 "0x0>>0x16&0x3c@0x8>>0x18=0x0:0x8,0x7f:0xff" -j RETURN
-A sipalg_sip -m u32 --u32 "0x0>>0x16&0x3c@0x8>>0x10&0xff=0xfe" -j RETURN
-A sipalg_sip -m u32 --u32 "0x0>>0x16&0x3c@0x8>>0x10=0xd0a&&0x0>>0x16&0x3c@0xa&0xdfdfdfff=0x5349502f" -j RETURN
-A sipalg_sip -m u32 --u32 "0x0>>0x16&0x3c@0x8=0xd0a0d0a&&0x0>>0x16&0x3c@0xc&0xdfdfdfff=0x5349502f" -j RETURN
-A sipalg_sip -g sipalg_request
-A sipalg_request -m set --match-set sipalg_signalling4 src -j RETURN
-A sipalg_request -m set --match-set sipalg_media4 src -j RETURN
-A sipalg_request -m set --match-set sipalg_sites4 src -j RETURN
-A sipalg_request -g sipalg_unknown
-A sipalg_unknown -p tcp -g sipalg_connections
-A sipalg_connections -m conntrack --ctstate NEW -g sipalg_asked_tcp
-A sipalg_connections -m hashlimit --hashlimit-above 2kb/s --hashlimit-burst 32kb --hashlimit-mode srcip --hashlimit-srcmask 32 --hashlimit-name sipalg_b2 -g sipalg_limited_kilobytes
-A sipalg_limited_kilobytes -j DROP
-A sipalg_renew -j SET --add-set sipalg_renewing4 src,src --exist --timeout 32
-A sipalg_back -m recent --set --name sipalg_register4 --mask 255.255.255.255 --rsource
-A sipalg_back -j SET --add-set sipalg_returned4 src --exist --timeout 300
-A sipalg_back -j SET --add-set sipalg_registering4 src,src --exist --timeout 32
-A sipalg_from_register -m set --match-set sipalg_registered4 src,src -g sipalg_renew
-A sipalg_from_register -m set --match-set sipalg_challenged4 src,src -m set ! --match-set sipalg_returned4 src -g sipalg_back
-A sipalg_from_register -g sipalg_asked_register
-A sipalg_from_invite -m set --match-set sipalg_registered4 src,src -j RETURN
-A sipalg_from_invite -m set --match-set sipalg_calls4 src,src -m hashlimit --hashlimit-upto 100/minute --hashlimit-burst 100 --hashlimit-mode srcip,srcport --hashlimit-srcmask 32 --hashlimit-name sipalg_c100 -j RETURN
-A sipalg_from_invite -g sipalg_asked_invite
-A sipalg_from_other -m set --match-set sipalg_registered4 src,src -j RETURN
-A sipalg_from_other -m set --match-set sipalg_calls4 src,src -g sipalg_of_call
-A sipalg_from_other -g sipalg_asked_other
-A sipalg_asked_register -m set --match-set sipalg_offices4 src -m hashlimit --hashlimit-upto 50/minute --hashlimit-burst 50 --hashlimit-mode srcip --hashlimit-srcmask 32 --hashlimit-name sipalg_f50 -g sipalg_put_register
-A sipalg_asked_register -g sipalg_attempts_register
-A sipalg_attempts_register
-A sipalg_attempts_register -m set --match-set sipalg_once4 src -m recent --set --name sipalg_register4 --mask 255.255.255.255 --rsource
-A sipalg_attempts_register -m set ! --match-set sipalg_once4 src -m recent --set --name sipalg_single_register4 --mask 255.255.255.255 --rsource
-A sipalg_attempts_register -j SET --add-set sipalg_once4 src --exist --timeout 300
-A sipalg_attempts_register -m hashlimit --hashlimit-above 5/minute --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-srcmask 32 --hashlimit-name sipalg_r5 -g sipalg_limited_register
-A sipalg_attempts_register -g sipalg_put_register
-A sipalg_limited_register -m recent --set --name sipalg_limited_register4 --mask 255.255.255.255 --rsource -j DROP
-A sipalg_put_register -j SET --add-set sipalg_registering4 src,src --exist --timeout 32
-A sipalg_asked_other -m set --match-set sipalg_offices4 src -m hashlimit --hashlimit-upto 50/minute --hashlimit-burst 50 --hashlimit-mode srcip --hashlimit-srcmask 32 --hashlimit-name sipalg_f50 -g sipalg_put_other
-A sipalg_asked_other -g sipalg_attempts_other
-A sipalg_attempts_other
-A sipalg_attempts_other -m set --match-set sipalg_once4 src -m recent --set --name sipalg_other4 --mask 255.255.255.255 --rsource
-A sipalg_attempts_other -m set ! --match-set sipalg_once4 src -m recent --set --name sipalg_single_other4 --mask 255.255.255.255 --rsource
-A sipalg_attempts_other -j SET --add-set sipalg_once4 src --exist --timeout 300
-A sipalg_attempts_other -m hashlimit --hashlimit-above 20/minute --hashlimit-burst 20 --hashlimit-mode srcip --hashlimit-srcmask 32 --hashlimit-name sipalg_x20 -g sipalg_limited_other
-A sipalg_attempts_other -g sipalg_put_other
-A sipalg_limited_other -m recent --set --name sipalg_limited_other4 --mask 255.255.255.255 --rsource -j DROP
-A sipalg_put_other -j SET --add-set sipalg_asking4 src,src --exist --timeout 10
-A sipalg_put_other -m set ! --match-set sipalg_asking4 src,src -g sipalg_limited_other
-A sipalg_answers -m u32 --u32 "0x0>>0x16&0x3c@0x8=0x5349502f&&0x0>>0x16&0x3c@0xc=0x322e3020&&0x0>>0x16&0x3c@0x10>>0x10=0x3138" -j SET --add-set sipalg_calls4 dst,dst --exist --timeout 620
-A sipalg_answers -m u32 --u32 "0x0>>0x16&0x3c@0x8=0x5349502f&&0x0>>0x16&0x3c@0xc=0x322e3020&&0x0>>0x16&0x3c@0x10=0x32303020" -g sipalg_accepted
-A sipalg_answers -m u32 --u32 "0x0>>0x16&0x3c@0x8=0x5349502f&&0x0>>0x16&0x3c@0xc=0x322e3020&&0x0>>0x16&0x3c@0x10=0x34303120" -g sipalg_challenges
-A sipalg_answers -m u32 --u32 "0x0>>0x16&0x3c@0x8=0x5349502f&&0x0>>0x16&0x3c@0xc=0x322e3020&&0x0>>0x16&0x3c@0x10=0x34303720" -g sipalg_challenges
-A sipalg_challenges -m set --match-set sipalg_registering4 dst,dst -j SET --add-set sipalg_challenged4 dst,dst --exist --timeout 32
-A sipalg_accepted -m set --match-set sipalg_calls4 dst,dst -j SET --add-set sipalg_calls4 dst,dst --exist --timeout 620
-A sipalg_accepted -m set --match-set sipalg_inviting4 dst,dst -m set ! --match-set sipalg_asking4 dst,dst -m set ! --match-set sipalg_registering4 dst,dst -j SET --add-set sipalg_calls4 dst,dst --exist --timeout 620
-A sipalg_accepted -m set --match-set sipalg_renewing4 dst,dst -g sipalg_granted
-A sipalg_accepted -m set --match-set sipalg_registering4 dst,dst -m set ! --match-set sipalg_asking4 dst,dst -m set ! --match-set sipalg_inviting4 dst,dst -m set ! --match-set sipalg_calls4 dst,dst -g sipalg_granted
-A sipalg_granted -j SET --add-set sipalg_registered4 dst,dst --exist --timeout 7200
-A sipalg_granted -j SET --add-set sipalg_offices4 dst --exist --timeout 7200
-A sipalg_signalling -o wan -m conntrack --ctdir ORIGINAL -j SET --add-set sipalg_phones4 src --exist --timeout 86400
-A sipalg_signalling -o wan -m conntrack --ctdir REPLY -m set --match-set sipalg_signalling4 dst -j SET --add-set sipalg_phones4 src --exist --timeout 86400
-A sipalg_signalling -g sipalg_voice_signalling
-A sipalg_rtp -m set --match-set sipalg_phones4 src -g sipalg_voice_media
-A sipalg_rtp -m set --match-set sipalg_phones4 dst -g sipalg_voice_media
-A sipalg_rtp -m set --match-set sipalg_media4 src -g sipalg_voice_media
-A sipalg_rtp -m set --match-set sipalg_media4 dst -g sipalg_voice_media
-A sipalg_voice_signalling
-A sipalg_voice_signalling -m dscp --dscp 0x00 -j DSCP --set-dscp 0x18
-A sipalg_voice_media
-A sipalg_voice_media -m dscp --dscp 0x00 -j DSCP --set-dscp 0x2e
-A PREROUTING -i wan -p udp -m conntrack --ctdir ORIGINAL -j sipalg_internet
-A PREROUTING -i wan -p tcp -m multiport --dports 5060,5061 -m conntrack --ctdir ORIGINAL -j sipalg_request
-A FORWARD -o wan -p udp -m conntrack --ctdir REPLY -j sipalg_answers
-A OUTPUT -o wan -p udp -m conntrack --ctdir REPLY -j sipalg_answers
-A FORWARD -p udp -m multiport --ports 5060 -j sipalg_signalling
-A FORWARD -p udp -m udp --sport 1024:65535 --dport 1024:65535 -m u32 --u32 "0x0>>0x16&0x3c@0x8>>0x1e=0x2" -j sipalg_rtp
-A FORWARD -p tcp -m multiport --ports 5060,5061 -j sipalg_signalling
-A OUTPUT -p udp -m multiport --ports 5060 -j sipalg_signalling
-A OUTPUT -p udp -m udp --sport 1024:65535 --dport 1024:65535 -m u32 --u32 "0x0>>0x16&0x3c@0x8>>0x1e=0x2" -j sipalg_rtp
-A OUTPUT -p tcp -m multiport --ports 5060,5061 -j sipalg_signalling`,
  );
});

test('never ends with ACCEPT in mangle, and never refers to what is not there', () => {
  const random = seeded(61);
  const names = Object.keys(ALL);
  for (let round = 0; round < 400; round++) {
    const has = Object.fromEntries(names.map((name) => [name, random.below(4) > 0]));
    const voice = {
      ...VOICE,
      limit: random.below(4) > 0 ? VOICE.limit : null,
      marking: random.below(4) > 0 ? VOICE.marking : null,
      wan: random.pick([[], ['wan'], ['eth0.2', 'pppoe-wan']]),
      ports: random.pick([[5060], Array.from({ length: 40 }, (_, nth) => 5060 + nth)]),
    };
    for (const family of ['ipv4', 'ipv6'] as const) {
      const tables = iptablesTables(voice, family, has, random.below(2) === 1);
      const text = transaction(tables, []);
      assert.ok(
        Object.keys(has).every(
          (name) => has[name] || !new RegExp(`-m ${name} |-j ${name} `).test(text) || name === 'conntrack' || name === 'multiport',
        ),
        text,
      );
      for (const { name, chains, jumps } of tables) {
        for (const rule of [...Object.values(chains).flat(), ...jumps.map((jump) => jump.rule)]) {
          const target = /-[jg] (\S+)/.exec(rule)?.[1] ?? 'RETURN';
          assert.ok(
            target.startsWith('sipalg_')
              ? chains[target] !== undefined
              : ['RETURN', 'DROP', 'DSCP', 'SET', ...(name === 'filter' ? ['ACCEPT'] : [])].includes(target),
            rule,
          );
          for (const [list] of rule.matchAll(/ports (\S+)/g)) assert.ok(list.split(',').length <= 15, rule);
        }
        for (const chain of Object.keys(chains)) assert.ok(chain.length <= 28, chain);
        // Drops stand only where something was limited.
        for (const [chain, rules] of Object.entries(chains))
          if (rules.some((rule) => rule.endsWith('-j DROP'))) assert.match(chain, /^sipalg_limited_/);
      }
    }
  }
});

test('a device is one word, and one device', () => {
  const text = (wan: string[]): string => transaction(iptablesTables({ ...VOICE, wan }, 'ipv4', ALL, false), []);
  assert.match(text(['eth0.2']), /-A PREROUTING -i "eth0\.2" -p udp/);
  assert.not.match(text(['eth+']), /eth/);
  assert.equal(
    rulesIn(text(['a" -j DROP']))
      .tables[0]?.rules.find(({ chain }) => chain === 'PREROUTING')
      ?.args.slice(0, 2),
    ['-i', 'a" -j DROP'],
  );
});

/** What the chains say of an address, as a packet would go through them. */
function walk(chains: Record<string, string[]>, chain: string, bits: string): string | null {
  for (const rule of chains[chain] ?? (assert.unreachable(chain) as never)) {
    const [, network, verb, target] = /^(?:-s (\S+) )?-([jg]) (\S+)$/.exec(rule) ?? (assert.unreachable(rule) as never);
    const prefix = network === undefined ? null : (readPrefix(network) as Prefix);
    // Networks to step by may be wider than a provider's ever is.
    const [address = '', length] = (network ?? '').split('/');
    const start = prefix !== null && !('wrong' in prefix) ? prefix.bits : hexOf(address, bits.length);
    const digits = Number(length ?? bits.length * 4);
    if (network !== undefined && toBits(start).slice(0, digits) !== toBits(bits).slice(0, digits)) continue;
    if (verb === 'j') return target as string;
    return walk(chains, target as string, bits);
  }
  return null;
}
const toBits = (hex: string): string => [...hex].map((digit) => parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
function hexOf(address: string, width: number): string {
  if (width === 8)
    return address
      .split('.')
      .map((byte) => Number(byte).toString(16).padStart(2, '0'))
      .join('');
  const [left = '', right = ''] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':').map((group) => group.padStart(4, '0')));
  const [before, behind] = [groups(left), groups(right)];
  return [...before, ...Array<string>(8 - before.length - behind.length).fill('0000'), ...behind].join('');
}

test('chains answer as the list of networks does, in few steps', () => {
  const random = seeded(97);
  for (let round = 0; round < 60; round++) {
    const family = random.below(2) === 1 ? 'ipv4' : 'ipv6';
    const width = family === 'ipv4' ? 8 : 32;
    const digits = (count: number): string => Array.from({ length: count }, () => random.below(16).toString(16)).join('');
    const start = family === 'ipv4' ? random.pick(['c', '2d', '']) : random.pick(['2001', '2a0', '']);
    const read = Array.from({ length: random.pick([1, 16, 17, 300, 2000]) }, () => {
      const bits = (start + digits(width)).slice(0, width);
      return readPrefix(
        `${writePrefix({ family, bits, length: width * 4 })}/${(family === 'ipv4' ? 8 : 16) + random.below(width * 4 - (family === 'ipv4' ? 7 : 15))}`,
      );
    }).flatMap((prefix) => ('wrong' in prefix ? [] : [prefix]));
    const networks = mergePrefixes(read)[family];
    const chains: Record<string, string[]> = {};
    prefixChains(chains, 'p', networks, '-s', '-j FOUND', '-g end');
    if (networks.length === 0) {
      assert.equal(chains, {});
      continue;
    }
    chains['end'] = ['-j LOST'];
    for (const rules of Object.values(chains)) assert.ok(rules.length <= 34, `${rules.length} rules in a chain`);
    const held = networks.map((text) => readPrefix(text) as Prefix);
    const asked = [
      ...held.slice(0, 40).map(({ bits }) => bits),
      ...Array.from({ length: 60 }, () => (start + digits(width)).slice(0, width)),
    ];
    for (const bits of asked) {
      const lies = held.some((prefix) => toBits(bits).startsWith(toBits(prefix.bits).slice(0, prefix.length)));
      assert.is(walk(chains, 'sipalg_p0', bits), lies ? 'FOUND' : 'LOST', `${bits} of ${networks.length}`);
    }
  }
});

test('sets change place with those in use', () => {
  assert.equal(swapLines('sipalg_media4', ['203.0.113.0/24']), [
    'create sipalg_media4 hash:net family inet maxelem 131072',
    'create sipalg_swap4 hash:net family inet maxelem 131072',
    'flush sipalg_swap4',
    'add sipalg_swap4 203.0.113.0/24',
    'swap sipalg_swap4 sipalg_media4',
    'destroy sipalg_swap4',
  ]);
  assert.is(ipsetText(VOICE).match(/^swap /gm)?.length, 6);
});

test('replaces what is there: chains emptied, jumps kept, taken or added, the rest removed', () => {
  const wanted = iptablesTables(VOICE, 'ipv4', ALL, true);
  assert.is(transaction([], []), '');
  const [jump] = wanted[0]?.jumps ?? [];
  const seen = [
    {
      name: 'mangle',
      chains: ['sipalg_old', 'sipalg_voice_media'],
      jumps: [
        { ...(jump as NonNullable<typeof jump>), rule: (jump?.rule ?? '').replace(' -m comment --comment "!sipalg"', '') },
        { chain: 'OUTPUT', rule: '-j sipalg_old' },
      ],
    },
  ];
  const text = transaction(wanted, seen, { sipalg_voice_media: '[7:700]' });
  assert.match(text, /^\*mangle\n:sipalg_internet - \[0:0\]\n/);
  assert.match(text, /\n\[7:700\] -A sipalg_voice_media\n/);
  assert.match(text, /\n-D OUTPUT -j sipalg_old\n/);
  assert.match(text, /\n-X sipalg_old\nCOMMIT\n\*filter\n/);
  assert.match(text, /\n-A FORWARD -m conntrack/, 'nothing is offloaded there');
  assert.match(transaction(wanted, seen, {}, { offloadAt: 3 }), /\n-I FORWARD 3 -m conntrack/);
  assert.not.match(text, /-A PREROUTING -i wan -p udp/);
  assert.match(text, /-A PREROUTING -i wan -p tcp/);
  // Nothing of ours is left by the text that takes it away.
  assert.is(transaction([], seenOf(wanted)).match(/^-A|^-I/m), null);
});

test("the rule against the offload stands right before the offload's, behind whatever its owner has put there", () => {
  const others = [
    '-j forwarding_rule',
    '-s 192.168.1.10/32 -j DROP',
    '-m conntrack --ctstate RELATED,ESTABLISHED -j FLOWOFFLOAD',
    '-j reject',
  ];
  const chain = (at: number | null, without = ''): string[][] => {
    const rules = others.filter((rule) => rule !== without);
    if (at !== null) rules.splice(at, 0, '-m conntrack --ctstate RELATED,ESTABLISHED -j sipalg_keep');
    return rules.map((rule) => rule.split(' '));
  };
  assert.equal(keptOut(chain(2)), { keeps: true, offloadAt: 3, misplaced: false });
  assert.equal(keptOut(chain(0)), { keeps: true, offloadAt: 3, misplaced: true });
  assert.equal(keptOut(chain(3)), { keeps: false, offloadAt: 3, misplaced: true });
  assert.equal(keptOut(chain(null)), { keeps: false, offloadAt: 3, misplaced: false });
  assert.equal(keptOut(chain(3, others[2])), { keeps: true, offloadAt: null, misplaced: false });
  assert.equal(keptOut(chain(0, others[2])), { keeps: true, offloadAt: null, misplaced: true });
  const wanted = iptablesTables(VOICE, 'ipv4', ALL, true);
  const filter = (misplaced: boolean): string =>
    transaction(wanted, seenOf(wanted), {}, { offloadAt: 3, misplaced }).replace(/^[^]*\*filter/, '');
  assert.match(filter(true), /\n-D FORWARD (.*)\n-I FORWARD 3 \1\nCOMMIT\n$/);
  assert.not.match(filter(false), /FORWARD/);
});

test('phones own marks are kept out of the offload with ours, unless they are overwritten', () => {
  const kept = (marking: typeof VOICE.marking): string[] =>
    iptablesTables({ ...VOICE, marking }, 'ipv4', ALL, true).find(({ name }) => name === 'filter')?.chains['sipalg_keep'] ?? [];
  const marks = VOICE.marking as NonNullable<typeof VOICE.marking>;
  assert.equal(kept(marks), ['-m dscp ! --dscp 0x00 -j ACCEPT']);
  assert.equal(kept({ ...marks, overwrite: true }), ['-m dscp --dscp 0x2e -j ACCEPT', '-m dscp --dscp 0x18 -j ACCEPT']);
  assert.equal(kept(null), []);
});

test("a provider's voice stays unmarked where that is wished, from its networks and to them", () => {
  const [mangle] = iptablesTables({ ...VOICE, unmarked: { ipv4: ['203.0.113.10'], ipv6: [] } }, 'ipv4', ALL, false);
  const chains = mangle?.chains ?? {};
  const way = ['sipalg_voice_signalling', 'sipalg_sf0', 'sipalg_st0', 'sipalg_mark_signalling'].flatMap((name) => chains[name] ?? []);
  assert.equal(way, [
    '',
    '-g sipalg_sf0',
    '-s 203.0.113.10 -j RETURN',
    '-g sipalg_st0',
    '-d 203.0.113.10 -j RETURN',
    '-g sipalg_mark_signalling',
    '-m dscp --dscp 0x00 -j DSCP --set-dscp 0x18',
  ]);
  assert.is(chains['sipalg_mf0']?.length, 2);
  const { dscp: _, ...without } = ALL;
  const text = transaction(iptablesTables(VOICE, 'ipv4', without, false), []);
  assert.not.match(text, /DSCP/, 'what cannot be told apart is not marked');
  const overwriting = { ...VOICE, marking: { ...(VOICE.marking as object), overwrite: true } } as typeof VOICE;
  assert.match(transaction(iptablesTables(overwriting, 'ipv4', without, false), []), /voice_media -j DSCP --set-dscp 0x2e/);
});

test("reads its own text again, as the kernel's", () => {
  for (const has of [ALL, { ...ALL, set: false }]) {
    const wanted = iptablesTables(VOICE, 'ipv4', has, true);
    const text = transaction(wanted, []);
    assert.equal(tablesOf(text), wanted);
    assert.is(tablesOf(text.replace('COMMIT', '')), null, 'a text that was cut is none');
    assert.is(markOf(ownTables(rulesIn(text))), markOf(seenOf(wanted)));
    // iptables writes units and implied matches in its own way.
    const saved = text
      .replaceAll('/minute', '/min')
      .replaceAll(' -p udp -m multiport', ' -p udp -m udp -m multiport')
      .replace(/^-I (\S+) 1 /gm, '-A $1 ');
    assert.is(shapeOf(parseSave(saved)), shapeOf(rulesIn(text)));
    assert.is.not(shapeOf(parseSave(saved.replace('-j DROP', '-j RETURN'))), shapeOf(rulesIn(text)));
    assert.is.not(shapeOf(parseSave(saved.replace(/^-A FORWARD .*\n/m, ''))), shapeOf(rulesIn(text)));
  }
  assert.is(counterName('sipalg_limited_invite'), 'limited_invite');
  assert.is(counterName('sipalg_unknown'), null);
});

test('the mark follows the wish, and nothing else', () => {
  const mark = (voice: typeof VOICE): string | null => markOf(seenOf(iptablesTables(voice, 'ipv4', ALL, false)));
  assert.is(mark(VOICE), mark({ ...VOICE, media: { ...VOICE.media, ipv6: ['2001:db8:77::/48'] } }));
  for (const other of [
    { ...VOICE, wan: ['eth1'] },
    { ...VOICE, media: { ...VOICE.media, ipv4: ['192.0.2.0/24'] } },
    { ...VOICE, timeouts: { ...VOICE.timeouts, signallingReplied: 700 } },
  ])
    assert.is.not(mark(VOICE), mark(other));
});

test('a file of sections gives back its sections', () => {
  const sections = {
    ipset: ipsetText(VOICE),
    'iptables-restore': transaction(iptablesTables(VOICE, 'ipv4', ALL, true), []),
    'ip6tables-restore': transaction(iptablesTables(VOICE, 'ipv6', ALL, false), []),
  };
  assert.equal(readPolicyFile(writePolicyFile(sections)), sections);
  assert.is(readPolicyFile(writePolicyFile(sections).slice(0, -3)), null);
  assert.is(readPolicyFile('table inet sipalg {\n}\n'), null);
});

test.run();
