/** The causes that a watch names, as a diagnosis calls them, with the fix that it gives. */
import { CAUSES } from '../diagnose/table.ts';
import { DIAGNOSED } from '../watch/causes.ts';
import type { CauseName } from '../watch/causes.ts';
import type { Said } from '../words/say.ts';
import { fixSaid } from './diagnosis.ts';

/** What stands in brackets: the codes of `diagnose`, or, where it has none, the watch's own name. */
export const namesOf = (cause: CauseName): string => (DIAGNOSED[cause].length === 0 ? cause : DIAGNOSED[cause].join('|'));

/** The fix of each, the same as in a diagnosis. */
export const fixesOf = (cause: CauseName): Said[] =>
  DIAGNOSED[cause].flatMap((code) => CAUSES.filter((one) => one.code === code).map(({ fix }) => fixSaid(fix)));
