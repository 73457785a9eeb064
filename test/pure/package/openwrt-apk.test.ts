/** What an .apk holds for OpenWrt's own functions, and what apk runs of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { library, type Info, type Library, type Options } from './apk-library.ts';
import { packer } from './made.ts';

interface Package {
  name: string;
  conffiles: string[];
  provides?: string[];
  preinst?: string;
  prerm?: string;
  postinst?: string;
  files: Map<string, { bytes: Buffer; mode: number }>;
}
interface Release {
  version: string;
  time: number;
}
interface OpenWrt {
  files(wanted: Package): Package['files'];
  scripts(wanted: Package): Record<string, string>;
  info(wanted: Package, release: Release): Info;
  apk(wanted: Package, release: Release, options?: Options): { file: string; bytes: Buffer };
}

const RELEASE = { version: '1.2.3-r1', time: 1_700_000_000 };

const apks = suite<{ wanted: Package[]; apk: OpenWrt; lib: Library }>('an .apk for OpenWrt');

apks.before(async (context) => {
  context.wanted = (await packer<{ packages(): Package[] }>('contents')).packages();
  context.apk = await packer<OpenWrt>('openwrt-apk');
  context.lib = await library();
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
    const conffiles = sums.length === 0 ? [undefined, undefined] : [one.conffiles.map((path) => path + '\n').join(''), sums.join('')];
    assert.equal([text('conffiles'), text('conffiles_static')], conffiles);
    for (const [path, { bytes, mode }] of one.files) assert.equal([all.get(path)?.mode, all.get(path)?.bytes.equals(bytes)], [mode, true]);
  }
});

apks('says that it is for every architecture, and asks for the engine that the releases with apk have', ({ wanted, apk }) => {
  const [own, daemon, compare, luci] = wanted.map((one) => apk.info(one, RELEASE));
  assert.equal([own?.name, own?.version, own?.arch, own?.license, own?.depends], ['sipalg', '1.2.3-r1', 'noarch', 'MIT', ['quickjs']]);
  assert.equal([daemon?.name, daemon?.depends], ['sipalg-daemon', ['node>=18', 'sipalg=1.2.3-r1']]);
  assert.equal([compare?.name, compare?.depends], ['sipalg-calls', ['sipalg=1.2.3-r1']]);
  assert.is(luci?.name, 'luci-app-sipalg');
  assert.equal(apk.info({ ...wanted[0]!, provides: ['sip-alg=1', 'sipalg-any'] }, RELEASE).provides, ['sip-alg=1', 'sipalg-any']);
});

apks("is named as apk looks for it, and holds files with their modes, root's, at the time of the release", ({ wanted, apk, lib }) => {
  for (const one of wanted) {
    const { file, bytes } = apk.apk(one, RELEASE);
    assert.is(file, `${one.name}-1.2.3-r1.apk`);
    const { info, files = new Map(), scripts, compression, triggers } = lib.readPackage(bytes);
    const { provides, ...said } = apk.info(one, RELEASE);
    assert.equal(provides, []);
    const { hashes, installedSize, ...read } = info;
    assert.match(hashes, /^[0-9a-f]{40}$/);
    assert.equal(read, { ...said, depends: [...(said.depends ?? [])].sort() });
    assert.equal([scripts, compression, triggers], [apk.scripts(one), 'deflate', []]);
    const all = apk.files(one);
    for (const [path, { bytes: inside, mode }] of all) {
      const entry = files.get(path);
      assert.equal([entry?.type, entry?.mode, entry?.user, entry?.group], ['file', mode, 'root', 'root'], path);
      assert.ok(entry?.type === 'file' && entry.time === RELEASE.time && inside.equals(entry.bytes), path);
    }
    const folders = [...files].filter(([, { type }]) => type === 'folder');
    assert.equal(
      folders.filter(([, { mode, user, group }]) => mode !== 0o755 || user !== 'root' || group !== 'root'),
      [],
    );
    assert.is(files.size, all.size + folders.length);
    assert.is(
      installedSize,
      [...all.values()].reduce((sum, { bytes: { length } }) => sum + length, 0),
    );
  }
});

apks("runs OpenWrt's own functions, and what we need after them", ({ wanted, apk }) => {
  const [own, daemon, compare, luci] = wanted.map((one) => apk.scripts(one));
  const always = ['post-install', 'post-upgrade', 'pre-deinstall'];
  assert.equal(
    [own, daemon, compare, luci].map((one) => Object.keys(one ?? {})),
    [['pre-install', 'pre-upgrade', ...always], always, always, ['pre-install', 'pre-upgrade', ...always]],
  );
  assert.is(own?.['pre-install'], wanted[0]?.preinst);
  assert.is(own?.['pre-upgrade'], own?.['pre-install']?.replace('#!/bin/sh\n', '#!/bin/sh\nexport PKG_UPGRADE=1\n'));
  assert.is(
    own?.['pre-deinstall'],
    `#!/bin/sh
[ -s \${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. \${IPKG_INSTROOT}/lib/functions.sh
export root="\${IPKG_INSTROOT}"
export pkgname="sipalg"
default_prerm
[ -n "\${IPKG_INSTROOT}" ] || [ "\${PKG_UPGRADE}" = 1 ] || { sh /usr/lib/sipalg/give-back.sh; chmod a-x /usr/libexec/rpcd/sipalg; /etc/init.d/rpcd reload 2>/dev/null; exit 0; }
exit 0
`,
  );
  assert.is(own?.['post-upgrade'], own?.['post-install']?.replace('#!/bin/sh\n', '#!/bin/sh\nexport PKG_UPGRADE=1\n'));
  assert.match(luci?.['post-install'] ?? '', /\ndefault_postinst\n.*luci-indexcache/);
});

/** Runs a script in a folder that stands for the router, and tells what was called; every function and command there fails. */
function run(text: string, env: Record<string, string> = {}): { status: number | null; calls: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'r-'));
  for (const folder of ['lib', 'bin']) mkdirSync(join(root, folder));
  const log = join(root, 'log');
  const names = ['add_group_and_user', 'default_postinst', 'default_prerm'];
  const functions = names.map((name) => `${name}() { echo "${name} $pkgname $PKG_UPGRADE" >> '${log}'; return 3; }\n`);
  writeFileSync(join(root, 'lib/functions.sh'), functions.join(''));
  for (const name of ['sh', 'rm', 'rmdir']) {
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\necho "${name} $*" >> '${log}'\nexit 4\n`, { mode: 0o755 });
  }
  writeFileSync(join(root, 'script'), text.replaceAll('${IPKG_INSTROOT}/lib/functions.sh', `${root}/lib/functions.sh`), { mode: 0o755 });
  // apk hands on nothing of its caller's.
  const PATH = `${join(root, 'bin')}:${process.env['PATH']}`;
  const { status } = spawnSync(join(root, 'script'), ['1.2.3-r1'], { encoding: 'utf8', env: { PATH, ...env } });
  return { status, calls: existsSync(log) ? readFileSync(log, 'utf8').replace(/\n$/, '').split('\n') : [] };
}

apks('never fails by a script, whatever fails in it', ({ wanted, apk }) => {
  const [own, daemon, , luci] = wanted.map((one) => apk.scripts(one));
  const named = (moment: string, name: string): string[] => [`add_group_and_user ${name} ${moment}`, `default_postinst ${name} ${moment}`];
  const indexcache = 'rm -rf /tmp/luci-indexcache.* /tmp/luci-modulecache/';
  const folders = 'rmdir /usr/lib/sipalg/page /usr/lib/node/sipalg/page /usr/lib/node/sipalg';
  assert.equal(run(own?.['post-install'] ?? ''), { status: 0, calls: [...named('', 'sipalg'), folders] });
  assert.equal(run(own?.['post-upgrade'] ?? ''), { status: 0, calls: [...named('1', 'sipalg'), folders] });
  assert.equal(run(own?.['pre-deinstall'] ?? ''), { status: 0, calls: ['default_prerm sipalg ', 'sh /usr/lib/sipalg/give-back.sh'] });
  assert.equal(run(luci?.['post-install'] ?? ''), { status: 0, calls: [...named('', 'luci-app-sipalg'), indexcache] });
  assert.equal(run(luci?.['pre-deinstall'] ?? ''), { status: 0, calls: ['default_prerm luci-app-sipalg '] });
  // Nothing is given back when a package goes that is another than sipalg.
  assert.equal(run(daemon?.['pre-deinstall'] ?? ''), { status: 0, calls: ['default_prerm sipalg-daemon '] });
  // An image is built on another machine, where nothing of ours is to be given back or restarted.
  assert.equal(run(own?.['pre-deinstall'] ?? '', { IPKG_INSTROOT: '/image' }), { status: 0, calls: ['default_prerm sipalg '] });
  assert.equal(run(luci?.['post-install'] ?? '', { IPKG_INSTROOT: '/image' }), { status: 0, calls: named('', 'luci-app-sipalg') });
  assert.equal(run(luci?.['post-install'] ?? '', { IPKG_NO_SCRIPT: '1' }), { status: 0, calls: [] });
});

apks("has only scripts that a shell can read and that do nothing where OpenWrt's functions are not", ({ wanted, apk }) => {
  for (const one of wanted) {
    for (const [moment, text] of Object.entries(apk.scripts(one))) {
      assert.match(text, /^#!\/bin\/sh\n/, moment);
      assert.is(spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' }).stderr, '', moment);
      const env = { PATH: '/nowhere', IPKG_INSTROOT: '/nowhere' };
      assert.is(spawnSync('/bin/sh', [], { input: text, encoding: 'utf8', env }).status, 0, moment);
    }
  }
});

apks.run();
