import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseListing, withoutCounters, withoutMapElements } from '../../../../src/languages/nft/listing.ts';
import { parseRuleset } from '../../../../src/languages/nft/ruleset.ts';
import { fixture, readsLongLines } from '../texts.ts';
import { damage, seeded } from '../../../seeded.ts';

const ROUTERS = [
  'bases/openwrt-24.10',
  'set-helper-rule',
  'port-forward-5060',
  'user-include',
  'foreign-table',
  'renamed-object',
  'openwrt-stock',
];
const listed = (router: string): string => fixture(`routers/${router}/run/nft_-a_-t_list_ruleset.txt`);

const listings = suite('nft/listing');

listings('shows every rule that the JSON has, under its handle and chain', () => {
  for (const router of ROUTERS) {
    const chains = parseListing(listed(router));
    const flat = chains.flatMap(({ family, table, chain, rules }) => rules.map(({ handle }) => `${family} ${table} ${chain} ${handle}`));
    const { rules, chains: all } = parseRuleset(fixture(`routers/${router}/run/nft_-j_-t_list_ruleset.txt`));
    assert.equal(flat.sort(), rules.map(({ family, table, chain, handle }) => `${family} ${table} ${chain} ${handle}`).sort(), router);
    assert.equal(chains.map(({ chain }) => chain).sort(), all.map(({ name }) => name).sort(), router);
  }
});

listings('takes the last "# handle" of a line for the handle, whatever a comment says', () => {
  const [prerouting] = parseListing(listed('foreign-table')).filter(({ family, chain }) => family === 'ip' && chain === 'prerouting');
  assert.equal(prerouting?.rules, [
    { handle: 7, text: 'ct helper set tcp dport map { 21 : "files", 5060 : "voip_tcp" }' },
    {
      handle: 9,
      text: 'iifname "docker0" udp dport { 5060, 5062-5065 } counter packets 0 bytes 0 ct helper set "voip" comment "pbx # handle 3"',
    },
  ]);
});

listings('takes nothing of objects, sets and maps for a rule', () => {
  const text =
    'table inet t { # handle 1\n\tct helper sip { # handle 2\n\t\ttype "sip" protocol udp\n\t\tl3proto inet\n\t}\n\tset s { # handle 3\n' +
    '\t\ttype inet_service\n\t\telements = { 1,\n\t\t\t     2 } # handle 9\n\t}\n\n\tchain c { # handle 4\n\t\ttype filter hook input priority filter; policy accept;\n' +
    '\t\tudp dport 1 accept # handle 5\n\t}\n}\ntable ip other { # handle 2\n\tchain c { # handle 1\n\t\taccept # handle 2\n\t}\n}\n';
  assert.equal(parseListing(text), [
    { family: 'inet', table: 't', chain: 'c', rules: [{ handle: 5, text: 'udp dport 1 accept' }] },
    { family: 'ip', table: 'other', chain: 'c', rules: [{ handle: 2, text: 'accept' }] },
  ]);
});

listings('leaves out what counts, and nothing else', () => {
  assert.is(
    withoutCounters('udp dport 5060 counter packets 12 bytes 3456 ct helper set "sip"'),
    'udp dport 5060 counter ct helper set "sip"',
  );
  assert.is(withoutCounters('quota over 5 mbytes used 3 mbytes drop'), 'quota over 5 mbytes drop');
  assert.is(withoutCounters('quota 5 mbytes used 0 bytes accept'), 'quota 5 mbytes accept');
  assert.is(withoutCounters('counter name "c" quota name "q" accept'), 'counter name "c" quota name "q" accept');
  assert.is(
    withoutCounters('udp dport 1 limit rate 5/second burst 5 packets accept'),
    'udp dport 1 limit rate 5/second burst 5 packets accept',
  );
});

const isSip = (name: string): boolean => name === 'sip';

listings('takes the elements that go out of an anonymous map', () => {
  const cases: [string, string | null][] = [
    ['ct helper set udp dport map { 69 : "tftp", 5060 : "sip" }', 'ct helper set udp dport map { 69 : "tftp" }'],
    [
      'ct helper set udp dport map { 5060 : "sip", 69 : "tftp", 5080 : "sip" } comment "a"',
      'ct helper set udp dport map { 69 : "tftp" } comment "a"',
    ],
    ['ct helper set udp dport map { 5060 : "sip" }', null],
    ['ct helper set udp dport map { 69 : "tftp" }', 'ct helper set udp dport map { 69 : "tftp" }'],
    [
      'udp dport { 1, 2 } ct helper set ip saddr . udp dport map { 1.2.3.4 . 5060-5070 : "sip", 1.2.3.4 . 69 : "tftp" }',
      'udp dport { 1, 2 } ct helper set ip saddr . udp dport map { 1.2.3.4 . 69 : "tftp" }',
    ],
    [
      'ct helper set iifname . udp dport map { "a,}b" . 5060 : "sip", "c:d" . 69 : "tftp" } comment "} , : \\"sip\\""',
      'ct helper set iifname . udp dport map { "c:d" . 69 : "tftp" } comment "} , : \\"sip\\""',
    ],
    [
      'meta mark set udp dport map { 5060 : 0x1 } ct helper set udp dport map { 5060 : "sip", 69 : "tftp" }',
      'meta mark set udp dport map { 5060 : 0x1 } ct helper set udp dport map { 69 : "tftp" }',
    ],
    [
      'udp dport 5060 ct helper set "sip" comment "x map { 5060 : \\"sip\\" }"',
      'udp dport 5060 ct helper set "sip" comment "x map { 5060 : \\"sip\\" }"',
    ],
    ['ct helper set udp dport map { 5060 : "sip"', 'ct helper set udp dport map { 5060 : "sip"'],
    ['udp dport 5060 ct helper set "sip"', 'udp dport 5060 ct helper set "sip"'],
  ];
  for (const [rule, left] of cases) assert.is(withoutMapElements(rule, isSip), left, rule);
});

listings('never loops and never throws over a damaged listing', () => {
  const texts = ROUTERS.map(listed);
  for (let seed = 1; seed <= 400; seed++) {
    const random = seeded(seed);
    for (const { rules } of parseListing(damage(random.pick(texts), random))) {
      for (const { handle, text } of rules) {
        assert.ok(Number.isInteger(handle) && !text.includes('\n'), `seed ${seed}`);
        withoutMapElements(text, isSip);
      }
    }
  }
});

listings('reads lines of a million characters in linear time', () => {
  readsLongLines('\t\tct helper set udp dport map { 5060 : "sip" } # handle 5', (text) => {
    parseListing(`table inet t { # handle 1\n\tchain c { # handle 2\n${text}\n\t}\n}\n`);
    withoutCounters(text);
    withoutMapElements(text, isSip);
  });
});

listings.run();
