/** Facts have no passwords, and the files that are written by them keep theirs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { recordedRouter } from '../../routers.ts';
import { perform, takeBack } from '../../../src/apply/perform.ts';
import type { Host } from '../../../src/host/host.ts';
import { observe } from '../../../src/observe/observe.ts';
import { planAlg } from '../../../src/plan/plan.ts';
import type { Step } from '../../../src/plan/step.ts';

const WISH = '/etc/config/sipalg';
const text = (alg: string, password: string): string =>
  `config sipalg 'main'\n\toption alg '${alg}'\n\nconfig hep 'hep'\n\toption server 'homer.example.com'\n\toption password ${password}\n`;

/** A router with that file, which can be written. */
function router(first: string) {
  const recorded = recordedRouter('stock-alg-on');
  const file = { text: first };
  const host: Host = {
    ...recorded,
    read: async (path, ...more) =>
      path === WISH ? { state: 'present', value: file.text, source: path } : recorded.read(path, ...more),
    write: async (path, given) => {
      assert.is(path, WISH);
      file.text = given;
    },
  };
  return { host, file };
}

const wishStep = async (host: Host): Promise<Step> => {
  const [step] = planAlg(await observe(host), 'disabled', true).steps.filter(({ why }) => why === 'wish');
  assert.ok(step);
  return step as Step;
};

const passwords = suite('passwords in a file that is written');

passwords('stay as they are, there and back, and are in no plan', async () => {
  for (const password of ["'two words'", 'plain', "'...'"]) {
    const { host, file } = router(text('enabled', password));
    const step = await wishStep(host);
    assert.ok(JSON.stringify(step).includes("option password '...'"));
    const done: Step[] = [];
    await perform(host, [step], done, () => undefined, () => true);
    assert.is(file.text, text('disabled', password));
    assert.equal(await takeBack(host, done, () => undefined), []);
    assert.is(file.text, text('enabled', password));
  }
});

passwords('are not made up where the file has others by then', async () => {
  const { host, file } = router(text('enabled', "'one'"));
  const step = await wishStep(host);
  file.text = "config sipalg 'main'\n\toption alg 'enabled'\n";
  let because = '';
  await perform(host, [step], [], () => undefined, () => true).catch((error: Error) => (because = error.message));
  assert.match(because, '/etc/config/sipalg was changed meanwhile');
  assert.is(file.text, "config sipalg 'main'\n\toption alg 'enabled'\n");
});

passwords.run();
