/** What would change of the voice rules. Pure. */
import type { Facts } from '../../observe/facts.ts';
import { orElse } from '../../observe/reading.ts';
import { joinParts, NOTHING, refuse } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import type { PolicyFacts } from '../facts.ts';
import type { Compared } from '../judge/compare.ts';
import { iptablesLacking } from '../judge/iptables.ts';
import { KEPT_NAMES, LISTED_FILE, NAMES } from '../own.ts';
import { POLICY_FILE } from '../paths.ts';
import { changeOwn, removal } from './files.ts';
import { planIptablesPolicy } from './iptables.ts';
import { planKeeping } from './keeping.ts';
import { planNftOff, planNftOn } from './nft.ts';
import { planSysctl } from './sysctl.ts';
import { say } from '../../words/say.ts';

/** The other files of ours. */
function planFilesOff(facts: Facts, policy: PolicyFacts): Part {
  const files = [LISTED_FILE, KEPT_NAMES, NAMES].filter((path) => policy.files[path]?.state === 'present');
  return joinParts([planSysctl(facts, policy, true, false), ...files.map((path) => changeOwn(policy, path, null, removal(path)))]);
}

/** @param compared what `compare` says of the same facts */
export function plan(facts: Facts, policy: PolicyFacts, compared: Compared): Part {
  const { backend, wanted } = policy;
  const names = policy.files[KEPT_NAMES];
  if (wanted && names?.state === 'failed' && policy.wish.providers.some(({ hosts }) => hosts.length > 0))
    return refuse([
      say(
        'refused-names',
        "The voice firewall rules are left as they are: the answers for providers' names could not be read: {because}.",
        { because: names.because },
      ),
    ]);
  const keeping = planKeeping(facts, policy, compared);
  if (wanted) {
    const [rules, perFlow] =
      backend === 'nft'
        ? [planNftOn(policy, compared), orElse(policy.perFlow, true)]
        : [planIptablesPolicy(policy, compared.intact, compared.voice), false];
    // What cannot be had keeps nothing else from being done, and the wish from being reached.
    const lacking = { ...NOTHING, refused: rules.refused.length > 0 ? [] : iptablesLacking(policy, compared.voice) };
    return joinParts([rules, lacking, planSysctl(facts, policy, perFlow, true), keeping]);
  }
  const live = backend === 'nft' ? planNftOff(policy) : planIptablesPolicy(policy, compared.intact, null);
  if (live.refused.length > 0) return live;
  const off = joinParts([keeping, live, planFilesOff(facts, policy)]);
  // Something of ours that cannot be taken away must go on being found.
  if (off.refused.length > 0 || policy.files[POLICY_FILE]?.state === 'absent') return off;
  return joinParts([
    off,
    changeOwn(
      policy,
      POLICY_FILE,
      null,
      say('step-remove-trace', 'Remove {file}, by which the voice firewall rules are known.', { file: POLICY_FILE }),
    ),
  ]);
}
