/** The firewall's own rules for calls from providers: what of them is in force, and the steps that make it so. */
import type { Host, Reading } from '../../host/host.ts';
import type { Finding } from '../../judge/verdict.ts';
import type { Facts } from '../../observe/facts.ts';
import { answered, orElse } from '../../observe/reading.ts';
import { NOTHING, putFile } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { line } from '../../languages/shell/command.ts';
import { RANK } from '../../plan/step.ts';
import type { Action, Step } from '../../plan/step.ts';
import { parseUci } from '../../languages/uci/parse.ts';
import type { PolicyFacts } from '../facts.ts';
import { inboundOf, isInbound, LOADFILE, setOf, titlesIn, titlesOf } from '../render/inbound.ts';
import type { InboundSet } from '../render/inbound.ts';
import { swapLines } from '../render/iptables-prefixes.ts';
import { readPrefix } from '../../languages/address/prefixes.ts';
import { stretches } from '../seen/nft.ts';

/** What `observeInbound` adds to the facts. */
export interface InboundSeen {
  /** Names of our rules that the firewall has in force. */
  titles: string[];
  /** Our sets that the firewall has. */
  sets: string[];
  /** Those whose networks are not the wished ones: fw4's reload only adds to a set, and fw3's leaves it alone. */
  stale: string[];
}

/** As the firewall reads it: a network on a line, and nothing else. */
const fileText = ({ networks }: InboundSet): string => networks.map((network) => `${network}\n`).join('');

async function elements(host: Host, nft: boolean, { name }: InboundSet): Promise<{ there: boolean; held: string }> {
  if (!nft) {
    const saved = answered(await host.run(['ipset', 'save', name]));
    return {
      there: saved.state === 'present',
      held: stretches([...orElse(saved, '').matchAll(/^add \S+ (\S+)/gm)].map(([, network]) => network)),
    };
  }
  const listed = answered(await host.run(['nft', '-j', 'list', 'set', 'inet', 'fw4', name]));
  let held: unknown[] = [];
  try {
    const { nftables } = JSON.parse(orElse(listed, '{}')) as { nftables?: { set?: { elem?: unknown[] } }[] };
    held = nftables?.find(({ set }) => set !== undefined)?.set?.elem ?? [];
  } catch {
    // Unlike what is wished, then.
  }
  return { there: listed.state === 'present', held: stretches(held) };
}

/**
 * Looks at the firewall's part of it, and reads the files its sets are loaded from. Never throws.
 * @param policy with everything else known already
 */
export async function observeInbound(
  host: Host,
  facts: Facts,
  policy: PolicyFacts,
): Promise<{ inbound: InboundSeen | null; files: Record<string, Reading<string>> }> {
  const { sections, sets } = inboundOf(facts, policy);
  const own = facts.firewall.uci.state === 'present' && parseUci(facts.firewall.uci.value.text).sections.some(isInbound);
  const paths = new Set([
    ...orElse(await host.list('/etc'), [])
      .filter((name) => LOADFILE.test(name))
      .map((name) => `/etc/${name}`),
    ...sets.map(({ file }) => file),
  ]);
  if (sections.length === 0 && !own && paths.size === 0) return { inbound: null, files: {} };
  const files = Object.fromEntries(await Promise.all([...paths].map(async (path) => [path, await host.read(path)] as const)));
  const nft = policy.backend === 'nft';
  const listings = await Promise.all(
    (nft
      ? [['nft', '-t', 'list', 'table', 'inet', 'fw4']]
      : ['ipv4', 'ipv6'].flatMap((family) => {
          const seen = policy.iptables?.[family as 'ipv4' | 'ipv6'];
          return seen?.state === 'present' ? [[seen.value.restore.replace(/restore$/, 'save')]] : [];
        })
    ).map(async (argv) => orElse(answered(await host.run(argv)), '')),
  );
  const named = [...paths].map(
    (path): InboundSet =>
      sets.find(({ file }) => file === path) ?? {
        name: setOf(path),
        family: /4m?$/.test(path) ? 'ipv4' : 'ipv6',
        file: path,
        networks: [],
      },
  );
  const seen: InboundSeen = { titles: titlesIn(listings.join('')), sets: [], stale: [] };
  for (const set of named) {
    const { there, held } = await elements(host, nft, set);
    if (!there) continue;
    seen.sets.push(set.name);
    if (held !== stretches(set.networks)) seen.stale.push(set.name);
  }
  return { inbound: seen, files };
}

