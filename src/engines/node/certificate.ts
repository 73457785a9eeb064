/**
 * Certificate and key of a TLS server, from files. uhttpd's are DER where px5g made them and a mixture where openssl did (its
 * init script, generate_keys: `px5g selfsigned -der`, `openssl req -outform der`, whose key is PEM all the same), RSA or EC.
 */
import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { inWords, isMissing } from '../../host/errno.ts';
import type { Certificate, CertificatePaths } from '../../http/certificate.ts';

const MOST = 1 << 18;

/** `because`: why there are no bytes, naming the file. */
function bytesOf(path: string): { bytes: Buffer } | { missing: boolean; because: string } {
  try {
    // The configuration names any path: a pipe would be waited for without end, and a device or a large file read into memory.
    const found = statSync(path);
    if (!found.isFile() && !found.isDirectory()) return { missing: false, because: `${path} is no regular file` };
    const bytes = found.size > MOST ? null : readFileSync(path);
    if (bytes?.length === 0) return { missing: false, because: `${path} is empty` };
    return bytes === null || bytes.length > MOST ? { missing: false, because: `${path} holds more than ${MOST} bytes` } : { bytes };
  } catch (error) {
    return isMissing(error)
      ? { missing: true, because: `${path} is not there` }
      : { missing: false, because: `${path} could not be read: ${inWords(error)}` };
  }
}

const isPem = (bytes: Buffer): boolean => bytes.includes('-----BEGIN ');

const pemOf = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

type Crypto = Pick<typeof import('node:crypto'), 'createPrivateKey'>;

/** The forms of a key in DER: PKCS#1 (RSA) and SEC 1 (EC), which mbedTLS writes, and PKCS#8. */
function keyOf(bytes: Buffer, { createPrivateKey }: Crypto): KeyObject | null {
  const forms = isPem(bytes)
    ? [{ key: bytes }]
    : (['pkcs8', 'pkcs1', 'sec1'] as const).map((type) => ({ key: bytes, format: 'der' as const, type }));
  for (const form of forms) {
    try {
      return createPrivateKey(form);
    } catch {
      // Another form, or none.
    }
  }
  return null;
}

export async function certificate({ cert, key, named }: CertificatePaths): Promise<Certificate> {
  const [one, other] = [bytesOf(cert), bytesOf(key)];
  if (!named && 'missing' in one && one.missing && 'missing' in other && other.missing) return { state: 'absent' };
  if ('because' in one) return { state: 'failed', because: one.because };
  if ('because' in other) return { state: 'failed', because: other.because };
  const [certBytes, keyBytes] = [one.bytes, other.bytes];
  const crypto = await import('node:crypto');
  const secret = keyOf(keyBytes, crypto);
  if (secret === null) return { state: 'failed', because: `${key} holds no private key that can be read without a passphrase` };
  const pair = {
    cert: isPem(certBytes) ? certBytes.toString() : pemOf(certBytes),
    key: secret.export({ format: 'pem', type: 'pkcs8' }) as string,
  };
  try {
    const own = new crypto.X509Certificate(certBytes);
    if (!own.checkPrivateKey(secret)) return { state: 'failed', because: `the key ${key} does not belong to the certificate ${cert}` };
    // What OpenSSL's own rules refuse, such as a key of 512 bits, is known now and not at the first handshake.
    (await import('node:tls')).createSecureContext(pair);
  } catch (error) {
    return { state: 'failed', because: `${cert} is no certificate that a TLS server can use (${(error as Error).message})` };
  }
  return { state: 'present', pair, mark: createHash('sha256').update(certBytes).update(keyBytes).digest('hex') };
}
