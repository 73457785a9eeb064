/** The daemon on a router whose ALG is to be off: what comes back is taken away again, and how soon. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, openResident } from './resident.ts';
import type { Daemon, Resident } from './resident.ts';

const keep = suite<{ all: Resident; daemon: Daemon }>('the daemon, where the ALG comes back');

keep.before(async (context) => {
  context.all = await openResident();
  const { lab } = context.all;
  await context.all.bus();
  assert.is((await lab.router.run(['sipalg', 'disable'])).status, 0);
  context.daemon = context.all.start(['--no-page']);
  await eventually('the object', async () => {
    const client = await context.all.client();
    return (await client.call('sipalg', 'status', {}).catch(() => null)) ?? undefined;
  });
});

keep.after(async ({ all }) => {
  await all.close();
});

const rules = async ({ lab }: Resident): Promise<boolean> => /ct helper set "sip"/.test(await lab.router.must(['nft', 'list', 'ruleset']));

/** As a load of the firewall leaves it whose configuration asks for the helper. */
async function loadWithHelper({ lab }: Resident): Promise<void> {
  await lab.router.must(['nft', '-f', '-'], {
    input: `table inet fw4 {
  ct helper sip { type "sip" protocol udp; }
  chain helper_lan { udp dport 5060 ct helper set "sip"; }
}
`,
  });
  lab.files.write('/var/run/fw4.state', `{ "at": ${Date.now()} }\n`);
}

keep('takes it out within seconds of a load of the firewall, of which nobody tells', async ({ all, daemon }) => {
  assert.not.ok(await rules(all));
  await loadWithHelper(all);
  assert.ok(await rules(all));
  await eventually('an end of the rule', async () => ((await rules(all)) ? undefined : true), 8000);
  assert.match(daemon.log(), 'not as wished any more');
  assert.match(daemon.log(), /\[#\] nft /);
});

keep('leaves it where its owner has come to wish otherwise', async ({ all }) => {
  const { lab } = all;
  // The run before must have looked for the last time.
  await eventually(
    'an end of the run',
    async () => (await lab.router.run(['flock', '-n', '/var/run/sipalg.lock', 'true'])).status === 0 || undefined,
  );
  lab.files.write('/etc/config/sipalg', "config sipalg 'main'\n\toption alg 'unmanaged'\n");
  await loadWithHelper(all);
  await new Promise((resolve) => setTimeout(resolve, 6000));
  assert.ok(await rules(all));
});

keep.run();
