/**
 * The name `sipalg` on ubus, between the daemon and rpcd's plugin (/usr/libexec/rpcd/sipalg). ubusd lets one client alone
 * have a name, and rpcd takes and leaves names only as it starts and reloads (SIGHUP): it lets go of all its objects, runs
 * itself anew, and asks each plugin for its methods right before it publishes them (rpcd 4476687, main.c and plugin.c). So
 *
 * - the daemon writes down that it serves, asks rpcd to reload, and publishes as soon as rpcd has let go: the plugin, which
 *   finds that written down, lists nothing;
 * - a daemon that ends keeps the name until the plugin, asked by rpcd, asks for it: what is between the one and the other
 *   is the end of a shell.
 */
import type { Host } from '../host/host.ts';
import { within } from '../host/clock.ts';
import type { SayLine } from '../host/log.ts';
import type { Clock } from '../host/clock.ts';
import { OBJECT } from '../object/object.ts';
import type { Client } from '../ubus/client.ts';

/** `PID serving` or `PID ending`, as long as there is a daemon; read by the plugin. */
export const SERVING = '/var/run/sipalg.daemon';
export const PLUGIN = '/usr/libexec/rpcd/sipalg';
/** What the plugin calls for the name, while the daemon ends. */
export const RELEASER = 'sipalg.daemon';

/** procd's object, and what it is asked for: as `/etc/init.d/rpcd reload` asks. */
const SERVICES = 'service';
const RELOAD = { name: 'rpcd', signal: 1 };

/** Milliseconds: for a call of procd, for rpcd to come round to the plugin, and for the object to be there again. */
const ASKING = 2000;
const RELEASED_WITHIN = 3000;
const THERE_WITHIN = 1000;

export interface Handover {
  /** The daemon serves from now on. Never rejects. */
  take(): Promise<void>;
  /** The name is somebody else's: rpcd is asked to let go of it. false: it cannot be asked. Never rejects. */
  ask(): Promise<boolean>;
  /** Hands the name over to rpcd's plugin, where there is one. @param remove takes the daemon's object away. Rejects as `remove` does. */
  give(remove: () => Promise<void>): Promise<void>;
  /** The daemon serves no more. Never rejects. */
  end(): Promise<void>;
}

export interface HandoverOptions {
  host: Host;
  client: Client;
  clock: Clock;
  say: SayLine;
}

export function createHandover({ host, client, clock, say }: HandoverOptions): Handover {
  const write = (state: 'serving' | 'ending'): Promise<void> =>
    host.write(SERVING, `${host.process().pid} ${state}\n`).catch((error: Error) => say(`ubus: ${error.message}`, 'warning'));

  const end = (): Promise<void> => host.remove(SERVING).catch((error: Error) => say(`ubus: ${error.message}`, 'warning'));

  /** Whether rpcd is there and was asked. */
  const reload = (): Promise<boolean> =>
    client.call(SERVICES, 'signal', RELOAD, { timeout: ASKING }).then(
      () => true,
      () => false,
    );

  return {
    take: () => write('serving'),
    ask: async () => (await host.kind(PLUGIN)).state === 'present' && reload(),
    async give(remove) {
      if ((await host.kind(PLUGIN)).state !== 'present') return remove();
      let removed: Promise<void> | undefined;
      const once = (): Promise<void> => (removed ??= remove());
      let released = (): void => undefined;
      const asked = new Promise<void>((resolve) => {
        released = resolve;
      });
      let heard = (): void => undefined;
      const there = new Promise<void>((resolve) => {
        heard = resolve;
      });
      await write('ending');
      await client.listen('ubus.object.add', (_event, { path }) => {
        if (path === OBJECT) heard();
      });
      await client.publish(RELEASER, {
        async release() {
          await once();
          released();
          return {};
        },
      });
      if (!(await reload())) return once();
      await within(clock, RELEASED_WITHIN, asked);
      await once();
      if ((await within(clock, THERE_WITHIN, there)) === 'late') {
        // Whatever kept rpcd from taking it: the name is free now.
        await end();
        await reload();
        if ((await within(clock, RELEASED_WITHIN, there)) === 'late') say(`ubus: rpcd was to publish the object ${OBJECT}, and has not`);
      }
    },
    end,
  };
}
