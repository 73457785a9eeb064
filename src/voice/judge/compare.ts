/** What was seen, held against the wish: made once for each look, and what plan and findings go by. Pure. */
import type { Facts } from '../../observe/facts.ts';
import { orElse } from '../../observe/reading.ts';
import { hash } from '../../host/hash.ts';
import { networksOf, same } from '../digest.ts';
import type { InForce, PolicyFacts } from '../facts.ts';
import { digit } from '../own.ts';
import type { Family } from '../own.ts';
import { POLICY_FILE } from '../paths.ts';
import { inboundOf } from '../render/inbound.ts';
import type { Inbound } from '../render/inbound.ts';
import { readPolicyFile, readRestore } from '../render/iptables/restore.ts';
import type { Sections } from '../render/iptables/restore.ts';
import { renderNft } from '../render/nft/table.ts';
import type { NftText } from '../render/nft/table.ts';
import { voiceOf } from '../render/voice.ts';
import type { Voice } from '../rules.ts';
import { withKept } from './kept.ts';
import { markOf, ownTables, shapeOf } from '../seen/iptables-own.ts';

export interface Compared {
  voice: Voice;
  /** nftables alone: the text of those rules, made for a kernel that can (or cannot) give a flow timeouts of its own. */
  nft: { perFlow: boolean; text: NftText } | null;
  /**
   * Nothing of the rules in force has been changed since they were loaded, and their sets hold the wished networks; true where
   * none are.
   */
  intact: Record<'all' | Family, boolean>;
  /** Marked voice is kept out of the flow offload, which is on. */
  excluded: boolean;
  /** What is to stand in /etc/config/firewall for calls from providers. */
  inbound: Inbound;
  /** Sets of the firewall's whose networks are not the wished ones: fw4's reload only adds to a set, and fw3's leaves it alone. */
  stale: string[];
}

/** The text of the wished rules. */
export function nftTextOf({ voice, nft }: Pick<Compared, 'voice' | 'nft'>, perFlow: boolean): NftText {
  return nft?.perFlow === perFlow ? nft.text : renderNft(voice, perFlow);
}

const inForceIn = ({ inForce }: PolicyFacts, family: 'all' | Family): InForce | null => orElse(inForce[family], null);

/** Whether rules are as they were loaded, and their sets hold the networks of the text in force. */
export function isIntactNft({ shape, loaded, mark, networks }: InForce, voice: Voice, wished: NftText): boolean {
  if (shape !== loaded) return false;
  // The networks of another text are not known, and it is replaced anyway.
  if (mark !== wished.mark) return true;
  const fit = (family: Family): boolean => {
    const wish = networksOf(voice.signalling[family]);
    // Where nothing else is said of audio, its networks are those of signalling.
    const audio = voice.media === voice.signalling ? wish : networksOf(voice.media[family]);
    const n = digit(family);
    return (
      networks !== null
      && same(networks[`signalling${n}`], wish)
      && same(networks[`media${n}`], audio)
      && same(networks[`sites${n}`], networksOf(voice.sites[family]))
    );
  };
  return fit('ipv4') && fit('ipv6');
}

/** Whether what is there is what the file says. A file that says something else is no measure. */
function isIntactIptables(policy: PolicyFacts, sections: Sections | null, family: Family): boolean {
  const inForce = inForceIn(policy, family);
  const seen = orElse(policy.iptables?.[family] ?? { state: 'absent', source: '' }, null);
  const text = seen === null ? undefined : sections?.[seen.restore];
  if (inForce === null || text === undefined) return true;
  const loaded = readRestore(text);
  if (loaded === null || markOf(ownTables(loaded)) !== inForce.mark) return true;
  const there = new Map(policy.iptables?.sets.map(({ name, entries }) => [name, entries]));
  const filled = [...heldBySections(sections ?? {})].every(
    ([name, entries]) => !name.endsWith(String(digit(family))) || (there.has(name) && (there.get(name) ?? entries) === entries),
  );
  return filled && seen?.misplaced !== true && hash(shapeOf(loaded)) === inForce.shape;
}

/** How many networks the file puts into each set. */
function heldBySections(sections: Sections): Map<string, number> {
  const held = new Map<string, number>();
  let added = 0;
  for (const line of (sections['ipset'] ?? '').split('\n')) {
    if (line.startsWith('add ')) added++;
    const swapped = /^swap \S+ (\S+)$/.exec(line)?.[1];
    if (swapped === undefined) continue;
    held.set(swapped, added);
    added = 0;
  }
  return held;
}

/** Whether marked voice is kept out of the offload: by rules before fw4's, or in every family of iptables there is. */
export function isExcluded({ backend, offload, iptables }: PolicyFacts): boolean {
  const seen = orElse(offload, null);
  if (seen === null || !seen.software) return false;
  if (backend === 'nft') return seen.forward !== null && seen.forward.rules.length > 0 && !seen.forward.late;
  return (
    iptables !== null && [iptables.ipv4, iptables.ipv6].every((family) => family.state === 'absent' || orElse(family, null)?.keeps === true)
  );
}

/** The same of both families of iptables, by the file the rules were loaded from. */
export function intactIptables(policy: PolicyFacts): Record<Family, boolean> {
  const file = policy.files[POLICY_FILE];
  const sections = policy.backend === 'iptables' && file?.state === 'present' ? readPolicyFile(file.value) : null;
  return { ipv4: isIntactIptables(policy, sections, 'ipv4'), ipv6: isIntactIptables(policy, sections, 'ipv6') };
}

export function compare(facts: Facts, policy: PolicyFacts): Compared {
  const voice = voiceOf(policy);
  const kept = withKept(facts, policy);
  const wished = inboundOf(facts, kept.policy);
  const inbound = { ...wished, lacking: [...wished.lacking, ...kept.lacking] };
  const all = inForceIn(policy, 'all');
  // What is in force tells whether the kernel can; where nothing is, it was asked.
  const perFlow = all === null ? orElse(policy.perFlow, false) : all.objects.some(({ kind }) => kind === 'ct timeout');
  const nft = policy.backend === 'nft' && (policy.wanted || all !== null) ? { perFlow, text: renderNft(voice, perFlow) } : null;
  return {
    voice,
    nft,
    intact: { all: all === null || nft === null || isIntactNft(all, voice, nft.text), ...intactIptables(policy) },
    excluded: isExcluded(policy),
    inbound,
    stale: inbound.sets
      .filter(({ name, networks }) => policy.inbound?.sets.some((set) => set.name === name && !same(set.networks, networksOf(networks))))
      .map(({ name }) => name),
  };
}
