import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readdirSync } from 'node:fs';
import type { Reply } from '../../../src/object/object.ts';
import { openResident, PAGE } from '../daemon/resident.ts';
import { EC, RSA } from '../../certificates.ts';
import type { Answered, Resident } from '../daemon/resident.ts';

interface Context {
  all: Resident;
  url: string;
  cookie: string;
}

const origin = (url: string): string => url.replace(/\/$/, '');

function call(all: Resident, url: string, cookie: string, value: object, path = 'call'): Promise<Answered> {
  return all.http(
    'POST',
    url + path,
    { cookie, origin: origin(url), 'x-sipalg': '1', 'content-type': 'application/json' },
    JSON.stringify(value),
  );
}

/** Sends bytes as they are, and gives what comes until the other end closes. */
const RAW = `
const [port, text, drip] = JSON.parse(process.argv[1]);
const socket = require('node:net').connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')));
let said = '';
const timer = drip ? setInterval(() => socket.writable && socket.write('x'), 1000) : undefined;
socket.on('data', (part) => { said += part; });
socket.on('error', () => socket.destroy());
socket.on('close', () => { clearInterval(timer); console.log(said); });
`;

const raw = (all: Resident, text: string, drip = false, port = 8061): Promise<string> =>
  all.lab.router.must(['node', '-e', RAW, JSON.stringify([port, text, drip])], { timeout: 20_000 });

const page = suite<Context>("the page's own mount on a real socket");

page.before(async (context) => {
  const all = (context.all = await openResident());
  const daemon = all.start();
  const link = await daemon.link();
  context.url = link.slice(0, link.indexOf('?'));
  await daemon.said(/ubus: not connected/);
  const opened = await all.http('GET', link);
  assert.is(opened.status, 303);
  context.cookie = String(opened.headers['set-cookie']).split(';')[0] as string;
});

page.after(async ({ all }) => {
  await all.close();
});

page('is served on loopback alone, without ubus too', async ({ all, url }) => {
  assert.is(url, 'http://127.0.0.1:8061/');
  const { status, body, headers } = await all.http('GET', url);
  assert.is(status, 200);
  assert.is(body, PAGE);
  assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/);
  const elsewhere = await all.lab.router.run([
    'node',
    '-e',
    'require("node:http").get("http://192.168.1.1:8061/").on("error", (e) => { console.log(e.code); })',
  ]);
  assert.match(elsewhere.stdout, /ECONNREFUSED/);
});

page('switches the ALG off and on', async ({ all, url, cookie }) => {
  const before = JSON.parse((await call(all, url, cookie, { method: 'status' })).body).result as Reply;
  assert.is(before.verdict?.alg, 'rewriting');
  const off = await call(all, url, cookie, { method: 'disable' });
  assert.is(off.status, 200);
  assert.is((JSON.parse(off.body).result as Reply).now.last?.outcome, 'reached');
  assert.is((JSON.parse((await all.lab.router.run(['sipalg', 'status', '--json'])).stdout) as Reply).verdict?.alg, 'off');
  const on = JSON.parse((await call(all, url, cookie, { method: 'enable' })).body).result as Reply;
  assert.is(on.verdict?.alg, 'rewriting');
});

page('refuses what is no HTTP, too large or too slow, each with a status and a sentence', async ({ all, url, cookie }) => {
  const sentence = (said: string): string => (JSON.parse(said.slice(said.indexOf('\r\n\r\n'))) as { error: string }).error;
  const garbage = await raw(all, '\x16\x03\x01 hello\r\n\r\n');
  assert.match(garbage, /^HTTP\/1\.1 400 /);
  assert.is(sentence(garbage), 'This is no HTTP request.');
  const long = await raw(all, `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(9000)}\r\n\r\n`);
  assert.match(long, /^HTTP\/1\.1 431 /);
  assert.match(sentence(long), /more than 8192 bytes/);
  const large = await call(all, url, cookie, { method: 'status', args: { x: 'x'.repeat(20_000) } });
  assert.is(large.status, 413);
  assert.is(JSON.parse(large.body).error, 'This is more than can be taken at once (16384 bytes).');
  const endless = await raw(all, 'POST /call HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n\r\n' + 'x'.repeat(20_000));
  assert.match(endless, /^HTTP\/1\.1 413 /);
  const slow = await raw(all, 'POST /call HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n', true);
  assert.match(slow, /^HTTP\/1\.1 408 /);
  assert.match(sentence(slow), /not complete within/);
  assert.is((await all.http('GET', url, { host: 'evil.example' })).status, 421);
  assert.is((await call(all, url, cookie, { method: 'status' })).status, 200, 'it serves on');
});

page('takes the next port when its own is taken, and refuses one it is told to take', async ({ all }) => {
  const second = all.start();
  assert.match(await second.link(), /^http:\/\/127\.0\.0\.1:8062\/\?token=/);
  second.process.signal('SIGTERM');
  assert.is((await second.process.ended).status, 0);
  const { status, stderr } = await all.lab.router.run(['sipalg', 'serve', '--listen', '127.0.0.1:8061']);
  assert.is(status, 2);
  assert.match(stderr, /sipalg: error: The page cannot be served at http:\/\/127\.0\.0\.1:8061\/: the port is taken\.\n/);
});

