/** What this router's iptables cannot do of what is wished. */
import { finding } from '../../judge/evidence.ts';
import type { Finding } from '../../judge/verdict.ts';
import type { PolicyFacts } from '../facts.ts';
import { iptablesTables } from '../render/iptables/tables.ts';
import type { Voice } from '../rules.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

/** What is lost without a match or target, and the package that brings it. */
const LACKS: readonly { name: string; of: string; lost: Said; when: (voice: Voice) => boolean }[] = [
  {
    name: 'u32',
    of: 'iptables-mod-u32',
    lost: say('iptables-u32', "new requests over UDP are not limited, and audio is only known by its provider's networks"),
    when: ({ limit, marking }) => limit !== null || marking !== null,
  },
  {
    name: 'hashlimit',
    of: 'iptables-mod-hashlimit',
    lost: say('iptables-hashlimit', 'new requests from the internet are counted but not limited'),
    when: ({ limit }) => limit !== null,
  },
  {
    name: 'recent',
    of: 'iptables-mod-conntrack-extra',
    lost: say('iptables-recent', 'who tried, how often and when is not remembered'),
    when: ({ limit }) => limit !== null,
  },
  {
    name: 'dscp',
    of: 'iptables-mod-ipopt',
    lost: say('iptables-dscp', 'which voice a phone has marked by itself cannot be told, so none is marked'),
    when: ({ marking }) => marking !== null && !marking.overwrite,
  },
  { name: 'DSCP', of: 'iptables-mod-ipopt', lost: say('iptables-mark', 'voice is not marked'), when: ({ marking }) => marking !== null },
];

const lacks = ({ backend, wanted, extensions }: PolicyFacts, voice: Voice): (typeof LACKS)[number][] =>
  backend === 'iptables' && wanted ? LACKS.filter(({ name, when }) => extensions[name] === false && when(voice)) : [];

const sentence = ({ name, lost, of }: (typeof LACKS)[number]): Said =>
  say('policy-iptables', "This router's iptables has no {name}: {lost}. Install the package {package}, then run `sipalg apply`.", {
    name,
    lost,
    package: of,
  });

/** What is wished and not to be had on this router: sentences, each with the package to install. */
export const iptablesLacking = (policy: PolicyFacts, voice: Voice): Said[] => lacks(policy, voice).map(sentence);

/** Nothing of what is wished is to be had: there would be no rule. */
export const iptablesHopeless = (policy: PolicyFacts, voice: Voice): boolean =>
  lacks(policy, voice).length > 0 && iptablesTables(voice, 'ipv4', policy.extensions, false).length === 0;

/** The same as findings, and what else its owner should know of it. */
export function iptablesFindings(policy: PolicyFacts, voice: Voice): Finding[] {
  const { extensions: has } = policy;
  const lacking = lacks(policy, voice);
  const findings: Finding[] = lacking.map((one) =>
    finding('policy-iptables', 'risk', sentence(one), [`iptables-restore --test: ${one.name}`]),
  );
  const prefixes = [voice.signalling, voice.media].reduce((sum, { ipv4, ipv6 }) => sum + ipv4.length + ipv6.length, 0);
  if (has['set'] === false && prefixes > 1000) {
    findings.push(
      finding(
        'policy-iptables',
        'note',
        say(
          'policy-iptables-memory',
          'The {networks} networks of the providers stand in iptables as rules, for there is no ipset. '
            + 'It works, and takes more memory; the package ipset makes it cheaper.',
          { networks: prefixes },
        ),
        [say('networks', '{networks} networks', { networks: prefixes })],
      ),
    );
  }
  return findings;
}
