// Packages and indexes of apk-tools 3, byte for byte as its mkpkg and mkndx (3.0.6) write them before they compress:
// doc/apk-v3.5.scd and src/apk_adb.h there name the fields; their order here is the order in which apk puts them down.
// Not written: extended attributes, hard links, devices. What OpenWrt adds is openwrt-apk.mjs's; reading is apk-read.mjs's.
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { AdbReader, AdbWriter, compress, decompress, readAdb, writeAdb } from './adb.mjs';
import { checkedName, checkedVersion, compareDependencies, compareVersions, parseDependencies } from './apk-dependency.mjs';

/** @typedef {import('./adb.mjs').Word} Word @typedef {import('./adb.mjs').Compression} Compression */

/**
 * What is said of a package. Lists are words as apk takes them: `b>=1`, `!c`.
 * @typedef {object} Info
 * @property {string} name
 * @property {string} version
 * @property {string} [description]
 * @property {string} [arch] `noarch` unless something else is said
 * @property {string} [license]
 * @property {string} [origin]
 * @property {string} [maintainer]
 * @property {string} [url]
 * @property {string} [repoCommit] hexadecimal
 * @property {number} [buildTime] seconds since the epoch
 * @property {number} [providerPriority] the higher one is chosen among several that provide a name
 * @property {readonly string[]} [depends]
 * @property {readonly string[]} [provides] `name=1`: only one such package at a time. Without a version: side by side, and none is
 *   chosen unless it has a priority
 * @property {readonly string[]} [replaces] whose files it may overwrite
 * @property {readonly string[]} [installIf]
 * @property {readonly string[]} [recommends]
 * @property {number} [layer]
 * @property {readonly string[]} [tags]
 */

/** @typedef {{ mode?: number, user?: string, group?: string }} Owned `user` and `group` are names, `root` unless said otherwise */
/** A file, a symbolic link, a folder that is not just there for what is in it; `time` in seconds since the epoch. */
/** @typedef {Owned & { type?: 'file', bytes: Uint8Array, mode: number, time?: number }} FileEntry */
/** @typedef {Owned & { type: 'link', target: string, time?: number }} LinkEntry */
/** @typedef {Owned & { type: 'folder' }} FolderEntry */
/** @typedef {FileEntry | LinkEntry | FolderEntry} Entry */

/**
 * @typedef {object} Contents
 * @property {Info} info
 * @property {ReadonlyMap<string, Entry>} [files] by absolute path; folders above them are made, 0755 and root's. Without it the
 *   package holds no files, not even a root
 * @property {Partial<Record<Moment, string>>} [scripts]
 * @property {readonly string[]} [triggers]
 * @property {number} [replacesPriority]
 * @property {number} [time] seconds since the epoch, of all that has no time of its own
 */

/** The fields of a package's info by slot: from 1 on. `hashes` and the two sizes are what the writer says itself. */
export const INFO = /** @type {const} */ ([
  ['name', 'name'],
  ['version', 'version'],
  ['hashes', 'own'],
  ['description', 'text'],
  ['arch', 'text'],
  ['license', 'text'],
  ['origin', 'text'],
  ['maintainer', 'text'],
  ['url', 'text'],
  ['repoCommit', 'hex'],
  ['buildTime', 'number'],
  ['installedSize', 'own'],
  ['fileSize', 'own'],
  ['providerPriority', 'number'],
  ['depends', 'dependencies'],
  ['provides', 'dependencies'],
  ['replaces', 'dependencies'],
  ['installIf', 'dependencies'],
  ['recommends', 'dependencies'],
  ['layer', 'number'],
  ['tags', 'words'],
]);
const slotOf = (/** @type {string} */ field) => INFO.findIndex(([name]) => name === field);
const [HASHES, INSTALLED, SIZE] = ['hashes', 'installedSize', 'fileSize'].map(slotOf);

/** What apk runs, by slot: from 1 on. @typedef {(typeof MOMENTS)[number]} Moment */
export const MOMENTS = /** @type {const} */ ([
  'trigger',
  'pre-install',
  'post-install',
  'pre-deinstall',
  'post-deinstall',
  'pre-upgrade',
  'post-upgrade',
]);

const sha256 = (/** @type {Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest();
const byBytes = (/** @type {string} */ one, /** @type {string} */ other) => Buffer.compare(Buffer.from(one), Buffer.from(other));
/** The file type of a symbolic link, before what it points to. */
const LINK = Buffer.from([0x00, 0xa0]);

