import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { existsSync } from 'node:fs';
import { packedImports, sources, textOf, writtenImports } from './sources.ts';
import { breaches, ring, rowOf, TABLE } from './table.ts';

const written = () => {
  const found = sources().flatMap((file) => writtenImports(file, textOf(file)));
  assert.ok(found.length > 100, `${found.length} imports`);
  return found;
};

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

const table = suite('the import table');

/** One for each way in which an import is refused. */
const FORBIDDEN: [from: string, to: string, typeOnly: boolean, reason: RegExp][] = [
  ['src/languages/nft/script.ts', 'src/languages/uci/parse.ts', true, /no other language/],
  ['src/ubus/link.ts', 'src/ubus/connection.ts', false, /is a door/],
  ['src/judge/judge.ts', 'src/host/text.ts', false, /types only/],
  ['src/plan/plan.ts', 'src/apply/apply.ts', true, /without a machine/],
  ['src/engines/quickjs/host.ts', 'src/engines/node/host.ts', false, /nothing goes back/],
  ['src/cli/text.ts', 'node:fs', false, /only a door/],
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
