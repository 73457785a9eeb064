/** Writing the wish: what `disable` and `enable` put into /etc/config/sipalg. A file of its own, for looking does not need it. */
import { addSection, setOption } from '../languages/uci/edit.ts';
import { parseUci } from '../languages/uci/parse.ts';
import { namesOf, sectionOf } from './read.ts';
import { SCHEMA } from './schema.ts';
import type { AlgWish } from './wish.ts';

/**
 * The file with another wish in it, everything else as it was; a file of that wish alone where there is none.
 * @throws Refused when the file is no UCI file or has another use for the name `main`
 */
export function writeWish(text: string | null, alg: AlgWish): string {
  const pkg = parseUci(text ?? '');
  const section = sectionOf(pkg.sections, 'sipalg');
  if (section !== undefined) return setOption(pkg, section, 'alg', alg);
  return addSection(pkg, 'sipalg', SCHEMA.sipalg.name, [{ kind: 'option', name: 'alg', value: alg }]);
}

/** The section the wish stands in, as uci names it; null where there is none yet. @throws Refused when the file is no UCI file */
export function wishSection(text: string | null): string | null {
  const section = sectionOf(parseUci(text ?? '').sections, 'sipalg');
  return section === undefined ? null : namesOf(section);
}
