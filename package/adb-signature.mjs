// Signatures of apk-tools 3 (doc/apk-v3.5.scd; src/adb.c, src/trust.c there; 3.0.6): one SIG block for each key. apk looks
// for the public keys, as PEM, among the files of /etc/apk/keys, and knows them by what they are, not by their names.
import { createHash, createPrivateKey, createPublicKey, sign as signBytes, verify as verifyBytes } from 'node:crypto';

/** @typedef {import('node:crypto').KeyObject} KeyObject */

const sha512 = (/** @type {Uint8Array} */ bytes) => createHash('sha512').update(bytes).digest();
/** Before the key's id: version 0, and the number apk has for SHA-512. */
const HEAD = Buffer.from([0, 4]);
const ID = 16;

const MAKE_ONE = '`openssl ecparam -genkey -name prime256v1 -noout` makes one.';

/**
 * The public key without its wrapping: the point of an EC key, PKCS #1 of an RSA key. Throws where it is of another kind.
 * @param {KeyObject} key
 */
function bareKey(key) {
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') {
    const { x = '', y = '' } = key.export({ format: 'jwk' });
    return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType === 'rsa' && bits >= 2048) return key.export({ format: 'der', type: 'pkcs1' });
  const is = [key.asymmetricKeyType, namedCurve ?? (bits === 0 ? '' : `of ${bits} bits`)].join(' ').trim();
  throw new Error(`The key is "${is}"; EC keys on prime256v1 (P-256) and RSA keys of at least 2048 bits can sign. ${MAKE_ONE}`);
}

/** What a key is known by. @param {KeyObject} publicKey @returns {Buffer} 16 bytes */
export const keyId = (publicKey) => sha512(bareKey(publicKey)).subarray(0, ID);

/**
 * What is signed: the schema, the head with the key's id, and the sum of the values.
 * @param {string} schema @param {Buffer} head @param {Buffer} adb
 */
const signed = (schema, head, adb) => Buffer.concat([Buffer.from(schema, 'latin1'), head, sha512(adb)]);

/**
 * A key that signs.
 * @typedef {object} SigningKey
 * @property {KeyObject} publicKey
 * @property {string} publicPem for /etc/apk/keys
 * @property {(schema: string, adb: Buffer) => Buffer} sign a SIG block's payload: by an EC key another each time, by an RSA key the same
 */

/**
 * @param {string | Buffer} pem a private key without a passphrase
 * @returns {SigningKey}
 */
export function signingKey(pem) {
  let key;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    throw new Error(`That is no private key in PEM without a passphrase (${because}). ${MAKE_ONE}`, { cause: error });
  }
  const publicKey = createPublicKey(key);
  const head = Buffer.concat([HEAD, keyId(publicKey)]);
  return {
    publicKey,
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign: (schema, adb) => Buffer.concat([head, signBytes('sha512', signed(schema, head, adb), key)]),
  };
}

/**
 * Whether one of the signatures is of this key and right, as apk asks it before it trusts a file.
 * @param {import('./adb.mjs').AdbFile} file @param {KeyObject | string | Buffer} key the public key, or its PEM
 */
export function isSignedBy({ schema, adb, signatures }, key) {
  const publicKey = typeof key === 'string' || Buffer.isBuffer(key) ? createPublicKey(key) : key;
  const head = Buffer.concat([HEAD, keyId(publicKey)]);
  return signatures.some(
    (one) =>
      one.subarray(0, head.length).equals(head) && verifyBytes('sha512', signed(schema, head, adb), publicKey, one.subarray(head.length)),
  );
}
