/** Where files that the firewall includes are found. */
import type { Host, Reading } from '../host/host.ts';
import { orElse } from './reading.ts';

/** nft looks here for an include that names no directory (nft(8), "-I"). */
const DEFAULT_INCLUDE_PATH = '/etc';

/** A place that cannot be looked into might hold anything. */
export class Unreadable extends Error {
  readonly source: string;

  constructor(source: string, because: string) {
    super(because);
    this.source = source;
  }
}

export function orNone(names: Reading<string[]>): string[] {
  if (names.state === 'failed') throw new Unreadable(names.source, names.because);
  return orElse(names, []);
}

/** The files a pattern of fw4's or nft's stands for: `*` and `?` in the last part of the path. */
export async function expand(host: Host, pattern: string): Promise<string[]> {
  const path = pattern.startsWith('/') ? pattern : `${DEFAULT_INCLUDE_PATH}/${pattern.replace(/^\.\//, '')}`;
  const slash = path.lastIndexOf('/');
  const last = path.slice(slash + 1);
  if (!/[*?]/.test(last)) return [path];
  const like = new RegExp(
    `^${last
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const folder = path.slice(0, slash);
  return orNone(await host.list(folder))
    .filter((name) => like.test(name) && !name.startsWith('.'))
    .map((name) => `${folder}/${name}`);
}
