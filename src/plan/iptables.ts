/** Takes the SIP helper's rules out of iptables: one iptables-restore transaction per flavour and family. */
import type { TakenIptables } from '../journal/taken.ts';
import { renderRestore } from '../languages/iptables/restore.ts';
import type { RestoreCommand } from '../languages/iptables/restore.ts';
import type { Facts, IptablesFacts } from '../observe/facts.ts';
import { restoreAction } from './actions.ts';
import { joinParts, NOTHING, one } from './files.ts';
import type { Part } from './files.ts';
import { neighbours } from './nft.ts';
import { restoreLine } from '../languages/shell/command.ts';
import { RANK } from './step.ts';
import { say } from '../words/say.ts';

function planOne(facts: IptablesFacts, unloads: boolean): Part {
  if (!unloads && !facts.assignments.some(({ reached }) => reached !== false)) return NOTHING;
  const taken: TakenIptables = { kind: 'iptables', save: facts.save, restore: facts.restore, rules: [] };
  const goes: RestoreCommand[] = [];
  for (const { chain, rules, table } of facts.chains) {
    const here = facts.assignments.filter((one) => one.table === table && one.chain === chain);
    const gone = new Set(here.map(({ position }) => position - 1));
    for (const { rule, position } of here) {
      taken.rules.push({ table, chain, rule, ...neighbours(rules, position - 1, gone) });
      goes.push({ do: 'delete', chain, rule });
    }
  }
  if (goes.length === 0) return NOTHING;
  const script = renderRestore('raw', goes);
  return one(
    {
      rank: RANK.rules,
      why: 'iptables-assignment',
      ...say('step-iptables', "Take the SIP helper's rules out of iptables ({tool}), and nothing else, in one transaction.", {
        tool: facts.restore.replace(/-restore$/, ''),
      }),
      actions: [restoreAction(facts.restore, script)],
      undo: [{ do: 'put iptables', taken }],
      commands: [restoreLine(facts.restore, script)],
    },
    [taken],
  );
}

/** @param unloads the module goes, which rules that set nothing would hold too */
export function planIptables(facts: Facts, unloads: boolean): Part {
  return joinParts(facts.iptables.map((reading) => (reading.state === 'present' ? planOne(reading.value, unloads) : NOTHING)));
}
