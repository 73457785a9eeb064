/**
 * What OpenWrt's kmodloader loads at boot: `/etc/modules.d/*`, read as kmodloader
 * itself reads them (ubox, kmodloader.c: `main_loader`). What it must not load is
 * in `/etc/modules.conf`: blacklist.ts.
 */
import { Refused, quote } from '../refused.ts';

export { addBlacklist, parseModulesConf, removeMarked } from './blacklist.ts';
export type { ConfLine, ModulesConf } from './blacklist.ts';

/** One module to load. */
export interface AutoloadLine {
  /** Counted from 1. */
  line: number;
  /** Its name, `-` turned to `_`: kmodloader holds the two alike when it looks a module up. */
  module: string;
  /** Everything after the first space; empty where nothing follows. */
  args: string;
}

/**
 * `/etc/modules.d/NN-name`: `module [args]` on each line. As in kmodloader the
 * name ends at the first space (a tab does not end it), a path and a `.ko` are
 * stripped, and a line that starts with a space names nothing.
 *
 * @throws Refused for a NUL
 */
export function parseAutoload(text: string): AutoloadLine[] {
  const found: AutoloadLine[] = [];
  text.split('\n').forEach((written, index) => {
    if (written.includes('\0')) {
      throw new Refused(`line ${index + 1} holds a NUL character: ${quote(written)}; a file in /etc/modules.d is text`, index + 1);
    }
    const space = written.indexOf(' ');
    const word = space < 0 ? written : written.slice(0, space);
    if (word === '' || word.startsWith('#') || word.trim() === '') return;
    const base = word.slice(word.lastIndexOf('/') + 1);
    const end = base.indexOf('.ko');
    const module = (end < 0 ? base : base.slice(0, end)).replaceAll('-', '_');
    if (module === '') return;
    found.push({ line: index + 1, module, args: space < 0 ? '' : written.slice(space + 1) });
  });
  return found;
}
