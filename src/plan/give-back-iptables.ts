/** Puts rules back into iptables, beside the neighbours they had. */
import type { TakenIptables } from '../journal/taken.ts';
import { renderRestore } from '../iptables/restore.ts';
import type { RestoreCommand } from '../iptables/restore.ts';
import type { Facts } from '../observe/facts.ts';
import { NOTHING } from './files.ts';
import type { Part } from './files.ts';
import { restoreAction } from './iptables.ts';
import { restoreLine } from './shell.ts';
import { RANK } from './step.ts';

/** Chains that are there whenever their table is. */
const BUILT_IN = ['PREROUTING', 'OUTPUT'];

export function giveBackIptables(facts: Facts, taken: TakenIptables): Part {
  const reading = facts.iptables.find((one) => one.state === 'present' && one.value.save === taken.save);
  if (reading?.state !== 'present') {
    return { ...NOTHING, refused: [`${taken.save} could not be asked, so the rules it showed can not be given back. Install iptables again, then run \`sipalg enable\`.`] };
  }
  const commands: RestoreCommand[] = [];
  const undo: RestoreCommand[] = [];
  // Positions move with each rule put back, so the chains are followed as they will be.
  const chains = new Map(reading.value.chains.map(({ chain, rules }) => [chain, [...rules]]));
  const wanted = new Map<string, number>();
  for (const { chain, rule, previous, next } of taken.rules) {
    const rules = chains.get(chain) ?? (BUILT_IN.includes(chain) ? [] : null);
    if (rules === null) continue; // its owner makes the chain anew, and its rules with it
    chains.set(chain, rules);
    const key = `${chain} ${rule}`;
    wanted.set(key, (wanted.get(key) ?? 0) + 1);
    if (rules.filter((one) => one === rule).length >= (wanted.get(key) as number)) continue;
    const behind = next === null ? -1 : rules.indexOf(next);
    const before = next === null || previous === null ? -1 : rules.lastIndexOf(previous);
    const at = behind >= 0 ? behind : before >= 0 ? before + 1 : rules.length;
    rules.splice(at, 0, rule);
    commands.push({ do: 'insert', chain, position: at + 1, rule });
    undo.push({ do: 'delete', chain, rule });
  }
  if (commands.length === 0) return NOTHING;
  const script = renderRestore('raw', commands);
  return {
    steps: [{
      rank: RANK.rules, why: 'journal', text: `Put the SIP helper's rules back into iptables (${taken.restore.replace(/-restore$/, '')}).`,
      actions: [restoreAction(taken.restore, script)],
      undo: [{ do: 'run', argv: [taken.restore, '--noflush', '--wait', '10'], input: renderRestore('raw', undo) }],
      commands: [restoreLine(taken.restore, script)],
    }],
    takes: [], refused: [],
  };
}
