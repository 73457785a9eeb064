/** The voice firewall rules: what is in force of them, and what they have counted. */
import type { Report } from '../survey/survey.ts';
import type { InForce } from '../voice/facts.ts';
import { counterIn } from '../words/counters.ts';
import { say } from '../words/say.ts';
import type { Line } from '../words/say.ts';
import type { Block, Section } from './document.ts';
import { linesOf } from './said.ts';

/** So many sources of attempts are shown, the busiest first. */
const MOST = 20;

export function voiceSection({ facts, plan }: Report): Section {
  const section = (blocks: Block[]): Section => ({
    name: 'voice',
    title: say('report-voice', 'Voice firewall rules, and what they counted'),
    blocks,
  });
  const { policy } = facts;
  if (policy.state === 'absent')
    return section([{ is: 'text', line: say('voice-off', 'They are off, and nothing of them is on this router.') }]);
  if (policy.state === 'failed')
    return section([{ is: 'text', line: say('voice-not-seen', 'They could not be looked at: {because}.', { because: policy.because }) }]);
  const { value } = policy;
  const { inForce, backend, wish } = value;
  const readings = backend === 'nft' ? [inForce.all] : [inForce.ipv4, inForce.ipv6];
  const left = plan.steps.filter(({ of }) => of === 'policy');
  const missing = linesOf(plan.lacking, plan.lackingCoded);
  const blocks: Block[] = [];
  const failed = readings.flatMap((one) => (one.state === 'failed' ? [one] : []));
  if (failed.length > 0)
    for (const { source, because } of failed)
      blocks.push({
        is: 'text',
        line: say('voice-force-unread', 'Whether they are in force could not be read: {source}: {because}', { source, because }),
      });
  else
    blocks.push({
      is: 'text',
      line: !value.wanted
        ? say('voice-still', 'They are off, and something of them is still on this router.')
        : left.length + missing.length > 0
          ? say('voice-not-whole', 'They are switched on, and not in force as configured.')
          : say('voice-are', 'They are in force.'),
    });
  if (missing.length > 0) blocks.push({ is: 'items', items: missing.map((line) => ({ tone: 'risk', line, evidence: [] })) });
  blocks.push(wishTable(wish));
  const seen = readings.flatMap((one, at) =>
    one.state === 'present' ? [{ of: backend === 'nft' ? '' : `IPv${at === 0 ? 4 : 6}: `, value: one.value }] : [],
  );
  const counters = seen.flatMap(({ of, value: { counters: all } }) =>
    all.map(({ name, packets, bytes }): Line[] => {
      const said = counterIn(name);
      const label: Line =
        said === null ? `${of}${name}` : of === '' ? said : say('counter-of', '{family}{counter}', { family: of, counter: said });
      return [label, String(packets), String(bytes)];
    }),
  );
  if (counters.length > 0)
    blocks.push({
      is: 'table',
      name: say('report-counters', 'Counted'),
      heads: [say('head-what', 'What'), say('head-packets', 'Packets'), say('head-bytes', 'Bytes')],
      rows: counters,
    });
  blocks.push(...attemptsOf(seen.map(({ value: one }) => one)));
  return section(blocks);
}

function wishTable({
  timeouts: _,
  marking,
  limit,
  providers,
  sites,
}: Extract<Report['facts']['policy'], { state: 'present' }>['value']['wish']): Block {
  const none: Line = say('cli-none', 'none');
  return {
    is: 'table',
    name: say('report-rules', 'What they do'),
    heads: [say('head-what', 'What'), say('head-value', 'Value')],
    rows: [
      [say('rules-media', 'Mark on audio'), marking === null ? none : marking.media.name],
      [say('rules-signalling', 'Mark on signalling'), marking === null ? none : marking.signalling.name],
      [
        say('rules-limit', 'Requests a stranger may send in a minute'),
        limit === null
          ? say('rules-unlimited', 'not limited')
          : `REGISTER ${limit.register}, INVITE ${limit.invite}, OPTIONS ${limit.options}`,
      ],
      [
        say('rules-providers', 'Providers, never limited'),
        providers.length === 0 ? none : providers.map(({ name, hosts }) => [name, ...hosts.map((host) => host.name)].join(' ')).join(', '),
      ],
      ...(sites.length === 0 ? [] : [[say('rules-sites', "Places of one's own, never limited"), sites.map(({ name }) => name).join(', ')]]),
    ],
  };
}

function attemptsOf(seen: readonly InForce[]): Block[] {
  const attempts = seen
    .flatMap(({ attempts: all }) => all)
    .sort((one, other) => other.seen - one.seen || (one.source < other.source ? -1 : 1));
  if (attempts.length === 0) return [];
  const more = attempts.length - MOST;
  return [
    {
      is: 'table',
      name: say('report-attempts', 'Attempts of strangers from the internet'),
      heads: [
        say('head-source-of', 'Source'),
        say('head-method-of', 'Method'),
        say('head-requests', 'Requests'),
        say('head-dropped-of', 'Dropped'),
      ],
      rows: attempts
        .slice(0, MOST)
        .map(({ source, method, seen: requests, dropped }) => [source, method, String(requests), String(dropped)]),
    },
    ...(more > 0 ? [{ is: 'text' as const, line: say('attempts-more', 'and {more} more', { more }) }] : []),
  ];
}
