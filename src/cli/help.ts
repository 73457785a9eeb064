/** What `sipalg help` says. */
import { shownOption } from './command.ts';
import type { Command } from './command.ts';

/** A longer usage has a line of its own. */
const WIDEST = 40;

export function help(all: readonly Command[]): string {
  const commands = all.filter(({ internal }) => internal !== true);
  const usages = commands.map(({ name, options, arguments: places = [] }) =>
    [name, ...places, ...options.map((option) => `[${shownOption(option)}]`)].join(' '),
  );
  const width = Math.max(...usages.map(({ length }) => (length > WIDEST ? 0 : length)));
  const rows = commands.map(({ does }, at) => {
    const usage = usages[at] ?? '';
    return `  ${usage.length > WIDEST ? `${usage}\n  ${' '.repeat(width)}` : usage.padEnd(width)}  ${does}`;
  });
  return [
    'sipalg finds the SIP ALG of this router, switches it off for good, and gives it back as it was.',
    '',
    'usage: sipalg [COMMAND]',
    '',
    ...rows,
    '',
    '--from FILE judges what `--json` has saved on any router (- for standard input) and looks at nothing here.',
    '',
    'Exit codes: 0 the ALG is off and nothing would bring it back; 1 it is on, would come back,',
    'or a wanted change is not in place; 2 trouble, unknown, or wrong usage. `enable` and `apply`',
    'answer 0 when what they are asked for is reached and verified.',
    '',
  ].join('\n');
}
