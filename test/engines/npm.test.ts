/** The two packages for npm, installed without a network into an empty folder, and run there on the oldest Node and on this one. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { startUbusd } from '../lab/ubusd.ts';
import { PHONE, WAN, packetsOf, sideOf } from '../pure/compare/captures.ts';
import { request, session } from '../pure/compare/dialogue.ts';
import { recordedRouter } from '../routers.ts';
import { surveyor } from '../survey.ts';

const run = promisify(execFile);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

interface Context {
  folder: string;
  /** Where both are installed, and nothing else is. */
  home: string;
  archives: string[];
  nodes: readonly string[];
}

const npm = suite<Context>('the packages for npm');

/** What npm and its children are told: no network, no file of ours, no setting of this machine's owner. */
const environment = (folder: string): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: folder,
  npm_config_cache: join(folder, 'cache'),
  npm_config_offline: 'true',
  npm_config_registry: 'http://127.0.0.1:9/',
  npm_config_update_notifier: 'false',
});

function must(command: string, words: readonly string[], cwd: string, folder = cwd): string {
  const { error, status, stdout, stderr } = spawnSync(command, words, {
    cwd,
    encoding: 'utf8',
    timeout: 240_000,
    env: environment(folder),
  });
  if (error !== undefined) throw error;
  assert.is(status, 0, `${command} ${words.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

npm.before(async (context) => {
  const { enginePath } = (await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href)) as {
    enginePath(name: string): string;
  };
  context.nodes = [enginePath('node-18'), process.execPath];
  context.folder = mkdtempSync(join(tmpdir(), 'npm-'));
  const out = join(context.folder, 'out');
  must(process.execPath, ['package/npm.mjs', out], process.cwd(), context.folder);
  context.archives = readdirSync(out)
    .filter((name) => name.endsWith('.tgz'))
    .sort()
    .map((name) => join(out, name));
  context.home = join(context.folder, 'elsewhere');
  mkdirSync(context.home);
  writeFileSync(join(context.home, 'package.json'), '{ "private": true, "type": "module" }\n');
  must('npm', ['install', '--no-audit', '--no-fund', ...context.archives], context.home, context.folder);
});

npm.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

const manifestOf = (home: string, name: string) =>
  JSON.parse(readFileSync(join(home, 'node_modules', name, 'package.json'), 'utf8')) as Record<string, unknown>;

npm('are two, have no dependency and no script, and say what they were built from', ({ archives, home }) => {
  assert.equal(
    archives.map((path) => path.slice(path.lastIndexOf('/') + 1)),
    [`openwrt-ubus-${version}.tgz`, `sipalg-${version}.tgz`],
  );
  assert.equal(
    readdirSync(join(home, 'node_modules'))
      .filter((name) => !name.startsWith('.'))
      .sort(),
    ['openwrt-ubus', 'sipalg'],
  );
  for (const name of ['openwrt-ubus', 'sipalg']) {
    const manifest = manifestOf(home, name);
    for (const field of Object.keys(manifest)) assert.not.match(field, /scripts|ependencies|private/);
    const own = join(home, 'node_modules', name);
    const made = JSON.parse(readFileSync(join(own, 'provenance.json'), 'utf8')) as {
      version: string;
      commit: string | null;
      date: string;
      tools: Record<string, string>;
      files: Record<string, string>;
    };
    assert.is(made.version, manifest['version']);
    assert.match(made.date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    // The tree may be another user's, or have come without its history.
    const head = spawnSync('git', ['-c', 'safe.directory=*', 'rev-parse', 'HEAD'], { encoding: 'utf8' });
    assert.is(made.commit, existsSync('.git') && head.status === 0 ? head.stdout.trim() : null);
    assert.is(manifest['gitHead'] ?? null, made.commit);
    assert.ok(Object.values(made.tools).every((tool) => /^\d+\.\d+\.\d+/.test(tool)));
    // Every file there is stands in it, with its fingerprint.
    const found = readdirSync(own, { recursive: true, withFileTypes: true } as never) as unknown as {
      isFile(): boolean;
      parentPath?: string;
      path: string;
      name: string;
    }[];
    const files = found
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`.slice(own.length + 1))
      .filter((path) => path !== 'package.json' && path !== 'provenance.json');
    assert.equal(Object.keys(made.files).sort(), files.sort());
    for (const path of files)
      assert.is(
        made.files[path],
        createHash('sha256')
          .update(readFileSync(join(own, path)))
          .digest('hex'),
        `${name}: ${path}`,
      );
    assert.ok(files.includes('README.md') && files.includes('LICENSE'));
  }
});

