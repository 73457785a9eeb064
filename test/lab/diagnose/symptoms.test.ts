/**
 * Eight symptoms in real calls: each is broken for real, the ends say so, and `sipalg diagnose`, asked in a customer's words, names what
 * was made.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DiagnosisDocument } from '../../../src/diagnose/diagnose.ts';
import { openLab } from '../lab.ts';
import { BROKEN } from './calls.ts';
import { play } from './scene.ts';

const only = process.env['SCENE'];
const wanted = BROKEN.filter(({ name, symptom }) => only === undefined || `${symptom} ${name}`.includes(only));

async function lane(alg: boolean, results: Map<string, Promise<DiagnosisDocument>>): Promise<void> {
  const mine = wanted.filter((one) => one.alg === alg);
  if (mine.length === 0) return;
  const lab = await openLab({ ruleset: alg ? 'stock-alg-on' : 'stock-alg-absent', engine: alg ? 'quickjs' : 'node' });
  try {
    await lab.router.must(['sh', '-c', 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct']);
    for (const scene of mine) {
      const playing = play(lab, scene);
      results.set(scene.symptom, playing);
      await Promise.allSettled([playing]);
    }
  } finally {
    await lab.close();
  }
}

const symptoms = suite<{ results: Map<string, Promise<DiagnosisDocument>>; rows: string[] }>('symptoms in real calls');

symptoms.before(async (context) => {
  context.rows = [];
  context.results = new Map();
  await Promise.all([lane(true, context.results), lane(false, context.results)]);
});

symptoms.after(async ({ rows }) => console.log(rows.join('\n')));

for (const { symptom, name, made, seen } of wanted)
  symptoms(`${symptom}: ${name}`, async ({ results, rows }) => {
    const { asked, found, phones, ruledOut } = await (results.get(symptom) as Promise<DiagnosisDocument>);
    const named = found.map(({ code }) => code).sort();
    rows.push(`${symptom.padEnd(18)}${named.join(' + ') || 'nothing'} named; ${name}: ${seen}`);
    assert.equal(asked.symptoms, [symptom]);
    const beside = JSON.stringify({ found, phones, ruledOut: ruledOut.filter(({ code }) => made.includes(code)) });
    assert.equal(named, [...made].sort(), beside);
  });

symptoms.run();
