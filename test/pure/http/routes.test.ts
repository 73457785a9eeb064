import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Answer } from '../../../src/http/message.ts';
import type { MountOptions } from '../../../src/http/routes.ts';
import { IDLE } from '../../../src/http/sessions.ts';
import { Status } from '../../../src/ubus/status.ts';
import { HOST, mounted, PAGE } from './served.ts';

/** The status and the sentence of a refusal. */
function said({ status, body }: Answer): [number, string] {
  const { error } = JSON.parse(body) as { error: string };
  assert.match(error, /^[A-Z/`].*[.!]$/s, 'it is a sentence');
  return [status, error];
}

const reading = suite("the page's own mount");

reading('gives out the page under a policy that lets nothing else run in it', async () => {
  const { ask } = mounted();
  for (const [path, type] of [
    ['/', 'text/html'],
    ['/page.js', 'text/javascript'],
  ] as const) {
    const { status, headers, body } = await ask('GET', path);
    assert.is(status, 200);
    assert.is(body, PAGE);
    assert.is(headers['content-type'], `${type}; charset=utf-8`);
    assert.match(
      headers['content-security-policy'] ?? '',
      /^default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'$/,
    );
    assert.not.match(headers['content-security-policy'] ?? '', /unsafe|\*|https?:/);
    assert.is(headers['x-content-type-options'], 'nosniff');
    assert.is(headers['referrer-policy'], 'no-referrer');
    assert.is(headers['cache-control'], 'no-store');
    assert.is(headers['access-control-allow-origin'], undefined);
  }
  assert.equal(said(await ask('GET', '/page.css')), [404, "The page's file page.css could not be read: it is not there."]);
});

reading('opens a session by the one-time link, once', async () => {
  const { ask, post, sessions, calls } = mounted();
  const token = sessions.newToken();
  const opened = await ask('GET', `/?token=${token}`);
  assert.is(opened.status, 303);
  assert.is(opened.headers['location'], '/');
  const cookie = opened.headers['set-cookie'] ?? '';
  assert.match(cookie, /^sipalg_8061=[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  assert.not.match(cookie, new RegExp(token));
  const [again, sentence] = said(await ask('GET', `/?token=${token}`));
  assert.is(again, 403);
  assert.match(sentence, /has been used, is too old.*kill -HUP/);

  const session = cookie.split(';')[0] as string;
  assert.equal(
    JSON.parse(
      (
        await ask('GET', '/session', [
          ['host', HOST],
          ['cookie', `a=b; ${session}`],
        ])
      ).body,
    ),
    { rights: { read: true, write: true }, login: 'token', lang: 'auto' },
  );
  assert.equal(JSON.parse((await post('/call', { method: 'plan', args: { towards: 'enabled' } }, { cookie: session })).body), {
    result: { version: 'test' },
  });
  assert.equal(calls, ['plan {"towards":"enabled"}']);
});

reading('says what rights there are without a session: none, and how to get some', async () => {
  const { status, body } = await mounted().ask('GET', '/session');
  assert.is(status, 200);
  assert.equal(JSON.parse(body), { rights: { read: false, write: false }, login: 'token', lang: 'auto' });
});

reading('guesses of a link are slowed', async () => {
  const { ask, clock } = mounted();
  assert.is((await ask('GET', '/?token=guess')).status, 403);
  const slowed = await ask('GET', '/?token=guess');
  assert.is(slowed.headers['retry-after'], '1');
  assert.equal(said(slowed), [429, 'Too many attempts have failed; try again in 1 s.']);
  await clock.pass(1000);
  assert.is((await ask('GET', '/?token=guess')).status, 403);
});

reading('a link opens a session whoever guesses at it, and another site is not even counted', async () => {
  const { ask, sessions } = mounted();
  const token = sessions.newToken();
  const cross: [string, string][] = [
    ['host', HOST],
    ['sec-fetch-site', 'cross-site'],
  ];
  for (let n = 0; n < 50; n++) assert.is((await ask('GET', '/?token=guess', cross)).status, 403);
  assert.is((await ask('GET', '/?token=guess')).status, 403, 'the first guess that counts');
  assert.is((await ask('GET', '/?token=guess')).status, 429);
  assert.is((await ask('GET', `/?token=${token}`)).status, 303, 'the right one waits for no guess');
});

reading('lets a session end: by itself, and by logging out', async () => {
  const { post, clock, link } = mounted();
  const cookie = await link();
  assert.is((await post('/call', { method: 'status' }, { cookie })).status, 200);
  await clock.pass(IDLE);
  assert.is(said(await post('/call', { method: 'status' }, { cookie }))[0], 401);
  const other = await link();
  const out = await post('/logout', {}, { cookie: other });
  assert.match(out.headers['set-cookie'] ?? '', /^sipalg_8061=; .*Max-Age=0$/);
  assert.is((await post('/call', { method: 'status' }, { cookie: other })).status, 401);
});

const refusing = suite('requests that are refused');

const REFUSED: [
  why: string,
  status: number,
  sentence: RegExp,
  ask: (all: ReturnType<typeof mounted>, cookie: string) => Promise<Answer>,
][] = [
  ['without a Host', 400, /no Host header/, ({ ask }) => ask('GET', '/', [])],
  [
    'with two Hosts',
    400,
    /header host was given more than once/,
    ({ ask }) =>
      ask('GET', '/', [
        ['host', HOST],
        ['host', 'evil.example'],
      ]),
  ],
  ['with a Host that is none', 400, /"a b" is no name or address/, ({ ask }) => ask('GET', '/', [['host', 'a b']])],
  [
    'to another name that leads here',
    421,
    /This is not "evil\.example"; the page answers to 127\.0\.0\.1, localhost, ::1\..*DNS rebinding/,
    ({ ask }) => ask('GET', '/', [['host', 'evil.example:8061']]),
  ],
  ['to a name that begins like ours', 421, /DNS rebinding/, ({ ask }) => ask('GET', '/', [['host', '127.0.0.1.evil.example']])],
  ['for what is not there', 404, /nothing at "\/etc\/passwd"; the page is at \//, ({ ask }) => ask('GET', '/etc/passwd')],
  ['that climb', 404, /nothing at/, ({ ask }) => ask('GET', '/../../etc/passwd')],
  ['for a name of every object', 404, /nothing at/, ({ ask }) => ask('GET', '/__proto__')],
  ['with too long an address', 414, /longer than 2048/, ({ ask }) => ask('GET', `/?${'a'.repeat(3000)}`)],
  ['that read what acts', 405, /^\/call takes POST, not GET\./, ({ ask }) => ask('GET', '/call')],
  ['that write what reads', 405, /takes GET and HEAD, not DELETE/, ({ ask }) => ask('DELETE', '/')],
  [
    'from another site',
    403,
    /comes from another site/,
    ({ post }, cookie) => post('/call', { method: 'disable' }, { cookie, as: { 'sec-fetch-site': 'cross-site' } }),
  ],
  [
    'from another port of this address',
    403,
    /comes from another site/,
    ({ post }, cookie) => post('/call', { method: 'disable' }, { cookie, as: { 'sec-fetch-site': 'same-site' } }),
  ],
  [
    'of another origin',
    403,
    /comes from "http:\/\/127\.0\.0\.1:8080"; it must come from http:\/\/127\.0\.0\.1:8061/,
    ({ post }, cookie) => post('/call', { method: 'disable' }, { cookie, as: { origin: 'http://127.0.0.1:8080' } }),
  ],
  [
    'of no origin that can be told',
    403,
    /comes from "null"/,
    ({ post }, cookie) => post('/call', { method: 'disable' }, { cookie, as: { origin: 'null' } }),
  ],
  [
    'without an origin',
    403,
    /no Origin header; it must be http:\/\/127\.0\.0\.1:8061/,
    ({ post }, cookie) => post('/call', {}, { cookie, without: 'origin' }),
  ],
  ['that a form could send', 403, /no header "X-Sipalg: 1"/, ({ post }, cookie) => post('/call', {}, { cookie, without: 'x-sipalg' })],
  [
    "with a form's body",
    415,
    /"text\/plain"; it must be application\/json/,
    ({ post }, cookie) => post('/call', '{}', { cookie, as: { 'content-type': 'text/plain' } }),
  ],
  ['with a body of no type', 415, /"of no type"/, ({ post }, cookie) => post('/call', '{}', { cookie, without: 'content-type' })],
  ['with a body that is not UTF-8', 400, /not UTF-8/, ({ post }, cookie) => post('/call', null, { cookie })],
  ['with a body that is not JSON', 400, /not JSON/, ({ post }, cookie) => post('/call', '{"method":', { cookie })],
  ['with a body that is no object', 400, /must be a JSON object/, ({ post }, cookie) => post('/call', '[]', { cookie })],
  ['without a session', 401, /no session, or it is over\. Open the link/, ({ post }) => post('/call', { method: 'status' })],
  ['with a made-up session', 401, /no session/, ({ post }) => post('/call', { method: 'status' }, { cookie: 'sipalg_8061=x' })],
  [
    "with another port's cookie",
    401,
    /no session/,
    ({ post }, cookie) => post('/call', { method: 'status' }, { cookie: cookie.replace('8061', '8062') }),
  ],
  [
    'for a method that is none',
    400,
    /no method "reboot"; the methods are status, plan, policy, disable, enable/,
    ({ post }, cookie) => post('/call', { method: 'reboot' }, { cookie }),
  ],
  [
    'for a method of every object',
    400,
    /no method "constructor"/,
    ({ post }, cookie) => post('/call', { method: 'constructor' }, { cookie }),
  ],
  ['for no method', 400, /no method/, ({ post }, cookie) => post('/call', {}, { cookie })],
  [
    'with arguments that are no object',
    400,
    /args must be an object/,
    ({ post }, cookie) => post('/call', { method: 'status', args: [] }, { cookie }),
  ],
  [
    'with a wrong argument',
    400,
    /It is wrong\./,
    ({ post }, cookie) => post('/call', { method: 'plan', args: { wrong: true } }, { cookie }),
  ],
  [
    'that break the program',
    500,
    /The method plan failed within sipalg itself: x is not a function/,
    ({ post }, cookie) => post('/call', { method: 'plan', args: { broken: true } }, { cookie }),
  ],
  [
    'that log in where a link does',
    403,
    /there is no login\. Open the link/,
    ({ post }) => post('/login', { username: 'root', password: 'right' }),
  ],
];

for (const [why, status, sentence, ask] of REFUSED) {
  refusing(`${why} get ${status} and a sentence`, async () => {
    const all = mounted();
    const answer = await ask(all, await all.link());
    const [was, error] = said(answer);
    assert.is(was, status, error);
    assert.match(error, sentence);
    assert.is(answer.headers['content-type'], 'application/json');
    assert.match(answer.headers['content-security-policy'] ?? '', /default-src 'none'/);
    assert.equal(
      all.calls.filter((call) => !/wrong|broken/.test(call)),
      [],
    );
  });
}

refusing("are few: a tunnel's other port, IPv6 and names in capitals are let in", async () => {
  const { post, link } = mounted();
  const cookie = await link();
  for (const host of ['127.0.0.1:9000', 'localhost', 'LOCALHOST:8061', '[::1]:8061']) {
    assert.is((await post('/call', { method: 'status' }, { cookie, as: { host, origin: `http://${host}` } })).status, 200, host);
  }
});

