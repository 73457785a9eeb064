/** What an .apk is made of, and the tool itself where it is at hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packer } from './made.ts';
import { announceSkip } from '../../layer.ts';

interface Package {
  name: string;
  conffiles: string[];
  files: Map<string, { bytes: Buffer; mode: number }>;
  prerm?: string;
  postinst?: string;
}
interface Release {
  version: string;
  time: number;
}
interface Apk {
  findApk(): { path: string } | { because: string };
  files(wanted: Package): Package['files'];
  scripts(wanted: Package): Record<string, string>;
  info(wanted: Package, release: Release): string[];
  apk(wanted: Package, release: Release, tool: string): [string, Buffer];
}

const RELEASE = { version: '1.2.3-r1', time: 1_700_000_000 };

const apks = suite<{ wanted: Package[]; apk: Apk }>('an .apk');

apks.before(async (context) => {
  context.wanted = (await packer<{ packages(): Package[] }>('contents')).packages();
  context.apk = await packer<Apk>('apk');
});

apks('holds the lists by which OpenWrt finds init scripts, and sysupgrade a changed configuration', ({ wanted, apk }) => {
  for (const one of wanted) {
    const all = apk.files(one);
    const text = (name: string): string | undefined => all.get(`/lib/apk/packages/${one.name}.${name}`)?.bytes.toString();
    assert.is(
      text('list'),
      [...one.files.keys()]
        .sort()
        .map((path) => path + '\n')
        .join(''),
    );
    const sums = one.conffiles.map(
      (path) =>
        `${path} ${createHash('sha256')
          .update(one.files.get(path)?.bytes ?? '')
          .digest('hex')}\n`,
    );
    assert.equal(
      [text('conffiles'), text('conffiles_static')],
      sums.length === 0 ? [undefined, undefined] : [one.conffiles.map((path) => path + '\n').join(''), sums.join('')],
    );
    for (const [path, { bytes, mode }] of one.files) assert.equal([all.get(path)?.mode, all.get(path)?.bytes.equals(bytes)], [mode, true]);
  }
});

apks('says that it is for every architecture, and asks for what its .ipk asks for', ({ wanted, apk }) => {
  const [own, luci] = wanted.map((one) => apk.info(one, RELEASE));
  for (const line of ['name:sipalg', 'version:1.2.3-r1', 'arch:noarch', 'license:MIT', 'depends:node>=18'])
    assert.ok(own?.includes(line), line);
  assert.ok(luci?.includes('depends:luci-base sipalg'));
});

apks("runs OpenWrt's own functions, and what we need after them", ({ wanted, apk }) => {
  const [own, luci] = wanted.map((one) => apk.scripts(one));
  assert.equal(Object.keys(own ?? {}), ['post-install', 'post-upgrade', 'pre-deinstall']);
  assert.is(
    own?.['pre-deinstall'],
    `#!/bin/sh
[ -s \${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. \${IPKG_INSTROOT}/lib/functions.sh
export root="\${IPKG_INSTROOT}"
export pkgname="sipalg"
default_prerm
[ -n "\${IPKG_INSTROOT}" ] || [ "\${PKG_UPGRADE}" = 1 ] || sh /usr/lib/node/sipalg/give-back.sh
`,
  );
  assert.is(own?.['post-upgrade'], own?.['post-install']?.replace('#!/bin/sh\n', '#!/bin/sh\nexport PKG_UPGRADE=1\n'));
  assert.match(luci?.['post-install'] ?? '', /\ndefault_postinst\n.*luci-indexcache/);
});

apks('is not made where there is no such tool, and why is said in one line', ({ apk }) => {
  const folder = mkdtempSync(join(tmpdir(), 'k-'));
  const before = process.env['APK'];
  try {
    for (const [script, said] of [
      [null, 'was not found'],
      ['echo apk-tools 2.14.4, compiled for x86_64.', 'is apk-tools 2.14.4'],
      ['exit 3', 'is something else'],
    ] as const) {
      process.env['APK'] = join(folder, String(script).length + 'apk');
      if (script !== null) writeFileSync(process.env['APK'], `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const found = apk.findApk();
      assert.ok('because' in found);
      assert.match(found.because, said);
      assert.is(found.because.split('\n').length, 1);
    }
  } finally {
    if (before === undefined) delete process.env['APK'];
    else process.env['APK'] = before;
  }
});

// The container is apk's own business: a stand-in shows what it is told and given.
apks('is what the tool makes of files with their modes, owned by root, at the time of the release', ({ wanted, apk }) => {
  const tool = join(mkdtempSync(join(tmpdir(), 'k-')), 'apk');
  writeFileSync(
    tool,
    `#!/bin/sh
for last; do :; done
exec > "$last"
echo "$SOURCE_DATE_EPOCH $(id -u)"
while [ $# -gt 0 ]; do
  case $1 in
    --files) cd "$2"; find . -type f -exec stat -c '%n %a' {} + | sort; find . -type d -exec stat -c '%a' {} + | sort -u ;;
    --script) echo "$2" | sed 's/:.*//' ;;
  esac
  shift
done
`,
    { mode: 0o755 },
  );
  const before = process.umask(0o077);
  try {
    for (const one of wanted) {
      const [file, bytes] = apk.apk(one, RELEASE, tool);
      assert.is(file, `${one.name}-1.2.3-r1.apk`);
      const files = [...apk.files(one)].map(([path, { mode }]) => `.${path} ${mode.toString(8)}`).sort();
      assert.equal(
        bytes.toString().trimEnd().split('\n').sort(),
        ['1700000000 0', ...Object.keys(apk.scripts(one)), ...files, '755'].sort(),
      );
    }
  } finally {
    process.umask(before);
  }
});

apks('that the tool refuses to make is an error in its words', ({ wanted, apk }) => {
  const tool = join(mkdtempSync(join(tmpdir(), 'k-')), 'apk');
  writeFileSync(tool, '#!/bin/sh\necho "ERROR: no such thing" >&2\nexit 1\n', { mode: 0o755 });
  assert.throws(() => apk.apk(wanted[0]!, RELEASE, tool), '`apk mkpkg` made no sipalg-1.2.3-r1.apk: ERROR: no such thing');
});

apks('of the real tool, where it is at hand, holds it all', ({ wanted, apk }) => {
  const tool = apk.findApk();
  if ('because' in tool) return announceSkip(tool.because);
  for (const one of wanted) {
    const [file, bytes] = apk.apk(one, RELEASE, tool.path);
    const path = join(mkdtempSync(join(tmpdir(), 'k-')), file);
    writeFileSync(path, bytes);
    const { status, stdout, stderr } = spawnSync(tool.path, ['adbdump', path], { encoding: 'utf8' });
    assert.is(status, 0, stderr);
    for (const inside of apk.files(one).keys()) assert.match(stdout, `name: ${inside.slice(inside.lastIndexOf('/') + 1)}`);
    assert.equal([...new Set([...stdout.matchAll(/(?:user|group): (\S+)/g)].map(([, name]) => name))], ['root']);
    assert.ok(bytes.equals(apk.apk(one, RELEASE, tool.path)[1]), 'the same bytes again');
  }
});

apks.run();
