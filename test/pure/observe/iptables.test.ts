import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reading } from '../../../src/host/host.ts';
import type { NftFacts } from '../../../src/observe/facts.ts';
import { observeIptables } from '../../../src/observe/iptables.ts';
import { recorded } from './recording.ts';

const SAVED = readFileSync('test/fixtures/iptables/iptables-nft-save.txt', 'utf8');
const NAMES = { '/proc/net/ip_tables_names': 'raw\n' };

function nft(foreign: boolean): Promise<Reading<NftFacts>> {
  const value: NftFacts = {
    version: null,
    helpers: [],
    assignments: [],
    timeouts: 0,
    sources: [],
    foreign,
    chains: [],
    tables: [],
    present: [],
  };
  return Promise.resolve({ state: 'present', value, source: 'nft -j -t list ruleset' });
}

/** The save commands that gave a reading on a machine that has all of them. */
async function asked(files: Record<string, string>, rules: Promise<Reading<NftFacts>>, wanted: string[] = []): Promise<string[]> {
  const commands = Object.fromEntries(
    ['iptables', 'ip6tables'].flatMap((family) => ['legacy', 'nft'].map((flavour) => [`${family}-${flavour}-save`, SAVED])),
  );
  return (await observeIptables(recorded({ files, commands }), rules, wanted)).map(({ source }) => source).sort();
}

const iptables = suite('which of iptables is asked');

iptables('nothing, where neither the kernel nor nftables holds a rule of its', async () => {
  assert.equal(await asked({}, nft(false)), []);
  assert.equal(await asked({ '/proc/net/ip_tables_names': '' }, nft(false)), []);
});

iptables('the legacy flavour of a family whose tables the kernel lists', async () => {
  assert.equal(await asked(NAMES, nft(false)), ['iptables-legacy-save']);
});

iptables('the nft flavour, where nftables shows rules that nft does not understand', async () => {
  assert.equal(await asked({}, nft(true)), ['ip6tables-nft-save', 'iptables-nft-save']);
});

iptables('the nft flavour, where nftables could not be read', async () => {
  assert.equal(await asked({}, Promise.resolve({ state: 'absent', source: 'nft' })), ['ip6tables-nft-save', 'iptables-nft-save']);
});

iptables('whatever something was taken from, for it is to be given back there', async () => {
  assert.equal(await asked({}, nft(false), ['ip6tables-legacy-save']), ['ip6tables-legacy-save']);
});

iptables('the one command there is, where it has no flavours', async () => {
  const host = recorded({ files: NAMES, commands: { 'iptables-save': SAVED } });
  const [reading] = await observeIptables(host, nft(false), []);
  assert.is(reading?.state === 'present' && reading.value.restore, 'iptables-restore');
});

iptables.run();
