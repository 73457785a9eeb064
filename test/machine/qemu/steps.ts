/** What the scenarios of the virtual machine do and ask again and again. */
import * as assert from 'uvu/assert';
import type { Ran } from '../../lab/member.ts';
import { ENGINES } from './image.ts';
import { archive, type Manager, type Package } from './packages.ts';
import type { Picture, Router } from './router.ts';

/** Runs the program, and shows what it said where the exit code is not the expected one. */
export async function sipalg(router: Router, command: string, expected: number): Promise<Ran> {
  const ran = await router.run(['sipalg', ...command.split(' ')]);
  assert.is(ran.status, expected, `sipalg ${command}:\n${ran.stdout}${ran.stderr}`);
  return ran;
}

/** The commands a run has said it runs. */
export const commands = (ran: Ran): string[] => ran.stderr.split('\n').filter((line) => line.startsWith('[#] '));

/** Neither module is loaded, and an INVITE arrives as it was sent. */
export async function assertOff(router: Router, when: string): Promise<void> {
  assert.equal(await router.sipModules(), {}, when);
  assert.is(await router.treatment(), 'untouched', when);
}

/** Part by part, so that a difference can be read. */
export function assertSame(now: Picture, then: Picture): void {
  assert.equal(now.modules, then.modules);
  assert.is(now.parameters, then.parameters);
  for (const [path, text] of Object.entries(then.files)) assert.is(now.files[path], text, path);
  const rulesThat = (one: Picture, other: Picture): string[] => one.rules.filter((line) => !other.rules.includes(line));
  assert.equal({ more: rulesThat(now, then), fewer: rulesThat(then, now) }, { more: [], fewer: [] });
  assert.ok(
    now.rules.every((line, index) => line === then.rules[index]),
    'the rules are in the order they were in',
  );
}

/** What routers looked like when they were looked at last, the ALG in force, for the way back to be held against. */
export function memory(): { rememberIt: (router: Router) => Promise<void>; assertAsBefore: (router: Router) => Promise<void> } {
  const before = new Map<Router, Picture>();
  return {
    async rememberIt(router) {
      assert.is(await router.treatment(), 'rewritten');
      before.set(router, await router.picture());
    },
    assertAsBefore: async (router) => assertSame(await router.picture(), before.get(router)!),
  };
}

/** The firewall is up and whole: it translates addresses, and would load again. */
export async function assertFirewall(router: Router, when: string): Promise<void> {
  assert.match(await router.must(['nft', 'list', 'ruleset']), 'masquerade', `${when}\n${router.bootLog()}`);
  await router.must(['fw4', 'check']);
}

/** Booted without a complaint, the ALG off and the firewall whole. */
export async function assertBootedOff(router: Router, when: string): Promise<void> {
  // What the program did to reach the wish is no complaint.
  assert.equal(
    router
      .bootLog()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('[#] ')),
    [],
    when,
  );
  await assertOff(router, when);
  await assertFirewall(router, when);
}

/** Every file the router has that its image has not, or has otherwise: path to sum. Lists of the manager's own aside. */
export async function written(router: Router): Promise<Record<string, string>> {
  const text = await router.must(['sh', '-c', 'cd /overlay/upper && find . \\( -type f -o -type l \\) -exec sha256sum {} +']);
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(/\s+\./) as [string, string])
      .filter(([, path]) => !/^\/usr\/lib\/opkg\/|^\/lib\/apk\//.test(path))
      .map(([sum, path]) => [path, sum]),
  );
}

/** Puts a package on the router and has its manager install it. */
export async function install(router: Router, manager: Manager, one: Package, ...options: readonly string[]): Promise<Ran> {
  const path = `/tmp/${one.name}.${manager === 'opkg' ? 'ipk' : 'apk'}`;
  await router.put(path, archive(manager, one));
  const ran = await router.run(manager === 'opkg' ? ['opkg', ...options, 'install', path] : ['apk', 'add', '--allow-untrusted', path]);
  assert.is(ran.status, 0, `${manager}: ${one.name}\n${ran.stdout}${ran.stderr}`);
  return ran;
}

/** Installs several, one after the other as one command would; what the manager said. */
export async function installAll(router: Router, manager: Manager, ...packages: readonly Package[]): Promise<string> {
  let said = '';
  for (const one of packages) {
    const { stdout, stderr } = await install(router, manager, one);
    said += stdout + stderr;
  }
  return said;
}

/** What sysupgrade would keep, as it packs it. */
export async function kept(router: Router): Promise<Buffer> {
  await router.must(['sysupgrade', '-b', '/tmp/kept.tgz']);
  return Buffer.from(await router.must(['base64', '/tmp/kept.tgz']), 'base64');
}

/** Sends INVITEs of new flows for as long as something takes; what became of each. */
export async function meanwhile<T>(router: Router, work: Promise<T>): Promise<{ result: T; treatments: string[] }> {
  const treatments: string[] = [];
  let over = false;
  const ended = work.finally(() => {
    over = true;
  });
  while (!over) treatments.push(await router.treatment());
  return { result: await ended, treatments };
}

/** Does something while the router has no engine that the program could run on. */
export async function withoutEngine(router: Router, work: () => Promise<void>): Promise<void> {
  const move = (from: string, to: string): Promise<string> =>
    router.must(['sh', '-ec', ENGINES.map((path) => `[ ! -e ${path}${from} ] || mv ${path}${from} ${path}${to}`).join('\n')]);
  await move('', '.gone');
  try {
    await work();
  } finally {
    await move('.gone', '');
  }
}

/** Process ids of the resident daemon. */
export async function daemons(router: Router): Promise<number[]> {
  // A pattern that does not find itself.
  const { stdout } = await router.run(['sh', '-c', "grep -l -a '[s]ipalg.mjs.serve' /proc/[0-9]*/cmdline"]);
  return stdout
    .split('\n')
    .flatMap((line) => /^\/proc\/(\d+)\//.exec(line)?.[1] ?? [])
    .map(Number);
}

/** Waits until a question is answered with true. */
export async function until(what: string, ask: () => Promise<boolean>, limit = 30_000): Promise<void> {
  const end = Date.now() + limit;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`${what}: not in ${limit / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
