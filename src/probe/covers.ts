/** Whether the SIP helper of this router may be on TCP. Pure. */
import type { Facts } from '../observe/facts.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

/**
 * fw4's and fw3's own rules put it on UDP alone; an owner's rule, and the kernel's own assignment (up to 5.15), on TCP too.
 * What could not be looked at may have it.
 * @returns null where it may; else why it is not, a sentence
 */
export function tcpUncovered({ nft, iptables, automatic }: Pick<Facts, 'nft' | 'iptables' | 'automatic'>): Said | null {
  if (automatic.state === 'failed' || (automatic.state === 'present' && automatic.value !== 0)) return null;
  if (nft.state === 'failed') return null;
  if (nft.state === 'present' && nft.value.assignments.some(({ reached }) => reached !== false)) {
    // An object without a protocol cannot be; one that the listing did not show may be any.
    const { helpers } = nft.value;
    if (helpers.length === 0 || helpers.some(({ protocol }) => protocol !== 'udp')) return null;
  }
  for (const one of iptables) {
    if (one.state === 'failed') return null;
    if (one.state === 'present' && one.value.assignments.some(({ rule, reached }) => reached !== false && !/-p udp\b/.test(rule)))
      return null;
  }
  return say('tcp-uncovered', 'TCP was not tested: no rule puts the SIP helper on it.');
}
