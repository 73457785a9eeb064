/**
 * Takes rules, map elements and helper objects out of nftables, in one
 * transaction, and knows how to put them back where they stood.
 */
import type { Neighbours, TakenHelper, TakenNft } from '../journal/taken.ts';
import type { Facts, NftAssignment, NftFacts } from '../observe/facts.ts';
import { chainKey } from '../observe/nft.ts';
import { withoutCounters } from '../languages/nft/listing.ts';
import { renderScript } from '../languages/nft/script.ts';
import type { Command } from '../languages/nft/script.ts';
import { nftAction } from './actions.ts';
import { NOTHING, one, refuse } from './files.ts';
import type { Part } from './files.ts';
import { nftLine } from '../languages/shell/command.ts';
import { RANK } from './step.ts';
import type { Action, Step } from './step.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

/** A transaction; nft itself says beforehand whether it would take it. */
export function transaction(commands: readonly Command[], rehearsed: readonly Command[] = commands): Action {
  return nftAction(renderScript(commands), renderScript(rehearsed));
}

/** The nearest rules that stay, before and behind, and how many that stay are before. */
export function neighbours(rules: readonly string[], at: number, goes: ReadonlySet<number>): Neighbours {
  let previous = at - 1;
  while (goes.has(previous)) previous--;
  let next = at + 1;
  while (goes.has(next)) next++;
  const place = rules.slice(0, at).filter((_, before) => !goes.has(before)).length;
  return { previous: rules[previous] ?? null, next: rules[next] ?? null, place };
}

interface Taking {
  commands: Command[];
  taken: TakenNft;
  refused: Said[];
}

function takeAssignments(nft: NftFacts): Taking {
  const taking: Taking = { commands: [], taken: { kind: 'nft', rules: [], elements: [], helpers: [] }, refused: [] };
  const byRule = nft.assignments.filter(({ map }) => map === null);
  for (const chain of nft.chains) {
    const goes = new Set<number>();
    const here = byRule.filter((one) => chainKey(one) === chainKey(chain));
    // A neighbour is known by the text it has afterwards.
    const texts = chain.rules.map(({ handle, text }) => withoutCounters(here.find((one) => one.handle === handle)?.remains ?? text));
    for (const one of here) if (one.remains === null) goes.add(chain.rules.findIndex(({ handle }) => handle === one.handle));
    for (const one of here)
      takeRule(
        taking,
        one,
        neighbours(
          texts,
          chain.rules.findIndex(({ handle }) => handle === one.handle),
          goes,
        ),
      );
  }
  for (const { family, table, map } of nft.assignments) {
    if (map === null || taking.taken.elements.some((one) => one.family === family && one.table === table && one.map === map.name)) continue;
    taking.taken.elements.push({ family, table, map: map.name, elements: map.elements });
    for (const element of map.elements) taking.commands.push({ do: 'delete element', family, table, map: map.name, element });
  }
  for (const { family, table, name, type, protocol, l3proto } of nft.helpers) {
    taking.taken.helpers.push({ family, table, name, type, protocol, l3proto });
    taking.commands.push({ do: 'delete helper', family, table, name });
  }
  return taking;
}

function takeRule(taking: Taking, one: NftAssignment, around: Neighbours): void {
  const { family, table, chain, handle, rule, remains } = one;
  if (rule === null) {
    taking.refused.push(
      say(
        'refused-rule-unseen',
        'Rule {handle} of {chain} sets the SIP helper, but `nft -a -t list ruleset` does not show it, so it could not be given back. '
          + 'Run the command again; if it says the same, take the rule away by hand.',
        { handle, chain: `${family} ${table} ${chain}` },
      ),
    );
    return;
  }
  taking.taken.rules.push({ family, table, chain, rule, remains, ...around, ...(one.reached === false ? { unreached: true } : {}) });
  // Not `replace rule`: some rules make nft 1.0.6 end by a signal when they come that way.
  if (remains !== null) taking.commands.push({ do: 'insert rule', family, table, chain, handle, rule: remains });
  taking.commands.push({ do: 'delete rule', family, table, chain, handle });
}

/**
 * What puts everything back, as far as nft's acceptance of it goes: each rule last
 * in its chain. Where each belongs is told from what stands there by then (putBack).
 */
function rehearsedBack(taken: TakenNft): Command[] {
  const commands: Command[] = taken.helpers.map((helper) => addHelper(helper));
  for (const { family, table, map, elements } of taken.elements) {
    for (const element of elements) commands.push({ do: 'add element', family, table, map, element });
  }
  return [
    ...commands,
    ...taken.rules.map(({ family, table, chain, rule }): Command => ({ do: 'add rule', family, table, chain, handle: null, rule })),
  ];
}

export function addHelper({ family, table, name, type, protocol, l3proto }: TakenHelper): Command {
  return { do: 'add helper', family, table, name, type, protocol, l3proto };
}

/**
 * @param unloads the module goes, and so must every object that holds it. Where it
 *   stays, fw4 declares its object anew at each load, and one that no rule uses
 *   does no harm: it is taken only along with rules.
 */
export function planRules(facts: Facts, unloads: boolean): Part {
  const { nft } = facts;
  // What sets nothing holds the module all the same.
  const goes = (rule: NftAssignment): boolean => unloads || rule.reached !== false;
  if (nft.state !== 'present' || (!nft.value.assignments.some(goes) && !(unloads && nft.value.helpers.length > 0))) return NOTHING;
  const { commands, taken, refused } = takeAssignments(nft.value);
  if (refused.length > 0) return refuse(refused);
  const step: Step = {
    rank: RANK.rules,
    why: taken.rules.length + taken.elements.length > 0 ? 'nft-assignment' : 'nft-object',
    ...say('step-nft', "Take the SIP helper's rules and objects out of nftables, and nothing else, in one transaction."),
    // The rehearsal proves the way back as well: what is taken is put back in the same breath.
    actions: [transaction(commands, [...commands, ...rehearsedBack(taken)])],
    undo: [{ do: 'put rules', taken }],
    commands: [nftLine(renderScript(commands))],
  };
  return one(step, [taken]);
}
