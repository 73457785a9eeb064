/**
 * The page's own mount: every request and its answer, without a socket. On
 * loopback a one-time link opens a session; on any other address the router's
 * own login does, and its rights are asked of rpcd at every call.
 */
import type { Attempts } from './attempts.ts';
import { answerConfiguration } from './configuration.ts';
import type { ConfigurationDoor } from './configuration.ts';
import { cookiesOf, headerOf, json, MOST_BODY, MOST_CHANGE, partsOf, refusal, SAFE_HEADERS } from './message.ts';
import type { Answer, Asked, Handle, Head } from './message.ts';
import { checkHost, checkOrigin, isFromAnotherSite } from './origin.ts';
import { isMethod, METHODS, WrongArgument } from '../object/object.ts';
import type { Answer as Answered, Arguments, MethodName } from '../object/object.ts';
import type { Logins, Rights } from './logins.ts';
import { LONGEST } from './sessions.ts';
import type { SayLine } from '../host/log.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import type { Session, Sessions } from './sessions.ts';

export interface MountOptions {
  /** How sessions are opened here. */
  login: Session['login'];
  /** The port, for the cookie's name: other ports of an address share its cookies. */
  port: number;
  /** The names and addresses this machine answers to. */
  names: () => readonly string[];
  call: (method: MethodName, args: Arguments) => Promise<Answered>;
  sessions: Sessions;
  attempts: Attempts;
  logins: Logins;
  /** It is served over TLS, and to who asks without it nothing is told but where. Not given: it is not. */
  tls?: boolean;
  /** What a person is told before a password is sent in clear; null or not given where it is not. */
  clear?: Said | null;
  /** The link has been used. */
  onLink?: () => void;
  /** Why there is no ubus; null while there is. */
  busless: () => string | null;
  /** The text of a file of the page; a sentence where it is not there. */
  file: (name: string) => Promise<{ text: string } | { lacking: string }>;
  /** Lines for the log. */
  say: SayLine;
  /** The same for what anybody may cause as often as they like; `say` where it is not given. */
  complain?: (line: string) => void;
  /** How to get another link, as the end of a sentence. */
  another: Said;
  /** The language of the page as the configuration says it; `auto` where it is not given. */
  lang?: () => string;
  /** /etc/config/sipalg; not given: there is no form. */
  configuration?: ConfigurationDoor;
  /** The words of a language as JSON; null where it is not there. */
  words?: (language: string) => Promise<string | null>;
}

/** What the page is made of, all of it. */
const FILES: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
};

/** The page's words in another language. */
const WORDS = /^\/words\/([a-z]{2,3}(?:_[A-Za-z]{4})?(?:_[A-Z]{2})?)\.json$/;

const POSTS: readonly string[] = ['/call', '/login', '/logout', '/configuration', '/configure'];
const MOST_TARGET = 2048;
/** Characters a user name and a password may have. */
const MOST_WORDS = 256;
const ALL: Rights = { read: true, write: true };

