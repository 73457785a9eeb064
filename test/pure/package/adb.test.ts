/** ADB, the format of apk-tools 3's files: values and blocks, written and read. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { saying } from '../../saying.ts';
import { seeded, type Seeded } from '../../seeded.ts';
import { CASES, DEMO } from './apk-cases.ts';
import { library, type Contents, type Entry, type Info, type Library, type Reader, type Writer } from './apk-library.ts';

const adb = suite<{ lib: Library }>('ADB');
adb.before(async (context) => {
  context.lib = await library();
});

adb('holds numbers in place, in four and in eight bytes', ({ lib: { AdbWriter, AdbReader } }) => {
  const all: [number | bigint, word: string, bytes: string][] = [
    [0, '10000000', ''],
    [0x0fff_ffff, '1fffffff', ''],
    [0x1000_0000, '20000008', '00000010'],
    [0xffff_ffff, '20000008', 'ffffffff'],
    [0x1_0000_0000, '30000008', '0000000001000000'],
    [5_000_000_000, '30000008', '00f2052a01000000'],
    [2n ** 64n - 1n, '30000008', 'ffffffffffffffff'],
  ];
  for (const [number, word, bytes] of all) {
    const writer = new AdbWriter();
    const value = writer.integer(number);
    const payload = writer.finish(value);
    assert.equal([value.toString(16), payload.toString('hex', 8)], [word, bytes]);
    assert.is(payload.toString('hex', 0, 8), `00000000${Buffer.from(word, 'hex').reverse().toString('hex')}`);
    if (number <= Number.MAX_SAFE_INTEGER) assert.is(new AdbReader(payload).integer(value), number);
    else assert.throws(() => new AdbReader(payload).integer(value), saying('The number 18446744073709551615 is larger than 2^53 - 1'));
  }
  for (const number of [-1, 1.5, NaN, 2 ** 53, 2n ** 64n]) {
    assert.throws(() => new AdbWriter().integer(number), saying(`"${number}" is no number that fits`));
  }
});

adb('holds bytes with their length in one, two or four bytes, aligned to as many', ({ lib: { AdbWriter, AdbReader } }) => {
  const lengths = [
    [1, '8000000b', '01'],
    [255, '8000000b', 'ff'],
    [256, '9000000c', '0001'],
    [300, '9000000c', '2c01'],
    [65_535, '9000000c', 'ffff'],
    [65_536, 'a000000c', '00000100'],
  ] as const;
  for (const [length, word, head] of lengths) {
    const writer = new AdbWriter();
    assert.is(writer.blob(''), 0, 'nothing is no value');
    writer.blob('zz'); // from 8 to 11
    const value = writer.blob('x'.repeat(length));
    const payload = writer.finish(value);
    assert.is(value.toString(16), word, `${length} bytes`);
    const place = value % 0x1000_0000;
    assert.equal([payload.toString('hex', 8, 11), payload.toString('hex', 11, place)], ['027a7a', '00'.repeat(place - 11)]);
    assert.is(payload.toString('hex', place, place + head.length / 2), head);
    assert.is(new AdbReader(payload).text(value), 'x'.repeat(length));
  }
});

adb('writes nothing twice that stands there already, to the byte and as it has to lie', ({ lib: { AdbWriter } }) => {
  const writer = new AdbWriter();
  const first = writer.blob('abc');
  assert.is(writer.blob(Buffer.from('abc')), first);
  const list = writer.object([first, first]);
  assert.is(writer.object([first, first]), list);
  assert.is(writer.finish(list).length, 8 + 4 + 12);

  // The same eight bytes as a text of seven, which need not lie even, and as a number, which must.
  const odd = new AdbWriter();
  odd.blob('z');
  odd.blob('');
  odd.blob('y'.repeat(2)); // to 13
  const text = odd.blob(Buffer.from([0, 0, 0, 1, 0, 0, 0]));
  assert.is(text.toString(16), '8000000d');
  const number = odd.integer(0x0000_0001_0000_0007);
  assert.is(number.toString(16), '30000018', 'not at 13');
  assert.is(odd.blob(Buffer.from([0, 0, 0, 1, 0, 0, 0])).toString(16), '80000018', 'from now on the later place is known');
});

adb("bytes that are to be changed later are nobody else's", ({ lib: { AdbWriter, AdbReader } }) => {
  const writer = new AdbWriter();
  const before = writer.blob(Buffer.alloc(20));
  const { value, place } = writer.ownBlob(Buffer.alloc(20));
  assert.is(writer.blob(Buffer.alloc(20)), before);
  const payload = writer.finish(writer.object([before, value]));
  payload[place] = 1;
  const reader = new AdbReader(payload);
  assert.equal([reader.blob(before)[0], reader.blob(value)[0], reader.blob(value).length], [0, 1, 20]);
  assert.throws(() => new AdbWriter().ownBlob(Buffer.alloc(0)), saying('Empty bytes are no value'));
});

adb('leaves out what is nothing at the end of an object, and keeps it in the middle', ({ lib: { AdbWriter, AdbReader } }) => {
  const writer = new AdbWriter();
  assert.is(writer.object([]), 0);
  assert.is(writer.object([0, 0]), 0);
  const value = writer.object([0, writer.integer(7), 0, 0]);
  const payload = writer.finish(value);
  assert.is(payload.toString('hex', 8), '030000000000000007000010');
  assert.equal(new AdbReader(payload).slots(value), [0, 0x1000_0007]);
});

type Tree = null | number | Buffer | readonly Tree[];

const grown = (random: Seeded, depth: number): Tree => {
  const kind = random.below(depth === 0 ? 3 : 5);
  if (kind === 0) return null;
  if (kind === 1) return random.pick([0, 1, 300, 0x0fff_ffff, 0x1000_0000, 0xffff_ffff, 2 ** 40 + random.below(9)]);
  if (kind === 2) return Buffer.from(random.pick(['a', 'b', 'ab', 'x'.repeat(random.pick([1, 255, 256, 300])), String(random.below(50))]));
  const list = Array.from({ length: random.below(5) }, () => grown(random, depth - 1));
  return list.some((one) => one !== null) ? list : null;
};
const put = (writer: Writer, tree: Tree): number => {
  if (tree === null) return 0;
  if (typeof tree === 'number') return writer.integer(tree);
  return Buffer.isBuffer(tree) ? writer.blob(tree) : writer.object(tree.map((one) => put(writer, one)));
};
/** What is nothing at the end of a list is not there to be read. */
const got = (reader: Reader, value: number): Tree => {
  const type = value >>> 28;
  if (type < 4) return reader.integer(value) ?? null;
  return type === 0xe ? reader.slots(value).map((one) => got(reader, one)) : reader.blob(value);
};
const trimmed = (tree: Tree): Tree => {
  if (tree === null || typeof tree === 'number' || Buffer.isBuffer(tree)) return tree;
  const list = (tree as readonly Tree[]).map(trimmed);
  return list.slice(0, 1 + list.map((one) => one !== null).lastIndexOf(true));
};