/** A set of the firewall's gets other networks, in one transaction. */
function refill(nft: boolean, { name, networks }: InboundSet): Action {
  if (!nft) return { do: 'run', argv: ['ipset', 'restore', '-!'], input: `${swapLines(name, networks, '').join('\n')}\n` };
  const input = `flush set inet fw4 ${name}\n${networks.length === 0 ? '' : `add element inet fw4 ${name} { ${networks.join(', ')} }\n`}`;
  const argv = ['nft', '-f', '-'];
  return { do: 'run', argv, input, rehearsal: { argv: ['nft', '-c', '-f', '-'], input } };
}

/**
 * The steps around the edit of /etc/config/firewall, which `planKeeping` makes together with its own.
 * @param edited that edit changes sections of these
 */
export function planInbound(facts: Facts, policy: PolicyFacts, edited: boolean): Part {
  const { inbound, backend, files } = policy;
  if (inbound === undefined || inbound === null) return NOTHING;
  const nft = backend === 'nft';
  const { sections, sets } = inboundOf(facts, policy);
  const steps: Step[] = [];
  const put = (path: string, after: string | null): void => {
    const file = files[path];
    const before = file?.state === 'present' ? file.value : null;
    if (before === after) return;
    steps.push({
      rank: after === null ? RANK.policyOff : RANK.policyFiles,
      why: 'policy-inbound',
      text: after === null ? `Remove ${path}.` : `Write down the networks that may open calls, for the firewall to load (${path}).`,
      actions: [putFile(path, after)],
      undo: [putFile(path, before)],
      commands: [after === null ? `rm ${path}` : `# write ${path}, ${after.length} bytes`],
    });
  };
  for (const set of sets) put(set.file, fileText(set));
  // Not every fw3 makes new sets on a reload, and its restart would forget every flow.
  for (const set of sets.filter(({ name }) => inbound.stale.includes(name) || (!nft && !inbound.sets.includes(name)))) {
    const before = files[set.file];
    const undo =
      before?.state === 'present'
        ? [refill(nft, { ...set, networks: before.value.split('\n').filter((network) => !('wrong' in readPrefix(network))) })]
        : [];
    steps.push({
      rank: RANK.policyFiles,
      why: 'policy-inbound',
      text: `Let the firewall's set ${set.name} hold these networks and no others.`,
      actions: [refill(nft, set)],
      undo,
      commands: [nft ? `nft 'flush set inet fw4 ${set.name}; add element ...'` : `ipset restore # ${set.name}`],
    });
  }
  // A firewall that its owner has stopped loads them when it starts.
  const loaded = !nft || (facts.nft.state === 'present' && facts.nft.value.tables.includes('inet fw4'));
  if (edited || (loaded && titlesOf(sections).join('\n') !== inbound.titles.join('\n'))) {
    // A section the firewall refuses must not cost it the rest.
    const reload = [nft ? 'fw4' : 'fw3', 'reload'];
    if (nft)
      steps.push({
        rank: RANK.policyConfiguration,
        why: 'policy-inbound',
        text: 'See whether the firewall would still load.',
        actions: [{ do: 'run', argv: ['fw4', 'check'] }],
        undo: [],
        commands: ['fw4 check'],
      });
    if (loaded)
      steps.push({
        rank: RANK.reload,
        why: 'policy-inbound',
        text: 'Let the firewall load its rules for calls from providers.',
        actions: [{ do: 'run', argv: reload }],
        undo: [],
        commands: [line(reload)],
        unlocked: true,
      });
  }
  const gone = inbound.sets.filter((name) => !sets.some((set) => set.name === name));
  for (const name of gone) {
    const argv = nft ? ['nft', 'delete', 'set', 'inet', 'fw4', name] : ['ipset', 'destroy', name];
    steps.push({
      rank: RANK.reload,
      why: 'policy-inbound',
      text: `Remove the firewall's set ${name}, which nothing uses any more.`,
      actions: [{ do: 'run', argv, tolerated: [1] }],
      undo: [],
      commands: [line(argv)],
      unlocked: true,
    });
  }
  for (const path of Object.keys(files))
    if (LOADFILE.test(path.replace(/^\/etc\//, '')) && files[path]?.state === 'present' && !sets.some(({ file }) => file === path))
      put(path, null);
  return { steps, takes: [], refused: [] };
}

/** What can not be let in, and why. */
export function inboundFindings(facts: Facts, policy: PolicyFacts): Finding[] {
  return inboundOf(facts, policy).lacking.map((text) => ({
    code: 'policy-inbound',
    weight: 'risk',
    text,
    evidence: ['/etc/config/sipalg'],
  }));
}
