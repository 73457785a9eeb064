import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { scanSource } from '../../../../src/languages/nft/source.ts';
import { fixture, readsLongLines } from '../texts.ts';
import { growsInStep } from '../../../growth.ts';
import { damage, seeded } from '../../../seeded.ts';

/** What a file does, in short. */
function does(source: string): string[] {
  return scanSource(source).map((use) => {
    const what =
      use.kind === 'declares'
        ? `declares ${use.name} ${use.type}`
        : use.kind === 'assigns'
          ? `assigns ${use.objects.join('+')}`
          : `includes ${use.pattern}`;
    return `${use.line} ${what}`;
  });
}

const sources = suite('nft/source');

sources('finds what a recorded include does', () => {
  assert.equal(scanSource(fixture('fw4/user-include.nftables.d-20-user.nft')), [
    {
      kind: 'assigns',
      line: 3,
      text: 'iifname "br-lan" udp dport { 5060, 5080 } ct helper set "sip" comment "added by hand"',
      objects: ['sip'],
    },
  ]);
});

sources('finds declarations, assignments and includes in every form nft has for them', () => {
  const cases: [string, string[]][] = [
    ['ct helper voip { type "sip" protocol udp; }', ['1 declares voip sip']],
    [
      'ct helper voip {\n\ttype "sip" protocol udp;\n\tl3proto inet;\n}\nct helper f { type "ftp" protocol tcp; }',
      ['1 declares voip sip', '5 declares f ftp'],
    ],
    ['add ct helper inet fw4 voip { type "sip" protocol udp; }', ['1 declares voip sip']],
    ['ct helper set sip comment "x"', ['1 assigns sip']],
    ['ct helper set udp dport map { 69 : tftp, 5060 : sip } comment "a : b"', ['1 assigns tftp+sip']],
    ['ct helper set ip6 daddr map { fd00::1 : "sip" }', ['1 assigns 1+sip']],
    ['chain c { udp dport 5060 ct helper set "sip" }', ['1 assigns sip']],
    ['chain c { udp dport 5060 ct helper set sip; udp dport 69 ct helper set "tftp" }', ['1 assigns sip', '1 assigns tftp']],
    ['chain c { udp dport 5060 ct helper set \\\n\t"sip"\n}', ['1 assigns sip']],
    ['ct helper set udp dport map { 69 : "tftp", 5060 : "sip" }', ['1 assigns tftp+sip']],
    ['ct helper set udp dport map {\n\t69 : "tftp",\n\t5060 : "sip"\n}', ['1 assigns tftp+sip']],
    ['define voip = "sip"\nchain c { udp dport 5060 ct helper set $voip }', ['2 assigns sip']],
    ['define ports = { 5060 : "sip", 69 : "tftp" }\nct helper set udp dport map $ports', ['2 assigns 5060+sip+69+tftp']],
    ['define a = "sip"\ndefine b = $a\nct helper set $b', ['3 assigns sip']],
    ['ct helper voip { type "sip" protocol udp; } chain c { ct helper set "voip" }', ['1 declares voip sip', '1 assigns voip']],
    ['include "/etc/voip/*.nft"', ['1 includes /etc/voip/*.nft']],
    ["include './other.nft'", ['1 includes ./other.nft']],
    ['ct helper set udp dport map @helpers', ['1 assigns ']],
    [
      'flush ruleset; ct helper voip { type "sip" protocol udp; }; chain c { ct helper set "voip"; }',
      ['1 declares voip sip', '1 assigns voip'],
    ],
  ];
  for (const [source, uses] of cases) assert.equal(does(source), uses, source);
});

sources('passes over comments, strings and matches', () => {
  const cases = [
    '# ct helper set "sip"',
    'udp dport 5060 accept # ct helper set "sip"',
    'accept comment "ct helper set sip"',
    "accept comment 'ct helper voip { type sip }'",
    'ct helper "sip" accept',
    'ct helper != "sip" drop',
    'ct helper { "sip", "ftp" } accept',
    'ct state established accept',
    'ct mark set 5',
    'delete ct helper inet fw4 sip',
    '',
  ];
  for (const source of cases) assert.equal(does(source), [], source);
});

sources('counts lines as an editor does', () => {
  assert.equal(
    does('#\n#\n\nchain c {\n\tudp dport 5060 \\\n\t  counter \\\n\t  ct helper set "sip"\n}\nct helper a { type "sip" protocol udp; }\n'),
    ['7 assigns sip', '9 declares a sip'],
  );
  assert.equal(does('chain c {\r\n\tct helper set "sip"\r\n}\r\n'), ['2 assigns sip']);
});

sources('never throws, and keeps every use on a line there is', () => {
  const texts = [
    fixture('fw4/user-include.nftables.d-20-user.nft'),
    fixture('fw4/user-include.print.nft'),
    'define v = "sip"\nct helper voip { type "sip" protocol udp; }\nchain c { ct helper set udp dport map { 5060 : "sip" } }\ninclude "x"\n',
  ];
  let uses = 0;
  for (let seed = 1; seed <= 600; seed++) {
    const random = seeded(seed);
    const text = damage(random.pick(texts), random);
    const last = text.split('\n').length;
    for (const use of scanSource(text)) {
      assert.ok(use.line >= 1 && use.line <= last && use.text.length <= 200, `seed ${seed}`);
      uses++;
    }
  }
  assert.ok(uses > 500, `${uses} uses`);
});

sources('reads long lines in linear time', () => {
  readsLongLines('chain c { ct helper set udp dport map { 5060 : "sip" } }', scanSource);
});

sources('reads many declarations and assignments in linear time', () => {
  for (const open of [
    'ct helper a { type "sip" protocol udp; }\n',
    'ct helper set udp dport map { 5060 : "sip"\n',
    'ct helper a { type "sip"\n',
    'define v = { "sip",\n',
    'define v = $v $v "a"\nct helper set $v\n',
  ]) {
    growsInStep(open, (size) => open.repeat(size / 32), scanSource);
  }
});

sources.run();
