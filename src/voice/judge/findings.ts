/** What the owner should know of the voice rules. Codes are an interface. */
import type { Finding, PolicyVerdict, Weight } from '../../judge/verdict.ts';
import type { Facts } from '../../observe/facts.ts';
import { orElse } from '../../observe/reading.ts';
import { because, finding, registration, shown } from '../../judge/evidence.ts';
import type { Part } from '../../plan/files.ts';
import type { Reading } from '../../host/host.ts';
import type { InForce, PolicyFacts } from '../facts.ts';
import { MOST_ATTEMPTS } from '../seen/nft.ts';
import type { Compared } from './compare.ts';
import { aheadOf, frontFindings } from './front.ts';
import { iptablesFindings, iptablesHopeless } from './iptables.ts';
import { judgeShapers } from './shapers.ts';
import { say } from '../../words/say.ts';
import type { Line, Said } from '../../words/say.ts';

const HOUR = 3_600_000;
/** A list is as good as full: what has expired in it is not listed, and holds its place a little longer. */
const FULL = 0.95;

/** A router without a clock of its own has had a later time before. */
const hoursAgo = (milliseconds: number): Said =>
  milliseconds < 0
    ? say('clock-ahead', 'when the clock was ahead')
    : say('hours-ago', '{hours} h ago', { hours: Math.round(milliseconds / HOUR) });
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

const unanswered = (name: string, why: string | undefined): Said =>
  why === undefined ? say('name-not-asked', '{name}: not asked yet', { name }) : because(name, why);

/** Names whose last try failed: with an older answer, or with none at all. */
function names({ names, wish }: PolicyFacts, at: number): { unresolved: Line[]; stale: Line[] } {
  const unresolved: Line[] = [];
  const stale: Line[] = [];
  for (const { name: provider, hosts } of wish.providers) {
    for (const { name } of hosts) {
      const answer = names[name.toLowerCase()];
      if (!answer?.addresses.length) unresolved.push(unanswered(`${provider}: ${name}`, answer?.failed?.because ?? answer?.refused?.[0]));
      else if (answer.failed)
        stale.push(
          say('name-stale', '{name}: answered {when}, then: {because}', {
            name: `${provider}: ${name}`,
            when: hoursAgo(at - answer.at),
            because: answer.failed.because,
          }),
        );
    }
  }
  return { unresolved, stale };
}

/** Where rules are not as they were loaded. */
const changedIn = (policy: PolicyFacts, { intact }: Compared): string[] =>
  kernel(policy).flatMap(({ where, reading }) => (reading.state === 'present' && !intact[where] ? [reading.source] : []));

