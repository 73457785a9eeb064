/** The command line: what is asked, what is said, and the exit code. It decides nothing. */
import type { ExitCode } from '../survey/survey.ts';
import { errorText } from './errors.ts';
import { speak } from '../words/speak.ts';
import { readArguments } from './arguments.ts';
import type { Words } from './arguments.ts';
import type { Doors, Screen, Terminal } from './command.ts';

/** Files and rules are somebody else's texts: what a terminal would obey is shown instead. */
function harmless(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Whether what it will say is more than most commands do. */
const saysOfCalls = (asked: Words): boolean =>
  !('wrong' in asked)
  && (asked.help === true
    || asked.command.ofCalls === true
    || asked.command.options.some(({ name, ofCalls }) => ofCalls === true && asked.given.has(name)));

/**
 * Runs one command. Never throws: what goes wrong is said, and is exit code 2.
 * @param locale of whoever is at the terminal, as in LC_ALL, LC_MESSAGES or LANG
 */
export async function cli(
  words: readonly string[],
  doors: Doors,
  given: Omit<Terminal, 'json' | 'put' | 'progress' | 'width'>,
  locale = '',
  screen?: Screen,
): Promise<ExitCode> {
  const asked = readArguments(words);
  const put = await speak(locale, async () => (await import('../words/languages.ts')).LANGUAGES, saysOfCalls(asked));
  const seen = screen === undefined ? null : (await import('./screen.ts')).onScreen(given, screen, doors.clock, put);
  const { out, err, json } = seen ?? { ...given, json: given.out };
  const terminal: Terminal = { ...given, ...seen, put, out: (text) => out(harmless(text)), err: (text) => err(harmless(text)), json };
  try {
    if ('wrong' in asked) {
      terminal.err(`sipalg: ${put(asked.wrong)}\n`);
      return 2;
    }
    if (asked.help) {
      terminal.out(await (await import('./help.ts')).helpOf(asked.command, put, terminal.width));
      return 0;
    }
    for (const sentence of (await doors.clearTests?.()) ?? []) terminal.err(`sipalg: ${put(undefined, sentence)}\n`);
    return await asked.command.run(doors, asked.given, terminal);
  } catch (error) {
    // It may be this one that is missing.
    const lacking = await import('./missing.ts').then(
      ({ missing }) => ('wrong' in asked ? null : missing(error as Error, asked, doors.surveyor.version)),
      () => null,
    );
    terminal.err(`sipalg: ${lacking === null ? errorText(error as Error, put) : put(lacking)}\n`);
    return 2;
  } finally {
    seen?.end();
  }
}
