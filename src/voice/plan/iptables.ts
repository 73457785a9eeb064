/** From the wish to steps where the firewall is iptables: sets first, then each family's chains, each step with the way back. */
import type { Finding } from '../../judge/verdict.ts';
import { NOTHING, putFile, refuse } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { line, restoreLine } from '../../languages/shell/command.ts';
import { RANK } from '../../plan/step.ts';
import type { Action, Step } from '../../plan/step.ts';
import type { InForce, PolicyFacts } from '../facts.ts';
import { iptablesTables } from '../render/iptables.ts';
import type { Table } from '../render/iptables.ts';
import { ipsetText } from '../render/iptables-prefixes.ts';
import type { IptablesSeen } from '../seen/iptables.ts';
import { markOf, readPolicyFile, seenOf, tablesOf, transaction, writePolicyFile } from '../render/iptables-restore.ts';
import type { Sections } from '../render/iptables-restore.ts';
import { POLICY_FILE } from '../paths.ts';
import type { Voice } from '../rules.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const;
const TITLE = { ipv4: 'IPv4', ipv6: 'IPv6' };

/** Longer texts are not echoed: they are in the file. */
const MOST_ECHOED = 20_000;

const offloads = ({ offload }: PolicyFacts): boolean => offload.state === 'present' && offload.value.software;

/** What each family's tables are to hold; a family without iptables has none. */
function wantedTables(policy: PolicyFacts, voice: Voice | null): Record<'ipv4' | 'ipv6', Table[]> {
  const of = (family: 'ipv4' | 'ipv6'): Table[] =>
    voice === null || policy.iptables?.[family].state !== 'present'
      ? []
      : iptablesTables(voice, family, policy.extensions, offloads(policy));
  return { ipv4: of('ipv4'), ipv6: of('ipv6') };
}

/** The text of /etc/sipalg.policy on a router with fw3: all that puts the rules in force from nothing; null where nothing is to be. */
export function iptablesPolicyFile(policy: PolicyFacts, voice: Voice | null): string | null {
  const wanted = wantedTables(policy, voice);
  const sections: Record<string, string> = {};
  if (voice === null || FAMILIES.every((family) => wanted[family].length === 0)) return null;
  if (policy.extensions['set']) sections['ipset'] = ipsetText(voice);
  for (const family of FAMILIES) {
    const seen = policy.iptables?.[family];
    if (seen?.state === 'present') sections[seen.value.restore] = transaction(wanted[family], []);
  }
  return writePolicyFile(sections);
}

function restoring(restore: string, input: string): Action {
  const argv = [restore, '--noflush', '--wait', '10', '--counters'];
  return { do: 'run', argv, input, rehearsal: { argv: [...argv, '--test'], input } };
}

const setting = (input: string): Action => ({ do: 'run', argv: ['ipset', 'restore', '-!'], input });

/** A section of the file, as one would load it by hand. */
const fromFile = (section: string, command: string): string => `sed -n '/^## ${section}$/,/^## /p' ${POLICY_FILE} | ${command}`;

function familyStep(
  family: 'ipv4' | 'ipv6',
  seen: IptablesSeen,
  inForce: InForce | null,
  wanted: readonly Table[],
  old: Sections | null,
): Step | null {
  const { restore, tables, counted } = seen;
  const script = transaction(wanted, tables, counted);
  const settled = wanted.length === 0 ? tables.length === 0 : inForce !== null && inForce.intact && inForce.mark === markOf(seenOf(wanted));
  if (settled) return null;
  const known = old?.[restore] ?? '';
  const former = tables.length === 0 ? [] : known === '' ? null : tablesOf(known);
  // Rules that nobody knows the text of can not be given back; the new ones are good.
  const undo =
    former === null || (former.length > 0 && markOf(seenOf(former)) !== inForce?.mark)
      ? []
      : [restoring(restore, transaction(former, seenOf(wanted), counted))];
  const off = wanted.length === 0;
  return {
    rank: off ? RANK.policyOff : RANK.policy,
    why: inForce === null ? 'policy-missing' : off ? 'policy-unwanted' : 'policy-changed',
    text: off
      ? `Take the voice firewall rules out of iptables (${TITLE[family]}).`
      : `Put the voice firewall rules into iptables (${TITLE[family]}), in one transaction per table.`,
    actions: [restoring(restore, script)],
    undo,
    commands: [script.length > MOST_ECHOED ? fromFile(restore, `${restore} --noflush`) : restoreLine(restore, script)],
  };
}

/**
 * The steps to `voice` (null: to nothing of ours). Idempotent: none where it is so already.
 * The file of rules goes first; on the way out `planFilesOff` removes it, last of all.
 */
