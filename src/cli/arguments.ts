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
  const names = COMMANDS.filter(({ internal }) => internal !== true).map((command) => command.name);
  const command = commandCalled(name);
  if (command === undefined) {
    const hint = nearest(name, names);
    return {
      wrong:
        `sipalg knows no command "${name.slice(0, 60)}".${hint} `
        + `Commands are ${names.join(', ')}; \`sipalg help\` tells what each does.`,
    };
  }
  const read = readWords(command, rest);
  return 'wrong' in read ? read : { command, given: read.given };
}

/** What a command takes, in a sentence. */
function allowed({ name, options, arguments: places = [] }: Command): string {
  const all = [...places, ...options.map(shownOption)].join(', ');
  return ` \`sipalg ${name}\` takes ${all === '' ? 'no options or arguments' : all}.`;
}

function readWords(command: Command, words: readonly string[]): { given: Given } | { wrong: string } {
  const { options, arguments: places = [] } = command;
  const name = `\`sipalg ${command.name}\``;
  const given = new Map<string, string>();
  for (let at = 0, place = 0; at < words.length; at++) {
    const [, before = '', inside] = /^(--[^=]*)=(.*)$/s.exec(words[at] as string) ?? [];
    const word = inside === undefined ? (words[at] as string) : before;
    const option = options.find((one) => one.name === word);
    // `-` alone is standard input.
    const argument = option === undefined && /^(?!-.)./.test(word) ? places[place] : undefined;
    if (argument !== undefined) {
      // A sentence need not be quoted.
      if (argument.includes('...')) given.set(argument, given.has(argument) ? `${given.get(argument)} ${word}` : word);
      else given.set((place++, argument), word);
      continue;
    }
    if (option === undefined) {
      const names = options.map((one) => one.name);
      return { wrong: `${name} knows no "${word.slice(0, 60)}".${nearest(word, names)}${allowed(command)}` };
    }
    if (option.takes === undefined) {
      if (inside !== undefined) return { wrong: `${name.slice(0, -1)} ${word}\` takes no value; "${inside.slice(0, 60)}" was given.` };
      given.set(word, '');
      continue;
    }
    const value = inside ?? words[++at];
    if (value === undefined || value === '') return { wrong: `${name.slice(0, -1)} ${word}\` lacks its ${option.takes}.` };
    if (given.has(word)) return { wrong: `${name} was given ${word} twice; it takes one ${option.takes}.` };
    given.set(word, value);
  }
  const lacking = places.find((one) => !one.startsWith('[') && !given.has(one));
  return lacking === undefined ? { given } : { wrong: `${name} lacks its ${lacking}.${allowed(command)}` };
}