npm('have the same bytes when they are made again', ({ archives, folder }) => {
  const again = join(folder, 'again');
  must(process.execPath, ['package/npm.mjs', again], process.cwd(), folder);
  for (const path of archives) assert.ok(readFileSync(path).equals(readFileSync(join(again, path.slice(path.lastIndexOf('/') + 1)))), path);
});

npm('sipalg: its commands for a desk run by npx, and on the oldest Node', async ({ home, folder, nodes }) => {
  const sip = { callId: 'a84b4c76e66710' };
  const invite = request('INVITE', { ...sip, body: session() });
  const packets = packetsOf([{ at: 0, text: invite, out: invite.split(PHONE).join(WAN) }]);
  for (const outside of [false, true]) writeFileSync(join(home, outside ? 'wan.pcap' : 'lan.pcap'), sideOf(packets, outside));
  const { facts } = await surveyor.report(await surveyor.look(recordedRouter('stock-alg-on')));
  writeFileSync(join(home, 'router.json'), JSON.stringify({ version, facts }));
  const compared = ['compare', 'lan.pcap', 'wan.pcap'];
  for (const node of nodes) {
    const on = (...words: string[]) =>
      spawnSync(node, ['node_modules/.bin/sipalg', ...words], { cwd: home, encoding: 'utf8', timeout: 60_000, env: environment(folder) });
    const comparison = on(...compared);
    assert.is(comparison.status, 1, comparison.stderr);
    assert.match(comparison.stdout, /Contact URI host +192\.168\.1\.\d+:5060 -> 203\.0\.113\.20/);
    const status = on('status', '--from', 'router.json');
    assert.is(status.status, 1, status.stderr);
    assert.match(status.stdout, 'A SIP ALG rewrites calls on this router.');
    const line = spawnSync(node, ['node_modules/.bin/sipalg', 'status', '--from', '-'], {
      cwd: home,
      encoding: 'utf8',
      timeout: 60_000,
      input: readFileSync(join(home, 'router.json')),
    });
    assert.is(line.stdout, status.stdout);
  }
  const npx = spawnSync('npx', ['--no', 'sipalg', ...compared], { cwd: home, encoding: 'utf8', timeout: 60_000, env: environment(folder) });
  assert.is(npx.status, 1, npx.stderr);
  assert.match(npx.stdout, 'Contact URI host');
});

/** What a server of a provider says to OPTIONS: what was asked, and where it saw that come from (RFC 3261 §8.2.6.2, RFC 3581 §4). */
function answered(question: string, { address, port }: { address: string; port: number }): string {
  const field = (name: string): string => new RegExp(`^${name}: .*$`, 'im').exec(question)?.[0] ?? '';
  const via = field('Via').replace(/;rport(?!=)/, `;received=${address};rport=${port}`);
  return ['SIP/2.0 200 OK', via, field('From'), `${field('To')};tag=here`, field('Call-ID'), field('CSeq'), 'Content-Length: 0', '', ''].join(
    '\r\n',
  );
}

/** An address of this machine's loopback that no other test has. */
const LOOPBACK = '127.86.0.1';

