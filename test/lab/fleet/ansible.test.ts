/** The Ansible role over Debian's ansible-core and a real dropbear, twenty routers of three kinds at a time. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archive, openIpk, type Manager } from '../../machine/qemu/packages.ts';
import { make } from '../../pure/package/made.ts';
import type { Ran } from '../member.ts';
import { KEY, openFleet } from './routers.ts';
import type { Fleet } from './routers.ts';
import type { Ruleset } from '../lab.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const RELEASE = `${version}-r2`;

/** What a router of a kind comes to, in the table's words. */
const EXPECTED: Partial<Record<Ruleset, RegExp>> = {
  'stock-alg-absent': / +off +nothing +nothing$/,
  'stock-alg-on': / +off +nothing +nothing$/,
  'user-include': / +off +firewall reload, boot.* +.*\/etc\/nftables\.d\/20-user\.nft/,
};
const KINDS = Array.from({ length: 20 }, (_, at): readonly [Ruleset, Manager] => [
  (['stock-alg-absent', 'stock-alg-on', 'user-include'] as const)[at % 3] as Ruleset,
  // Each kind is there with either.
  at % 4 === 0 ? 'apk' : 'opkg',
]);

interface Context {
  fleet: Fleet;
  folder: string;
}

const role = suite<Context>('the Ansible role');

role.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'role-'));
  const { files } = make(context.folder);
  context.fleet = await openFleet(KINDS);
  const { files: there, routers } = context.fleet;
  const name = `sipalg_${RELEASE}_all.ipk`;
  const ipk = files[name] ?? Buffer.alloc(0);
  there.write(`/tmp/packages/${name}`, ipk);
  // What stands in for apk reads the same files and scripts in a container of its own.
  there.write(`/tmp/packages/sipalg-${RELEASE}.apk`, archive('apk', openIpk(ipk)));
  const hosts = routers.map((one) => `${one.name} ansible_host=${one.address}`).join('\n');
  const options = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR';
  there.write(
    '/tmp/inventory.ini',
    `[routers]\n${hosts}\n\n[routers:vars]\nansible_user=root\nansible_ssh_private_key_file=${KEY}\nansible_ssh_common_args='${options}'\n`,
  );
});

role.after(async ({ fleet, folder }) => {
  await fleet?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One run of the playbook; what is wished beside the packages, as extra variables. */
async function play({ fleet }: Context, words: readonly string[], wishes: object = {}): Promise<Ran> {
  const folder = `${process.cwd()}/fleet/ansible`;
  const variables = { sipalg_packages: '/tmp/packages', sipalg_version: RELEASE, sipalg_reports: '/tmp/reports', ...wishes };
  // Into files: the connections that ssh keeps open would hold a pipe.
  const ran = await fleet.controller.run(
    [
      'sh',
      '-c',
      'exec "$@" </dev/null >/tmp/out 2>/tmp/err',
      'sh',
      'ansible-playbook',
      '-i',
      '/tmp/inventory.ini',
      `${folder}/site.yml`,
      '-f',
      '20',
      '-e',
      JSON.stringify(variables),
      ...words,
    ],
    {
      timeout: 300_000,
      env: {
        HOME: '/tmp/home',
        ANSIBLE_CONFIG: `${folder}/ansible.cfg`,
        ANSIBLE_NOCOWS: '1',
        ANSIBLE_REMOTE_TEMP: '/tmp/ansible',
        ANSIBLE_LOCALHOST_WARNING: 'False',
        LC_ALL: 'C.UTF-8',
      },
    },
  );
  return { ...ran, stdout: fleet.files.read('/tmp/out'), stderr: fleet.files.read('/tmp/err') };
}

/** changed, failed and unreachable of every router, as the recap counts. */
function recap({ stdout, stderr }: Ran, hosts = 20): Map<string, { changed: number; failed: number; unreachable: number }> {
  const rows = [...stdout.matchAll(/^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)/gm)];
  assert.is(rows.length, hosts, stdout + stderr);
  return new Map(
    rows.map(([, name = '', changed, unreachable, failed]) => [
      name,
      { changed: Number(changed), failed: Number(failed), unreachable: Number(unreachable) },
    ]),
  );
}

const tableOf = ({ stdout }: Ran): string[] => {
  const text = stdout.slice(stdout.indexOf('How the routers are'));
  return [...text.matchAll(/^ +"((?:[^"\\]|\\.)*)",?$/gm)].map(([, row = '']) => JSON.parse(`"${row}"`) as string);
};

