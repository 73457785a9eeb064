/** What `sipalg help` says. */
import { english } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import { shownOption } from './command.ts';
import type { Command } from './command.ts';

/** Lines of at most so many columns. */
function wrapped(words: readonly string[], most = 92): string[] {
  const lines = [''];
  for (const word of words) {
    const last = lines[lines.length - 1] ?? '';
    if (last !== '' && last.length + 1 + word.length > most) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

/** A longer usage has a line of its own. */
const WIDEST = 40;
const WIDEST_USAGE = 74;

export function help(all: readonly Command[], put: Put = english): string {
  const commands = all.filter(({ internal }) => internal !== true);
  const usages = commands.map(({ name, options, arguments: places = [] }) =>
    wrapped([name, ...places, ...options.map((option) => `[${shownOption(option)}]`)], WIDEST_USAGE),
  );
  const width = Math.max(...usages.map(([first = '', second]) => (second === undefined && first.length <= WIDEST ? first.length : 0)));
  const rows = commands.map(({ does }, at) => {
    const [first = '', ...more] = usages[at] ?? [];
    const lines = [first, ...more.map((line) => `    ${line}`), ...(more.length > 0 || first.length > WIDEST ? [''] : [])];
    return `  ${lines
      .slice(0, -1)
      .map((line) => `${line}\n  `)
      .join('')}${(lines[lines.length - 1] ?? '').padEnd(width)}  ${put(does)}`;
  });
  return [
    put(say('help-about', 'sipalg finds the SIP ALG of this router, switches it off for good, and gives it back as it was.')),
    '',
    put(say('help-usage', 'usage: sipalg [COMMAND]')),
    '',
    ...rows,
    '',
    put(say('help-from', '--from FILE judges what `--json` has saved on any router (- for standard input) and looks at nothing here.')),
    '',
    ...wrapped(
      put(
        say(
          'help-exit',
          'Exit codes: 0 the ALG is off and nothing would bring it back; 1 it is on, would come back, or a wanted change is not in place; '
            + '2 trouble, unknown, or wrong usage. `enable` and `apply` answer 0 when what they are asked for is reached and verified.',
        ),
      ).split(' '),
    ),
    '',
  ].join('\n');
}
