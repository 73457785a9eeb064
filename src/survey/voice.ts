/** Looking at the voice firewall rules, where there are any: most routers have none, so an engine hands in how they are loaded. */
import type { Host, Reading } from '../host/host.ts';
import type { Facts } from '../observe/facts.ts';
import type { PolicyFacts } from '../voice/facts.ts';
import { POLICY_FILE, POLICY_FOLDER, POLICY_UNFINISHED } from '../voice/paths.ts';
import type { VoiceRules } from '../voice/voice.ts';

/** Something of ours without the file that tells of it: somebody has removed that, or a version that took it first was killed. */
function isLeft({ firewall, nft, iptables }: Facts): boolean {
  return (
    (firewall.uci.state === 'present' && /^[ \t]*config[ \t]+\S+[ \t]+["']?sipalg_/m.test(firewall.uci.value.text))
    || (nft.state === 'present' && nft.value.tables.includes('inet sipalg'))
    || iptables.some((one) => one.state === 'present' && one.value.chains.some(({ chain }) => chain.startsWith('sipalg_')))
  );
}

/** Has a run that was killed as it wrote the file left a piece of it? */
async function isUnfinished(host: Host): Promise<boolean> {
  const names = await host.list(POLICY_FOLDER);
  return names.state === 'present' && names.value.some((name) => POLICY_UNFINISHED.test(name));
}

/** @param wanted `option policy` is 1 @returns absent: the rules are not wanted, and nothing of them is here */
export async function observeVoice(
  host: Host,
  facts: Facts,
  wanted: boolean,
  load: () => Promise<VoiceRules>,
): Promise<Reading<PolicyFacts>> {
  let trace = wanted ? null : await host.kind(POLICY_FILE);
  if (trace?.state === 'absent' && (await isUnfinished(host))) trace = null;
  if (trace?.state === 'absent' && !isLeft(facts))
    return { state: 'absent', source: `sipalg.main.policy is not 1, and there is no ${POLICY_FILE}` };
  const source = 'the voice firewall rules';
  if (trace?.state === 'failed') return { ...trace };
  try {
    return { state: 'present', value: await (await load()).observe(host, facts), source };
  } catch (error) {
    return { state: 'failed', source, because: (error as Error).message };
  }
}