/** @param planned what is still to be done, and what cannot be */
function voiceFindings(facts: Facts, policy: PolicyFacts, compared: Compared, { steps, refused }: Part): Finding[] {
  const left = [...refused, ...steps];
  const findings: Finding[] = [];
  const add = (code: string, weight: Weight, evidence: readonly Line[], sentence: Said): void => {
    findings.push(finding(code, weight, sentence, shown(evidence)));
  };
  const there = kernel(policy).flatMap(({ reading }) => (reading.state === 'present' ? [reading.value] : []));
  if (!policy.wanted) {
    if (left.length > 0)
      add(
        'policy-unwanted',
        'note',
        left,
        say(
          'policy-unwanted',
          'Something of the voice firewall rules is still here, though sipalg.main.policy is not 1; `sipalg apply` takes it away.',
        ),
      );
    return findings;
  }
  const { wish, wan, offload } = policy;
  // Where nothing of it can be had, the findings of iptables say so: `apply` would put nothing there.
  if (there.length === 0 && !iptablesHopeless(policy, compared.voice))
    add(
      'policy-missing',
      'risk',
      left,
      say('policy-missing', 'The voice firewall rules are switched on, and not in force; `sipalg apply` puts them there.'),
    );
  if (changedIn(policy, compared).length > 0)
    add(
      'policy-changed',
      'risk',
      left,
      say('policy-changed', 'The voice firewall rules are not as they were loaded; `sipalg apply` puts them right.'),
    );
  if (wish.limit !== null && orElse(wan, []).length === 0) {
    add(
      'policy-wan-unknown',
      'risk',
      [wan.state === 'failed' ? because(wan.source, wan.because) : wan.source],
      say(
        'policy-wan-unknown',
        'No device is known to lead to the internet, so nothing is limited; '
          + "give its zone of /etc/config/firewall `option masq '1'` or the name wan.",
      ),
    );
  }
  if (!orElse(policy.perFlow, true)) {
    add(
      'timeouts-global',
      'note',
      [policy.perFlow.source],
      say('timeouts-global', 'This kernel cannot give single flows timeouts: every UDP flow of the router lives as long as SIP needs.'),
    );
  }
  const registered = registration(facts);
  const kept = Math.max(wish.timeouts.signallingReplied, orElse(policy.perFlow, true) ? 0 : orElse(facts.timeouts.udp, 0));
  if (registered !== null && registered.seconds > kept) {
    add(
      'policy-registration',
      'risk',
      [
        registered.evidence,
        say('is-set-to-seconds', '{option} is {seconds} s', {
          option: 'sipalg.timeouts.signalling_replied',
          seconds: wish.timeouts.signallingReplied,
        }),
      ],
      say(
        'policy-registration',
        'A phone registers for longer than its way back is kept: after {kept} s of silence no call reaches it until it registers again. '
          + 'What fits: `{command}`, or keepalives at the phone.',
        { kept, command: `uci set sipalg.timeouts.signalling_replied=${lasting(registered.seconds)}` },
      ),
    );
  }
  const offloading = orElse(offload, null);
  if (offloading?.software) {
    const { marking } = wish;
    const bare =
      marking === null
        ? ['enabled=1']
        : [...(marking.media.value === 0 ? ['media=EF'] : []), ...(marking.signalling.value === 0 ? ['signalling=CS3'] : [])];
    const fits = bare.map((one) => `\`uci set sipalg.marking.${one}\``);
    const off = `\`${OFFLOAD_OFF}\``;
    const values = { fits, off };
    const bypassed = (weight: Weight, evidence: readonly Line[], sentence: Said): void => add('policy-offload', weight, evidence, sentence);
    if (bare.length > 1 || marking === null)
      bypassed(
        'risk',
        [offload.source],
        say(
          'policy-offload-voice',
          'Flow offload is on, and voice that is not marked cannot be kept out of it: its packets pass the rules by. '
            + 'What fits: {fits}, or {off}.',
          values,
        ),
      );
    else if (bare[0] === 'media=EF')
      bypassed(
        'risk',
        [offload.source],
        say(
          'policy-offload-audio',
          'Flow offload is on, and audio that is not marked cannot be kept out of it: its packets pass the rules by. '
            + 'What fits: {fits}, or {off}.',
          values,
        ),
      );
    else if (bare.length > 0)
      bypassed(
        'risk',
        [offload.source],
        say(
          'policy-offload-signalling',
          'Flow offload is on, and signalling that is not marked cannot be kept out of it: its packets pass the rules by. '
            + 'What fits: {fits}, or {off}.',
          values,
        ),
      );
    const unmarked = marking === null ? [] : wish.providers.filter((provider) => provider.marking === false).map(({ name }) => name);
    if (unmarked.length > 0)
      bypassed(
        'note',
        unmarked.map((name) => say('is-set-to', '{source} is {value}', { source: `sipalg.${name}.marking`, value: 0 })),
        say(
          'policy-offload-provider',
          'Flow offload is on, and the voice of {providers} is not marked here: what its phones do not mark by themselves '
            + 'passes the rules by. What fits: {fits}, or {off}.',
          { providers: unmarked, fits: `\`uci set sipalg.${unmarked[0]}.marking=1\``, off },
        ),
      );
    // A firewall that is stopped offloads nothing.
    const stopped = policy.loaded?.state === 'present' && !policy.loaded.value;
    if (!compared.excluded && !stopped && offloading.forward?.loaded !== false && bare.length !== 2 && marking !== null)
      bypassed(
        'risk',
        [offload.source],
        say(
          'policy-offload',
          'Flow offload is on, and voice is not kept out of it: its packets pass the rules by. `sipalg apply` may mend that; {off} does.',
          { off },
        ),
      );
  }
  for (const { kind, device, how, conflict, says, setting } of judgeShapers(policy.shapers, wish)) {
    if (conflict === null || says === undefined) continue;
    const said = { ...says, text: conflict };
    const advice = setting === null ? said : say('policy-shaper', '{conflict} What fits: `{setting}`.', { conflict: said, setting });
    add('policy-shaper', 'note', [say('shaper-on', '{kind} on {device}: {how}', { kind, device, how })], advice);
  }
  const { unresolved, stale } = names(policy, facts.at);
  if (unresolved.length > 0)
    add(
      'provider-unresolved',
      'risk',
      unresolved,
      say('provider-unresolved', "Providers' names have no address yet, so their servers count as strangers."),
    );
  if (stale.length > 0)
    add(
      'provider-stale',
      'note',
      stale,
      say('provider-stale', "Providers' names were last asked for in vain; the last good answers are in force."),
    );
  const secure = wish.providers.flatMap(({ name, hosts }) =>
    hosts.flatMap((host) => {
      const ports = policy.names[host.name.toLowerCase()]?.tlsPorts ?? [];
      return ports.length > 0 ? [say('host-port', '{host}, port {ports}', { host: `${name}: ${host.name}`, ports: ports.join(', ') })] : [];
    }),
  );
  const plain = there.some(({ counters }) => counters.some(({ name, packets }) => name === 'plain_signalling' && packets > 0));
  if (secure.length > 0 && plain)
    add(
      'provider-plain',
      'note',
      secure,
      say(
        'provider-plain',
        'A phone here signals in plain text, and its provider may offer TLS: '
          + 'who listens learns who calls whom, and on some phones the password.',
      ),
    );
  const attempts = there.flatMap(({ attempts: some }) => some);
  if (attempts.length > 0) {
    const sources = new Set(attempts.map(({ source }) => source)).size;
    const sum = (of: 'seen' | 'dropped'): number => attempts.reduce((total, one) => total + one[of], 0);
    const values = { addresses: sources, requests: sum('seen'), dropped: sum('dropped') };
    add(
      'attempts',
      'note',
      attempts.map(({ source, method, seen, dropped, last }) => {
        const seldom = { source, method, seen, dropped };
        return last === null
          ? say('attempt', '{source}: {method}, {seen} seen, {dropped} dropped', seldom)
          : say('attempt-last', '{source}: {method}, {seen} seen, {dropped} dropped, last {last}', {
              ...seldom,
              last: new Date(last).toISOString(),
            });
      }),
      attempts.length >= MOST_ATTEMPTS
        ? say(
            'attempts-at-least',
            "At least {addresses} {addresses:address|addresses} of no provider's tried SIP from the internet: "
              + '{requests} requests, {dropped} of them dropped.',
            values,
          )
        : say(
            'attempts',
            "{addresses} {addresses:address|addresses} of no provider's tried SIP from the internet: "
              + '{requests} requests, {dropped} of them dropped.',
            values,
          ),
    );
  }
  const full = there.flatMap(({ lists }) => lists.filter(({ entries, most }) => entries >= most * FULL));
  if (full.length > 0) {
    const values = { lists: full.length };
    add(
      'attempts-full',
      'note',
      full.map(({ name, entries, most }) => say('list-entries', '{name}: {entries} of {most}', { name, entries, most })),
      full.some(({ name }) => /registered|offices/.test(name))
        ? say(
            'attempts-full-phones',
            '{lists:A list|Several lists} of the voice firewall rules {lists:is|are} full: '
              + 'more phones out there are registered than it has room for, '
              + 'and the others count as strangers; name them in a section `site`.',
            values,
          )
        : say(
            'attempts-full',
            '{lists:A list|Several lists} of the voice firewall rules {lists:is|are} full: '
              + 'so many addresses at once are those of a flood. '
              + 'The strangers beyond share one allowance and are not listed; providers, sites and whoever is registered lose nothing.',
            values,
          ),
    );
  }
  return findings;
}

