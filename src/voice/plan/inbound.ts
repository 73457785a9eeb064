/** The steps that put the firewall's own rules for calls from providers in force. */
import { line, word } from '../../languages/shell/command.ts';
import { readPrefix } from '../../languages/address/prefixes.ts';
import type { Facts } from '../../observe/facts.ts';
import type { Reading } from '../../host/host.ts';
import { orElse } from '../../observe/reading.ts';
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
import { removal, textOf } from './files.ts';
import { ipsetAction } from './ipset.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

/** As the firewall reads it: a network on a line, and nothing else. */
const fileText = ({ networks }: InboundSet): string => networks.map((network) => `${network}\n`).join('');

/** A set of the firewall's gets other networks, in one transaction. */
function refill(nft: boolean, { name, networks }: InboundSet): Action {
  if (!nft) return ipsetAction(`${swapLines(name, networks, '').join('\n')}\n`);
  const filled = networks.length === 0 ? '' : `add element inet fw4 ${name} { ${networks.join(', ')} }\n`;
  return nftAction(`flush set inet fw4 ${name}\n${filled}`);
}

const quoted = (texts: readonly string[]): string => texts.map((text) => ` -e ${word(text)}`).join('');

/**
 * Commands that take rules of ours out of the firewall that is loaded, by what it calls them. Their handles are known only once
 * they stand there. They print nothing where none does.
 */
function takeOut(policy: PolicyFacts, titles: readonly string[]): string[] {
  if (titles.length === 0) return [];
  if (policy.backend === 'nft') {
    const rules = `/^\tchain /{chain=$2} {print "delete rule inet fw4 " chain " handle " $NF " # " $0}`;
    const named = quoted(titles.map((title) => `comment "!fw4: ${title}"`));
    return [`nft -a list table inet fw4 | awk '${rules}' | grep -F${named} | nft -f -`];
  }
  return (['ipv4', 'ipv6'] as const).flatMap((family) => {
    const seen = policy.iptables?.[family];
    if (seen?.state !== 'present') return [];
    const { restore } = seen.value;
    const named = quoted(['*', 'COMMIT', ...titles.map((title) => `--comment "!fw3: ${title}"`)]);
    return [`${restore.replace(/restore$/, 'save')} | grep -F${named} | grep -v '^:' | sed 's/^-A /-D /' | ${restore} --noflush --wait 10`];
  });
}

const shell = (command: string): Action => ({ do: 'run', argv: ['sh', '-c', command], repeatable: true });

/**
 * The steps around the edit of /etc/config/firewall, which `planKeeping` makes together with its own.
 * @param edited that edit changes sections of these
 */
export function planInbound(facts: Facts, policy: PolicyFacts, compared: Compared, edited: boolean): Part {
  const { inbound, backend, files } = policy;
  if (inbound === null) return NOTHING;
  const [unread] = inbound.unread ?? [];
  if (unread !== undefined)
    return refuse([
      say('refused-calls-unread', 'Which calls providers may open is not known, so it is left as it is: {because}.', { because: unread }),
    ]);
  const nft = backend === 'nft';
  const { sections, sets } = compared.inbound;
  const steps: Step[] = [];
  const put = (path: string, after: string | null): void => {
    const { steps: change } = changeFile({
      // Behind the load that lets go of it.
      rank: after === null ? RANK.reload : RANK.policyFiles,
      why: 'policy-inbound',
      said:
        after === null
          ? removal(path)
          : say('step-networks', 'Write down the networks that may open calls, for the firewall to load ({file}).', { file: path }),
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
      ...say('step-fill-set', "Let the firewall's set {set} hold these networks and no others.", { set: set.name }),
      actions: [refill(nft, set)],
      undo,
      commands: [nft ? `nft 'flush set inet fw4 ${set.name}; add element ...'` : `ipset restore # ${set.name}`],
    });
  }
  const refused: Said[] = [];
  const titles = titlesOf(sections);
  const differs = titles.join('\n') !== inbound.titles.join('\n');
  const state = policy.loaded ?? { state: 'present', value: !nft || orElse(facts.nft, null)?.tables.includes('inet fw4') === true };
  // One that its owner has stopped stays stopped: it loads them when it is started.
  const loaded = orElse(state as Reading<boolean>, false);
  if (state.state === 'failed' && (edited || differs))
    refused.push(
      say(
        'refused-load-unknown',
        'Whether the firewall is loaded is not known, so it is not loaded anew: {source} could not be read: {because}.',
        {
          source: state.source,
          because: state.because,
        },
      ),
    );
  else if (!loaded && titles.length > 0)
    refused.push(
      say(
        'lacking-firewall-stopped',
        'Calls that providers may open are not let in: the firewall that lets them in is not loaded, '
          + 'and whoever has stopped it may start it again (`/etc/init.d/firewall start`).',
      ),
    );
  if (edited || (loaded && differs)) {
    // A section the firewall refuses must not cost it the rest.
    const reload = [nft ? 'fw4' : 'fw3', 'reload'];
    if (nft)
      steps.push({
        rank: RANK.policyConfiguration,
        why: 'policy-inbound',
        ...say('step-voice-check', 'See whether the firewall would still load.'),
        actions: [{ do: 'run', argv: ['fw4', 'check'] }],
        undo: [],
        commands: ['fw4 check'],
      });
    if (loaded)
      steps.push({
        rank: RANK.reload,
        why: 'policy-inbound',
        ...say('step-calls-load', 'Let the firewall load its rules for calls from providers.'),
        actions: [{ do: 'run', argv: reload }],
        // What it has loaded must not stay when the configuration does not say so any more.
        undo: takeOut(
          policy,
          titles.filter((title) => !inbound.titles.includes(title)),
        ).map(shell),
        commands: [line(reload)],
        unlocked: true,
      });
  }
  const left = loaded ? [] : inbound.titles.filter((title) => !titles.includes(title));
  for (const command of takeOut(policy, left))
    steps.push({
      rank: RANK.policyOff,
      why: 'policy-inbound',
      ...say('step-calls-out', 'Take rules for calls from providers out of a firewall that does not count as loaded.'),
      actions: [shell(command)],
      undo: [],
      commands: [command],
    });
  for (const { name } of inbound.sets.filter((seen) => !sets.some((set) => set.name === seen.name))) {
    const argv = nft ? ['nft', 'delete', 'set', 'inet', 'fw4', name] : ['ipset', 'destroy', name];
    steps.push({
      rank: RANK.reload,
      why: 'policy-inbound',
      ...say('step-remove-set', "Remove the firewall's set {set}, which nothing uses any more.", { set: name }),
      actions: [{ do: 'run', argv, tolerated: [1] }],
      undo: [],
      commands: [line(argv)],
      unlocked: true,
    });
  }
  for (const path of Object.keys(files))
    if (LOADFILE.test(path.replace(/^\/etc\//, '')) && files[path]?.state === 'present' && !sets.some(({ file }) => file === path))
      put(path, null);
  return { steps, takes: [], refused };
}
