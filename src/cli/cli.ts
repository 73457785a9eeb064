/** The command line: what is asked, what is said, and the exit code. It decides nothing. */
import type { ExitCode } from '../survey/survey.ts';
import { readArguments } from './arguments.ts';
import type { Command, Doors, Terminal } from './command.ts';
import { COMMANDS } from './commands.ts';

/** Files and rules are somebody else's texts: what a terminal would obey is shown instead. */
function harmless(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Where a chunk of the program is not there, a sentence: engines say it with a path and no advice. */
function missing({ message }: Error, command: Command, version: string): string | null {
  const [, path] = /^(?:Cannot find module|could not load module filename|could not load module) '([^']+)'/.exec(message) ?? [];
  if (path === undefined) return null;
  // Chunks have other names in another version, so one that is there but older is none.
  return command.package === undefined
    ? `a file of this program is missing (${path}); install sipalg again.`
    : `\`sipalg ${command.name}\` is in a package of its own; install ${command.package}, of this version (${version}).`;
}

/** Runs one command. Never throws: what goes wrong is said, and is exit code 2. */
export async function cli(words: readonly string[], doors: Doors, given: Omit<Terminal, 'json'>): Promise<ExitCode> {
  const terminal: Terminal = {
    ...given,
    out: (text) => given.out(harmless(text)),
    err: (text) => given.err(harmless(text)),
    json: given.out,
  };
  const asked = readArguments(words);
  if ('wrong' in asked) {
    terminal.err(`sipalg: ${asked.wrong}\n`);
    return 2;
  }
  try {
    if (asked.help) {
      terminal.out((await asked.command.usage?.()) ?? (await import('./help.ts')).help(COMMANDS));
      return 0;
    }
    for (const sentence of (await doors.clearTests?.()) ?? []) terminal.err(`sipalg: ${sentence}\n`);
    return await asked.command.run(doors, asked.given, terminal);
  } catch (error) {
    terminal.err(`sipalg: ${missing(error as Error, asked.command, doors.surveyor.version) ?? (error as Error).message}\n`);
    return 2;
  }
}
