/** A recorded router whose /var/run can be written, and what is started there: runs of processes of their own. */
import { carryOut } from '../../../src/rpcd/carry-out.ts';
import { answer } from '../../../src/rpcd/plugin.ts';
import { RECORD } from '../../../src/rpcd/record.ts';
import type { RunRecord } from '../../../src/rpcd/record.ts';
import type { Host, Outcome } from '../../../src/host/host.ts';
import type { Towards } from '../../../src/plan/plan.ts';
import { recordedRouter } from '../../routers.ts';
import { surveyor } from '../../survey.ts';
import { handClock, settle } from '../daemon/hand.ts';

export interface Machine {
  /** A call, by a process of its own; `pass` moves the time. */
  call(method: string, input?: string): Promise<string>;
  clock: ReturnType<typeof handClock>;
  /** What a process sees of the machine. */
  as(pid: number): Host;
  files: Map<string, string>;
  /** Processes that are there; what they are is their moment of birth. */
  processes: Map<number, string>;
  record(): RunRecord;
  /** What runs have said. */
  said: string[];
  /** Runs that were started. */
  started: { towards: Towards; id: string }[];
}

export interface Otherwise extends Partial<Host> {
  /** What becomes of a run that is started; carried out by default. */
  start?: (towards: Towards, id: string, machine: Machine) => void;
}

export function machine(router = 'stock-alg-on', { start, ...otherwise }: Otherwise = {}): Machine {
  const clock = handClock();
  const recorded = recordedRouter(router);
  const files = new Map<string, string>();
  const processes = new Map<number, string>();
  const said: string[] = [];
  const started: Machine['started'] = [];
  const held = new Set<string>();
  let lastPid = 1000;

  const begin = (): number => {
    lastPid += 1;
    processes.set(lastPid, String(lastPid * 10));
    return lastPid;
  };
  const stat = (pid: number, born: string): string =>
    `${pid} (a) b (c) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 ${born} 1 1 18446744073709551615\n`;

  const as = (pid: number): Host => ({
    ...recorded,
    async read(path, options) {
      const of = /^\/proc\/(\d+)\/stat$/.exec(path)?.[1];
      const born = processes.get(Number(of));
      if (of !== undefined) return born === undefined ? { state: 'absent', source: path } : { state: 'present', source: path, value: stat(Number(of), born) };
      const text = files.get(path);
      if (text !== undefined) return { state: 'present', source: path, value: text };
      return path.startsWith('/var/run/sipalg.run') ? { state: 'absent', source: path } : recorded.read(path, options);
    },
    async write(path, text) {
      if (path.startsWith('/etc/config/')) throw new Error(`${path} could not be written: nothing may be changed here`);
      files.set(path, text);
    },
    async remove(path) {
      files.delete(path);
    },
    async lock(path, wait) {
      for (const end = clock.now() + wait; held.has(path); await settle()) if (clock.now() >= end) return { busy: '' };
      held.add(path);
      return {
        lock: {
          async release() {
            held.delete(path);
          },
        },
      };
    },
    async run(argv, options): Promise<Outcome> {
      if (!argv.some((word) => word.includes('sipalg rpcd run'))) return recorded.run(argv, options);
      const [towards, id] = argv.slice(-2) as [Towards, string];
      started.push({ towards, id });
      (start ?? carried)(towards, id, all);
      return { state: 'exited', command: argv.join(' '), code: 0, stdout: '', stderr: '' };
    },
    now: () => recorded.now() + clock.now(),
    process: () => ({ pid, uid: 0 }),
    ...otherwise,
  });

  function carried(towards: Towards, id: string): void {
    const pid = begin();
    void carryOut({ host: as(pid), surveyor, towards, id, goOn: () => true, say: (line) => said.push(line) }).finally(() => processes.delete(pid));
  }

  const all: Machine = {
    clock,
    as,
    files,
    processes,
    said,
    started,
    record: () => JSON.parse(files.get(RECORD) ?? 'null') as RunRecord,
    call(method, input = '{}') {
      const pid = begin();
      return answer({ host: as(pid), surveyor, clock }, method, input).finally(() => processes.delete(pid));
    },
  };
  return all;
}

/** Calls to their end, however long they wait. */
export async function through<T>(all: Machine, calls: Promise<T>): Promise<T> {
  let ended = false;
  const done = (): void => {
    ended = true;
  };
  calls.then(done, done);
  for (let turn = 0; turn < 100 && !ended; turn++) {
    await settle();
    if (!ended) await all.clock.pass(200);
  }
  return calls;
}
