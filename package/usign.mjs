// Signatures as OpenWrt's usign makes and opkg checks them (usign main.c: struct seckey, pubkey, sig; OpenBSD's signify has
// the same): two lines, an untrusted comment and base64 of `Ed`, the key's number and Ed25519 (RFC 8032) over the whole file.
// opkg looks for the key in /etc/opkg/keys by its number, in hex, as the file's name; `opkg-key add` gives it that name.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';

/** @typedef {import('node:crypto').KeyObject} KeyObject */

const ED = Buffer.from('Ed');
/** Bytes of a key's number, of a seed and of a public key. */
const NUMBER = 8;
const SEED = 32;
/** struct seckey: pkalg, kdfalg, kdfrounds, salt, checksum, fingerprint, seckey (seed and public key). */
const SECRET = { rounds: 4, salt: 8, checksum: 24, number: 32, seed: 40, length: 104 };
/** What Ed25519's seed (RFC 8410 section 7) and public key (section 4) are wrapped in as DER. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

const MAKE_ONE = '`usign -G -s FILE -p FILE.pub` makes one, and so does `openssl genpkey -algorithm ed25519 -out FILE`.';

/** A file of usign's. @param {string} comment @param {Buffer[]} parts */
const file = (comment, ...parts) => `untrusted comment: ${comment}\n${Buffer.concat(parts).toString('base64')}\n`;

/** @param {KeyObject} key a public one @returns {Buffer} 32 bytes */
const bare = (key) => key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length);

/**
 * A number for a key that has none, always the same. Not 0 in front: usign prints numbers without leading zeros, in some versions.
 * @param {Buffer} publicKey
 */
function numberOf(publicKey) {
  const number = Buffer.from(createHash('sha512').update(publicKey).digest().subarray(0, NUMBER));
  number.writeUInt8(number.readUInt8(0) | 0x10, 0);
  return number;
}

/**
 * A secret key's file, as usign and signify write it: undefined where it is none.
 * @param {string} text
 * @returns {{ number: Buffer, key: KeyObject } | undefined}
 */
function secretOf(text) {
  const [, base64] = /^untrusted comment: .*\r?\n([A-Za-z0-9+/]+=*)\r?\n?$/.exec(text) ?? [];
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== SECRET.length || !bytes.subarray(0, ED.length).equals(ED))
    throw new Error(`That is a file of usign's, but no secret key: it holds ${bytes.length} bytes, and a secret key has ${SECRET.length}.`);
  if (bytes.readUInt32BE(SECRET.rounds) !== 0)
    throw new Error(`That secret key is behind a passphrase, which usign knows none of. ${MAKE_ONE}`);
  const pair = bytes.subarray(SECRET.seed);
  const sum = createHash('sha512').update(pair).digest();
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, pair.subarray(0, SEED)]), format: 'der', type: 'pkcs8' });
  const isWhole =
    sum.subarray(0, SECRET.number - SECRET.checksum).equals(bytes.subarray(SECRET.checksum, SECRET.number))
    && bare(createPublicKey(key)).equals(pair.subarray(SEED));
  if (!isWhole) throw new Error('That secret key is damaged: its sum, or its public key, is not the one that belongs to it.');
  return { number: bytes.subarray(SECRET.number, SECRET.seed), key };
}

/**
 * A key that signs indexes for opkg.
 * @typedef {object} UsignKey
 * @property {string} number in hex: what its file is called in /etc/opkg/keys
 * @property {string} publicFile for `opkg-key add`
 * @property {(bytes: Buffer) => string} sign the text of FILE.sig; the same each time
 */

/**
 * @param {string | Buffer} given a secret key's file of usign's, or an Ed25519 private key in PEM
 * @returns {UsignKey}
 */
export function usignKey(given) {
  const secret = secretOf(given.toString()) ?? { key: fromPem(given), number: undefined };
  const publicKey = bare(createPublicKey(secret.key));
  const number = secret.number ?? numberOf(publicKey);
  const hex = number.toString('hex');
  return {
    number: hex,
    publicFile: file(`public key ${hex}`, ED, number, publicKey),
    sign: (bytes) => file(`signed by key ${hex}`, ED, number, sign(null, bytes, secret.key)),
  };
}

/** @param {string | Buffer} pem */
function fromPem(pem) {
  let key;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    throw new Error(`That is neither a secret key of usign's nor a private key in PEM without a passphrase (${because}). ${MAKE_ONE}`, {
      cause: error,
    });
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`The key is "${key.asymmetricKeyType}"; opkg's indexes are signed with Ed25519. ${MAKE_ONE}`);
  return key;
}
