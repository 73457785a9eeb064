/**
 * The lab's stand-in for rpcd, as far as exec plugins go: what /usr/libexec/rpcd/NAME lists is published as the object NAME,
 * and calls are handed to it, as rpcd 4476687 does (main.c, plugin.c, exec.c). Ours, and only for tests; rpcd.test.ts holds
 * it to what the real one was seen to do. Runs in the router:
 *
 *     node rpcd.js SOCKET [LIMIT]     LIMIT: milliseconds that a call may take; 30,000, as /etc/config/rpcd ships it
 */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { connect } from '../../src/ubus/connection.ts';
import type { Client } from '../../src/ubus/connection.ts';
import type { Methods } from '../../src/ubus/publication.ts';
import { Status, UbusError } from '../../src/ubus/status.ts';
import type { Table, TableLike, TypeName } from '../../src/ubus/value.ts';

const PLUGINS = '/usr/libexec/rpcd';
const ENVIRONMENT = { PATH: '/usr/sbin:/sbin:/usr/bin:/bin', HOME: '/', TERM: 'linux', PWD: '/', SHLVL: '1' };
/** Milliseconds in which the real one runs itself anew; ubusd has seen its connection end by then. */
const RESTART = 20;
/** What of its arguments reaches a plugin, in bytes. */
const MOST_INPUT = 65_536;

/** The first value of a text, as json-c's parser comes to it: what stands behind it is not looked at. */
type Parsed = { state: 'nothing' | 'cut' | 'bad' } | { state: 'value'; value: unknown };

export function firstValue(text: string): Parsed {
  const rest = text.trimStart();
  if (rest === '') return { state: 'nothing' };
  let depth = 0;
  for (const { 0: token, index } of rest.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]|[^\s{}[\]",:]+/gs)) {
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    if (depth > 0) continue;
    try {
      return { state: 'value', value: JSON.parse(rest.slice(0, index + token.length)) };
    } catch {
      return { state: 'bad' };
    }
  }
  return { state: 'cut' };
}

const isTable = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function typeOf(example: unknown): TypeName {
  if (typeof example === 'boolean') return 'boolean';
  if (typeof example === 'string') return 'string';
  if (Array.isArray(example)) return 'array';
  if (isTable(example)) return 'table';
  return example === 16 ? 'int16' : example === 64 ? 'int64' : example === 8 ? 'boolean' : 'int32';
}

/** A call: status 0 with the reply, or another status. */
function call(path: string, method: string, args: Table, limit: number): Promise<TableLike> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, ['call', method], { cwd: '/', env: ENVIRONMENT, stdio: 'pipe' });
    let said = '';
    let late = false;
    child.stdin.on('error', () => undefined); // it need not read
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stderr.resume();
    child.stdin.end(Buffer.from(JSON.stringify(args)).subarray(0, MOST_INPUT));
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL'); // itself, and nothing that it has started
    }, limit);
    function answer(): void {
      clearTimeout(timer);
      child.stdout.destroy();
      const parsed = firstValue(said);
      if (parsed.state === 'value' && isTable(parsed.value)) return resolve(parsed.value as TableLike);
      const status = parsed.state === 'nothing' ? Status.NO_DATA : Status.INVALID_ARGUMENT;
      reject(new UbusError(status, `${path} call ${method}${late ? ', which was killed,' : ''} said ${JSON.stringify(said.slice(0, 80))}`));
    }
    // What it has started may hold its streams, and is not waited for.
    child.on('exit', () => setTimeout(answer, 100));
    child.on('close', answer);
  });
}

/** Asks a plugin for its methods, and waits for it: rpcd answers nobody meanwhile. */
function list(path: string, limit: number): Methods | null {
  const { stdout } = spawnSync(path, ['list'], { cwd: '/', env: ENVIRONMENT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const parsed = firstValue(stdout);
  if (parsed.state === 'nothing' || parsed.state === 'cut') {
    process.stdout.write(`${path} list said no whole value\n`);
    // It holds the writing end of the pipe itself while it reads.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  if (parsed.state !== 'value' || !isTable(parsed.value) || Object.keys(parsed.value).length === 0) return null;
  return Object.fromEntries(
    Object.entries(parsed.value).map(([method, args]) => [
      method,
      {
        args: Object.fromEntries(Object.entries(isTable(args) ? args : {}).map(([name, example]) => [name, typeOf(example)])),
        answer: (given: Table) => call(path, method, given, limit),
      },
    ]),
  );
}

async function begin(socket: string, limit: number): Promise<Client> {
  const client = await connect({ path: socket, reconnect: false });
  await client.publish('session', {});
  for (const name of readdirSync(PLUGINS)) {
    const path = `${PLUGINS}/${name}`;
    const stat = statSync(path);
    const methods = stat.isFile() && (stat.mode & 0o100) !== 0 ? list(path, limit) : null;
    // A name that is taken stays with who has it.
    if (methods !== null) await client.publish(name, methods).catch((error: Error) => process.stdout.write(`${error.message}\n`));
  }
  process.stdout.write('loaded\n');
  return client;
}

async function main(socket: string, limit: number): Promise<void> {
  process.umask(0o077);
  let client = begin(socket, limit);
  process.on('SIGHUP', () => {
    client = client.then(async (old) => {
      old.close();
      await new Promise((resolve) => setTimeout(resolve, RESTART));
      return begin(socket, limit);
    });
  });
  await client;
}

const [, , socket, limit = '30000'] = process.argv;
if (socket?.startsWith('/') === true) void main(socket, Number(limit));
