/** Where packets come in a saved table, and what a nat table does with a flow that leaves by a device. */
import type { SavedRule, SavedTable } from './save.ts';

const BUILT_IN = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];

/** The value of an option, and whether a `!` stands before it; null where it is not there. */
function valueOf({ args }: SavedRule, ...names: readonly string[]): { value: string; not: boolean } | null {
  const at = args.findIndex((arg, place) => names.includes(arg) && args[place - 1] !== '--comment');
  return at < 0 ? null : { value: args[at + 1] ?? '', not: args[at - 1] === '!' };
}

/** The target, or the chain that is gone to. */
const targetOf = (rule: SavedRule): string | null => valueOf(rule, '-j', '-g')?.value ?? null;

/**
 * Whether a rule of the raw table can match at all. Connection tracking comes behind it: what asks for a state there is
 * told INVALID (or UNTRACKED), and every other question about the flow is answered with no (xt_conntrack.c, conntrack_mt;
 * xt_helper.c, xt_connmark.c). firewall3's rule for a port forward asks for the state DNAT.
 */
export function canMatchInRaw(rule: SavedRule): boolean {
  const state = valueOf(rule, '--ctstate', '--state');
  if (state !== null) return state.not || /\b(INVALID|UNTRACKED)\b/.test(state.value);
  const matches = rule.args.flatMap((arg, at) => (arg === '-m' ? [rule.args[at + 1] ?? ''] : []));
  const asked = valueOf(rule, '--helper');
  // `--helper` behind `-j CT` is what the target sets.
  if (matches.includes('helper')) return asked?.not === true;
  return !matches.some((match) => ['conntrack', 'connmark', 'connbytes', 'connlimit'].includes(match));
}

/** The chains of a table that packets come to. @param canMatch whether a rule can match at all */
export function reachedChains(table: SavedTable, canMatch: (rule: SavedRule) => boolean = () => true): Set<string> {
  const names = new Set(table.chains.map(({ name }) => name));
  const reached = new Set<string>();
  const waiting = [...names].filter((name) => BUILT_IN.includes(name));
  for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
    if (reached.has(chain)) continue;
    reached.add(chain);
    for (const rule of table.rules) {
      const target = rule.chain === chain && canMatch(rule) ? targetOf(rule) : null;
      if (target !== null && names.has(target)) waiting.push(target);
    }
  }
  return reached;
}

/** Options that do not narrow what a rule is for, and how many words each has. */
const IDLE: Readonly<Record<string, number>> = { '-m': 2, '--comment': 2, '-j': 2, '-g': 2, '-o': 2, '!': 1, '--random': 1 };

/** Whether nothing but the device decides of a rule. Options of its target stand behind `-j`. */
function isPlain({ args }: SavedRule): boolean {
  for (let at = 0; at < args.length;) {
    const arg = args[at] as string;
    if (arg === '-j' || arg === '-g') return true;
    const words = Object.hasOwn(IDLE, arg) && (arg !== '-m' || args[at + 1] === 'comment') ? IDLE[arg] : undefined;
    if (words === undefined) return false;
    at += words;
  }
  return true;
}

type Outcome = 'translated' | 'left' | 'returned' | 'on' | null;

function walk(table: SavedTable, chain: string, device: string, depth: number): Outcome {
  let told = true;
  for (const rule of depth > 8 ? [] : table.rules.filter((one) => one.chain === chain)) {
    const out = valueOf(rule, '-o', '--out-interface');
    const named = out === null || (out.value.endsWith('+') ? device.startsWith(out.value.slice(0, -1)) : out.value === device) !== out.not;
    const target = targetOf(rule) ?? '';
    if (!named) continue;
    const outcome: Outcome = /^(MASQUERADE|SNAT|NETMAP)$/.test(target)
      ? 'translated'
      : target === 'ACCEPT' || target === 'DROP'
        ? 'left'
        : target === 'RETURN'
          ? 'returned'
          : table.chains.some(({ name }) => name === target)
            ? walk(table, target, device, depth + 1)
            : 'on';
    if (outcome === 'on') continue;
    if (outcome === null || !isPlain(rule)) told = false;
    else return told ? (outcome === 'returned' ? 'on' : outcome) : null;
  }
  return told ? 'on' : null;
}

/** As `translation` of nft: by device, '' for every one that is not named. */
export function translation(nat: SavedTable | undefined): Record<string, boolean | null> {
  if (nat === undefined) return { '': false };
  const named = nat.rules.map((rule) => valueOf(rule, '-o', '--out-interface')?.value ?? '');
  // `tun+` may stand for one that has no name here.
  const told = !named.some((name) => name.endsWith('+'));
  const of = (device: string): boolean | null => {
    const outcome = walk(nat, 'POSTROUTING', device, 0);
    return outcome === null ? null : outcome === 'translated';
  };
  return Object.fromEntries(
    [...new Set(['', ...named])].filter((name) => !name.endsWith('+')).map((device) => [device, device !== '' || told ? of(device) : null]),
  );
}
