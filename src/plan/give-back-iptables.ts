/** Puts rules back into iptables, beside the neighbours they had. */
import type { Neighbours, TakenIptables } from '../journal/taken.ts';
import { renderRestore } from '../languages/iptables/restore.ts';
import type { RestoreCommand } from '../languages/iptables/restore.ts';
import type { Facts, IptablesFacts } from '../observe/facts.ts';
import { NOTHING, one, refuse } from './files.ts';
import type { Part } from './files.ts';
import { nearest } from './give-back-nft.ts';
import { restoreAction } from './actions.ts';
import { restoreLine } from '../languages/shell/command.ts';
import { RANK } from './step.ts';
import { say } from '../words/say.ts';

/** Chains that are there whenever their table is. */
const BUILT_IN = ['PREROUTING', 'OUTPUT'];

/** A rule that fw3 itself has written; one of its owner's comes back with its owner. */
const OF_FW3 = '--comment "!fw3: ';

/** Whether fw3 runs and lacks, or no longer leads to, a chain that held a rule of its own. */
export function lacksChain({ chains, fw3 }: IptablesFacts, taken: TakenIptables): boolean {
  return (
    fw3 === true
    && taken.rules.some(
      ({ chain, rule }) =>
        rule.includes(OF_FW3) && !BUILT_IN.includes(chain) && !chains.some((one) => one.chain === chain && one.reached !== false),
    )
  );
}

type Chains = IptablesFacts['chains'];

const counted = (rules: readonly string[], rule: string): number => rules.filter((one) => one === rule).length;

/** The commands that put back what is missing of an entry; none where nothing is. */
export function putBackIptables(now: Chains, taken: TakenIptables): RestoreCommand[] {
  const commands: RestoreCommand[] = [];
  // Positions move with each rule put back, so the chains are followed as they will be.
  const chains = new Map(now.map(({ chain, rules }) => [chain, rules.map((rule) => ({ rule, put: false }))]));
  const wanted = new Map<string, number>();
  for (const { chain, rule, ...neighbours } of taken.rules) {
    const rules = chains.get(chain) ?? (BUILT_IN.includes(chain) ? [] : null);
    if (rules === null) continue; // its owner makes the chain anew, and its rules with it
    chains.set(chain, rules);
    const key = `${chain} ${rule}`;
    wanted.set(key, (wanted.get(key) ?? 0) + 1);
    if (rules.filter((one) => one.rule === rule).length >= (wanted.get(key) as number)) continue;
    const at = placeOf(rules, neighbours);
    rules.splice(at, 0, { rule, put: true });
    commands.push({ do: 'insert', chain, position: at + 1, rule });
  }
  return commands;
}

/** Between its two neighbours, nearest to where it was, for a rule may have twins; else beside the one that is there; else last. */
function placeOf(rules: readonly { rule: string; put: boolean }[], { previous, next, place }: Neighbours): number {
  const before = (at: number): string | null => {
    while (rules[at - 1]?.put) at--; // put back just now, into the same gap
    return rules[at - 1]?.rule ?? null;
  };
  const behind = (at: number): string | null => rules[at]?.rule ?? null;
  const stood = (at: number): boolean => rules[at]?.put !== true;
  // Where it was, among those put back before it.
  const was = place + rules.filter(({ put }) => put).length;
  return (
    nearest(rules.length + 1, was, (at) => stood(at) && behind(at) === next && before(at) === previous)
    ?? (next === null ? null : nearest(rules.length, was, (at) => stood(at) && behind(at) === next))
    ?? (previous === null || next === null ? null : nearest(rules.length + 1, was, (at) => stood(at) && before(at) === previous))
    ?? rules.length
  );
}

/** The commands that take out again what `putBackIptables` put in: as many of each as there are more than stood. */
export function takeOutIptables(now: Chains, put: TakenIptables, stood: readonly { chain: string; rules: string[] }[]): RestoreCommand[] {
  const chains = new Map(now.map(({ chain, rules }) => [chain, [...rules]]));
  return put.rules.flatMap(({ chain, rule }): RestoreCommand[] => {
    const rules = chains.get(chain) ?? [];
    if (counted(rules, rule) <= counted(stood.find((one) => one.chain === chain)?.rules ?? [], rule)) return [];
    rules.splice(rules.indexOf(rule), 1);
    return [{ do: 'delete', chain, rule }];
  });
}

export function giveBackIptables(facts: Facts, taken: TakenIptables): Part {
  const reading = facts.iptables.find((one) => one.state === 'present' && one.value.save === taken.save);
  if (reading?.state !== 'present') {
    return refuse([
      say(
        'refused-iptables-gone',
        '{tool} could not be asked, so the rules it showed cannot be given back. Install iptables again, then run `sipalg enable`.',
        { tool: taken.save },
      ),
    ]);
  }
  const { chains } = reading.value;
  const commands = putBackIptables(chains, taken);
  if (commands.length === 0) return NOTHING;
  const script = renderRestore('raw', commands);
  const stood = chains.map(({ chain, rules }) => ({ chain, rules }));
  return one({
    rank: RANK.rules,
    why: 'journal',
    ...say('step-back-iptables', "Put the SIP helper's rules back into iptables ({tool}).", {
      tool: taken.restore.replace(/-restore$/, ''),
    }),
    actions: [restoreAction(taken.restore, script)],
    undo: [{ do: 'take iptables', taken, stood }],
    commands: [restoreLine(taken.restore, script)],
  });
}
