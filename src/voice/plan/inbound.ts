/** The steps that put the firewall's own rules for calls from providers in force. */
import { line } from '../../languages/shell/command.ts';
import { readPrefix } from '../../languages/address/prefixes.ts';
import type { Facts } from '../../observe/facts.ts';
import { nftAction } from '../../plan/actions.ts';
import { changeFile, NOTHING, refuse } from '../../plan/files.ts';
import type { Part } from '../../plan/files.ts';
import { RANK } from '../../plan/step.ts';
import type { Action, Step } from '../../plan/step.ts';
import type { PolicyFacts } from '../facts.ts';
import type { Compared } from '../judge/compare.ts';
import { LOADFILE } from '../own.ts';
import { titlesOf } from '../render/inbound.ts';
import type { InboundSet } from '../render/inbound.ts';
import { swapLines } from '../render/iptables/prefixes.ts';
import { textOf } from './files.ts';
import { ipsetAction } from './ipset.ts';

/** As the firewall reads it: a network on a line, and nothing else. */
const fileText = ({ networks }: InboundSet): string => networks.map((network) => `${network}\n`).join('');

/** A set of the firewall's gets other networks, in one transaction. */
function refill(nft: boolean, { name, networks }: InboundSet): Action {
  if (!nft) return ipsetAction(`${swapLines(name, networks, '').join('\n')}\n`);
  const filled = networks.length === 0 ? '' : `add element inet fw4 ${name} { ${networks.join(', ')} }\n`;
  return nftAction(`flush set inet fw4 ${name}\n${filled}`);
}

/**
 * The steps around the edit of /etc/config/firewall, which `planKeeping` makes together with its own.
 * @param edited that edit changes sections of these
 */
export function planInbound(facts: Facts, policy: PolicyFacts, compared: Compared, edited: boolean): Part {
  const { inbound, backend, files } = policy;
  if (inbound === null) return NOTHING;
  const [unread] = inbound.unread ?? [];
  if (unread !== undefined) return refuse([`Which calls providers may open is not known, so it is left as it is: ${unread}.`]);
  const nft = backend === 'nft';
  const { sections, sets } = compared.inbound;
  const steps: Step[] = [];
  const put = (path: string, after: string | null): void => {
    const { steps: change } = changeFile({
      // Behind the load that lets go of it.
      rank: after === null ? RANK.reload : RANK.policyFiles,
      why: 'policy-inbound',
      text: after === null ? `Remove ${path}.` : `Write down the networks that may open calls, for the firewall to load (${path}).`,
      path,
      before: textOf(policy, path),
      after,
      commands: [after === null ? `rm ${path}` : `# write ${path}, ${after.length} bytes`],
    });
    steps.push(...change.map((step) => (after === null ? { ...step, unlocked: true as const } : step)));
  };
  for (const set of sets) put(set.file, fileText(set));
  // Not every fw3 makes new sets on a reload, and its restart would forget every flow.
  for (const set of sets.filter(
    ({ name }) => compared.stale.includes(name) || (!nft && !inbound.sets.some((seen) => seen.name === name)),
  )) {
    const before = textOf(policy, set.file);
    const undo =
      before === null ? [] : [refill(nft, { ...set, networks: before.split('\n').filter((network) => !('wrong' in readPrefix(network))) })];
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
  for (const { name } of inbound.sets.filter((seen) => !sets.some((set) => set.name === seen.name))) {
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
