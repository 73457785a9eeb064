/** The voice firewall rules, put together: what is looked at, what it means, what is to be done. */
import type { Asking, Host, Reading } from '../host/host.ts';
import type { Finding } from '../judge/verdict.ts';
import type { Problem } from '../wish/alg.ts';
import type { Facts } from '../observe/facts.ts';
import { orElse, understood } from '../observe/reading.ts';
import { joinParts } from '../plan/files.ts';
import type { Part } from '../plan/files.ts';
import type { PolicyFacts } from './facts.ts';
import { voiceFindings } from './judge.ts';
import { inboundFindings, observeInbound } from './plan/inbound.ts';
import { FW3_INCLUDE } from './render/iptables-restore.ts';
import { iptablesFindings, planIptablesPolicy } from './plan/iptables.ts';
import { keptOut, observeIptablesPolicy } from './seen/iptables.ts';
import { POLICY_FILE } from './paths.ts';
import { KEPT_NAMES, NAMES, readNames, refreshNames } from './names/names.ts';
import { voiceOf } from './wanted.ts';
import { LISTED_FILE, observeNftPolicy, observePerFlow } from './seen/nft.ts';
import { observeOffload, observeShapers, OFFLOAD_FILE } from './shaping.ts';
import { INCLUDE_FILE, planFilesOff, planKeeping, planNftOff, planNftOn, planSysctlOn, SYSCTL_FILE } from './plan/plan.ts';
import { observeWays } from '../observe/wan.ts';
import { readPolicyWish } from '../wish/voice.ts';

const WISH_CONFIG = '/etc/config/sipalg';
/** What may be ours on disk and in memory. */
const FILES = [POLICY_FILE, INCLUDE_FILE, OFFLOAD_FILE, SYSCTL_FILE, LISTED_FILE, KEPT_NAMES, NAMES];
const OTHER: Reading<never> = { state: 'absent', source: 'the other firewall is used' };

async function observeRules(host: Host, facts: Facts): Promise<{ policy: PolicyFacts; problems: Problem[] }> {
  const wanted = facts.wish.wish.policy === true;
  const backend = orElse(facts.system.firewall, 'fw4') === 'fw3' ? 'iptables' : 'nft';
  const { wish, problems } = readPolicyWish(orElse(facts.wish.text, null));
  const [ways, names, offload, shapers, read] = await Promise.all([
    observeWays(host, facts),
    readNames(host),
    observeOffload(host, facts),
    wanted ? observeShapers(host, wish) : [],
    Promise.all(
      FILES.map(async (path) => {
        // What is in memory only is of no further use here: that it is there is enough.
        const inMemory = path.startsWith('/var/run/');
        return [path, inMemory ? understood(await host.kind(path), () => '') : await host.read(path)] as const;
      }),
    ),
  ]);
  const files = Object.fromEntries(read);
  const policy: PolicyFacts = {
    wanted,
    wish,
    backend,
    ...ways,
    perFlow: { state: 'present', value: false, source: 'iptables' },
    extensions: {},
    names,
    inForce: { all: OTHER, ipv4: OTHER, ipv6: OTHER },
    files,
    offload,
    shapers,
  };
  if (backend === 'iptables') {
    const seen = await observeIptablesPolicy(host, facts, files[POLICY_FILE] as Reading<string>, wanted);
    return { policy: { ...policy, ...seen, offload: keptOut(offload, seen), inForce: { all: OTHER, ...seen.inForce } }, problems };
  }
  if (facts.nft.state !== 'present')
    return { policy: { ...policy, perFlow: facts.nft, inForce: { ...policy.inForce, all: facts.nft } }, problems };
  const there = facts.nft.value.tables.includes('inet sipalg');
  const all = await observeNftPolicy(host, there, voiceOf(policy));
  return {
    policy: { ...policy, perFlow: wanted ? await observePerFlow(host, all) : policy.perFlow, inForce: { ...policy.inForce, all } },
    problems,
  };
}

/** Looks at everything the rules need to know. Never throws. */
export async function observe(host: Host, facts: Facts): Promise<{ policy: PolicyFacts; problems: Problem[] }> {
  const { policy, problems } = await observeRules(host, facts);
  const { inbound, files } = await observeInbound(host, facts, policy);
  return { policy: { ...policy, inbound, files: { ...policy.files, ...files } }, problems };
}

/** What would change. Pure. */
export function plan(facts: Facts, policy: PolicyFacts): Part {
  const { backend, wanted } = policy;
  const keeping = planKeeping(facts, policy, wanted, FW3_INCLUDE);
  if (wanted) {
    const rules =
      backend === 'nft' ? planNftOn(facts, policy) : joinParts([planIptablesPolicy(policy, voiceOf(policy)), planSysctlOn(facts, policy)]);
    return joinParts([rules, keeping]);
  }
  const live = backend === 'nft' ? planNftOff(policy) : planIptablesPolicy(policy, null);
  // Something of the rules that could not be taken away must go on being found.
  if (live.refused.length > 0) return live;
  return joinParts([keeping, live, planFilesOff(facts, policy, [KEPT_NAMES, NAMES])]);
}

/** What the owner should know. Pure. @param planned what `plan` says of the same facts */
export function judge(facts: Facts, policy: PolicyFacts, { steps, refused }: Part): Finding[] {
  const lacking = policy.backend === 'iptables' && policy.wanted ? iptablesFindings(policy, voiceOf(policy)) : [];
  return [...voiceFindings(facts, policy, [...refused, ...steps.map(({ text }) => text)]), ...lacking, ...inboundFindings(facts, policy)];
}

/** Asks for the providers' names whose time has come. */
async function refresh(host: Host, asking: Asking | 'nslookup' | null): Promise<{ changed: boolean; next: number | null }> {
  const { wish } = readPolicyWish(orElse(await host.read(WISH_CONFIG), null));
  const { changed, next } = await refreshNames(
    host,
    asking,
    wish.providers.flatMap(({ hosts }) => hosts),
  );
  return { changed, next };
}

/** What the voice firewall rules add at each stage of the way. */
export interface VoiceRules {
  /** Looks at what the rules need to know, the rest of the facts being known. Never throws. */
  observe(host: Host, facts: Facts): Promise<{ policy: PolicyFacts; problems: Problem[] }>;
  /** Asks for the providers' names whose time has come, and keeps the answers. Never throws; says what changed. */
  refresh(host: Host): Promise<{ changed: boolean; next: number | null }>;
  /** What would change, as data. Pure. */
  plan(facts: Facts, policy: PolicyFacts): Part;
  /** What the owner should know. Pure. @param planned what `plan` says of the same facts */
  judge(facts: Facts, policy: PolicyFacts, planned: Part): Finding[];
}

/** @param asking this engine's way to name servers; 'nslookup' where it has none of its own; null: names are not asked for */
export const createVoice = (asking: Asking | 'nslookup' | null): VoiceRules => ({
  observe,
  plan,
  judge,
  refresh: (host) => refresh(host, asking),
});