role('--check on routers without sipalg says that it would be installed, and changes nothing', async (context) => {
  const ran = await play(context, ['--check', '--limit', 'site-01,site-02,site-03']);
  for (const [name, { changed, failed, unreachable }] of recap(ran, 3))
    assert.equal([name, changed > 0, failed, unreachable], [name, true, 0, 0]);
  for (const { files } of context.fleet.routers) assert.not.ok(files.exists('/usr/sbin/sipalg'));
});

role('installs, reaches the wish on all at once, and ends with one table', async (context) => {
  const ran = await play(context, []);
  for (const [name, { changed, failed, unreachable }] of recap(ran))
    assert.equal([name, changed > 0, failed, unreachable], [name, true, 0, 0], ran.stdout);
  const [head, ...rows] = tableOf(ran);
  assert.match(head ?? '', /^router +SIP ALG +would bring it back +to decide$/);
  assert.is(rows.length, 20);
  for (const [at, { name, ruleset, manager, files }] of context.fleet.routers.entries()) {
    assert.ok(rows[at]?.startsWith(`${name} `), rows[at]);
    assert.match(rows[at] ?? '', EXPECTED[ruleset] as RegExp, `${ruleset}: ${rows[at]}`);
    assert.is(files.exists('/lib/apk/db/lab/sipalg/version'), manager === 'apk', name);
    assert.match(files.read('/etc/config/sipalg'), "option alg 'disabled'");
    assert.equal(
      files.list('/tmp').filter((left) => /sipalg/.test(left)),
      [],
    );
  }
  const reports = context.fleet.files.read('/tmp/reports/fleet.jsonl').trim().split('\n');
  assert.equal(
    reports.map((line) => (JSON.parse(line) as { router: string }).router),
    context.fleet.routers.map(({ name }) => name),
  );
});

role('changes nothing when it runs again', async (context) => {
  const ran = await play(context, []);
  for (const [name, counts] of recap(ran)) assert.equal([name, counts], [name, { changed: 0, failed: 0, unreachable: 0 }], ran.stdout);
});

role('--check --diff shows what another wish would change, by the plan, and changes nothing', async (context) => {
  const before = context.fleet.routers.map(({ files }) => files.read('/etc/config/sipalg'));
  const ran = await play(context, ['--check', '--diff', '--limit', 'site-01,site-02'], {
    sipalg_policy: true,
    sipalg_hep: { server: '203.0.113.10:9060', password: "hunter's 2" },
  });
  assert.match(ran.stdout, /"- \\toption policy '0'"/);
  assert.match(ran.stdout, /"\+ \\toption policy '1'"/);
  assert.match(ran.stdout, /"\+ \\toption password \.\.\."/);
  assert.not.match(ran.stdout, /hunter/);
  assert.match(ran.stdout, /nft -f/);
  assert.match(ran.stdout, /site-01 +: ok=\d+ +changed=[1-9]/);
  assert.equal(
    context.fleet.routers.map(({ files }) => files.read('/etc/config/sipalg')),
    before,
  );
});

role('takes more configuration than fits a command', async (context) => {
  const networks = Array.from({ length: 250 }, (_, at) => `198.18.${at}.0/24`);
  const sipalg_providers = [{ name: 'large', signalling: networks, media: networks }];
  const ran = await play(context, ['--limit', 'site-03'], { sipalg_providers });
  const config = context.fleet.routers[2]?.files.read('/etc/config/sipalg') ?? '';
  assert.ok(config.length > 9000 && config.includes("list media '198.18.249.0/24'"), ran.stdout + ran.stderr);
  assert.match(ran.stdout, /site-03 +: ok=\d+ +changed=[1-9].* failed=0/, ran.stdout + ran.stderr);
});

role.run();
