/** From the wish to steps where the firewall is iptables: sets first, then each family's chains, each step with the way back. */
import { restoreAction } from '../../plan/actions.ts';
import { changeFile, NOTHING, refuse } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { line, restoreLine } from '../../languages/shell/command.ts';
import { RANK } from '../../plan/step.ts';
import type { Step } from '../../plan/step.ts';
import type { InForce, IptablesSeen, PolicyFacts } from '../facts.ts';
import { iptablesTables } from '../render/iptables/tables.ts';
import type { Table } from '../render/iptables/tables.ts';
import { ipsetText } from '../render/iptables/prefixes.ts';
import { readPolicyFile, seenOf, tablesOf, transaction, writePolicyFile } from '../render/iptables/restore.ts';
import type { Sections } from '../render/iptables/restore.ts';
import { markOf } from '../seen/iptables-own.ts';
import { leftAsTheyAre, textOf } from './files.ts';
import { ipsetAction } from './ipset.ts';
import { POLICY_FILE } from '../paths.ts';
import type { Voice } from '../rules.ts';
import type { Family } from '../own.ts';
import { say } from '../../words/say.ts';

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

/** A section of the file, as one would load it by hand. */
const fromFile = (section: string, command: string): string => `sed -n '/^## ${section}$/,/^## /p' ${POLICY_FILE} | ${command}`;

function familyStep(
  family: 'ipv4' | 'ipv6',
  seen: IptablesSeen,
  inForce: InForce | null,
  intact: boolean,
  wanted: readonly Table[],
  old: Sections | null,
): Step | null {
  const { restore, tables, counted } = seen;
  const script = transaction(wanted, tables, counted, seen);
  const settled = wanted.length === 0 ? tables.length === 0 : inForce !== null && intact && inForce.mark === markOf(seenOf(wanted));
  if (settled) return null;
  const known = old?.[restore] ?? '';
  const former = tables.length === 0 ? [] : known === '' ? null : tablesOf(known);
  // Rules that nobody knows the text of cannot be given back; the new ones are good.
  const undo =
    former === null || (former.length > 0 && markOf(seenOf(former)) !== inForce?.mark)
      ? []
      : [restoreAction(restore, transaction(former, seenOf(wanted), counted, { offloadAt: seen.offloadAt ?? null }), true)];
  const off = wanted.length === 0;
  return {
    rank: off ? RANK.policyOff : RANK.policy,
    why: inForce === null ? 'policy-missing' : off ? 'policy-unwanted' : 'policy-changed',
    ...(off
      ? say('step-voice-iptables-out', 'Take the voice firewall rules out of iptables ({family}).', { family: TITLE[family] })
      : say('step-voice-iptables', 'Put the voice firewall rules into iptables ({family}), in one transaction per table.', {
          family: TITLE[family],
        })),
    actions: [restoreAction(restore, script, true)],
    undo,
    commands: [script.length > MOST_ECHOED ? fromFile(restore, `${restore} --noflush`) : restoreLine(restore, script)],
  };
}

/**
 * The steps to `voice` (null: to nothing of ours). Idempotent: none where it is so already.
 * The file of rules goes first; on the way out `plan` removes it, last of all.
 */
export function planIptablesPolicy(policy: PolicyFacts, intact: Readonly<Record<Family, boolean>>, voice: Voice | null): Part {
  const { iptables, extensions: has } = policy;
  if (iptables === null) return NOTHING;
  const unread = FAMILIES.flatMap((family) => (iptables[family].state === 'failed' ? [iptables[family]] : []));
  const [first] = unread;
  if (first?.state === 'failed') return refuse([leftAsTheyAre(first.source, first.because)]);
  if (voice !== null && iptables.ipv4.state === 'absent')
    return refuse([
      say('refused-no-iptables', 'The voice firewall rules cannot be set: iptables is not installed. Install it, then run `sipalg apply`.'),
    ]);
  const basic = voice === null ? [] : ['conntrack', 'multiport'].filter((name) => !has[name]);
  if (basic.length > 0)
    return refuse([
      say(
        'refused-no-match',
        'The voice firewall rules cannot be set: this iptables lacks {count:the match|the matches} {matches}. '
          + 'Install the packages iptables and kmod-ipt-conntrack, then run `sipalg apply`.',
        { matches: basic, count: basic.length },
      ),
    ]);

  const before = textOf(policy, POLICY_FILE);
  const old = before === null ? null : readPolicyFile(before);
  const after = iptablesPolicyFile(policy, voice);
  const wanted = wantedTables(policy, voice);
  const families = FAMILIES.flatMap((family) => {
    const seen = iptables[family];
    const inForce = policy.inForce[family];
    return seen.state === 'present'
      ? [familyStep(family, seen.value, inForce.state === 'present' ? inForce.value : null, intact[family], wanted[family], old)]
      : [];
  }).filter((step) => step !== null);
  const steps: Step[] = [];
  const off = after === null;
  const fileStep = (): void => {
    const { steps: change } = changeFile({
      rank: off ? RANK.policyOff : RANK.policy,
      why: off ? 'policy-unwanted' : 'policy-missing',
      said: off
        ? say('step-voice-file-out', 'Remove the file of the voice firewall rules.')
        : say('step-voice-file', 'Keep the voice firewall rules in a file, for the next start of the firewall.'),
      path: POLICY_FILE,
      before,
      after,
      commands: [off ? line(['rm', POLICY_FILE]) : `# write ${POLICY_FILE}, ${after.length} bytes`],
    });
    steps.push(...change);
  };
  if (!off) fileStep();
  const sets = !off && has['set'] && voice !== null ? ipsetText(voice) : '';
  const gone = sets === '' ? iptables.sets.map(({ name }) => name) : [];
  if (sets !== '' && families.length > 0) {
    steps.push({
      rank: RANK.policy,
      why: 'policy-missing',
      ...say('step-sets', "Fill the sets of providers' networks; each changes place with the one in use."),
      actions: [ipsetAction(sets)],
      undo: [ipsetAction(old?.['ipset'] ?? destroy(sets))],
      commands: [fromFile('ipset', 'ipset restore -!')],
    });
  }
  steps.push(...families);
  if (gone.length > 0) {
    const text = gone.map((name) => `destroy ${name}\n`).join('');
    steps.push({
      rank: off ? RANK.policyOff : RANK.policy,
      why: 'policy-unwanted',
      ...say('step-sets-out', "Remove the sets of providers' networks."),
      actions: [ipsetAction(text)],
      undo: old?.['ipset'] === undefined ? [] : [ipsetAction(old['ipset'])],
      commands: gone.map((name) => line(['ipset', 'destroy', name])),
    });
  }
  if (off && voice !== null) fileStep();
  return { steps, takes: [], refused: [] };
}

const destroy = (sets: string): string =>
  [...new Set([...sets.matchAll(/^create (\S+)/gm)].map(([, name]) => name))].map((name) => `destroy ${name}\n`).join('');
