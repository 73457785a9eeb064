import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commandsOf } from '../../../../src/languages/shell/script.ts';
import { damage, seeded } from '../../../seeded.ts';

/** Each command as its line and its words; what a word may stand for is parted by |, and ? stands for what is not known. */
const shown = (script: string): string[] =>
  commandsOf(script).map(
    ({ line, words, input }) =>
      `${line}: ${words.map(({ texts, open }) => texts.join('|') + (open ? '?' : '')).join(' ')}${input === null ? '' : ` < ${input}`}`,
  );

const script = suite('a shell script');

script('is its commands, quotes taken off and lines joined', () => {
  assert.equal(shown('iptables -A "a b" \\\n  -j \'CT\' # why\n\n# no\nnft list\\ it; ls&&ls || ls'), [
    '1: iptables -A a b -j CT',
    '5: nft list it',
    '5: ls',
    '5: ls',
    '5: ls',
  ]);
});

script('has the variables that it sets itself put in, and knows what it does not know', () => {
  assert.equal(shown('H=sip\nIPT="iptables -t raw"\n$IPT -j CT --helper "$H" $X $(ls) "${H}x" $1'), [
    '3: iptables -t raw -j CT --helper sip ? ? sipx ?',
  ]);
  assert.equal(shown('for h in ftp sip; do\n\tnft set "$h"\ndone\n'), ['2: nft set ftp|sip']);
  assert.equal(shown('A=1\nA=2 x $A\nexport B=3; y $B'), ['2: x 1|2', '3: export', '3: y 3']);
});

script('does not run what stands behind false, nor behind its end', () => {
  assert.equal(shown('if false; then\n\ta\nelse\n\tb\nfi\nfalse && c\nd\nif true; then e; fi'), [
    '1: false',
    '4: b',
    '6: false',
    '7: d',
    '8: true',
    '8: e',
  ]);
  assert.equal(shown('a\nexit 0\nb'), ['1: a', '2: exit 0']);
  assert.equal(shown('[ -x y ] || exit 0\nb\nif z; then\n\texit 1\nfi\nc').at(-1), '6: c');
});

script('hands here-documents and what echo says to what reads them', () => {
  assert.equal(shown("nft -f - <<'EOF'\ntable x\nrule\nEOF\nls"), ['1: nft -f - < table x\nrule\n', '5: ls']);
  assert.equal(shown('echo "add rule" | nft -f -'), ['1: echo add rule', '1: nft -f - < add rule']);
  assert.equal(shown('cat <<-END | nft -f -\n\tadd rule\n\tEND\n').at(-1), '1: nft -f - < \tadd rule\n');
  assert.equal(shown('nft -f - < /etc/x > /dev/null 2>&1'), ['1: nft -f - < /etc/x 2']);
});

script('never refuses, and is read in linear time', () => {
  const text = 'H=sip\nfor a in x y; do iptables -j CT --helper "$H" $a || exit; done\nnft -f - <<EOF\nt\nEOF\n';
  for (let seed = 1; seed <= 1500; seed++) commandsOf(damage(text, seeded(seed)));
  const many = 20_000;
  for (const piece of ['"', "'", '`', '$(', '${', '<<E\n', 'if ', 'fi\n', 'a=$a\n', '$a', '\\', 'x\n', '{ ']) {
    const begin = Date.now();
    commandsOf(piece.repeat(many));
    assert.ok(Date.now() - begin < 6000, `${JSON.stringify(piece)}: ${Date.now() - begin} ms`);
  }
});

script.run();
