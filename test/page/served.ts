/** The own mount, real from the socket to the gate, over an object that says what a test tells it to. */
import { say } from '../../src/words/say.ts';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAttempts } from '../../src/http/attempts.ts';
import type { Clock } from '../../src/host/clock.ts';
import type { Host } from '../../src/host/host.ts';
import { createConfiguration } from '../../src/daemon/configuration.ts';
import { clearText } from '../../src/http/certificate.ts';
import { createMount } from '../../src/http/routes.ts';
import type { Arguments, MethodName, Reply } from '../../src/object/object.ts';
import type { Logins, Rights } from '../../src/http/logins.ts';
import { listen } from '../../src/engines/node/http-server.ts';
import { createSessions } from '../../src/http/sessions.ts';

export interface Served {
  /** With the one-time link where there is one. */
  url: string;
  close(): Promise<void>;
}

export interface ServedOptions {
  /** Where dist/page is. */
  folder: string;
  answer: (method: MethodName, args: Arguments) => Promise<Reply>;
  /** Not given: a link opens it. Given: a login does (root / secret), with these rights. */
  rights?: Rights;
  port?: number;
  /** /etc/config/sipalg: read and written here. Default: what a package installs. */
  file?: { text: string };
  /** Hears every command of a change that is written. */
  echo?: (command: string) => void;
  /** The words of a language, as JSON. */
  words?: (language: string) => Promise<string | null>;
}

/** A machine that has this one file. */
export const hostOf = (file: { text: string }): Host =>
  ({
    read: async (path: string) => ({ state: 'present', value: file.text, source: path }),
    write: async (_: string, text: string) => {
      file.text = text;
    },
    lock: async () => ({ lock: { release: async () => undefined } }),
    process: () => ({ pid: 1, uid: 0 }),
  }) as unknown as Host;

const clock: Clock = {
  now: () => Math.round(performance.now()),
  after(milliseconds, task) {
    const timer = setTimeout(task, milliseconds);
    return () => clearTimeout(timer);
  },
};

function loginsWith(rights: Rights): Logins {
  return {
    login: async (username, password) =>
      username === 'root' && password === 'secret' ? { rpcd: 'a session' } : { wrong: 'User name or password are wrong.' },
    access: async (_rpcd, method) => ((method === 'status' || method === 'plan' ? rights.read : rights.write) ? 'granted' : 'refused'),
    rights: async () => rights,
    configuration: async (_rpcd, right) => (rights[right] ? 'granted' : 'refused'),
    end: async () => undefined,
  };
}

export async function serve({ folder, answer, rights, port = 0, ...given }: ServedOptions): Promise<Served> {
  const sessions = createSessions(clock, (bytes) => randomBytes(bytes).toString('base64url'));
  const login = rights === undefined ? ('token' as const) : ('password' as const);
  const mount = createMount({
    login,
    port,
    names: () => ['127.0.0.1'],
    sessions,
    attempts: createAttempts(clock),
    busless: () => null,
    logins: loginsWith(rights ?? { read: true, write: true }),
    say: () => undefined,
    clear: rights === undefined ? null : clearText({ cert: '/etc/uhttpd.crt', key: '/etc/uhttpd.key', named: false }),
    another: say('start-again', 'start it again'),
    call: (method, args) => answer(method, args),
    configuration: createConfiguration({
      host: hostOf(given.file ?? { text: readFileSync('files/etc/config/sipalg', 'utf8') }),
      echo: given.echo ?? (() => undefined),
      onWritten: () => undefined,
    }),
    ...(given.words === undefined ? {} : { words: given.words }),
    file: async (name) => ({ text: readFileSync(join(folder, name), 'utf8') }),
  });
  const listening = await listen({ address: '127.0.0.1', port }, mount, () => undefined);
  const url = `http://127.0.0.1:${listening.place.port}/`;
  return { url: login === 'token' ? `${url}?token=${sessions.newToken()}` : url, close: () => listening.close(100) };
}
