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

export const answersRefused = (device: string): Said =>
  say(
    'answers-strict',
    'Answers could not be tested: those of a test come in at the LAN, and rp_filter of {device} is 1, which refuses them.',
    { device },
  );
export const lansUntested = (devices: readonly string[]): Said =>
  say('lans-untested', 'Other networks behind this router were not tested: {devices} (`sipalg probe --lan DEVICE`).', {
    devices: devices.join(', '),
  });
export const waysUntested = (devices: readonly string[]): Said =>
  say('ways-untested', 'What goes by {devices} was not tested.', { devices: devices.join(', ') });
export const ways6Untested = (devices: readonly string[], device: string): Said =>
  say('ipv6-ways-untested', 'IPv6 by {devices} was not tested: that of the test phone goes by {device}.', {
    devices: devices.join(', '),
    device,
  });
export const leftBySeveral = (devices: readonly string[]): Said =>
  say('left-several', 'What the phone sends is spread over {devices} by the routing of this router.', { devices: devices.join(', ') });

/** What went wrong, as the end of a sentence. */
export function endOf(error: Error): Line {
  const said = saidBy(error);
  return typeof said === 'string' ? said.replace(/\.$/, '') : said;
}

export const refusedParts = (parts: readonly string[]): Said =>
  say('parts-refused', '{parts} could not be tested: this nft or kernel does not record that.', { parts });
