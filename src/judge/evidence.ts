/** How much of a long list is shown as evidence. */

/** So many of a list are shown; the rest are counted. */
const SHOWN = 8;

export function shown(list: readonly string[]): string[] {
  return list.length <= SHOWN ? [...list] : [...list.slice(0, SHOWN), `and ${list.length - SHOWN} more`];
}
