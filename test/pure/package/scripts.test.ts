/** What opkg runs of the packages: OpenWrt's own functions on a live router and in an image, and of ours only what each moment needs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packer } from './made.ts';
import { unpackIpk } from './unpack.ts';

interface Package {
  name: string;
  files: Map<string, { bytes: Buffer; mode: number }>;
}

type Context = { scripts: Map<string, Record<string, string>>; files: Map<string, Package['files']> };
const scripts = suite<Context>('maintainer scripts');

scripts.before(async (context) => {
  const { packages } = await packer<{ packages(): Package[] }>('contents');
  const { ipk } = await packer<{ ipk(wanted: Package, release: object): { bytes: Buffer } }>('ipk');
  const wanted = packages();
  context.files = new Map(wanted.map(({ name, files }) => [name, files]));
  context.scripts = new Map(
    wanted.map((one) => {
      const { control } = unpackIpk(ipk(one, { version: '1-r1', time: 1 }).bytes);
      return [
        one.name,
        Object.fromEntries(
          control.filter(({ mode, type }) => mode === 0o755 && type === 'file').map(({ path, bytes }) => [path.slice(2), bytes.toString()]),
        ),
      ];
    }),
  );
});

/** Runs a script of a package in a folder that stands for the router, and tells what was called. */
function run(text: string, { args = [] as string[], env = {} as Record<string, string>, functions = true }) {
  const root = mkdtempSync(join(tmpdir(), 'r-'));
  mkdirSync(join(root, 'lib'));
  mkdirSync(join(root, 'bin'));
  const log = join(root, 'log');
  if (functions)
    writeFileSync(
      join(root, 'lib/functions.sh'),
      `for each in default_postinst default_prerm; do eval "$each() { echo $each \\"\\$@\\" >> '${log}'; return \${ENDS:-0}; }"; done\n`,
    );
  // What scripts call by name.
  for (const name of ['sh', 'rm', 'chmod']) writeFileSync(join(root, 'bin', name), `#!/bin/sh\necho "${name} $*" >> '${log}'\n`, { mode: 0o755 });
  writeFileSync(join(root, 'script'), text, { mode: 0o755 });
  const given = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace('ROOT', root)]));
  const { status } = spawnSync('/bin/sh', [join(root, 'script'), ...args], {
    encoding: 'utf8',
    env: { PATH: `${join(root, 'bin')}:${process.env['PATH']}`, ...given },
  });
  return {
    status,
    calls: existsSync(log)
      ? readFileSync(log, 'utf8')
          .replaceAll(root, 'ROOT')
          .split('\n')
          .filter((line) => line !== '')
      : [],
  };
}