page("on another address is served only behind the router's login, and not at all without ubus", async ({ all }) => {
  const daemon = all.start(['--listen', '192.168.1.1:8061']);
  await daemon.said(/http:\/\/192\.168\.1\.1:8061\/ \(with the router's own login\)/);
  await daemon.said(/ubus: not connected/);
  const { status, body } = await all.http('GET', 'http://192.168.1.1:8061/');
  assert.is(status, 503);
  assert.match(JSON.parse(body).error, /without ubus nobody can log in/);
  assert.not.match(daemon.log(), /token=/);
  await daemon.said(/sipalg: warning: page: The password goes over the network in clear, .*\(\/etc\/uhttpd\.crt, \/etc\/uhttpd\.key\)/);

  const bus = await all.bus();
  const rpcd = await all.client();
  await rpcd.publish('session', {
    login: ({ password }) => ({ ubus_rpc_session: password === 'right' ? 'a-session' : '' }),
    access: ({ function: name }) => ({ access: name === 'status' || name === 'plan' }),
    destroy: () => undefined,
  });
  await daemon.said(/the object sipalg/, 15_000);
  const url = 'http://192.168.1.1:8061/';
  assert.is((await all.http('GET', url)).body, PAGE);
  const opened = await call(all, url, '', { username: 'viewer', password: 'right' }, 'login');
  assert.equal(JSON.parse(opened.body), { rights: { read: true, write: false }, login: 'password' });
  const cookie = String(opened.headers['set-cookie']).split(';')[0] as string;
  assert.is((await call(all, url, cookie, { method: 'status' })).status, 200);
  assert.is((await call(all, url, cookie, { method: 'disable' })).status, 403);
  await bus.stop();
  daemon.process.signal('SIGTERM');
  assert.is((await daemon.process.ended).status, 0);
});

page("on another address has TLS by the web server's certificate, and is not there with one that cannot be used", async ({ all }) => {
  const { files } = all.lab;
  files.write('/etc/config/uhttpd', "config uhttpd 'main'\n\toption cert '/etc/own.crt'\n\toption key '/etc/own.key'\n");
  files.write('/etc/own.crt', EC.cert);
  files.write('/etc/own.key', RSA.key);
  const refused = await all.lab.router.run(['sipalg', 'serve', '--listen', '192.168.1.1:8061']);
  assert.is(refused.status, 2);
  assert.match(refused.stderr, /the key \/etc\/own\.key does not belong to the certificate \/etc\/own\.crt, and without a certificate/);

  files.write('/etc/own.key', EC.key);
  const bus = await all.bus();
  const daemon = all.start(['--listen', '192.168.1.1:8061']);
  await daemon.said(/page: https:\/\/192\.168\.1\.1:8061\/ \(with the router's own login\)/);
  const rpcd = await all.client();
  await rpcd.publish('session', {
    login: ({ password }) => ({ ubus_rpc_session: password === 'right' ? 'a-session' : '' }),
    access: () => ({ access: true }),
    destroy: () => undefined,
  });
  await daemon.said(/the object sipalg/, 15_000);
  const url = 'https://192.168.1.1:8061/';
  assert.is((await all.http('GET', url)).body, PAGE);
  const opened = await call(all, url, '', { username: 'root', password: 'right' }, 'login');
  assert.is(opened.status, 200);
  assert.match(String(opened.headers['set-cookie']), /; Secure/);
  const cookie = String(opened.headers['set-cookie']).split(';')[0] as string;
  assert.is((await call(all, url, cookie, { method: 'status' })).status, 200);
  const plain = await all.http('GET', 'http://192.168.1.1:8061/');
  assert.equal([plain.status, plain.headers['location']], [307, url]);
  const login = await call(all, 'http://192.168.1.1:8061/', '', { username: 'root', password: 'right' }, 'login');
  assert.equal([login.status, JSON.parse(login.body).code], [403, 'http-use-tls']);
  assert.not.match(daemon.log(), /in clear/);
  await bus.stop();
  daemon.process.signal('SIGTERM');
  assert.is((await daemon.process.ended).status, 0);
  for (const name of ['/etc/config/uhttpd', '/etc/own.crt', '/etc/own.key']) files.remove(name);
});

page('reads its configuration again on SIGHUP', async ({ all }) => {
  all.lab.files.write('/etc/config/sipalg', "config serve 'serve'\n\toption listen '127.0.0.1:8090'\n");
  const daemon = all.start();
  assert.match(await daemon.link(), /^http:\/\/127\.0\.0\.1:8090\/\?token=/);
  all.lab.files.write(
    '/etc/config/sipalg',
    "config serve 'serve'\n\toption listen '127.0.0.1:8091'\n\toption every 'often'\n\nconfig providr 'example'\n",
  );
  daemon.process.signal('SIGHUP');
  await daemon.said(/the configuration was read again; .*http:\/\/127\.0\.0\.1:8091\/ \(its link/);
  assert.match(daemon.log(), /sipalg\.serve: the option every is "often"; it may be 1 to 1440 \(minutes\)\. Until it is, it is 5\./);
  assert.match(daemon.log(), /sipalg\.example: there is no section type "providr" .* Did you mean "provider"\?/);
  assert.is(
    (await all.lab.router.run(['node', '-e', 'require("node:http").get("http://127.0.0.1:8090/").on("error", () => process.exit(7))']))
      .status,
    7,
  );
  daemon.process.signal('SIGINT');
  assert.is((await daemon.process.ended).status, 0);
  const router = `${all.lab.files.host('/usr/lib/sipalg')}`;
  for (const name of readdirSync(router).filter((one) => one.startsWith('serve-'))) all.lab.files.remove(`/usr/lib/sipalg/${name}`);
  const { status, stderr } = await all.lab.router.run(['sipalg', 'serve']);
  assert.is(status, 2);
  assert.match(stderr, /^sipalg: `sipalg serve` is in a package of its own; install sipalg-daemon, of this version \(\d[\d.]*\)\.\n$/);
  assert.is((await all.lab.router.run(['sipalg', 'status'])).stderr, '', 'what does not need it works');
});

page.run();
