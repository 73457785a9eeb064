/** Rules of others are not asked for where they cannot matter: which tables, and that the facts are the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host, Outcome, RunOptions } from '../../../src/host/host.ts';
import { readNftChains, withRules } from '../../../src/languages/nft/chains.ts';
import { observeNft } from '../../../src/observe/nft.ts';
import { isSpared } from '../../../src/observe/spared.ts';
import { sparing } from '../../../src/observe/sparing.ts';

const META = '{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}';
const of = (...items: string[]): string => `{"nftables": [${[META, ...items].join(', ')}]}\n`;
const table = (name: string, family = 'inet'): string => `{"table": {"family": "${family}", "name": "${name}", "handle": 1}}`;
const chain = (name: string, of: string, type?: string, family = 'inet'): string =>
  `{"chain": {"family": "${family}", "table": "${of}", "name": "${name}", "handle": 1`
  + `${type === undefined ? '' : `, "type": "${type}", "hook": "prerouting", "prio": 0, "policy": "accept"`}}}`;
const rule = (of: string, chain: string, handle: number, family = 'inet'): string =>
  `{"rule": {"family": "${family}", "table": "${of}", "chain": "${chain}", "handle": ${handle}, "expr": [{"counter": {"packets": 0, "bytes": 0}}, {"drop": null}]}}`;

interface Table {
  head: string[];
  rules: string[];
}
/** A router's tables, in order, by `family name`. */
type Tables = Record<string, Table>;

const FOREIGN: Table = { head: [chain('big', 'foreign', 'filter')], rules: [1, 2, 3].map((nth) => rule('foreign', 'big', nth)) };
const FW4: Table = { head: [chain('srcnat', 'fw4', 'nat'), chain('srcnat_wan', 'fw4')], rules: [rule('fw4', 'srcnat_wan', 4)] };
const OWN: Table = { head: [], rules: [] };

/** nft 1.0.6 over these tables, and the helper there or not. */
function machine(tables: Tables, helper = false) {
  const asked: string[] = [];
  const host = {
    kind: async (path: string) => (helper ? { state: 'present', value: 'directory', source: path } : { state: 'absent', source: path }),
    async run(argv: readonly string[], _options?: RunOptions): Promise<Outcome> {
      const command = argv.join(' ');
      asked.push(command);
      const answer = (stdout: string, code = 0): Outcome => ({ state: 'exited', command, code, stdout, stderr: code === 0 ? '' : 'Error' });
      const all = Object.entries(tables);
      const shown = ([name, { head, rules }]: [string, Table]): string[] => [table(name.split(' ')[1] ?? '', name.split(' ')[0]), ...head, ...rules];
      if (command === 'nft -j list chains') return answer(of(...all.flatMap(([, { head }]) => head)));
      if (command === 'nft -j -t list ruleset') return answer(of(...all.flatMap(shown)));
      const one = all.find(([name]) => command === `nft -j -t list table ${name}`);
      return one === undefined ? answer('', 1) : answer(of(...shown(one)));
    },
  } as unknown as Host;
  return { host, asked };
}

const spare = suite('rules of others');

spare('are spared by what the kernel lets stand in a table', () => {
  const [row] = [{ family: 'inet', table: 'foreign', types: ['filter', null] }];
  assert.is(isSpared(row, []), true);
  assert.is(isSpared(row, ['inet foreign']), false, 'somebody needs it');
  assert.is(isSpared({ ...row, types: ['nat'] }, []), false, 'it may translate');
  assert.is(isSpared({ ...row, types: ['route'] }, []), false);
  for (const name of ['filter', 'nat', 'mangle', 'raw', 'security']) assert.is(isSpared({ ...row, table: name }, []), false, name);
  for (const name of ['fw4', 'sipalg']) assert.is(isSpared({ ...row, table: name }, []), false, name);
});

spare('give the same facts, and are not asked for', async () => {
  const tables: Tables = { 'inet foreign': FOREIGN, 'inet fw4': FW4, 'inet sipalg': OWN };
  const plain = machine(tables);
  const spared = machine(tables);
  const [one, other] = [await observeNft(plain.host, []), await observeNft(sparing(spared.host), [])];
  assert.ok(one.state === 'present' && other.state === 'present');
  const sorted = ({ tables: all, present, ...rest }: typeof one.value) => ({ ...rest, tables: [...all].sort(), present: [...present].sort() });
  assert.equal(sorted(other.value), sorted(one.value));
  assert.equal(other.value.tables.length, 3, 'a table without a chain too');
  assert.equal(spared.asked, ['nft -j list chains', 'nft -j -t list table inet sipalg', 'nft -j -t list table inet fw4']);
});

spare('are asked for with all others where the helper is, where there is nothing to spare, and where the answer is not understood', async () => {
  const whole = 'nft -j -t list ruleset';
  const there = machine({ 'inet foreign': FOREIGN, 'inet fw4': FW4 }, true);
  await observeNft(sparing(there.host), []);
  assert.equal(there.asked, [whole]);
  const stock = machine({ 'inet fw4': FW4 });
  await observeNft(sparing(stock.host), []);
  assert.equal(stock.asked, ['nft -j list chains', whole]);
  const needed = machine({ 'inet foreign': FOREIGN, 'inet fw4': FW4 });
  await observeNft(sparing(needed.host), [], () => () => undefined);
  assert.equal(needed.asked, [whole], 'somebody wants to see each rule');
  const odd = machine({ 'inet foreign': FOREIGN, 'inet fw4': FW4 });
  const run = odd.host.run.bind(odd.host);
  odd.host.run = async (argv, options) => {
    const outcome = await run(argv, options);
    return argv.includes('chains') ? { state: 'exited', command: 'nft', code: 0, stdout: 'inet fw4', stderr: '' } : outcome;
  };
  const read = await observeNft(sparing(odd.host), []);
  assert.is(read.state, 'present');
  assert.is(odd.asked.at(-1), whole);
});

spare('leave a listing as nft prints it: what it says of itself once, and chains of what was spared', () => {
  const chains = of(chain('big', 'foreign', 'filter'), chain('srcnat', 'fw4', 'nat'));
  assert.equal(readNftChains(chains), [
    { family: 'inet', table: 'foreign', types: ['filter'] },
    { family: 'inet', table: 'fw4', types: ['nat'] },
  ]);
  const text = withRules(chains, [of(table('fw4'), chain('srcnat', 'fw4', 'nat'), rule('fw4', 'srcnat', 7))]) ?? '';
  const { nftables } = JSON.parse(text) as { nftables: object[] };
  assert.equal(nftables.map((one) => Object.keys(one)[0]), ['metainfo', 'table', 'chain', 'table', 'chain', 'rule']);
  assert.ok(text.includes('{"rule": {"family"'), 'as nft writes it, for that is where it is cut');
  assert.is(withRules(chains, ['Error']), null);
  assert.is(readNftChains('{"nftables": 1}'), null);
});

spare.run();
