/** What a test says of itself, in sentences that are said in one place. */
import { say, saidBy } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';

export const phoneOutside = (network: string, prefix: number): Said =>
  say(
    'phone-outside',
    "No address of {network}/{prefix} is free, so the phone has one that is not the LAN's: rules that go " +
      'by addresses of the LAN are not tested.',
    { network, prefix },
  );
export const partUntested = (part: Line): Said =>
  say('part-untested', '{part} could not be tested: a message that no ALG has business with did not come out there.', { part });
export const ANSWERS_BRIDGED = say(
  'answers-bridged',
  'Answers were not tested: bridge-nf-call-iptables is 1, so those of a test are bridged past the ALG.',
);
export const TCP_BRIDGED = say('tcp-bridged', 'TCP was not tested: bridge-nf-call-iptables is 1, and no connection comes about so.');
export const ANSWERS_UNTESTED = say(
  'answers-untested',
  'Answers could not be tested: one that no ALG has business with did not come back either.',
);

/** What went wrong, as the end of a sentence. */
export function endOf(error: Error): Line {
  const said = saidBy(error);
  return typeof said === 'string' ? said.replace(/\.$/, '') : said;
}

export const refusedParts = (parts: readonly string[]): Said =>
  say('parts-refused', '{parts} could not be tested: this nft or kernel does not record that.', { parts });
