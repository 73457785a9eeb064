/**
 * Our chains as text for `iptables-restore --noflush --counters`: one text per
 * family, each table of it all or nothing. Measured with 1.8.9, legacy and nft,
 * IPv4 and IPv6: `:CHAIN - [0:0]` makes a chain or empties it, `-X` takes one away
 * that was emptied before in the same text, and packets meet the old rules or the
 * new ones. Also the file these texts are kept in, and the script that loads it
 * after the firewall was started.
 */
import { splitArguments } from '../../../languages/iptables/arguments.ts';
import { parseSave } from '../../../languages/iptables/save.ts';
import type { SavedRuleset } from '../../../languages/iptables/save.ts';
import { Refused } from '../../../languages/refused.ts';
import type { IptablesSeen, Jump, SeenTable } from '../../facts.ts';
import { counterName, ownTables } from '../../seen/iptables-own.ts';
import type { Table } from './tables.ts';

/** A jump is the same whatever its comment: not every router can write one. */
function sameJump(jump: Jump): string {
  const args = splitArguments(jump.rule);
  const at = args.indexOf('--comment');
  if (at > 0) args.splice(at - 2, 4);
  return [jump.chain, ...args].join(' ');
}

/**
 * The text that makes `wanted` of what was seen, in one transaction per table; '' where nothing is to be done.
 * @param counted `[packets:bytes]` by chain, for the counters that go on
 * @param place   where a rule that must stand before the offload's goes, as it was seen; behind all others where there is no such rule
 */
export function transaction(
  wanted: readonly Table[],
  seen: readonly SeenTable[],
  counted: Readonly<Record<string, string>> = {},
  { offloadAt = null, misplaced = false }: Partial<Pick<IptablesSeen, 'offloadAt' | 'misplaced'>> = {},
): string {
  const names = [...new Set([...wanted, ...seen].map(({ name }) => name))];
  return names
    .map((name) => {
      const { chains = {}, jumps = [] }: Partial<Table> = wanted.find((one) => one.name === name) ?? {};
      const old = seen.find((one) => one.name === name) ?? { chains: [], jumps: [] };
      const gone = old.chains.filter((chain) => chains[chain] === undefined);
      const wishes = new Set(jumps.filter(({ beforeOffload }) => !(beforeOffload && misplaced)).map(sameJump));
      const stood = new Set<string>();
      // A twin goes too: a packet is to be looked at once.
      const goes = old.jumps.filter((jump) => !wishes.has(sameJump(jump)) || stood.size === stood.add(sameJump(jump)).size);
      return [
        `*${name}`,
        ...[...Object.keys(chains), ...gone].map((chain) => `:${chain} - [0:0]`),
        ...Object.entries(chains).flatMap(([chain, rules]) =>
          rules.map((rule, at) => {
            const count = at === 0 && counterName(chain) !== null ? counted[chain] : undefined;
            return `${count === undefined ? '' : `${count} `}-A ${chain} ${rule}`.trimEnd();
          }),
        ),
        ...goes.map(({ chain, rule }) => `-D ${chain} ${rule}`),
        ...jumps
          .filter((jump) => !wishes.has(sameJump(jump)) || !stood.has(sameJump(jump)))
          .map(({ chain, rule, beforeOffload }) =>
            beforeOffload && offloadAt !== null ? `-I ${chain} ${offloadAt} ${rule}` : `-A ${chain} ${rule}`,
          ),
        ...gone.map((chain) => `-X ${chain}`),
        'COMMIT',
        '',
      ].join('\n');
    })
    .join('');
}

/** A text of `transaction` that began with nothing, read like the saved rules it leads to; null where it is no such text. */
export function readRestore(text: string): SavedRuleset | null {
  try {
    return parseSave(text.replace(/^-I (\S+) \d+ /gm, '-A $1 '));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null;
  }
}

