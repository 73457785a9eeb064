/** Prefixes for iptables: as sets of ipset, or as a tree of chains that looks at a digit of the address at a time. */
import { readPrefix, writePrefix } from '../../../languages/address/prefixes.ts';
import type { Prefix } from '../../../languages/address/prefixes.ts';
import { digit, MOST_PEERS, OURS, PEER_SETS } from '../../own.ts';
import type { Family } from '../../own.ts';
import type { Voice } from '../../rules.ts';

/** A chain of this many rules is not worth another step. */
const LEAF = 16;

/**
 * Adds chains that answer whether an address lies in one of these networks; the
 * first is called `sipalg_BASE0`. None for no networks.
 * @param flag      `-s` or `-d`: which address
 * @param found     what a rule does with one that does
 * @param otherwise the last rule for one that does not; null: on where it came from
 */
export function prefixChains(
  chains: Record<string, string[]>,
  base: string,
  networks: readonly string[],
  flag: '-s' | '-d',
  found: string,
  otherwise: string | null,
): void {
  const known = new Map<string, Prefix>();
  for (const text of networks) {
    const prefix = readPrefix(text);
    if (!('wrong' in prefix)) known.set(`${prefix.bits}/${prefix.length}`, prefix);
  }
  const sorted = [...known.values()].sort((one, other) =>
    one.bits < other.bits ? -1 : one.bits > other.bits ? 1 : one.length - other.length,
  );
  if (sorted.length === 0) return;
  let nth = 0;
  const build = (list: readonly Prefix[]): string => {
    const name = `${OURS}${base}${nth++}`;
    const rules: string[] = (chains[name] = []);
    const depth = list.length > LEAF ? common(list) : 0;
    const groups = new Map<string, Prefix[]>();
    for (const prefix of list) {
      // A network wider than the digits looked at is a rule of its own.
      const alone = list.length <= LEAF || prefix.length < (depth + 1) * 4;
      if (alone) rules.push(`${flag} ${writePrefix(prefix)} ${found}`);
      else {
        const start = prefix.bits.slice(0, depth + 1);
        const group = groups.get(start);
        if (group === undefined) groups.set(start, [prefix]);
        else group.push(prefix);
      }
    }
    for (const [start, group] of groups) {
      const { family, bits } = group[0] as Prefix;
      rules.push(`${flag} ${writePrefix({ family, bits: start.padEnd(bits.length, '0'), length: start.length * 4 })} -g ${build(group)}`);
    }
    if (otherwise !== null) rules.push(otherwise);
    return name;
  };
  build(sorted);
}

/** How many digits all of them begin with. */
function common(list: readonly Prefix[]): number {
  const first = (list[0] as Prefix).bits;
  const last = (list.at(-1) as Prefix).bits;
  const shortest = Math.min(...list.map(({ length }) => length >> 2));
  let at = 0;
  while (at < shortest && first[at] === last[at]) at++;
  return at;
}

/** As many as fit into one of our sets; ipset takes a set of the same name only if it is as large. */
const MOST = 131_072;

/** The networks each set of ours is to hold; those the kernel fills are not among them. */
export function setsOf(voice: Voice): Record<string, string[]> {
  return Object.fromEntries(
    (['ipv4', 'ipv6'] as const).flatMap((family) =>
      (['signalling', 'media', 'sites'] as const).map((which) => [`${OURS}${which}${digit(family)}`, voice[which][family]]),
    ),
  );
}

const of = (name: string): string => `family ${/4m?$/.test(name) ? 'inet' : 'inet6'}`;

/**
 * A set is made, unless it is there, and holds these networks: they are put into one beside it, and the two change places.
 * @param most as many as fit; '' for ipset's own 65,536, as the firewall makes its sets
 */
export function swapLines(name: string, networks: readonly string[], most = ` maxelem ${MOST}`): string[] {
  const swap = `${OURS}swap${of(name) === 'family inet' ? 4 : 6}`;
  return [
    ...[name, swap].map((each) => `create ${each} hash:net ${of(name)}${most}`),
    `flush ${swap}`,
    ...networks.map((network) => `add ${swap} ${network}`),
    `swap ${swap} ${name}`,
    `destroy ${swap}`,
  ];
}

/**
 * What `ipset restore -!` makes of it: each set is filled beside the one in use and changes place with it,
 * so that no packet meets a half one. What the kernel has learnt stays.
 */
export function ipsetText(voice: Voice): string {
  const lines: string[] = [];
  for (const [name, networks] of Object.entries(setsOf(voice))) lines.push(...swapLines(name, networks));
  for (const family of ['ipv4', 'ipv6'] as Family[]) {
    lines.push(
      ...Object.entries(PEER_SETS).map(([name, holds]) => {
        const set = `${OURS}${name}${digit(family)}`;
        return `create ${set} hash:${holds} ${of(set)} maxelem ${MOST_PEERS} timeout 86400`;
      }),
    );
  }
  return lines.join('\n') + '\n';
}
