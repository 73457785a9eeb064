import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { editLine, line, nftLine, restoreLine, word } from '../../../../src/languages/shell/command.ts';
import { seeded } from '../../../seeded.ts';

interface Folder {
  folder: string;
}

const shell = suite<Folder>('commands one could type');

shell.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'shell-'));
});
shell.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

/** What a POSIX shell makes of it; each word ends with a NUL. */
function argumentsOf(text: string): string[] {
  const { stdout, status, stderr } = spawnSync('sh', ['-c', `printf '%s\\0' ${text}`], { encoding: 'utf8' });
  assert.is(status, 0, `${text}: ${stderr}`);
  return stdout.split('\0').slice(0, -1);
}

shell('are read by a shell as the words they were made of', () => {
  const words = [
    'plain',
    'a b',
    "it's",
    '',
    '$HOME',
    '`id`',
    '"x"',
    'a;b',
    'x\\y',
    '*',
    '~',
    '#c',
    "''",
    '!fw4: SIP',
    'firewall.@zone[0]',
    '-n',
    't\u00e9l',
    'a=b',
    '{5060}',
    '&&',
    '>f',
    '\\',
  ];
  assert.equal(argumentsOf(line(words)), words);
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const made = Array.from({ length: 1 + random.below(5) }, () =>
      Array.from({ length: random.below(12) }, () => String.fromCharCode(1 + random.below(126))).join(''),
    ).filter((text) => !text.includes('\0'));
    assert.equal(argumentsOf(line(made)), made, `seed ${seed}`);
  }
});

shell('leave words that need no quotes as they are', () => {
  assert.is(word('/etc/modules.conf'), '/etc/modules.conf');
  assert.is(word('firewall.@zone[0]'), "'firewall.@zone[0]'");
});

shell('hand nft one transaction as one word', () => {
  const script = 'delete rule inet fw4 helper_lan handle 72\ndelete ct helper inet fw4 sip\n';
  assert.is(nftLine(script), "nft 'delete rule inet fw4 helper_lan handle 72; delete ct helper inet fw4 sip'");
  assert.equal(argumentsOf(nftLine('add rule t c comment "it\'s"\n')), ['nft', 'add rule t c comment "it\'s"']);
});

shell('hand iptables-restore the very lines it is to read', () => {
  const script = '*raw\n-D c -m comment --comment "!fw3: it\'s %s \\\\ $x" -j CT --helper sip\nCOMMIT\n';
  const { stdout } = spawnSync('sh', ['-c', restoreLine('x', script).replace(/ \| x --noflush$/, '')], { encoding: 'utf8' });
  assert.is(stdout, script);
});

const SEDS = ['sed', 'busybox sed'].filter(
  (sed) => spawnSync('sh', ['-c', `${sed} --version`]).status === 0 || spawnSync('sh', ['-c', `echo | ${sed} -n p`]).status === 0,
);

shell('edit a file to the very text that is written', ({ folder }) => {
  const path = join(folder, 'file');
  const parts = [
    'config zone',
    "\toption name 'lan'",
    "\tlist helper 'ftp'",
    '  two  ',
    '',
    '# c',
    '\\',
    'a\\nb',
    'a\\',
    '$x',
    "it's",
    'a/b&c',
    't\u00e9l',
    '}',
    '1d',
  ];
  for (let seed = 1; seed <= 150; seed++) {
    const random = seeded(seed);
    const from = Array.from({ length: random.below(10) }, () => random.pick(parts));
    const to = from.flatMap((one) => (random.next() < 0.2 ? [] : random.next() < 0.25 ? [one, random.pick(parts)] : [one]));
    if (random.next() < 0.3) to.unshift(random.pick(parts));
    const end = (): string => (random.next() < 0.9 ? '\n' : '');
    const [before, after] = [from.join('\n') + (from.length > 0 ? end() : ''), to.join('\n') + (to.length > 0 ? end() : '')];
    if (before === after) continue;
    for (const sed of SEDS) {
      writeFileSync(path, before);
      const { status, stderr } = spawnSync('sh', ['-c', editLine(path, before, after).replace(/^sed /, `${sed} `)], { encoding: 'utf8' });
      assert.is(status, 0, `seed ${seed}, ${sed}: ${stderr}`);
      assert.is(readFileSync(path, 'utf8'), after, `seed ${seed}, ${sed}: ${editLine(path, before, after)}`);
    }
  }
});

shell('say a whole file where it has too many lines to compare', ({ folder }) => {
  const before = 'x\n'.repeat(3000);
  assert.is(editLine(join(folder, 'f'), before, before + 'y\n').startsWith("printf %s 'x\n"), true);
});

shell.run();
