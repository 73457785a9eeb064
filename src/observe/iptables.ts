/**
 * Where iptables sets SIP helpers: `-j CT --helper sip`, in both flavours and
 * both families. The save commands run without `-t`, which would make the kernel
 * create the table that is asked for.
 */
import type { Host, Reading } from '../host/host.ts';
import { helperOf, parseSave } from '../iptables/save.ts';
import type { SavedRuleset } from '../iptables/save.ts';
import type { IptablesFacts } from './facts.ts';
import { isSipHelper } from './nft.ts';
import { answered, understood } from './reading.ts';

const FAMILIES = ['iptables', 'ip6tables'];

/** What a saved rule says after `-A CHAIN `. */
function body(text: string): string {
  return text.replace(/^-A (?:"[^"]*"|\S+) ?/, '');
}

function factsOf(save: string, ruleset: SavedRuleset): IptablesFacts {
  const facts: IptablesFacts = { save, restore: save.replace(/-save$/, '-restore'), assignments: [], chains: [] };
  for (const table of ruleset.tables) {
    const positions = new Map<string, string[]>();
    for (const rule of table.rules) {
      const rules = positions.get(rule.chain) ?? [];
      positions.set(rule.chain, rules);
      rules.push(body(rule.text));
      const helper = helperOf(rule);
      if (helper !== null && isSipHelper(helper)) {
        facts.assignments.push({ table: table.name, chain: rule.chain, position: rules.length, rule: body(rule.text), helper });
      }
    }
    // The CT target is valid in the raw table alone (xt_CT.c), so no other is remembered.
    if (table.name === 'raw') for (const { name } of table.chains) facts.chains.push({ table: table.name, chain: name, rules: positions.get(name) ?? [] });
  }
  return facts;
}

/** One reading per save command that is installed; none where iptables is not. */
export async function observeIptables(host: Host): Promise<Reading<IptablesFacts>[]> {
  const all = await Promise.all(FAMILIES.map(async (family) => {
    const flavours = await Promise.all(['legacy', 'nft'].map((flavour) => save(host, `${family}-${flavour}-save`)));
    const installed = flavours.filter(({ state }) => state !== 'absent');
    if (installed.length > 0) return installed;
    const plain = await save(host, `${family}-save`);
    return plain.state === 'absent' ? [] : [plain];
  }));
  return all.flat();
}

async function save(host: Host, command: string): Promise<Reading<IptablesFacts>> {
  return understood(answered(await host.run([command])), (text) => factsOf(command, parseSave(text)));
}
