/** What the owner should know of the voice rules. Codes are an interface. */
import type { Finding, PolicyVerdict, Weight } from '../../judge/verdict.ts';
import type { Facts } from '../../observe/facts.ts';
import { orElse } from '../../observe/reading.ts';
import { registration, shown } from '../../judge/evidence.ts';
import type { Part } from '../../plan/files.ts';
import type { Reading } from '../../host/host.ts';
import type { InForce, PolicyFacts } from '../facts.ts';
import { MOST_ATTEMPTS } from '../seen/nft.ts';
import type { Compared } from './compare.ts';
import { aheadOf, frontFindings } from './front.ts';
import { iptablesFindings, iptablesHopeless } from './iptables.ts';
import { judgeShapers } from './shapers.ts';

const HOUR = 3_600_000;
/** A list is as good as full: what has expired in it is not listed, and holds its place a little longer. */
const FULL = 0.95;

/** A router without a clock of its own has had a later time before. */
const hoursAgo = (milliseconds: number): string =>
  milliseconds < 0 ? 'when the clock was ahead' : `${Math.round(milliseconds / HOUR)} h ago`;
const OFFLOAD_OFF = 'uci set firewall.@defaults[0].flow_offloading=0';

/** Seconds for which servers usually let a phone register; what was seen of one is what was left of it. */
const USUAL = [600, 900, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200];
const lasting = (seconds: number): number => Math.min(86_400, (USUAL.find((usual) => usual >= seconds) ?? 86_400) + 60);

type Where = keyof Compared['intact'];

/** The kernel's answers that count: of nftables, or of each family. */
function kernel({ backend, inForce }: PolicyFacts): { where: Where; reading: Reading<InForce> }[] {
  const places: readonly Where[] = backend === 'nft' ? ['all'] : ['ipv4', 'ipv6'];
  return places.map((where) => ({ where, reading: inForce[where] }));
}

/** Names whose last try failed: with an older answer, or with none at all. */
function names({ names, wish }: PolicyFacts, at: number): { unresolved: string[]; stale: string[] } {
  const unresolved: string[] = [];
  const stale: string[] = [];
  for (const { name: provider, hosts } of wish.providers) {
    for (const { name } of hosts) {
      const answer = names[name.toLowerCase()];
      if (!answer?.addresses.length)
        unresolved.push(`${provider}: ${name}: ${answer?.failed?.because ?? answer?.refused?.[0] ?? 'not asked yet'}`);
      else if (answer.failed) stale.push(`${provider}: ${name}: answered ${hoursAgo(at - answer.at)}, then: ${answer.failed.because}`);
    }
  }
  return { unresolved, stale };
}

/** Where rules are not as they were loaded. */
const changedIn = (policy: PolicyFacts, { intact }: Compared): string[] =>
  kernel(policy).flatMap(({ where, reading }) => (reading.state === 'present' && !intact[where] ? [reading.source] : []));

