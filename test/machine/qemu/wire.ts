/** The test's end of the line to the agent (agent.ts): programs in the machine, started and listened to. */
import { createServer, type Socket } from 'node:net';
import { PassThrough, Writable, type Readable } from 'node:stream';
import { createInterface } from 'node:readline';

export type Ended = { readonly status: number | null; readonly signal: NodeJS.Signals | null };

/** A program running in the machine. */
export type Remote = {
  readonly child: { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable };
  signal(name: NodeJS.Signals): void;
  /** Resolves when it is gone; an error if it could not be started, or the machine went away. */
  readonly ended: Promise<Ended>;
};

export type Wire = {
  /** Resolves with what the boot said when the machine is up. */
  readonly ready: Promise<string>;
  spawn(argv: readonly string[], env?: Readonly<Record<string, string>>): Remote;
  /** Ends the line; everything still running is an error that says `why`. */
  close(why: string): void;
};

type Said = { id?: number; ready?: string; out?: string; err?: string; ended?: Ended; failed?: string };
type Listener = { said(line: Said): void; lost(why: string): void };

/** Listens on a socket for the one machine that connects to it. */
export function openWire(path: string): Promise<Wire> {
  const listeners = new Map<number, Listener>();
  let ids = 0;
  let socket: Socket | undefined;
  let closed: string | undefined;
  let isReady: (boot: string) => void;
  let isNot: (error: Error) => void;
  const ready = new Promise<string>((resolve, reject) => {
    isReady = resolve;
    isNot = reject;
  });
  void Promise.allSettled([ready]); // a machine that never came up is told to whoever waits

  const server = createServer((connection) => {
    socket = connection;
    connection.on('error', () => undefined); // the machine lost power; `close` says so
    createInterface({ input: connection }).on('line', (line) => {
      const said = JSON.parse(line) as Said;
      if (said.ready !== undefined) isReady(said.ready);
      else listeners.get(said.id!)?.said(said);
    });
  });

  function spawn(argv: readonly string[], env?: Readonly<Record<string, string>>): Remote {
    const id = ++ids;
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const tell = (order: object): void => {
      socket?.write(JSON.stringify({ id, ...order }) + '\n');
    };
    const stdin = new Writable({
      write(chunk: Buffer, _encoding, done) {
        tell({ input: Buffer.from(chunk).toString('base64') });
        done();
      },
      final(done) {
        tell({ input: null });
        done();
      },
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      const lost = (why: string): void => {
        listeners.delete(id);
        stdout.end();
        stderr.end();
        reject(new Error(`${argv.join(' ')}: ${why}`));
      };
      if (closed !== undefined) {
        lost(closed);
        return;
      }
      listeners.set(id, {
        lost,
        said(line) {
          if (line.out !== undefined) stdout.write(Buffer.from(line.out, 'base64'));
          if (line.err !== undefined) stderr.write(Buffer.from(line.err, 'base64'));
          if (line.failed !== undefined) lost(line.failed);
          if (line.ended) {
            listeners.delete(id);
            stdout.end();
            stderr.end();
            resolve(line.ended);
          }
        },
      });
      tell({ start: argv, env });
    });
    void Promise.allSettled([ended]); // as above
    return { child: { stdin, stdout, stderr }, ended, signal: (name) => tell({ signal: name }) };
  }

  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () =>
      resolve({
        ready,
        spawn,
        close(why) {
          if (closed !== undefined) return;
          closed = why;
          server.close();
          socket?.destroy();
          isNot(new Error(why));
          for (const listener of [...listeners.values()]) listener.lost(why);
        },
      }),
    );
  });
}