adb('reads what it wrote, and what it copied into another', ({ lib: { AdbWriter, AdbReader } }) => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed);
    const tree = grown(random, 4);
    const writer = new AdbWriter();
    const reader = new AdbReader(writer.finish(put(writer, tree)));
    assert.equal(got(reader, reader.root), trimmed(tree), `seed ${seed}`);
    const other = new AdbWriter();
    other.blob('x'.repeat(random.below(9)));
    const copied = new AdbReader(other.finish(other.copy(reader, reader.root)));
    assert.equal(got(copied, copied.root), trimmed(tree), `copied, seed ${seed}`);
  }
});

adb('is refused where a value points outside, behind itself, or is another than is asked for', ({ lib: { AdbWriter, AdbReader } }) => {
  const reader = (hex: string): Reader => new AdbReader(Buffer.from(hex, 'hex'));
  assert.throws(() => reader('0000'), saying('The values are 2 bytes, and their header alone is 8.'));
  assert.throws(() => reader('0100000000000000'), saying('of version 1; only 0 is known'));
  const three = reader('0000000000000000026162');
  assert.is(three.text(0x8000_0008), 'ab');
  assert.throws(() => three.blob(0x8000_0000), saying('A value of 1 bytes is said to be at 0; there are bytes from 8 to 11.'));
  assert.throws(() => three.blob(0x8000_0009), saying('A value of 98 bytes is said to be at 9'));
  assert.throws(() => three.blob(0x9000_000b), saying('A value of 2 bytes is said to be at 11'));
  assert.throws(() => three.blob(0x1000_0001), saying('0x10000001 is no blob'));
  assert.throws(() => three.integer(0x8000_0008), saying('0x80000008 is no number'));
  assert.throws(() => three.slots(0x8000_0008), saying('0x80000008 is neither object nor array'));
  assert.throws(() => three.stored(0x7000_0008), saying('of the type 7, which points at nothing'));
  assert.throws(() => reader('0000000000000000ffffffff').slots(0xe000_0008), saying('A value of 17179869180 bytes'));
  const circle = reader('00000000080000e002000000080000e0');
  assert.throws(() => circle.slots(circle.root), saying('The object at 8 points behind itself, at 8.'));
  assert.throws(() => new AdbWriter().copy(circle, circle.root), saying('points behind itself'));
});

