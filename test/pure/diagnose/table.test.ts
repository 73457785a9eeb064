/** The table of causes is whole, and nothing in it is left to be filled in. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { NAMES } from '../../../src/diagnose/symptoms.ts';
import { CAUSES } from '../../../src/diagnose/table.ts';
import { OF_AUDIO } from '../../lab/diagnose/audio.ts';
import { BROKEN } from '../../lab/diagnose/calls.ts';
import { OF_LINE } from '../../lab/diagnose/line.ts';
import { OF_NETWORK } from '../../lab/diagnose/network.ts';
import type { Scene } from '../../lab/diagnose/scene.ts';
import { OF_STATE } from '../../lab/diagnose/state.ts';
import { OF_WAN } from '../../lab/diagnose/wan.ts';
import { codes, said } from './made.ts';

const table = suite('the table of causes');

table('has causes for every symptom, and at least two', () => {
  for (const name of NAMES) assert.ok(CAUSES.filter(({ symptoms }) => symptoms.includes(name)).length >= 2, name);
});

table('gives every cause a code of its own, a symptom, an observable, a fix and a source', () => {
  assert.ok(CAUSES.length >= 35);
  assert.is(new Set(CAUSES.map(({ code }) => code)).size, CAUSES.length);
  for (const { code, symptoms, what, observable, fix, source } of CAUSES) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(symptoms.length > 0 && symptoms.every((one) => NAMES.includes(one)), code);
    assert.match(what.text, /^[A-Z].*\.$/, code);
    assert.ok(observable.length > 20 && source.length > 5, code);
    // A command to type, a setting of something named, or a question to somebody named.
    if ('command' in fix) assert.match(fix.command, /^[a-z/]\S* ?/, code);
    else if ('setting' in fix) assert.ok(fix.setting.text.length > 10 && /^(the|whoever|sipalg)/.test(fix.of.text), code);
    else assert.ok(/\?/.test(fix.question.text) && /^(the|whoever)/.test(fix.ask.text), code);
  }
});

const SCENES: Readonly<Record<string, readonly Scene[]>> = {
  'state.ts': OF_STATE,
  'audio.ts': OF_AUDIO,
  'line.ts': OF_LINE,
  'network.ts': OF_NETWORK,
  'calls.ts': BROKEN,
  'wan.ts': OF_WAN,
};

/** Facts made by hand make no cause: it has a scene of the lab, or a row of the matrix that a virtual machine prints. */
table('names for every cause the test that makes it with real flows, and that test does', () => {
  for (const { code, made } of CAUSES) {
    const scenes = made.startsWith('test/lab/diagnose/') ? SCENES[basename(made)] : undefined;
    const all =
      scenes !== undefined
        ? scenes.flatMap(({ made: causes, hidden = [] }) => [...causes, ...hidden])
        : /^test\/machine\/\w+\.test\.ts$/.test(made)
          ? [...readFileSync(made, 'utf8').matchAll(/\bassertNamed\([^;]*?\bmade: \[([^\]]*)\]/g)].flatMap(([, list = '']) => list.match(/[\w-]+/g) ?? [])
          : [];
    assert.ok(all.includes(code), `${code} is made for real by ${made}`);
  }
});

table('tells causes apart by their observables, or says that it cannot and what would', () => {
  const by = new Map<string, string[]>();
  for (const { observable, code } of CAUSES) by.set(observable, [...(by.get(observable) ?? []), code]);
  for (const shared of by.values()) {
    if (shared.length === 1) continue;
    for (const code of shared) {
      const { alike } = CAUSES.find((one) => one.code === code) as (typeof CAUSES)[number];
      assert.equal([...(alike?.codes ?? []), code].sort(), [...shared].sort());
      assert.ok((alike?.tell.text ?? '').length > 20);
    }
  }
  for (const { alike } of CAUSES)
    for (const code of alike?.codes ?? [])
      assert.ok(
        CAUSES.some((one) => one.code === code),
        code,
      );
});

table('stands worst first', () => {
  const weights = CAUSES.map(({ weight }) => weight);
  assert.equal(
    weights,
    [...weights].sort((one, other) => other - one),
  );
});

table('finds nothing on a router in health, and says of every cause where it stands', async () => {
  const all = await said({});
  assert.equal(codes(all), []);
  assert.is(all.ruledOut.length + all.unknown.length, CAUSES.length);
  for (const { because } of all.ruledOut) assert.ok(because.length > 5);
  for (const { because, tell } of all.unknown) assert.ok(because.length > 5 && tell.length > 5);
});

for (const failed of [
  { state: 'failed', source: '/proc/net/nf_conntrack', because: 'permission denied' },
  { state: 'absent', source: '/proc/net/nf_conntrack' },
] as const)
  table(`never rules out by what could not be read (${failed.state})`, async () => {
    const all = await said({
      flows: failed,
      counters: failed,
      table: failed,
      arrivals: failed,
      listeners: failed,
      drops: failed,
      routes: failed,
      offload: failed,
    });
    assert.equal(codes(all), []);
    const out = new Set(all.ruledOut.map(({ code }) => code));
    for (const code of [
      'state-short',
      'table-full',
      'fragments-lost-in',
      'router-overloaded',
      'service-on-router',
      'rule-drops-audio-in',
      'no-way-out',
      'scanned',
      'blocked-by-list',
      'phones-share-audio-port',
    ])
      assert.not.ok(out.has(code), code);
  });

table.run();