const login = suite('on another address');

const elsewhere = (otherwise: Partial<MountOptions> = {}) => mounted({ login: 'password', ...otherwise });

login("the router's own login opens a session with the rights that rpcd grants", async () => {
  for (const [username, write] of [
    ['root', true],
    ['viewer', false],
  ] as const) {
    const { post, calls, bus, ask, lines } = elsewhere();
    const opened = await post('/login', { username, password: 'right' });
    assert.is(opened.status, 200);
    assert.equal(JSON.parse(opened.body), { rights: { read: true, write }, login: 'password' });
    const cookie = (opened.headers['set-cookie'] ?? '').split(';')[0] as string;
    assert.not.match(cookie, /sid-/, "rpcd's own session stays here");
    assert.equal(
      JSON.parse(
        (
          await ask('GET', '/session', [
            ['host', HOST],
            ['cookie', cookie],
          ])
        ).body,
      ).rights,
      { read: true, write },
    );
    assert.is((await post('/call', { method: 'status' }, { cookie })).status, 200);
    const act = await post('/call', { method: 'disable' }, { cookie });
    assert.is(act.status, write ? 200 : 403);
    if (!write) assert.match(said(act)[1], /may not change anything here: the user lacks the right to call disable/);
    assert.equal(calls, write ? ['status {}', 'disable {}'] : ['status {}']);
    // A probe and a watch do something on the router, whatever else they are.
    if (!write)
      for (const method of ['probe', 'watch'])
        assert.match(said(await post('/call', { method }, { cookie }))[1], new RegExp(`may not change anything here: .* call ${method}`));
    await post('/logout', {}, { cookie });
    assert.is(bus.open.size, 0, "rpcd's session is ended too");
    assert.not.match(lines.join(), /right/, 'no password in the log');
  }
});

