/** Facts that were saved on a router, judged where nothing of that router is. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reading } from '../../../src/host/host.ts';
import { savedFacts, savedReport } from '../../../src/survey/saved.ts';
import { exitCode } from '../../../src/survey/survey.ts';
import type { Report } from '../../../src/survey/survey.ts';
import { recordedRouter } from '../../routers.ts';
import { seeded } from '../../seeded.ts';
import { reportOf, surveyor, VERSION } from '../../survey.ts';

const NAME = 'router.json';
const read = (text: string): Reading<string> => ({ state: 'present', value: text, source: NAME });
const judged = async (text: string): Promise<Report> => savedReport(surveyor, savedFacts(read(text), NAME, VERSION), NAME);

/** The sentence by which a document is refused. */
async function refusal(text: string | Reading<string>, version = VERSION): Promise<string> {
  try {
    await savedReport(surveyor, savedFacts(typeof text === 'string' ? read(text) : text, NAME, version), NAME);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`it was judged: ${JSON.stringify(text).slice(0, 80)}`);
}

const sentences = suite('a document that cannot be judged');

sentences('is told from one that is not there, could not be read, is empty or no JSON', async () => {
  assert.is(
    await refusal({ state: 'absent', source: NAME }),
    `There is no ${NAME}; save one with \`sipalg status --json > FILE\` on the router.`,
  );
  assert.match(
    await refusal({ state: 'failed', source: NAME, because: 'it is a directory (EISDIR)' }),
    'router.json could not be read: it is a directory',
  );
  for (const blank of ['', ' \n']) assert.match(await refusal(blank), 'router.json is empty; save one with');
  assert.match(await refusal('hello'), 'router.json is not JSON: it begins with "hello"; save one');
  for (const other of ['null', '[]', '3', '"x"', '{}', '{"facts":{}}', '{"facts":[],"version":"0.0.0-test"}', '[{"at":1}]'])
    assert.match(await refusal(other), /is JSON, but no document of sipalg|does not say which version/, other);
});

sentences('of another version says which, and what to do', async () => {
  const report = await reportOf(recordedRouter('voice-in-force'));
  const document = (changes: object): string => JSON.stringify({ ...report, ...changes });
  assert.is(
    await refusal(document({ version: '0.3.1' })),
    'router.json was saved by sipalg 0.3.1, and this is 0.0.0-test: facts of another version are not judged. '
      + 'Save the document with sipalg 0.0, or judge it with sipalg 0.3.',
  );
  assert.match(await refusal(document({ version: undefined })), 'does not say which version of sipalg saved it');
  // The same minor version may find other words, and is believed.
  assert.is((await judged(document({ version: '0.0.9', verdict: {} }))).verdict.alg, 'off');
});

sentences('that was cut anywhere is said to be cut, or not to be whole', async () => {
  for (const text of [
    JSON.stringify(await reportOf(recordedRouter('voice-stale-names')), null, 2),
    JSON.stringify(await reportOf(recordedRouter('user-include'))),
  ]) {
    const random = seeded(11);
    for (let round = 0; round < 120; round++) {
      const length = 1 + random.below(text.length - 2);
      assert.match(
        await refusal(text.slice(0, length)),
        /ends in the middle of the document, after \d+ characters: it was cut/,
        String(length),
      );
    }
  }
});

sentences('that ubus shortened, or that holds no facts yet, is never judged', async () => {
  const report = await reportOf(recordedRouter('voice-in-force'));
  assert.match(await refusal(JSON.stringify({ ...report, shortened: 'long texts end early' })), 'a reply that ubus had to shorten');
  assert.match(await refusal(JSON.stringify({ ...report, facts: null })), 'sipalg was still looking when it was saved');
});

sentences('whose facts were changed says that they do not lead to its verdict', async () => {
  const text = JSON.stringify(await reportOf(recordedRouter('voice-in-force')));
  assert.match(
    await refusal(text.replace(/"loaded":"\w+"/, '"loaded":"0"')),
    'its facts do not lead to the verdict and the plan that it holds; was it edited?',
  );
});

sentences.run();

/** Where every key of a value is, as the path of keys to it. */
function keysOf(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    return [...(Array.isArray(value) ? [] : [here]), ...keysOf(inner, here)];
  });
}

/** The value with something else at a path; undefined takes the key away. */
function withOther(value: unknown, path: readonly (string | number)[], other: unknown): unknown {
  const copy = structuredClone(value) as Record<string | number, never>;
  const last = path.at(-1) as string | number;
  const holder = path.slice(0, -1).reduce((at, key) => at[key] as never, copy);
  if (other === undefined) delete holder[last];
  else holder[last] = other as never;
  return copy;
}

/** Facts in which a name that is not there says nothing less than one that is: whoever takes one away has other facts. */
const BY_NAME = new RegExp(
  [
    '^(policy\\.value\\.(names|extensions|files|iptables\\.ipv\\d\\.value\\.counted)',
    'modules\\.\\w+\\.value\\.parameters',
    'firewall\\.uci\\.value\\.open',
    'edited',
    'journal\\.value\\.taken\\.\\d+\\.(settings|parameters))\\b',
  ].join('|'),
);
const DAMAGED = ['voice-stale-names', 'voice-fw3', 'voice-inbound', 'user-include', 'disabled'];

/** One key of each kind: of list members, the first stands for all. */
const kindsOf = (value: unknown): (string | number)[][] =>
  keysOf(value).filter((path) => path.every((key) => typeof key === 'string' || key === 0));

const damaged = suite('damaged facts');

for (const name of DAMAGED) {
  damaged(`of ${name}, without any one key, are refused in a sentence or mean the same`, async () => {
    const report = await reportOf(recordedRouter(name));
    const whole = JSON.stringify([report.verdict, report.plan]);
    let refused = 0;
    for (const path of kindsOf(report.facts)) {
      const where = path.join('.');
      for (const [alone, document] of [
        [false, { ...report, facts: withOther(report.facts, path, undefined) }],
        [true, withOther(report.facts, path, undefined)],
      ] as const) {
        try {
          const { verdict, plan } = await judged(JSON.stringify(document));
          if (!alone || !BY_NAME.test(where)) assert.is(JSON.stringify([verdict, plan]), whole, where);
        } catch (error) {
          if (error instanceof assert.Assertion) throw error;
          refused++;
          assert.match((error as Error).message, /^router\.json[: ].*\.$/s, where);
          assert.not.match((error as Error).message, /undefined|not iterable|not a function/, where);
        }
      }
    }
    assert.ok(refused > 100, String(refused));
  });

  damaged(`of ${name}, with something else at any key, are refused in a sentence or judged`, async () => {
    const { facts } = await reportOf(recordedRouter(name));
    const random = seeded(23);
    for (const path of kindsOf(facts)) {
      const other = random.pick([null, 'x', -1, [], {}, [null], { state: 'present', source: 'x' }]);
      const where = `${path.join('.')}: ${JSON.stringify(other)}`;
      try {
        assert.ok([0, 1, 2].includes(exitCode(await judged(JSON.stringify(withOther(facts, path, other))))), where);
      } catch (error) {
        if (error instanceof assert.Assertion) throw error;
        assert.match((error as Error).message, /^router\.json[: ].*\.$/s, where);
        assert.not.match((error as Error).message, /undefined|not iterable|not a function/, where);
      }
    }
  });
}

damaged.run();
