import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reading } from '../../../src/host/host.ts';
import type { NftFacts } from '../../../src/observe/facts.ts';
import { observeIptables } from '../../../src/observe/iptables.ts';
import { recorded } from './recording.ts';

const SAVED = readFileSync('test/fixtures/iptables/iptables-nft-save.txt', 'utf8');
const LEGACY = readFileSync('test/fixtures/iptables/iptables-legacy-save.txt', 'utf8');
const NAMES = { '/proc/net/ip_tables_names': 'raw\n' };

function nft(foreign: boolean, targets?: string[]): Promise<Reading<NftFacts>> {
  const value: NftFacts = {
    version: null,
    helpers: [],
    assignments: [],
    timeouts: 0,
    sources: [],
    foreign,
    ...(targets === undefined ? {} : { targets }),
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
  const host = recorded({ files: NAMES, commands: { 'iptables-save': LEGACY } });
  const readings = await observeIptables(host, nft(false), []);
  assert.equal(
    readings.map((reading) => [reading.source, reading.state === 'present' && reading.value.restore]),
    [['iptables-save', 'iptables-restore']],
  );
});

const unseen = suite('a table of the legacy flavour that nothing installed shows');

/** Each reading as its state and source. */
async function seen(names: Record<string, string>, commands: Record<string, string>): Promise<string[]> {
  const readings = await observeIptables(recorded({ files: names, commands }), nft(true), []);
  return readings.map(({ state, source }) => `${state} ${source}`);
}

unseen('has failed, and is not absent, with the tools of the nft flavour alone', async () => {
  const lost = 'failed /proc/net/ip_tables_names';
  const warning = '# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n';
  assert.equal(await seen(NAMES, {}), [lost]);
  assert.equal(await seen(NAMES, { 'iptables-nft-save': SAVED }), ['present iptables-nft-save', lost]);
  assert.equal(await seen(NAMES, { 'iptables-nft-save': SAVED, 'iptables-save': SAVED }), ['present iptables-nft-save', lost]);
  assert.equal(await seen(NAMES, { 'iptables-save': SAVED }), ['present iptables-save', lost]);
  assert.equal(await seen(NAMES, { 'iptables-save': warning }), ['present iptables-save', lost]);
  assert.equal(await seen({ '/proc/net/ip6_tables_names': 'filter\nraw\n' }, { 'ip6tables-nft-save': '' }), [
    'present ip6tables-nft-save',
    'failed /proc/net/ip6_tables_names',
  ]);
});

unseen('is seen by the plain command where that is the legacy flavour', async () => {
  assert.equal(await seen(NAMES, { 'iptables-nft-save': SAVED, 'iptables-save': LEGACY }), [
    'present iptables-nft-save',
    'present iptables-save',
  ]);
});

unseen('matters only where it is the raw one, which alone can set a helper', async () => {
  assert.equal(await seen({ '/proc/net/ip_tables_names': 'filter\nnat\n' }, { 'iptables-nft-save': SAVED }), ['present iptables-nft-save']);
});

const hidden = suite('a target of the nft flavour that nothing installed shows');

hidden('has failed, and is not absent', async () => {
  const seenOf = async (targets: string[], commands: Record<string, string>, files: Record<string, string> = {}) =>
    (await observeIptables(recorded({ files, commands }), nft(true, targets), [])).map(({ state, source }) => `${state} ${source}`);
  assert.equal(await seenOf(['ip'], {}), ['failed table ip raw']);
  assert.equal(await seenOf(['ip', 'ip6'], {}), ['failed table ip raw', 'failed table ip6 raw']);
  assert.equal(await seenOf(['ip'], { 'iptables-save': LEGACY }), ['present iptables-save', 'failed table ip raw']);
  assert.equal(await seenOf(['ip'], { 'iptables-legacy-save': LEGACY }, NAMES), ['present iptables-legacy-save', 'failed table ip raw']);
  assert.equal(await seenOf(['ip'], { 'iptables-nft-save': SAVED }), ['present iptables-nft-save']);
  assert.equal(await seenOf(['ip'], { 'iptables-save': SAVED }), ['present iptables-save']);
  assert.equal(await seenOf(['ip6'], { 'iptables-nft-save': SAVED }), ['present iptables-nft-save', 'failed table ip6 raw']);
  assert.equal(await seenOf([], {}), []);
});

hidden.run();

unseen.run();

iptables.run();
