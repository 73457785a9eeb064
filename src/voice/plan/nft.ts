/** From the wish to steps where the firewall is nftables: the text in its file, then the table, in one transaction. */
import { nftLine } from '../../languages/shell/command.ts';
import { orElse } from '../../observe/reading.ts';
import { nftAction } from '../../plan/actions.ts';
import { NOTHING, joinParts, one, refuse } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { RANK } from '../../plan/step.ts';
import type { Step } from '../../plan/step.ts';
import type { PolicyFacts } from '../facts.ts';
import { nftTextOf } from '../judge/compare.ts';
import type { Compared } from '../judge/compare.ts';
import { LISTED_FILE, TABLE } from '../own.ts';
import { POLICY_FILE } from '../paths.ts';
import { clearing } from '../render/nft/clearing.ts';
import type { NftText } from '../render/nft/table.ts';
import { changeOwn, leftAsTheyAre, textOf } from './files.ts';
import { say } from '../../words/say.ts';

/** What keeps the listing by which a change is noticed, without the elements of sets. */
export const KEEP_LISTING = `nft -j -t list table ${TABLE} > ${LISTED_FILE}`;
const LOAD = `include "${POLICY_FILE}"\n`;

const KEEP: Step = {
  rank: RANK.policy,
  why: 'policy-missing',
  ...say('step-listing', 'Keep how they are listed now, by which a change is noticed.'),
  actions: [{ do: 'run', argv: ['sh', '-c', KEEP_LISTING] }],
  undo: [],
  commands: [KEEP_LISTING],
};

export function planNftOn(policy: PolicyFacts, compared: Compared): Part {
  const { all } = policy.inForce;
  if (all.state === 'failed') return refuse([leftAsTheyAre(all.source, all.because)]);
  if (policy.perFlow.state === 'absent')
    return refuse([
      say(
        'refused-no-nft',
        'The voice firewall rules cannot be set: nft is not installed. Install the package nftables, then run `sipalg apply`.',
      ),
    ]);
  if (policy.perFlow.state === 'failed')
    return refuse([
      say('refused-per-flow', 'Whether this kernel can give a flow timeouts of its own could not be asked: {because}.', {
        because: policy.perFlow.because,
      }),
    ]);
  const { text, mark, declared } = nftTextOf(compared, orElse(policy.perFlow, false));
  const now = orElse(all, null);
  const former = textOf(policy, POLICY_FILE);
  const clear = clearing(now?.objects ?? [], { declared });
  const script = (rules: string): string => [...clear, rules].join('\n');
  const file = changeOwn(
    policy,
    POLICY_FILE,
    text,
    say('step-voice-file', 'Keep the voice firewall rules in a file, for the next start of the firewall.'),
    [{ do: 'run', argv: ['nft', '-c', '-f', '-'], input: script(text) }],
  );
  if (file.refused.length > 0 || (now !== null && now.mark === mark && compared.intact.all)) return file;
  const loaded = former !== null && now?.mark != null && former.includes(now.mark);
  // What is new in it goes with it; what was cleared is declared again by the former text.
  const back = loaded ? [...clearing([...declared].map(objectOf), renderedObjects(former)), former].join('\n') : null;
  const load: Step = {
    rank: RANK.policy,
    why: now === null ? 'policy-missing' : 'policy-changed',
    ...(now === null
      ? say('step-voice-nft', 'Put the voice firewall rules in force, as a table of their own ({table}).', { table: TABLE })
      : say('step-voice-replace', 'Replace the voice firewall rules, in one transaction; what they have counted and learnt stays.')),
    actions: [
      clear.length === 0
        ? { do: 'run', argv: ['nft', '-f', POLICY_FILE] }
        : file.steps.length > 0
          ? nftAction(script(LOAD), null)
          : nftAction(script(LOAD)),
    ],
    undo:
      back !== null
        ? [nftAction(back, null)]
        : now === null
          ? [{ do: 'run', argv: ['nft', 'delete', 'table', ...TABLE.split(' ')], tolerated: [1] }]
          : [],
    commands: [clear.length === 0 ? `nft -f ${POLICY_FILE}` : nftLine(script(LOAD))],
  };
  return joinParts([file, one(load), one(KEEP)]);
}

/** `kind name`, the kind being one or two words. */
function objectOf(declared: string): { kind: string; name: string } {
  const at = declared.lastIndexOf(' ');
  return { kind: declared.slice(0, at), name: declared.slice(at + 1) };
}

/** What one of our texts declares. */
function renderedObjects(text: string): Pick<NftText, 'declared'> {
  return {
    declared: new Set([...text.matchAll(/^\t(chain|set|counter|ct timeout) (\S+) \{$/gm)].map(([, kind, name]) => `${kind} ${name}`)),
  };
}

/** And where they are not: what is live, then what is on disk. */
export function planNftOff(policy: PolicyFacts): Part {
  const { all } = policy.inForce;
  if (all.state === 'failed')
    return refuse([
      say('refused-voice-out', 'The voice firewall rules could not be taken away: {source} could not be read: {because}.', {
        source: all.source,
        because: all.because,
      }),
    ]);
  const former = textOf(policy, POLICY_FILE);
  return all.state === 'absent'
    ? NOTHING
    : one({
        rank: RANK.policyOff,
        why: 'policy-unwanted',
        ...say('step-voice-out', 'Take the voice firewall rules away (table {table}).', { table: TABLE }),
        actions: [{ do: 'run', argv: ['nft', 'delete', 'table', ...TABLE.split(' ')] }],
        undo: former === null ? [] : [nftAction(former, null)],
        commands: [`nft delete table ${TABLE}`],
      });
}
