/**
 * The lab's stand-in for OpenWrt's /sbin/fw3 (firewall3 3a65fde): same verbs, same files, same lock, same exit codes, for the part
 * of the configuration the lab uses. Ours, and only for tests.
 *
 * Its oddities are those of the real one: `reload` starts a firewall whose state file is gone; `flush`, and with it
 * `/etc/init.d/firewall stop` and each restart, empties every table there is; a set that is there is not filled anew; script
 * includes run on a reload only where they ask for it. Hotplug events and sysctls of TCP are left out.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { FAMILIES, readConfig, warn, type Config, type Family } from './fw3/config.ts';
import { clear, empty, populate } from './fw3/kernel.ts';
import { render, TABLES } from './fw3/render.ts';
import { optionOf, parseUci } from '../../src/languages/uci/parse.ts';

const LOCK = '/var/run/fw3.lock';
const STATE = '/var/run/fw3.state';

type Running = { families: Set<Family>; readonly zones: readonly string[]; readonly sets: readonly { name: string; family: Family }[] };

const args = process.argv.slice(2);
const families: Family[] = [];
while (args[0]?.startsWith('-')) {
  const flag = args.shift();
  if (flag === '-4') families.push(4);
  if (flag === '-6') families.push(6);
  if (flag === '-q') process.stderr.write = () => true;
}
const [verb = '', locked] = args;

function die(text: string): never {
  process.stderr.write(`Error: ${text}\n`);
  process.exit(1);
}

/** Runs this program again while flock(1) holds the lock, and ends as it ends. */
function hold(): never {
  const { status } = spawnSync('flock', ['-x', LOCK, process.execPath, __filename, verb, 'locked'], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

function config(): Config {
  try {
    const wish = readConfig();
    // Everything is read before anything is changed, as by the real one: what cannot be rendered is said here.
    for (const family of FAMILIES) render(wish, family, () => true);
    return wish;
  } catch (error) {
    die((error as Error).message);
  }
}

function running(): Running | undefined {
  if (!existsSync(STATE)) return undefined;
  const { sections } = parseUci(readFileSync(STATE, 'utf8'));
  const of = (type: string): string[] =>
    sections.filter((section) => section.type === type).map((section) => optionOf(section, 'name') ?? '');
  const defaults = sections.find(({ type }) => type === 'defaults');
  const runs = (family: Family): boolean => !['0x0', null].includes((defaults && optionOf(defaults, `__flags_v${family}`)) ?? null);
  const sets = sections
    .filter(({ type }) => type === 'ipset')
    .map((section) => ({
      name: optionOf(section, 'name') ?? '',
      family: optionOf(section, 'family') === 'ipv6' ? (6 as const) : (4 as const),
    }));
  return { families: new Set(FAMILIES.filter(runs)), zones: of('zone'), sets };
}

function writeState({ defaults, zones, sets }: Config, runs: ReadonlySet<Family>): void {
  const flags = FAMILIES.map((family) => `\toption __flags_v${family} '0x${runs.has(family) ? '1' : '0'}'\n`).join('');
  const ends = ({ input, output, forward }: { input: string; output: string; forward: string }): string =>
    `\toption input '${input}'\n\toption output '${output}'\n\toption forward '${forward}'\n`;
  writeFileSync(
    STATE,
    [
      `package fw3_state\n\nconfig defaults\n${ends(defaults)}${flags}`,
      ...zones.map(
        (zone) =>
          `config zone\n\toption name '${zone.name}'\n${ends(zone)}${zone.devices.map((device) => `\tlist device '${device}'\n`).join('')}`,
      ),
      ...sets.map(({ name, family }) => `config ipset\n\toption name '${name}'\n\toption family 'ipv${family}'\n`),
    ].join('\n'),
  );
}

const ipset = (input: string): void =>
  void spawnSync('ipset', ['-exist', '-'], { input: `${input}quit\n`, stdio: ['pipe', 'inherit', 'inherit'] });
const isThere = (set: string): boolean => spawnSync('ipset', ['list', '-n', set], { stdio: 'ignore' }).status === 0;

/** On a reload only those that are not there: `reload_set` is not used here. */
function makeSets({ sets }: Config, family: Family, reload: boolean): void {
  for (const set of sets) if (set.family === family && !(reload && isThere(set.name))) ipset(set.script);
}

/** One that a rule of somebody's still asks stays, empty. */
function destroySets({ sets }: Running): void {
  for (const { name } of sets) ipset(`flush ${name}\ndestroy ${name}\n`);
}

function restoreIncludes({ includes }: Config, family: Family, reload: boolean): void {
  const command = family === 6 ? 'ip6tables-legacy-restore' : 'iptables-legacy-restore';
  const mine = includes.filter(
    (one) => one.restore && (one.family ?? family) === family && (!reload || one.reload) && existsSync(one.path),
  );
  const input = mine.map(({ path }) => readFileSync(path, 'utf8')).join('');
  if (input !== '') spawnSync(command, ['--noflush'], { input, stdio: ['pipe', 'inherit', 'inherit'] });
}

function scriptIncludes({ includes }: Config, reload: boolean): void {
  for (const { path } of includes.filter((one) => !one.restore && (!reload || one.reload) && existsSync(one.path)))
    spawnSync('sh', ['-c', `config() { echo "You cannot use UCI in firewall includes!" >&2; exit 1; }; . ${path}`], { stdio: 'inherit' });
}

const put = (wish: Config, family: Family): void => populate(family, render(wish, family, isThere));

function start(wish: Config, run: Running | undefined): number {
  const runs = new Set<Family>();
  for (const family of FAMILIES) {
    makeSets(wish, family, false);
    if (family === 6 && wish.defaults.disableIpv6) continue;
    if (run?.families.has(family)) {
      warn(`The IPv${family} firewall appears to be started already. If it is indeed empty, remove the ${STATE} file and retry.`);
      continue;
    }
    put(wish, family);
    restoreIncludes(wish, family, false);
    runs.add(family);
  }
  if (runs.size === 0) return 1;
  scriptIncludes(wish, false);
  writeState(wish, new Set([...runs, ...(run?.families ?? [])]));
  return 0;
}

function reload(wish: Config, run: Running | undefined): number {
  if (run === undefined) return start(wish, run);
  const runs = new Set<Family>();
  for (const family of FAMILIES) {
    if (run.families.has(family)) clear(family, run.zones, true);
    if (family === 6 && wish.defaults.disableIpv6) continue;
    makeSets(wish, family, true);
    put(wish, family);
    restoreIncludes(wish, family, true);
    runs.add(family);
  }
  scriptIncludes(wish, true);
  writeState(wish, runs);
  return 0;
}

/** @param complete everybody's rules, whether or not it runs */
function stop(run: Running | undefined, complete: boolean): number {
  if (!complete && run === undefined) {
    warn("The firewall appears to be stopped. Use the 'flush' command to forcefully purge all rules.");
    return 1;
  }
  for (const family of FAMILIES) {
    if (complete) empty(family);
    else if (run?.families.has(family)) clear(family, run.zones, false);
  }
  if (run !== undefined) destroySets(run);
  // What OpenWrt's kernel does when an `f` is written to /proc/net/nf_conntrack.
  if (complete) spawnSync('conntrack', ['-F'], { stdio: 'ignore' });
  rmSync(STATE, { force: true });
  return 0;
}

const wish = config();
switch (verb) {
  case 'print':
    for (const family of families.length === 0 ? [4 as const] : families) {
      const tables = render(wish, family, () => true);
      const command = family === 6 ? 'ip6tables' : 'iptables';
      for (const name of TABLES) {
        const { policies, chains, rules } = tables[name];
        for (const [chain, policy] of Object.entries(policies)) console.log(`${command} -t ${name} -P ${chain} ${policy}`);
        for (const chain of chains) console.log(`${command} -t ${name} -N ${chain}`);
        for (const { chain, words } of rules) console.log(`${command} -t ${name} -A ${chain} ${words}`);
      }
    }
    break;
  case 'start':
  case 'reload':
  case 'restart':
  case 'stop':
  case 'flush': {
    if (locked === undefined) hold();
    const run = running();
    if (verb === 'start') process.exitCode = start(wish, run);
    else if (verb === 'reload') process.exitCode = reload(wish, run);
    else {
      process.exitCode = stop(run, verb !== 'stop');
      if (verb === 'restart') process.exitCode = start(wish, undefined);
    }
    break;
  }
  default:
    process.stderr.write('fw3 [-4] [-6] [-q] print\nfw3 [-q] {start|stop|flush|reload|restart}\n');
    process.exitCode = 1;
}
