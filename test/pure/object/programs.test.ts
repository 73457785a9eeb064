/** Methods that a program of their own answers: what is started, what its end becomes, and who shares it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host, Outcome, RunOptions } from '../../../src/host/host.ts';
import { createObject, WrongArgument } from '../../../src/object/object.ts';
import type { Arguments, MethodName } from '../../../src/object/object.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { handClock, later, settle } from '../daemon/hand.ts';

const exited = (code: number, stdout: string, stderr = ''): Outcome => ({ state: 'exited', command: 'sipalg', code, stdout, stderr });

/** An object whose own program answers so. */
function over(answer: (argv: readonly string[], options: RunOptions) => Outcome | Promise<Outcome>, otherwise: Partial<Host> = {}) {
  const clock = handClock();
  const router = recordedRouter('stock-alg-on');
  const started: string[] = [];
  const object = createObject({
    host: {
      ...router,
      run: async (argv, options = {}) => {
        if (!argv.includes('sipalg')) return router.run(argv, options);
        started.push(argv.join(' '));
        return answer(argv, options);
      },
      ...otherwise,
    },
    surveyor,
    clock,
  });
  return { clock, object, started };
}

const refused = (method: MethodName, args: Arguments): Promise<string> =>
  over(() => exited(0, '{}'))
    .object.call(method, args)
    .then(
      () => 'nothing was refused',
      (error: Error) => (error instanceof WrongArgument ? error.message : `${error}`),
    );

const programs = suite('a program beside the object');

programs('is started with what was asked, in the language that was asked for', async () => {
  const { object, started } = over((argv) => exited(1, argv.includes('report') ? '<!DOCTYPE html><p>' : '{"verdict":"unchanged"}'));
  assert.equal(await object.call('diagnose', { symptom: ' one way audio ', language: 'de' }), { verdict: 'unchanged' });
  assert.equal(await object.call('diagnose', { ubus_rpc_session: '0' }), { verdict: 'unchanged' });
  assert.equal(await object.call('probe', {}), { verdict: 'unchanged' });
  assert.equal(await object.call('report', { language: 'pt_BR' }), { html: '<!DOCTYPE html><p>' });
  assert.equal(started, [
    'env LC_ALL=de sipalg diagnose --json one way audio',
    'sipalg diagnose --json',
    'sipalg probe --json',
    'env LC_ALL=pt_BR sipalg report --html',
  ]);
});

programs('takes no option for a symptom, and no language that is none', async () => {
  assert.match(await refused('diagnose', { symptom: ' --from=/etc/shadow' }), /^The argument symptom of diagnose is "--from=\/etc\/shadow"; it must/);
  assert.match(await refused('diagnose', { symptom: 'x'.repeat(201) }), /at most 200 characters/);
  for (const symptom of ['one way\naudio', 'audio\u0000 -x']) assert.match(await refused('diagnose', { symptom }), /a sentence in one line of at most/);
  assert.match(await refused('report', { language: 'de; x' }), /^The argument language of report is "de; x"; it must be as "de"/);
  assert.is(await refused('probe', { lan: 'br-guest' }), 'probe takes no argument "lan"; it takes language: string.');
  for (const seconds of [-1, 601, 1.5])
    assert.is(
      await refused('watch', { seconds }),
      `The argument seconds of watch is ${seconds}; it may be 1 to 600, or 0, which ends a watch.`,
    );
});

programs('that has printed nothing is answered by the sentence it has said, without its name', async () => {
  const said = 'sipalg: something was cleared away.\nsipalg: `sipalg probe` is in a package of its own; install sipalg-calls, of this version (1).\n';
  assert.equal(await over(() => exited(2, '', said)).object.call('probe', {}), {
    trouble: '`sipalg probe` is in a package of its own; install sipalg-calls, of this version (1).',
  });
  assert.equal(await over(() => exited(2, '{"cut', '')).object.call('probe', {}), {
    trouble: '`sipalg probe` has ended with code 2 and said nothing.',
  });
  assert.equal(await over(() => ({ state: 'absent', command: 'sipalg' })).object.call('report', {}), {
    trouble: '`sipalg report` could not be started: there is no sipalg.',
  });
  assert.equal(await over(() => ({ state: 'failed', command: 'sipalg', because: 'it was killed' })).object.call('diagnose', {}), {
    trouble: '`sipalg diagnose` has not ended as it should: it was killed.',
  });
});

programs('is shared by who asks the same, until two seconds after its answer', async () => {
  let number = 0;
  let waiting = later<void>();
  const { clock, object, started } = over(async () => {
    const mine = (number += 1);
    await waiting.promise;
    return exited(0, `{"number":${mine}}`);
  });
  const first = [object.call('diagnose', {}), object.call('diagnose', { ubus_rpc_session: '1' }), object.call('diagnose', { symptom: 'x' })];
  await clock.pass(5000);
  waiting.resolve();
  assert.equal(await Promise.all(first), [{ number: 1 }, { number: 1 }, { number: 2 }]);
  await clock.pass(1999);
  assert.equal(await object.call('diagnose', {}), { number: 1 });
  await clock.pass(1);
  waiting = later();
  waiting.resolve();
  assert.equal(await object.call('diagnose', {}), { number: 3 });
  assert.is(started.length, 3);
});

programs('does not keep status waiting, and no more than three run at a time', async () => {
  const waiting = later<Outcome>();
  const { object } = over(() => waiting.promise);
  const asked = ['a', 'b', 'c'].map((symptom) => object.call('diagnose', { symptom }));
  assert.equal(await object.call('diagnose', { symptom: 'd' }), {
    trouble: '3 questions of this kind are being answered; ask again when one of them is.',
  });
  assert.is((await object.call('status', {})).verdict?.alg, 'rewriting');
  waiting.resolve(exited(0, '{}'));
  await Promise.all(asked);
});

programs('is ended with the object', async () => {
  const { object } = over(
    (_argv, { goOn }) =>
      new Promise((resolve) => {
        const ask = (): void => void (goOn?.() === false ? resolve({ state: 'failed', command: 'sipalg', because: 'it was told to end' }) : setImmediate(ask));
        ask();
      }),
  );
  const asked = object.call('probe', {});
  await settle();
  await object.stop();
  assert.match((await asked as { trouble: string }).trouble, /it was told to end\.$/);
});

programs.run();
