/**
 * The policy is a bundle of its own that no router loads without need: the
 * program holds this seam, and the rest is linked in where `option policy` is 1
 * or something of ours is still there.
 */
import type { Host, Reading } from '../host/host.ts';
import type { Finding } from '../judge/verdict.ts';
import type { Problem } from '../wish/alg.ts';
import type { Facts } from '../observe/facts.ts';
import type { Part } from '../plan/files.ts';
import type { PolicyFacts } from '../voice/facts.ts';

/** What the policy adds to the way, stage by stage. */
export interface Policy {
  /** Looks at what the rules need to know, the rest of the facts being known. Never throws. */
  observe(host: Host, facts: Facts): Promise<{ policy: PolicyFacts; problems: Problem[] }>;
  /** Asks for the providers' names whose time has come, and keeps the answers. Never throws; says what changed. */
  refresh(host: Host): Promise<{ changed: boolean; next: number | null }>;
  /** These three are pure, and called only where `facts.policy` is present. */
  findings(facts: Facts): Finding[];
  plan(facts: Facts): Part;
  text(facts: Facts): string;
}

let load: () => Promise<Policy> = () => Promise.reject(new Error('this program was put together without it'));
let linked: Policy | null = null;

/** Says where the policy is loaded from, should it be needed. */
export function policyFrom(loader: () => Promise<Policy>): void {
  load = loader;
  linked = null;
}

/** The policy itself. Rejects with a sentence where it can not be loaded. */
export async function thePolicy(): Promise<Policy> {
  return linked ??= await load().catch((error: Error) => {
    throw new Error(`the voice firewall rules live in a file beside the program, and that could not be loaded: ${error.message.split('\n')[0]}. Install sipalg again`);
  });
}

/** What stays on a router where our rules are, or were. */
export const POLICY_FILE = '/etc/sipalg.policy';

/** @param wanted `option policy` is 1 */
export async function observePolicy(host: Host, facts: Facts, wanted: boolean): Promise<{ policy: Reading<PolicyFacts>; problems: Problem[] }> {
  const trace = wanted ? null : await host.kind(POLICY_FILE);
  if (trace?.state === 'absent') return { policy: { state: 'absent', source: `sipalg.main.policy is not 1, and there is no ${POLICY_FILE}` }, problems: [] };
  const source = 'the voice firewall rules';
  if (trace?.state === 'failed') return { policy: { ...trace }, problems: [] };
  try {
    const { policy, problems } = await (await thePolicy()).observe(host, facts);
    return { policy: { state: 'present', value: policy, source }, problems };
  } catch (error) {
    return { policy: { state: 'failed', source, because: (error as Error).message }, problems: [] };
  }
}

export function policyFindings(facts: Facts): Finding[] {
  return facts.policy.state === 'present' && linked !== null ? linked.findings(facts) : [];
}

export function planPolicy(facts: Facts): Part {
  if (facts.wish.wish.policy === null) return { steps: [], takes: [], refused: [] };
  if (facts.policy.state === 'failed') return { steps: [], takes: [], refused: [`The voice firewall rules are left as they are: ${facts.policy.because}.`] };
  return facts.policy.state === 'present' && linked !== null ? linked.plan(facts) : { steps: [], takes: [], refused: [] };
}
