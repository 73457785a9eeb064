/**
 * Asks nft for the rules that can matter, where others are many. For `list ruleset` nft holds all of it (50,000 rules: 415 MB as
 * JSON, 173 MB as text, seconds of processor); for `list chains` and `list table` it asks the kernel for that much (nft 1.0.6,
 * nft_cache_evaluate). Which tables need not be asked for follows from what the kernel lets stand in them:
 *
 * - no rule sets the SIP helper where the kernel has none: without the module no object `ct helper` of that type can be made
 *   (nft_ct_helper_obj_init) and no target CT of iptables (xt_ct_set_helper);
 * - `snat`, `masquerade` and `redirect` stand in chains of type nat alone (nft_chain_validate_dependency);
 * - rules of iptables stand in tables of its names.
 */
import type { Host, RunOptions } from '../host/host.ts';
import { readNftChains, withRules } from '../languages/nft/chains.ts';
import type { ChainsOfTable } from '../languages/nft/chains.ts';
import { LIST_RULES, LIST_TEXT } from './tools.ts';

const LIST_CHAINS = ['nft', '-j', 'list', 'chains'];
/** What iptables' nft flavour calls its tables. */
const OF_IPTABLES: readonly string[] = ['filter', 'nat', 'mangle', 'raw', 'security', 'broute'];
/** The firewall's, whose rules say more than who is given a helper. */
const OF_FIREWALL: readonly string[] = ['inet fw4', 'inet sipalg'];

/** Whether rules of this table are of no interest, whatever they are. */
export const isSpared = ({ family, table, types }: ChainsOfTable, needed: readonly string[]): boolean =>
  !needed.includes(`${family} ${table}`)
  && !OF_FIREWALL.includes(`${family} ${table}`)
  && !OF_IPTABLES.includes(table)
  && types.every((type) => type === null || type === 'filter');

const same = (one: readonly string[], other: readonly string[]): boolean => one.join(' ') === other.join(' ');
/** More tables than these are listed with one question. */
const MOST_TABLES = 6;

/**
 * The listing without what is spared; null where it is to be asked for as a whole.
 * @param needed tables, as `family name`
 */
export async function listSome(
  host: Host,
  argv: readonly string[],
  needed: readonly string[],
  options: RunOptions,
): Promise<string | null> {
  const { parts: _, ...rest } = options;
  const textOf = async (asked: readonly string[]): Promise<string | null> => {
    const outcome = await host.run(asked, rest);
    return outcome.state === 'exited' && outcome.code === 0 ? outcome.stdout : null;
  };
  const rules = same(argv, LIST_RULES.argv);
  if (!rules && !same(argv, LIST_TEXT)) return null;
  const chains = await textOf(LIST_CHAINS);
  const tables = chains === null ? null : readNftChains(chains);
  if (chains === null || tables === null) return null;
  const wanted = tables.filter((one) => (rules ? !isSpared(one, needed) : needed.includes(`${one.family} ${one.table}`)));
  // Nothing to spare: one question is quicker than many.
  if (wanted.length === tables.length || wanted.length > MOST_TABLES) return null;
  const one = (family: string, table: string): Promise<string | null> => textOf([...argv.slice(0, -1), 'table', family, table]);
  const texts: string[] = [];
  // A table without a chain is in no list of chains: ours, before the firewall fills it.
  const listed = new Set(tables.map(({ family, table }) => `${family} ${table}`));
  for (const own of rules ? OF_FIREWALL.filter((each) => !listed.has(each)) : []) {
    const [family = '', table = ''] = own.split(' ');
    texts.push(...[await one(family, table)].filter((text) => text !== null));
  }
  for (const { family, table } of wanted) {
    const text = await one(family, table);
    if (text === null) return null; // gone meanwhile, or refused: the whole says which
    texts.push(text);
  }
  return rules ? withRules(chains, texts) : texts.join('');
}
