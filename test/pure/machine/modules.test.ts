import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bare } from '../../machine/qemu/kernels.ts';

const test = suite('a module for the machine');

// Names of sections as a linker writes them, between other bytes.
const CODE = Buffer.from('\x7fELF code \0depends=nf_conntrack\0 .BTF');
const names = (of: string): Buffer => Buffer.from(`\0.text\0.BTF${of}\0.modinfo\0`);
const SIGNATURE = Buffer.alloc(300, 7);

/** Signed as scripts/sign-file.c does: signature, 8 bytes about it, its length, and the words. */
function signed(module: Buffer): Buffer {
  const about = Buffer.alloc(12);
  about[2] = 2; // PKCS#7
  about.writeUInt32BE(SIGNATURE.length, 8);
  return Buffer.concat([module, SIGNATURE, about, Buffer.from('~Module signature appended~\n')]);
}

test('has neither signature nor types, and every other byte of it stands where it stood', () => {
  const module = Buffer.concat([CODE, names('')]);
  const plain = Buffer.concat([CODE, Buffer.from('\0.text\0.XTF\0.modinfo\0')]);
  assert.equal(bare(signed(module)), plain);
  assert.equal(bare(module), plain);
  assert.equal(module, Buffer.concat([CODE, names('')]), 'what was given is left as it was');
});

test('keeps a section whose name only begins like it, and is the same where there was nothing to take', () => {
  const module = Buffer.concat([CODE, names('_ids')]);
  assert.equal(bare(module), module);
  assert.equal(bare(bare(signed(module))), module);
  assert.equal(bare(Buffer.from('short')), Buffer.from('short'));
});

test.run();
