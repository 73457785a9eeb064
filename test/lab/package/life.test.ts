/**
 * The life of the packages on a router, under stand-ins of opkg and apk that follow the real ones' order, with OpenWrt's
 * functions and procd's: from the one package of before, with the daemon and without it, a version later, and the removal
 * of each. The same in virtual machines, with real modules: test/machine/packages-opkg.test.ts and packages-apk.test.ts.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeWish } from '../../../src/wish/write.ts';
import { archive, type Manager, type Package } from '../../machine/qemu/packages.ts';
import { laterProduct, product, wholeProduct } from '../../machine/qemu/product.ts';
import { startOf } from '../../engines/start.ts';
import { openLab, type Lab } from '../lab.ts';

const ROOT = 'test/machine/qemu/root';
const CONFIG = '/etc/config/sipalg';
const BY_NAME = /is a package of its own now: install sipalg-daemon too/;
const MINE = '\n# of its owner\n';

const life = suite('the life of the packages');

/** A router without sipalg, with a manager and what packages' scripts call. */
async function opened(manager: Manager): Promise<Lab> {
  const lab = await openLab({ ruleset: 'stock-alg-on' });
  try {
    await furnish(lab, manager);
    return lab;
  } catch (error) {
    await lab.close();
    throw error;
  }
}

async function furnish(lab: Lab, manager: Manager): Promise<void> {
  for (const path of ['/usr/lib/sipalg', '/usr/sbin/sipalg', '/etc/init.d', '/etc/rc.d']) lab.files.remove(path);
  for (const path of ['/lib/functions.sh', '/lib/functions/procd.sh', '/etc/rc.common'])
    lab.files.write(path, readFileSync(ROOT + path), 0o755);
  // procd.sh takes the service's lock as it is read, whatever is called, `enabled` too: scripts that call each other must not wait.
  lab.files.write('/lib/functions/procd.sh', `${lab.files.read('/lib/functions/procd.sh')}\nprocd_lock\n`, 0o755);
  lab.files.write('/bin/manager', readFileSync(`test/machine/qemu/managers/${manager}`), 0o755);
  lab.files.write('/tmp/log/.keep', '');
  // Scripts of procd's kind need a shell that knows descriptor 1000.
  await lab.router.must(['ln', '-sf', 'busybox', lab.files.exists('/usr/bin/sh') ? '/usr/bin/sh' : '/bin/sh']);
  if (manager === 'opkg') await put(lab, manager, { name: 'node', version: '20-r1', files: { '/lib/lab/node': '' } });
}

/** Puts packages on the router and installs them by one command; what it said. */
async function put(lab: Lab, manager: Manager, ...packages: readonly Package[]): Promise<string> {
  const paths = packages.map((one) => {
    const path = `/tmp/${one.name}.pack`;
    lab.files.write(path, archive(manager, one));
    return path;
  });
  return managed(lab, manager === 'opkg' ? 'install' : 'add', paths);
}

const remove = (lab: Lab, manager: Manager, ...names: readonly string[]): Promise<string> =>
  managed(lab, manager === 'opkg' ? 'remove' : 'del', names);

async function managed({ router }: Lab, verb: string, words: readonly string[]): Promise<string> {
  // /lib is a folder on OpenWrt, and may be a link here, which GNU tar would replace by the package's folder.
  const env = { TAR_OPTIONS: '--keep-directory-symlink' };
  return router.must(['sh', '-c', 'verb=$1; shift; manager "$verb" "$@" 2>&1', 'sh', verb, ...words], { timeout: 60_000, env });
}

