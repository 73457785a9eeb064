/** Rules that drop what is in a named set: block lists (banIP, adblock's and others'), as `nft -j list ruleset` has them. */
import type { Rule } from './ruleset.ts';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A chain is gone to for its end as well (banIP's `_reject`, fw4's `handle_reject`), and its name says which. */
const ENDS = /drop|reject|deny/i;

function drops(statement: unknown): boolean {
  if (!isObject(statement)) return false;
  const led = statement['goto'] ?? statement['jump'];
  return 'drop' in statement || 'reject' in statement || (isObject(led) && ENDS.test(String(led['target'])));
}

/** The set by whose addresses a rule drops, of source or destination alone; null for any other rule. */
export function blockSetOf({ expr }: Pick<Rule, 'expr'>): string | null {
  if (!expr.some(drops)) return null;
  for (const statement of expr) {
    const match = isObject(statement) ? statement['match'] : null;
    if (!isObject(match) || match['op'] === '!=' || !isObject(match['left'])) continue;
    const payload = match['left']['payload'];
    const set = /^@(\S+)$/.exec(String(match['right']))?.[1];
    if (set !== undefined && isObject(payload) && ['saddr', 'daddr'].includes(String(payload['field']))) return set;
  }
  return null;
}

/** A set of addresses as `nft -t list sets` declares it. */
export interface DeclaredSet {
  /** `family table name` */
  key: string;
  family: 'ipv4' | 'ipv6';
  interval: boolean;
  /** An element of it may hold a limit, of which a look spends (nft_lookup.c, nft_set_elem_update_expr). */
  limited: boolean;
}

/** Sets of addresses alone. `nft -j` of 1.0.6 leaves the flag dynamic out, so this reads its text. */
export function declaredSets(text: string): DeclaredSet[] {
  return text.split(/^table /m).flatMap((table) => {
    const [family = '', name = ''] = table.split(/\s/);
    return [...table.matchAll(/^\tset (\S+) \{\n((?:\t\t.*\n)*)/gm)].flatMap(([, set = '', body = '']): DeclaredSet[] => {
      const type = /^\t\ttype ipv([46])_addr$/m.exec(body)?.[1];
      const flags = /^\t\tflags (.*)$/m.exec(body)?.[1]?.split(',') ?? [];
      if (type === undefined) return [];
      return [
        {
          key: `${family} ${name} ${set}`,
          family: type === '4' ? 'ipv4' : 'ipv6',
          interval: flags.includes('interval'),
          limited: flags.includes('dynamic') || /^\t\t(limit|quota|ct count) /m.test(body),
        },
      ];
    });
  });
}
