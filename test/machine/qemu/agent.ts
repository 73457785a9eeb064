/**
 * The program in the virtual machine that starts programs for the test. Orders come in over a virtio serial port
 * as JSON lines, and what the programs say goes back the same way; `data` is base64.
 *
 *   in   { id, start: [program, argument...], env? }   { id, input: data }   { id, input: null } (no more)   { id, signal }
 *   out  { ready: what the boot complained of }   { id, out: data }   { id, err: data }   { id, ended: { status, signal } }
 *        { id, failed }
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, openSync, read, readFileSync, readdirSync } from 'node:fs';

type Order = {
  readonly id: number;
  readonly start?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | null;
  readonly signal?: NodeJS.Signals;
};

const running = new Map<number, ChildProcess>();

const name = readdirSync('/dev').find((each) => each.startsWith('vport'));
if (name === undefined) throw new Error('This machine has no virtio serial port.');
const port = openSync(`/dev/${name}`, 'r+');
const out = createWriteStream('', { fd: port });
const say = (line: object): void => {
  out.write(JSON.stringify(line) + '\n');
};

function obey(order: Order): void {
  const { id } = order;
  if (order.start) {
    const [program = '', ...argv] = order.start;
    const child = spawn(program, argv, { env: { ...process.env, ...order.env }, stdio: 'pipe', cwd: '/' });
    running.set(id, child);
    child.stdin.on('error', () => undefined); // it ended without reading; its status tells
    child.stdout.on('data', (data: Buffer) => say({ id, out: data.toString('base64') }));
    child.stderr.on('data', (data: Buffer) => say({ id, err: data.toString('base64') }));
    child.once('error', (error) => {
      running.delete(id);
      say({ id, failed: error.message });
    });
    child.once('close', (status, signal) => {
      if (running.delete(id)) say({ id, ended: { status, signal } });
    });
    return;
  }
  const child = running.get(id);
  if (order.input === null) child?.stdin?.end();
  else if (order.input !== undefined) child?.stdin?.write(Buffer.from(order.input, 'base64'));
  if (order.signal !== undefined) child?.kill(order.signal);
}

let begun = '';
const bytes = Buffer.alloc(65536);
function listen(): void {
  read(port, bytes, 0, bytes.length, null, (error, count) => {
    if (error) throw error;
    if (count === 0) {
      setTimeout(listen, 20);
      return;
    } // nobody at the other end yet
    begun += bytes.toString('latin1', 0, count); // JSON with base64 in it: ASCII
    const lines = begun.split('\n');
    begun = lines.pop()!;
    for (const line of lines) obey(JSON.parse(line) as Order);
    listen();
  });
}

function booted(): void {
  if (!existsSync('/tmp/boot.done')) {
    setTimeout(booted, 20);
    return;
  }
  say({ ready: readFileSync('/tmp/boot.log', 'utf8') });
  listen();
}
booted();
