/** The words that come with an answer: those of its codes and of what is in their values, and no others. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wordsOf } from '../../../src/object/catalog.ts';
import { createObject } from '../../../src/object/object.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { handClock } from '../daemon/hand.ts';

const GERMAN = {
  'sipalg plural': 'n != 1',
  'sipalg and': ' und ',
  'sipalg one': 'eins',
  'sipalg two': 'zwei {what}',
  'sipalg three': 'drei',
};

const catalog = suite('the words of an answer');

catalog('are those of its codes, wherever they stand', () => {
  const answer = { found: [{ code: 'alg-rewrites', coded: { what: { code: 'two', parameters: { what: { code: 'one', text: 'one' } } } } }] };
  assert.equal(wordsOf(answer, GERMAN), {
    'sipalg one': 'eins',
    'sipalg two': 'zwei {what}',
    'sipalg plural': 'n != 1',
    'sipalg and': ' und ',
  });
});

catalog('are none where nothing has a code, where the language has none of them, and of facts', () => {
  assert.equal(wordsOf({ text: 'one', code: 5 }, GERMAN), {});
  assert.equal(wordsOf({ code: 'toString' }, GERMAN), {});
  assert.equal(wordsOf({ facts: { problems: [{ code: 'one' }] } }, GERMAN), {});
});

catalog('come in the language that was asked for, where there is one', async () => {
  const recorded = recordedRouter('stock-alg-on');
  const said = '{"verdict":"inconclusive","coded":{"because":{"code":"three"}}}';
  const object = createObject({
    host: {
      ...recorded,
      run: async (argv, options) =>
        argv.includes('sipalg') ? { state: 'exited', command: 'sipalg', code: 2, stdout: said, stderr: '' } : recorded.run(argv, options),
    },
    surveyor,
    clock: handClock(),
    catalog: async (language) => (language === 'de' ? GERMAN : null),
  });
  const words = async (language: string): Promise<unknown> => ((await object.call('probe', { language })) as { words?: unknown }).words;
  assert.equal(await words('de'), { 'sipalg three': 'drei', 'sipalg plural': 'n != 1', 'sipalg and': ' und ' });
  assert.equal([await words('pt_BR'), await words('')], [undefined, undefined]);
});

catalog.run();
