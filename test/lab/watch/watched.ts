/** Programs of this project that go on in the lab's router, on either engine, and what they have said so far. */
import type { Engine } from '../../bundled.ts';
import { startOf } from '../../engines/start.ts';
import type { Lab } from '../lab.ts';
import type { Process } from '../member.ts';

export const ENGINES: readonly Engine[] = ['node', 'quickjs'];

export interface Going {
  readonly engine: Engine;
  readonly process: Process;
  /** All it has said on standard output. */
  said(): string;
  complained(): string;
  /** Lines of JSON, as far as they have come. */
  lines(): Line[];
}

export interface Line {
  readonly what: string;
  readonly at: number;
  readonly [key: string]: unknown;
}

/** Starts `sipalg` in the router, whichever engine the lab was opened with. */
export async function going(lab: Lab, engine: Engine, words: readonly string[]): Promise<Going> {
  const program = engine === 'node' ? 'sipalg.mjs' : 'sipalg.qjs.mjs';
  const process = lab.router.spawn([...(await startOf(engine)), `/usr/lib/sipalg/${program}`, ...words]);
  let said = '';
  let complained = '';
  process.child.stdout.on('data', (data: Buffer) => (said += data));
  process.child.stderr.on('data', (data: Buffer) => (complained += data));
  return {
    engine,
    process,
    said: () => said,
    complained: () => complained,
    lines: () =>
      said
        .slice(0, said.lastIndexOf('\n') + 1)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line),
  };
}

/** Waits until something is so; a test that waits longer than anything here takes fails with what was said. */
export async function until(all: readonly Going[], what: string, isSo: (one: Going) => boolean, seconds = 60): Promise<void> {
  for (const end = Date.now() + seconds * 1000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const [late] = all.filter((one) => !isSo(one));
    if (late === undefined) return;
    if (late.process.child.exitCode !== null || Date.now() > end) {
      const all = `${late.complained()}\n${late.said()}`;
      throw new Error(`${late.engine}: not so within ${seconds} s: ${what}\n${all.slice(-6000)}`);
    }
  }
}

/** Ends them as a Ctrl-C does. @returns exit codes by engine */
export async function stop(all: readonly Going[]): Promise<(number | null)[]> {
  for (const { process } of all) if (process.child.exitCode === null) process.signal('SIGINT');
  return Promise.all(all.map(async ({ process }) => (await process.ended).status));
}

/**
 * Waits until so many runs record. By a set of theirs, which costs 2 ms; `nft list tables` of 1.0.6 fetches every rule there is.
 * @param kind of what their tables are for
 */
export async function recording(lab: Lab, kind: string, runs: number, all: readonly Going[]): Promise<void> {
  for (let tries = 0; ; tries++) {
    const made = lab.files.list('/var/run').flatMap((name) => /^sipalg\.made\.(\d+)$/.exec(name)?.[1] ?? []);
    const sets = await Promise.all(made.map((pid) => lab.router.run(['nft', 'list', 'set', 'netdev', `sipalg_${kind}_${pid}`, 'tap_l0in_size'])));
    if (sets.filter(({ status }) => status === 0).length === runs) return;
    if (tries > 600) throw new Error(`${runs} record as ${kind}: ${all.map(({ complained }) => complained()).join()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
