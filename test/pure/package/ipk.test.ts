import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { make, packer, type Made } from './made.ts';
import { fieldsOf, unpackIpk, untar, type Ipk, type Member } from './unpack.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const NAMES = ['sipalg', 'luci-app-sipalg'];
const fileOf = (name: string): string => `${name}_${version}-r1_all.ipk`;
const TIME = 1_700_000_000;
const ENVIRONMENT = { SOURCE_DATE_EPOCH: String(TIME), APK: '/nowhere/apk' };
/** Bytes. The first was to be 70,000; with the voice rules, the daemon and its page in it, it is not. */
const MOST: Record<string, number> = { sipalg: 144_000, 'luci-app-sipalg': 20_000 };

type Context = { folder: string; made: Made; ipk: Record<string, Ipk> };
const packages = suite<Context>('npm run package');

packages.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'k-'));
  context.made = make(join(context.folder, 'one'), { env: ENVIRONMENT });
  context.ipk = Object.fromEntries(NAMES.map((name) => [name, unpackIpk(context.made.files[fileOf(name)] ?? Buffer.alloc(0))]));
});

const member = (members: Member[], path: string): string =>
  members.find((one) => one.path === path)?.bytes.toString() ?? `there is no ${path}`;

packages('writes both packages, an index, and says why there is no .apk', ({ made }) => {
  assert.equal(Object.keys(made.files), ['Packages', 'Packages.gz', ...NAMES.map(fileOf)].sort());
  assert.match(made.said, 'No .apk was made: that takes the tool apk of version 3 (apk-tools), and "/nowhere/apk" was not found.');
});

packages('gives the same bytes again: under another umask, time zone, language and folder', ({ folder, made }) => {
  const again = make(join(folder, 'two'), {
    built: join(folder, 'one'),
    cwd: '/',
    umask: '077',
    env: { ...ENVIRONMENT, TZ: 'Pacific/Auckland', LC_ALL: 'C' },
  });
  assert.equal(Object.keys(again.files), Object.keys(made.files));
  for (const [name, bytes] of Object.entries(made.files)) assert.ok(bytes.equals(again.files[name] ?? Buffer.alloc(0)), name);
});

