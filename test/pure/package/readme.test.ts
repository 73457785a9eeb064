/** README.md: every command is run by somebody, and what it shows of files and names is what the program takes and has. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { serveBus } from '../../../src/daemon/bus.ts';
import { createObject, METHODS } from '../../../src/object/object.ts';
import type { MethodName } from '../../../src/object/object.ts';
import { CALLS } from '../../../src/object/watched.ts';
import { readConfiguration } from '../../../src/wish/read.ts';
import { renderNft } from '../../../src/voice/render/nft/table.ts';
import { handClock } from '../daemon/hand.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { lab } from '../ubus/clients.ts';
import { settle } from '../ubus/wire.ts';
import { blocks, commands, commandsOf, README, RUNNERS } from './readme.ts';

const { version, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; devDependencies: object };

const readme = suite('README.md');

readme('has no command that no test runs, and no test waits for one that is not there', () => {
  const all = commands();
  assert.ok(all.length > 25);
  assert.equal(
    all.filter((command) => !Object.hasOwn(RUNNERS, command)),
    [],
    'commands without a runner in test/package/readme.ts',
  );
  assert.equal(
    Object.keys(RUNNERS).filter((command) => !all.includes(command)),
    [],
    'runners without a command in README.md',
  );
});

readme('names for each command a test that is there', () => {
  for (const [command, runner] of Object.entries(RUNNERS)) {
    if (!('words' in runner)) continue;
    assert.ok(
      existsSync(runner.by) && readFileSync(runner.by, 'utf8').includes(runner.words),
      `${command}: ${runner.by} does not hold ${runner.words}`,
    );
  }
  for (const [by, file] of [
    ['router', 'readme'],
    ['apk', 'readme-apk'],
  ])
    assert.match(readFileSync(`test/machine/${file}.test.ts`, 'utf8'), `commandsOf('${by}')`);
});

readme('shows every command of the program, and every script of the project it names', () => {
  const named = [...README.matchAll(/^\| `(?:sipalg`, `)?sipalg (\w+)(?: (.*?))?` \|/gm)].map(([, name]) => name);
  assert.equal(
    [...new Set(named)].sort(),
    COMMANDS.filter(({ internal }) => internal !== true)
      .map(({ name }) => name)
      .filter((name) => name !== 'help' && name !== 'version')
      .sort(),
  );
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
  for (const [, script = ''] of README.matchAll(/npm run (\w+)/g)) assert.ok(script in scripts, script);
  const listed = [...README.matchAll(/^\| ([@\w/-]+) \| .* \|$/gm)].map(([, name]) => name);
  assert.equal(
    Object.keys(devDependencies).filter((name) => !listed.includes(name)),
    [],
    'packages that are not explained',
  );
});

readme('copies to a router what is there to copy, and runs it', () => {
  const router = mkdtempSync(join(tmpdir(), 'r-'));
  const bin = join(router, 'bin');
  mkdirSync(join(router, 'tmp'), { recursive: true });
  mkdirSync(join(router, 'dist'));
  mkdirSync(bin);
  const ipk = (name: string): string => `${name}_${version}-r2_all.ipk`;
  const apk = (name: string): string => `${name}-${version}-r2.apk`;
  for (const name of ['sipalg', 'sipalg-daemon', 'sipalg-calls', 'luci-app-sipalg'])
    for (const file of [ipk(name), apk(name)]) writeFileSync(join(router, 'dist', file), name);
  for (const name of ['sipalg.js', 'sipalg.qjs.js']) symlinkSync(join(process.cwd(), 'dist', name), join(router, 'dist', name));
  // The other end is this folder; its /tmp is in it.
  const script = (name: string, text: string): void => writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  script(
    'scp',
    `for to; do :; done\n[ "$1" = -O ] && [ "\${to%%:*}" = root@192.168.1.1 ] || exit 9\nshift\nfor file; do [ "$file" = "$to" ] || cp "$file" "${router}\${to#*:}" || exit 8; done`,
  );
  script(
    'ssh',
    `if [ "$1" = -L ]; then echo "$2" | grep -qx "\\([0-9]*\\):127\\.0\\.0\\.1:\\1" || exit 7; shift 2; fi\n[ "$1" = root@192.168.1.1 ] || exit 9\nshift\n[ $# -eq 0 ] || exec sh -c "$(echo "$*" | sed 's| /tmp/| ${router}/tmp/|g')"`,
  );
  for (const command of commandsOf('here')) {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
      cwd: router,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
    });
    assert.ok(
      command.includes('status') ? [0, 1, 2].includes(status ?? -1) && stdout !== '' : status === 0,
      `${command}: ${status} ${stderr}`,
    );
  }
  assert.equal(readdirSync(join(router, 'tmp')).sort(), [...readdirSync(join(router, 'dist'))].sort());
  // What the shell makes of the words of an install, in its order.
  const installed = (begins: string): string[] => {
    const command = commands().find((one) => one.startsWith(begins)) ?? '';
    const words = command.slice(begins.length).replaceAll('/tmp/', `${router}/tmp/`);
    const { stdout } = spawnSync('sh', ['-c', `echo ${words}`], { encoding: 'utf8' });
    return stdout
      .trim()
      .split(' ')
      .map((path) => path.slice(`${router}/tmp/`.length));
  };
  assert.equal(installed('opkg install'), ['sipalg', 'luci-app-sipalg'].map(ipk));
  assert.equal(installed('apk add -U --allow-untrusted'), ['sipalg', 'luci-app-sipalg'].map(apk));
});

readme('calls methods over ubus that the object has', async () => {
  const all = lab();
  const clock = handClock();
  const recorded = recordedRouter('stock-alg-on');
  const object = createObject({
    host: {
      ...recorded,
      run: async (argv, options) => (argv[0] === 'sipalg' ? { state: 'absent', command: 'sipalg' } : recorded.run(argv, options)),
      read: async (path, options) => (path === CALLS ? { state: 'absent', source: path } : recorded.read(path, options)),
    },
    surveyor,
    clock,
  });
  const mine = all.client({});
  serveBus({ client: mine, clock, call: object.call, onEvent: () => {}, say: () => {} });
  await settle();
  const asked = commandsOf('bus');
  assert.ok(asked.length > 3);
  for (const command of asked) {
    const [, verb, path = '', method = '', args = '{}'] = /^ubus (call|subscribe) (\w+)(?: (\w+))?(?: '(.*)')?$/.exec(command) ?? [];
    if (verb === 'subscribe') {
      assert.is((await all.client().lookup(path))[0]?.path, path);
      continue;
    }
    const reply = await all.client().call(path, method, JSON.parse(args) as Record<string, string>);
    const isBeside = 'beside' in METHODS[method as MethodName];
    assert.ok(isBeside || ('verdict' in reply && 'plan' in reply), command);
  }
});

/** As netjsonconfig renders what it knows nothing of: a section for each member, lists as lists. */
function rendered(sections: Record<string, string | string[]>[]): string {
  return sections
    .map(({ config_name: type, config_value: name, ...options }) =>
      [
        `config ${type} '${name}'`,
        ...Object.entries(options).flatMap(([option, value]) =>
          typeof value === 'string' ? [`\toption ${option} '${value}'`] : value.map((one) => `\tlist ${option} '${one}'`),
        ),
        '',
      ].join('\n'),
    )
    .join('\n');
}

