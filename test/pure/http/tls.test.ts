/** The page's own mount with TLS, and what it says without. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clearText } from '../../../src/http/certificate.ts';
import type { Certificate } from '../../../src/http/certificate.ts';
import { createPage, LINK_FILE } from '../../../src/http/listener.ts';
import type { PageOptions } from '../../../src/http/listener.ts';
import type { Level } from '../../../src/host/log.ts';
import type { Reply } from '../../../src/object/object.ts';
import { createLogins } from '../../../src/http/logins.ts';
import { counting, handClock, settle } from '../daemon/hand.ts';
import { HOST, mounted } from './served.ts';

const STOCK = { cert: '/etc/uhttpd.crt', key: '/etc/uhttpd.key', named: false };
const secure = { secure: true } as const;

const mount = suite('a mount with TLS');

mount('gives out a cookie that goes over TLS alone, and takes its own https origin', async () => {
  const { sessions, handle } = mounted({ tls: true });
  const asked = { method: 'GET', target: `/?token=${sessions.newToken()}`, headers: [['host', HOST]], body: '', address: '127.0.0.1' } as const;
  const { headers } = await handle({ ...asked, ...secure });
  const cookie = headers['set-cookie'] ?? '';
  assert.match(cookie, /^sipalg_8061=[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=43200$/);
  const post = (origin: string) =>
    handle({
      ...asked,
      ...secure,
      method: 'POST',
      target: '/call',
      headers: [
        ['host', HOST],
        ['origin', origin],
        ['x-sipalg', '1'],
        ['content-type', 'application/json'],
        ['cookie', cookie.split(';')[0] as string],
      ],
      body: '{"method":"status"}',
    });
  assert.is((await post(`https://${HOST}`)).status, 200);
  assert.is((await post(`http://${HOST}`)).status, 403);
});

mount('sends who asks without TLS to where it is, and takes nothing from them', async () => {
  const { ask, post, sessions } = mounted({ tls: true });
  const token = sessions.newToken();
  const { status, headers, body } = await ask('GET', `/?token=${token}`);
  assert.equal([status, headers['location'], body], [307, `https://${HOST}/`, '']);
  assert.ok(sessions.tokenOpen(), 'the link is not spent');
  for (const target of ['@evil.example/', '.evil.example/', 'http://evil.example/', '*'])
    assert.is((await ask('GET', target)).headers['location'], `https://${HOST}/`, target);
  const login = await post('/login', { username: 'root', password: 'right' });
  assert.is(login.status, 403);
  assert.equal(JSON.parse(login.body), {
    error: `Without TLS nothing is taken here; the page is at https://${HOST}/.`,
    code: 'http-use-tls',
    parameters: { url: `https://${HOST}/` },
  });
  assert.is((await ask('GET', '/', [['host', 'evil.example']])).status, 421, 'and to no other name');
});

mount('says before a login that the password would go in clear, and only then', async () => {
  const clear = clearText(STOCK);
  const told = async (options: Parameters<typeof mounted>[0]) => {
    const asked = { method: 'GET', target: '/session', headers: [['host', HOST]], body: '', address: '127.0.0.1' } as const;
    return JSON.parse((await mounted(options).handle({ ...asked, ...secure })).body).clear;
  };
  assert.equal(await told({ login: 'password', clear }), clear);
  assert.match(clear.text, /^The password goes over the network in clear, .* \(\/etc\/uhttpd\.crt, \/etc\/uhttpd\.key\)/);
  assert.is(await told({ login: 'password', tls: true, clear: null }), undefined);
  assert.is(await told({}), undefined);
});

mount('tells a session that is over (401) from a right that is lacking (403), each by a code', async () => {
  const { post, bus } = mounted({ login: 'password' });
  const opened = await post('/login', { username: 'viewer', password: 'right' });
  const cookie = opened.headers['set-cookie']?.split(';')[0] ?? '';
  const refused = await post('/call', { method: 'disable' }, { cookie });
  assert.is(refused.status, 403);
  assert.equal(JSON.parse(refused.body), {
    error: 'This session may not change anything here: the user lacks the right to call disable.',
    code: 'http-no-write',
    parameters: { method: 'disable' },
  });
  bus.open.clear(); // rpcd has ended it
  const over = await post('/call', { method: 'status' }, { cookie });
  assert.is(over.status, 401);
  const said = JSON.parse(over.body) as { error: string; code: string };
  assert.equal([said.error, said.code], ['There is no session, or it is over. Log in first.', 'http-no-session']);
});

/** A page on sockets that are none, its certificate and its log. */
function paged(certificate: Certificate, terminal = false) {
  const clock = handClock();
  const lines: [Level, string][] = [];
  const files = new Map<string, string>();
  const opened: string[] = [];
  const state = { certificate };
  const page = createPage({
    doors: {
      host: {
        read: async (path: string) =>
          files.has(path) ? { state: 'present', value: files.get(path), source: path } : { state: 'absent', source: path },
        write: async (path: string, text: string, mode?: number) => {
          assert.is(mode, 0o600);
          files.set(path, text);
        },
        remove: async (path: string) => void files.delete(path),
        addresses: () => [],
        process: () => ({ pid: 7, uid: 0 }),
      } as unknown as PageOptions['doors']['host'],
      clock,
      random: counting(),
      async listen(place, _handle, _trouble, pair) {
        const text = `${pair === null ? 'http' : pair.cert} ${place.address}:${place.port}`;
        opened.push(text);
        return { place, close: async () => void opened.push(`closed ${text}`) };
      },
      say: (line, level = 'info') => lines.push([level, line]),
      certificate: async () => state.certificate,
      onTerminal: () => terminal,
    },
    folder: '/page',
    call: async () => ({}) as Reply,
    logins: createLogins(async () => ({})),
    busless: () => null,
    certificate: async () => STOCK,
  });
  return { clock, lines, files, opened, state, page };
}

