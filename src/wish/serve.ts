/** What the resident daemon is told in /etc/config/sipalg. No other command reads it, so it is a file of its own. */
import { Refused, quote } from '../languages/refused.ts';
import { describeSection, parseUci, settingsOf } from '../languages/uci/parse.ts';
import type { UciPackage } from '../languages/uci/parse.ts';
import { booleanOf } from './alg.ts';
import type { Problem } from './alg.ts';

/** What the resident daemon is told: the section `serve`. */
export interface ServeWish {
  /** false: no daemon is wanted. */
  enabled: boolean;
  /** Whether it serves the page. */
  page: boolean;
  /** Where the page listens, `ADDRESS:PORT`, as it is given; null where it is not. */
  listen: string | null;
  /** Minutes between two looks that nothing asked for. */
  every: number;
}

const SERVE = 'serve';
const EVERY = { standard: 5, least: 1, most: 1440 };

/** Reads what the daemon is told; an option that is bad or not given has its default (enabled, page, 5 minutes). */
export function readServe(text: string | null): { serve: ServeWish; problems: Problem[] } {
  const serve: ServeWish = { enabled: true, page: true, listen: null, every: EVERY.standard };
  const problems: Problem[] = [];
  let pkg: UciPackage;
  try {
    pkg = parseUci(text ?? '');
  } catch (error) {
    // readWish says what is wrong with the file.
    if (error instanceof Refused) return { serve, problems };
    throw error;
  }
  const section = pkg.sections.find(({ type }) => type === SERVE);
  if (section === undefined) return { serve, problems };
  const where = describeSection(section, 'sipalg');
  const bad = (option: string, given: string, allowed: string, instead: string): void => {
    problems.push({
      section: where,
      option,
      given,
      allowed,
      text: `${where}: the option ${option} is ${quote(given)}; it may be ${allowed}. Until it is, it is ${instead}.`,
    });
  };
  for (const [name, { kind, values }] of settingsOf(section)) {
    const given = kind === 'option' ? (values[0] ?? '') : `list ${values.join(' ')}`;
    if (name === 'enabled' || name === 'page') {
      const value = booleanOf(given);
      if (value === undefined) bad(name, given, '1 or 0', '1');
      else serve[name] = value;
    } else if (name === 'listen') {
      serve.listen = given;
    } else if (name === 'every') {
      const minutes = /^\d{1,5}$/.test(given) ? Number(given) : 0;
      if (minutes < EVERY.least || minutes > EVERY.most)
        bad(name, given, `${EVERY.least} to ${EVERY.most} (minutes)`, String(EVERY.standard));
      else serve.every = minutes;
    } else {
      problems.push({
        section: where,
        option: name,
        given,
        allowed: 'enabled, page, listen or every',
        text: `${where}: there is no option ${quote(name)}; the options are enabled, page, listen and every.`,
      });
    }
  }
  return { serve, problems };
}
