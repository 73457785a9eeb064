/** The object without a daemon in the lab's router: ubusd, a stand-in for rpcd, and the plugin as it is shipped. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Reply } from '../../../src/object/object.ts';
import { connect } from '../../../src/ubus/connection.ts';
import type { Client } from '../../../src/ubus/connection.ts';
import type { Publication } from '../../../src/ubus/publication.ts';
import { bundled, type Engine } from '../../bundled.ts';
import { openLab } from '../lab.ts';
import type { Lab } from '../lab.ts';
import type { Process } from '../member.ts';
import { startUbusd } from '../ubusd.ts';
import { eventually } from './resident.ts';

export const PLUGIN = '/usr/libexec/rpcd/sipalg';
const SOCKET = '/run/ubus/ubus.sock';

export interface Rpcd {
  process: Process;
  /** Resolves when it has loaded its plugins so many times. */
  loaded(times: number): Promise<void>;
  said(): string;
}

export interface WithPlugin {
  lab: Lab;
  client: Client;
  /** Starts rpcd, and resolves when it has loaded its plugins. */
  rpcd(limit?: number): Promise<Rpcd>;
  /** procd, as far as it signals rpcd. */
  procd(rpcd: () => Rpcd): Promise<Publication>;
  ask(method: string, args?: object): Promise<Reply>;
  close(): Promise<void>;
}

/** As nft, but loading takes as many seconds as /tmp/slow says. */
const SLOW_NFT = `#!/bin/sh
case " $* " in *" -c "*) ;; *" -f "*) [ -e /tmp/slow ] && sleep "$(cat /tmp/slow)";; esac
exec /usr/sbin/nft.real "$@"
`;

export async function openPlugin(engine: Engine): Promise<WithPlugin> {
  const lab = await openLab({ ruleset: 'stock-alg-on', engine });
  lab.files.write(PLUGIN, readFileSync('files/usr/libexec/rpcd/sipalg'), 0o755);
  lab.files.write('/usr/bin/ubus', `#!${process.execPath}\n${await bundled('test/lab/ubus-cli.ts')}`, 0o755);
  lab.files.write('/usr/lib/rpcd.js', await bundled('test/lab/rpcd.ts'));
  await lab.router.must(['mv', '/usr/sbin/nft', '/usr/sbin/nft.real']);
  lab.files.write('/usr/sbin/nft', SLOW_NFT, 0o755);
  const socket = lab.files.host(SOCKET);
  mkdirSync(dirname(socket), { recursive: true });
  const ubusd = await startUbusd(socket);
  const client = await connect({ path: socket, timeout: 40_000 });
  return {
    lab,
    client,
    async rpcd(limit = 30_000) {
      const process = lab.router.spawn(['node', '/usr/lib/rpcd.js', SOCKET, String(limit)]);
      let text = '';
      for (const stream of [process.child.stdout, process.child.stderr])
        stream.on('data', (data: Buffer) => {
          text += data;
        });
      const rpcd: Rpcd = {
        process,
        said: () => text,
        loaded: (times) => eventually('rpcd with its plugins', () => text.split('loaded\n').length > times || undefined).then(() => undefined),
      };
      await rpcd.loaded(1);
      return rpcd;
    },
    procd: (rpcd) =>
      client.publish('service', {
        signal: {
          args: { name: 'string', signal: 'int32' },
          answer({ name, signal }) {
            if (name === 'rpcd' && signal === 1) rpcd().process.signal('SIGHUP');
            return {};
          },
        },
      }),
    ask: async (method, args = {}) => (await client.call('sipalg', method, { ...args })) as unknown as Reply,
    async close() {
      client.close();
      await ubusd.stop();
      await lab.close();
    },
  };
}
