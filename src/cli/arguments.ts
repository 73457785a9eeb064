/** The words after `sipalg`: a table of commands, each with the options it takes, and a hint where a word is not known. */

export interface Command {
  name: string;
  /** One line of the help. */
  does: string;
  options: readonly string[];
}

export const COMMANDS: readonly Command[] = [
  { name: 'status', does: 'say whether a SIP ALG touches calls here, with evidence', options: ['--json'] },
  { name: 'plan', does: 'show every command that reaching the wish would run, and why', options: ['--json'] },
  { name: 'policy', does: 'show the voice firewall rules with their counters', options: ['--json'] },
  { name: 'disable', does: 'switch the SIP ALG off, now and for good', options: ['--dry-run'] },
  { name: 'enable', does: 'give back what was there before', options: ['--dry-run'] },
  { name: 'apply', does: 'make the router match /etc/config/sipalg', options: [] },
  // main.ts hands its words on to the bundle that serves.
  { name: 'serve', does: 'stay: ubus object, web page, watch', options: ['--no-page', '--listen ADDR:PORT'] },
  { name: 'help', does: 'show this help', options: [] },
  { name: 'version', does: 'show the version', options: [] },
];

/** What was asked; or, where it was not understood, a sentence. */
export type Asked = { command: string; options: Set<string> } | { wrong: string };

/** Edits that turn one word into another (Levenshtein); small words only. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let at = 1; at <= one.length; at++) {
    const next = [at];
    for (let to = 1; to <= other.length; to++) {
      const same = one[at - 1] === other[to - 1] ? 0 : 1;
      next.push(Math.min((row[to] as number) + 1, (next[to - 1] as number) + 1, (row[to - 1] as number) + same));
    }
    row = next;
  }
  return row[other.length] as number;
}

function nearest(word: string, known: readonly string[]): string {
  const ranked = known.map((one) => ({ one, away: distance(word.slice(0, 40).toLowerCase(), one) })).sort((a, b) => a.away - b.away);
  const best = ranked[0];
  return best !== undefined && best.away <= Math.max(2, Math.floor(best.one.length / 2)) ? ` Did you mean "${best.one}"?` : '';
}

/** @param words what stands behind the program's name */
export function readArguments(words: readonly string[]): Asked {
  const aliases: Record<string, string> = { '--help': 'help', '-h': 'help', '--version': 'version', '-V': 'version' };
  const alias = words.map((word) => aliases[word]).find((word) => word !== undefined);
  if (alias !== undefined) return { command: alias, options: new Set() };
  const [name = 'status', ...rest] = words.length > 0 && words[0]?.startsWith('-') ? ['status', ...words] : words;
  const names = COMMANDS.map((command) => command.name);
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) return { wrong: `sipalg knows no command "${name.slice(0, 60)}".${nearest(name, names)} Commands are ${names.join(', ')}; \`sipalg help\` tells what each does.` };
  const options = new Set<string>();
  for (const word of rest) {
    if (!command.options.includes(word)) {
      const allowed = command.options.length === 0 ? `\`sipalg ${name}\` takes no options or arguments.` : `\`sipalg ${name}\` takes ${command.options.join(', ')}.`;
      return { wrong: `\`sipalg ${name}\` knows no "${word.slice(0, 60)}".${nearest(word, command.options)} ${allowed}` };
    }
    options.add(word);
  }
  return { command: name, options };
}

export function help(): string {
  const width = Math.max(...COMMANDS.map(({ name, options }) => [name, ...options.map((option) => `[${option}]`)].join(' ').length));
  const rows = COMMANDS.map(({ name, options, does }) => `  ${[name, ...options.map((option) => `[${option}]`)].join(' ').padEnd(width)}  ${does}`);
  return [
    'sipalg finds the SIP ALG of this router, switches it off for good, and gives it back as it was.',
    '', 'usage: sipalg [COMMAND]', '', ...rows, '',
    'Exit codes: 0 the ALG is off and nothing would bring it back; 1 it is on, would come back,',
    'or a wanted change is not in place; 2 trouble, unknown, or wrong usage. `enable` and `apply`',
    'answer 0 when what they are asked for is reached and verified.', '',
  ].join('\n');
}
