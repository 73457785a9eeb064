/**
 * What a run makes on a router for as long as it looks, and its removal. Before anything is made it is written into a file
 * that bears the run's process id, so that a run which was killed leaves a list of what may be there, and the next run of
 * anything takes it away (`clearLeft`). The file lies in memory, as what it lists does: a reboot ends both.
 */
import type { Host } from '../../host/host.ts';

const FOLDER = '/var/run';
const PREFIX = 'sipalg.made.';
const FILE = /^sipalg\.made\.(\d{1,10})$/;
/** Any file of ours that was being written here (`unfinishedOf`), by whom: what was to be made was not made yet. */
const UNWRITTEN = /^sipalg\..+\.(\d{1,10})\.\d+\.sipalg-new$/;

/** Of this run alone: every name in it holds the run's process id. */
export interface Made {
  /** Tables of nft, `netdev NAME`. */
  readonly tables: readonly string[];
  /** Devices; the other end of a pair goes along. */
  readonly devices: readonly string[];
  /** Rules of routing that were added, as words behind `ip rule del`. */
  readonly rules: readonly (readonly string[])[];
  /** Ways that were added, as words behind `ip route del`; those through a device of ours go along with it. */
  readonly routes: readonly (readonly string[])[];
  /** Neighbours the kernel has learnt of ours. */
  readonly neighbours: readonly { readonly address: string; readonly device: string }[];
  /** Addresses of ours that may have flows. */
  readonly hosts: readonly string[];
}

/**
 * The table of our own routes, which rules of ours lead to. Should somebody have one of this number nothing of it changes, for what
 * is added to it is about addresses of a test alone; busybox's `ip` (1.35) takes none beyond 255. The rules come before
 * anybody's but the kernel's own (0): mwan3's begin with 1001, those of netifd and pbr are beyond.
 */
export const OWN_TABLE = '190';
/** The end of a rule of ours. */
export const OWN_RULE = ['lookup', OWN_TABLE, 'priority', '51'] as const;

export const NOTHING: Made = { tables: [], devices: [], rules: [], routes: [], neighbours: [], hosts: [] };

const fileOf = (pid: number): string => `${FOLDER}/${PREFIX}${pid}`;

