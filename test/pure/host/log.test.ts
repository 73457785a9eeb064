/** Lines of a log that are gathered into one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createGathering } from '../../../src/host/log.ts';

function gathering() {
  const lines: string[] = [];
  return { lines, ...createGathering((line, level = 'info') => void lines.push(`${level}: ${line}`)) };
}

const log = suite('gathered lines');

log('are one, what matters most first, and of many only the first', () => {
  const { lines, say, begin } = gathering();
  say('before');
  const done = begin();
  say('one');
  say('two', 'error');
  say('three', 'warning');
  say('four');
  done('read again');
  say('after');
  assert.equal(lines, ['info: before', 'error: read again; two; three; one; 1 more; `sipalg status` says all', 'info: after']);
});

log('are said once where it is begun again before it has ended', () => {
  const { lines, say, begin } = gathering();
  const one = begin();
  say('bad', 'warning');
  const other = begin();
  one('read again');
  other('read again');
  assert.equal(lines, ['warning: read again; bad', 'info: read again']);
});

log.run();