adb('lays blocks to multiples of eight bytes, and refuses those that do not', ({ lib }) => {
  assert.is(lib.block(lib.BLOCK.SIG, Buffer.from('abc')).toString('hex'), '0700004061626300');
  assert.is(lib.block(lib.BLOCK.DATA, Buffer.from('ab'), Buffer.from('cd')).toString('hex'), '0800008061626364');
  const adbs = Buffer.alloc(8);
  const parts = { schema: 'pckg', adb: adbs, signatures: [Buffer.from('s')], data: [Buffer.from('1'), Buffer.from('22')] };
  const bytes = lib.writeAdb(parts);
  assert.equal(lib.readAdb(bytes), parts);
  assert.is(bytes.length % 8, 0);
  const changed = (at: number, to: number): Buffer => {
    const other = Buffer.from(bytes);
    other[at] = to;
    return other;
  };
  assert.throws(() => lib.readAdb(changed(0, 0)), saying('an uncompressed one of apk-tools 3 begins with "ADB."'));
  assert.throws(() => lib.readAdb(changed(8, 3)), saying('The block at 8 has 3 bytes'));
  assert.throws(() => lib.readAdb(changed(9, 1)), saying('The block at 8 has 268 bytes; 40 are left.'));
  assert.throws(() => lib.readAdb(changed(21, 1)), saying('The block at 8 is not filled up with zeros.'));
  assert.throws(() => lib.readAdb(changed(11, 0x40)), saying('The file has no block of values'));
  assert.throws(() => lib.readAdb(changed(27, 0)), saying('The file has 2 blocks of values; one is wanted.'));
  assert.throws(() => lib.readAdb(changed(43, 0x40)), saying('The block at 40 is of the type 1; the one before it was of 2.'));
  assert.throws(() => lib.readAdb(bytes.subarray(0, -1)), saying('The block at 40'));
  assert.throws(() => lib.readAdb(bytes.subarray(0, -6)), saying('The block at 40'));
});

adb('is inflated whatever its header says of the level, and what is no such file is named', ({ lib }) => {
  const bytes = readFileSync('test/fixtures/apk/demo-none.apk');
  for (const compression of ['none', 'deflate', 'deflate:1', 'deflate:6', 'deflate:9']) {
    const packed = lib.compress(bytes, compression);
    const read = lib.decompress(packed);
    assert.ok(read.compression === compression && read.bytes.equals(bytes), compression);
    assert.is(packed.length < bytes.length, compression !== 'none');
  }
  assert.throws(() => lib.compress(bytes, 'deflate:0'), saying('"deflate:0" is not known'));
  assert.throws(() => lib.decompress(Buffer.from('PKZIP')), saying('The file begins with "PKZI"; those of apk-tools 3 begin with "ADB."'));
  assert.throws(() => lib.decompress(Buffer.from('ADBc\x02\x03')), saying('compressed by the method 2; 1 (deflate) is read here'));
  assert.throws(() => lib.decompress(lib.compress(bytes, 'deflate').subarray(0, 200)), saying('unexpected end of file'));
});

