import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Metafile } from 'esbuild';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { saying } from '../../saying.ts';

/** What `status` loads on a router without voice rules; 9 kB of it are the codes by which other languages know its sentences. */
const MOST_OF_STATUS = 121_500; // what cannot be loaded is said in German too, each command has a row, each run looks for what a killed test has left, and what fw4 leaves out is asked for

interface Packer {
  sorted(metafile: Metafile): Map<string, string>;
  packLone(folder: string): Promise<Metafile[]>;
  packRouter(folder: string): Promise<Metafile>;
}

interface Context {
  folder: string;
  lone: Metafile;
  qjs: Metafile;
  router: Metafile;
  sorted: Packer['sorted'];
}

/** Modules of an engine that a packed text asks for. */
const asked = (text: string): string[] => [
  ...[...text.matchAll(/\brequire\("([^"]*)"\)/g)].map(([, name = '']) => name),
  ...[...text.matchAll(/[\s}*;]from"([\w@][\w:/@-]*)"|(?:^|;)import"([\w:/@-]+)"/gm)].map(([, one, other]) => one ?? other ?? ''),
];

const ofEngine = (name: string): boolean =>
  name === 'std' || name === 'os' || (name.startsWith('node:') && builtinModules.includes(name.slice('node:'.length)));

const sourcesOf = ({ inputs }: Metafile): string[] => Object.keys(inputs);

const programs = suite<Context>('the packed program');

programs.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'sipalg-packed-'));
  // build.mjs finds the project by its own place, so it is loaded from there and not packed.
  const { packLone, packRouter, sorted } = (await import(pathToFileURL(join(process.cwd(), 'build.mjs')).href)) as Packer;
  [context.lone, context.qjs] = (await packLone(context.folder)) as [Metafile, Metafile];
  context.router = await packRouter(join(context.folder, 'router'));
  context.sorted = sorted;
});

programs.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

