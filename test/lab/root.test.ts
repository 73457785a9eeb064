import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLab, type Lab } from './lab.ts';
import { rootFolder } from './root.ts';

const root = suite<{ lab: Lab }>("the router's root");
root.before(async (context) => {
  context.lab = await openLab();
});
root.after(({ lab }) => lab.close());

/** Every plain file below a folder, from that folder. */
const plainFiles = (folder: string, at = ''): string[] =>
  readdirSync(folder + at, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return plainFiles(folder, `${at}/${entry.name}`);
    return entry.isFile() ? [`${at}/${entry.name}`] : [];
  });

root("holds no file of the machine's", () => {
  const folder = rootFolder();
  const files = plainFiles(folder);
  assert.ok(files.length > 200, `${files.length} files`);
  for (const file of files) {
    const [own, machine] = [statSync(folder + file), statSync(file, { throwIfNoEntry: false })];
    assert.is(own.nlink, 1, file);
    assert.not(machine !== undefined && machine.dev === own.dev && machine.ino === own.ino, file);
  }
});

root('shows the router nothing else of the machine than its devices, and the project to read', async ({ lab }) => {
  const mounts = (await lab.router.must(['cat', '/proc/self/mountinfo'])).trimEnd().split('\n');
  const points = mounts.map((line) => line.split(' ')[4] as string);
  assert.equal(points.filter((point) => !/^\/dev(\/|$)/.test(point)).sort(), ['/', '/proc', '/run', '/sys', '/tmp', process.cwd()].sort());
  const own = mounts[points.indexOf(process.cwd())]!.split(' ');
  assert.match(own[5]!, /^ro,/);
  assert.equal(
    lab.files.list('/etc').filter((name) => /apt|dpkg|debian|alternatives$/.test(name)),
    ['alternatives'],
    'the links that say which iptables is meant',
  );
});

root('shows the ends of a call the machine, to read', async ({ lab }) => {
  const tried = await lab.phone.run(['sh', '-c', 'echo x > /etc/from-a-phone']);
  assert.match(tried.stderr, 'Read-only file system');
  assert.not.match(readFileSync(`/proc/${lab.phone.pid}/mountinfo`, 'utf8'), / - overlay overlay .*upperdir=\/mnt\/upper/);
});

root.run();

/**
 * A machine to break: the real one under a memory file system, in a mount namespace that goes away with its shell. What
 * follows runs in it; $0 is the project, which stays writable.
 */
const DISPOSABLE = `set -e
mount --make-rprivate /
mount -t tmpfs machine /mnt
mkdir /mnt/upper /mnt/work /mnt/root
cd "$0"
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
for place in proc sys dev; do mount --rbind /$place /mnt/root/$place; done
mount -t tmpfs tmp /mnt/root/tmp
mkdir -p "/mnt/root$0"
mount --bind . "/mnt/root$0"
cd /mnt/root
pivot_root . mnt
cd "$0"
exec "$1" --input-type=module --eval "$2"
`;

/** What a package manager does to a machine, and worse, while a lab is open on it; then the router is asked. */
const BREAKING = `
  import * as fs from 'node:fs';
  const { load } = await import(process.cwd() + '/test/lab/load.mjs');
  const { openLab } = await load('test/lab/lab.ts');
  const lab = await openLab({ ruleset: 'stock-alg-on' });
  const replaced = [];
  for (const path of ['/usr/sbin/nft', '/usr/sbin/conntrack', '/usr/sbin/xtables-legacy-multi', '/usr/bin/grep', '/usr/bin/flock']) {
    fs.writeFileSync(path + '.dpkg-new', '#!/bin/false\\n', { mode: 0o755 });
    fs.renameSync(path + '.dpkg-new', path);
    replaced.push(path);
  }
  for (const folder of fs.readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu')).map((name) => '/usr/lib/' + name)) {
    for (const name of fs.readdirSync(folder).filter((each) => /^lib(nftables|mnl|xtables|ip4tc|netfilter_conntrack)\\.so/.test(each))) {
      fs.rmSync(folder + '/' + name);
      replaced.push(folder + '/' + name);
    }
    fs.rmSync(folder + '/xtables', { recursive: true, force: true });
  }
  fs.rmSync('/etc/alternatives', { recursive: true });
  fs.writeFileSync('/etc/passwd', '');
  const say = async (...argv) => { const { status, stderr } = await lab.router.run(argv); return [argv.join(' '), status, stderr]; };
  const said = [
    await say('nft', 'list', 'ruleset'),
    await say('conntrack', '-L'),
    await say('iptables-legacy', '-t', 'raw', '-A', 'PREROUTING', '-p', 'udp', '-m', 'comment', '--comment', 'x', '-j', 'ACCEPT'),
    await say('iptables-save'),
    await say('grep', '-q', 'root', '/etc/passwd'),
    await say('flock', '/tmp/lock', 'true'),
    await say('sipalg', 'disable'),
    await say('sipalg', 'status'),
    await say('sipalg', 'enable'),
  ];
  await lab.close();
  console.log(JSON.stringify({ replaced, said }));
`;

const beside = suite('a package manager beside a lab');

beside('harms nothing: what it replaces and removes, the router still has', () => {
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', DISPOSABLE, process.cwd(), process.execPath, BREAKING], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  assert.is(status, 0, stderr);
  const { replaced, said } = JSON.parse(stdout) as { replaced: string[]; said: [string, number, string][] };
  assert.ok(replaced.length >= 9, replaced.join(' '));
  for (const [command, code, complaint] of said) assert.is(code, 0, `${command}: ${complaint}`);
  assert.ok(statSync('/usr/sbin/nft').size > 1000, 'the machine itself is as it was');
});

beside.run();
