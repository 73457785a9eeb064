/** Rules that are passed over unparsed: what is made of a listing is the same as where every rule of it is parsed. */
import { readFileSync, readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from '../../../src/host/host.ts';
import { createRulesetReader, RULE } from '../../../src/languages/nft/ruleset.ts';
import { observeNft } from '../../../src/observe/nft.ts';

const LISTINGS = readdirSync('test/fixtures/routers', { recursive: true, withFileTypes: false })
  .map(String)
  .filter((path) => path.endsWith('nft_-j_-t_list_ruleset.txt') || path.endsWith('nft_-j_list_ruleset.txt'))
  .map((path) => ({ path, text: readFileSync(`test/fixtures/routers/${path}`, 'utf8') }));

/** JSON that means the same, in which no rule ends as nft's do. */
const spaced = (text: string): string => text.replaceAll(']}}, ', ']}} ,');

async function seen(json: string): Promise<unknown> {
  const run: Host['run'] = async (argv) => ({
    state: 'exited',
    command: argv.join(' '),
    code: 0,
    stdout: argv.includes('-j') ? json : '',
    stderr: '',
  });
  return observeNft({ run } as Host, []);
}

const passed = suite('rules that are passed over');

for (const { path, text } of LISTINGS)
  passed(`say nothing that is missed: ${path}`, async () => {
    assert.equal(await seen(text), await seen(spaced(text)));
  });

const RULES = {
  counted: '{"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 3, "expr": [{"counter": {"packets": 0, "bytes": 0}}]}}, ',
  drop: '{"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 4, "comment": "a \\"jump\\"", "expr": [{"drop": null}]}}, ',
  nat: '{"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 5, "expr": [{"dnat": {"family": "ip", "addr": "192.0.2.1"}}]}}, ',
  other: '{"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 6, "expr": []}}, {"set": {"family": "inet", "name": "s", "elem": [1]}}, ',
  cut: '{"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 7, "expr": [{"counter": null}]}, ',
};

passed('are whole rules and nothing else', () => {
  const offered: string[] = [];
  const reader = createRulesetReader(
    () => true,
    (_, text) => {
      offered.push(text);
      return true;
    },
  );
  const { counted, drop, nat, other } = RULES;
  const text = `{"nftables": [{"metainfo": {"version": "1"}}, ${counted}${drop}${nat}${other}{"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 9, "expr": []}}]}`;
  text.split(RULE).forEach((part, nth) => reader.take(nth === 0 ? part : RULE + part));
  const { rules } = reader.end();
  assert.equal(offered, [counted, drop]);
  assert.equal(
    rules.map(({ handle }) => handle),
    [5, 6, 9],
  );
});

passed('and one that is cut off is refused all the same', () => {
  const reader = createRulesetReader(
    () => true,
    () => true,
  );
  const text = `{"nftables": [${RULES.counted}${RULES.cut}${RULES.counted}{"table": {}}]}`;
  text.split(RULE).forEach((part, nth) => reader.take(nth === 0 ? part : RULE + part));
  assert.throws(() => reader.end(), /did not print JSON/);
});

passed.run();
