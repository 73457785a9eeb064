/** A UCI file as `uci show` prints it, from our own reading of it. */

import { renderValue } from '../../../../src/languages/uci/edit.ts';
import { describeSection, parseUci, settingsOf } from '../../../../src/languages/uci/parse.ts';

export function show(text: string, pkg: string): string {
  const rows: string[] = [];
  for (const section of parseUci(text).sections) {
    const at = describeSection(section, pkg);
    rows.push(`${at}=${section.type}\n`);
    for (const [name, { values }] of settingsOf(section)) {
      rows.push(`${at}.${name}=${values.map(renderValue).join(' ')}\n`);
    }
  }
  return rows.join('');
}
