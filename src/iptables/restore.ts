/** Text for `iptables-restore --noflush`: a table is changed by these commands alone, at once or not at all. */
import { Refused, quote } from '../language.ts';
import { splitArguments } from './arguments.ts';

export { quoteArgument } from './arguments.ts';

/**
 * One change. `rule` is a saved rule's text after `-A CHAIN `, as it was saved.
 * `position` counts from 1 and is the place the rule has afterwards.
 */
export type RestoreCommand =
  | { do: 'delete'; chain: string; rule: string }
  | { do: 'insert'; chain: string; position: number; rule: string }
  | { do: 'append'; chain: string; rule: string };

/** iptables-restore reads lines into 10240 bytes and one argument into 1024 (iptables/xshared.c). */
const LONGEST_LINE = 10_000;

/**
 * The text that makes these changes, in their order, in one table.
 *
 * A chain is never declared (`:CHAIN`): that would empty it, --noflush or not.
 *
 * @throws Refused for what iptables-restore could not read as the one rule meant
 */
export function renderRestore(table: string, commands: readonly RestoreCommand[]): string {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(table)) throw new Refused(`${quote(table)} is not the name of a table; it is raw, filter, nat, mangle or security`);
  const lines = commands.map(renderCommand);
  return [`*${table}`, ...lines, 'COMMIT', ''].join('\n');
}

function renderCommand(command: RestoreCommand): string {
  const { chain } = command;
  const rule = checkRule(command.rule);
  if (!/^[\x23-\x7e]{1,128}$/.test(chain) || /^[-!]/.test(chain)) throw new Refused(`${quote(chain)} is not the name of a chain`);
  switch (command.do) {
    case 'delete': return fit(`-D ${chain} ${rule}`);
    case 'append': return fit(`-A ${chain} ${rule}`);
    case 'insert':
      if (!Number.isSafeInteger(command.position) || command.position < 1) {
        throw new Refused(`${command.position} is not a place in chain ${quote(chain)}; places are counted from 1`);
      }
      return fit(`-I ${chain} ${command.position} ${rule}`);
  }
}

function checkRule(rule: string): string {
  if (/[\n\r\0]/.test(rule)) throw new Refused(`${quote(rule)} is not one rule; a rule is one line without NUL`);
  splitArguments(rule);
  return rule;
}

function fit(line: string): string {
  if (line.length > LONGEST_LINE) throw new Refused(`a rule of ${line.length} characters is too long for iptables-restore: ${quote(line)}`);
  return line;
}
