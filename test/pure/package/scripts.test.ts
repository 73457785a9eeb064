/** What opkg runs of the packages: OpenWrt's own functions on a live router and in an image, and of ours only what each moment needs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
      ['sipalg', ['postinst', 'postinst-pkg', 'prerm', 'prerm-pkg']],
      ['luci-app-sipalg', ['postinst', 'postinst-pkg', 'prerm']],
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

scripts('let rpcd look at its plugins anew, but not in an image', ({ scripts: all }) => {
  const text = all.get('sipalg')?.['postinst-pkg'] ?? '';
  assert.match(text, /^\[ -n "\$\{IPKG_INSTROOT\}" \] \|\| \{ \/etc\/init\.d\/rpcd reload /m);
  for (const env of [{}, { IPKG_INSTROOT: '/image' }]) assert.equal(run(text, { env }), { status: 0, calls: [] });
});

scripts('let LuCI look at its menus anew, but not in an image', ({ scripts: all }) => {
  const text = all.get('luci-app-sipalg')?.['postinst-pkg'] ?? '';
  assert.equal(run(text, {}), { status: 0, calls: ['rm -rf /tmp/luci-indexcache.* /tmp/luci-modulecache/'] });
  assert.equal(run(text, { env: { IPKG_INSTROOT: '/image' } }), { status: 0, calls: [] });
});

scripts.run();
