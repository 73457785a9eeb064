/**
 * nft commands as data, rendered as a script for `nft -f -`: one file is one
 * transaction, all or nothing (nft(8)). Rule texts are nft's own (listing.ts)
 * and are passed through; names are checked, for nft has no way to quote them.
 */
import { Refused, quote } from '../refused.ts';

interface ChainName {
  family: string;
  table: string;
  chain: string;
}

interface MapName {
  family: string;
  table: string;
  map: string;
}

export type Command =
  | ({ do: 'delete rule'; handle: number } & ChainName)
  | ({ do: 'replace rule'; handle: number; rule: string } & ChainName)
  /** Puts a rule behind the one with this handle, or last where `handle` is null. */
  | ({ do: 'add rule'; handle: number | null; rule: string } & ChainName)
  /** Puts a rule before the one with this handle. */
  | ({ do: 'insert rule'; handle: number; rule: string } & ChainName)
  | ({ do: 'add element' | 'delete element'; element: string } & MapName)
  | { do: 'delete helper'; family: string; table: string; name: string }
  | { do: 'add helper'; family: string; table: string; name: string; type: string; protocol: string; l3proto: string };

/** The families of nft(8). */
const FAMILIES = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'];

function name(text: string): string {
  // nft's scanner.l: {letter}({letter}|{digit}|[/\-_\.])*
  if (/^[A-Za-z_\\][A-Za-z0-9/\\_.-]*$/.test(text)) return text;
  throw new Refused(
    `nft cannot be told of something named ${quote(text)}: a name begins with a letter or "_" `
      + 'and goes on with letters, digits, "/", "-", "_" and "."',
  );
}

function family(text: string): string {
  if (FAMILIES.includes(text)) return text;
  throw new Refused(`nft knows no family ${quote(text)}; it is one of ${FAMILIES.join(', ')}`);
}

function oneLine(text: string): string {
  if (text !== '' && !/[\n\r\0]/.test(text)) return text;
  throw new Refused(`nft cannot be given the text ${quote(text)}: it must be one line that is not empty`);
}

function handle(value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Refused(`nft has no handle ${value}: a handle is a number above 0`);
}

/** One command as one line. Throws Refused. */
export function renderCommand(command: Command): string {
  const table = `${family(command.family)} ${name(command.table)}`;
  switch (command.do) {
    case 'delete rule':
      return `delete rule ${table} ${name(command.chain)} handle ${handle(command.handle)}`;
    case 'replace rule':
      return `replace rule ${table} ${name(command.chain)} handle ${handle(command.handle)} ${oneLine(command.rule)}`;
    case 'add rule':
      return command.handle === null
        ? `add rule ${table} ${name(command.chain)} ${oneLine(command.rule)}`
        : `add rule ${table} ${name(command.chain)} handle ${handle(command.handle)} ${oneLine(command.rule)}`;
    case 'insert rule':
      return `insert rule ${table} ${name(command.chain)} handle ${handle(command.handle)} ${oneLine(command.rule)}`;
    case 'add element':
    case 'delete element':
      return `${command.do} ${table} ${name(command.map)} { ${oneLine(command.element)} }`;
    case 'delete helper':
      return `delete ct helper ${table} ${name(command.name)}`;
    case 'add helper':
      return (
        `add ct helper ${table} ${name(command.name)} `
        + `{ type ${JSON.stringify(name(command.type))} protocol ${name(command.protocol)}; l3proto ${name(command.l3proto)}; }`
      );
  }
}

/** A whole transaction. Throws Refused. */
export function renderScript(commands: readonly Command[]): string {
  return commands.map((command) => renderCommand(command) + '\n').join('');
}
