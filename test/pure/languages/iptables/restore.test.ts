import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { splitArguments } from '../../../../src/languages/iptables/arguments.ts';
import type { RestoreCommand } from '../../../../src/languages/iptables/restore.ts';
import { quoteArgument, renderRestore } from '../../../../src/languages/iptables/restore.ts';
import { parseSave } from '../../../../src/languages/iptables/save.ts';
import { fixture, hurt, readsLongLines, refuses } from '../texts.ts';
import { damage, seeded } from '../../../seeded.ts';

const RULE = '-p udp -m comment --comment "!fw3: SIP VoIP connection tracking" -m udp --dport 5060 -j CT --helper sip';

const quoting = suite('iptables/arguments');

// What `iptables-save` 1.8.9, legacy and nft, printed for these comments.
const WRITTEN: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['a_b-9', 'a_b-9'],
  ['-j', '-j'],
  ['--helper', '--helper'],
  ['two words', '"two words"'],
  ["it's", '"it\\\'s"'],
  ['a"b', '"a\\"b"'],
  ['back\\slash', '"back\\\\slash"'],
  ['', '""'],
  ['tab\there', '"tab\there"'],
  ['!', '"!"'],
  ['h\u00e9', '"h\u00e9"'],
  ['a;b`c$d', '"a;b`c$d"'],
  ['#x', '"#x"'],
  ['[1:2]', '"[1:2]"'],
];

quoting('quotes as iptables-save does', () => {
  for (const [bare, written] of WRITTEN) assert.is(quoteArgument(bare), written);
});

quoting('gives back every word that can be written, among others', () => {
  const random = seeded(11);
  for (let round = 0; round < 2000; round++) {
    const words = Array.from({ length: 1 + random.below(5) }, () => damage(random.pick(WRITTEN)[0], random).replace(/[\n\0]/g, ''));
    assert.equal(splitArguments(words.map(quoteArgument).join(' ')), words);
  }
});

quoting('refuses what no line can carry', () => {
  refuses(() => quoteArgument('a\nb'), /no newline and no NUL/);
  refuses(() => quoteArgument('a\0b'), /no newline and no NUL/);
  refuses(() => splitArguments('a "b', 4), /never closed/, 4);
  refuses(() => splitArguments('a "b\\"', 4), /never closed/, 4);
});

quoting('splits any damage, in linear time', () => {
  hurt([RULE, '-A z "a\\"b" c'], (text) => splitArguments(text));
  readsLongLines(RULE, (text) => splitArguments(text));
});
quoting.run();

const restore = suite('iptables/restore');

restore('writes the commands of one table in their order', () => {
  assert.is(
    renderRestore('raw', [
      { do: 'delete', chain: 'z', rule: RULE },
      { do: 'insert', chain: 'z', position: 2, rule: RULE },
      { do: 'append', chain: 'PREROUTING', rule: '-j z' },
      { do: 'delete', chain: 'z', rule: '' },
    ]),
    `*raw\n-D z ${RULE}\n-I z 2 ${RULE}\n-A PREROUTING -j z\n-D z\nCOMMIT\n`,
  );
});

restore('carries every saved rule without a change', () => {
  for (const name of ['iptables-legacy', 'ip6tables-legacy', 'iptables-nft', 'ip6tables-nft', 'fw3-iptables', 'fw3-ip6tables']) {
    for (const table of parseSave(fixture(`iptables/${name}-save.txt`)).tables) {
      const commands = table.rules.map((rule): RestoreCommand => ({
        do: 'append',
        chain: rule.chain,
        rule: rule.text.slice(`-A ${rule.chain} `.length),
      }));
      const [again] = parseSave(renderRestore(table.name, commands)).tables;
      assert.equal(
        again?.rules.map((rule) => [rule.chain, rule.text, rule.args]),
        table.rules.map((rule) => [rule.chain, rule.text, rule.args]),
      );
    }
  }
});

restore('carries every rule that can be put together, or refuses it', () => {
  const random = seeded(23);
  let carried = 0;
  for (let round = 0; round < 1500; round++) {
    const word = damage('a "b\' c', random).replace(/[\n\0]/g, '');
    const rule = `-m comment --comment ${quoteArgument(word)} -j CT --helper sip`;
    const command: RestoreCommand = { do: 'append', chain: 'z', rule };
    if (word.length > 300 || word.includes('\r')) continue;
    const [table] = parseSave(renderRestore('raw', [command])).tables;
    assert.equal(
      table?.rules.map((one) => one.args),
      [['-m', 'comment', '--comment', word, '-j', 'CT', '--helper', 'sip']],
    );
    carried++;
  }
  assert.ok(carried > 500, `only ${carried}`);
});

restore('refuses what iptables-restore would read as something else', () => {
  const one = (rule: string, chain = 'z'): string => renderRestore('raw', [{ do: 'delete', chain, rule }]);
  for (const rule of ['-j A\n-F', '-j A\rB', '-j A\0']) refuses(() => one(rule), /one line of text/);
  for (const rule of ['1', 'z -j A', ' -j A', 'COMMIT', '# x']) refuses(() => one(rule), /is not a saved rule/);
  refuses(() => one('-j "A'), /never closed/);
  for (const chain of ['', '-F', '!z', 'a b', 'a\nb', 'z"']) refuses(() => one('-j A', chain), /is not the name of a chain/);
  for (const table of ['', 'raw\n*nat', 'RAW', '*raw', '-t']) refuses(() => renderRestore(table, []), /is not the name of a table/);
  for (const position of [0, -1, 1.5, NaN, Infinity]) {
    refuses(() => renderRestore('raw', [{ do: 'insert', chain: 'z', position, rule: '-j A' }]), /counted from 1/);
  }
});

restore('refuses lines and words that iptables-restore would break in two', () => {
  const comment = (length: number): string => `-m comment --comment ${'x'.repeat(length)} -j ACCEPT`;
  const one = (rule: string): string => renderRestore('raw', [{ do: 'append', chain: 'z', rule }]);
  assert.match(one(comment(1023)), /x{1023}/);
  refuses(() => one(comment(1024)), /too long a word/);
  assert.match(one(`-m comment --comment "${'\u00e9'.repeat(511)}" -j ACCEPT`), /COMMIT/);
  refuses(() => one(`-m comment --comment "${'\u00e9'.repeat(512)}" -j ACCEPT`), /too long a word/);
  assert.is(one(`-j ${' '.repeat(10_225)}ACCEPT`).split('\n')[1]?.length, 10_239);
  refuses(() => one(`-j ${' '.repeat(10_226)}ACCEPT`), /too long for iptables-restore/);
  readsLongLines(RULE, one);
});
restore.run();