npm('sipalg: its probes ask a provider and a mirror, which another one of it is, on the oldest Node and on this one', async (context) => {
  const { home, folder, nodes } = context;
  const server = createSocket('udp4');
  server.on('message', (data, from) => server.send(Buffer.from(answered(data.toString('latin1'), from), 'latin1'), from.port, from.address));
  await new Promise<void>((bound) => server.bind(0, LOOPBACK, bound));
  try {
    for (const node of nodes) {
      const options = { cwd: home, timeout: 60_000, env: environment(folder) };
      const probe = async (...words: string[]) =>
        JSON.parse((await run(node, ['node_modules/.bin/sipalg', 'probe', ...words, '--json'], options)).stdout) as Record<string, unknown>;
      const provider = await probe('--provider', `${LOOPBACK}:${server.address().port}`);
      assert.equal([provider['version'], provider['verdict'], (provider['here'] as { alg: null }).alg], [version, 'unchanged', null]);
      const mirror = spawn(node, ['node_modules/.bin/sipalg', 'mirror', '--listen', `${LOOPBACK}:15060`], { ...options, timeout: 0 });
      let said = '';
      for (const stream of [mirror.stdout, mirror.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
      try {
        for (const end = Date.now() + 30_000; !said.includes('mirror at ') && Date.now() < end; )
          await new Promise((resolve) => setTimeout(resolve, 50));
        const seen = await probe('--mirror', `${LOOPBACK}:15060`);
        assert.is(seen['verdict'], 'unchanged', JSON.stringify(seen).slice(0, 2000));
        assert.ok((seen['tried'] as unknown[]).length > 5);
      } finally {
        mirror.kill('SIGTERM');
      }
      assert.equal(await once(mirror, 'close'), [0, null], said);
      assert.match(said, / questions mirrored, /);
    }
  } finally {
    server.close();
  }
});

npm('sipalg: draws the page of a fleet, and prints metrics of a saved router', async ({ home, folder, nodes }) => {
  const { facts } = await surveyor.report(await surveyor.look(recordedRouter('stock-alg-on')));
  writeFileSync(join(home, 'fleet.jsonl'), `${JSON.stringify({ version, facts, router: 'office' })}\n`.repeat(3));
  for (const node of nodes) {
    const on = (...words: string[]) =>
      spawnSync(node, ['node_modules/.bin/sipalg', ...words], { cwd: home, encoding: 'utf8', timeout: 60_000, env: environment(folder) });
    assert.is(on('report', '--fleet', 'fleet.jsonl', '-o', 'fleet.html').status, 1);
    assert.match(readFileSync(join(home, 'fleet.html'), 'utf8'), /office/);
    const metrics = on('metrics', '--from', 'router.json');
    assert.is(metrics.status, 0, metrics.stderr);
    assert.match(metrics.stdout, 'sipalg_verdict{state="rewriting"} 1');
  }
});

npm('openwrt-ubus: the example of its README speaks to a bus, on the oldest Node and on this one', async ({ home, folder, nodes }) => {
  const readme = readFileSync(join(home, 'node_modules/openwrt-ubus/README.md'), 'utf8');
  const [, example] = /```js\n([^]*?)```/.exec(readme) ?? [];
  const [, printed] = /```\n\n```\n([^]*?)```/.exec(readme) ?? [];
  assert.ok(example !== undefined && printed !== undefined);
  writeFileSync(join(home, 'example.mjs'), example);
  for (const node of nodes) {
    const socket = join(folder, 'ubus.sock');
    const ubusd = await startUbusd(socket);
    const { stdout, stderr } = await run(node, ['example.mjs', socket], { cwd: home, timeout: 60_000, env: environment(folder) });
    await ubusd.stop();
    assert.is(stderr, '');
    assert.is(stdout, printed);
  }
});

npm('openwrt-ubus: the compiler takes its types without those of Node, and refuses what is wrong', ({ home, folder }) => {
  const tsc = join(process.cwd(), 'node_modules/typescript/bin/tsc');
  const use = `import { connect, typed, UbusError, Status } from 'openwrt-ubus';
import type { Client, Value } from 'openwrt-ubus';
import { createClient } from 'openwrt-ubus/client';
const client: Client = await connect({ path: '/var/run/ubus/ubus.sock' });
const reply: Record<string, Value> = await client.call('system', 'board', { n: 1, big: 2n, exact: typed('double', 1) });
const made: typeof createClient = createClient;
throw new UbusError(Status.INVALID_ARGUMENT, \`\${Object.keys(reply).length} \${typeof made}\`);
`;
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const compilerOptions = { module, moduleResolution, target: 'es2022', lib: ['es2022'], strict: true, noEmit: true, types: [] };
    writeFileSync(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
    writeFileSync(join(home, 'use.ts'), use);
    must(process.execPath, [tsc, '-p', 'tsconfig.json'], home, folder);
    writeFileSync(join(home, 'use.ts'), use.replace("'board'", '7'));
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: home, encoding: 'utf8' });
    assert.is.not(status, 0);
    assert.match(stdout, /use\.ts\(5,\d+\): error TS2345/);
  }
});

npm.run();
