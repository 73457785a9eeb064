/** Replies of the object for routers that are recorded: the way itself makes the reports. */
import type { Now, Reply } from '../../src/object/object.ts';
import type { Last } from '../../src/object/runs.ts';
import { createSurveyor } from '../../src/survey/survey.ts';
import type { Report } from '../../src/survey/survey.ts';
import { createVoice } from '../../src/voice/voice.ts';
import { NOW, recordedRouter } from '../routers.ts';

export const VERSION = '0.1.0';

export const IDLE: Now = { running: null, pending: [], age: 3000, last: null };

const surveyor = createSurveyor(VERSION, async () => createVoice(null));
const reports = new Map<string, Promise<Report>>();

/** @param router a folder of test/fixtures/routers */
export function reportOf(router: string): Promise<Report> {
  const known = reports.get(router);
  if (known !== undefined) return known;
  const report = surveyor.look(recordedRouter(router)).then((facts) => surveyor.report(facts));
  reports.set(router, report);
  return report;
}

/** What `status` answers on that router. */
export async function statusOf(router: string, now: Partial<Now> = {}): Promise<Reply & { facts: object }> {
  return { ...(await reportOf(router)), now: { ...IDLE, ...now } };
}

/** What `plan {towards}` answers on that router. */
export async function planOf(router: string, towards: 'disabled' | 'enabled'): Promise<Reply> {
  const report = await reportOf(router);
  return { ...report, plan: await surveyor.plan(report.facts, towards, true), now: IDLE };
}

/** Before anything is known. */
export const NOTHING: Reply = {
  version: VERSION,
  facts: null,
  verdict: null,
  plan: null,
  now: { ...IDLE, age: 0, pending: ['nft -j -t list ruleset'] },
};

/** A run that ended twelve seconds ago, by the router's clock. */
export function lastRun(outcome: Last['outcome'], more: Partial<Last> = {}): Last {
  return {
    towards: 'disabled',
    at: NOW + IDLE.age - 12_000,
    outcome,
    because: [],
    commands: ['uci set sipalg.main.alg=disabled', 'uci commit sipalg'],
    ...more,
  };
}