const present = (cert: string): Certificate => ({ state: 'present', pair: { cert, key: '' }, mark: cert });
const LAN = { listen: '192.168.1.1:8061', must: false };

const page = suite('the page on its socket');

page('has TLS on the network where there is a certificate, and none on loopback', async () => {
  const { page: mine, opened, lines } = paged(present('one'));
  await mine.serve(LAN);
  await mine.serve({ listen: '127.0.0.1:8061', must: false });
  assert.equal(opened, ['one 192.168.1.1:8061', 'closed one 192.168.1.1:8061', 'http 127.0.0.1:8061']);
  assert.equal(lines[0], ['info', "page: https://192.168.1.1:8061/ (with the router's own login)"]);
  await mine.stop();
});

page('without one asks for the password in clear and says so; with TLS a minute after a certificate has come, or another one', async () => {
  const { page: mine, opened, lines, clock, state } = paged({ state: 'absent' });
  await mine.serve(LAN);
  assert.equal(lines[1], ['warning', `page: ${clearText(STOCK).text}`]);
  state.certificate = present('one');
  await clock.pass(60_000);
  state.certificate = { state: 'failed', because: 'half written' };
  await clock.pass(60_000);
  state.certificate = present('two');
  await clock.pass(60_000);
  await clock.pass(60_000);
  await settle();
  assert.equal(opened, [
    'http 192.168.1.1:8061',
    'closed http 192.168.1.1:8061',
    'one 192.168.1.1:8061',
    'closed one 192.168.1.1:8061',
    'two 192.168.1.1:8061',
  ]);
  await mine.stop();
});

page('with one that cannot be read says which, and is on loopback alone until it can', async () => {
  const { page: mine, opened, lines, clock, state } = paged({ state: 'failed', because: '/etc/uhttpd.key is empty' });
  await mine.serve(LAN);
  assert.equal(opened, ['http 127.0.0.1:8061']);
  assert.equal(lines[0], [
    'error',
    'page: /etc/uhttpd.key is empty; until it can be used, the page is served on loopback alone and asks for no password',
  ]);
  state.certificate = { state: 'absent' };
  await clock.pass(60_000);
  assert.equal(opened.slice(1), ['closed http 127.0.0.1:8061', 'http 192.168.1.1:8061']);
  await mine.stop();
  let said = '';
  await paged({ state: 'failed', because: '/etc/uhttpd.key is empty' })
    .page.serve({ ...LAN, must: true })
    .catch((error: Error) => {
      said = error.message;
    });
  assert.match(said, /^The page cannot be served at .*: \/etc\/uhttpd\.key is empty, and without a certificate a password would go/);
});

page('gives its link to a terminal, or to a file that root alone may read, and never to the log', async () => {
  const shown = paged({ state: 'absent' }, true);
  await shown.page.serve({ listen: null, must: false });
  assert.match(shown.lines[0]?.[1] ?? '', /^page: http:\/\/127\.0\.0\.1:8061\/\?token=\S+ \(good for one use within an hour\)$/);
  assert.is(shown.files.size, 0);
  const logged = paged({ state: 'absent' });
  await logged.page.serve({ listen: null, must: false });
  assert.match(logged.files.get(LINK_FILE) ?? '', /^http:\/\/127\.0\.0\.1:8061\/\?token=\S+\n$/);
  assert.ok(logged.lines.every(([, line]) => !line.includes('token=')));
  await logged.page.stop();
  assert.is(logged.files.has(LINK_FILE), false);
});

mount.run();
page.run();
