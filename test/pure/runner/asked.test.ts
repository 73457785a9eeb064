import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

// The runner is plain JavaScript, so it is loaded and not packed.
const runner = (file: string) => import(pathToFileURL(join(process.cwd(), 'test/runner', file)).href);

const command = suite('npm test -- ...');

command('takes a layer, and parts of paths', async () => {
  const { asked } = await runner('asked.mjs');
  const layers = ['pure', 'lab'];
  assert.equal(asked([], layers), { words: [] });
  assert.equal(asked(['nft', 'uci'], layers), { words: ['nft', 'uci'] });
  assert.equal(asked(['--layer', 'lab'], layers), { layer: 'lab', words: [] });
  assert.equal(asked(['nft', '--layer=pure', 'uci'], layers), { layer: 'pure', words: ['nft', 'uci'] });
});

command('refuses what it does not know in a sentence', async () => {
  const { asked } = await runner('asked.mjs');
  for (const [argv, wrong] of [
    [['--layers', 'lab'], "There is no option '--layers'; there is --layer NAME. Other words are parts of a test file's path."],
    [['--layer', 'pure', '-v'], "There is no option '-v'; there is --layer NAME. Other words are parts of a test file's path."],
    [['--layer'], '--layer lacks a name. The layers are pure, lab.'],
    [['--layer='], '--layer lacks a name. The layers are pure, lab.'],
    [['--layer', 'vm'], "There is no layer 'vm'. The layers are pure, lab."],
    [['--layer', 'pure', '--layer', 'lab'], '--layer stands there twice; one layer runs, or all of them.'],
  ] as const) {
    assert.equal(asked(argv, ['pure', 'lab']), { wrong });
  }
});

command('knows a layer for every test file, by its folder', async () => {
  const { LAYERS, findTests, layerOf } = await runner('files.mjs');
  const names: string[] = LAYERS.map(({ name }: { name: string }) => name);
  assert.equal(names, ['pure', 'engines', 'lab', 'machine', 'page']);
  const found: string[] = findTests('test');
  assert.ok(found.length > 100);
  for (const name of names)
    assert.ok(
      found.some((file) => layerOf(file) === name),
      name,
    );
  assert.equal(
    found.filter((file) => !names.includes(layerOf(file))),
    [],
  );
});

command.run();