/** Providers whom somebody else's block list holds. */
function blockFindings({ blocks }: PolicyFacts): Finding[] {
  if (blocks === undefined || blocks.state === 'absent') return [];
  if (blocks.state === 'failed')
    return [
      finding(
        'provider-blocks-unread',
        'note',
        say('provider-blocks-unread', 'Whether a block list of this router holds a provider could not be read.'),
        [because(blocks.source, blocks.because)],
      ),
    ];
  const { holding, spared, unasked } = blocks.value;
  const findings: Finding[] = [];
  if (holding.length > 0)
    findings.push(
      finding(
        'provider-blocked',
        'risk',
        say(
          'provider-blocked',
          'A block list of this router holds {providers}: what comes from there is dropped, unless something lets it pass before. '
            + 'Put the addresses on the allow list of the program that fills the set (banIP: /etc/banip/banip.allowlist).',
          { providers: [...new Set(holding.map(({ provider }) => provider))] },
        ),
        shown(
          holding.map(({ set, provider, network }) => say('set-holds', '{set} holds {network} of {provider}', { set, network, provider })),
        ),
      ),
    );
  if (spared.length + unasked > 0)
    findings.push(
      finding(
        'provider-blocks-unread',
        'note',
        say('provider-blocks-unread-in-part', 'Whether a block list of this router holds a provider could not be read in full: {why}.', {
          why: [
            ...(spared.length > 0 ? [say('why-spared', 'a look at a set with limits would spend of them')] : []),
            ...(unasked > 0
              ? [say('why-unasked', '{questions} {questions:question was|questions were} left out', { questions: unasked })]
              : []),
          ],
        }),
        shown(spared),
      ),
    );
  return findings;
}

/** What cannot be let in, and why. */
const inboundFindings = ({ inbound }: Compared): Finding[] =>
  inbound.lacking.map((sentence) => finding('policy-inbound', 'risk', sentence, ['/etc/config/sipalg']));

/** @param compared what `compare` says of the same facts @param planned what `plan` says of them */
export function judge(facts: Facts, policy: PolicyFacts, compared: Compared, planned: Part): PolicyVerdict & { findings: Finding[] } {
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
