// Reads what apk.mjs writes, and apk itself; and looks whether it is whole, as apk does before it installs: contents in
// their order, of their size, with their sums. Whose it is, is another question: isSignedBy in adb-signature.mjs.
import { createHash } from 'node:crypto';
import { AdbReader, decompress, readAdb } from './adb.mjs';
import { dependencyWord } from './apk-dependency.mjs';
import { INFO, MOMENTS } from './apk.mjs';

/** @typedef {import('./adb.mjs').Word} Word @typedef {import('./adb.mjs').AdbFile} AdbFile */
/** @typedef {import('./adb.mjs').Compression} Compression */
/** @typedef {import('./apk.mjs').Info} Info @typedef {import('./apk.mjs').Entry} Entry */

/** What is not given but made. @typedef {{ hashes: string, installedSize: number, fileSize?: number }} Made `hashes` hexadecimal */

/**
 * @typedef {object} ReadPackage
 * @property {Compression} compression
 * @property {AdbFile} file for isSignedBy
 * @property {Info & Made} info lists as words, sorted as they stand there
 * @property {Map<string, Entry>} [files] by absolute path, folders too (the root is "/"), in their order; undefined: not even a root
 * @property {Record<string, string>} scripts by moment
 * @property {string[]} triggers
 * @property {number} [replacesPriority]
 */

/** @param {AdbReader} from @param {Word} value */
function readDependency(from, value) {
  const [name = 0, version = 0, match = 0] = from.slots(value);
  const said = version === 0 ? {} : { version: from.text(version) };
  return dependencyWord({ name: from.text(name), ...said, match: from.integer(match) ?? (version === 0 ? 7 : 1) });
}

/** @param {AdbReader} from @param {Word} value @param {(typeof INFO)[number]} field @returns {unknown} */
function readField(from, value, [field, kind]) {
  if (field === 'hashes' || kind === 'hex') return from.blob(value).toString('hex');
  if (kind === 'number' || kind === 'own') return from.integer(value);
  if (kind === 'dependencies') return from.slots(value).map((each) => readDependency(from, each));
  return kind === 'words' ? from.slots(value).map((each) => from.text(each)) : from.text(value);
}

/** @param {AdbReader} from @param {Word} value @returns {Info & Made} */
function readInfo(from, value) {
  const slots = from.slots(value);
  const fields = Object.fromEntries(
    INFO.flatMap((field, at) => {
      const value = slots[at] ?? 0;
      return value === 0 ? [] : [[field[0], readField(from, value, field)]];
    }),
  );
  const { name, version, hashes, installedSize } = fields;
  if (typeof name !== 'string' || typeof version !== 'string' || typeof hashes !== 'string' || typeof installedSize !== 'number') {
    throw new Error(`A package has the fields "${Object.keys(fields).join(', ')}"; name, version, hashes, installedSize are wanted.`);
  }
  return { ...fields, name, version, hashes, installedSize };
}

/** @param {AdbReader} from @param {Word} value */
function readAcl(from, value) {
  const [mode = 0, user = 0, group = 0, attributes = 0] = from.slots(value);
  if (attributes !== 0) throw new Error('A file has extended attributes, which are not read here.');
  return { mode: from.integer(mode) ?? 0, user: from.text(user), group: from.text(group) };
}

/**
 * @param {AdbReader} from @param {Word} value
 * @param {(size: number) => Buffer} contents of the next file that has any
 * @returns {{ name: string, entry: Entry }}
 */
function readFile(from, value, contents) {
  const [label = 0, owned = 0, size = 0, mtime = 0, hash = 0, target = 0] = from.slots(value);
  const [name, length, time] = [from.text(label), from.integer(size) ?? 0, from.integer(mtime) ?? 0];
  const { mode, user, group } = readAcl(from, owned);
  if (target !== 0) {
    const bytes = from.blob(target);
    const type = bytes.length < 2 ? 0 : bytes.readUInt16LE(0);
    if (type !== 0o120000) throw new Error(`"${name}" is of the type 0${type.toString(8)}; files and symbolic links are read here.`);
    return { name, entry: { type: 'link', target: bytes.toString('utf8', 2), mode, user, group, time } };
  }
  const bytes = length === 0 ? Buffer.alloc(0) : contents(length);
  const [sum, said] = [createHash('sha256').update(bytes).digest('hex'), from.blob(hash).toString('hex')];
  if (sum !== said) throw new Error(`The contents of "${name}" have the sum ${sum}, and are said to have ${said}.`);
  return { name, entry: { type: 'file', bytes, mode, user, group, time } };
}

/**
 * @param {Buffer} bytes an .apk as it lies there
 * @returns {ReadPackage}
 * Throws, in a sentence, where it is none, not whole, or holds what is not read here (hard links, devices, attributes)
 */
export function readPackage(bytes) {
  const { compression, bytes: plain } = decompress(bytes);
  const file = readAdb(plain);
  if (file.schema !== 'pckg') throw new Error(`The file's schema is "${file.schema}"; a package's is "pckg".`);
  const from = new AdbReader(file.adb);
  const [head = 0, paths = 0, run = 0, watched = 0, priority = 0] = from.slots(from.root);
  /** @type {Map<string, Entry>} */
  const files = new Map();
  let next = 0;
  from.slots(paths).forEach((folder, number) => {
    const [label = 0, owned = 0, inside = 0] = from.slots(folder);
    const path = `/${from.text(label)}`;
    files.set(path, { type: 'folder', ...readAcl(from, owned) });
    from.slots(inside).forEach((one, at) => {
      const { name, entry } = readFile(from, one, (length) => {
        const block = file.data[next++] ?? Buffer.alloc(0);
        const [of, its] = block.length < 8 ? [0, 0] : [block.readUInt32LE(0), block.readUInt32LE(4)];
        if (of !== number + 1 || its !== at + 1 || block.length !== 8 + length) {
          throw new Error(
            `Block ${next} of contents is for file ${its} of folder ${of}, ${Math.max(0, block.length - 8)} bytes;`
              + ` file ${at + 1} of folder ${number + 1}, ${length} bytes, comes next.`,
          );
        }
        return block.subarray(8);
      });
      files.set(path === '/' ? `/${name}` : `${path}/${name}`, entry);
    });
  });
  if (next !== file.data.length) throw new Error(`There are ${file.data.length} blocks of contents, and ${next} files have any.`);
  const texts = from.slots(run);
  return {
    compression,
    file,
    info: readInfo(from, head),
    ...(paths === 0 ? {} : { files }),
    scripts: Object.fromEntries(MOMENTS.map((moment, at) => [moment, from.text(texts[at] ?? 0)]).filter(([, text]) => text !== '')),
    triggers: from.slots(watched).map((one) => from.text(one)),
    ...(priority === 0 ? {} : { replacesPriority: from.integer(priority) ?? 0 }),
  };
}

/**
 * @param {Buffer} bytes a packages.adb as it lies there
 * @returns {{ compression: Compression, file: AdbFile, description: string, pkgnameSpec: string, packages: (Info & Made)[] }}
 */
export function readIndex(bytes) {
  const { compression, bytes: plain } = decompress(bytes);
  const file = readAdb(plain);
  if (file.schema !== 'indx') throw new Error(`The file's schema is "${file.schema}"; an index's is "indx".`);
  const from = new AdbReader(file.adb);
  const [said = 0, all = 0, spec = 0] = from.slots(from.root);
  const packages = from.slots(all).map((one) => readInfo(from, one));
  return { compression, file, description: from.text(said), pkgnameSpec: from.text(spec), packages };
}
