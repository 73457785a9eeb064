/** What this router's iptables cannot do of what is wished. */
import type { Finding } from '../../judge/verdict.ts';
import type { PolicyFacts } from '../facts.ts';
import { iptablesTables } from '../render/iptables/tables.ts';
import type { Voice } from '../rules.ts';

/** What is lost without a match or target, and the package that brings it. */
const LACKS: readonly { name: string; of: string; lost: string; when: (voice: Voice) => boolean }[] = [
  {
    name: 'u32',
    of: 'iptables-mod-u32',
    lost: "new requests over UDP are not limited, and audio is only known by its provider's networks",
    when: ({ limit, marking }) => limit !== null || marking !== null,
  },
  {
    name: 'hashlimit',
    of: 'iptables-mod-hashlimit',
    lost: 'new requests from the internet are counted but not limited',
    when: ({ limit }) => limit !== null,
  },
  {
    name: 'recent',
    of: 'iptables-mod-conntrack-extra',
    lost: 'who tried, how often and when is not remembered',
    when: ({ limit }) => limit !== null,
  },
  {
    name: 'dscp',
    of: 'iptables-mod-ipopt',
    lost: 'which voice a phone has marked by itself cannot be told, so none is marked',
    when: ({ marking }) => marking !== null && !marking.overwrite,
  },
  { name: 'DSCP', of: 'iptables-mod-ipopt', lost: 'voice is not marked', when: ({ marking }) => marking !== null },
];

const lacks = ({ backend, wanted, extensions }: PolicyFacts, voice: Voice): (typeof LACKS)[number][] =>
  backend === 'iptables' && wanted ? LACKS.filter(({ name, when }) => extensions[name] === false && when(voice)) : [];

const sentence = ({ name, lost, of }: (typeof LACKS)[number]): string =>
  `This router's iptables has no ${name}: ${lost}. Install the package ${of}, then run \`sipalg apply\`.`;

/** What is wished and not to be had on this router: sentences, each with the package to install. */
export const iptablesLacking = (policy: PolicyFacts, voice: Voice): string[] => lacks(policy, voice).map(sentence);

/** Nothing of what is wished is to be had: there would be no rule. */
export const iptablesHopeless = (policy: PolicyFacts, voice: Voice): boolean =>
  lacks(policy, voice).length > 0 && iptablesTables(voice, 'ipv4', policy.extensions, false).length === 0;

/** The same as findings, and what else its owner should know of it. */
export function iptablesFindings(policy: PolicyFacts, voice: Voice): Finding[] {
  const { extensions: has } = policy;
  const lacking = lacks(policy, voice);
  const findings: Finding[] = lacking.map((one) => ({
    code: 'policy-iptables',
    weight: 'risk',
    text: sentence(one),
    evidence: [`iptables-restore --test: ${one.name}`],
  }));
  const prefixes = [voice.signalling, voice.media].reduce((sum, { ipv4, ipv6 }) => sum + ipv4.length + ipv6.length, 0);
  if (has['set'] === false && prefixes > 1000) {
    findings.push({
      code: 'policy-iptables',
      weight: 'note',
      evidence: [`${prefixes} networks`],
      text:
        `The ${prefixes} networks of the providers stand in iptables as rules, for there is no ipset. `
        + 'It works, and takes more memory; the package ipset makes it cheaper.',
    });
  }
  return findings;
}
