/** A router of the lab as the program's rooms see a machine, for tests that call one room alone. */
import type { Host, Outcome } from '../../src/host/host.ts';
import type { Lab } from './lab.ts';

/** Commands run in the router, files are its own; what no test has needed so far is an error. */
export function routerHost(lab: Lab, pid = process.pid): Host {
  const not = (): never => {
    throw new Error('this stand-in for a host has no such door');
  };
  return {
    async read(path) {
      // The router counts processes by itself.
      const outcome = await lab.router.run(['cat', path]);
      return outcome.status === 0 ? { state: 'present', value: outcome.stdout, source: path } : { state: 'absent', source: path };
    },
    list: async (path) => ({ state: 'present', value: lab.files.list(path), source: path }),
    async kind(path) {
      const outcome = await lab.router.run(['test', '-e', path]);
      return outcome.status === 0 ? { state: 'present', value: 'other', source: path } : { state: 'absent', source: path };
    },
    write: async (path, text, mode) => lab.files.write(path, text, mode),
    narrow: not,
    poke: not,
    remove: async (path) => lab.files.remove(path),
    async run(argv, { input, timeout } = {}): Promise<Outcome> {
      const command = argv.join(' ');
      const ran = await lab.router.run(argv, { ...(input === undefined ? {} : { input }), ...(timeout === undefined ? {} : { timeout }) });
      return ran.status === null
        ? { state: 'failed', command, because: `it was ended by ${ran.signal}` }
        : { state: 'exited', command, code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
    },
    lock: not,
    addresses: not,
    now: () => Date.now(),
    process: () => ({ pid, uid: 0 }),
  };
}
