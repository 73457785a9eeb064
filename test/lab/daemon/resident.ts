/** `sipalg serve` in the lab's router, a ubusd beside it, and requests from inside the router. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { connect } from '../../../src/ubus/connection.ts';
import type { Client } from '../../../src/ubus/connection.ts';
import { LINK_FILE } from '../../../src/http/listener.ts';
import { openLab } from '../lab.ts';
import type { Lab, LabOptions } from '../lab.ts';
import type { Process } from '../member.ts';
import { startUbusd } from '../ubusd.ts';
import type { Ubusd } from '../ubusd.ts';

export const PAGE = '<!doctype html><title>the page</title>';

/** Waits until `ask` gives something; an error that names `what` when it does not in time. */
export async function eventually<T>(what: string, ask: () => T | undefined | Promise<T | undefined>, patience = 10_000): Promise<T> {
  for (const end = Date.now() + patience; Date.now() < end;) {
    const got = await ask();
    if (got !== undefined) return got;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come within ${patience} ms`);
}

export interface Answered {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface Resident {
  lab: Lab;
  /** Starts ubusd, or starts it anew. */
  bus(): Promise<Ubusd>;
  client(): Promise<Client>;
  /** Starts the daemon. `slow`: before each `nft -f` it waits so many seconds; every nft hangs while /tmp/hang is there. */
  start(words?: readonly string[]): Daemon;
  /** A request from inside the router. */
  http(method: string, url: string, headers?: Record<string, string>, body?: string): Promise<Answered>;
  close(): Promise<void>;
}

export interface Daemon {
  process: Process;
  log(): string;
  /** The one-time link: in a file of root's, for the log is no terminal here. */
  link(patience?: number): Promise<string>;
  /** The first match of a pattern in the log. */
  said(pattern: RegExp, patience?: number): Promise<string>;
}

const SLOW_NFT = `#!/bin/sh
while [ -e /tmp/hang ]; do sleep 0.1; done
case " $* " in *" -c "*) ;; *" -f "*) [ -e /tmp/slow ] && sleep 3;; esac
exec /usr/sbin/nft "$@"
`;

/** Sends one request and prints its answer as JSON; the request is its only argument. */
const REQUEST = `
const { method, url, headers, body } = JSON.parse(process.argv[1]);
const door = require(url.startsWith('https') ? 'node:https' : 'node:http');
const request = door.request(url, { method, headers, rejectUnauthorized: false }, (response) => {
  let text = '';
  response.on('data', (part) => { text += part; });
  response.on('end', () => console.log(JSON.stringify({ status: response.statusCode, headers: response.headers, body: text })));
});
request.on('error', (error) => { console.error(error.message); process.exitCode = 1; });
request.end(body);
`;

export async function openResident(options: LabOptions = { ruleset: 'stock-alg-on' }): Promise<Resident> {
  const lab = await openLab(options);
  lab.files.write('/usr/lib/sipalg/page/index.html', PAGE);
  lab.files.write('/slow/nft', SLOW_NFT, 0o755);
  lab.files.write('/run/ubus/.keep', '');
  const socket = lab.files.host('/run/ubus/ubus.sock');
  mkdirSync(dirname(socket), { recursive: true });
  let ubusd: Ubusd | null = null;
  const clients: Client[] = [];

  return {
    lab,
    async bus() {
      await ubusd?.stop();
      return (ubusd = await startUbusd(socket));
    },
    async client() {
      const client = await connect({ path: socket, timeout: 20_000 });
      clients.push(client);
      return client;
    },
    start(words = []) {
      const process = lab.router.spawn(['sipalg', 'serve', ...words], { PATH: '/slow:/usr/sbin:/usr/bin:/sbin:/bin' });
      let text = '';
      process.child.stderr.on('data', (data: Buffer) => {
        text += data;
      });
      process.child.stdout.resume();
      return {
        process,
        log: () => text,
        link: async (patience) => {
          const at = await eventually('a page', () => /page: (http\S+) \(its link/g.exec(text)?.[1], patience).catch((error: Error) => {
            throw new Error(`${error.message}:\n${text}`);
          });
          return eventually('its link', () => (has(lab, LINK_FILE) ? lab.files.read(LINK_FILE).trim() : undefined)).then((link) => {
            if (!link.startsWith(at)) throw new Error(`${LINK_FILE} says ${link}, and the log ${at}`);
            return link;
          });
        },
        said: (pattern, patience) =>
          eventually(`${pattern} in the log`, () => pattern.exec(text)?.[1] ?? pattern.exec(text)?.[0], patience).catch((error: Error) => {
            throw new Error(`${error.message}:\n${text}`);
          }),
      };
    },
    async http(method, url, headers = {}, body = '') {
      const said = await lab.router.must(['node', '-e', REQUEST, JSON.stringify({ method, url, headers, body })]);
      return JSON.parse(said) as Answered;
    },
    async close() {
      for (const client of clients) client.close();
      await ubusd?.stop();
      await lab.close();
    },
  };
}

/** Whether the router has a file. */
export const has = (lab: Lab, path: string): boolean => existsSync(lab.files.host(path));
