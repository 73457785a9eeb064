/**
 * Packages and indexes of apk-tools 3: the bytes are those that apk itself made, as recorded in test/fixtures/apk, and, where
 * an apk 3 is in PATH, those that it makes now.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { saying } from '../../saying.ts';
import { CASES, DEMO, LONG_NUMBERS } from './apk-cases.ts';
import { library, type Contents, type Library } from './apk-library.ts';
import { apk as run, apkAtHand, mkndx, mkpkg } from './apk-tool.ts';

const fixture = (name: string): Buffer => readFileSync(`test/fixtures/apk/${name}`);
type Recorded = { packages: Record<string, string>; index: string; described: string; numbers: string };
const recorded = JSON.parse(fixture('recorded.json').toString()) as Recorded;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const PLAIN = { compression: 'none' };
const SPEC = '${name}_${version}.apk';

const atHand = apkAtHand();
console.log(
  atHand === undefined
    ? 'There is no apk 3 in PATH: all is compared with what apk-tools 3.0.6 made, as recorded.'
    : `All is compared with ${atHand}`,
);

const apk = suite<{ lib: Library; all: Buffer[] }>('an .apk');

apk.before(async (context) => {
  context.lib = await library();
  context.all = [DEMO, ...Object.values(CASES)].map((one) => context.lib.writePackage(one, PLAIN));
});

apk("is apk's own to the byte", ({ lib }) => {
  assert.ok(lib.writePackage(DEMO, PLAIN).equals(fixture('demo-none.apk')));
  if (atHand !== undefined) assert.ok(mkpkg(DEMO).equals(fixture('demo-none.apk')), `${atHand} makes other bytes than 3.0.6 did`);
});

apk("that is compressed is apk's own once it is inflated, and has its header", ({ lib }) => {
  const theirs = fixture('demo-deflate-9.apk');
  const ours = lib.writePackage(DEMO, { compression: 'deflate:9' });
  assert.is(ours.toString('hex', 0, 6), theirs.toString('hex', 0, 6));
  for (const bytes of [ours, theirs]) assert.ok(inflateRawSync(bytes.subarray(6)).equals(fixture('demo-none.apk')));
  const usual = lib.writePackage(DEMO);
  assert.is(usual.toString('latin1', 0, 4), 'ADBd', 'what mkpkg writes when it is told nothing');
  assert.ok(inflateRawSync(usual.subarray(4)).equals(fixture('demo-none.apk')));
  assert.ok(usual.length < 1000, `${usual.length} bytes`);
});

for (const [name, one] of Object.entries(CASES)) {
  apk(`of ${name} is what apk makes of it`, ({ lib }) => {
    const bytes = lib.writePackage(one, PLAIN);
    assert.is(sha256(bytes), recorded.packages[name], `of ${bytes.length} bytes`);
    if (atHand !== undefined) assert.ok(bytes.equals(mkpkg(one)), atHand);
  });
}

apk('does not depend on the order in which its files and fields are given', ({ lib }) => {
  const turned = (one: Contents): Contents => ({
    ...one,
    info: Object.fromEntries(Object.entries(one.info).reverse()) as unknown as Contents['info'],
    scripts: Object.fromEntries(Object.entries(one.scripts ?? {}).reverse()),
    ...(one.files === undefined ? {} : { files: new Map([...one.files].reverse()) }),
  });
  for (const one of [DEMO, ...Object.values(CASES)]) {
    assert.ok(lib.writePackage(turned(one), PLAIN).equals(lib.writePackage(one, PLAIN)), one.info.name);
  }
});

apk('is read back as it was made', ({ lib }) => {
  const { info, files, scripts, compression, file } = lib.readPackage(fixture('demo-none.apk'));
  assert.equal(info, {
    name: 'demo',
    version: '1.2.3-r4',
    hashes: '0d1a139049ef2f135671de95d0ac9a0486805398',
    description: 'A demo of two words',
    arch: 'noarch',
    license: 'MIT',
    origin: 'demo',
    url: 'https://example.org/',
    installedSize: 5087,
    depends: ['a', 'b>=1', 'c<2.0-r1', '!d'],
    provides: ['e=1.2'],
  });
  assert.equal([scripts, compression, file.signatures], [DEMO.scripts, 'none', []]);
  assert.equal(
    [...(files ?? [])].filter(([, { type }]) => type === 'folder').map(([path]) => path),
    ['/', '/etc', '/etc/config', '/lib', '/lib/apk', '/lib/apk/packages', '/usr', '/usr/lib', '/usr/lib/demo', '/usr/sbin'],
  );
  for (const [path, one] of DEMO.files ?? []) {
    const read = files?.get(path);
    const owned = { mode: one.mode ?? 0o777, user: 'root', group: 'root', time: 1_700_000_000 };
    assert.equal(read, { type: 'file', ...one, ...owned }, path);
  }
});

apk("is for every architecture unless it says otherwise, and a file is of its own time before the package's", ({ lib }) => {
  const bytes = Buffer.from('x');
  const files = new Map([
    ['/own', { bytes, mode: 0o644, time: 5 }],
    ['/common', { bytes, mode: 0o644 }],
  ]);
  const read = lib.readPackage(lib.writePackage({ info: { name: 'a', version: '1' }, files, time: 7 }));
  assert.is(read.info.arch, 'noarch');
  for (const [path, time] of [
    ['/own', 5],
    ['/common', 7],
  ] as const) {
    assert.equal(read.files?.get(path), { type: 'file', bytes, mode: 0o644, user: 'root', group: 'root', time });
  }
  assert.is(lib.readPackage(lib.writePackage({ info: { name: 'a', version: '1', arch: 'x86_64' } })).info.arch, 'x86_64');
});

apk('with what is not read here is refused by name, and not read by half', ({ lib }) => {
  const made = (entry: (writer: InstanceType<Library['AdbWriter']>) => number): Buffer => {
    const writer = new lib.AdbWriter();
    const text = (one: string): number => writer.blob(one);
    const id = writer.blob(Buffer.alloc(20, 1));
    const info = writer.object([text('a'), text('1'), id, ...Array.from({ length: 8 }, () => 0), writer.integer(1)]);
    const acl = writer.object([writer.integer(0o755), text('root'), text('root')]);
    const paths = writer.object([writer.object([0, acl, writer.object([entry(writer)])])]);
    return lib.writeAdb({ schema: 'pckg', adb: writer.finish(writer.object([info, paths])), signatures: [], data: [] });
  };
  const empty = createHash('sha256').digest();
  assert.is(lib.readPackage(made((writer) => writer.object([writer.blob('f'), 0, 0, 0, writer.blob(empty)]))).files?.size, 2);
  const xattr = made((writer) => {
    const acl = writer.object([0, 0, 0, writer.object([writer.blob('user.x\0y')])]);
    return writer.object([writer.blob('f'), acl, 0, 0, writer.blob(empty)]);
  });
  assert.throws(() => lib.readPackage(xattr), saying('A file has extended attributes, which are not read here.'));
  for (const [target, type] of [
    ['\x00\x80f', '0100000'],
    ['\x00\x20' + '\0'.repeat(8), '020000'],
    ['x', '00'],
  ] as const) {
    const other = made((writer) => writer.object([writer.blob('f'), 0, 0, 0, 0, writer.blob(Buffer.from(target, 'latin1'))]));
    assert.throws(() => lib.readPackage(other), saying(`"f" is of the type ${type}; files and symbolic links are read here.`));
  }
});

apk('is refused where what it is made of cannot be in one', ({ lib }) => {
  const files = (paths: string[]): Contents => ({
    info: { name: 'a', version: '1' },
    time: 1,
    files: new Map(paths.map((path) => [path, { bytes: Buffer.alloc(1), mode: 0o644 }])),
  });
  const refused: [Contents, string][] = [
    [{ info: { name: '@a/b', version: '1' } }, '"@a/b" is no name of a package'],
    [{ info: { name: 'a', version: '1.0.0-1' } }, '"1.0.0-1" is no version that apk takes'],
    [{ info: { name: 'a' } as Contents['info'] }, '"" is no version'],
    [
      { info: { name: 'a', version: '1', titel: 'x' } as Contents['info'] },
      'There is no field "titel" that can be given; there are name, version, description,',
    ],
    [{ info: { name: 'a', version: '1', installedSize: 3 } as Contents['info'] }, 'There is no field "installedSize"'],
    [{ info: { name: 'a', version: '1', repoCommit: '0x1' } }, 'repoCommit is "0x1"; it is an even number of hexadecimal digits.'],
    [{ info: { name: 'a', version: '1', buildTime: -1 } }, '"-1" is no number that fits'],
    [{ info: { name: 'a', version: '1', depends: ['a, b'] } }, 'The dependency "a, b"'],
    [
      { info: { name: 'a', version: '1' }, scripts: { postinst: '#!/bin/sh\n' } },
      'apk runs nothing at "postinst"; it does at trigger, pre-install,',
    ],
    [{ info: { name: 'a', version: '1' }, scripts: { 'post-install': 'true\n' } }, 'The script "post-install" begins with "true'],
    [files(['etc/a']), '"etc/a" is no path of a package'],
    [files(['/etc//a']), '"/etc//a" is no path'],
    [files(['/etc/../a']), '"/etc/../a" is no path'],
    [files(['/etc/']), '"/etc/" is no path'],
    [files(['/etc', '/etc/a']), '"/etc" is a file, and there are others below it.'],
    [files(['/etc/a', '/etc']), '"/etc" is a file, and there are others below it.'],
    [{ ...files(['/a']), time: undefined } as unknown as Contents, '"a" has no time of its own, nor the package one.'],
  ];
  for (const [contents, said] of refused) assert.throws(() => lib.writePackage(contents), saying(said));
  assert.throws(
    () => lib.writePackage(DEMO, { compression: 'zstd' }),
    saying('The compression "zstd" is not known; none, deflate and deflate:1 to deflate:9 are.'),
  );
});

apk('that is not whole is refused, as apk would', ({ lib }) => {
  const { schema, adb, signatures, data } = lib.readAdb(fixture('demo-none.apk'));
  const made = (blocks: Buffer[]): Buffer => lib.writeAdb({ schema, adb, signatures, data: blocks });
  assert.is(data.length, 4);
  const [one, two, ...rest] = data as [Buffer, Buffer];
  const changed = Buffer.concat([one.subarray(0, -1), Buffer.from('?')]);
  assert.throws(() => lib.readPackage(made([changed, two, ...rest])), saying('The contents of "demo" have the sum'));
  assert.throws(
    () => lib.readPackage(made([two, one, ...rest])),
    saying('Block 1 of contents is for file 1 of folder 6, 32 bytes; file 1 of folder 3, 35 bytes, comes next.'),
  );
  assert.throws(() => lib.readPackage(made([one.subarray(0, -1), two, ...rest])), saying('34 bytes; file 1 of folder 3, 35 bytes'));
  assert.throws(() => lib.readPackage(made([one, two])), saying('is for file 0 of folder 0'));
  assert.throws(() => lib.readPackage(made([...data, one])), saying('There are 5 blocks of contents, and 4 files have any.'));
  assert.throws(() => lib.readPackage(lib.writeIndex([])), saying('The file\'s schema is "indx"; a package\'s is "pckg".'));
});

const index = suite<{ lib: Library; all: Buffer[] }>('packages.adb');

index.before(async (context) => {
  context.lib = await library();
  context.all = [DEMO, ...Object.values(CASES)].map((one) => context.lib.writePackage(one, PLAIN));
});

index("is apk's own to the byte, once it is inflated", ({ lib }) => {
  const theirs = inflateRawSync(fixture('packages.adb').subarray(4));
  assert.ok(lib.writeIndex([fixture('demo-none.apk')], PLAIN).equals(theirs));
  const usual = lib.writeIndex([fixture('demo-none.apk')]);
  assert.is(usual.toString('latin1', 0, 4), 'ADBd');
  assert.ok(inflateRawSync(usual.subarray(4)).equals(theirs));
});

index('of many packages is what apk makes of them, in either order, with a description and a pattern of names', ({ lib, all }) => {
  const turned = [...all].reverse();
  const [plain, described] = [lib.writeIndex(all, PLAIN), lib.writeIndex(turned, { ...PLAIN, description: 'A feed', pkgnameSpec: SPEC })];
  const odd = LONG_NUMBERS.map((one) => lib.writePackage(one, PLAIN));
  const numbers = lib.writeIndex(odd, PLAIN);
  assert.equal([plain, described, numbers].map(sha256), [recorded.index, recorded.described, recorded.numbers]);
  if (atHand === undefined) return;
  assert.ok(numbers.equals(mkndx(odd)), atHand);
  assert.ok(plain.equals(mkndx(all)), atHand);
  assert.ok(described.equals(mkndx(turned, ['--description', 'A feed', '--pkgname-spec', SPEC])), atHand);
});

index('names every package with its size as it lies there, and the sum of its values', ({ lib, all }) => {
  const packed = all.map((_, at) => lib.writePackage([DEMO, ...Object.values(CASES)][at] ?? DEMO));
  const { packages, description, pkgnameSpec } = lib.readIndex(lib.writeIndex(packed, { description: 'A feed', pkgnameSpec: SPEC }));
  assert.equal([description, pkgnameSpec], ['A feed', SPEC]);
  assert.equal(
    packages.map(({ name }) => name),
    packages.map(({ name }) => name).sort(),
  );
  assert.is(packages.length, packed.length);
  for (const bytes of packed) {
    const { info, file } = lib.readPackage(bytes);
    assert.equal(
      packages.find(({ name }) => name === info.name),
      { ...info, hashes: sha256(file.adb), fileSize: bytes.length },
    );
  }
});

index('sorts versions of a package as apk has them, and holds none twice', ({ lib }) => {
  const of = (version: string): Buffer => lib.writePackage({ info: { name: 'a', version } });
  const sorted = ['1.0-r5', '1.0.0_rc1-r0', '1.0.0-r1', '1.0.0~abc-r0', '1.0.0_p1-r0', '1.0.10-r0'];
  const { packages } = lib.readIndex(lib.writeIndex([...sorted].reverse().map(of)));
  assert.equal(
    packages.map(({ version }) => version),
    sorted,
  );
  assert.throws(() => lib.writeIndex([of('1-r0'), of('1-r0')]), saying('The index was to hold a 1-r0 twice.'));
  assert.throws(() => lib.writeIndex([lib.writeIndex([])]), saying('A file of the schema "indx" is no package'));
});

index('and packages that are signed are trusted, and installed, by the apk at hand; here by what they hold', ({ lib }) => {
  const folder = mkdtempSync(join(tmpdir(), 'k-'));
  const keys = [generateKeyPairSync('ec', { namedCurve: 'prime256v1' }), generateKeyPairSync('rsa', { modulusLength: 2048 })].map(
    ({ privateKey }) => lib.signingKey(privateKey.export({ format: 'pem', type: 'pkcs8' })),
  );
  for (const [at, key] of keys.entries()) {
    const needed = lib.writePackage({ info: { name: 'b', version: '1-r0' } }, { keys: [key] });
    const demo = lib.writePackage({ ...DEMO, info: { ...DEMO.info, depends: ['b>=1'] }, scripts: {} }, { keys: [key] });
    const feed = lib.writeIndex([demo, needed], { keys: [key] });
    assert.ok(lib.isSignedBy(lib.readPackage(demo).file, key.publicPem) && lib.isSignedBy(lib.readIndex(feed).file, key.publicPem));
    if (atHand === undefined) continue;
    const files = { 'demo-1.2.3-r4.apk': demo, 'b-1-r0.apk': needed, 'packages.adb': feed };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const root = join(folder, `root-${at}`);
    const add = (): string => run(['--root', root, '--arch', 'noarch', '-X', join(folder, 'packages.adb'), 'add', 'demo']);
    run(['--root', root, '--arch', 'noarch', '--initdb', 'add']);
    assert.throws(add, saying('UNTRUSTED'));
    mkdirSync(join(root, 'etc/apk/keys'), { recursive: true });
    writeFileSync(join(root, 'etc/apk/keys/any-name.pem'), key.publicPem);
    assert.match(add(), 'Installing demo (1.2.3-r4)');
    assert.is(readFileSync(join(root, 'usr/sbin/demo'), 'utf8'), '#!/bin/sh\necho demo\n');
    assert.match(run(['--keys-dir', join(root, 'etc/apk/keys'), 'verify', join(folder, 'demo-1.2.3-r4.apk')]), 'OK');
  }
});

apk.run();
index.run();
