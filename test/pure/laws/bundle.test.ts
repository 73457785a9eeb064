import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Metafile } from 'esbuild';

const MOST = 128_000;
const MOST_OF_ALL = 271_000;

/** The modules a packed text asks its engine for. */
const required = (text: string): string[] => [...text.matchAll(/\brequire\((?:"([^"]*)"|'([^']*)'|([^)]*))\)/g)]
  .map((match) => match[1] ?? match[2] ?? `something computed: ${match[3]}`);

const bundle = suite<{ folder: string; text: string; metafile: Metafile }>('the bundle');

bundle.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'sipalg-bundle-'));
  const outfile = join(context.folder, 'sipalg.js');
  // build.mjs finds the project by its own place, so it is loaded from there and not packed.
  context.metafile = await (await import(pathToFileURL(join(process.cwd(), 'build.mjs')).href)).bundle(outfile);
  context.text = readFileSync(outfile, 'utf8');
});

bundle.after(({ folder }) => { rmSync(folder, { recursive: true, force: true }); });

bundle('is made of the program\'s own sources and nothing else', ({ metafile }) => {
  const inputs = Object.keys(metafile.inputs);
  assert.ok(inputs.includes('src/engines/node/main.ts'));
  assert.equal(inputs.filter((file) => !file.startsWith('src/')), []);
});

bundle('asks its engine only for modules that every Node has', ({ text }) => {
  const wanted = required(text);
  assert.ok(wanted.length > 0);
  assert.equal(wanted.filter((name) => !name.startsWith('node:') || !builtinModules.includes(name.slice('node:'.length))), []);
});

bundle(`is at most ${MOST.toLocaleString('en')} bytes`, ({ text }) => {
  const bytes = Buffer.byteLength(text);
  assert.ok(bytes <= MOST, `it is ${bytes} bytes: a router's flash is small`);
});

bundle('starts as a program', ({ text }) => {
  assert.is(text.slice(0, text.indexOf('\n')), '#!/usr/bin/env node');
});

const parts = suite<{ folder: string; texts: Record<string, string>; metafiles: Record<string, Metafile> }>('the parts of the program');

const run = (folder: string, ...words: string[]) => spawnSync(process.execPath, [join(folder, 'sipalg.js'), ...words], { encoding: 'utf8', timeout: 20_000 });

parts.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'sipalg-parts-'));
  context.metafiles = await (await import(pathToFileURL(join(process.cwd(), 'build.mjs')).href)).bundles(join(context.folder, 'sipalg.js'));
  context.texts = Object.fromEntries(Object.keys(context.metafiles).map((name) =>
    [name, readFileSync(join(context.folder, name === 'program' ? 'sipalg.js' : `sipalg-${name}.js`), 'utf8')]));
});

parts.after(({ folder }) => { rmSync(folder, { recursive: true, force: true }); });

parts('are the daemon and the voice rules, beside the program', ({ metafiles }) => {
  assert.equal(Object.keys(metafiles).sort(), ['policy', 'program', 'serve']);
});

parts('hold no source twice', ({ metafiles }) => {
  const sources = Object.values(metafiles).flatMap(({ inputs }) => Object.keys(inputs).filter((file) => file.startsWith('src/')));
  assert.ok(sources.length > 50);
  assert.equal(sources.filter((file, at) => sources.indexOf(file) !== at), []);
});

parts('ask their engine only for modules that every Node has', ({ texts }) => {
  for (const [name, text] of Object.entries(texts)) {
    // In a part `require` is handed in, and goes by another name.
    const wanted = [...text.matchAll(/\b\w+\("(node:[^"]+)"\)/g)].map((match) => match[1] as string);
    assert.equal(wanted.filter((one) => !builtinModules.includes(one.slice('node:'.length))), [], name);
  }
});

parts(`are all of them together at most ${MOST_OF_ALL.toLocaleString('en')} bytes`, ({ texts }) => {
  const bytes = Object.values(texts).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  assert.ok(bytes <= MOST_OF_ALL, `they are ${bytes} bytes: a router's flash is small`);
});

parts('are loaded by the program of their own build alone', ({ folder, texts }) => {
  assert.match(run(folder, 'serve', '--help').stdout, 'usage: sipalg serve');
  writeFileSync(join(folder, 'sipalg-serve.js'), (texts['serve'] as string).replace(/exports\.build="\w+"/, 'exports.build="another"'));
  const other = run(folder, 'serve', '--help');
  assert.is(other.status, 2);
  assert.match(other.stderr, 'not of the same build');
  assert.match(other.stderr, 'Install sipalg again');
});

parts('that are missing are missed by name, and by nothing that does not need them', ({ folder }) => {
  rmSync(join(folder, 'sipalg-serve.js'));
  const gone = run(folder, 'serve', '--help');
  assert.is(gone.status, 2);
  assert.match(gone.stderr, 'sipalg-serve.js');
  assert.match(run(folder, 'policy').stdout, 'The voice firewall rules are off');
});

bundle('is read for what it requires in every form a packer writes', () => {
  assert.equal(required(`var a=require("node:fs"),b=require('left-pad'),c=require(name);`),
    ['node:fs', 'left-pad', 'something computed: name']);
});

bundle.run();
parts.run();
