/** The words after `sipalg`: which command, with which options; and a hint where a word is not known. */
import { nearestOf } from '../languages/nearest.ts';
import { COMMANDS } from './commands.ts';
import { shownOption } from './command.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import type { Command, Given } from './command.ts';

/** What was asked; or, where it was not understood, a sentence. */
export type Words = { command: Command; given: Given; help?: true } | { wrong: Said };

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
    const hint = meant(name, names);
    return {
      wrong: say('wrong-command', 'sipalg knows no command "{given}".{hint} Commands are {names}; `sipalg help` tells what each does.', {
        given: name.slice(0, 60),
        hint,
        names: names.join(', '),
      }),
    };
  }
  const read = readWords(command, rest);
  return 'wrong' in read ? read : { command, given: read.given };
}

/** What a command takes, in a sentence. */
function allowed({ name, options, arguments: places = [] }: Command): Said {
  const all = [...places, ...options.map(shownOption)].join(', ');
  return all === ''
    ? say('takes-nothing', ' `sipalg {command}` takes no options or arguments.', { command: name })
    : say('takes', ' `sipalg {command}` takes {all}.', { command: name, all });
}

/** What somebody may have meant, behind a sentence. */
function meant(word: string, known: readonly string[]): Said | string {
  const best = nearestOf(word, known);
  return best === null ? '' : say('hint-meant', ' Did you mean "{meant}"?', { meant: best });
}

function readWords(command: Command, words: readonly string[]): { given: Given } | { wrong: Said } {
  const { options, arguments: places = [] } = command;
  const name = command.name;
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
      return {
        wrong: say('wrong-word', '`sipalg {command}` knows no "{given}".{hint}{allowed}', {
          command: name,
          given: word.slice(0, 60),
          hint: meant(word, names),
          allowed: allowed(command),
        }),
      };
    }
    if (option.takes === undefined) {
      if (inside !== undefined)
        return {
          wrong: say('wrong-value', '`sipalg {command} {option}` takes no value; "{given}" was given.', {
            command: name,
            option: word,
            given: inside.slice(0, 60),
          }),
        };
      given.set(word, '');
      continue;
    }
    const value = inside ?? words[++at];
    if (value === undefined || value === '')
      return {
        wrong: say('lacks-value', '`sipalg {command} {option}` lacks its {what}.', { command: name, option: word, what: option.takes }),
      };
    if (given.has(word))
      return {
        wrong: say('given-twice', '`sipalg {command}` was given {option} twice; it takes one {what}.', {
          command: name,
          option: word,
          what: option.takes,
        }),
      };
    given.set(word, value);
  }
  const lacking = places.find((one) => !one.startsWith('[') && !given.has(one));
  return lacking === undefined
    ? { given }
    : {
        wrong: say('lacks-argument', '`sipalg {command}` lacks its {what}.{allowed}', {
          command: name,
          what: lacking,
          allowed: allowed(command),
        }),
      };
}
