/** Translations as LuCI reads them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { saying } from '../../saying.ts';
import { packer } from './made.ts';

interface Lmo {
  hash(data: Buffer): number;
  entries(text: string): [string, string][];
  lmo(text: string): Buffer;
}

/** Reads a file as LuCI's lmo.c does: the table's place is its last number, rows are found by halving. */
function reader(file: Buffer): (hash: number) => string | undefined {
  const start = file.readUInt32BE(file.length - 4);
  const count = (file.length - 4 - start) / 16;
  return (hash) => {
    for (let low = 0, high = count - 1; low <= high;) {
      const middle = (low + high) >> 1;
      const row = start + 16 * middle;
      const key = file.readUInt32BE(row);
      if (key === hash)
        return file.subarray(file.readUInt32BE(row + 8), file.readUInt32BE(row + 8) + file.readUInt32BE(row + 12)).toString();
      if (key < hash) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  };
}

/** Made by sfh_hash() of LuCI's lmo.c: of every length's own way, and with bytes above 127. */
const HASHES: readonly (readonly [string, string])[] = [
  ['a', '115ea782'],
  ['ab', '516b8b44'],
  ['abc', 'd2be198a'],
  ['abcd', 'dad8b8db'],
  ['SIP ALG', '8a5a638b'],
  ['Looking at the router...', '656f31da'],
  ['ä', 'aaed0581'],
  ['aä', '885595f7'],
  ['abä', 'e056d4f7'],
  ['Käme wieder', 'd4480b79'],
];

const lmos = suite<Lmo>('an .lmo');

lmos.before(async (context) => {
  Object.assign(context, await packer<Lmo>('lmo'));
});

lmos('is sought by the hash LuCI itself makes', ({ hash }) => {
  HASHES.forEach(([text, wanted]) => assert.is(hash(Buffer.from(text)).toString(16), wanted, text));
});

lmos('gives every sentence of a translation back', ({ hash, entries, lmo }) => {
  const text = readFileSync('package/luci-app-sipalg/po/de/sipalg.po', 'utf8');
  const find = reader(lmo(text));
  const all = entries(text).filter(([id]) => id !== '');
  assert.ok(all.length > 80);
  assert.is(all.length, text.match(/^msgid ".+"$/gm)?.length);
  for (const [id, said] of all) assert.is(find(hash(Buffer.from(id))) ?? id, said);
  assert.is(find(hash(Buffer.from('No sentence of ours.'))), undefined);
});

lmos('is made of strings over several lines and with quotes', ({ hash, lmo }) => {
  const find = reader(
    lmo('msgid ""\nmsgstr "Language: de\\n"\n\nmsgid "a \\"b\\" "\n"c"\nmsgstr ""\n"ä \\"b\\" c"\n\nmsgid "same"\nmsgstr "same"\n'),
  );
  assert.is(find(hash(Buffer.from('a "b" c'))), 'ä "b" c');
  assert.is(find(hash(Buffer.from('same'))), undefined);
});

lmos('is refused where a translation has what it cannot hold', ({ lmo }) => {
  assert.throws(() => lmo('msgctxt "x"\nmsgid "a"\nmsgstr "b"\n'), saying('has a context or plural forms'));
  assert.throws(() => lmo('msgid "a"\nmsgid_plural "as"\nmsgstr[0] "b"\n'), saying('has a context or plural forms'));
});

lmos.run();