packages('is built to the same bytes as by npm run build', ({ folder }) => {
  const names = readdirSync(join(folder, 'one'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.(m?js|css|html|lmo)$/.test(name));
  assert.ok(names.length > 6);
  for (const name of names) assert.ok(readFileSync(join(folder, 'one', name)).equals(readFileSync(join('dist', name))), name);
});

for (const name of NAMES) {
  packages(`${name}: the outer archive is what opkg wants, in its order`, ({ ipk }) => {
    const { outer } = ipk[name] as Ipk;
    assert.equal(
      outer.map(({ path, type, mode, owner, time }) => [path, type, mode, owner, time]),
      ['./debian-binary', './data.tar.gz', './control.tar.gz'].map((path) => [path, 'file', 0o644, '0:0::', TIME]),
    );
    assert.is(member(outer, './debian-binary'), '2.0\n');
  });

  packages(`${name}: no compressed part tells when or where it was made`, ({ ipk, made }) => {
    const { outer } = ipk[name] as Ipk;
    // RFC 1952 section 2.3.1: deflate, no flags, no time, best compression, Unix.
    for (const bytes of [made.files[fileOf(name)], ...outer.slice(1).map((one) => one.bytes)])
      assert.equal([...(bytes ?? [])].slice(0, 10), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3]);
  });

  packages(`${name}: tar itself makes the same archive of the same files`, ({ folder, ipk }) => {
    const { outer, data, control } = ipk[name] as Ipk;
    for (const [which, members] of [
      ['data', data],
      ['control', control],
    ] as const) {
      const root = mkdtempSync(join(folder, 'x'));
      for (const { path, type, mode, bytes } of members) {
        const place = join(root, path);
        mkdirSync(type === 'directory' ? place : dirname(place), { recursive: true });
        if (type === 'file') writeFileSync(place, bytes);
        chmodSync(place, mode);
        utimesSync(place, 1, 1);
      }
      const { status, stdout, stderr } = spawnSync(
        'tar',
        ['--format=gnu', '--numeric-owner', '--sort=name', '--owner=0', '--group=0', `--mtime=@${TIME}`, '-cpf', '-', '.'],
        { cwd: root, maxBuffer: 16 << 20 },
      );
      assert.is(status, 0, String(stderr));
      const own = gunzipSync(outer.find(({ path }) => path === `./${which}.tar.gz`)?.bytes ?? Buffer.alloc(0));
      assert.ok(own.equals(stdout), which);
    }
  });

  packages(`${name}: tar and gzip unpack it`, ({ folder, made, ipk }) => {
    const root = mkdtempSync(join(folder, 'y'));
    writeFileSync(join(root, 'ipk'), made.files[fileOf(name)] ?? '');
    const { status, stderr } = spawnSync(
      'sh',
      ['-c', 'umask 000; gzip -dc ipk | tar -xf - && mkdir data && gzip -dc data.tar.gz | tar -xpf - -C data'],
      { cwd: root, encoding: 'utf8' },
    );
    assert.is(status, 0, stderr);
    for (const { path, type, mode, bytes } of ipk[name]?.data ?? []) {
      assert.is(statSync(join(root, 'data', path)).mode & 0o7777, mode, path);
      if (type === 'file') assert.ok(bytes.equals(readFileSync(join(root, 'data', path))), path);
    }
  });

  packages(`${name}: control says what is in it, once each`, ({ ipk }) => {
    const { control, data, installed } = ipk[name] as Ipk;
    const text = member(control, './control');
    const fields = fieldsOf(text);
    assert.equal(Object.keys(fields), [
      'Package',
      'Version',
      'Depends',
      'Source',
      'License',
      'LicenseFiles',
      'Section',
      'Architecture',
      'Installed-Size',
      'Description',
    ]);
    assert.equal(
      [fields['Package'], fields['Version'], fields['Architecture'], fields['License'], fields['Installed-Size']],
      [name, `${version}-r1`, 'all', 'MIT', String(installed)],
    );
    assert.ok(text.endsWith('\n') && !text.includes('\n\n'));
    assert.is(fields['Depends'], { 'sipalg': 'node (>= 18)', 'luci-app-sipalg': 'luci-base, sipalg' }[name]);
    const listed =
      control
        .find(({ path }) => path === './conffiles')
        ?.bytes.toString()
        .split('\n')
        .filter((line) => line !== '') ?? [];
    assert.equal(listed, [...listed].sort());
    for (const path of listed) assert.is(data.find((one) => one.path === `.${path}`)?.type, 'file', path);
    assert.equal(
      listed,
      data.map(({ path }) => path.slice(1)).filter((path) => /^\/etc\/config\/./.test(path)),
    );
  });

  packages(`${name}: is small`, ({ made }) => {
    const { length } = made.files[fileOf(name)] ?? Buffer.alloc(0);
    assert.ok(length > 5000 && length <= (MOST[name] ?? 0), `${fileOf(name)} is ${length} bytes; at most ${MOST[name]} are wanted`);
  });
}

packages("the files are the project's own, byte for byte, with the modes they need", ({ folder, ipk }) => {
  const built = (path: string): string => join(folder, 'one', path);
  const LIB = './usr/lib/node/sipalg/';
  const sources: Record<string, string> = {
    ...Object.fromEntries(readdirSync('dist/router').map((name) => [`${LIB}${name}`, built(`router/${name}`)])),
    [`${LIB}page/index.html`]: built('page/index.html'),
    [`${LIB}page/page.js`]: built('page/page.js'),
    [`${LIB}page/page.css`]: built('page/page.css'),
    './www/luci-static/resources/view/sipalg/overview.js': built('luci/htdocs/luci-static/resources/view/sipalg/overview.js'),
    './usr/lib/lua/luci/i18n/luci-app-sipalg.de.lmo': built('luci/i18n/luci-app-sipalg.de.lmo'),
  };
  const seen = new Set<string>();
  for (const name of NAMES) {
    const overlay = name === 'sipalg' ? 'files/' : 'package/luci-app-sipalg/root/';
    for (const { path, type, mode, bytes, owner, time } of ipk[name]?.data ?? []) {
      assert.equal([owner, time], ['0:0::', TIME], path);
      if (type === 'directory') {
        assert.is(mode, 0o755, path);
        continue;
      }
      seen.add(path);
      const source = sources[path] ?? overlay + path.slice(2);
      assert.ok(bytes.equals(readFileSync(source)), `${path} is ${source}`);
      assert.is(
        mode,
        path === './etc/config/sipalg' ? 0o600 : path in sources || (statSync(source).mode & 0o100) === 0 ? 0o644 : 0o755,
        path,
      );
    }
  }
  const overlays = ['files', 'package/luci-app-sipalg/root'].flatMap((folder) => walk(folder).map((path) => `./${path}`));
  assert.equal([...seen].sort(), [...Object.keys(sources), ...overlays].sort());
  const started = ['./usr/sbin/sipalg', './etc/init.d/sipalg', `${LIB}give-back.sh`];
  assert.equal(
    started.filter((path) => ipk['sipalg']?.data.find((one) => one.path === path)?.mode !== 0o755),
    [],
  );
});

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(join(folder, entry.name)).map((path) => join(entry.name, path)) : [entry.name],
  );
}

