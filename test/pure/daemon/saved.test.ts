/** What follows a Save on the page's own form, with procd and without. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createSaved } from '../../../src/daemon/saved.ts';
import type { SavedOptions } from '../../../src/daemon/saved.ts';
import type { Reading } from '../../../src/host/host.ts';
import { later, settle } from './hand.ts';

const source = '/etc/config/sipalg';
const wishing = (alg: string): Reading<string> => ({ state: 'present', source, value: `config sipalg 'main'\n\toption alg '${alg}'\n` });
const noProcd = (): Promise<never> => Promise.reject(new Error('there is no object service'));

function daemon(otherwise: Partial<SavedOptions> & { file?: () => Reading<string> } = {}) {
  const did: string[] = [];
  const { file = () => wishing('disabled'), ...options } = otherwise;
  const saved = createSaved({
    host: { read: async () => file() },
    tell: async () => did.push('told procd'),
    again: async () => void did.push('read again'),
    async apply(towards) {
      did.push(`applied ${towards}`);
      return { outcome: 'reached', because: [] };
    },
    look: () => did.push('looked'),
    say: (line, level) => did.push(`${level}: ${line}`),
    ...options,
  });
  return { did, saved };
}

const saves = suite('a Save');

saves("is procd's business where there is one, which has the init scripts do it", async () => {
  const { did, saved } = daemon();
  await saved.written();
  assert.equal(did, ['told procd', 'looked']);
});

saves('is put in force by the daemon itself where there is no procd', async () => {
  for (const alg of ['disabled', 'enabled', 'unmanaged']) {
    const { did, saved } = daemon({ tell: noProcd, file: () => wishing(alg) });
    await saved.written();
    assert.equal(did, ['read again', `applied ${alg}`, 'looked']);
  }
});

saves('is no wish where the file cannot be read, and says so', async () => {
  const { did, saved } = daemon({ tell: noProcd, file: () => ({ state: 'failed', source, because: 'input/output error' }) });
  await saved.written();
  assert.equal(did, [
    'read again',
    'error: /etc/config/sipalg could not be read: input/output error; nothing was put in force.',
    'looked',
  ]);
});

saves('that does not come to its end says why, and the next one is made all the same', async () => {
  const said = async (otherwise: Partial<SavedOptions>): Promise<string[]> => {
    const { did, saved } = daemon({ tell: noProcd, ...otherwise });
    await saved.written();
    return did;
  };
  assert.equal(await said({ apply: async () => ({ outcome: 'failed', because: ['nft failed.', 'It was taken back.'] }) }), [
    'read again',
    'error: nft failed. It was taken back.',
    'looked',
  ]);
  assert.equal(await said({ again: () => Promise.reject(new Error('The page cannot be served.')) }), [
    'error: The page cannot be served.',
    'looked',
  ]);
  let runs = 0;
  const { did, saved } = daemon({
    tell: noProcd,
    apply: () => ((runs += 1) === 1 ? Promise.reject(new Error('It is locked.')) : Promise.resolve({ outcome: 'reached', because: [] })),
  });
  await Promise.all([saved.written(), saved.written()]);
  assert.equal([runs, did], [2, ['read again', 'error: It is locked.', 'looked', 'read again', 'looked']]);
});

saves('waits for the one before, finds the file as it is by then, and is waited for by who ends', async () => {
  let alg = 'disabled';
  const first = later<{ outcome: 'reached'; because: string[] }>();
  const applied: string[] = [];
  const { saved } = daemon({
    tell: noProcd,
    file: () => wishing(alg),
    apply: (towards) => (applied.push(towards) === 1 ? first.promise : Promise.resolve({ outcome: 'reached', because: [] })),
  });
  void saved.written();
  await settle();
  alg = 'enabled';
  void saved.written();
  let ended = false;
  void saved.settled().then(() => (ended = true));
  await settle();
  assert.equal([applied, ended], [['disabled'], false]);
  first.resolve({ outcome: 'reached', because: [] });
  await settle();
  assert.equal([applied, ended], [['disabled', 'enabled'], true]);
});

saves.run();
