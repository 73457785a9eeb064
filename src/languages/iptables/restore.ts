/** Text for `iptables-restore --noflush`: a table is changed by these commands alone, at once or not at all. */
import { Refused, quote } from '../refused.ts';
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

/** iptables-restore reads a line into 10240 bytes and a word into 1024 (iptables/xshared.c); longer ones break in two. */
const LONGEST_LINE = 10_239;
const LONGEST_WORD = 1_023;

/**
 * The text that makes these changes, in their order, in one table. Measured with
 * iptables 1.8.9, legacy and nft, IPv4 and IPv6:
 * a rule's saved text finds that rule, whatever its comments and quotes hold; of
 * twins `delete` takes the first, and one `delete` for each takes them all; when one
 * command fails none is done. Counters of a rule put back start at 0.
 * A chain is never declared (`:CHAIN`): that would empty it, --noflush or not. The
 * legacy variant makes the table if it is not there, even when a command then fails.
 *
 * @throws Refused for what iptables-restore could not read as the one rule meant
 */
export function renderRestore(table: string, commands: readonly RestoreCommand[]): string {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(table)) {
    throw new Refused(`${quote(table)} is not the name of a table; tables are raw, filter, nat, mangle and security`);
  }
  return [`*${table}`, ...commands.map(renderCommand), 'COMMIT', ''].join('\n');
}

function renderCommand(command: RestoreCommand): string {
  const { chain, rule } = command;
  if (!/^[\x21-\x7e]{1,128}$/.test(chain) || /^[-!]|"/.test(chain)) {
    throw new Refused(`${quote(chain)} is not the name of a chain`);
  }
  checkRule(rule);
  const line = [start(command), rule].join(' ').trimEnd();
  if (bytesOf(line) > LONGEST_LINE) {
    throw new Refused(`a rule of ${line.length} characters is too long for iptables-restore: ${quote(line)}`);
  }
  return line;
}

function start(command: RestoreCommand): string {
  switch (command.do) {
    case 'delete':
      return `-D ${command.chain}`;
    case 'append':
      return `-A ${command.chain}`;
    case 'insert':
      if (!Number.isSafeInteger(command.position) || command.position < 1) {
        throw new Refused(`${command.position} is no place in chain ${quote(command.chain)}; places are counted from 1`);
      }
      return `-I ${command.chain} ${command.position}`;
  }
}

function checkRule(rule: string): void {
  if (/[\n\r\0]/.test(rule)) throw new Refused(`${quote(rule)} is not one rule; a rule is one line of text`);
  // A bare number after -D would delete by place, whatever rule is there by then.
  if (rule !== '' && !/^[-!]/.test(rule)) {
    throw new Refused(`${quote(rule)} is not a saved rule; what follows "-A CHAIN " starts with "-" or "!"`);
  }
  const long = splitArguments(rule).find((word) => bytesOf(word) > LONGEST_WORD);
  if (long !== undefined) throw new Refused(`${quote(long)} is too long a word for iptables-restore`);
}

/** Bytes of UTF-8, half a surrogate pair as 2. */
function bytesOf(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) bytes += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return bytes;
}