packages('makes the folder a feed: sizes and sums are those of the files, and the index is there twice', ({ made }) => {
  const text = made.files['Packages']?.toString() ?? '';
  assert.ok(gunzipSync(made.files['Packages.gz'] ?? Buffer.alloc(0)).equals(Buffer.from(text)));
  const entries = text.split('\n\n').filter((entry) => entry !== '');
  assert.equal(
    entries.map((entry) => fieldsOf(entry)['Package']),
    [...NAMES].sort(),
  );
  for (const entry of entries) {
    const fields = fieldsOf(entry);
    const name = fields['Filename'] ?? '';
    const bytes = made.files[name] ?? Buffer.alloc(0);
    assert.is(basename(name), name);
    assert.equal([fields['Size'], fields['SHA256sum']], [String(bytes.length), createHash('sha256').update(bytes).digest('hex')]);
    assert.equal(Object.keys(fields).slice(-4), ['Filename', 'Size', 'SHA256sum', 'Description']);
    assert.is(entry.replace(/^(Filename|Size|SHA256sum): .*\n/gm, ''), member(unpackIpk(bytes).control, './control').trimEnd());
  }
});

packages.run();

const archives = suite('an archive');

archives('with a path longer than its header holds is refused', async () => {
  const { tar } = await packer<{ tar(entries: object[], time: number): Buffer }>('tar');
  assert.throws(() => tar([{ path: './' + 'x'.repeat(98), type: 'file', mode: 0o644, bytes: Buffer.alloc(0) }], 0), 'longer than 99 bytes');
  assert.is(untar(tar([{ path: './' + 'x'.repeat(97), type: 'file', mode: 0o644, bytes: Buffer.alloc(0) }], 0)).length, 1);
});

archives('that is damaged is told from a whole one, by the reader of these tests', async () => {
  const { tar } = await packer<{ tar(entries: object[], time: number): Buffer }>('tar');
  const whole = tar([{ path: './a', type: 'file', mode: 0o644, bytes: Buffer.from('text') }], 0);
  const with1 = (at: number): Buffer => {
    const other = Buffer.from(whole);
    other[at] = 0x31;
    return other;
  };
  assert.equal(
    untar(whole).map(({ path, bytes }) => [path, String(bytes)]),
    [['./a', 'text']],
  );
  assert.throws(() => untar(with1(0)), 'has the sum');
  assert.throws(() => untar(with1(5000)), 'something follows the end');
  assert.throws(() => untar(whole.subarray(0, 2048)), 'no whole number of records');
});

archives.run();

const release = suite('the time of a release');

release('is SOURCE_DATE_EPOCH, and anything but seconds there is refused', async () => {
  const { release: about } = await packer<{ release(): { version: string; time: number } }>('contents');
  const before = process.env['SOURCE_DATE_EPOCH'];
  try {
    process.env['SOURCE_DATE_EPOCH'] = '12345';
    assert.equal(about(), { version: `${version}-r1`, time: 12_345 });
    process.env['SOURCE_DATE_EPOCH'] = '2026-01-01';
    assert.throws(about, 'SOURCE_DATE_EPOCH is "2026-01-01"; it is a number of seconds');
    delete process.env['SOURCE_DATE_EPOCH'];
    assert.ok(about().time >= Date.UTC(2025, 0) / 1000);
  } finally {
    if (before === undefined) delete process.env['SOURCE_DATE_EPOCH'];
    else process.env['SOURCE_DATE_EPOCH'] = before;
  }
});

release.run();