scripts('are those that opkg knows, and a shell can read them', ({ scripts: all }) => {
  assert.equal(
    [...all].map(([name, one]) => [name, Object.keys(one)]),
    [
      ['sipalg', ['postinst', 'postinst-pkg', 'preinst', 'prerm', 'prerm-pkg']],
      ['sipalg-daemon', ['postinst', 'prerm']],
      ['sipalg-calls', ['postinst', 'prerm']],
      ['luci-app-sipalg', ['postinst', 'postinst-pkg', 'preinst', 'prerm']],
      ['sipalg-fleet', ['postinst', 'prerm']],
      ['sipalg-i18n-de', ['postinst', 'prerm']],
      ['luci-i18n-sipalg-de', ['postinst', 'prerm']],
    ],
  );
  for (const [name, one] of all) {
    for (const [script, text] of Object.entries(one)) {
      assert.match(text, /^#!\/bin\/sh\n/);
      assert.equal([name, script, spawnSync('sh', ['-n'], { input: text, encoding: 'utf8' }).stderr], [name, script, '']);
    }
  }
});

scripts("hand everything to OpenWrt's own functions, with what opkg said, and answer as they do", ({ scripts: all }) => {
  for (const one of all.values()) {
    const root = { IPKG_INSTROOT: 'ROOT' };
    assert.equal(run(one['postinst'] ?? '', { args: ['configure'], env: root }), {
      status: 0,
      calls: ['default_postinst ROOT/script configure'],
    });
    assert.equal(run(one['prerm'] ?? '', { args: ['upgrade', '2-r1'], env: root }), {
      status: 0,
      calls: ['default_prerm ROOT/script upgrade 2-r1'],
    });
    assert.is(run(one['prerm'] ?? '', { args: ['remove'], env: { ...root, ENDS: '3' } }).status, 3);
  }
});

scripts('do nothing where there are no such functions, or opkg was told to run none', ({ scripts: all }) => {
  for (const one of all.values()) {
    for (const name of ['postinst', 'prerm'])
      assert.equal(run(one[name] ?? '', { env: { IPKG_INSTROOT: 'ROOT' }, functions: false }), { status: 0, calls: [] });
    assert.equal(run(one['postinst'] ?? '', { env: { IPKG_INSTROOT: 'ROOT', IPKG_NO_SCRIPT: '1' } }), { status: 0, calls: [] });
  }
});

scripts('give back what was changed when the package goes: not in an image, and not for an upgrade', ({ scripts: all, files }) => {
  const text = all.get('sipalg')?.['prerm-pkg'] ?? '';
  const path = '/usr/lib/sipalg/give-back.sh';
  assert.is(files.get('sipalg')?.get(path)?.mode, 0o755);
  // And its object goes from ubus: rpcd, which is asked to reload then, leaves out what may not be run.
  const calls = [`sh ${path}`, 'chmod a-x /usr/libexec/rpcd/sipalg'];
  assert.is(files.get('sipalg')?.get('/usr/libexec/rpcd/sipalg')?.mode, 0o755);
  assert.match(text, '/etc/init.d/rpcd reload');
  assert.equal(run(text, { env: { PKG_UPGRADE: '0' } }), { status: 0, calls });
  assert.equal(run(text, {}), { status: 0, calls });
  assert.equal(run(text, { env: { PKG_UPGRADE: '1' } }), { status: 0, calls: [] });
  assert.equal(run(text, { env: { IPKG_INSTROOT: '/image' } }), { status: 0, calls: [] });
});

scripts('let rpcd look at its plugins anew, but not in an image, and do not fail where there is none', ({ scripts: all }) => {
  const text = all.get('sipalg')?.['postinst-pkg'] ?? '';
  const root = mkdtempSync(join(tmpdir(), 'r-'));
  const here = text.replaceAll(/ (?=\/(?:usr\/lib|etc\/init\.d)\/)/g, ` ${root}`);
  const called = (env: Record<string, string>): string => {
    const options = { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } } as const;
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', here], options);
    assert.equal([status, stderr], [0, '']);
    return stdout;
  };
  assert.is(called({}), '');
  mkdirSync(`${root}/etc/init.d`, { recursive: true });
  writeFileSync(`${root}/etc/init.d/rpcd`, '#!/bin/sh\necho "rpcd $*"\nexit 4\n', { mode: 0o755 });
  assert.is(called({}), 'rpcd reload\n');
  assert.is(called({ IPKG_INSTROOT: '/image' }), '');
});

scripts('say once, at an upgrade from the one package, that the daemon is to be installed too', ({ scripts: all }) => {
  const text = all.get('sipalg')?.['preinst'] ?? '';
  const said = (files: readonly string[], env: Record<string, string> = {}): string => {
    const root = mkdtempSync(join(tmpdir(), 'r-'));
    for (const path of files) {
      mkdirSync(dirname(root + path), { recursive: true });
      writeFileSync(root + path, '');
    }
    const here = text.replace(/ (?=\/(?:usr\/lib|etc\/init\.d)\/)/g, ` ${root}`);
    assert.is.not(here, text);
    const options = { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } } as const;
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', here], options);
    assert.equal([status, stderr], [0, '']);
    return stdout;
  };
  const SAID = /^sipalg: the daemon \(.*\) is a package of its own now: install sipalg-daemon too, where you use it\.\n$/;
  const whole = ['/etc/init.d/sipalg', '/usr/lib/sipalg/sipalg.mjs', '/usr/lib/sipalg/page/index.html'];
  assert.match(said(whole), SAID);
  assert.match(said(['/usr/lib/node/sipalg/sipalg.mjs', '/usr/lib/node/sipalg/page/index.html']), SAID);
  // The first install, the next upgrade of one without the daemon or with it, an image.
  assert.is(said([]), '');
  assert.is(said(whole.slice(0, 2)), '');
  assert.is(said([...whole, '/etc/init.d/sipalg-daemon']), '');
  assert.is(said([...whole, '/etc/init.d/sipalg-daemon', '/usr/lib/node/sipalg/mine']), '');
  assert.is(said(whole, { IPKG_INSTROOT: '/image' }), '');
});