/** A package of chance. */
function drawn(random: Seeded): Contents {
  const several = <T>(count: number, make: () => T): T[] => Array.from({ length: random.below(count) }, make);
  const word = (): string => random.pick([...'abXY09']) + several(6, () => random.pick([...'abcXYZ019._+-'])).join('');
  const ends = [
    ['', 'a', '_rc1', '_p', '~0af'],
    ['', '-r0', '-r12'],
  ];
  const version = (): string => `${random.below(20)}.${random.below(3)}${ends.map((end) => random.pick(end)).join('')}`;
  const list = (): string[] =>
    [...new Set(several(4, word))].map((name) => {
      const sign = random.pick(['', '=', '<', '>=', '~', '<=', '>', '>~', '<~']);
      return `${random.pick(['', '', '!'])}${name}${sign}${sign === '' ? '' : version()}`;
    });
  const files = new Map<string, Entry>();
  for (let count = random.below(12); count > 0; count--) {
    // No folder is called as a file is, so none is both.
    const path = [...several(4, () => `/d${random.pick(['', '-', '.', ' ', 'é'])}`), `/f${random.below(9)}`].join('');
    const time = random.pick([0, 1_700_000_000, 0xffff_ffff, 2 ** 33]);
    const owned = { mode: random.pick([0o644, 0o755, 0o4711]), user: random.pick(['root', 'nobody']), group: 'root', time };
    files.set(
      path,
      random.below(4) === 0
        ? { type: 'link', target: word(), ...owned, mode: 0o777 }
        : { type: 'file', bytes: Buffer.alloc(random.pick([0, 1, 7, 8, 300]), word()), ...owned },
    );
  }
  return {
    info: {
      name: word(),
      version: version(),
      arch: 'noarch',
      description: word().repeat(1 + random.below(80)),
      depends: list(),
      provides: list(),
      buildTime: random.below(3) * 2 ** 31 + 1,
      tags: ['b', 'a'],
    },
    files,
    scripts: random.below(2) === 0 ? {} : { 'post-install': `#!/bin/sh\n${word()}\n`, 'trigger': '#!/bin/sh\n' },
    triggers: random.below(2) === 0 ? [] : ['/a', '/b'],
  };
}

adb('packages are read as they were written, whatever they hold', ({ lib }) => {
  let files = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed);
    const wanted = drawn(random);
    const compression = random.pick(['none', 'deflate', 'deflate:1']);
    const read = lib.readPackage(lib.writePackage(wanted, { compression }));
    const sorted = (list: string[] | undefined): string[] => [...(list ?? [])].sort();
    const comparable = (info: Info): object => ({
      ...info,
      depends: sorted(info.depends),
      provides: sorted(info.provides),
      hashes: '',
      installedSize: 0,
    });
    assert.equal(comparable(read.info), comparable(wanted.info), `seed ${seed}`);
    assert.equal([read.scripts, read.triggers, read.compression], [wanted.scripts, wanted.triggers, compression], `seed ${seed}`);
    const inside = [...(read.files ?? [])].filter(([, { type }]) => type !== 'folder');
    assert.equal(Object.fromEntries(inside), Object.fromEntries(wanted.files ?? []), `seed ${seed}`);
    files += inside.length;
  }
  assert.ok(files > 500);
});

adb('a file that is damaged is refused in a sentence, or still read', ({ lib }) => {
  const short = [DEMO, ...Object.values(CASES)].filter(({ info }) => info.name !== 'long');
  const whole = short.map((one) => lib.writePackage(one, { compression: 'none' }));
  let refused = 0;
  for (let seed = 1; seed <= 2000; seed++) {
    const random = seeded(seed);
    const bytes = Buffer.from(random.pick(whole));
    for (let count = 1 + random.below(3); count > 0; count--) bytes[random.below(bytes.length)] = random.below(256);
    try {
      lib.readPackage(random.below(5) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes);
    } catch (error) {
      refused++;
      const said = error instanceof Error && error.constructor === Error ? error.message : '';
      assert.match(said, /^[A-Z"].*\.$/s, `seed ${seed}: ${String(error)}`);
    }
  }
  assert.ok(refused > 1000, `${refused} of 2000`);
});

adb.run();
