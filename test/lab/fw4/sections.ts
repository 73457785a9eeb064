/** UCI sections as the firewall reads them: typed options, and a warning for what it cannot use. */
import { existsSync, readFileSync } from 'node:fs';
import { parseUci, settingsOf, type UciSection } from '../../../src/languages/uci/parse.ts';

export type Section = {
  readonly type: string;
  readonly title: string; // as in warnings: @rule[9] (Voice helper)
  /** undefined where the option is not set. */
  one(name: string): string | undefined;
  /** An `option` with several words is a list too, as everywhere in OpenWrt's firewall. */
  many(name: string): string[];
  /** `otherwise` where it is not set; undefined (after a warning) where it is not a yes or no. */
  flag(name: string, otherwise: boolean): boolean | undefined;
  warn(text: string): void;
};

const quiet = process.env['QUIET'] === '1';

export function warn(text: string): void {
  if (!quiet) process.stderr.write(`[!] ${text}\n`);
}

function sectionOf(uci: UciSection): Section {
  const settings = settingsOf(uci);
  const name = settings.get('name')?.values[0];
  const title = `${uci.name ?? `@${uci.type}[${uci.index}]`}${name === undefined ? '' : ` (${name})`}`;
  const section: Section = {
    type: uci.type,
    title,
    one: (option) => settings.get(option)?.values[0],
    many: (option) => {
      const found = settings.get(option);
      if (!found) return [];
      return found.kind === 'list' ? found.values : found.values.flatMap((value) => value.split(/\s+/).filter(Boolean));
    },
    flag(option, otherwise) {
      const value = section.one(option);
      if (value === undefined) return otherwise;
      if (['1', 'on', 'true', 'yes'].includes(value)) return true;
      if (['0', 'off', 'false', 'no'].includes(value)) return false;
      section.warn(`option '${option}' specifies invalid value '${value}'`);
      return undefined;
    },
    warn: (text) => warn(`Section ${title} ${text}`),
  };
  return section;
}

/** The sections of a file; none if there is no such file. */
export function sectionsIn(path: string): Section[] {
  return existsSync(path) ? parseUci(readFileSync(path, 'utf8')).sections.map(sectionOf) : [];
}

export type Family = 0 | 4 | 6; // 0: both

export function familyOf(text: string | undefined): Family {
  if (text === undefined || ['any', 'all', '*'].includes(text)) return 0;
  if (text === 'inet' || text.includes('4')) return 4;
  return text.includes('6') ? 6 : 0;
}

/** Words of a set in nft's language; braces where there are several, or where they are asked for. */
export function setOf(words: readonly string[], braces = false): string {
  const once = [...new Set(words)];
  return once.length === 1 && !braces ? once[0]! : `{ ${once.join(', ')} }`;
}

export const quoted = (text: string): string => `"${text.replaceAll('"', "'")}"`;
