/**
 * What this router does to a call, by live packets: messages of a fake phone go in at the LAN as a phone's do, and are
 * recorded and dropped as they come out towards the internet; answers go back the same way. Nothing leaves the router, and
 * what was made is taken away.
 */
import type { Clock } from '../host/clock.ts';
import type { Host, Lock } from '../host/host.ts';
import type { Facts } from '../observe/facts.ts';
import { groundOf } from './ground.ts';
import { clearLeft, sweep } from './record/made.ts';
import { nothing } from './report.ts';
import type { ProbeReport } from './report.ts';
import { Run } from './run.ts';
import { say } from '../words/say.ts';
import type { Line } from '../words/say.ts';

export type { ProbeReport } from './report.ts';

export interface ProbeOptions {
  /** The LAN's device, where the owner named one. */
  readonly lan: string | null;
  /** Milliseconds to wait for another test that runs. */
  readonly patience: number;
  readonly goOn: () => boolean;
}

const LOCK = '/var/run/sipalg.probe.lock';

/** Never rejects for what is about the router: that is a report, too. @throws Error in a sentence where a file of ours cannot be written */
export async function probe(host: Host, clock: Clock, facts: Facts, options: ProbeOptions): Promise<ProbeReport> {
  const began = clock.now();
  if (host.process().uid !== 0) return nothing(say('probe-root', 'a test makes rules and a device, which only root may: run it as root'));
  const remarks: Line[] = await clearLeft(host);
  const got = await host.lock(LOCK, options.patience, `process ${host.process().pid} tests what this router does to a call`);
  if ('busy' in got) return nothing(say('probe-busy', 'another test goes on ({what}); try again when it has ended', { what: got.busy }));
  const lock: Lock = got.lock;
  try {
    await sweep(host);
    const ground = await groundOf(host, facts, options.lan);
    if ('because' in ground) return nothing(ground.because, { remarks, took: clock.now() - began });
    const run = new Run(host, clock, facts, ground, options.goOn, [...remarks]);
    let report = await run.report();
    // Rather the half of it than nothing.
    if (run.refused.length > 0) report = await new Run(host, clock, facts, ground, options.goOn, [...remarks], run.refused).report();
    return { ...report, took: Math.round(clock.now() - began) };
  } finally {
    await lock.release();
  }
}