scripts("say at an upgrade from the page that held it that German is a package of its own, whose file is another", ({ scripts: all, files }) => {
  const old = '/usr/lib/lua/luci/i18n/luci-app-sipalg.de.lmo';
  // A file that two packages hold is refused by opkg and by apk.
  for (const [name, own] of files) assert.not.ok(own.has(old), name);
  assert.ok(files.get('luci-i18n-sipalg-de')?.has('/usr/lib/lua/luci/i18n/sipalg.de.lmo'));
  const text = all.get('luci-app-sipalg')?.['preinst'] ?? '';
  const root = mkdtempSync(join(tmpdir(), 'r-'));
  const said = (env: Record<string, string> = {}): string => {
    const options = { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } } as const;
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', text.replace(old, root + old)], options);
    assert.equal([status, stderr], [0, '']);
    return stdout;
  };
  assert.is(said(), '');
  mkdirSync(dirname(root + old), { recursive: true });
  writeFileSync(root + old, '');
  assert.is(said(), 'luci-app-sipalg: German is a package of its own now: install luci-i18n-sipalg-de too.\n');
  assert.is(said({ IPKG_INSTROOT: '/image' }), '');
});

scripts('take away the folders that opkg leaves behind files that went, and only when they are empty', ({ scripts: all }) => {
  const text = all.get('sipalg')?.['postinst-pkg'] ?? '';
  const left = (files: readonly string[], env: Record<string, string> = {}): string[] => {
    const root = mkdtempSync(join(tmpdir(), 'r-'));
    for (const folder of ['/usr/lib/sipalg/page', '/usr/lib/node/sipalg/page']) mkdirSync(root + folder, { recursive: true });
    for (const path of files) writeFileSync(root + path, '');
    const here = text.replace(/ (?=\/usr\/lib\/)/g, ` ${root}`);
    const { status, stderr } = spawnSync('sh', ['-e', '-c', here], { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } });
    assert.equal([status, stderr], [0, '']);
    return readdirSync(`${root}/usr/lib`, { recursive: true, encoding: 'utf8' }).sort();
  };
  assert.equal(left([]), ['node', 'sipalg']);
  assert.equal(left(['/usr/lib/node/sipalg/mine']), ['node', 'node/sipalg', 'node/sipalg/mine', 'sipalg']);
  assert.equal(left(['/usr/lib/sipalg/page/index.html']), ['node', 'sipalg', 'sipalg/page', 'sipalg/page/index.html']);
  assert.is(left([], { IPKG_INSTROOT: '/image' }).length, 5);
});

scripts('of every other package give nothing back', ({ scripts: all }) => {
  for (const [name, one] of all) assert.is('prerm-pkg' in one, name === 'sipalg', name);
});

scripts('let LuCI look at its menus anew, but not in an image', ({ scripts: all }) => {
  const text = all.get('luci-app-sipalg')?.['postinst-pkg'] ?? '';
  assert.equal(run(text, {}), { status: 0, calls: ['rm -rf /tmp/luci-indexcache.* /tmp/luci-modulecache/'] });
  assert.equal(run(text, { env: { IPKG_INSTROOT: '/image' } }), { status: 0, calls: [] });
});

scripts.run();
