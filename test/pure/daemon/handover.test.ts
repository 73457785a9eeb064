/** The name `sipalg` between the daemon and rpcd's plugin, on a bus in memory. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serveBus } from '../../../src/daemon/bus.ts';
import { createHandover, PLUGIN, RELEASER, SERVING } from '../../../src/daemon/handover.ts';
import type { Host } from '../../../src/host/host.ts';
import type { Reply } from '../../../src/object/object.ts';
import type { Client } from '../../../src/ubus/client.ts';
import type { Publication } from '../../../src/ubus/publication.ts';
import { lab, rejection } from '../ubus/clients.ts';
import { settle } from '../ubus/wire.ts';
import { handClock } from './hand.ts';

interface Router {
  /** Is rpcd's plugin installed, and does procd run, and rpcd take what it lists? */
  plugin?: boolean;
  procd?: boolean;
  /** What rpcd does when it comes round to the plugin; the plugin's own way by default. */
  list?: (rpcd: Client, file: string | undefined) => Promise<boolean>;
}

/** As /usr/libexec/rpcd/sipalg lists: true where it lists methods. */
async function asShipped(rpcd: Client, file: string | undefined): Promise<boolean> {
  if (file?.endsWith(' serving\n') === true) return false;
  if (file?.endsWith(' ending\n') === true) await rpcd.call(RELEASER, 'release');
  return true;
}

async function router({ plugin = true, procd = true, list = asShipped }: Router = {}) {
  const all = lab();
  const clock = handClock();
  const files = new Map<string, string>();
  const lines: string[] = [];
  /** What happened, in order. */
  const events: string[] = [];
  const watcher = all.client();
  await watcher.listen('ubus.object.*', (event, { path }) => {
    if (path === 'sipalg') events.push(event === 'ubus.object.add' ? 'there' : 'gone');
  });
  const host = {
    kind: async (path: string) => (path === PLUGIN && plugin ? { state: 'present', value: 'file', source: path } : { state: 'absent', source: path }),
    async write(path: string, text: string) {
      files.set(path, text);
    },
    async remove(path: string) {
      files.delete(path);
    },
    process: () => ({ pid: 7, uid: 0 }),
  } as unknown as Host;

  const rpcd = all.client();
  let published: Publication | null = null;
  let reloads = 0;
  async function load(): Promise<void> {
    await published?.remove();
    published = null;
    if (plugin && (await list(rpcd, files.get(SERVING)))) published = await rpcd.publish('sipalg', {}).catch(() => null);
  }
  if (procd)
    await all.client().publish('service', {
      async signal({ name, signal }) {
        assert.equal([name, signal], ['rpcd', 1]);
        reloads += 1;
        events.push('reload');
        void load();
        return {};
      },
    });
  await load();
  await settle();
  events.splice(0);

  const start = async () => {
    const client = all.client();
    const say = (line: string): void => {
      lines.push(line);
    };
    const handover = createHandover({ host, client, clock, say });
    const bus = serveBus({ client, clock, call: async () => ({}) as Reply, onEvent: () => undefined, say, handover });
    await settle();
    await settle();
    return bus;
  };
  return { ...all, clock, files, lines, events, start, reloads: () => reloads, load };
}

const handover = suite('the name sipalg');

handover('is taken from the plugin as soon as rpcd has let go of it, which is asked to once', async () => {
  const { start, events, files, lines, reloads, load, clock } = await router();
  await start();
  assert.equal(events, ['reload', 'gone', 'there']);
  assert.is(files.get(SERVING), '7 serving\n');
  assert.equal(lines, ['ubus: rpcd has the object sipalg, and was asked to let go of it', 'ubus: the object sipalg is published']);
  // Whatever rpcd reloads for afterwards.
  await load();
  await clock.pass(60_000);
  assert.equal([events.length, reloads()], [3, 1]);
});

handover('is kept by a daemon that ends until the plugin asks for it, and is there again right behind', async () => {
  const { start, events, files } = await router();
  const bus = await start();
  events.splice(0);
  await bus.stop();
  assert.equal(events, ['reload', 'gone', 'there']);
  assert.not(files.has(SERVING));
});

handover('is given up in any case, and rpcd is asked once more', async () => {
  // A plugin that does not ask: rpcd finds the name taken.
  const { start, events, clock, lines, client } = await router({ list: async (_rpcd, file) => file?.endsWith(' serving\n') !== true });
  const bus = await start();
  events.splice(0);
  const stopped = bus.stop();
  await settle();
  assert.equal(events, ['reload']);
  await clock.pass(2900);
  assert.equal(events, ['reload']);
  await clock.pass(200);
  assert.equal(events, ['reload', 'gone']);
  await clock.pass(1000);
  await stopped;
  assert.equal(events, ['reload', 'gone', 'reload', 'there']);
  assert.is((await client().lookup('sipalg')).length, 1);
  assert.not.match(lines.join(), 'has not');
});

handover('is given up without rpcd where that takes nothing', async () => {
  const { start, clock, lines, client } = await router({ list: async () => false });
  const bus = await start();
  const stopped = bus.stop();
  await settle();
  await clock.pass(10_000);
  await stopped;
  assert.equal(await client().lookup('sipalg'), []);
  assert.is(lines[lines.length - 1], 'ubus: rpcd was to publish the object sipalg, and has not');
});

handover("is nobody else's where there is no plugin or no rpcd: nothing is asked, and nothing waited for", async () => {
  for (const without of [{ plugin: false }, { procd: false, list: async () => false }]) {
    const { start, events, reloads, client, files } = await router(without);
    const bus = await start();
    await bus.stop();
    assert.equal(events, ['there', 'gone']);
    assert.is(reloads(), 0);
    assert.equal(await client().lookup('sipalg'), []);
    assert.is((await rejection(client().call(RELEASER, 'release'))).status, 4);
    assert.not(files.has(SERVING));
  }
});

handover.run();
