/** What of the rules that `iptables-save` printed is ours. */
import type { SavedRuleset } from '../../languages/iptables/save.ts';
import type { SeenTable } from '../facts.ts';
import { OURS } from '../own.ts';

/** Chains whose first rule is a counter that outlives a replacement: its name is the chain's without `sipalg_`. */
const COUNTED = /^sipalg_((?:voice|limited|attempts)_[a-z]+)$/;

export const counterName = (chain: string): string | null => COUNTED.exec(chain)?.[1] ?? null;

const isOurs = (chain: string): boolean => chain.startsWith(OURS);

/** Where a rule leads, by -j or -g. */
function targetOf(args: readonly string[]): string | null {
  const at = Math.max(args.lastIndexOf('-j'), args.lastIndexOf('-g'));
  return at < 0 ? null : (args[at + 1] ?? null);
}

/** What of a ruleset is ours; tables without anything of ours are left out. */
export function ownTables(ruleset: SavedRuleset): SeenTable[] {
  return ruleset.tables
    .map(({ name, chains, rules }) => ({
      name,
      chains: chains.flatMap((chain) => (isOurs(chain.name) ? [chain.name] : [])),
      jumps: rules
        .filter(({ chain, args }) => !isOurs(chain) && isOurs(targetOf(args) ?? ''))
        .map(({ chain, text }) => ({ chain, rule: text.slice(`-A ${chain} `.length) })),
    }))
    .filter(({ chains, jumps }) => chains.length + jumps.length > 0);
}

/** Matches that iptables adds to a rule, or leaves out, as it likes. */
const IMPLIED = ['tcp', 'udp', 'comment'];

/** What a rule is made of, without the values that one iptables writes so and another one so. */
function shape(args: readonly string[]): string {
  const parts: string[] = [];
  args.forEach((arg, at) => {
    const value = args[at + 1] ?? '';
    if (arg === '-m' && !IMPLIED.includes(value)) parts.push(value);
    if (['-i', '-o', '-p', '-j', '-g'].includes(arg)) parts.push(`${arg} ${value}`);
    if (arg === '-s' || arg === '-d') parts.push(arg);
  });
  return parts.sort().join(' ');
}

/** All that is ours as one text that is the same before and after iptables has had it. */
export function shapeOf(ruleset: SavedRuleset): string {
  return ruleset.tables
    .flatMap(({ name, chains, rules }) => {
      const own = new Map(chains.filter((chain) => isOurs(chain.name)).map((chain) => [chain.name, [] as string[]]));
      const jumps: string[] = [];
      for (const { chain, args } of rules) {
        own.get(chain)?.push(shape(args));
        if (!isOurs(chain) && isOurs(targetOf(args) ?? '')) jumps.push(`${name} ${chain} ${shape(args)}`);
      }
      return [...[...own].map(([chain, shapes]) => `${name} ${chain} ${shapes.join(', ')}`), ...jumps];
    })
    .sort()
    .join('\n');
}

/** The mark kept in the rules: a chain that nothing leads to. */
export function markOf(tables: readonly { chains: readonly string[] }[]): string | null {
  const prefix = `${OURS}text_`;
  return (
    tables
      .flatMap(({ chains }) => chains)
      .find((chain) => chain.startsWith(prefix))
      ?.slice(prefix.length) ?? null
  );
}
