/**
 * A router as data: what its files hold and what its commands say. It needs no
 * engine, so the same recording is looked at on Node and on QuickJS.
 */
import type { Host, Outcome, Reading, Selection } from '../../../src/host/host.ts';

export interface Recording {
  /** Path to text; the folders above a file are there with it. */
  files: Record<string, string>;
  /** Command line to what it prints; any other command is not installed. */
  commands: Record<string, string>;
}

const chosen = (text: string, select: Selection | undefined): string =>
  select === undefined
    ? text
    : text
        .split('\n')
        .filter((line) => select.holding.some((needle) => line.includes(needle)))
        .map((line) => line + '\n')
        .join('');

/** A host that shows a recording and can change nothing. */
export function recorded({ files, commands }: Recording): Host {
  const below = (path: string) => Object.keys(files).filter((file) => file.startsWith(path.replace(/\/*$/, '/')));
  const refuse = async (): Promise<never> => {
    throw new Error('A recording cannot be changed.');
  };
  return {
    read: async (path, options): Promise<Reading<string>> => {
      const text = files[path];
      return text === undefined
        ? { state: 'absent', source: path }
        : { state: 'present', source: path, value: chosen(text, options?.select) };
    },
    list: async (path): Promise<Reading<string[]>> => {
      const names = below(path).map((file) => file.slice(path.replace(/\/*$/, '/').length).split('/')[0] ?? '');
      return names.length === 0 ? { state: 'absent', source: path } : { state: 'present', source: path, value: [...new Set(names)].sort() };
    },
    kind: async (path): Promise<Reading<'file' | 'directory' | 'other'>> => {
      if (files[path] !== undefined) return { state: 'present', source: path, value: 'file' };
      return below(path).length > 0 ? { state: 'present', source: path, value: 'directory' } : { state: 'absent', source: path };
    },
    run: async (argv, options): Promise<Outcome> => {
      const command = argv.join(' ');
      const stdout = commands[command];
      return stdout === undefined
        ? { state: 'absent', command }
        : { state: 'exited', command, code: 0, stdout: chosen(stdout, options?.select), stderr: '' };
    },
    write: refuse,
    narrow: refuse,
    poke: refuse,
    remove: refuse,
    lock: refuse,
    addresses: () => [{ device: 'eth1', family: 'ipv4', address: '203.0.113.7', prefix: 24 }],
    now: () => 1_760_000_000_000,
    process: () => ({ pid: 1, uid: 0 }),
  };
}