/** @param {AdbWriter} writer @param {readonly string[]} list @returns {Word} */
function dependencies(writer, list) {
  const written = parseDependencies(list).map((one) => {
    const { name, version, match } = one;
    const plain = version === undefined ? match === 7 : match === 1;
    return { one, value: writer.object([writer.blob(name), writer.blob(version ?? ''), plain ? 0 : writer.integer(match)]) };
  });
  written.sort((left, right) => compareDependencies(left.one, right.one));
  return writer.object(written.map(({ value }) => value).filter((value, at, all) => value !== all[at - 1]));
}

/** @param {AdbWriter} writer @param {Info} info @returns {Word[]} */
function infoSlots(writer, info) {
  /** @type {Record<string, unknown>} */
  const given = { arch: 'noarch', ...info };
  const known = INFO.flatMap(([name, kind]) => (kind === 'own' ? [] : [String(name)]));
  const strange = Object.keys(given).find((field) => !known.includes(field));
  if (strange !== undefined) throw new Error(`There is no field "${strange}" that can be given; there are ${known.join(', ')}.`);
  return INFO.map(([field, kind]) => {
    const value = given[field];
    if (kind === 'own' || (value === undefined && kind !== 'name' && kind !== 'version')) return 0;
    if (kind === 'number') return writer.integer(/** @type {number} */ (value));
    if (kind === 'dependencies') return dependencies(writer, /** @type {string[]} */ (value));
    if (kind === 'words') return writer.object(/** @type {string[]} */ (value).map((one) => writer.blob(one)));
    const text = String(value ?? '');
    if (kind === 'name') return writer.blob(checkedName(text));
    if (kind === 'version') return writer.blob(checkedVersion(text));
    if (kind === 'text') return writer.blob(text);
    if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Error(`${field} is "${text}"; it is an even number of hexadecimal digits.`);
    return writer.blob(Buffer.from(text, 'hex'));
  });
}

/**
 * A folder: its entry, and what lies in it that is no folder, by name.
 * @typedef {{ path: string, entry: FolderEntry, files: [string, FileEntry | LinkEntry][] }} Folder
 */

/**
 * @param {ReadonlyMap<string, Entry>} files
 * @returns {Folder[]} sorted by the bytes of the whole path, which is not the order of a tree
 */
function foldersOf(files) {
  /** @type {Map<string, Folder>} */
  const folders = new Map();
  const folder = (/** @type {string} */ path) => {
    const known = folders.get(path);
    if (known !== undefined) return known;
    if (path !== '') folder(posix.dirname(path).replace(/^\.$/, ''));
    /** @type {Folder} */
    const made = { path, entry: { type: 'folder' }, files: [] };
    folders.set(path, made);
    return made;
  };
  folder('');
  for (const [path, entry] of files) {
    if (!path.startsWith('/') || posix.normalize(path) !== path || path.includes('\0') || (path.endsWith('/') && path !== '/')) {
      throw new Error(`"${path}" is no path of a package: absolute ones are, without //, ., .. and a slash at the end.`);
    }
    const inside = path.slice(1);
    if (entry.type === 'folder') folder(inside).entry = entry;
    else folder(posix.dirname(inside).replace(/^\.$/, '')).files.push([posix.basename(inside), entry]);
  }
  const both = [...files].find(([path, { type }]) => type !== 'folder' && folders.has(path.slice(1)));
  if (both !== undefined) throw new Error(`"${both[0]}" is a file, and there are others below it. Leave one of them out.`);
  for (const { files: inside } of folders.values()) inside.sort(([one], [other]) => byBytes(one, other));
  return [...folders.values()].sort(({ path: one }, { path: other }) => byBytes(one, other));
}

/** @param {AdbWriter} writer @param {Owned} owned @param {number} usual @returns {Word} */
const acl = (writer, { mode, user = 'root', group = 'root' }, usual) =>
  writer.object([writer.integer((mode ?? usual) & 0o7777), writer.blob(user), writer.blob(group)]);

/** @param {AdbWriter} writer @param {string} name @param {FileEntry | LinkEntry} entry @param {number | undefined} time @returns {Word} */
function file(writer, name, entry, time) {
  const when = entry.time ?? time;
  if (when === undefined) throw new Error(`"${name}" has no time of its own, nor the package one. Give either, in seconds since 1970.`);
  const link = entry.type === 'link';
  const label = writer.blob(name);
  const hash = link ? 0 : writer.blob(sha256(entry.bytes));
  const target = link ? writer.blob(Buffer.concat([LINK, Buffer.from(entry.target)])) : 0;
  const mtime = writer.integer(when);
  const size = writer.integer(link ? Buffer.byteLength(entry.target) : entry.bytes.length);
  return writer.object([label, acl(writer, entry, 0o777), size, mtime, hash, target]);
}

/**
 * @typedef {object} Options
 * @property {Compression} [compression] `deflate` unless something else is said
 * @property {readonly import('./adb-signature.mjs').SigningKey[]} [keys] who signs
 */

