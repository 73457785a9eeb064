/** The router's own login: sessions of rpcd, asked over ubus. Who may do what is written in its access lists. */
import { Status, UbusError } from '../ubus/status.ts';
import type { Table, TableLike } from '../ubus/value.ts';
import { METHODS, OBJECT } from '../object/object.ts';
import type { MethodName } from '../object/object.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';

/** A call over ubus; rejects with UbusError. */
export type BusCall = (object: string, method: string, args: TableLike) => Promise<Table>;

export interface Rights {
  read: boolean;
  write: boolean;
}

export type LoggedIn =
  /** The id of a session of rpcd. */
  | { rpcd: string }
  /** User name or password are wrong. */
  | { wrong: Line }
  /** Nobody could be asked. */
  | { unavailable: Said };

/** How rpcd answers for a session. `over`: it knows it no more. */
export type Access = 'granted' | 'refused' | 'over' | { unavailable: Said };

export interface Logins {
  login(username: string, password: string): Promise<LoggedIn>;
  access(rpcd: string, method: MethodName): Promise<Access>;
  /** Of the package `sipalg` of uci. */
  configuration(rpcd: string, right: 'read' | 'write'): Promise<Access>;
  /** The rights of a session; `over` when rpcd knows it no more. */
  rights(rpcd: string): Promise<Rights | 'over' | { unavailable: Said }>;
  /** Ends a session; one that is over already is ended. */
  end(rpcd: string): Promise<void>;
}

/** Seconds without a call after which rpcd ends the session; LuCI's own default. */
const TIMEOUT = 3600;

function unavailable(error: unknown): { unavailable: Said } {
  if (!(error instanceof UbusError)) throw error;
  if (error.status === Status.NOT_FOUND)
    return {
      unavailable: say(
        'http-no-rpcd',
        'No rpcd runs on this router, and without it nobody can log in; start it (`/etc/init.d/rpcd start`).',
      ),
    };
  return { unavailable: say('http-no-answer', "The router's login could not be asked: {because}.", { because: error.message }) };
}

export function createLogins(call: BusCall): Logins {
  async function ask(rpcd: string, scope: 'ubus' | 'uci', method: string): Promise<Access> {
    try {
      const { access: granted } = await call('session', 'access', {
        ubus_rpc_session: rpcd,
        scope,
        object: OBJECT,
        function: method,
      });
      return granted === true ? 'granted' : 'refused';
    } catch (error) {
      // Both say NOT_FOUND: a session that is over, and a router without rpcd. Only the first has the object.
      if (!(error instanceof UbusError) || error.status !== Status.NOT_FOUND) return unavailable(error);
      return 'over';
    }
  }

  const access = (rpcd: string, method: MethodName): Promise<Access> => ask(rpcd, 'ubus', method);

  return {
    access,
    configuration: (rpcd, right) => ask(rpcd, 'uci', right),
    async login(username, password) {
      try {
        const { ubus_rpc_session: rpcd } = await call('session', 'login', { username, password, timeout: TIMEOUT });
        return typeof rpcd === 'string' && rpcd !== ''
          ? { rpcd }
          : { wrong: say('http-not-opened', 'The router (rpcd) opened no session.') };
      } catch (error) {
        if (error instanceof UbusError && error.status === Status.PERMISSION_DENIED) 
          return { wrong: say('http-wrong-password', 'User name or password are wrong.') };
        return unavailable(error);
      }
    },
    async rights(rpcd) {
      const rights: Rights = { read: true, write: true };
      for (const [method, { right, ...more }] of Object.entries(METHODS)) {
        // An access list made before there was such a method still lets its user see the page.
        if ('as' in more || 'beside' in more) continue;
        const answer = await access(rpcd, method as MethodName);
        if (answer === 'over' || typeof answer === 'object') return answer;
        if (answer === 'refused') rights[right] = false;
      }
      return rights;
    },
    async end(rpcd) {
      try {
        await call('session', 'destroy', { ubus_rpc_session: rpcd });
      } catch (error) {
        // It is over, or ends by itself: rpcd counts the seconds too.
        if (!(error instanceof UbusError)) throw error;
      }
    },
  };
}
