// node fleet/simulate.mjs [--routers N] [--seed S]: what N routers of a fleet would have saved, one document a line, to standard
// output; the same seed gives the same fleet. Made of the recorded routers of the tests (test/fixtures/routers): which of them
// how often is said below; each has a name, an address and a moment of its own. To be judged by `sipalg status --from -`.
import { build } from 'esbuild';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Of a thousand routers so many are like that; what is not named here shares the rest. */
const SHARES = new Map([
  ['openwrt-stock', 300],
  ['disabled', 250],
  ['stock-alg-absent', 150],
  ['voice-in-force', 80],
  ['stock-alg-on', 60],
  ['openwrt-25.12-split', 30],
  ['fw3-21.02', 20],
  ['comes-back', 15],
  ['include-came-later', 15],
  ['voice-stale-names', 10],
]);

/** xorshift32 (Marsaglia 2003): the same numbers on every machine. @param {number} seed */
function numbers(seed) {
  let state = seed | 0 || 1;
  return (/** @type {number} */ below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The recorded routers' facts, by name. @returns {Promise<Map<string, string>>} */
async function recorded() {
  const entry = `
    import { recordedRouter, routerNames } from './test/routers.ts';
    import { look } from './test/survey.ts';
    export const all = async () => {
      const facts = new Map();
      for (const name of routerNames()) facts.set(name, JSON.stringify(await look(recordedRouter(name))));
      return facts;
    };`;
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: root, loader: 'ts' },
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node18',
    logLevel: 'silent',
  });
  process.chdir(root); // where the recorded routers are found
  const text = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
  return (await import(`data:text/javascript;base64,${text}`)).all();
}

/**
 * A router like a recorded one, elsewhere: another network behind it, another address before it, looked at in another second.
 * What the voice rules and the journal hold fingerprints of keeps its addresses.
 * @param {string} facts @param {(below: number) => number} number
 */
function elsewhere(facts, number) {
  const [site, host, ago] = [number(250) + 1, number(250) + 2, number(3600)];
  const plain = facts.includes('"policy":{"state":"absent"') && facts.includes('"journal":{"state":"absent"');
  const placed = plain ? facts.replaceAll('192.168.1.', `192.168.${site}.`).replaceAll('203.0.113.20', `198.18.${site}.${host}`) : facts;
  return placed.replace(/^\{"at":(\d+)/, (_, at) => `{"at":${Number(at) - ago * 1000}`);
}

/**
 * @param {{ routers: number, seed: number }} wanted
 * @returns {AsyncGenerator<{ name: string, like: string, line: string }>}
 */
export async function* fleet({ routers, seed }) {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  const facts = await recorded();
  const number = numbers(seed);
  const others = [...facts.keys()].filter((name) => !SHARES.has(name));
  for (let at = 1; at <= routers; at++) {
    let drawn = number(1000);
    let like = others[number(others.length)] ?? '';
    for (const [name, share] of SHARES) {
      if (drawn >= 0 && drawn < share) like = name;
      drawn -= share;
    }
    const name = `site-${String(at).padStart(5, '0')}`;
    yield { name, like, line: `{"router":"${name}","version":"${version}","facts":${elsewhere(facts.get(like) ?? '', number)}}\n` };
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { routers: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } } });
  const [routers, seed] = [Number(values.routers), Number(values.seed)];
  if (![routers, seed].every((one) => Number.isSafeInteger(one) && one > 0)) {
    console.error('It is node fleet/simulate.mjs [--routers N] [--seed S]; both are whole numbers from 1.');
    process.exit(2);
  }
  for await (const { line } of fleet({ routers, seed })) if (!process.stdout.write(line)) await once(process.stdout, 'drain');
}
