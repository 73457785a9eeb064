/** Stands in for `uci set PACKAGE.SECTION.OPTION=VALUE` and `uci commit PACKAGE`, by our own codec; what is set is committed at once. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setOption } from '../../../src/languages/uci/edit.ts';
import { parseUci } from '../../../src/languages/uci/parse.ts';

const [, , verb, ...words] = process.argv;
const [, file = '', name, option = '', value = ''] = /^(\w+)\.(\w+)\.(\w+)=(.*)$/.exec(words[0] ?? '') ?? [];

if (verb === 'set' && words.length === 1 && file !== '') {
  const path = `/etc/config/${file}`;
  const pkg = parseUci(readFileSync(path, 'utf8'));
  const section = pkg.sections.find((one) => one.name === name);
  if (section === undefined) throw new Error(`uci: Invalid argument: ${path} has no section ${name}`);
  writeFileSync(path, setOption(pkg, section, option, value));
} else if (!(verb === 'commit' && words.length === 1 && /^\w+$/.test(words[0] ?? ''))) {
  throw new Error(`uci: ${process.argv.slice(2).join(' ')} is more than this stand-in does`);
}
