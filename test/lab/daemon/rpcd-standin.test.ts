/** The lab's rpcd does with plugins what the real one was seen to do (rpcd 4476687; test/fixtures/rpcd was recorded from it). */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Status, UbusError } from '../../../src/ubus/status.ts';
import type { Table } from '../../../src/ubus/value.ts';
import { openPlugin } from './plugin.ts';
import type { WithPlugin } from './plugin.ts';

interface Exchange {
  title: string;
  request: { params: [string, string, string, object] };
  reply: { result: [number, object] & { sipalg?: object } };
}
const { exchanges } = JSON.parse(readFileSync('test/fixtures/rpcd/jsonrpc.json', 'utf8')) as { exchanges: Exchange[] };
const recorded = (title: string): Exchange => exchanges.find((one) => one.title === title)!;

/** The plugin of the recording: what it lists is in `list`, what it answered in the calls. */
const RECORDED = `#!/bin/sh
case "$1 $2" in
"list ") echo '{ "status": {}, "disable": { "dry_run": true }, "slow": {} }' ;;
"call status") read -r args; echo '{ "verdict": { "alg": "off" }, "args": '"$args"' }' ;;
"call disable") read -r args; echo '{ "done": true, "args": '"$args"' }' ;;
esac
`;

/** What a plugin does, and the status or the reply that came of it; measured with the real one. */
const ODD: [name: string, script: string, came: number | object][] = [
  ['fails', 'echo \'{ "ok": 3 }\'; exit 3', { ok: 3 }],
  ['silent', 'exit 0', Status.NO_DATA],
  ['text', 'echo "status takes no argument"', Status.INVALID_ARGUMENT],
  ['list', 'echo "[1]"', Status.INVALID_ARGUMENT],
  ['number', 'echo 7', Status.INVALID_ARGUMENT],
  ['cut', 'printf \'{ "a": \'', Status.INVALID_ARGUMENT],
  ['twice', 'echo \'{ "a": 1 }{ "b": 2 }\'', { a: 1 }],
  ['killed', 'kill -9 $$', Status.NO_DATA],
  ['holds', 'sleep 60 & echo \'{ "a": 1 }\'', { a: 1 }],
  ['late', 'sleep 60', Status.NO_DATA],
  ['whole', 'echo \'{ "a": 1 }\'; sleep 60', { a: 1 }],
  ['umask', 'echo "{ \\"mask\\": \\"$(umask)\\", \\"cwd\\": \\"$PWD\\" }"', { mask: '0077', cwd: '/' }],
];

const standin = suite<{ all: WithPlugin }>("the lab's rpcd");

standin.before(async (context) => {
  const all = await openPlugin('node');
  context.all = all;
  const cases = ODD.map(([name, script]) => `${name}) ${script} ;;`).join('\n');
  const listed = JSON.stringify(Object.fromEntries(ODD.map(([name]) => [name, {}])));
  all.lab.files.write('/usr/libexec/rpcd/sipalg', RECORDED, 0o755);
  all.lab.files.write('/usr/libexec/rpcd/odd', `#!/bin/sh\n[ "$1" = call ] || { echo '${listed}'; exit; }\ncase "$2" in\n${cases}\nesac\n`, 0o755);
  all.lab.files.write('/usr/libexec/rpcd/none', "#!/bin/sh\necho '{}'\n", 0o755);
  all.lab.files.write('/usr/libexec/rpcd/read-only', "#!/bin/sh\necho '{ \"a\": {} }'\n", 0o644);
  await all.rpcd(1500);
});
standin.after(({ all }) => all.close());

standin('lists what the recorded one listed, and nothing for a plugin without methods or that may not be run', async ({ all }) => {
  const [object] = await all.client.lookup('sipalg');
  assert.equal(object?.signature, recorded('list').reply.result.sipalg);
  for (const name of ['none', 'read-only']) assert.equal(await all.client.lookup(name), []);
});

standin('answers what the recorded one answered', async ({ all }) => {
  for (const title of ['a method the read ACL grants', 'root: write']) {
    const { request, reply } = recorded(title);
    const [session, object, method, args] = request.params;
    // uhttpd adds the session.
    assert.equal(await all.client.call(object, method, { ...args, ubus_rpc_session: session }), reply.result[1], title);
  }
});

standin('makes of whatever a plugin does what the real one makes of it', async ({ all }) => {
  await Promise.all(
    ODD.map(async ([name, , came]) => {
      const began = Date.now();
      const got = await all.client.call('odd', name).catch((error: UbusError) => error.status);
      assert.equal(got as number | Table, came, name);
      if (name === 'holds') assert.ok(Date.now() - began < 1400, 'what it has started is not waited for');
    }),
  );
});

standin.run();
