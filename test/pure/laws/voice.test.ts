/** The order within src/voice: what is seen knows nothing of what is wished, and nothing runs back up. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sources, textOf, writtenImports } from './sources.ts';
import type { Import } from './sources.ts';

/** From the ground up: a file may use its own floor and those below it, types included. */
const FLOORS: readonly (readonly string[])[] = [
  ['paths.ts', 'own.ts', 'digest.ts'],
  ['facts.ts', 'rules.ts'],
  ['names/', 'seen/'],
  ['render/'],
  ['judge/'],
  ['plan/'],
  ['voice.ts'],
];
const VOICE = 'src/voice/';

const floorOf = (file: string): number => FLOORS.findIndex((names) => names.some((name) => file.startsWith(VOICE + name)));

/** Imports that run up, as sentences. */
const risen = (imports: readonly Import[]): string[] =>
  imports
    .filter(({ from, to }) => from.startsWith(VOICE) && to.startsWith(VOICE) && floorOf(to) > floorOf(from))
    .map(({ from, to }) => `${from} may not import ${to}: it stands above it.`);

const voice = suite('the order within the voice rules');

const written = sources()
  .filter((file) => file.startsWith(VOICE))
  .flatMap((file) => writtenImports(file, textOf(file)));

voice('has a floor for every file', () => {
  assert.equal(
    sources().filter((file) => file.startsWith(VOICE) && floorOf(file) < 0),
    [],
  );
});

voice('runs from what is seen to what is planned, and never back, types included', () => {
  assert.ok(written.length > 100);
  assert.equal(risen(written), []);
});

voice('lets nothing that looks know the text that is wished, the survey, or a face', () => {
  const looking = written.filter(({ from }) => /^src\/voice\/(seen|names)\//.test(from));
  assert.ok(looking.length > 20);
  assert.equal(
    looking.filter(({ to }) => /^src\/voice\/(render|judge|plan)\/|^src\/(plan|judge|survey|cli)\//.test(to)),
    [],
  );
  assert.equal(
    written.filter(({ to }) => /^src\/(survey|cli|apply|object)\//.test(to)),
    [],
  );
});

voice('is told by a sentence that names both files', () => {
  const up = { from: 'src/voice/seen/nft.ts', to: 'src/voice/render/nft/table.ts', typeOnly: true };
  assert.equal(risen([up, { ...up, from: up.to, to: up.from }]), [
    'src/voice/seen/nft.ts may not import src/voice/render/nft/table.ts: it stands above it.',
  ]);
});

voice.run();
