/** The view of LuCI as uhttpd would serve it, with the access group's rights, over an object that says what a test tells it to. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Arguments, MethodName, Reply } from '../../src/object/object.ts';
import { scan } from './loader.ts';
import type { Served } from './served.ts';

const ACL = 'package/luci-app-sipalg/root/usr/share/rpcd/acl.d/luci-app-sipalg.json';

export interface LuciOptions {
  /** Where dist/luci is. */
  folder: string;
  answer: (method: MethodName, args: Arguments) => Promise<Reply>;
  /** Does the session have the write part of the access group? */
  write?: boolean;
  /** Does LuCI know `reject`? Old ones resolve with ubus' status instead. */
  rejects?: boolean;
  /** Milliseconds until a request has taken too long. */
  timeout?: number;
  /** Put around every translated text. */
  mark?: string;
  /** Milliseconds of a second of polling. */
  second?: number;
}

/** A status of ubus, to be thrown by `answer`. */
export class UbusStatus extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

function granted(method: string, write: boolean): boolean {
  const group = JSON.parse(readFileSync(ACL, 'utf8'))['luci-app-sipalg'] as Record<'read' | 'write', { ubus: Record<string, string[]> }>;
  return (['read', ...(write ? ['write' as const] : [])] as const).some((right) => group[right].ubus['sipalg']?.includes(method));
}

export async function serveLuci(options: LuciOptions): Promise<Served> {
  const { folder, answer, write = true, rejects = true, timeout = 20_000, mark = '', second = 1000 } = options;
  const settings = { write, rejects, timeout, mark, second };
  const html =
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>LuCI</title><div id="view"></div><script src="luci.js"></script></html>';
  const script = `const settings = ${JSON.stringify(settings)};\nconst scan = ${scan.toString()};\n${readFileSync('test/page/luci-stand-in.js', 'utf8')}`;

  async function ubus(body: string): Promise<object> {
    const {
      id,
      params: [, object, method, args],
    } = JSON.parse(body) as { id: number; params: [string, string, MethodName, Arguments] };
    if (object !== 'sipalg' || !granted(method, write)) return { jsonrpc: '2.0', id, error: { code: -32002, message: 'Access denied' } };
    try {
      return { jsonrpc: '2.0', id, result: [0, await answer(method, args)] };
    } catch (error) {
      if (!(error instanceof UbusStatus)) throw error;
      return { jsonrpc: '2.0', id, result: [error.status] };
    }
  }

  const server = createServer((request, response) => {
    const send = (type: string, text: string): void => void response.writeHead(200, { 'content-type': type }).end(text);
    const path = request.url ?? '';
    if (path === '/') return send('text/html', html);
    if (path === '/luci.js') return send('text/javascript', script);
    if (path.startsWith('/luci-static/')) return send('text/javascript', readFileSync(join(folder, 'htdocs', path), 'utf8'));
    if (!path.startsWith('/ubus/')) return void response.writeHead(204).end();
    let body = '';
    request.on('data', (part: Buffer) => {
      body += part.toString();
    });
    request.on('end', () => {
      ubus(body).then(
        (reply) => send('application/json', JSON.stringify(reply)),
        (error: Error) => void response.writeHead(500).end(error.message),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
