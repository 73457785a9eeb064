/** package/Makefile makes the same packages in OpenWrt's SDK: it is read here as make would read it, and holds no logic. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { packer } from './made.ts';

interface Package {
  name: string;
  title: string;
  description: string[];
  section: string;
  license: string;
  depends: { name: string; least?: string; same?: true; by?: 'apk' | 'opkg' }[];
  conffiles: string[];
  preinst?: string;
  postinst?: string;
  prerm?: string;
  files: Map<string, { bytes: Buffer; mode: number }>;
}

const TEXT = readFileSync('package/Makefile', 'utf8');

/** The bodies of `define NAME ... endef`. */
const defined = new Map(
  [...TEXT.matchAll(/^define (\S+)\n((?:(?!^endef$).*\n)*)^endef$/gm)].map(([, name = '', body = '']) => [name, body]),
);

/** Lines outside of them. */
const outside = TEXT.replace(/^define \S+\n(?:(?!^endef$).*\n)*^endef$/gm, '')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

const variable = (text: string, name: string): string => new RegExp(`^\\s*${name}\\??:?=(.*)$`, 'm').exec(text)?.[1] ?? '';

/** A body as the shell gets it. */
const script = (body: string | undefined): string | undefined => body?.replaceAll('$$', '$');

/** dist/ as a build leaves it: here a file that names itself, for what counts is where it goes. */
function filled(): string {
  const folder = mkdtempSync(join(tmpdir(), 'k-'));
  for (const [, path = ''] of TEXT.matchAll(/\$\(SIPALG_ROOT\)\/(dist\/\S+)/g)) {
    for (const name of path.includes('*')
      ? [basename(dirname(path)), `${basename(dirname(path))}-ABCD2345`].map((stem) => path.replace('*', stem))
      : [path]) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), name);
    }
  }
  return folder;
}