login('forty addresses that guess keep nobody with the right password out', async () => {
  const { post, clock } = mounted({ login: 'password' });
  const guess = (n: number) => post('/login', { username: 'root', password: 'guess' }, { address: `192.0.2.${n}` });
  const inside: number[] = [];
  for (let round = 0; round < 12; round++) {
    for (let n = 0; n < 40; n++) await guess(n);
    inside.push((await post('/login', { username: 'root', password: 'right' }, { address: '192.168.1.50' })).status);
    await clock.pass(1000);
  }
  assert.equal(new Set(inside), new Set([200]));
});

login('a wrong password is refused and slows the next attempt', async () => {
  const { post, clock, bus, lines } = elsewhere();
  assert.equal(said(await post('/login', { username: 'root', password: 'no' })), [403, 'User name or password are wrong.']);
  assert.is(said(await post('/login', { username: 'root', password: 'right' }))[0], 429);
  assert.equal(bus.state.calls, ['session login'], 'rpcd is not even asked');
  assert.is(
    (await post('/login', { username: 'root', password: 'right' }, { address: '192.168.1.7' })).status,
    200,
    'another address need not wait',
  );
  await clock.pass(1000);
  assert.is((await post('/login', { username: 'root', password: 'right' })).status, 200);
  assert.match(lines[0] ?? '', /a login from 127\.0\.0\.1 failed/);
});

