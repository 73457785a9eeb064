/** `sipalg diagnose` on a router of the virtual machine. */
import * as assert from 'uvu/assert';
import type { DiagnosisDocument } from '../../../src/diagnose/diagnose.ts';
import type { Router } from './router.ts';

export interface Diagnosed {
  readonly named: string[];
  readonly out: string[];
  /** All of it that helps where a test fails. */
  readonly said: string;
}

/** @param ask a symptom in one word; all causes are looked for without one */
export async function diagnosed(router: Router, ask = ''): Promise<Diagnosed> {
  // What is slow here takes a router in software, beside another one, a while.
  const ran = await router.run(['sipalg', 'diagnose', ...(ask === '' ? [] : [ask]), '--json'], { timeout: 120_000 });
  assert.ok(ran.stdout.startsWith('{'), `sipalg diagnose ended with ${ran.status}: ${ran.stderr}`);
  const { found, ruledOut, unknown } = (JSON.parse(ran.stdout) as { diagnosis: DiagnosisDocument }).diagnosis;
  return {
    named: found.map(({ code }) => code).sort(),
    out: ruledOut.map(({ code }) => code),
    said: JSON.stringify({ found: found.map(({ code, evidence }) => [code, evidence]), unknown }),
  };
}

/**
 * Causes that were made on this router: all of them are named, nothing else is, and what could be taken for them is ruled out.
 * It prints the row of the matrix.
 * @param beside what an emulated machine has by itself: it is late
 */
export async function assertNamed(
  router: Router,
  scene: string,
  { made, not = [], ask = '', beside = [] }: { made: readonly string[]; not?: readonly string[]; ask?: string; beside?: readonly string[] },
): Promise<Diagnosed> {
  const seen = await diagnosed(router, ask);
  console.log(`${made.join(' + ') || 'nothing'} made: ${seen.named.join(' + ') || 'nothing'} named; ${seen.out.length} ruled out; ${scene}`);
  const named = seen.named.filter((code) => made.includes(code) || !beside.includes(code));
  assert.equal(named, [...made].sort(), `${scene}: ${seen.said}`);
  for (const code of not) assert.ok(seen.out.includes(code), `${scene}: ${code} is ruled out: ${seen.said}`);
  return seen;
}
