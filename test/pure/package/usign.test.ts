/** Signatures for opkg: the bytes of usign's files, and what they prove. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHash, createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { saying } from '../../saying.ts';
import { packer } from './made.ts';

interface UsignKey {
  number: string;
  publicFile: string;
  sign(bytes: Buffer): string;
}

const usign = suite<{ usignKey: (given: string | Buffer) => UsignKey }>("usign's files");

usign.before(async (context) => {
  ({ usignKey: context.usignKey } = await packer<{ usignKey: (given: string | Buffer) => UsignKey }>('usign'));
});

/** A file's comment and what its base64 holds. */
function opened(text: string): { comment: string; bytes: Buffer } {
  const [, comment = '', base64 = ''] = /^untrusted comment: (.*)\n([A-Za-z0-9+/]+=*)\n$/.exec(text) ?? [];
  return { comment, bytes: Buffer.from(base64, 'base64') };
}

// RFC 8032 section 7.1, TEST 2: seed, public key, the message 72, its signature.
const SEED = Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex');
const PUBLIC = Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex');
const SIGNED =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
const NUMBER = Buffer.from('00a1b2c3d4e5f607', 'hex');

/** A secret key's file as usign -G writes it, field by field (main.c, struct seckey). */
function secretFile(seed = SEED, publicKey = PUBLIC, { rounds = 0, algorithm = 'Ed', sum = true } = {}): string {
  const pair = Buffer.concat([seed, publicKey]);
  const kdfrounds = Buffer.alloc(4);
  kdfrounds.writeUInt32BE(rounds);
  const checksum = sum ? createHash('sha512').update(pair).digest().subarray(0, 8) : Buffer.alloc(8);
  const bytes = Buffer.concat([Buffer.from(`${algorithm}BK`), kdfrounds, Buffer.alloc(16, 7), checksum, NUMBER, pair]);
  assert.is(bytes.length, 104);
  return `untrusted comment: public key a1b2c3d4e5f607\n${bytes.toString('base64')}\n`;
}

const pemOf = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();

usign("are what usign's are of the same key, byte for byte", ({ usignKey }) => {
  const key = usignKey(secretFile());
  assert.is(key.number, '00a1b2c3d4e5f607');
  const { comment, bytes } = opened(key.sign(Buffer.from([0x72])));
  assert.equal(
    [comment, bytes.toString('hex')],
    ['signed by key 00a1b2c3d4e5f607', Buffer.concat([Buffer.from('Ed'), NUMBER]).toString('hex') + SIGNED],
  );
  const shown = opened(key.publicFile);
  assert.equal(
    [shown.comment, shown.bytes.toString('hex')],
    ['public key 00a1b2c3d4e5f607', Buffer.concat([Buffer.from('Ed'), NUMBER, PUBLIC]).toString('hex')],
  );
  assert.is(usignKey(secretFile().replaceAll('\n', '\r\n')).publicFile, key.publicFile);
});

usign('of a key in PEM hold a number made of it, the same each time, and prove the file and nothing else', ({ usignKey }) => {
  const numbers = new Set<string>();
  for (let round = 0; round < 20; round++) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const key = usignKey(pemOf(privateKey));
    numbers.add(key.number);
    assert.match(key.number, /^[1-9a-f][0-9a-f]{15}$/, 'usign of some versions leaves leading zeros out');
    assert.is(key.publicFile, usignKey(Buffer.from(pemOf(privateKey))).publicFile);
    const text = Buffer.from('Package: sipalg\n');
    const [signature, shown] = [opened(key.sign(text)).bytes, opened(key.publicFile).bytes];
    assert.equal([signature.length, shown.length], [74, 42]);
    for (const bytes of [signature, shown]) assert.is(bytes.subarray(0, 10).toString('hex'), `4564${key.number}`);
    const wrapped = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: shown.subarray(10).toString('base64url') }, format: 'jwk' });
    assert.ok(wrapped.equals(publicKey));
    assert.ok(verify(null, text, wrapped, signature.subarray(10)));
    assert.not.ok(verify(null, Buffer.concat([text, Buffer.from('\n')]), wrapped, signature.subarray(10)));
  }
  assert.is(numbers.size, 20);
});

usign('are refused as keys where they cannot sign, with what to do', ({ usignKey }) => {
  const refused = (given: string): (() => void) => () => void usignKey(given);
  assert.throws(refused(secretFile(SEED, PUBLIC, { rounds: 42 })), saying('behind a passphrase, which usign knows none of'));
  assert.throws(refused(secretFile(SEED, PUBLIC, { sum: false })), saying('That secret key is damaged'));
  assert.throws(refused(secretFile(SEED, Buffer.alloc(32, 1))), saying('That secret key is damaged'));
  assert.throws(refused(secretFile(SEED, PUBLIC, { algorithm: 'RS' })), saying('but no secret key'));
  assert.throws(refused(usignKey(secretFile()).publicFile), saying('no secret key: it holds 42 bytes, and a secret key has 104'));
  const other = pemOf(generateKeyPairSync('ed448').privateKey);
  assert.throws(refused(other), saying('The key is "ed448"; opkg\'s indexes are signed with Ed25519'));
  assert.throws(refused('text'), saying("neither a secret key of usign's nor a private key in PEM"));
});

usign.run();
