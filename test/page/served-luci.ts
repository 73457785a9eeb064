/** The view of LuCI as uhttpd would serve it, with the access group's rights, over an object that says what a test tells it to. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Arguments, MethodName, Reply } from '../../src/object/object.ts';
import { parseUci } from '../../src/languages/uci/parse.ts';
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
  /** Commands that are run by rpcd's object file. */
  started?: string[];
  /** /etc/config/sipalg; null: rpcd cannot give it. Default: what a package installs. */
  uciText?: string | null;
  /** What is written (`changed`) and applied (`apply`) through uci. */
  heard?: (method: string, args: Arguments) => void;
}

/** A status of ubus, to be thrown by `answer`. */
export class UbusStatus extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

type Group = Record<'read' | 'write', { ubus: Record<string, string[]>; uci: string[]; file: Record<string, string[]> }>;

const groupOf = (): Group => JSON.parse(readFileSync(ACL, 'utf8'))['luci-app-sipalg'] as Group;

function granted(object: string, method: string, write: boolean): boolean {
  const group = groupOf();
  // rpcd's object uci asks for the right to the package; `changed` stands for set, add and delete.
  if (object === 'uci') return method === 'get' ? group.read.uci.includes('sipalg') : write && group.write.uci.includes('sipalg');
  return (['read', ...(write ? ['write' as const] : [])] as const).some((right) => group[right].ubus[object]?.includes(method));
}

/** The file as rpcd gives it: sections by name, options by name. */
export function uciValues(text: string): Record<string, Record<string, unknown>> {
  const values: Record<string, Record<string, unknown>> = {};
  for (const { type, name, index, options } of parseUci(text).sections) {
    const section: Record<string, unknown> = { '.type': type, '.name': name ?? `cfg${index}`, '.index': index };
    for (const option of options)
      section[option.name] = option.kind === 'list' ? [...((section[option.name] as string[]) ?? []), option.value] : option.value;
    values[String(section['.name'])] = section;
  }
  return values;
}

export async function serveLuci(options: LuciOptions): Promise<Served> {
  const {
    folder,
    answer,
    write = true,
    rejects = true,
    timeout = 20_000,
    mark = '',
    second = 1000,
    uciText = readFileSync('files/etc/config/sipalg', 'utf8'),
  } = options;
  const settings = { write, rejects, timeout, mark, second };
  const html =
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>LuCI</title><div id="view"></div><script src="luci.js"></script></html>';
  const script = `const settings = ${JSON.stringify(settings)};\nconst scan = ${scan.toString()};\n${readFileSync('test/page/luci-form.js', 'utf8')}
${readFileSync('test/page/luci-stand-in.js', 'utf8')}`;

  async function ubus(body: string): Promise<object> {
    const {
      id,
      params: [, object, method, args],
    } = JSON.parse(body) as { id: number; params: [string, string, MethodName, Arguments] };
    if (!granted(object, method, write)) return { jsonrpc: '2.0', id, error: { code: -32002, message: 'Access denied' } };
    const told = (value: unknown): object => ({ jsonrpc: '2.0', id, result: [0, value] });
    if (object === 'uci' && method === ('get' as string))
      return uciText === null ? { jsonrpc: '2.0', id, result: [4] } : told({ values: uciValues(uciText) });
    if (object === 'file') {
      const line = [String(args['command']), ...(args['params'] as string[])].join(' ');
      if (groupOf().write.file[line] === undefined) return { jsonrpc: '2.0', id, result: [6] };
      options.started?.push(line);
      return told({ code: 0 });
    }
    if (object === 'uci') {
      options.heard?.(method, args);
      return told({});
    }
    try {
      return told(await answer(method, args));
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
