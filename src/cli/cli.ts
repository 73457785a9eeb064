/** The command line: what is asked, what is said, and the exit code. It decides nothing. */
import type { ExitCode } from '../survey/survey.ts';
import { say } from '../words/say.ts';
import { errorText } from './errors.ts';
import type { Said } from '../words/say.ts';
import { speak } from '../words/speak.ts';
import { readArguments } from './arguments.ts';
import type { Command, Doors, Given, Terminal } from './command.ts';

/** Files and rules are somebody else's texts: what a terminal would obey is shown instead. */
function harmless(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Where a chunk of the program is not there, a sentence: engines say it with a path and no advice. */
function missing({ message }: Error, { command, given }: { command: Command; given: Given }, version: string): Said | null {
  const [, path] = /^(?:Cannot find module|could not load module filename|could not load module) '([^']+)'/.exec(message) ?? [];
  if (path === undefined) return null;
  // Chunks have other names in another version, so one that is there but older is none.
  const lacking = command.options.find((option) => option.package !== undefined && given.has(option.name))?.package ?? command.package;
  return lacking === undefined
    ? say('missing-file', 'a file of this program is missing ({file}); install sipalg again.', { file: path })
    : say('missing-package', '`sipalg {command}` is in a package of its own; install {package}, of this version ({version}).', {
        command: command.name,
        package: lacking,
        version,
      });
}

/**
 * Runs one command. Never throws: what goes wrong is said, and is exit code 2.
 * @param locale of whoever is at the terminal, as in LC_ALL, LC_MESSAGES or LANG
 */
export async function cli(words: readonly string[], doors: Doors, given: Omit<Terminal, 'json' | 'put'>, locale = ''): Promise<ExitCode> {
  const put = await speak(locale, async () => (await import('../words/languages.ts')).LANGUAGES);
  const terminal: Terminal = {
    ...given,
    put,
    out: (text) => given.out(harmless(text)),
    err: (text) => given.err(harmless(text)),
    json: given.out,
  };
  const asked = readArguments(words);
  if ('wrong' in asked) {
    terminal.err(`sipalg: ${put(asked.wrong)}\n`);
    return 2;
  }
  try {
    if (asked.help) {
      terminal.out(await (await import('./help.ts')).helpOf(asked.command, put));
      return 0;
    }
    for (const sentence of (await doors.clearTests?.()) ?? []) terminal.err(`sipalg: ${sentence}\n`);
    return await asked.command.run(doors, asked.given, terminal);
  } catch (error) {
    const lacking = missing(error as Error, asked, doors.surveyor.version);
    terminal.err(`sipalg: ${lacking === null ? errorText(error as Error, put) : put(lacking)}\n`);
    return 2;
  }
}
