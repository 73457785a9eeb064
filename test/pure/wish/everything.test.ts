/** Everything one can set is UCI: the file that a package installs shows it all, and what the README names is there. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { readConfiguration } from '../../../src/wish/read.ts';
import { SCHEMA } from '../../../src/wish/schema.ts';

const everything = suite('everything one can set');

/** Options by section type, as a configuration file has them; those that are commented out too. */
function shown(text: string): Map<string, Set<string>> {
  const types = new Map<string, Set<string>>();
  let options = new Set<string>();
  for (const line of text.split('\n')) {
    const [, type] = /^config (\w+)/.exec(line) ?? [];
    if (type !== undefined) types.set(type, (options = types.get(type) ?? new Set()));
    const [, option] = /^\t#?(?:option|list) (\w+)/.exec(line) ?? [];
    if (option !== undefined) options.add(option);
  }
  return types;
}

const INSTALLED = readFileSync('files/etc/config/sipalg', 'utf8');
const KNOWN = new Map<string, Set<string>>(Object.entries(SCHEMA).map(([type, { options }]) => [type, new Set(Object.keys(options))]));

everything('is in the file that is installed, which has no problem and wishes nothing', () => {
  const file = shown(INSTALLED);
  assert.equal([...file.keys()].sort(), [...KNOWN.keys()].sort());
  for (const [type, options] of KNOWN) assert.equal([...(file.get(type) ?? [])].sort(), [...options].sort(), type);
  const { wish, problems, hep, metrics } = readConfiguration(INSTALLED);
  assert.equal([wish.alg, wish.policy, hep.enabled, metrics.enabled, problems], ['unmanaged', false, false, false, []]);
  // What is commented out is good as it stands there too.
  assert.equal(readConfiguration(INSTALLED.replace(/^\t#(option|list) /gm, '\t$1 ')).problems, []);
});

everything('that the README names is there', () => {
  const all = new Set([...KNOWN.values()].flatMap((options) => [...options]));
  let named = 0;
  for (const path of ['README.md', 'fleet/README.md'])
    for (const [, option = ''] of readFileSync(path, 'utf8').matchAll(/(?:`|^\t)(?:option|list) (\w+)/gm)) {
      assert.ok(all.has(option), `${path}: ${option}`);
      named++;
    }
  assert.ok(named > 8, `${named}`);
});

everything.run();
