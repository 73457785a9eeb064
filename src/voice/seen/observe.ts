/** Looks at everything that the voice rules need to know, and holds nothing of it against the wish. */
import type { Host, Reading } from '../../host/host.ts';
import type { Facts } from '../../observe/facts.ts';
import { orElse, understood } from '../../observe/reading.ts';
import { observeShapers } from '../../observe/shapers.ts';
import { observeWays } from '../../observe/wan.ts';
import type { Ways } from '../../observe/wan.ts';
import { readConfiguration } from '../../wish/read.ts';
import type { Names, PolicyFacts } from '../facts.ts';
import { insideOf, isInside } from '../names/inside.ts';
import { readNames } from '../names/names.ts';
import { OWN_FILES } from '../own.ts';
import { observeBlocks } from './blocks.ts';
import { observeInbound } from './inbound.ts';
import { observeIptablesPolicy } from './iptables.ts';
import { observeNftPolicy, observePerFlow } from './nft.ts';
import { observeOffload } from './shaping.ts';

const OTHER: Reading<never> = { state: 'absent', source: 'the other firewall is used' };

async function observeFiles(host: Host): Promise<PolicyFacts['files']> {
  const read = OWN_FILES.map(async (path) => {
    // What is in memory only is of no further use here: that it is there is enough.
    const inMemory = path.startsWith('/var/run/');
    return [path, inMemory ? understood(await host.kind(path), () => '') : await host.read(path)] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

const STATE = { fw4: '/var/run/fw4.state', fw3: '/var/run/fw3.state' } as const;

/**
 * Whether the firewall is loaded. Both write a state file when they are and remove it when they are stopped or flushed (fw4
 * b6e5157, root/sbin/fw4; fw3 3a65fde, utils.c, fw3_write_statefile): without it `fw3 reload` starts a firewall that its owner
 * has stopped, and `fw4 reload` ends with an error. Who flushes nftables by hand takes fw4's table and leaves the file.
 */
async function observeLoaded(host: Host, { system, nft }: Facts): Promise<Reading<boolean>> {
  const { firewall } = system;
  if (firewall.state !== 'present') return firewall;
  const source = STATE[firewall.value];
  if (firewall.value === 'fw4') {
    if (nft.state === 'failed') return nft;
    if (!orElse(nft, null)?.tables.includes('inet fw4')) return { state: 'present', value: false, source: nft.source };
  }
  const file = await host.kind(source);
  return file.state === 'failed' ? file : { state: 'present', value: file.state === 'present', source };
}

/**
 * Names without the addresses that lie behind this router: a name server that says so (DNS rebinding) opens nothing to them.
 * They are refused when they are answered, too; here for an answer that is older than the network.
 */
function withoutInside(names: Names, ways: Ways): Names {
  const inside = insideOf(ways);
  const kept = Object.create(null) as Names; // a provider may be called `constructor`
  for (const [name, answer] of Object.entries(names)) {
    const addresses = answer.addresses.filter((address) => !isInside(inside, address));
    kept[name] = addresses.length === answer.addresses.length ? answer : { ...answer, addresses };
  }
  return kept;
}

/** What of the rules is in the kernel, and what the kernel can do. */
async function observeRules(host: Host, facts: Facts, policy: PolicyFacts): Promise<PolicyFacts> {
  const { wanted, backend } = policy;
  if (backend === 'iptables') {
    const { extensions, inForce, iptables } = await observeIptablesPolicy(host, facts, wanted);
    return { ...policy, extensions, iptables, inForce: { all: OTHER, ...inForce } };
  }
  if (facts.nft.state !== 'present') return { ...policy, perFlow: facts.nft, inForce: { ...policy.inForce, all: facts.nft } };
  const all = await observeNftPolicy(host, facts.nft.value.tables.includes('inet sipalg'));
  return { ...policy, perFlow: wanted ? await observePerFlow(host, all) : policy.perFlow, inForce: { ...policy.inForce, all } };
}

/** Never throws. */
export async function observe(host: Host, facts: Facts): Promise<PolicyFacts> {
  const wanted = facts.wish.wish.policy === true;
  const { voice: wish } = readConfiguration(orElse(facts.wish.text, null));
  const [ways, names, loaded, offload, shapers, files] = await Promise.all([
    observeWays(host, facts),
    readNames(host),
    observeLoaded(host, facts),
    observeOffload(host, facts),
    wanted ? observeShapers(host) : [],
    observeFiles(host),
  ]);
  const policy = await observeRules(host, facts, {
    wanted,
    wish,
    backend: orElse(facts.system.firewall, 'fw4') === 'fw3' ? 'iptables' : 'nft',
    ...ways,
    loaded,
    perFlow: { state: 'present', value: false, source: 'iptables' },
    extensions: {},
    names: withoutInside(names, ways),
    inForce: { all: OTHER, ipv4: OTHER, ipv6: OTHER },
    files,
    iptables: null,
    inbound: null,
    offload,
    shapers,
  });
  const inbound = await observeInbound(host, facts, policy);
  const blocks = wanted && wish.providers.length > 0 ? { blocks: await observeBlocks(host, policy) } : {};
  return { ...policy, ...blocks, inbound: inbound.inbound, files: { ...policy.files, ...inbound.files } };
}
