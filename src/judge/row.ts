/** A row of the table of findings: what it needs, what speaks for it, and its sentence. */
import type { Reading } from '../host/host.ts';
import type { Line, Said } from '../words/say.ts';
import type { Facts } from '../observe/facts.ts';
import { assigners } from './questions.ts';
import type { Weight } from './verdict.ts';

/** The readings a row needs; without them it is silent. */
export type Need =
  'tracker' | 'rewriter' | 'nft' | 'uci' | 'includes' | 'autoload' | 'blacklist' | 'flows' | 'expectations' | 'drops' | 'journal';

export interface Row {
  code: string;
  weight: Weight;
  needs: readonly Need[];
  dependsOn: readonly string[];
  /** What speaks for it; null when it is not so. An empty list speaks, without more to show. */
  evidence(facts: Facts): Line[] | null;
  text(facts: Facts, evidence: readonly Line[]): Said;
}

export function read<T>(reading: Reading<T>): T | null {
  return reading.state === 'present' ? reading.value : null;
}

export function some(list: readonly Line[]): Line[] | null {
  return list.length === 0 ? null : [...list];
}

export const assignersOf = (facts: Facts, kind: ReturnType<typeof assigners>[number]['kind']): string[] =>
  assigners(facts)
    .filter((one) => one.kind === kind)
    .map(({ where }) => where);

/** A row, written short: the table is read as a table. */
export function row(
  code: string,
  weight: Weight,
  needs: readonly Need[],
  dependsOn: readonly string[],
  evidence: Row['evidence'],
  text: Row['text'],
): Row {
  return { code, weight, needs, dependsOn, evidence, text };
}