programs("is made of the project's own sources and translations, and nothing else", ({ lone, qjs, router }) => {
  for (const [metafile, engine] of [
    [lone, 'node'],
    [qjs, 'quickjs'],
    [router, 'node'],
    [router, 'quickjs'],
  ] as const) {
    assert.ok(sourcesOf(metafile).includes(`src/engines/${engine}/main.ts`));
    assert.equal(
      sourcesOf(metafile).filter((file) => !/^(src|words:package\/luci-app-sipalg\/po)\//.test(file)),
      [],
    );
  }
  const all = [...new Set([...sourcesOf(lone), ...sourcesOf(qjs)])].sort();
  assert.equal(all, sourcesOf(router).sort(), 'the lone files hold everything that the folder does');
});

programs('asks its engine only for modules that it has, wherever it is', ({ folder }) => {
  const files = ['sipalg.js', 'sipalg.qjs.js', ...readdirSync(join(folder, 'router')).map((name) => `router/${name}`)];
  const wanted = files.flatMap((file) => asked(readFileSync(join(folder, file), 'utf8')));
  assert.ok(wanted.length > 5);
  assert.equal(
    wanted.filter((name) => !ofEngine(name)),
    [],
  );
});

programs('holds no source twice on a router', ({ router }) => {
  const placed = Object.values(router.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  assert.ok(placed.length > 50);
  assert.equal(
    placed.filter((file, at) => placed.indexOf(file) !== at),
    [],
  );
});

programs('names every chunk by what it holds, so that another build never takes it for its own', ({ router }) => {
  const names = Object.keys(router.outputs).map((path) => basename(path));
  assert.equal(
    names.filter((name) => !/^sipalg(\.qjs)?\.mjs$/.test(name) && !/^[\w-]+-[A-Z0-9]{8}\.mjs$/.test(name)),
    [],
  );
});

programs('is sorted into packages, none of which needs more than itself and sipalg', ({ router, sorted }) => {
  const packageOf = sorted(router);
  assert.equal([...packageOf.keys()].sort(), Object.keys(router.outputs).sort());
  const optional = [...new Set(COMMANDS.flatMap((one) => one.package ?? [])), 'sipalg-i18n-de'];
  assert.equal([...new Set(packageOf.values())].sort(), ['sipalg', ...optional].sort());
  for (const [file, name] of packageOf) {
    const { imports = [] } = router.outputs[file] ?? {};
    for (const { path, kind, external } of imports) {
      const other = external === true ? name : packageOf.get(path);
      // The command that is in another package says so when its import() finds nothing.
      const allowed = [name, 'sipalg', ...(name === 'sipalg' && kind === 'dynamic-import' ? optional : [])];
      assert.ok(allowed.includes(other ?? ''), `${basename(file)} of ${name} needs ${basename(path)} of ${other} (${kind})`);
    }
  }
  // What only one of them loads is not in sipalg; streams are read by several.
  const holding = (source: string): string | undefined =>
    [...packageOf].find(([file]) => (router.outputs[file]?.inputs[source]?.bytesInOutput ?? 0) > 0)?.[1];
  assert.equal(
    [
      'src/compare/collector.ts',
      'src/watch/dialogs.ts',
      'src/report/document.ts',
      'src/engines/quickjs/streaming.ts',
      'src/http/routes.ts',
      'src/apply/apply.ts',
      'words:package/luci-app-sipalg/po/de/de-plain',
    ].map(holding),
    ['sipalg-calls', 'sipalg-calls', 'sipalg-calls', 'sipalg', 'sipalg-daemon', 'sipalg', 'sipalg-i18n-de'],
  );
});

programs('is not sorted by a table that names what nothing loads', ({ router, sorted }) => {
  const outputs = Object.fromEntries(Object.entries(router.outputs).filter(([, { entryPoint }]) => entryPoint !== 'src/cli/compare.ts'));
  assert.throws(() => sorted({ ...router, outputs }), saying('src/cli/compare.ts is to begin a part of the program, but nothing loads it'));
});

programs('runs alone, the lone file with a line that names its engine', ({ folder }) => {
  const text = readFileSync(join(folder, 'sipalg.js'), 'utf8');
  assert.is(text.slice(0, text.indexOf('\n')), '#!/usr/bin/env node');
  const alone = mkdtempSync(join(tmpdir(), 'sipalg-alone-'));
  for (const file of [join(folder, 'sipalg.js'), join(folder, 'router/sipalg.mjs')]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, 'version'], { cwd: alone, encoding: 'utf8', timeout: 20_000 });
    assert.equal([status, stderr], [0, '']);
    assert.match(stdout, /^sipalg \d+\.\d+\.\d+\n$/);
  }
  const { stdout } = spawnSync(process.execPath, [join(folder, 'sipalg.js'), 'serve', '--help'], { encoding: 'utf8', timeout: 20_000 });
  assert.match(stdout, /^usage: sipalg serve/);
});

/** The files a way in loads at once, itself included. */
function loadedBy({ outputs }: Metafile, file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { path, kind } of outputs[file]?.imports ?? [])
    if (kind === 'import-statement' && outputs[path]) loadedBy({ inputs: {}, outputs }, path, seen);
  return seen;
}

/** The chunk that `import()` of a source loads. */
const chunkOf = ({ outputs }: Metafile, source: string): string =>
  Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source)?.[0] ?? '';

programs(`loads at most ${MOST_OF_STATUS.toLocaleString('en')} bytes for \`status\` on a router without voice rules`, ({ router }) => {
  const ways = ['src/engines/node/main.ts', 'src/cli/look.ts', 'src/cli/text.ts'].map((source) => chunkOf(router, source));
  assert.not.ok(ways.includes(''));
  const files = ways.reduce((seen, file) => loadedBy(router, file, seen), new Set<string>());
  const bytes = [...files].reduce((sum, file) => sum + (router.outputs[file]?.bytes ?? 0), 0);
  const all = Object.values(router.outputs).reduce((sum, one) => sum + one.bytes, 0);
  console.log(`status loads ${bytes} of ${all} bytes`);
  assert.ok(bytes <= MOST_OF_STATUS, `it loads ${bytes} bytes, and a router reads every one of them`);
});

programs.run();
