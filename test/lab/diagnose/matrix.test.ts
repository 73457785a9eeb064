/**
 * Causes made with real flows against causes that `sipalg diagnose` names: all on the diagonal, nothing beside it. Two labs play
 * side by side, one for each engine, and one what waits.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DiagnosisDocument } from '../../../src/diagnose/diagnose.ts';
import type { Engine } from '../../bundled.ts';
import { openLab } from '../lab.ts';
import { play } from './scene.ts';
import type { Scene } from './scene.ts';
import { SCENES } from './scenes.ts';

const only = process.env['SCENE'];
const wanted = SCENES.filter(({ name }) => only === undefined || name.includes(only));

interface Played {
  engine: Engine;
  seconds: number;
  diagnosis: DiagnosisDocument;
}

/** Plays scenes in a lab of its own, and keeps what came of each: a scene that failed is its own test's failure. */
async function lane(engine: Engine, scenes: readonly Scene[], results: Map<string, Promise<Played>>): Promise<void> {
  if (scenes.length === 0) return;
  const lab = await openLab({ ruleset: 'stock-alg-absent', engine });
  try {
    await lab.router.must(['sh', '-c', 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct']);
    for (const scene of scenes) {
      const began = Date.now();
      const playing = play(lab, scene).then((diagnosis) => ({ engine, seconds: (Date.now() - began) / 1000, diagnosis }));
      results.set(scene.name, playing);
      await Promise.allSettled([playing]);
    }
  } finally {
    await lab.close();
  }
}

const matrix = suite<{ results: Map<string, Promise<Played>>; rows: string[] }>('causes made, and causes named');

matrix.before(async (context) => {
  context.rows = [];
  context.results = new Map();
  const lively = wanted.filter(({ waits }) => waits !== true);
  const half = (rest: number): Scene[] => lively.filter((_, at) => at % 2 === rest);
  await Promise.all([
    lane('node', half(0), context.results),
    lane('quickjs', half(1), context.results),
    lane('node', wanted.filter(({ waits }) => waits === true), context.results),
  ]);
});

matrix.after(async ({ rows }) => console.log(rows.join('\n')));

for (const scene of wanted)
  matrix(scene.name, async ({ results, rows }) => {
    const { engine, seconds, diagnosis } = await (results.get(scene.name) as Promise<Played>);
    const { found, ruledOut, unknown } = diagnosis;
    const named = found.map(({ code }) => code).sort();
    const made = [...scene.made].sort().join(' + ') || scene.hidden?.join() || 'nothing';
    rows.push(
      `${made} made: ${named.join(' + ') || 'nothing'} named; ` +
        `${ruledOut.length} ruled out, ${unknown.length} not to be known (${engine}, ${seconds.toFixed(1)} s)`,
    );
    assert.equal(named, [...scene.made].sort(), JSON.stringify(found.map(({ code, evidence }) => ({ code, evidence }))));
    for (const code of scene.hidden ?? [])
      assert.ok(
        unknown.some((one) => one.code === code),
        `${code} stands under what cannot be known`,
      );
    for (const code of scene.not ?? [])
      assert.ok(
        ruledOut.some((one) => one.code === code),
        `${code} is ruled out`,
      );
    for (const { evidence } of found) assert.ok(evidence.length > 0);
  });

matrix.run();
