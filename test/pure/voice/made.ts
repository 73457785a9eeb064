/** A router made for one test: the files and commands that are given, and nothing else there. */
import type { Host, HostAddress, Outcome } from '../../../src/host/host.ts';
import type { Facts } from '../../../src/observe/facts.ts';
import { firewallFacts } from '../../../src/observe/firewall.ts';
import { observe } from '../../../src/observe/observe.ts';
import { NOW, recordedRouter } from '../../routers.ts';

export interface Made {
  files?: Record<string, string>;
  /** By command line: what it prints, or how it ends. */
  answers?: Record<string, string | Partial<Extract<Outcome, { state: 'exited' }>>>;
  addresses?: HostAddress[];
}

export function made({ files = {}, answers = {}, addresses = [] }: Made = {}): Host {
  const never = (): never => {
    throw new Error('a look changes nothing');
  };
  return {
    read: async (path) =>
      Object.hasOwn(files, path) ? { state: 'present', value: files[path] as string, source: path } : { state: 'absent', source: path },
    list: async (path) => {
      const names = Object.keys(files)
        .filter((file) => file.startsWith(`${path}/`))
        .map((file) => file.slice(path.length + 1).split('/')[0] as string);
      return names.length === 0 ? { state: 'absent', source: path } : { state: 'present', value: [...new Set(names)].sort(), source: path };
    },
    kind: async (path) =>
      Object.hasOwn(files, path) ? { state: 'present', value: 'file', source: path } : { state: 'absent', source: path },
    run: async (argv) => {
      const command = argv.join(' ');
      const answer = answers[command];
      if (answer === undefined) return { state: 'absent', command };
      return { state: 'exited', command, code: 0, stdout: '', stderr: '', ...(typeof answer === 'string' ? { stdout: answer } : answer) };
    },
    addresses: () => addresses,
    now: () => NOW,
    process: () => ({ pid: 1, uid: 0 }),
    write: never,
    narrow: never,
    poke: never,
    remove: never,
    lock: never,
  };
}

/** The facts of a recorded router without the ALG, with another /etc/config/firewall. */
export async function factsWith(firewall: string, kind: 'fw3' | 'fw4' = 'fw4'): Promise<Facts> {
  const facts = await observe(recordedRouter('stock-alg-absent'));
  return {
    ...facts,
    system: { ...facts.system, firewall: { state: 'present', value: kind, source: '/sbin/fw4' } },
    firewall: { ...facts.firewall, uci: { state: 'present', value: firewallFacts(firewall, kind, []), source: '/etc/config/firewall' } },
    wan: { state: 'absent', source: '/proc/net/route' },
  };
}
