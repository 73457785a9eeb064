import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Metafile } from 'esbuild';

const MOST = 128_000;

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
  assert.ok(inputs.includes('src/main.ts'));
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

bundle('is read for what it requires in every form a packer writes', () => {
  assert.equal(required(`var a=require("node:fs"),b=require('left-pad'),c=require(name);`),
    ['node:fs', 'left-pad', 'something computed: name']);
});

bundle.run();