/** Runs the lines of an install section as the SDK would (include/package-defaults.mk, rules.mk). */
function install(body: string, built: string): Map<string, { bytes: Buffer; mode: number }> {
  const root = mkdtempSync(join(tmpdir(), 'k-'));
  const commands: Record<string, string> = {
    CP: 'cp -fpR',
    INSTALL_DIR: 'install -d -m0755',
    INSTALL_BIN: 'install -m0755',
    INSTALL_DATA: 'install -m0644',
    INSTALL_CONF: 'install -m0600',
  };
  for (const line of body.split('\n').filter((one) => one.trim() !== '')) {
    assert.match(
      line,
      /^\t\$\((CP|INSTALL_DIR|INSTALL_BIN|INSTALL_DATA|INSTALL_CONF)\)( [\w$()./*-]+)+$/,
      'a line that does more than put files in their places',
    );
    const words = line
      .trim()
      .replace(/^\$\((\w+)\)/, (_, name: string) => commands[name] ?? '')
      .replaceAll('$(SIPALG_ROOT)/dist/', `${built}/dist/`)
      .replaceAll('$(SIPALG_ROOT)', process.cwd())
      .replaceAll('$(1)', root);
    const { status, stderr } = spawnSync('sh', ['-c', words], { encoding: 'utf8' });
    assert.is(status, 0, `${line}: ${stderr}`);
  }
  const walk = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)],
    );
  return new Map(walk(root).map((path) => [path.slice(root.length), { bytes: readFileSync(path), mode: statSync(path).mode & 0o7777 }]));
}

const makefile = suite<{ wanted: Package[]; built: string }>('package/Makefile');

makefile.before(async (context) => {
  context.built = filled();
  const { packages } = await packer<{ packages(built: string): Package[] }>('contents');
  context.wanted = packages(`${context.built}/dist`);
});

makefile('holds what describes packages and nothing that decides', () => {
  assert.equal(
    outside.filter(
      (line) =>
        !/^(include \$\((TOPDIR\)\/rules|INCLUDE_DIR\)\/package)\.mk|PKG_\w+:=.*|SIPALG_ROOT\?=\$\(CURDIR\)\/\.\.|\$\(eval \$\(call BuildPackage,[\w-]+\)\))$/.test(
          line,
        ),
    ),
    [],
  );
  // One condition: which engine's version is asked for, as DEPENDS asks for the engine.
  assert.equal(
    [
      ...TEXT.replaceAll('$(if $(CONFIG_USE_APK),,node (>=18))', '').matchAll(
        /\$\((?:if|foreach|shell|wildcard|filter|subst)\b|^\s*if(?:n?eq|n?def)\b/gm,
      ),
    ].map(([found]) => found),
    [],
  );
  assert.is(defined.get('Build/Compile'), '');
});

makefile('builds the same packages, of the same version', ({ wanted }) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(
    [...TEXT.matchAll(/^\$\(eval \$\(call BuildPackage,([\w-]+)\)\)$/gm)].map(([, name]) => name),
    wanted.map(({ name }) => name),
  );
  assert.equal(
    [variable(TEXT, 'PKG_VERSION'), variable(TEXT, 'PKG_RELEASE'), variable(TEXT, 'PKG_LICENSE_FILES')],
    [version, '2', 'LICENSE'],
  );
  assert.match(readFileSync('LICENSE', 'utf8'), /^MIT License\n/);
});

makefile('says the same of each', ({ wanted }) => {
  for (const { name, title, description, section, license, depends } of wanted) {
    const about = defined.get(`Package/${name}`) ?? '';
    assert.equal(
      [variable(about, 'TITLE'), variable(about, 'SECTION'), variable(about, 'PKGARCH'), variable(TEXT, 'PKG_LICENSE')],
      [title, section, 'all', license],
    );
    assert.equal(
      (defined.get(`Package/${name}/description`) ?? '')
        .trimEnd()
        .split('\n')
        .map((line) => line.trim()),
      description,
    );
    const conditions = { apk: '+USE_APK:', opkg: '+!USE_APK:' } as const;
    assert.equal(
      variable(about, 'DEPENDS').split(' '),
      depends.map((one) => `${one.by === undefined ? '+' : conditions[one.by]}${one.name}`),
    );
    const versions = variable(about, 'EXTRA_DEPENDS')
      .replace(/^\$\(if \$\(CONFIG_USE_APK\),,(.*)\)$/, '$1')
      .split(',')
      .filter((word) => word !== '')
      .map((word) => /^(\S+) \(([>=]+)(\S+)\)$/.exec(word.trim())?.slice(1));
    // VERSION is what the SDK names the version with its release, by whichever scheme.
    assert.equal(
      versions,
      depends.flatMap(({ name: of, least, same }) => (same ? [[of, '=', '$(VERSION)']] : least === undefined ? [] : [[of, '>=', least]])),
    );
  }
});

makefile('has the same configuration files and scripts', ({ wanted }) => {
  for (const { name, conffiles, preinst, postinst, prerm } of wanted) {
    assert.equal(
      (defined.get(`Package/${name}/conffiles`) ?? '').split('\n').filter((line) => line !== ''),
      conffiles,
    );
    assert.is(script(defined.get(`Package/${name}/preinst`)), preinst);
    assert.is(script(defined.get(`Package/${name}/postinst`)), postinst);
    assert.is(script(defined.get(`Package/${name}/prerm`)), prerm);
    const known = ['', '/description', '/conffiles', '/preinst', '/postinst', '/prerm', '/install'].map((end) => `Package/${name}${end}`);
    assert.equal(
      [...defined.keys()].filter((key) => key.startsWith(`Package/${name}/`) && !known.includes(key)),
      [],
    );
  }
});

makefile('puts the same files in the same places, with the same modes', ({ wanted, built }) => {
  for (const { name, files } of wanted) {
    const installed = install(defined.get(`Package/${name}/install`) ?? '', built);
    const told = (of: Map<string, { bytes: Buffer; mode: number }>): string[] =>
      [...of].map(([path, { mode, bytes }]) => `${path} ${mode.toString(8)} ${bytes.length}`).sort();
    assert.ok(files.size > 1);
    assert.equal(told(installed), told(files));
    for (const [path, { bytes }] of installed) assert.ok(bytes.equals(files.get(path)?.bytes ?? Buffer.alloc(0)), path);
  }
});

makefile('ships every part the program is built of, and every translation', ({ wanted }) => {
  const all = wanted.flatMap(({ files }) => [...files.keys()]);
  const folders = readdirSync('dist/packages');
  const parts = folders.flatMap((folder) => readdirSync(`dist/packages/${folder}`));
  assert.equal([...parts].sort(), readdirSync('dist/router').sort());
  assert.equal(
    parts.filter((name) => !name.endsWith('.mjs')),
    [],
    'the Makefile ships *.mjs',
  );
  for (const folder of folders) assert.ok(all.includes(`/usr/lib/sipalg/${folder}-ABCD2345.mjs`), folder);
  assert.ok(all.includes('/usr/lib/sipalg/sipalg.mjs'));
  const languages = readdirSync('package/luci-app-sipalg/po').filter((name) => name !== 'templates');
  assert.equal(
    languages.filter((name) => !all.includes(`/usr/lib/lua/luci/i18n/sipalg.${name}.lmo`)),
    [],
  );
});

makefile.run();
