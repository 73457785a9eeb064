/** A door to this machine in a process of its own, on either engine, as a test speaks to it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Host } from '../../../src/host/host.ts';
import { bundled, type Engine } from '../../bundled.ts';
import { startOf } from '../start.ts';
import type { Reply, Request } from './serve.ts';

export const ENGINES: readonly Engine[] = ['node', 'quickjs'];

/** The operations of Host, each of which takes its time here. */
type Remote = {
  [Name in Exclude<keyof Host, 'lock'>]: (...given: Parameters<Required<Host>[Name]>) => Promise<Awaited<ReturnType<Required<Host>[Name]>>>;
} & Pick<Host, 'lock'>;

export interface Door extends Remote {
  pid: number;
  /** What it wrote on standard error; nothing, if all is well. */
  complaints(): string;
  /** Resolves when it has ended. */
  close(): Promise<void>;
  kill(): Promise<void>;
}

export interface DoorOptions {
  env?: Readonly<Record<string, string>>;
  /** In sh, before it becomes the engine: `umask 077`. */
  before?: string;
  /** Redirections in sh: `2>&-`. */
  redirected?: string;
}

/** All of them, which the compiler sees to. */
const OPERATIONS: Readonly<Record<Exclude<keyof Host, 'lock'>, true>> = {
  read: true,
  list: true,
  kind: true,
  write: true,
  poke: true,
  narrow: true,
  remove: true,
  run: true,
  addresses: true,
  now: true,
  elapsed: true,
  process: true,
};

/** Milliseconds that an end may take. */
const PATIENCE = 3000;

const ASCII = /[\u0080-\uffff]/g;

export async function openDoor(engine: Engine, { env = {}, before = ':', redirected = '' }: DoorOptions = {}): Promise<Door> {
  const file = join(mkdtempSync(join(tmpdir(), 'door-')), engine === 'node' ? 'door.cjs' : 'door.mjs');
  writeFileSync(file, await bundled(`test/engines/doors/${engine}.ts`, engine));
  const command = [...(await startOf(engine)), file];
  const child = spawn('/bin/sh', ['-c', `${before}; exec "$@" ${redirected}`, 'sh', ...command], {
    detached: true, // a group of its own, for signals that go to a group
    env: { ...process.env, ...env },
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => {
    child.on('close', (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Error(`the door on ${engine} ended with ${code ?? signal}: ${said}`));
      resolve();
    });
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const reply = JSON.parse(line) as Reply;
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) asked?.reject(new Error(reply.error));
    else asked?.resolve(reply.value);
  });
  let last = 0;
  const ask = (operation: Request['operation'], ...given: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, { resolve, reject });
      const request: Request = { id, operation, given };
      child.stdin.write(`${JSON.stringify(request).replace(ASCII, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`);
    });
  return {
    ...(Object.fromEntries(
      Object.keys(OPERATIONS).map((name) => [name, (...given: unknown[]) => ask(name as Request['operation'], ...given)]),
    ) as unknown as Remote),
    async lock(...given) {
      const got = (await ask('lock', ...given)) as { lock: number } | { busy: string };
      return 'busy' in got ? got : { lock: { release: async () => void (await ask('release', got.lock)) } };
    },
    pid: child.pid as number,
    complaints: () => said,
    async close() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE); // a test that failed may have left a lock held
      await ended;
      clearTimeout(timer);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
