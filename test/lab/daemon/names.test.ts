import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reply } from '../../../src/object/object.ts';
import { bundled } from '../../bundled.ts';
import type { Zone } from '../name-server.ts';
import { eventually, openResident } from './resident.ts';
import type { Resident } from './resident.ts';

const CONFIG = `config sipalg 'main'
	option alg 'unmanaged'
	option policy '1'

config provider 'named'
	list host 'sip.example.com'
`;

/** What the zone says of the provider, which asks to be asked again every second. */
const zone = (address: string): Zone => ({ 'A sip.example.com': { ttl: 1, data: [[address]] } });

interface Context {
  all: Resident;
  say(zone: Zone): void;
}

const names = suite<Context>('sipalg serve, with names to ask for');

names.before(async (context) => {
  context.all = await openResident();
  const { lab } = context.all;
  await context.all.bus();
  lab.files.write('/etc/config/sipalg', CONFIG);
  lab.files.write('/etc/resolv.conf', 'nameserver 127.0.0.1\n');
  const { child } = lab.router.spawn(['node', '-e', await bundled('test/lab/name-server.ts'), 'serve', '127.0.0.1', '53']);
  child.stderr.resume();
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.resume();
  context.say = (next) => {
    child.stdin.write(`${JSON.stringify({ zone: next })}\n`);
  };
});

names.after(async ({ all }) => {
  await all.close();
});

names(
  'has the new address in force a minute after a name has changed, beside the old one, and never a moment without rules',
  async ({ all, say }) => {
    const { lab } = all;
    const set = async (): Promise<string> => (await lab.router.run(['nft', 'list', 'set', 'inet', 'sipalg', 'signalling4'])).stdout;
    say(zone('203.0.113.10'));
    const daemon = all.start(['--no-page']);
    await eventually('the first address', async () => (await set()).includes('203.0.113.10') || undefined, 20_000);
    const client = await all.client();
    const mark = async (): Promise<string | null | undefined> => {
      const { facts, verdict } = (await client.call('sipalg', 'policy', {})) as unknown as Reply;
      const seen = facts?.policy.state === 'present' ? facts.policy.value.inForce.all : undefined;
      return seen?.state === 'present' && verdict?.policy?.changed.length === 0 ? seen.value.mark : undefined;
    };
    const before = await eventually('the rules, whole', async () => (await mark()) ?? undefined);
    say(zone('198.51.100.7'));
    let gone = 0;
    await eventually(
      'the second address',
      async () => {
        const listed = await set();
        if (listed === '') gone += 1;
        return listed.includes('198.51.100.7') || undefined;
      },
      90_000,
    );
    assert.is(gone, 0, 'there was no moment without the set');
    assert.match(await set(), '203.0.113.10', 'phones are registered there');
    // The kernel has them before the daemon has looked again: until then it still tells of the text of before.
    const after = await eventually('the rules, whole again, with another text', async () => {
      const now = (await mark()) ?? undefined;
      return now === before ? undefined : now;
    });
    assert.type(after, 'string');
    daemon.process.signal('SIGTERM');
    assert.equal(await daemon.process.ended, { status: 0, signal: null });
  },
);

names.run();
