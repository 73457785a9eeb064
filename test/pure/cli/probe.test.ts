/** `sipalg probe --provider`, `probe --mirror` and `mirror` as they are called: what is refused, what is said, and the exit code. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cli } from '../../../src/cli/cli.ts';
import type { Doors } from '../../../src/cli/command.ts';
import type { Listening } from '../../../src/host/network.ts';
import { answering, kernelAlg, SERVER, through, World } from '../probe/world.ts';

/** A computer, no router, whose network is the world's. */
async function called(words: readonly string[], world = new World(), more: Partial<Doors> = {}) {
  let out = '';
  let err = '';
  const doors = {
    host: { read: async (path: string) => ({ state: 'absent', source: path }), now: () => world.clock.now() },
    surveyor: { version: '1.2.3' },
    clock: world.clock,
    network: async () => world.network,
    ...more,
  } as unknown as Doors;
  const code = await through(
    world,
    cli(words, doors, {
      out: (text) => (out += text),
      err: (text) => (err += text),
      input: async () => ({ state: 'absent', source: '' }),
      goOn: () => world.goOn,
    }),
  );
  return { code, out, err };
}

const probe = suite('sipalg probe, of what lies beyond');

probe('ends with 0, 1 and 2 as it was unchanged, changed, or could not be told', async () => {
  const changed = new World();
  kernelAlg(changed);
  const silent = new World();
  silent.serve = () => null;
  for (const [world, code, mark] of [
    [new World(), 0, '    + '],
    [changed, 1, '    ! '],
    [silent, 2, '    ? '],
  ] as const) {
    const said = await called(['probe', '--provider', SERVER], world);
    assert.equal([said.code, said.out.includes(mark)], [code, true], said.out);
    assert.ok(
      said.out.split('\n').every((line) => line.length <= 100),
      said.out,
    );
  }
});

probe('prints one document of JSON and nothing else, whatever a server says', async () => {
  const world = new World();
  world.serve = answering({ status: '200 \x1b[31mOK\xff' });
  const { code, out, err } = await called(['probe', '--provider', `${SERVER}:5060`, '--json'], world);
  assert.equal([code, err], [0, '']);
  assert.match(out, /^[\n\x20-\x7e]*$/);
  const { version, verdict, provider, looks } = JSON.parse(out) as {
    version: string;
    verdict: string;
    provider: { asked: string };
    looks: object[];
  };
  assert.equal([version, verdict, provider.asked], ['1.2.3', 'unchanged', `${SERVER}:5060`]);
  assert.ok(looks.length > 3);
  // And in words: what a terminal would obey is shown instead.
  assert.not.match((await called(['probe', '--provider', SERVER], world)).out, /[^\n\x20-\uffff]/);
});

probe('refuses in a sentence what it cannot be asked, and sends nothing', async () => {
  for (const [words, said] of [
    [['--provider', 'a.b', '--mirror', 'c.d'], 'both --provider and --mirror'],
    [['--mirror', 'c.d', '--silence', '3'], '--silence` goes with --provider alone'],
    [['--provider', 'a b'], '"a b" is no host to ask'],
    [['--provider', SERVER, '--silence', '0'], 'given "0"; it takes seconds from 1 to 3600'],
    [['--provider', SERVER, '--silence', '30,,60'], 'given "30,,60"'],
    [['--provider', SERVER, '--silence', '1,2,3,4,5,6,7,8,9'], 'up to 8 of them'],
    [['--provider'], 'lacks its HOST[:PORT]'],
    [['--provder', 'x'], 'knows no "--provder"'],
  ] as const) {
    const world = new World();
    const { code, err, out } = await called(['probe', ...words], world);
    assert.equal([code, out, world.sent], [2, '', []], words.join(' '));
    assert.match(err, said);
  }
});

probe('says that it was stopped, and ends with 2', async () => {
  const world = new World();
  world.serve = () => null;
  world.clock.after(700, () => (world.goOn = false));
  const { code, err } = await called(['probe', '--provider', SERVER], world);
  assert.is(code, 2);
  assert.match(err, 'it was stopped before its end');
});

const taken = (ports: readonly number[]): Listening =>
  ({
    random: (size: number) => new Uint8Array(size),
    digest: () => '0'.repeat(64),
    datagrams: async (at: { port: number; address: string }) => {
      if (ports.includes(at.port)) throw new Error('the port is in use already');
      if (at.address === '::') throw new Error('this machine has no such address');
      return { at, send: () => undefined, close: () => undefined };
    },
    connections: async (at: object) => ({ at, close: () => undefined }),
  }) as unknown as Listening;

probe('has a mirror that says where it listens, and why it does not', async () => {
  const world = new World();
  world.clock.after(5000, () => (world.goOn = false));
  const good = await called(['mirror'], world, { listening: async () => taken([]) });
  assert.is(good.code, 0);
  assert.match(good.err, 'mirror at 0.0.0.0:5060, 0.0.0.0:5080 (UDP and TCP); not at [::]:5060');
  assert.match(good.err, 'ending: 0 questions mirrored');
  assert.is(world.clock.waiting(), 0);
  const busy = await called(['mirror'], new World(), { listening: async () => taken([5060]) });
  assert.is(busy.code, 2);
  assert.match(busy.err, 'no mirror at 0.0.0.0:5060: the port is in use already');
  assert.match(busy.err, '--listen ADDR:PORT');
  assert.match((await called(['mirror', '--listen', 'x'])).err, 'needs Node');
  assert.match(
    (await called(['mirror', '--listen', 'x'], new World(), { listening: async () => taken([]) })).err,
    '"x" is no place to listen',
  );
  assert.match(
    (await called(['mirror', '--listen', '127.0.0.1:65530'], new World(), { listening: async () => taken([]) })).err,
    'given port 65530',
  );
});

probe.run();
