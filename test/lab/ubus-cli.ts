/** The lab's stand-in for the command `ubus`: `ubus [-t SECONDS] call PATH METHOD [ARGUMENTS]`, with the real one's exit codes. */
import { connect } from '../../src/ubus/connection.ts';
import { UbusError } from '../../src/ubus/status.ts';
import type { TableLike } from '../../src/ubus/value.ts';

const words = process.argv.slice(2);
const timeout = words[0] === '-t' ? 1000 * Number(words.splice(0, 2)[1]) : 30_000;
const [verb, path = '', method = '', args = '{}'] = words;

async function main(): Promise<void> {
  if (verb !== 'call') throw new Error(`the stand-in knows only call, not ${verb}`);
  const client = await connect({ path: '/var/run/ubus/ubus.sock', timeout, reconnect: false });
  const reply = await client.call(path, method, JSON.parse(args) as TableLike);
  if (Object.keys(reply).length > 0) process.stdout.write(`${JSON.stringify(reply, null, '\t')}\n`);
  process.exit(0);
}

void main().catch((error: Error) => {
  process.stderr.write(`Command failed: ${error.message}\n`);
  process.exit(error instanceof UbusError ? 256 - error.status : 1);
});
