/** What a lab could leave on the host, to be compared before and after; what others do meanwhile is not looked at. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';

const DEVICES = ['br-lan', 'lan1', 'lan2', 'wan'];

const PATHS = [
  '/etc/config',
  '/etc/modules.conf',
  '/etc/modules.d',
  '/etc/nftables.d',
  '/etc/openwrt_release',
  '/etc/passwd',
  '/etc/sipalg',
  '/run/fw4.lock',
  '/run/fw4.state',
  '/run/sipalg',
  '/usr/lib/sipalg',
  '/usr/sbin/fw4',
  '/usr/sbin/sipalg',
  '/usr/share/firewall4',
  '/usr/share/nftables.d',
];

export function traces(): Record<string, unknown> {
  return {
    mounts: readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => /^(overlay|lab|tmp|run|modules) /.test(line)),
    devices: readdirSync('/sys/class/net').filter((name) => DEVICES.includes(name)),
    names: existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => /sipalg|phone|router|provider|OpenWrt/.test(name)) : [],
    tmp: readdirSync(tmpdir()).filter((name) => /^(capture-|sipp|sipalg-lab)/.test(name)),
    paths: PATHS.map((path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return `${path} ${found ? `${found.ino} ${found.mtimeMs}` : 'is not there'}`;
    }),
    sip: readdirSync('/sys/module').filter((name) => name.includes('_sip')),
  };
}

export type Kind = 'net' | 'mnt' | 'pid' | 'uts';

/** The namespace of a process, as net:[4026532000]; '' where the process has just ended. */
export function spaceOf(pid: number, kind: Kind = 'net'): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return '';
  }
}

/** All four namespaces of a member, by its holder. */
export const spacesOf = (pid: number): string[] => (['net', 'mnt', 'pid', 'uts'] as const).map((kind) => spaceOf(pid, kind));

/** Waits until no process is in any of these namespaces. @throws Error naming those that are left after 3 seconds */
export async function emptied(spaces: readonly string[]): Promise<void> {
  for (const deadline = Date.now() + 3000; ;) {
    const now = new Set(
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((name) => spacesOf(Number(name))),
    );
    const left = spaces.filter((space) => now.has(space));
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`There is still a process in ${left.join(' ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
