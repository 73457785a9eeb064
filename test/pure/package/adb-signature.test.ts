/** Signatures of apk-tools 3: those it made itself, and ours. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHash, createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { saying } from '../../saying.ts';
import { library, type Library, type SigningKey } from './apk-library.ts';

const fixture = (name: string): Buffer => readFileSync(`test/fixtures/apk/${name}`);
const pem = (type: 'pkcs8' | 'sec1' | 'pkcs1', key: KeyObject): string =>
  key.export({ format: 'pem', type } as { format: 'pem'; type: 'pkcs8' }).toString();

const signature = suite<{ lib: Library; keys: Record<string, SigningKey> }>('a signature');

signature.before(async (context) => {
  context.lib = await library();
  context.keys = {
    ec: context.lib.signingKey(pem('sec1', generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey)),
    rsa: context.lib.signingKey(pem('pkcs1', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)),
  };
});

signature("by apk itself is known, of either kind of key, and nobody else's is", ({ lib, keys }) => {
  const { file, packages } = lib.readIndex(fixture('packages-signed.adb'));
  assert.is(file.signatures.length, 2);
  for (const name of ['signer-ec.pem', 'signer-rsa.pem']) assert.ok(lib.isSignedBy(file, fixture(name).toString()), name);
  for (const key of Object.values(keys)) assert.not.ok(lib.isSignedBy(file, key.publicPem));
  assert.equal(packages, lib.readIndex(fixture('packages.adb')).packages);
  assert.not.ok(lib.isSignedBy(lib.readIndex(fixture('packages.adb')).file, fixture('signer-ec.pem').toString()), 'without a signature');
});

signature("of ours is what apk looks for: the key's id, and SHA-512 of schema, head and the sum of the values", ({ lib, keys }) => {
  for (const [kind, key] of Object.entries(keys)) {
    const { file } = lib.readPackage(lib.writePackage({ info: { name: 'a', version: '1' } }, { keys: [key] }));
    const [block = Buffer.alloc(0), ...more] = file.signatures;
    assert.is(more.length, 0);
    assert.equal([...block.subarray(0, 2)], [0, 4]);
    const publicKey = createPublicKey(key.publicPem);
    // The end of an EC key's wrapping is its point; RSA's bare form is PKCS #1.
    const bare =
      kind === 'ec' ? publicKey.export({ format: 'der', type: 'spki' }).subarray(-65) : publicKey.export({ format: 'der', type: 'pkcs1' });
    assert.ok(block.subarray(2, 18).equals(createHash('sha512').update(bare).digest().subarray(0, 16)));
    const signed = Buffer.concat([Buffer.from('pckg'), block.subarray(0, 18), createHash('sha512').update(file.adb).digest()]);
    assert.ok(verify('sha512', signed, publicKey, block.subarray(18)), kind);
  }
});

signature('does not outlive the change of any byte', ({ lib, keys }) => {
  const one = { info: { name: 'a', version: '1' }, files: new Map([['/etc/a', { bytes: Buffer.from('text'), mode: 0o644 }]]), time: 1 };
  for (const [kind, key] of Object.entries(keys)) {
    const whole = lib.writePackage(one, { compression: 'none', keys: [key] });
    const feed = lib.writeIndex([whole], { compression: 'none', keys: [key] });
    const trusted = {
      package: (bytes: Buffer) => lib.isSignedBy(lib.readPackage(bytes).file, key.publicKey),
      index: (bytes: Buffer) => lib.isSignedBy(lib.readIndex(bytes).file, key.publicKey),
    };
    for (const [what, bytes] of [
      ['package', whole],
      ['index', feed],
    ] as const) {
      assert.ok(trusted[what](bytes));
      let refused = 0;
      for (let at = 0; at < bytes.length; at++) {
        const other = Buffer.from(bytes);
        other[at] = (other[at] ?? 0) ^ (1 << (at % 8));
        let stands = false;
        try {
          stands = trusted[what](other);
        } catch (error) {
          assert.instance(error, Error);
          refused++;
        }
        assert.not.ok(stands, `${kind}: byte ${at} of the ${what}`);
      }
      assert.ok(refused > 0 && refused < bytes.length);
    }
  }
});

signature('of one schema is none of another', ({ lib, keys }) => {
  const { file } = lib.readIndex(lib.writeIndex([], { keys: [keys['ec']!] }));
  assert.ok(lib.isSignedBy(file, keys['ec']!.publicKey));
  assert.not.ok(lib.isSignedBy({ ...file, schema: 'pckg' }, keys['ec']!.publicKey));
});

signature('by an RSA key is the same each time; by an EC key it is not, and what is signed still is', ({ lib, keys }) => {
  const made = (key: SigningKey): Buffer => lib.writePackage({ info: { name: 'a', version: '1' } }, { compression: 'none', keys: [key] });
  assert.ok(made(keys['rsa']!).equals(made(keys['rsa']!)));
  const [one, other] = [made(keys['ec']!), made(keys['ec']!)];
  assert.not.ok(one.equals(other));
  assert.ok(lib.readPackage(one).file.adb.equals(lib.readPackage(other).file.adb));
});

signature('may be several', ({ lib, keys }) => {
  const { file } = lib.readPackage(lib.writePackage({ info: { name: 'a', version: '1' } }, { keys: Object.values(keys) }));
  assert.is(file.signatures.length, 2);
  for (const key of Object.values(keys)) assert.ok(lib.isSignedBy(file, key.publicPem));
});

signature('is made by no key that apk on OpenWrt would not take', ({ lib }) => {
  const made = (key: KeyObject) => () => lib.signingKey(pem('pkcs8', key));
  assert.throws(
    made(generateKeyPairSync('ed25519').privateKey),
    saying('The key is "ed25519"; EC keys on prime256v1 (P-256) and RSA keys of at least 2048 bits can sign.'),
  );
  assert.throws(made(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey), saying('The key is "ec secp384r1"'));
  assert.throws(made(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), saying('The key is "rsa of 1024 bits"'));
  const locked = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  });
  for (const text of ['', 'no key', fixture('signer-ec.pem'), locked]) {
    assert.throws(() => lib.signingKey(text), saying('That is no private key in PEM without a passphrase ('));
  }
});

signature.run();