/** @param {string} schema @param {Buffer} adb @param {Buffer[]} data @param {Options} options */
function finished(schema, adb, data, { compression = 'deflate', keys = [] }) {
  return compress(writeAdb({ schema, adb, signatures: keys.map((key) => key.sign(schema, adb)), data }), compression);
}

/**
 * A package: the bytes of an .apk.
 * @param {Contents} contents @param {Options} [options]
 * @returns {Buffer}
 */
export function writePackage({ info, files, scripts = {}, triggers = [], replacesPriority, time }, options = {}) {
  const writer = new AdbWriter();
  const about = infoSlots(writer, info);
  const priority = replacesPriority === undefined ? 0 : writer.integer(replacesPriority);
  const folders = files === undefined ? [] : foldersOf(files);
  const paths = folders.map(({ path, entry, files: inside }) => {
    const all = inside.map(([name, one]) => file(writer, name, one, time));
    const name = writer.blob(path);
    const owned = acl(writer, entry, 0o755);
    return writer.object([name, owned, writer.object(all)]);
  });

  for (const [moment, text] of Object.entries(scripts)) {
    if (!MOMENTS.some((one) => one === moment)) throw new Error(`apk runs nothing at "${moment}"; it does at ${MOMENTS.join(', ')}.`);
    if (!text.startsWith('#!')) throw new Error(`The script "${moment}" begins with "${text.slice(0, 20)}" and not with #!`);
  }
  const regular = folders
    .flatMap(({ files: inside }) => inside)
    .flatMap(([, entry]) => (entry.type === 'link' ? [] : [entry.bytes.length]));
  const installed = regular.reduce((sum, size) => sum + size, 0);
  const something = folders.length > 0 || Object.keys(scripts).length > 0;
  about[INSTALLED ?? 0] = writer.integer(installed === 0 && something ? 1 : installed);
  const { value, place } = writer.ownBlob(Buffer.alloc(20));
  about[HASHES ?? 0] = value;

  const head = writer.object(about);
  const tree = writer.object(paths);
  const texts = MOMENTS.map((moment) => writer.blob(scripts[moment] ?? ''));
  const run = writer.object(texts);
  const watched = writer.object(triggers.map((one) => writer.blob(one)));
  const adb = writer.finish(writer.object([head, tree, run, watched, priority]));
  // By this apk tells one build from another of the same version; it is the sum of all that stands here, with zeros in its place.
  sha256(adb).copy(adb, place, 0, 20);

  const data = folders.flatMap(({ files: inside }, folder) =>
    inside.flatMap(([, entry], at) => {
      if (entry.type === 'link' || entry.bytes.length === 0) return [];
      const head = Buffer.alloc(8);
      head.writeUInt32LE(folder + 1);
      head.writeUInt32LE(at + 1, 4);
      return [Buffer.concat([head, entry.bytes])];
    }),
  );
  return finished('pckg', adb, data, options);
}

/**
 * An index: what makes a folder a feed. apk looks for `name-version.apk` beside it.
 * @param {readonly Buffer[]} packages .apk files, as they lie there. Their order decides the bytes, not what the index says
 * @param {Options & { description?: string, pkgnameSpec?: string }} [options] `pkgnameSpec`: how the files are called, where it is
 *   not `${name}-${version}.apk`
 * @returns {Buffer}
 */
export function writeIndex(packages, { description = '', pkgnameSpec = '', ...options } = {}) {
  const writer = new AdbWriter();
  const entries = packages.map((bytes) => {
    const { schema, adb } = readAdb(decompress(bytes).bytes);
    if (schema !== 'pckg') throw new Error(`A file of the schema "${schema}" is no package ("pckg"), and has no place in an index.`);
    const from = new AdbReader(adb);
    const own = from.slots(from.slots(from.root)[0] ?? 0);
    const [name, version] = [from.text(own[0] ?? 0), from.text(own[1] ?? 0)];
    const slots = INFO.map((_, at) => writer.copy(from, own[at] ?? 0));
    slots[SIZE ?? 0] = writer.integer(bytes.length);
    slots[HASHES ?? 0] = writer.blob(sha256(adb));
    return { name, version, value: writer.object(slots) };
  });
  entries.sort((one, other) => byBytes(one.name, other.name) || compareVersions(one.version, other.version));
  const twice = entries.find(({ name, version }, at) => {
    const before = entries[at - 1];
    return before?.name === name && compareVersions(before.version, version) === 0;
  });
  if (twice !== undefined) throw new Error(`The index was to hold ${twice.name} ${twice.version} twice. Leave one of the two files out.`);
  const said = writer.blob(description);
  const spec = writer.blob(pkgnameSpec);
  const all = writer.object(entries.map(({ value }) => value));
  return finished('indx', writer.finish(writer.object([said, all, spec])), [], options);
}
