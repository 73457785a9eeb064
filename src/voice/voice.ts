/** The voice firewall rules, put together: what is looked at, what it means, what is to be done. */
import type { Asking, Host } from '../host/host.ts';
import type { Finding, PolicyVerdict } from '../judge/verdict.ts';
import type { Facts } from '../observe/facts.ts';
import { orElse } from '../observe/reading.ts';
import type { Part } from '../plan/files.ts';
import { readConfiguration } from '../wish/read.ts';
import type { PolicyFacts } from './facts.ts';
import { compare } from './judge/compare.ts';
import type { Compared } from './judge/compare.ts';
import { judge } from './judge/findings.ts';
import { observeInside } from './names/inside.ts';
import { refreshNames } from './names/names.ts';
import { plan } from './plan/plan.ts';
import { observe } from './seen/observe.ts';

const WISH_CONFIG = '/etc/config/sipalg';

/** Asks for the providers' names whose time has come. */
async function refresh(host: Host, asking: Asking | 'nslookup' | null): Promise<{ changed: boolean; next: number | null }> {
  const { voice: wish } = readConfiguration(orElse(await host.read(WISH_CONFIG), null));
  const { changed, next } = await refreshNames(
    host,
    asking,
    wish.providers.flatMap(({ hosts }) => hosts),
    host.now(),
    () => observeInside(host),
  );
  return { changed, next };
}

/** What the voice firewall rules add at each stage of the way. All but `observe` and `refresh` is pure. */
export interface VoiceRules {
  /** Looks at what the rules need to know, the rest of the facts being known. Never throws. */
  observe(host: Host, facts: Facts): Promise<PolicyFacts>;
  /** Asks for the providers' names whose time has come, and keeps the answers. Never throws; says what changed. */
  refresh(host: Host): Promise<{ changed: boolean; next: number | null }>;
  /** Holds what was seen against the wish: once for each look, for it takes as long as all else with ten thousand networks. */
  compare(facts: Facts, policy: PolicyFacts): Compared;
  /** What would change, as data. */
  plan(facts: Facts, policy: PolicyFacts, compared: Compared): Part;
  /** What the owner should know. @param planned what `plan` says of the same facts */
  judge(facts: Facts, policy: PolicyFacts, compared: Compared, planned: Part): PolicyVerdict & { findings: Finding[] };
}

/** @param asking this engine's way to name servers; 'nslookup' where it has none of its own; null: names are not asked for */
export const createVoice = (asking: Asking | 'nslookup' | null): VoiceRules => ({
  observe,
  compare,
  plan,
  judge,
  refresh: (host) => refresh(host, asking),
});