login('a user without any right gets no session', async () => {
  const { post, sessions, bus } = elsewhere();
  assert.match(said(await post('/login', { username: 'guest', password: 'right' }))[1], /no right to see the SIP ALG/);
  assert.is(sessions.count(), 0);
  assert.is(bus.open.size, 0);
});

login('what is no user name and password is refused before anybody is asked', async () => {
  const { post, bus } = elsewhere();
  for (const value of [{}, { username: 'root' }, { username: 'root', password: 1 }, { username: 'r'.repeat(257), password: '' }]) {
    assert.match(said(await post('/login', value))[1], /must be a text of at most 256 characters/);
  }
  assert.equal(bus.state.calls, []);
});

login('a session that rpcd has ended is over, and one whose right was taken is refused', async () => {
  const { post, bus } = elsewhere();
  const cookie = ((await post('/login', { username: 'root', password: 'right' })).headers['set-cookie'] ?? '').split(';')[0] as string;
  bus.open.set('sid-root', 'viewer');
  assert.is((await post('/call', { method: 'enable' }, { cookie })).status, 403);
  bus.open.clear();
  assert.is((await post('/call', { method: 'status' }, { cookie })).status, 401);
  bus.open.set('sid-root', 'root');
  assert.is((await post('/call', { method: 'status' }, { cookie })).status, 401, 'it does not come back');
});

login('there is no page without ubus, and the sentence says why', async () => {
  const { ask, post } = elsewhere({ busless: () => 'it is not connected (no such file)' });
  for (const answer of [await ask('GET', '/'), await ask('GET', '/page.js'), await post('/login', {})]) {
    assert.equal(said(answer), [
      503,
      "On this address the page asks for the router's own login, and without ubus nobody can log in: it is not connected (no such file).",
    ]);
  }
});

login('a router without rpcd, or one that does not answer, is told apart from a wrong password', async () => {
  const { post, bus } = elsewhere();
  bus.state.broken = Status.NOT_FOUND;
  assert.match(said(await post('/login', { username: 'root', password: 'right' }))[1], /No rpcd runs on this router/);
  bus.state.broken = Status.TIMEOUT;
  const [status, sentence] = said(await post('/login', { username: 'root', password: 'right' }));
  assert.is(status, 503);
  assert.match(sentence, /could not be asked: timed out/);
});

login('no link opens it', async () => {
  const { ask, sessions } = elsewhere();
  assert.match(said(await ask('GET', `/?token=${sessions.newToken()}`))[1], /opened by logging in, not by a link/);
});

reading.run();
refusing.run();
login.run();
