/** The words after `sipalg`: which command, with which options; and a hint where a word is not known. */
import { nearest } from '../languages/nearest.ts';
import { COMMANDS } from './commands.ts';
import { shownOption } from './command.ts';
import type { Command, Given } from './command.ts';

/** What was asked; or, where it was not understood, a sentence. */
export type Words = { command: Command; given: Given; help?: true } | { wrong: string };

const ALIASES: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version', '-V': 'version' };

const commandCalled = (name: string): Command | undefined => COMMANDS.find((one) => one.name === name);

/** @param words what stands behind the program's name */
export function readArguments(words: readonly string[]): Words {
  const alias = words.map((word) => (Object.hasOwn(ALIASES, word) ? ALIASES[word] : undefined)).find((word) => word !== undefined);
  const asked = commandCalled(words[0] ?? '');
  if (alias === 'help' && asked !== undefined) return { command: asked, given: new Map(), help: true };
  if (alias !== undefined) return { command: commandCalled(alias) as Command, given: new Map() };
  const [name = 'status', ...rest] = words[0]?.startsWith('-') ? ['status', ...words] : words;
  const names = COMMANDS.map((command) => command.name);
  const command = commandCalled(name);
  if (command === undefined) {
    const hint = nearest(name, names);
    return {
      wrong: `sipalg knows no command "${name.slice(0, 60)}".${hint} Commands are ${names.join(', ')}; \`sipalg help\` tells what each does.`,
    };
  }
  const options = readOptions(command, rest);
  return 'wrong' in options ? options : { command, given: options.given };
}

function readOptions({ name, options }: Command, words: readonly string[]): { given: Given } | { wrong: string } {
  const given = new Map<string, string>();
  for (let at = 0; at < words.length; at++) {
    const [, before = '', inside] = /^(--[^=]*)=(.*)$/s.exec(words[at] as string) ?? [];
    const word = inside === undefined ? (words[at] as string) : before;
    const option = options.find((one) => one.name === word);
    if (option === undefined) {
      const allowed =
        options.length === 0
          ? `\`sipalg ${name}\` takes no options or arguments.`
          : `\`sipalg ${name}\` takes ${options.map(shownOption).join(', ')}.`;
      return {
        wrong: `\`sipalg ${name}\` knows no "${word.slice(0, 60)}".${nearest(
          word,
          options.map((one) => one.name),
        )} ${allowed}`,
      };
    }
    if (option.takes === undefined) {
      if (inside !== undefined) return { wrong: `\`sipalg ${name} ${word}\` takes no value; "${inside.slice(0, 60)}" was given.` };
      given.set(word, '');
      continue;
    }
    const value = inside ?? words[++at];
    if (value === undefined || value === '') return { wrong: `\`sipalg ${name} ${word}\` lacks its ${option.takes}.` };
    if (given.has(word)) return { wrong: `\`sipalg ${name}\` was given ${word} twice; it takes one ${option.takes}.` };
    given.set(word, value);
  }
  return { given };
}
