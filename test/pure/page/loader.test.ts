import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scan } from '../../page/loader.ts';

const VIEW = 'luci/htdocs/luci-static/resources/view/sipalg/overview.js';
/** Bytes a mount may have, all its files. */
const MOST = 100_000; // with a form of every option, drawings, and a tab for a diagnosis

const mounts = suite<{ folder: string; source: string; inputs: string[][] }>('the packed page');

mounts.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'sipalg-page-'));
  const { buildPage } = await import(pathToFileURL(join(process.cwd(), 'package/page.mjs')).href);
  const metafiles = (await buildPage(context.folder)) as { inputs: object }[];
  context.inputs = metafiles.map(({ inputs }) => Object.keys(inputs));
  context.source = readFileSync(join(context.folder, VIEW), 'utf8');
});

mounts.after(({ folder }) => rmSync(folder, { recursive: true, force: true }));

mounts("begins as LuCI's loader reads it, and asks for LuCI's classes", ({ source }) => {
  const needs = ['view', 'rpc', 'poll', 'ui', 'form', 'uci'].map((name) => ({ name, as: name }));
  assert.equal(scan(source, true).needs, needs);
  assert.equal(scan(source, false).needs, needs, 'also where comments are not skipped');
  assert.match(source, /^'use strict';\n'require view';\n'require rpc';\n'require poll';\n'require ui';\n/);
});

mounts('ends with its class and the end of a line', ({ source }) => {
  assert.match(source, /\nreturn page\.default;\n$/);
});

mounts('gives the loader a class made with view.extend, and asks nothing before it is drawn', ({ source }) => {
  const made: object[] = [];
  const factory = (0, eval)(scan(source, true).wrapped) as (...handed: unknown[]) => unknown;
  const view = {
    extend: (members: object) => {
      made.push(members);
      return class {};
    },
  };
  const untouched = new Proxy({}, { get: (_, name) => assert.unreachable(`${String(name)} was asked for`) });
  assert.type(factory({}, {}, untouched, view, untouched, untouched, untouched, untouched, untouched), 'function');
  // Save, Save & Apply and Reset are LuCI's own.
  assert.equal(Object.keys(made[0] ?? {}).sort(), ['load', 'render']);
});

/** Forms of JavaScript that came after 2018, outside strings. */
const newerIn = (text: string): string[] =>
  text
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g, '""')
    .match(/\?\?|\?\.[a-z_$([]|\|\|=|&&=|\bcatch\s*\{|(?<!\.)\.at\(|\.replaceAll\(|\.flat(Map)?\(|Object\.fromEntries/gi) ?? [];

mounts('speaks no newer JavaScript than of 2018, but for flat, which every browser has that LuCI runs in', ({ folder, source }) => {
  for (const text of [source, readFileSync(join(folder, 'page/page.js'), 'utf8')]) {
    assert.equal(
      [...new Set(newerIn(text))].filter((form) => form !== '.flat(' && form !== '.flatMap('),
      [],
    );
  }
  assert.equal(newerIn(`a?.b; c ?? d; try{}${'catch'} {}; "e?.f"; g ? .5 : 1`), ['?.b', '??', 'catch {']);
});

mounts('takes no element from text: no innerHTML, no eval', ({ folder, source }) => {
  for (const text of [source, readFileSync(join(folder, 'page/page.js'), 'utf8')]) {
    assert.not(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/.test(text));
  }
});

mounts("is made of the page's own sources, how sentences are put into words, what a value may be, and nothing else", ({ inputs }) => {
  assert.equal(
    [inputs.length, inputs[2]],
    [3, ['<define:SIPALG_LANGUAGES>', 'src/page/dom/tile.ts']],
    'the overview loads nothing of the page',
  );
  for (const files of inputs.slice(0, 2)) {
    assert.ok(files.length > 8);
    assert.equal(
      files.filter(
        (file) =>
          !/^(src\/(page|words)\/|src\/(wish\/(schema|values|lacks)|languages\/(address\/(place|prefixes)|refused))\.ts$|<define:SIPALG_LANGUAGES>$)/.test(
            file,
          ),
      ),
      [],
    );
  }
});

mounts(`has at most ${MOST.toLocaleString('en')} bytes a mount`, ({ folder }) => {
  const own = ['index.html', 'page.js', 'page.css']
    .map((name) => statSync(join(folder, 'page', name)).size)
    .reduce((sum, size) => sum + size, 0);
  const luci = statSync(join(folder, VIEW)).size;
  assert.ok(own <= MOST && luci <= MOST, `${own} and ${luci}`);
});

mounts('has no script and no style within its HTML', ({ folder }) => {
  const html = readFileSync(join(folder, 'page/index.html'), 'utf8');
  assert.equal(
    [...html.matchAll(/<script\b([^>]*)>([^<]*)/g)].map(([, traits, text]) => [traits?.trim(), text]),
    [['src="page.js" defer', '']],
  );
  assert.not(/<style|\sstyle=|\son\w+=|javascript:/i.test(html));
});

const loader = suite("the loader's rules");

loader('take the head of a source, in either quote, with comments or without', () => {
  const names = (source: string, comments = true): string[] =>
    scan(source, comments).needs.map(({ name, as }) => (name === as ? name : `${name} as ${as}`));
  assert.equal(names("'use strict'; 'require view'; \"require form as f\"; x('no'); 'require rpc';"), ['view', 'form as f']);
  assert.equal(names("'require tools.widgets';"), ['tools.widgets as tools_widgets']);
  assert.equal(names("// it's a comment\n'require view';"), ['view']);
  assert.equal(names("// it's a comment\n'require view';", false), []);
  assert.equal(names("/* 'x' */ 'require view'; /* y"), ['view']);
});

loader('wrap a source so that a last line of comment must have its end', () => {
  assert.throws(() => (0, eval)(scan('return 1; // ends', true).wrapped));
  assert.type((0, eval)(scan('return 1; // ends\n', true).wrapped), 'function');
});

mounts.run();
loader.run();