/** Process ids of `sipalg serve`, as the router counts. */
async function daemons({ router }: Lab): Promise<string[]> {
  const { stdout } = await router.run(['pgrep', '-f', 'sipalg/sipalg[.]mjs serve']);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Waits for so many watchers: one where the daemon does not watch, and never one that is left. */
async function watchers({ router }: Lab, count: number): Promise<void> {
  let now = '';
  for (const end = Date.now() + 15_000; Date.now() < end;) {
    now = (await router.run(['pgrep', '-f', '^/bin/sh /usr/lib/sipalg/watch[.]sh 5$'])).stdout;
    if (now.split('\n').filter(Boolean).length === count) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Watchers: ${now}, and there should be ${count}.`);
}

/** Waits for so many daemons, none of them `gone`, for procd waits neither for one to begin nor to end; theirs. */
async function settled(lab: Lab, count: number, gone = ''): Promise<string[]> {
  let now: string[] = [];
  for (const end = Date.now() + 15_000; Date.now() < end;) {
    now = await daemons(lab);
    if (now.length === count && !now.includes(gone)) return now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Daemons: ${now.join(' ')}, and there should be ${count}, ${gone} not among them.\n${(await lab.router.run(['sh', '-c', 'cat /tmp/log/*'])).stdout}`);
}

/** Services that have an instance. */
const services = ({ files }: Lab): string[] =>
  files.exists('/tmp/procd') ? files.list('/tmp/procd').filter((name) => files.list(`/tmp/procd/${name}`).length > 0) : [];

/** Files and folders of the program. */
const program = ({ files }: Lab): string[] =>
  files.exists('/usr/lib/sipalg') ? readdirSync(files.host('/usr/lib/sipalg'), { recursive: true, encoding: 'utf8' }).sort() : [];

/** What packages bring there. */
const brought = (...packages: readonly Package[]): string[] => {
  const paths = packages.flatMap(({ files }) => Object.keys(files).filter((path) => path.startsWith('/usr/lib/sipalg/')));
  const names = paths.map((path) => path.slice('/usr/lib/sipalg/'.length));
  return [...new Set([...names, ...names.flatMap((name) => (name.includes('/') ? [name.slice(0, name.indexOf('/'))] : []))])].sort();
};

let port = 20_000;

/** Whether an INVITE of a flow of its own is changed on the way. */
async function isRewritten(lab: Lab): Promise<boolean> {
  const { sent, arrived } = await lab.sendInvite({ from: 'phone', to: 'provider', sourcePort: port++ });
  return arrived === undefined || !sent.equals(arrived);
}

/** The wish is written by its owner, who has a line of his own in the file. */
async function disable(lab: Lab): Promise<void> {
  lab.files.write(CONFIG, writeWish(lab.files.read(CONFIG), 'disabled') + MINE);
  await lab.router.must(['sipalg', 'apply'], { timeout: 60_000 });
  assert.is(await isRewritten(lab), false);
}

for (const manager of ['opkg', 'apk'] as const) {
  for (const folder of ['/usr/lib/sipalg', '/usr/lib/node/sipalg']) {
    life(`${manager}: the one package in ${folder} becomes two, and the daemon is the new one`, async () => {
      const lab = await opened(manager);
      try {
        await put(lab, manager, wholeProduct(folder));
        const [old] = await settled(lab, 1);
        assert.equal(services(lab), ['sipalg']);
        await disable(lab);
        const said = await put(lab, manager, product(), product('sipalg-daemon'));
        assert.match(said, BY_NAME);
        const [now] = await settled(lab, 1, old);
        assert.equal(services(lab), ['sipalg-daemon']);
        assert.equal(lab.files.list('/etc/rc.d'), ['S15sipalg-early', 'S21sipalg', 'S22sipalg-daemon']);
        assert.equal(program(lab), brought(product(), product('sipalg-daemon')));
        assert.not.ok(lab.files.exists('/usr/lib/node/sipalg'));
        assert.ok(lab.files.read(CONFIG).endsWith(MINE), "the owner's file is as it was");
        assert.is((await lab.router.run(['sipalg', 'status'])).status, 0);
        assert.is(await isRewritten(lab), false);
        // A version later, nothing is said, and the daemon is again the new one.
        const later = await put(lab, manager, laterProduct('9.0.0-r1'), laterProduct('9.0.0-r1', 'sipalg-daemon'));
        assert.not.match(later, BY_NAME);
        await settled(lab, 1, now);
        assert.match(lab.files.read('/usr/lib/sipalg/sipalg.mjs'), /\/\/ 9\.0\.0-r1\n$/);
        assert.is(await isRewritten(lab), false);
      } finally {
        await lab.close();
      }
    });
  }

  life(`${manager}: upgraded alone, it ends the daemon and names what to install; each package goes by itself`, async () => {
    const lab = await opened(manager);
    try {
      await put(lab, manager, wholeProduct());
      await settled(lab, 1);
      await disable(lab);
      assert.match(await put(lab, manager, product()), BY_NAME);
      await settled(lab, 0);
      assert.equal([services(lab), program(lab)], [['sipalg'], brought(product())]);
      await watchers(lab, 1);
      assert.equal(lab.files.list('/etc/rc.d'), ['S15sipalg-early', 'S21sipalg']);
      const serve = await lab.router.run(['sipalg', 'serve', '--no-page']);
      assert.equal([serve.status, serve.stdout], [2, '']);
      assert.match(serve.stderr, /^sipalg: `sipalg serve` is in a package of its own; install sipalg-daemon, of this version \(.*\)\.\n$/);

      await put(lab, manager, product('sipalg-daemon'), product('sipalg-calls'));
      await settled(lab, 1);
      await watchers(lab, 0);
      assert.is((await lab.router.run(['sipalg', 'compare', '--help'])).status, 0);
      await remove(lab, manager, 'sipalg-daemon', 'sipalg-calls');
      await settled(lab, 0);
      assert.equal([services(lab), lab.files.list('/etc/rc.d')], [['sipalg'], ['S15sipalg-early', 'S21sipalg']]);
      await watchers(lab, 1);
      assert.equal([await isRewritten(lab), lab.files.exists('/etc/sipalg.journal')], [false, true], 'nothing is given back');
      assert.is((await lab.router.run(['sipalg', 'status'])).status, 0);

      await remove(lab, manager, 'sipalg');
      assert.equal([await isRewritten(lab), lab.files.exists('/etc/sipalg.journal')], [true, false]);
      assert.equal([lab.files.list('/etc/rc.d'), program(lab).filter((name) => name.includes('.'))], [[], []]);
      await watchers(lab, 0);
      assert.ok(lab.files.read(CONFIG).endsWith(MINE));
    } finally {
      await lab.close();
    }
  });

  life(`${manager}: on QuickJS it is installed, disables, and gives back when it goes`, async () => {
    const lab = await opened(manager);
    try {
      const [qjs = ''] = await startOf('quickjs');
      lab.files.write('/usr/bin/qjs', `#!/bin/sh\necho "$*" >>/tmp/qjs.calls\nexec '${qjs}' "$@"\n`, 0o755);
      assert.is(await put(lab, manager, product()).then((said) => BY_NAME.test(said)), false);
      await disable(lab);
      assert.equal(await daemons(lab), []);
      lab.files.write('/tmp/qjs.calls', '');
      const said = await remove(lab, manager, 'sipalg');
      assert.match(lab.files.read('/tmp/qjs.calls'), /sipalg\.qjs\.mjs enable\n/, said);
      assert.equal([await isRewritten(lab), lab.files.exists('/etc/sipalg.journal')], [true, false], said);
    } finally {
      await lab.close();
    }
  });
}

life.run();
