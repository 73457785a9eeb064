/** Rules of iptables that turn packets away, as `iptables-save -c` writes them: by what they do so, and how often they did. */
import type { SavedRule, SavedTable } from './save.ts';

/** What of a packet a rule asks for, as the rules of nftables are read too. */
export interface SavedDrop {
  family: 'ip' | 'ip6';
  table: string;
  chain: string;
  /** Its number in the chain, from 1, as `iptables -L CHAIN --line-numbers` has it. */
  handle: number;
  comment: string | null;
  packets: number | null;
  bytes: number | null;
  asks: { of: 'source' | 'destination' | 'source port' | 'destination port' | 'protocol' | 'in' | 'out'; not: boolean; values: string[] }[];
  more: boolean;
  limits: boolean;
  early: boolean;
  tool: 'iptables' | 'ip6tables';
  /** The set of ipset by whose addresses it drops, of source or destination alone. */
  set: string | null;
}

/** Targets that turn a packet away: iptables' own, and chains that fw3 goes to for that. */
const ENDS = /^(DROP|REJECT|reject|zone_.+_(src|dest)_(DROP|REJECT))$/;
/** A list's own chain says by its name what it is gone to for. */
const LISTS = /drop|reject|deny|block/i;

const FIELDS: Readonly<Record<string, SavedDrop['asks'][number]['of']>> = {
  '-s': 'source',
  '-d': 'destination',
  '-p': 'protocol',
  '-i': 'in',
  '-o': 'out',
  '--sport': 'source port',
  '--sports': 'source port',
  '--dport': 'destination port',
  '--dports': 'destination port',
};
/** Matches that only lead in options that are read here. */
const PLAIN = ['tcp', 'udp', 'multiport', 'comment', 'set'];

/** `192.0.2.1/32` is written for an address, and `5060:5061` for a range. */
const valuesOf = (of: string, text: string): string[] => {
  if (of === 'source' || of === 'destination') return [text.replace(/\/(32|128)$/, '')];
  if (of.endsWith('port')) return text.split(',').map((one) => one.replace(':', '-'));
  return [of === 'in' || of === 'out' ? text.replace(/\+$/, '*') : text];
};

/** null for a rule that turns nothing away. @param number of the rule in its chain */
function dropOf({ args, counters, chain }: SavedRule, table: string, family: 'ip' | 'ip6', number: number): SavedDrop | null {
  const at = Math.max(args.lastIndexOf('-j'), args.lastIndexOf('-g'));
  const target = at < 0 ? '' : (args[at + 1] ?? '');
  const asks: SavedDrop['asks'] = [];
  let [comment, more, limits, set, not] = [null as string | null, false, false, null as string | null, false];
  for (let place = 0; place < (at < 0 ? args.length : at); place++) {
    const word = args[place] as string;
    const value = args[place + 1] ?? '';
    const of = FIELDS[word];
    if (word === '!') {
      not = true;
      continue;
    }
    if (of !== undefined) asks.push({ of, not, values: valuesOf(of, value) });
    else if (word === '--comment') comment = value.replace(/^!fw3: ?/, '') || null;
    else if (word === '--match-set') {
      const side = args[place + 2] ?? '';
      if (!not && ['src', 'dst'].includes(side)) set = value;
      more = true;
      place += 1;
    } else if (word === '--hashlimit-above') limits = true;
    else if (word.startsWith('--hashlimit')) limits ||= false;
    else if (word !== '-m' || !(PLAIN.includes(value) || value === 'hashlimit')) more = true;
    place += 1;
    not = false;
  }
  if (!ENDS.test(target) && !(set !== null && LISTS.test(target))) return null;
  const [, packets = null, bytes = null] = /^\[(\d+):(\d+)\]$/.exec(counters ?? '') ?? [];
  return {
    family,
    table,
    chain,
    handle: number,
    comment,
    packets: packets === null ? null : Number(packets),
    bytes: bytes === null ? null : Number(bytes),
    asks,
    more,
    limits,
    early: table === 'raw',
    tool: family === 'ip' ? 'iptables' : 'ip6tables',
    set,
  };
}

/** The rules of these tables that turn packets away. */
export const savedDrops = (tables: readonly SavedTable[], family: 'ip' | 'ip6'): SavedDrop[] =>
  tables.flatMap(({ name, rules }) => {
    const numbers = new Map<string, number>();
    return rules.flatMap((rule) => {
      const number = (numbers.get(rule.chain) ?? 0) + 1;
      numbers.set(rule.chain, number);
      return dropOf(rule, name, family, number) ?? [];
    });
  });
