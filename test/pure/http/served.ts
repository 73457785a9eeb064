/** The page's own mount without a socket, and an rpcd to log in at. */
import { createAttempts } from '../../../src/http/attempts.ts';
import type { Answer, Asked } from '../../../src/http/message.ts';
import { createMount } from '../../../src/http/routes.ts';
import type { MountOptions } from '../../../src/http/routes.ts';
import { say } from '../../../src/words/say.ts';
import { WrongArgument } from '../../../src/object/object.ts';
import type { Reply } from '../../../src/object/object.ts';
import { createLogins } from '../../../src/http/logins.ts';
import { createSessions } from '../../../src/http/sessions.ts';
import { Status, UbusError } from '../../../src/ubus/status.ts';
import { counting, handClock } from '../daemon/hand.ts';

export const HOST = '127.0.0.1:8061';
export const PAGE = '<!doctype html><title>SIP ALG</title>';

/** rpcd as it answers over ubus: one user who may read, one who may write, one who may nothing. */
function rpcd() {
  const rights: Record<string, string[]> = { viewer: ['status', 'plan'], root: ['status', 'plan', 'disable', 'enable'], guest: [] };
  const open = new Map<string, string>();
  const state = { broken: null as number | null, calls: [] as string[] };
  return {
    state,
    open,
    async call(object: string, method: string, args: Record<string, unknown>) {
      state.calls.push(`${object} ${method}`);
      if (state.broken !== null) throw new UbusError(state.broken);
      const sid = String(args['ubus_rpc_session']);
      if (method === 'login') {
        const user = String(args['username']);
        if (rights[user] === undefined || args['password'] !== 'right') throw new UbusError(Status.PERMISSION_DENIED);
        open.set(`sid-${user}`, user);
        return { ubus_rpc_session: `sid-${user}` };
      }
      if (!open.has(sid)) throw new UbusError(Status.NOT_FOUND);
      if (method === 'destroy') open.delete(sid);
      return { access: rights[open.get(sid) ?? '']?.includes(String(args['function'])) === true };
    },
  };
}

export function mounted(otherwise: Partial<MountOptions> = {}) {
  const clock = handClock();
  const random = counting();
  const sessions = createSessions(clock, random);
  const lines: string[] = [];
  const calls: string[] = [];
  const bus = rpcd();
  const handle = createMount({
    login: 'token',
    port: 8061,
    names: () => ['127.0.0.1', 'localhost', '::1'],
    async call(method, args) {
      calls.push(`${method} ${JSON.stringify(args)}`);
      if (args['wrong'] === true) throw new WrongArgument('It is wrong.');
      if (args['broken'] === true) throw new TypeError('x is not a function');
      return { version: 'test' } as Reply;
    },
    sessions,
    attempts: createAttempts(clock),
    logins: createLogins(bus.call),
    busless: () => null,
    file: async (name) =>
      name === 'page.css' ? { lacking: "The page's file page.css could not be read: it is not there." } : { text: PAGE },
    say: (line) => lines.push(line),
    another: say('http-prints-another', '{reload} makes it print another', { reload: '`kill -HUP 1`' }),
    ...otherwise,
  });
  const ask = (
    method: string,
    target: string,
    headers: [string, string][] = [['host', HOST]],
    body: string | null = '',
    address = '127.0.0.1',
  ): Promise<Answer> => handle({ method, target, headers, body, address } satisfies Asked);
  const post = (
    target: string,
    value: unknown,
    {
      cookie = '',
      without = '',
      as = {},
      address = '127.0.0.1',
    }: { cookie?: string; without?: string; as?: Record<string, string>; address?: string } = {},
  ): Promise<Answer> => {
    const headers: Record<string, string> = {
      host: HOST,
      origin: `http://${HOST}`,
      'x-sipalg': '1',
      'content-type': 'application/json',
      ...(cookie === '' ? {} : { cookie }),
      ...as,
    };
    return ask(
      'POST',
      target,
      Object.entries(headers).filter(([name]) => name !== without),
      typeof value === 'string' || value === null ? (value as string) : JSON.stringify(value),
      address,
    );
  };
  const link = async (): Promise<string> => {
    const { headers } = await ask('GET', `/?token=${sessions.newToken()}`);
    return headers['set-cookie']?.split(';')[0] ?? '';
  };
  return { clock, sessions, lines, calls, bus, handle, ask, post, link };
}
