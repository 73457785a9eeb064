/** What a saved ruleset of iptables means: loaded where one was said, for most routers of today have none. */
import { canMatchInRaw, reachedChains, translation } from '../languages/iptables/reach.ts';
import { helperOf, parseSave, sourceGiven } from '../languages/iptables/save.ts';
import type { SavedRuleset } from '../languages/iptables/save.ts';
import type { IptablesFacts } from './facts.ts';
import { isSipHelper } from './nft.ts';

/** What a saved rule says after `-A CHAIN `. */
function body(text: string): string {
  return text.replace(/^-A (?:"[^"]*"|\S+) ?/, '');
}

export function factsOf(save: string, ruleset: SavedRuleset): IptablesFacts {
  const facts: IptablesFacts = { save, restore: save.replace(/-save$/, '-restore'), flavour: ruleset.flavour, assignments: [], chains: [] };
  facts.fw3 = ruleset.tables.some(({ chains }) => chains.some(({ name }) => /^zone_.+_(input|output|forward)$/.test(name)));
  const nat = ruleset.tables.find(({ name }) => name === 'nat');
  facts.translates = translation(nat);
  facts.sources = [...new Set((nat?.rules ?? []).flatMap((rule) => sourceGiven(rule) ?? []))];
  for (const table of ruleset.tables) {
    const canMatch = table.name === 'raw' ? canMatchInRaw : () => true;
    const reached = reachedChains(table, canMatch);
    const positions = new Map<string, string[]>();
    for (const rule of table.rules) {
      const rules = positions.get(rule.chain) ?? [];
      positions.set(rule.chain, rules);
      rules.push(body(rule.text));
      const helper = helperOf(rule);
      if (helper !== null && isSipHelper(helper)) {
        const place = { table: table.name, chain: rule.chain, position: rules.length };
        facts.assignments.push({ ...place, rule: body(rule.text), helper, reached: reached.has(rule.chain) && canMatch(rule) });
      }
    }
    // The CT target is valid in the raw table alone (xt_CT.c), so no other is remembered.
    if (table.name === 'raw')
      for (const { name } of table.chains)
        facts.chains.push({ table: table.name, chain: name, rules: positions.get(name) ?? [], reached: reached.has(name) });
  }
  return facts;
}

/** @param text what the command printed @throws Refused where it is no ruleset */
export const factsIn = (command: string, text: string): IptablesFacts => factsOf(command, parseSave(text));
