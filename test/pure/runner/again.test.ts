import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The runner is plain JavaScript (it runs before anything is installed), so it is loaded and not packed.
const runner = (file: string) => import(pathToFileURL(join(process.cwd(), 'test/runner', file)).href);

const verdict = (file: string, failed: number) => ({
  file,
  suites: 1,
  passed: 2 - failed,
  failed,
  skips: [],
  problems: failed > 0 ? [`${failed} of 2 tests failed.`] : [],
  output: '',
  ms: 1,
});

const again = suite('a second try');

again('decides for a file that failed, and keeps what the first one said', async () => {
  const { tryAgain } = await runner('again.mjs');
  const ran: string[] = [];
  const run = async (file: string) => {
    ran.push(file);
    return verdict(file, file === 'bad' ? 2 : 0);
  };
  const verdicts = await tryAgain({ failed: [verdict('unlucky', 1), verdict('bad', 1)], left: 2, run });
  assert.equal(ran, ['unlucky', 'bad']);
  assert.equal(verdicts, [
    { ...verdict('unlucky', 0), again: '1 of 2 tests failed.' },
    { ...verdict('bad', 2), again: '1 of 2 tests failed.' },
  ]);
  const { summary } = await runner('words.mjs');
  const { text, failed } = summary(verdicts, { skipFails: false });
  assert.ok(failed);
  assert.match(text, /^second try: unlucky: first it said: 1 of 2 tests failed\.$/m);
  assert.match(text, /\n2 passed, 2 failed$/);
  assert.not.ok(summary(verdicts.slice(0, 1), { skipFails: false }).failed, 'one that held the second time is no failure');
});

again('is not given where more files failed than bad luck explains', async () => {
  const { MOST_TRIED_AGAIN, tryAgain } = await runner('again.mjs');
  const failed = Array.from({ length: MOST_TRIED_AGAIN + 1 }, (_, index) => verdict(`file${index}`, 1));
  const run = () => assert.unreachable('nothing is run again');
  assert.is(await tryAgain({ failed, left: MOST_TRIED_AGAIN, run }), failed);
});

again.run();
