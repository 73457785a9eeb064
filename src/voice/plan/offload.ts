/** The rules that keep marked voice out of fw4's flow offload: in their file, and in fw4's own table. */
import { nftLine } from '../../languages/shell/command.ts';
import { orElse } from '../../observe/reading.ts';
import { nftAction } from '../../plan/actions.ts';
import { joinParts, NOTHING, one } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { RANK } from '../../plan/step.ts';
import type { Step } from '../../plan/step.ts';
import type { PolicyFacts } from '../facts.ts';
import type { Compared } from '../judge/compare.ts';
import { OFFLOAD_COMMENT, OFFLOAD_FILE } from '../own.ts';
import { offloadRules } from '../render/offload.ts';
import { textOf } from './files.ts';
import { say } from '../../words/say.ts';

/** What keeps marked voice out of fw4's offload; null where nothing is to. */
export function offloadText(policy: PolicyFacts): string | null {
  const { backend, offload, wish, wanted } = policy;
  // What could not be read is no reason to change anything.
  if (wanted && offload.state === 'failed') return textOf(policy, OFFLOAD_FILE);
  const rules = wanted && backend === 'nft' && offload.state === 'present' && offload.value.software ? offloadRules(wish.marking) : [];
  return rules.length === 0 ? null : `# Written by sipalg: voice stays out of the flow offload.\n${rules.join('\n')}\n`;
}

/** Handles are known only once the rules stand there. */
const OURS_AS_DELETIONS = `sed -n 's/.*${OFFLOAD_COMMENT}.*# handle \\([0-9]*\\)$/delete rule inet fw4 forward handle \\1/p'`;
const TAKE_OFFLOAD_OUT = `nft -a list chain inet fw4 forward | ${OURS_AS_DELETIONS} | nft -f -`;

/**
 * The rules stand in fw4's table and are part of the transaction that loads it. Put there behind a load they would be late:
 * one packet in between puts a call into the offload, and there it stays until it ends. A load also empties the offload, so
 * that calls which are in it come out.
 * @param edited what the load takes in has changed
 */
export function planOffload(policy: PolicyFacts, compared: Compared, edited: boolean): Part {
  const text = offloadText(policy);
  const seen = orElse(policy.offload, null);
  const rules = seen?.forward?.rules ?? null;
  if (text === null) {
    if (rules === null || rules.length === 0) return NOTHING;
    const script = rules.map(({ handle }) => `delete rule inet fw4 forward handle ${handle}\n`).join('');
    const former = textOf(policy, OFFLOAD_FILE);
    return one({
      rank: RANK.policyOff,
      why: 'policy-unwanted',
      ...say('step-offload-out', 'Take the rules that kept voice out of the offload out of the firewall.'),
      actions: [nftAction(script)],
      undo: former === null ? [] : [nftAction(former, null)],
      commands: [nftLine(script)],
    });
  }
  const fits =
    compared.excluded && rules?.length === 2 && rules.every(({ rule }) => text.includes(/comment "[^"]*"/.exec(rule)?.[0] ?? '?'));
  if (!edited && (fits || seen?.forward?.loaded !== true)) return NOTHING;
  const check: Step = {
    rank: RANK.policyConfiguration,
    why: 'policy-offload',
    ...say('step-voice-check', 'See whether the firewall would still load.'),
    actions: [{ do: 'run', argv: ['fw4', 'check'] }],
    undo: [],
    commands: ['fw4 check'],
  };
  const load: Step = {
    rank: RANK.reload,
    why: 'policy-offload',
    ...say('step-offload', 'Let the firewall load its rules, so that marked voice passes before its flow is put into the offload.'),
    actions: [{ do: 'run', argv: ['fw4', 'reload'] }],
    undo: [{ do: 'run', argv: ['sh', '-c', TAKE_OFFLOAD_OUT], repeatable: true }],
    commands: ['fw4 reload'],
    unlocked: true,
  };
  // A firewall that offloads nothing yet takes them in when it begins to.
  return joinParts([one(check), seen?.forward?.loaded === true ? one(load) : NOTHING]);
}
