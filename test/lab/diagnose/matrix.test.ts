/** Causes made with real flows against causes that `sipalg diagnose` names: all on the diagonal, nothing beside it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLab } from '../lab.ts';
import type { Lab } from '../lab.ts';
import { OF_AUDIO } from './audio.ts';
import { OF_NETWORK } from './network.ts';
import { play } from './scene.ts';
import type { Scene } from './scene.ts';
import { OF_STATE } from './state.ts';

const only = process.env['SCENE'];
const SCENES: readonly Scene[] = [...OF_STATE, ...OF_AUDIO, ...OF_NETWORK].filter(({ name }) => only === undefined || name.includes(only));

const matrix = suite<{ lab: Lab; rows: string[] }>('causes made, and causes named');

matrix.before(async (context) => {
  context.lab = await openLab({ ruleset: 'stock-alg-absent' });
  context.rows = [];
  await context.lab.router.must(['sh', '-c', 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct']);
});

matrix.after(async ({ lab, rows }) => {
  console.log(rows.join('\n'));
  await lab.close();
});

for (const scene of SCENES)
  matrix(scene.name, async ({ lab, rows }) => {
    const began = Date.now();
    const { found, ruledOut, unknown } = await play(lab, scene);
    const named = found.map(({ code }) => code).sort();
    rows.push(
      `${[...scene.made].sort().join(' + ') || scene.hidden?.join() || 'nothing'} made: ${named.join(' + ') || 'nothing'} named; ` +
        `${ruledOut.length} ruled out, ${unknown.length} not to be known (${((Date.now() - began) / 1000).toFixed(1)} s)`,
    );
    assert.equal(named, [...scene.made].sort(), JSON.stringify(found.map(({ code, evidence }) => ({ code, evidence }))));
    for (const code of scene.hidden ?? [])
      assert.ok(
        unknown.some((one) => one.code === code),
        `${code} stands under what cannot be known`,
      );
    for (const { evidence } of found) assert.ok(evidence.length > 0);
  });

matrix.run();
