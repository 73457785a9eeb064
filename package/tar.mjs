// Archives as GNU tar writes them with --format=gnu --numeric-owner --sort=name --owner=0 --group=0, byte for byte: what
// OpenWrt's ipkg-build makes packages of, on any machine, and the same bytes every time.
const BLOCK = 512;
/** Archives are filled up to records of twenty blocks. */
const RECORD = 20 * BLOCK;
const TYPES = { file: '0', directory: '5' };

/**
 * @typedef {object} Entry
 * @property {string} path `./etc/config/x`; a directory's ends with a slash
 * @property {keyof typeof TYPES} type
 * @property {number} mode permission bits
 * @property {Buffer} [bytes] of a file
 */

/** A number as an octal field: digits, then a NUL. @param {number} value @param {number} width */
const octal = (value, width) => value.toString(8).padStart(width - 1, '0') + '\0';

/** @param {Entry} entry @param {number} time seconds since the epoch */
function header({ path, type, mode, bytes = Buffer.alloc(0) }, time) {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(path) > 99)
    throw new Error(`The path "${path}" is longer than 99 bytes, and there is no need for one that long on a router.`);
  block.write(path, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108); // root
  block.write(octal(0, 8), 116);
  block.write(octal(bytes.length, 12), 124);
  block.write(octal(time, 12), 136);
  block.write(' '.repeat(8), 148); // the sum is made with blanks in its own place
  block.write(TYPES[type], 156);
  block.write('ustar  \0', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(octal(sum, 7) + ' ', 148);
  return block;
}

/** @param {number} length */
const rest = (length, unit = BLOCK) => Buffer.alloc((unit - (length % unit)) % unit);

/**
 * @param {readonly Entry[]} entries in the order they are to stand
 * @param {number} time seconds since the epoch, of all of them
 * @returns {Buffer}
 */
export function tar(entries, time) {
  const parts = entries.flatMap((entry) => {
    const { bytes = Buffer.alloc(0) } = entry;
    return [header(entry, time), bytes, rest(bytes.length)];
  });
  const body = Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
  return Buffer.concat([body, rest(body.length, RECORD)]);
}

/**
 * Files with the directories above them, sorted as tar sorts them: each directory's members by name.
 * @param {ReadonlyMap<string, { bytes: Buffer, mode: number }>} files by absolute path
 * @returns {Entry[]}
 */
export function tree(files) {
  /** @type {Map<string, Entry>} */
  const entries = new Map([['/', { path: './', type: 'directory', mode: 0o755 }]]);
  for (const [path, { bytes, mode }] of files) {
    for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at + 1);
      entries.set(folder, { path: '.' + folder, type: 'directory', mode: 0o755 });
    }
    entries.set(path, { path: '.' + path, type: 'file', mode, bytes });
  }
  // Byte order of the parts of a path, and a folder before what is in it: no part holds a byte below the slash's stand-in.
  const key = (/** @type {string} */ path) => path.replaceAll('/', '\x01');
  return [...entries.values()].sort((one, other) => (key(one.path) < key(other.path) ? -1 : 1));
}
