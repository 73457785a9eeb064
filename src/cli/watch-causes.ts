/** The causes that a watch names, by the codes of a diagnosis, in its words and with its fixes: the same wherever they are told. */
import type { Cause } from '../diagnose/cause.ts';
import { CAUSES } from '../diagnose/table.ts';
import { codesOf } from '../watch/causes.ts';
import type { CauseName } from '../watch/causes.ts';
import { OWN } from '../watch/said.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { fixSaid } from './diagnosis.ts';

const diagnosed = (cause: CauseName): Cause[] => codesOf(cause).flatMap((code) => CAUSES.filter((one) => one.code === code));

/** What it is called: a code; two with a bar between them where it may be either. */
export const nameOf = (cause: CauseName): string => codesOf(cause).join('|');

/** What it means. */
export function causeSaid(cause: CauseName): Said {
  const [one, other] = diagnosed(cause);
  if (one === undefined) return OWN[cause as keyof typeof OWN];
  return other === undefined ? one.what : say('watch-either', '{one} Or: {other}', { one: one.what, other: other.what });
}

/** The fix of each, the same as in a diagnosis. */
export const fixesOf = (cause: CauseName): Said[] => diagnosed(cause).map(({ fix }) => fixSaid(fix));

export interface Named {
  readonly code: string;
  readonly times: number;
  readonly cause: CauseName;
}

/** How often each was named, by what it is called; of two that are called the same the sum. */
export function namedIn(causes: Readonly<Partial<Record<CauseName, number>>>): Named[] {
  const all = new Map<string, Named>();
  for (const [name, times] of Object.entries(causes)) {
    const cause = name as CauseName;
    const code = nameOf(cause);
    all.set(code, { code, cause, times: times + (all.get(code)?.times ?? 0) });
  }
  return [...all.values()];
}
