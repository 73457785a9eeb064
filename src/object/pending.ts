/** A Host that knows what is being waited for, so that a slow tool can be named while it is slow. */
import type { Host, Reading } from '../host/host.ts';

export interface Pending {
  /** The same machine. */
  host: Host;
  /** What has been asked of it and has not been answered, the oldest first: command lines and paths, each once. */
  list(): string[];
}

/** A command line may be long, and is only to be recognised. */
const LONGEST = 200;

export function watchPending(host: Host): Pending {
  const open = new Map<number, string>();
  let last = 0;

  async function during<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const mine = (last += 1);
    open.set(mine, what.length > LONGEST ? `${what.slice(0, LONGEST)}...` : what);
    try {
      return await ask();
    } finally {
      open.delete(mine);
    }
  }

  const reading = <T>(path: string, ask: () => Promise<Reading<T>>): Promise<Reading<T>> => during(path, ask);

  return {
    list: () => [...new Set(open.values())],
    host: {
      read: (path, options) => reading(path, () => host.read(path, options)),
      list: (path) => reading(path, () => host.list(path)),
      kind: (path) => reading(path, () => host.kind(path)),
      write: (path, text, mode) => during(path, () => host.write(path, text, mode)),
      narrow: (path, mode) => during(path, () => host.narrow(path, mode)),
      poke: (path, text) => during(path, () => host.poke(path, text)),
      remove: (path) => during(path, () => host.remove(path)),
      run: (argv, options) => during(argv.join(' '), () => host.run(argv, options)),
      // A lock that is held is not waited for any more.
      lock: (path, wait, who) => during(`the lock ${path}`, () => host.lock(path, wait, who)),
      addresses: () => host.addresses(),
      now: () => host.now(),
      ...(host.elapsed ? { elapsed: host.elapsed } : {}),
      process: () => host.process(),
    },
  };
}
