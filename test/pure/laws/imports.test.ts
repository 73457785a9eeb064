import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { existsSync } from 'node:fs';
import { packedImports, sources, textOf, writtenImports } from './sources.ts';
import { breaches, ring, rowOf, TABLE } from './table.ts';

const written = () => sources().flatMap((file) => writtenImports(file, textOf(file)));

const imports = suite('imports');

imports('keep the table, as the packer sees them', async () => {
  const found = await packedImports();
  assert.ok(found.length > 20, 'the packer sees the sources');
  assert.equal(breaches(found), []);
});

imports('keep the table, types included, as they are written', () => {
  assert.equal(breaches(written()), []);
});

imports('read off the text are all those the packer sees', async () => {
  const seen = new Set(written().map(({ from, to }) => `${from} ${to}`));
  assert.equal(
    (await packedImports()).filter(({ from, to }) => !seen.has(`${from} ${to}`)),
    [],
  );
});

imports('run in no ring', async () => {
  assert.is(ring(await packedImports()), undefined);
});

imports('of every source stand under a row', () => {
  assert.equal(
    sources().filter((file) => rowOf(file) === undefined),
    [],
  );
});

imports('have no row for a room that is not there', () => {
  assert.equal(
    TABLE.map(({ room }) => room.replace('/*', '')).filter((room) => !existsSync(`src/${room}`)),
    [],
  );
});

imports('have a reason in every row', () => {
  assert.equal(
    TABLE.filter(({ because }) => because.length < 40),
    [],
  );
});

const table = suite('the import table');

const FORBIDDEN: [from: string, to: string, typeOnly: boolean, reason: RegExp][] = [
  ['src/languages/nft/script.ts', 'src/languages/uci/parse.ts', false, /no other language/],
  ['src/languages/nft/script.ts', 'src/languages/uci/parse.ts', true, /no other language/],
  ['src/languages/address/prefixes.ts', 'src/languages/uci/parse.ts', false, /stand in every language/],
  ['src/languages/kernel/log.ts', 'src/observe/facts.ts', true, /knows nothing of sipalg/],
  ['src/languages/kernel/log.ts', 'src/host/host.ts', true, /knows nothing of sipalg/],
  ['src/ubus/blob.ts', 'src/languages/refused.ts', false, /published alone/],
  ['src/ubus/link.ts', 'src/ubus/connection.ts', false, /is a door/],
  ['src/wish/read.ts', 'src/observe/facts.ts', true, /does not change it/],
  ['src/observe/observe.ts', 'src/judge/verdict.ts', true, /does not judge/],
  ['src/observe/observe.ts', 'src/voice/facts.ts', true, /does not judge/],
  ['src/observe/observe.ts', 'src/engines/node/host.ts', false, /nothing goes back/],
  ['src/journal/journal.ts', 'src/observe/facts.ts', true, /not its business/],
  ['src/judge/judge.ts', 'src/host/text.ts', false, /types only/],
  ['src/judge/judge.ts', 'src/plan/plan.ts', false, /what to do about it/],
  ['src/judge/findings.ts', 'src/survey/survey.ts', true, /what to do about it/],
  ['src/plan/plan.ts', 'src/apply/apply.ts', true, /without a machine/],
  ['src/survey/survey.ts', 'src/voice/voice.ts', false, /an engine hands in/],
  ['src/apply/apply.ts', 'src/cli/text.ts', false, /speaks to nobody/],
  ['src/cli/text.ts', 'src/languages/nft/script.ts', false, /reads no syntax/],
  ['src/cli/text.ts', 'src/engines/node/host.ts', false, /nothing goes back/],
  ['src/cli/text.ts', 'node:fs', false, /only a door/],
  ['src/host/host.ts', 'qjs:std', true, /only a door/],
  ['src/host/lines.ts', 'src/observe/facts.ts', true, /nothing of what is done/],
  ['src/page/model.ts', 'src/survey/survey.ts', false, /types only/],
  ['src/engines/quickjs/host.ts', 'src/engines/node/host.ts', false, /nothing goes back/],
  ['src/cli/text.ts', 'kleur', false, /no dependency/],
  ['src/elsewhere/new.ts', 'src/languages/refused.ts', false, /no row/],
];

for (const [from, to, typeOnly, reason] of FORBIDDEN) {
  table(`refuses ${typeOnly ? 'types of ' : ''}${to} in ${from}, and says why`, () => {
    const found = breaches([{ from, to, typeOnly }]);
    assert.is(found.length, 1);
    assert.match(found[0] ?? '', reason);
  });
}

table('lets an engine open every door', () => {
  const doors = ['src/ubus/connection.ts', 'src/voice/voice.ts', 'src/daemon/serve.ts', 'node:fs'];
  assert.equal(breaches(doors.map((to) => ({ from: 'src/engines/node/main.ts', to, typeOnly: false }))), []);
});

table('lets a judge know the types of a host', () => {
  assert.equal(breaches([{ from: 'src/judge/judge.ts', to: 'src/host/host.ts', typeOnly: true }]), []);
});

const reading = suite('reading imports off a text');

reading('sees every form, and tells types from code', () => {
  const text = [
    `import { a } from './a.ts';`,
    `import type { B } from '../b/b.ts';`,
    `import {`,
    `  c,`,
    `  d,`,
    `} from './c.ts';`,
    `export * from './e.ts';`,
    `export type { F } from './f.ts';`,
    `import './g.ts';`,
    `import * as fs from 'node:fs';`,
    `const h = await import('./h.ts');`,
    `export const from = 'nowhere';`,
    `// import { z } from './z.ts';`,
  ].join('\n');
  assert.equal(
    writtenImports('src/x/x.ts', text).map(({ to, typeOnly }) => `${typeOnly ? 'type ' : ''}${to}`),
    ['src/x/a.ts', 'type src/b/b.ts', 'src/x/c.ts', 'src/x/e.ts', 'type src/x/f.ts', 'src/x/g.ts', 'node:fs', 'src/x/h.ts'],
  );
});

reading('a ring is found and told as its files', () => {
  const code = (from: string, to: string) => ({ from, to, typeOnly: false });
  assert.equal(ring([code('a', 'b'), code('b', 'c'), code('c', 'b')]), ['b', 'c', 'b']);
  assert.is(ring([code('a', 'b'), code('b', 'c'), code('a', 'c')]), undefined);
  assert.is(ring([code('a', 'b'), { from: 'b', to: 'a', typeOnly: true }]), undefined);
});

imports.run();
table.run();
reading.run();