export function planIptablesPolicy(policy: PolicyFacts, voice: Voice | null): Part {
  const { iptables, extensions: has } = policy;
  if (iptables === undefined) return NOTHING;
  const unread = FAMILIES.flatMap((family) => (iptables[family].state === 'failed' ? [iptables[family]] : []));
  const [first] = unread;
  if (first?.state === 'failed')
    return refuse([`The voice firewall rules are left as they are: ${first.source} could not be read: ${first.because}.`]);
  if (voice !== null && iptables.ipv4.state === 'absent')
    return refuse(['The voice firewall rules can not be set: iptables is not installed. Install it, then run `sipalg apply`.']);
  const basic = voice === null ? [] : ['conntrack', 'multiport'].filter((name) => !has[name]);
  if (basic.length > 0)
    return refuse([
      `The voice firewall rules can not be set: this iptables has no match ${basic.join(' and no match ')}. Install the packages iptables and kmod-ipt-conntrack, then run \`sipalg apply\`.`,
    ]);

  const file = policy.files[POLICY_FILE];
  const before = file?.state === 'present' ? file.value : null;
  const old = before === null ? null : readPolicyFile(before);
  const after = iptablesPolicyFile(policy, voice);
  const wanted = wantedTables(policy, voice);
  const families = FAMILIES.flatMap((family) => {
    const seen = iptables[family];
    const inForce = policy.inForce[family];
    return seen.state === 'present'
      ? [familyStep(family, seen.value, inForce.state === 'present' ? inForce.value : null, wanted[family], old)]
      : [];
  }).filter((step) => step !== null);
  const steps: Step[] = [];
  const off = after === null;
  const fileStep = (): void => {
    if (before === after) return;
    steps.push({
      rank: off ? RANK.policyOff : RANK.policy,
      why: off ? 'policy-unwanted' : 'policy-missing',
      text: off
        ? 'Remove the file of the voice firewall rules.'
        : 'Keep the voice firewall rules in a file, for the next start of the firewall.',
      actions: [putFile(POLICY_FILE, after)],
      undo: [putFile(POLICY_FILE, before)],
      commands: [off ? line(['rm', POLICY_FILE]) : `# write ${POLICY_FILE}, ${after.length} bytes`],
    });
  };
  if (!off) fileStep();
  const sets = !off && has['set'] && voice !== null ? ipsetText(voice) : '';
  const gone = sets === '' ? iptables.sets : [];
  if (sets !== '' && families.length > 0) {
    steps.push({
      rank: RANK.policy,
      why: 'policy-missing',
      text: "Fill the sets of providers' networks; each changes place with the one in use.",
      actions: [setting(sets)],
      undo: [setting(old?.['ipset'] ?? destroy(sets))],
      commands: [fromFile('ipset', 'ipset restore -!')],
    });
  }
  steps.push(...families);
  if (gone.length > 0) {
    const text = gone.map((name) => `destroy ${name}\n`).join('');
    steps.push({
      rank: off ? RANK.policyOff : RANK.policy,
      why: 'policy-unwanted',
      text: "Remove the sets of providers' networks.",
      actions: [setting(text)],
      undo: old?.['ipset'] === undefined ? [] : [setting(old['ipset'])],
      commands: gone.map((name) => line(['ipset', 'destroy', name])),
    });
  }
  if (off && voice !== null) fileStep();
  return { steps, takes: [], refused: [] };
}

const destroy = (sets: string): string =>
  [...new Set([...sets.matchAll(/^create (\S+)/gm)].map(([, name]) => name))].map((name) => `destroy ${name}\n`).join('');

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
  { name: 'DSCP', of: 'iptables-mod-ipopt', lost: 'voice is not marked', when: ({ marking }) => marking !== null },
];

/** What this router's iptables can not do of what is wished, each with the package to install. */
export function iptablesFindings(policy: PolicyFacts, voice: Voice): Finding[] {
  const { extensions: has } = policy;
  const lacking = LACKS.filter(({ name, when }) => has[name] === false && when(voice));
  const findings: Finding[] = lacking.map(({ name, of, lost }) => ({
    code: 'policy-iptables',
    weight: 'risk',
    text: `This router's iptables has no ${name}: ${lost}. Install the package ${of}, then run \`sipalg apply\`.`,
    evidence: [`iptables-restore --test: ${name}`],
  }));
  const prefixes = [voice.signalling, voice.media].reduce((sum, { ipv4, ipv6 }) => sum + ipv4.length + ipv6.length, 0);
  if (has['set'] === false && prefixes > 1000) {
    findings.push({
      code: 'policy-iptables',
      weight: 'note',
      evidence: [`${prefixes} networks`],
      text: `The ${prefixes} networks of the providers stand in iptables as rules, for there is no ipset. It works, and takes more memory; the package ipset makes it cheaper.`,
    });
  }
  return findings;
}