readme('has a template for OpenWISP that the program reads without a word', () => {
  const [template] = blocks('json').map((text) => JSON.parse(text) as { sipalg: Record<string, string | string[]>[] });
  const text = rendered(template?.sipalg ?? []);
  assert.match(text, /^config sipalg 'main'\n\toption alg 'disabled'\n\toption policy '1'\n/);
  const { wish, problems } = readConfiguration(text);
  assert.equal([wish.alg, problems], ['disabled', []]);
});

readme('names the counters that the voice rules have', () => {
  const { declared } = renderNft(
    {
      wan: ['wan'],
      ports: [5060],
      tlsPorts: [5061],
      timeouts: { signallingUnreplied: 120, signallingReplied: 620, media: 300 },
      marking: { media: { name: 'EF', value: 46 }, signalling: { name: 'CS3', value: 24 } },
      limit: { register: 5, invite: 10, options: 10, other: 20, kilobytes: 2 },
      signalling: { ipv4: [], ipv6: [] },
      media: { ipv4: [], ipv6: [] },
      unmarked: { ipv4: [], ipv6: [] },
      sites: { ipv4: [], ipv6: [] },
    },
    true,
  );
  const made = [...declared].flatMap((one) => /^counter (\w+)$/.exec(one)?.[1] ?? []);
  assert.ok(made.length > 6);
  const table = README.slice(README.indexOf('| counter | packets |'));
  const told = table
    .slice(0, table.indexOf('\n\n'))
    .split('\n')
    .slice(2)
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
  assert.equal(told.sort(), made.sort());
});

readme('leads nowhere that is not there', () => {
  for (const [, path = ''] of README.matchAll(/\]\(((?!https?:)[^)]+)\)/g)) assert.ok(existsSync(path), path);
});

readme.run();
