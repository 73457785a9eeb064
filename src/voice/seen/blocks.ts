/** Whether a block list holds an address of a provider's: asked of the kernel, one by one, for such lists are long. */
import type { Host, Outcome, Reading } from '../../host/host.ts';
import { readPrefix, writePrefix } from '../../languages/address/prefixes.ts';
import { blockSetOf, declaredSets } from '../../languages/nft/blocks.ts';
import type { DeclaredSet } from '../../languages/nft/blocks.ts';
import { createRulesetReader, RULE } from '../../languages/nft/ruleset.ts';
import { answered, orElse, present, runInParts, understood } from '../../observe/reading.ts';
import type { Blocks, PolicyFacts } from '../facts.ts';
import { OURS, TABLE } from '../own.ts';
import type { Family } from '../own.ts';

/** Each question is a process: a second in all on a slow router. */
const MOST_QUESTIONS = 64;
/** banIP has about forty. */
const MOST_SETS = 64;

/** What is asked of a set: `argv` with exit code 0 where it holds this. */
interface Question {
  set: string;
  provider: string;
  network: string;
  argv: string[];
}

interface AskedSet {
  name: string;
  family: Family;
  /** It can be asked for a whole network. */
  interval: boolean;
  ask(network: string): string[];
}

/** Providers' networks, signalling first: those are blocked that a phone cannot do without. */
function questionsFor(sets: readonly AskedSet[], policy: PolicyFacts): Question[] {
  return policy.wish.providers.flatMap((provider) => {
    const named = provider.hosts.flatMap(({ name }) => policy.names[name.toLowerCase()]?.addresses ?? []);
    const networks = [...provider.signalling, ...named, ...provider.media].flatMap((text) => {
      const prefix = readPrefix(text);
      return 'wrong' in prefix ? [] : [{ family: prefix.family, network: writePrefix(prefix) }];
    });
    return sets.flatMap((set) =>
      [...new Set(networks.flatMap(({ family, network }) => (family === set.family ? [network] : [])))]
        .filter((network) => set.interval || !network.includes('/'))
        .map((network) => ({ set: set.name, provider: provider.name, network, argv: set.ask(network) })),
    );
  });
}

/** nft and ipset both end with 1 where an element is not there. */
const isNot = (outcome: Outcome): boolean =>
  outcome.state === 'exited'
  && outcome.code === 1
  && /Could not process rule: No such file or directory|is NOT in set/.test(outcome.stderr);

type Failed = Extract<Reading<never>, { state: 'failed' }>;

/** Sets by whose addresses some rule drops, as `family table name`. */
async function droppingSets(host: Host): Promise<Reading<Set<string>>> {
  const found = new Set<string>();
  const reader = createRulesetReader((rule) => {
    const set = blockSetOf(rule);
    if (set !== null) found.add(`${rule.family} ${rule.table} ${set}`);
    return false;
  });
  const answer = answered(await runInParts(host, ['nft', '-j', '-t', 'list', 'ruleset'], { parts: { at: RULE, take: reader.take } }));
  return understood(answer, () => {
    reader.end();
    return found;
  });
}

async function nftSets(host: Host): Promise<{ sets: AskedSet[]; spared: string[] } | Failed> {
  const listed = answered(await host.run(['nft', '-t', 'list', 'sets']));
  if (listed.state === 'failed') return listed;
  const ours = ({ key }: DeclaredSet): boolean => key.startsWith(`${TABLE} `) || key.startsWith(`inet fw4 ${OURS}`);
  const others = declaredSets(orElse(listed, '')).filter((set) => !ours(set));
  if (others.length === 0) return { sets: [], spared: [] };
  const dropping = await droppingSets(host);
  if (dropping.state === 'failed') return dropping;
  const declared = others.filter(({ key }) => orElse(dropping, new Set()).has(key)).slice(0, MOST_SETS);
  return {
    spared: declared.flatMap(({ key, limited }) => (limited ? [key] : [])),
    sets: declared
      .filter(({ limited }) => !limited)
      .map(({ key, family, interval }) => ({
        name: key,
        family,
        interval,
        ask: (network) => ['nft', 'get', 'element', ...key.split(' '), `{ ${network} }`],
      })),
  };
}

function ipsets({ iptables }: PolicyFacts): AskedSet[] {
  return (['ipv4', 'ipv6'] as const).flatMap((family) =>
    (orElse(iptables?.[family] ?? { state: 'absent', source: '' }, null)?.blocks ?? []).map((name) => ({
      name,
      family,
      interval: false,
      ask: (network: string) => ['ipset', 'test', name, network],
    })),
  );
}

/** Never throws. Absent: nothing drops by a set of addresses. */
export async function observeBlocks(host: Host, policy: PolicyFacts): Promise<Reading<Blocks>> {
  const source = policy.backend === 'nft' ? 'nft get element' : 'ipset test';
  const found = policy.backend === 'nft' ? await nftSets(host) : { sets: ipsets(policy), spared: [] };
  if ('state' in found) return found;
  if (found.sets.length + found.spared.length === 0) return { state: 'absent', source };
  const all = questionsFor(found.sets, policy);
  const holding: Blocks['holding'] = [];
  for (const { set, provider, network, argv } of all.slice(0, MOST_QUESTIONS)) {
    const outcome = await host.run(argv);
    if (isNot(outcome)) continue;
    const answer = answered(outcome);
    if (answer.state !== 'present')
      return { state: 'failed', source: argv.join(' '), because: answer.state === 'failed' ? answer.because : 'it is not installed' };
    holding.push({ set, provider, network });
  }
  return present(source, { holding, spared: found.spared, unasked: Math.max(0, all.length - MOST_QUESTIONS) });
}
