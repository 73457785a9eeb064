/** Which files Node's door takes for a certificate at all; what is in them is held in test/engines/doors/tls.test.ts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificate } from '../../../src/engines/node/certificate.ts';

const files = suite('the files of a certificate');

files('are regular ones of a size that such files have: any path may be named, and the daemon is not held up by it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sipalg-certificate-'));
  try {
    const big = join(folder, 'big');
    writeFileSync(big, '');
    truncateSync(big, 2 ** 33);
    const because = async (cert: string): Promise<string> => {
      const read = await certificate({ cert, key: cert, named: true });
      return read.state === 'failed' ? read.because.replace(folder, '') : read.state;
    };
    assert.is(await because('/dev/null'), '/dev/null is no regular file');
    assert.is(await because(big), '/big holds more than 262144 bytes');
    assert.is(await because(folder), ' could not be read: it is a directory (EISDIR)');
    assert.is(await because(join(folder, 'none')), '/none is not there');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

files.run();
