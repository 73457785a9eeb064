import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takeBack } from '../../../src/apply/perform.ts';
import type { Host } from '../../../src/host/host.ts';
import { RANK } from '../../../src/plan/step.ts';
import type { Step } from '../../../src/plan/step.ts';
import { textOf, say } from '../../../src/words/say.ts';
import { recordedRouter } from '../../routers.ts';

const unload = (name: string): Step => ({
  rank: RANK.unload,
  why: 'module-idle',
  ...say('step-unload', 'Unload {module}.', { module: name }),
  actions: [],
  undo: [{ do: 'run', argv: ['insmod', name], reached: { path: `/sys/module/${name}`, is: 'present' } }],
  commands: [],
});
const STEPS = [unload('nf_nat_sip'), unload('nf_conntrack_sip')];

/** A kernel that is still unloading the helper's module, and is through with it after so many seconds. */
function unloading(seconds: number): { host: Host; loaded: Set<string>; ran: string[] } {
  const loaded = new Set(['nf_conntrack_sip']);
  const ran: string[] = [];
  let left = seconds;
  const host: Host = {
    ...recordedRouter('stock-alg-on'),
    kind: async (path) =>
      loaded.has(path.slice('/sys/module/'.length))
        ? { state: 'present', value: 'directory', source: path }
        : { state: 'absent', source: path },
    async run(argv) {
      const command = argv.join(' ');
      ran.push(command);
      const [tool, name = ''] = argv;
      if (tool === 'sleep' && --left === 0) loaded.delete('nf_conntrack_sip');
      const works = tool === 'sleep' || (left <= 0 && (name !== 'nf_nat_sip' || loaded.has('nf_conntrack_sip')));
      if (works && tool === 'insmod') loaded.add(name);
      return { state: 'exited', command, code: works ? 0 : 255, stdout: '', stderr: '' };
    },
  };
  return { host, loaded, ran };
}

const back = suite('taking back');

back('tries again what failed, and looks again at what had nothing to do: a killed rmmod unloads all the same', async () => {
  const { host, loaded, ran } = unloading(1);
  const said: string[] = [];
  assert.equal(await takeBack(host, STEPS, (line) => said.push(line)), []);
  assert.equal([...loaded].sort(), ['nf_conntrack_sip', 'nf_nat_sip']);
  assert.equal(ran, ['insmod nf_nat_sip', 'sleep 1', 'insmod nf_conntrack_sip', 'insmod nf_nat_sip']);
  assert.equal(said, ['# taking back: Unload nf_nat_sip.', '# taking back: Unload nf_conntrack_sip.'], 'each once');
});

back('says what is left after the last try', async () => {
  const { host, ran } = unloading(Infinity);
  const failures = await takeBack(host, STEPS, () => undefined);
  assert.equal(failures.map(textOf), ['Unload nf_nat_sip. This could not be taken back: `insmod nf_nat_sip` ended with exit code 255.']);
  assert.equal(ran, ['insmod nf_nat_sip', 'sleep 1', 'insmod nf_nat_sip', 'sleep 1', 'insmod nf_nat_sip']);
});

back.run();
