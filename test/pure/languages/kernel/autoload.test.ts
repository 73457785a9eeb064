import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAutoload } from '../../../../src/languages/kernel/autoload.ts';
import { hurt, readsLongLines, refuses } from '../texts.ts';

// The shape of OpenWrt's /etc/modules.d/nf-nathelper-extra (package/kernel/linux/modules/netfilter.mk).
const EXTRA = 'ts_kmp\nts_fsm\nts_bm\nnf_conntrack_amanda\nnf_nat_amanda\nnf_conntrack_sip\nnf_nat_sip\n';

const autoload = suite('kernel/autoload: /etc/modules.d');

autoload('names each module with its line and its arguments', () => {
  assert.equal(parseAutoload(EXTRA).slice(5), [
    { line: 6, module: 'nf_conntrack_sip', args: '' },
    { line: 7, module: 'nf_nat_sip', args: '' },
  ]);
  assert.equal(parseAutoload('nf_conntrack_sip ports=5060,5080 sip_timeout=60\n'), [
    { line: 1, module: 'nf_conntrack_sip', args: 'ports=5060,5080 sip_timeout=60' },
  ]);
});

autoload('reads names as kmodloader does', () => {
  const names = (text: string): string[] => parseAutoload(text).map((line) => line.module);
  assert.equal(names('nf-conntrack-sip\n'), ['nf_conntrack_sip'], 'dash and underscore are alike');
  assert.equal(names('/lib/modules/6.6/nf_nat_sip.ko a\n'), ['nf_nat_sip']);
  assert.equal(names('# nf_nat_sip\n#nf_nat_sip\n\n nf_nat_sip\n   \n'), [], 'comments, and lines that start with a space');
  assert.equal(names('nf_nat_sip\targ\n'), ['nf_nat_sip\targ'], 'a tab does not end a name, so this names no module');
  assert.equal(names('a\nb'), ['a', 'b'], 'the last line needs no newline');
});

autoload('reads or refuses any damage, in linear time', () => {
  const seen = hurt([EXTRA, 'a b=1\n# c\n'], parseAutoload, (found) => {
    for (const line of found) assert.ok(line.module !== '' && !/[ \n\0]/.test(line.module));
  });
  assert.ok(seen.read > 500 && seen.refused > 10, JSON.stringify(seen));
  readsLongLines('a b', parseAutoload);
  refuses(() => parseAutoload('a\nb\0c\n'), /NUL/, 2);
});
autoload.run();
