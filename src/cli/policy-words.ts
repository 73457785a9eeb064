/** What `sipalg policy` says; where there are rules, the policy's own bundle words them. */
import type { Facts } from '../observe/facts.ts';
import { thePolicy } from '../survey/voice.ts';

export async function policyText(facts: Facts): Promise<string> {
  if (facts.policy.state === 'present') return (await thePolicy()).text(facts);
  if (facts.policy.state === 'failed') throw new Error(`the voice firewall rules could not be looked at: ${facts.policy.because}.`);
  return 'The voice firewall rules are off, and nothing of them is on this router.\n`uci set sipalg.main.policy=1 && uci commit sipalg && sipalg apply` installs them.\n';
}