/** @param planned what is still to be done, and what cannot be */
function voiceFindings(facts: Facts, policy: PolicyFacts, compared: Compared, { steps, refused }: Part): Finding[] {
  const left = [...refused, ...steps.map(({ text }) => text)];
  const findings: Finding[] = [];
  const say = (code: string, weight: Weight, evidence: readonly string[], text: string): void => {
    findings.push({ code, weight, text, evidence: shown(evidence) });
  };
  const there = kernel(policy).flatMap(({ reading }) => (reading.state === 'present' ? [reading.value] : []));
  if (!policy.wanted) {
    if (left.length > 0)
      say(
        'policy-unwanted',
        'note',
        left,
        'Something of the voice firewall rules is still here, though sipalg.main.policy is not 1; `sipalg apply` takes it away.',
      );
    return findings;
  }
  const { wish, wan, offload } = policy;
  // Where nothing of it can be had, the findings of iptables say so: `apply` would put nothing there.
  if (there.length === 0 && !iptablesHopeless(policy, compared.voice))
    say('policy-missing', 'risk', left, 'The voice firewall rules are wished, and not in force; `sipalg apply` puts them there.');
  if (changedIn(policy, compared).length > 0)
    say('policy-changed', 'risk', left, 'The voice firewall rules are not as they were loaded; `sipalg apply` puts them right.');
  if (wish.limit !== null && orElse(wan, []).length === 0) {
    say(
      'policy-wan-unknown',
      'risk',
      [wan.state === 'failed' ? `${wan.source}: ${wan.because}` : wan.source],
      'No device is known to lead to the internet, so nothing is limited; '
        + "give its zone of /etc/config/firewall `option masq '1'` or the name wan.",
    );
  }
  if (!orElse(policy.perFlow, true)) {
    say(
      'timeouts-global',
      'note',
      [policy.perFlow.source],
      'This kernel cannot give single flows timeouts: every UDP flow of the router lives as long as SIP needs.',
    );
  }
  const registered = registration(facts);
  const kept = Math.max(wish.timeouts.signallingReplied, orElse(policy.perFlow, true) ? 0 : orElse(facts.timeouts.udp, 0));
  if (registered !== null && registered.seconds > kept) {
    say(
      'policy-registration',
      'risk',
      [registered.evidence, `sipalg.timeouts.signalling_replied is ${wish.timeouts.signallingReplied} s`],
      `A phone registers for longer than its way back is kept: after ${kept} s of silence no call reaches it until it registers again. `
        + `What fits: \`uci set sipalg.timeouts.signalling_replied=${lasting(registered.seconds)}\`, or keepalives at the phone.`,
    );
  }
  const off = orElse(offload, null);
  if (off?.software) {
    const { marking } = wish;
    const bare =
      marking === null
        ? ['enabled=1']
        : [...(marking.media.value === 0 ? ['media=EF'] : []), ...(marking.signalling.value === 0 ? ['signalling=CS3'] : [])];
    const what = bare.length > 1 || marking === null ? 'voice' : bare[0] === 'media=EF' ? 'audio' : 'signalling';
    const bypassed = (which: string, setting: string): void =>
      say('policy-offload', 'risk', [offload.source], `Flow offload is on, and ${which}: its packets pass the rules by. ${setting}`);
    if (bare.length > 0) {
      bypassed(
        `${what} that is not marked cannot be kept out of it`,
        `What fits: ${bare.map((one) => `\`uci set sipalg.marking.${one}\``).join(' and ')}, or \`${OFFLOAD_OFF}\`.`,
      );
    }
    const unmarked = marking === null ? [] : wish.providers.filter((provider) => provider.marking === false).map(({ name }) => name);
    if (unmarked.length > 0) {
      say(
        'policy-offload',
        'note',
        unmarked.map((name) => `sipalg.${name}.marking is 0`),
        `Flow offload is on, and the voice of ${unmarked.join(', ')} is not marked here: what its phones do not mark by themselves `
          + `passes the rules by. What fits: \`uci set sipalg.${unmarked[0]}.marking=1\`, or \`${OFFLOAD_OFF}\`.`,
      );
    }
    // A firewall that is stopped offloads nothing.
    const stopped = policy.loaded?.state === 'present' && !policy.loaded.value;
    if (!compared.excluded && !stopped && off.forward?.loaded !== false && bare.length !== 2 && marking !== null) {
      bypassed('voice is not kept out of it', `\`sipalg apply\` may mend that; \`${OFFLOAD_OFF}\` does.`);
    }
  }
  for (const { kind, device, how, conflict, setting } of judgeShapers(policy.shapers, wish)) {
    if (conflict === null) continue;
    const advice = setting === null ? conflict : `${conflict} What fits: \`${setting}\`.`;
    say('policy-shaper', 'note', [`${kind} on ${device}: ${how}`], advice);
  }
  const { unresolved, stale } = names(policy, facts.at);
  if (unresolved.length > 0)
    say('provider-unresolved', 'risk', unresolved, "Providers' names have no address yet, so their servers count as strangers.");
  if (stale.length > 0)
    say('provider-stale', 'note', stale, "Providers' names were last asked for in vain; the last good answers are in force.");
  const secure = wish.providers.flatMap(({ name, hosts }) =>
    hosts.flatMap((host) => {
      const ports = policy.names[host.name.toLowerCase()]?.tlsPorts ?? [];
      return ports.length > 0 ? [`${name}: ${host.name}, port ${ports.join(', ')}`] : [];
    }),
  );
  const plain = there.some(({ counters }) => counters.some(({ name, packets }) => name === 'plain_signalling' && packets > 0));
  if (secure.length > 0 && plain)
    say(
      'provider-plain',
      'note',
      secure,
      'A phone here signals in plain text, and its provider may offer TLS: '
        + 'who listens learns who calls whom, and on some phones the password.',
    );
  const attempts = there.flatMap(({ attempts: some }) => some);
  if (attempts.length > 0) {
    const sources = new Set(attempts.map(({ source }) => source)).size;
    const sum = (of: 'seen' | 'dropped'): number => attempts.reduce((total, one) => total + one[of], 0);
    const full = attempts.length >= MOST_ATTEMPTS ? 'At least ' : '';
    say(
      'attempts',
      'note',
      attempts.map(
        ({ source, method, seen, dropped, last }) =>
          `${source}: ${method}, ${seen} seen, ${dropped} dropped${last === null ? '' : `, last ${new Date(last).toISOString()}`}`,
      ),
      `${full}${sources} address${sources === 1 ? '' : 'es'} of no provider's tried SIP from the internet: `
        + `${sum('seen')} requests, ${sum('dropped')} of them dropped.`,
    );
  }
  const full = there.flatMap(({ lists }) => lists.filter(({ entries, most }) => entries >= most * FULL));
  if (full.length > 0) {
    const lost = full.some(({ name }) => /registered|offices/.test(name))
      ? 'more phones out there are registered than it has room for, and the others count as strangers; name them in a section `site`.'
      : 'so many addresses at once are those of a flood. The strangers beyond share one allowance and are not listed; '
        + 'providers, sites and whoever is registered lose nothing.';
    const lists = full.length === 1 ? 'A list of the voice firewall rules is' : `${full.length} lists of the voice firewall rules are`;
    say(
      'attempts-full',
      'note',
      full.map(({ name, entries, most }) => `${name}: ${entries} of ${most}`),
      `${lists} full: ${lost}`,
    );
  }
  return findings;
}