export function createMount(options: MountOptions): Handle {
  const { sessions, attempts, logins, call, say: log, lang = () => 'auto', tls = false, clear = null } = options;
  const complain = options.complain ?? log;
  const cookie = `sipalg_${options.port}`;
  const kept = `Path=/; HttpOnly; SameSite=Strict${tls ? '; Secure' : ''}`;
  const cookieText = (id: string, seconds: number): string => `${cookie}=${id}; ${kept}; Max-Age=${seconds}`;
  const howToLogIn =
    options.login === 'token'
      ? say('http-open-link', 'Open the link that `sipalg serve` has given out; {another}.', { another: options.another })
      : say('http-log-in', 'Log in first.');
  const noSession = (): Answer =>
    refusal(401, say('http-no-session', 'There is no session, or it is over. {what}', { what: howToLogIn }), {
      'set-cookie': cookieText('', 0),
    });

  const sessionOf = (asked: Head): Session | null => sessions.find(cookiesOf(asked).get(cookie) ?? '');

  /** Too many failures: when to come again. */
  function tooSoon(wait: number): Answer {
    const seconds = Math.max(1, Math.ceil(wait / 1000));
    return refusal(429, say('http-too-soon', 'Too many attempts have failed; try again in {seconds} s.', { seconds }), {
      'retry-after': String(seconds),
    });
  }

  function opened(login: Session['login'], rpcd: string | null): Session {
    const { session, over } = sessions.open(login, rpcd);
    for (const one of over) if (one.rpcd !== null) void logins.end(one.rpcd);
    return session;
  }

  function openByLink(asked: Asked, token: string): Answer {
    if (options.login !== 'token') return refusal(403, 'This page is opened by logging in, not by a link.');
    // The right one is never kept waiting: whoever guesses (any page of the web, any user of this machine) would keep its
    // owner out, and 256 random bits are guessed by nobody.
    if (!sessions.spend(token)) {
      const wait = isFromAnotherSite(asked) ? 0 : attempts.begin(asked.address);
      if (wait > 0) return tooSoon(wait);
      const { another } = options;
      return refusal(403, say('http-link-over', 'This link has been used, is too old, or was never given out; {another}.', { another }));
    }
    attempts.succeeded(asked.address);
    options.onLink?.();
    const session = opened('token', null);
    log(`page: a session was opened by the link, from ${asked.address}`);
    return { status: 303, headers: { ...SAFE_HEADERS, location: '/', 'set-cookie': cookieText(session.id, LONGEST / 1000) }, body: '' };
  }

  async function get(asked: Asked, path: string, query: ReadonlyMap<string, string>): Promise<Answer> {
    const token = query.get('token');
    if (path === '/' && token !== undefined) return openByLink(asked, token);
    if (path === '/session') return tellSession(asked);
    if (path === '/favicon.ico') return { status: 204, headers: { ...SAFE_HEADERS }, body: '' };
    const language = WORDS.exec(path)?.[1];
    if (language !== undefined) {
      const words = await options.words?.(language);
      return words === undefined || words === null
        ? refusal(404, `There are no words in the language ${language}.`)
        : { status: 200, headers: { ...SAFE_HEADERS, 'content-type': 'application/json' }, body: words };
    }
    const [name, type] = FILES[path] as readonly [string, string];
    const file = await options.file(name);
    if ('lacking' in file) return refusal(404, file.lacking);
    return { status: 200, headers: { ...SAFE_HEADERS, 'content-type': type }, body: file.text };
  }

  async function rightsOf(session: Session): Promise<Rights | Answer> {
    if (session.rpcd === null) return ALL;
    const rights = await logins.rights(session.rpcd);
    if (rights === 'over') {
      sessions.close(session.id);
      return noSession();
    }
    return 'unavailable' in rights ? refusal(503, rights.unavailable) : rights;
  }

  /** Without a session: no rights, and how to get some. */
  async function tellSession(asked: Asked): Promise<Answer> {
    const session = sessionOf(asked);
    const rights = session === null ? noSession() : await rightsOf(session);
    const more = { login: options.login, lang: lang(), ...(clear === null ? {} : { clear }) };
    if (!('status' in rights)) return json(200, { rights, ...more });
    return rights.status === 401 ? json(200, { rights: { read: false, write: false }, ...more }) : rights;
  }

  async function logIn(asked: Asked, given: Arguments): Promise<Answer> {
    const { username, password } = given;
    if (options.login !== 'password')
      return refusal(403, say('http-no-login', 'On this address there is no login. {what}', { what: howToLogIn }));
    for (const [name, value] of Object.entries({ username, password })) {
      if (typeof value !== 'string' || value.length > MOST_WORDS)
        return refusal(400, `The field ${name} must be a text of at most ${MOST_WORDS} characters.`);
    }
    const wait = attempts.begin(asked.address);
    if (wait > 0) return tooSoon(wait);
    const answer = await logins.login(username as string, password as string);
    if ('unavailable' in answer) {
      // Nobody has looked at the password.
      attempts.succeeded(asked.address);
      return refusal(503, answer.unavailable);
    }
    if ('wrong' in answer) {
      complain(`page: a login from ${asked.address} failed`);
      return refusal(403, answer.wrong);
    }
    attempts.succeeded(asked.address);
    const session = opened('password', answer.rpcd);
    const rights = await rightsOf(session);
    if ('status' in rights) return rights;
    if (!rights.read && !rights.write) {
      sessions.close(session.id);
      await logins.end(answer.rpcd);
      return refusal(
        403,
        say(
          'http-no-right',
          'This user has no right to see the SIP ALG; an administrator grants it by the access group luci-app-sipalg (/etc/config/rpcd).',
        ),
      );
    }
    log(`page: a user has logged in from ${asked.address}`);
    return json(200, { rights, login: 'password' }, { 'set-cookie': cookieText(session.id, LONGEST / 1000) });
  }

  async function logOut(asked: Asked): Promise<Answer> {
    const session = sessions.close(cookiesOf(asked).get(cookie) ?? '');
    if (session !== null && session.rpcd !== null) await logins.end(session.rpcd);
    return json(200, { result: true }, { 'set-cookie': cookieText('', 0) });
  }

  async function callMethod(asked: Asked, given: Arguments): Promise<Answer> {
    const session = sessionOf(asked);
    if (session === null) return noSession();
    const { method, args = {} } = given;
    const known = Object.keys(METHODS).join(', ');
    if (typeof method !== 'string' || !isMethod(method))
      return refusal(400, `There is no method ${JSON.stringify(method)?.slice(0, 60) ?? 'given'}; the methods are ${known}.`);
    if (typeof args !== 'object' || args === null || Array.isArray(args)) return refusal(400, 'The field args must be an object.');
    if (session.rpcd !== null) {
      const access = await logins.access(session.rpcd, method);
      if (typeof access === 'object') return refusal(503, access.unavailable);
      if (access === 'over') {
        sessions.close(session.id);
        return noSession();
      }
      if (access === 'refused')
        return refusal(
          403,
          METHODS[method].right === 'write'
            ? say('http-no-write', 'This session may not change anything here: the user lacks the right to call {method}.', { method })
            : say('http-no-read', 'This session may not see the SIP ALG: the user lacks the right to call {method}.', { method }),
        );
    }
    try {
      return json(200, { result: await call(method, args as Arguments) });
    } catch (error) {
      if (error instanceof WrongArgument) return refusal(400, error.message);
      complain(`page: ${method} failed: ${(error as Error).message}`);
      return refusal(500, `The method ${method} failed within sipalg itself: ${(error as Error).message}.`);
    }
  }

  async function configuration(asked: Asked, write: boolean, given: Arguments): Promise<Answer> {
    const session = sessionOf(asked);
    if (session === null) return noSession();
    if (options.configuration === undefined) return refusal(404, 'The configuration is not to be had here.');
    const answer = await answerConfiguration(options.configuration, session, logins, write, given);
    if (answer !== 'over') return answer;
    sessions.close(session.id);
    return noSession();
  }

  async function post(asked: Asked, path: string): Promise<Answer> {
    const origin = checkOrigin(asked);
    if (origin !== null) return origin;
    const type = headerOf(asked, 'content-type')?.split(';')[0]?.trim().toLowerCase();
    if (type !== 'application/json')
      return refusal(415, `The body is ${JSON.stringify(type?.slice(0, 60) ?? 'of no type')}; it must be application/json.`);
    if (asked.body === null) return refusal(400, 'The body is not UTF-8.');
    let given: unknown;
    try {
      given = JSON.parse(asked.body === '' ? '{}' : asked.body);
    } catch (error) {
      return refusal(400, `The body is not JSON: ${(error as Error).message}.`);
    }
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return refusal(400, 'The body must be a JSON object.');
    if (path === '/call') return callMethod(asked, given as Arguments);
    if (path === '/configuration' || path === '/configure') return configuration(asked, path === '/configure', given as Arguments);
    return path === '/login' ? logIn(asked, given as Arguments) : logOut(asked);
  }

  /** Without TLS on a port that speaks it. The name it was asked by is one of this machine's. */
  function elsewhere(asked: Asked, path: string): Answer {
    const url = `https://${headerOf(asked, 'host') ?? ''}`;
    if (asked.method === 'GET' || asked.method === 'HEAD')
      return { status: 307, headers: { ...SAFE_HEADERS, location: `${url}${path.startsWith('/') ? path : '/'}` }, body: '' };
    return refusal(403, say('http-use-tls', 'Without TLS nothing is taken here; the page is at {url}.', { url: `${url}/` }));
  }

  /** Whoever has not logged in, or comes from another site, keeps nothing here. */
  function most(head: Head): number {
    const isChange = head.method === 'POST' && partsOf(head.target).path === '/configure' && (!tls || head.secure === true);
    if (!isChange || options.configuration === undefined || checkHost(head, options.names()) !== null) return MOST_BODY;
    return checkOrigin(head) === null && sessionOf(head) !== null ? MOST_CHANGE : MOST_BODY;
  }

  async function answer(asked: Asked): Promise<Answer> {
    const refused = checkHost(asked, options.names());
    if (refused !== null) return refused;
    if (asked.target.length > MOST_TARGET) return refusal(414, `The address is longer than ${MOST_TARGET} characters.`);
    const { path, query } = partsOf(asked.target);
    if (tls && asked.secure !== true) return elsewhere(asked, path);
    const reads = Object.hasOwn(FILES, path) || WORDS.test(path) || path === '/session' || path === '/favicon.ico';
    if (!reads && !POSTS.includes(path))
      return refusal(404, `There is nothing at ${JSON.stringify(path.slice(0, 100))}; the page is at /.`);
    const allowed = reads ? ['GET', 'HEAD'] : ['POST'];
    if (!allowed.includes(asked.method))
      return refusal(405, `${path} takes ${allowed.join(' and ')}, not ${asked.method.slice(0, 20)}.`, { allow: allowed.join(', ') });
    if (options.login === 'password') {
      const because = options.busless();
      if (because !== null)
        return refusal(503, `On this address the page asks for the router's own login, and without ubus nobody can log in: ${because}.`, {
          'retry-after': '5',
        });
    }
    return reads ? get(asked, path, query) : post(asked, path);
  }

  return Object.assign(answer, { most });
}
