/**
 * uvu, counted. Test files import plain 'uvu'; the test command packs them
 * with this in its place, because uvu's own exit code is 0 for a file that
 * registers nothing, a suite that is never run, a `before` that throws and a
 * forgotten `.only`, and for a test that asserts nothing. What is registered, started, passed and failed is told to
 * the test command, which does the counting (runner/verdict.mjs).
 */
import * as uvu from 'uvu';
import type { Callback, Test } from 'uvu';
import { assertions } from './asserting.ts';
import { report } from './runner/report.ts';

/** Whether a test that makes no assertion fails. In a lab or a machine a command that must succeed is one, and is not counted. */
const DEMANDING = process.env['SIPALG_TEST_DEMANDING'] === '1';

let suites = 0;
let tests = 0;

const say = (thrown: unknown): string => (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown));

type Hook = 'before' | 'after' | 'before.each' | 'after.each';

function counted<T>(inner: Test<T>, title: string): Test<T> {
  const suite = suites++;
  report({ event: 'suite', suite, title });

  const hook =
    (name: Hook, handler: Callback<T>): Callback<T> =>
    async (context) => {
      try {
        await handler(context);
      } catch (thrown) {
        report({ event: 'hook', suite, hook: name, because: say(thrown) });
        // uvu forgets what `after` throws, together with the suites that were to follow.
        if (name === 'after') console.error(thrown);
        else throw thrown;
      }
    };

  const outer = ((name: string, handler: Callback<T>) => {
    const test = tests++;
    report({ event: 'registered', suite, test, title: name });
    inner(name, async (context) => {
      report({ event: 'started', test });
      const before = assertions();
      try {
        await handler(context);
        if (DEMANDING && assertions() === before) throw new Error('It asserted nothing, so it cannot fail.');
      } catch (thrown) {
        report({ event: 'failed', test });
        // uvu reads `name` and `stack` of whatever was thrown, and dies of what has neither.
        throw thrown instanceof Error ? thrown : new Error(`${say(thrown)} was thrown, which is no Error`);
      }
      report({ event: 'passed', test });
    });
  }) as Test<T>;

  outer.only = (name, handler) => {
    report({ event: 'hidden', suite, by: 'only', title: name });
    outer(name, handler);
  };
  outer.skip = (name = '') => report({ event: 'hidden', suite, by: 'skip', title: name });
  outer.before = Object.assign((handler: Callback<T>) => inner.before(hook('before', handler)), {
    each: (handler: Callback<T>) => inner.before.each(hook('before.each', handler)),
  });
  outer.after = Object.assign((handler: Callback<T>) => inner.after(hook('after', handler)), {
    each: (handler: Callback<T>) => inner.after.each(hook('after.each', handler)),
  });
  outer.run = () => {
    report({ event: 'run', suite });
    inner.run();
  };
  return outer;
}

export function suite<T = Record<string, any>>(title = '', context?: T): Test<T> {
  return counted(uvu.suite<T>(title, context), title);
}

/** The suite without a name that uvu keeps for files of a single one. */
export const test = counted(uvu.test, '');

export const exec = uvu.exec;

process.on('unhandledRejection', (thrown) => {
  report({ event: 'rejection', because: say(thrown) });
  console.error('unhandled rejection:', thrown);
});