/** The same as it was rendered from; null where it is no such text. */
export function tablesOf(text: string): Table[] | null {
  const ruleset = readRestore(text);
  if (ruleset === null) return null;
  return ownTables(ruleset).map(({ name, jumps }) => {
    const chains: Table['chains'] = {};
    const table = ruleset.tables.find((one) => one.name === name);
    for (const chain of table?.chains ?? []) chains[chain.name] = [];
    for (const rule of table?.rules ?? []) chains[rule.chain]?.push(rule.text.slice(`-A ${rule.chain} `.length));
    return {
      name: name === 'filter' ? 'filter' : 'mangle',
      chains,
      jumps: jumps.map((jump) => (name === 'filter' ? { ...jump, beforeOffload: true } : jump)),
    };
  });
}

/** What is seen of tables that are in force. */
export const seenOf = (tables: readonly Table[]): SeenTable[] =>
  tables.map(({ name, chains, jumps }) => ({ name, chains: Object.keys(chains), jumps }));

/** What /etc/sipalg.policy holds on such a router: a text for each command that reads one. */
export type Sections = Readonly<Record<string, string>>;

/** @param sections by command: `ipset`, `iptables-restore`, `ip6tables-restore` */
export function writePolicyFile(sections: Sections): string {
  return [
    '# The voice firewall rules, as sipalg loads them and /etc/sipalg.include puts them back. '
      + 'Change /etc/config/sipalg instead, then: sipalg apply',
    '',
    ...Object.entries(sections)
      .filter(([, text]) => text !== '')
      .map(([command, text]) => `## ${command}\n${text}`),
    '## end',
    '',
  ]
    .join('\n')
    .replace(/\n{2,}## /g, '\n## ');
}

/** @returns null where the file is none of these */
export function readPolicyFile(text: string): Sections | null {
  if (!text.endsWith('## end\n')) return null;
  return Object.fromEntries(
    text
      .split(/^## /m)
      .slice(1, -1)
      .map((section) => {
        const end = section.indexOf('\n');
        return [section.slice(0, end), section.slice(end + 1)];
      }),
  );
}

const FW3_COMPLAINS = 'logger -t sipalg "$restore does not take the voice firewall rules; run: sipalg apply"';

/**
 * The script fw3 runs after each start and reload (`option reload '1'`): puts our rules back where they are missing,
 * which is after `firewall stop`. It never makes the firewall fail. A reload writes fw3's rules anew behind all others, ours too:
 * so the one against the offload is put where it must stand, behind its owner's own chain.
 */
export const FW3_INCLUDE = `# Written by sipalg: puts the voice firewall rules back when the firewall was stopped and started.
rules=/etc/sipalg.policy
part() { sed -n "/^## $1\\$/,/^## /p" $rules; }
place() {
	forward=$("\${1%restore}save" -t filter 2>/dev/null | grep '^-A FORWARD ')
	keep=$(printf '%s\\n' "$forward" | sed -n 's/^-A FORWARD \\(.*-j sipalg_keep\\)$/\\1/p' | head -n 1)
	[ -n "$keep" ] || return 0
	at=$(printf '%s\\n' "$forward" | grep -v -e '-j sipalg_keep$' | grep -n -e '-j FLOWOFFLOAD' | head -n 1 | cut -d: -f1)
	way="-A FORWARD"
	[ -z "$at" ] || way="-I FORWARD $at"
	printf '*filter\\n-D FORWARD %s\\n%s %s\\nCOMMIT\\n' "$keep" "$way" "$keep" | "$1" --noflush --wait 10 2>/dev/null
}
for restore in $(sed -n 's/^## \\(ip6\\{0,1\\}tables[a-z-]*-restore\\)$/\\1/p' $rules 2>/dev/null); do
	"\${restore%restore}save" 2>/dev/null | grep -q '^-A [A-Z]* .*-j sipalg_' && { place "$restore"; continue; }
	part ipset | ipset restore -! 2>/dev/null
	part "$restore" | "$restore" --noflush --wait 10 2>/dev/null || ${FW3_COMPLAINS}
	place "$restore"
done
exit 0
`;