/** Providers whom somebody else's block list holds. */
function blockFindings({ blocks }: PolicyFacts): Finding[] {
  if (blocks === undefined || blocks.state === 'absent') return [];
  const unread = 'Whether a block list of this router holds a provider could not be read';
  if (blocks.state === 'failed')
    return [{ code: 'provider-blocks-unread', weight: 'note', text: `${unread}.`, evidence: [`${blocks.source}: ${blocks.because}`] }];
  const { holding, spared, unasked } = blocks.value;
  const findings: Finding[] = [];
  if (holding.length > 0)
    findings.push({
      code: 'provider-blocked',
      weight: 'risk',
      text:
        `A block list of this router holds ${[...new Set(holding.map(({ provider }) => provider))].join(', ')}: what comes from there is `
        + 'dropped, unless something lets it pass before. Put the addresses on the allow list of the program that fills the set '
        + '(banIP: /etc/banip/banip.allowlist).',
      evidence: shown(holding.map(({ set, provider, network }) => `${set} holds ${network} of ${provider}`)),
    });
  if (spared.length + unasked > 0)
    findings.push({
      code: 'provider-blocks-unread',
      weight: 'note',
      text: `${unread} in full: ${[
        ...(spared.length > 0 ? ['a look at a set with limits would spend of them'] : []),
        ...(unasked > 0 ? [`${unasked} questions were left out`] : []),
      ].join(', and ')}.`,
      evidence: shown(spared),
    });
  return findings;
}

/** What cannot be let in, and why. */
const inboundFindings = ({ inbound }: Compared): Finding[] =>
  inbound.lacking.map((text) => ({ code: 'policy-inbound', weight: 'risk', text, evidence: ['/etc/config/sipalg'] }));

/** @param compared what `compare` says of the same facts @param planned what `plan` says of them */
export function judge(
  facts: Facts,
  policy: PolicyFacts,
  compared: Compared,
  planned: Part,
): PolicyVerdict & { findings: Finding[] } {
  const ahead = aheadOf(facts, policy, compared.inbound);
  const lacking = policy.backend === 'iptables' && policy.wanted ? iptablesFindings(policy, compared.voice) : [];
  return {
    findings: [
      ...voiceFindings(facts, policy, compared, planned),
      ...lacking,
      ...inboundFindings(compared),
      ...frontFindings(ahead, policy),
      ...blockFindings(policy),
    ],
    changed: changedIn(policy, compared),
    ...(ahead.length > 0 ? { behind: [...new Set(ahead.map(({ way }) => way.to))].sort() } : {}),
    excluded: compared.excluded,
    shapers: judgeShapers(policy.shapers, policy.wish),
  };
}