/** When a process began, in the kernel's ticks since boot (proc_pid_stat(5), field 22); null where it is gone. */
async function began(host: Host, pid: number): Promise<string | null> {
  const stat = await host.read(`/proc/${pid}/stat`);
  if (stat.state !== 'present') return null;
  // The name, in brackets, may hold blanks and brackets.
  return stat.value.slice(stat.value.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

/**
 * Writes down what is going to be made. To be called again, with all of it, before more is made.
 * @throws Error in a sentence
 */
export async function writeMade(host: Host, made: Made): Promise<void> {
  const { pid } = host.process();
  await host.write(fileOf(pid), `${JSON.stringify({ began: await began(host, pid), ...made })}\n`, 0o600);
}

/** `ip neigh` of busybox flushes alone, that of iproute2 deletes too. */
async function forget(host: Host, { address, device }: { address: string; device: string }): Promise<void> {
  const outcome = await host.run(['ip', 'neigh', 'del', address, 'dev', device]);
  if (outcome.state === 'exited' && outcome.code === 0) return;
  await host.run(['ip', 'neigh', 'flush', 'to', address, 'dev', device]);
}

/**
 * A rule or a route. One that is not there was never made, has gone with its device or its interface, or somebody has flushed it:
 * ENOENT for a rule, ESRCH for a route, and a name of a device that `ip` does not find.
 */
async function unroute(host: Host, kind: 'rule' | 'route', words: readonly string[]): Promise<boolean> {
  const outcome = await host.run(['ip', kind, 'del', ...words]);
  if (outcome.state === 'absent') return true; // then none was made
  return outcome.state === 'exited' && (outcome.code === 0 || /No such |table does not exist|find device/.test(outcome.stderr));
}

/** By conntrack; where that is not installed OpenWrt's kernels forget the flows of an address that is written into their list. */
async function endFlowsOf(host: Host, address: string): Promise<boolean> {
  const outcome = await host.run(['conntrack', '-D', '-f', address.includes(':') ? 'ipv6' : 'ipv4', '--orig-src', address]);
  // 1: there was none.
  if (outcome.state === 'exited' && outcome.code <= 1) return true;
  return host.poke('/proc/net/nf_conntrack', `${address}\n`).then(
    () => true,
    () => false,
  );
}

/** Takes away what is there of it. Never throws; what could not be taken away is returned, in sentences. */
async function takeAway(host: Host, made: Made): Promise<string[]> {
  const left: string[] = [];
  // First what sees packets and rewrites them, then what they came through.
  for (const table of made.tables) {
    const outcome = await host.run(['nft', 'delete', 'table', ...table.split(' ')]);
    const isGone = outcome.state === 'exited' && (outcome.code === 0 || /No such file or directory/.test(outcome.stderr));
    if (!isGone) left.push(`The table ${table} could not be taken away: \`nft delete table ${table}\` does it.`);
  }
  for (const device of made.devices) {
    if ((await host.kind(`/sys/class/net/${device}`)).state === 'absent') continue;
    await host.run(['ip', 'link', 'del', device]);
    if ((await host.kind(`/sys/class/net/${device}`)).state !== 'absent')
      left.push(`The device ${device} could not be taken away: \`ip link del ${device}\` does it.`);
  }
  // A rule before the route that it leads to.
  for (const [kind, all] of [['rule', made.rules], ['route', made.routes]] as const)
    for (const words of all) {
      if (await unroute(host, kind, words)) continue;
      const what = words.join(' ');
      left.push(`The ${kind} ${what} could not be taken away: \`ip ${kind} del ${what}\` does it.`);
    }
  const [ended] = await Promise.all([
    Promise.all(made.hosts.map((address) => endFlowsOf(host, address))),
    ...made.neighbours.map((one) => forget(host, one)),
  ]);
  made.hosts.forEach((address, index) => {
    if (ended[index] !== true)
      left.push(
        `Flows of ${address}, an address of a test, could not be ended and go by themselves within minutes: conntrack is not installed.`,
      );
  });
  return left;
}

/** Takes away what this run has made, and its file. @returns what could not be taken away, in sentences */
export async function unmake(host: Host, made: Made): Promise<string[]> {
  const left = await takeAway(host, made);
  await host.remove(fileOf(host.process().pid)).catch((error: Error) => left.push(`${error.message}.`));
  return left;
}

/** What of a file is known to be ours; null where somebody else wrote it. */
function understood(text: string, pid: number): (Made & { began: string | null }) | null {
  try {
    const { began, tables, devices, rules = [], routes, neighbours, hosts } = JSON.parse(text) as Made & { began: string | null };
    const lists = [tables, devices, rules, routes, neighbours, hosts];
    // Root alone writes there, and still nothing is taken away that does not bear the run's own name.
    if (!lists.every(Array.isArray)) return null;
    if (!tables.every((one) => new RegExp(`^netdev sipalg_[a-z]+_${pid}$`).test(one))) return null;
    if (!devices.every((one) => /^sip[a-z][0-9a-z]{1,8}$/.test(one))) return null;
    if (!rules.every((one) => one.slice(-OWN_RULE.length).join(' ') === OWN_RULE.join(' '))) return null;
    return { began, tables, devices, rules, routes, neighbours, hosts };
  } catch {
    return null;
  }
}

/**
 * What bears the name of a run that is gone, though no file says so: a child of a killed run may have made it after that run's
 * list was worked off. Costs two looks, so it is for runs that make such things themselves.
 */
export async function sweep(host: Host): Promise<void> {
  const [listed, devices] = await Promise.all([host.run(['nft', 'list', 'tables', 'netdev']), host.list('/sys/class/net')]);
  const tables = listed.state === 'exited' ? [...listed.stdout.matchAll(/^table netdev (sipalg_[a-z]+_(\d+))$/gm)] : [];
  for (const [, name = '', pid] of tables)
    if ((await began(host, Number(pid))) === null) await host.run(['nft', 'delete', 'table', 'netdev', name]);
  for (const name of devices.state === 'present' ? devices.value : []) {
    const [, pid] = /^sip[ab]([0-9a-z]{1,5})$/.exec(name) ?? [];
    if (pid !== undefined && (await began(host, parseInt(pid, 36))) === null) await host.run(['ip', 'link', 'del', name]);
  }
}

/**
 * Takes away what runs have left that are gone. One readdir where there is nothing.
 * @returns what was taken away or could not be, in sentences
 */
export async function clearLeft(host: Host): Promise<string[]> {
  const names = await host.list(FOLDER);
  const said: string[] = [];
  for (const name of names.state === 'present' ? names.value : []) {
    const [, unwritten] = UNWRITTEN.exec(name) ?? [];
    if (unwritten !== undefined && (await began(host, Number(unwritten))) === null)
      await host.remove(`${FOLDER}/${name}`).catch((error: Error) => said.push(`${error.message}.`));
    const pid = Number(FILE.exec(name)?.[1] ?? NaN);
    if (Number.isNaN(pid)) continue;
    const file = await host.read(`${FOLDER}/${name}`);
    const made = file.state === 'present' ? understood(file.value, pid) : null;
    const now = await began(host, pid);
    if (now !== null && (made === null || now === made.began)) continue;
    if (made !== null) {
      said.push(`A run of sipalg that was killed (process ${pid}) had left things of a test: they are taken away.`);
      said.push(...(await takeAway(host, made)));
    }
    await host.remove(`${FOLDER}/${name}`).catch((error: Error) => said.push(`${error.message}.`));
  }
  return said;
}
