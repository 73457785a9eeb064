/** What a fleet wants to see of a router, as metrics. Names, labels and help texts are an interface: they do not change. */
import type { Reading } from '../host/host.ts';
import type { Metric, Sample } from '../languages/prometheus/exposition.ts';
import type { SentCounts } from '../hep/record.ts';
import type { LastProbe } from '../probe/last.ts';
import type { Report } from '../survey/survey.ts';
import { exitCode } from '../survey/survey.ts';
import type { InForce } from '../voice/facts.ts';

const VERDICTS = ['rewriting', 'tracking', 'off', 'unknown'] as const;
const WISHES = ['unmanaged', 'disabled', 'enabled'] as const;
const MOMENTS = ['firewall reload', 'boot', 'package upgrade', 'sysupgrade'] as const;
const WEIGHTS = ['alarm', 'trouble', 'risk', 'note'] as const;
const METHODS = ['register', 'invite', 'options', 'other', 'tcp'] as const;

const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({ name, type: 'gauge', help, samples });
const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({ name, type: 'counter', help, samples });
const one = (value: number): Sample[] => [{ value }];
const seconds = (milliseconds: number): number => milliseconds / 1000;

/** Every state there is, and 1 for the one that holds. */
const stateSet = (label: string, states: readonly string[], holds: (state: string) => boolean): Sample[] =>
  states.map((state) => ({ labels: { [label]: state }, value: holds(state) ? 1 : 0 }));

interface Counted {
  packets: number;
  bytes: number;
}

/** What the voice rules have counted, by counter; both families of iptables together. null: nothing could be read of it. */
function countersOf({ policy }: Report['facts']): Map<string, Counted> | null {
  if (policy.state !== 'present') return null;
  const { all, ipv4, ipv6 } = policy.value.inForce;
  const readings: Reading<InForce>[] = [all, ipv4, ipv6];
  const present = readings.flatMap((reading) => (reading.state === 'present' ? [reading.value] : []));
  // Half of a sum would look like a counter that was set back.
  if (present.length === 0 || readings.some(({ state }) => state === 'failed')) return null;
  const sums = new Map<string, Counted>();
  for (const { name, packets, bytes } of present.flatMap(({ counters }) => counters)) {
    const sum = sums.get(name) ?? { packets: 0, bytes: 0 };
    sums.set(name, { packets: sum.packets + packets, bytes: sum.bytes + bytes });
  }
  return sums;
}

function counted(
  counters: Map<string, Counted> | null,
  label: string,
  names: readonly string[],
  prefix: string,
  what: keyof Counted,
): Sample[] {
  return names.flatMap((name) => {
    const found = counters?.get(prefix + name);
    return found === undefined ? [] : [{ labels: { [label]: name }, value: found[what] }];
  });
}

/** When the oldest answer for a provider's name in force was given; those never answered are counted, and have none. */
function answers({ policy }: Report['facts']): { names: Sample[]; oldest: Sample[] } {
  const asked = policy.state === 'present' ? policy.value.wish.providers.flatMap(({ hosts }) => hosts.map(({ name }) => name)) : [];
  if (policy.state !== 'present' || asked.length === 0) return { names: [], oldest: [] };
  const { names } = policy.value;
  const moments = [...new Set(asked.map((name) => name.replace(/\.$/, '').toLowerCase()))].map((name) => names[name]?.at ?? 0);
  const answered = moments.filter((at) => at > 0);
  return {
    names: [
      { labels: { state: 'answered' }, value: answered.length },
      { labels: { state: 'never' }, value: moments.length - answered.length },
    ],
    oldest: answered.length === 0 ? [] : one(seconds(Math.min(...answered))),
  };
}

/** What was noted on the router beside a look: how its last probes ended, and what became of messages for a Homer server. */
export interface Noted {
  probes: readonly LastProbe[];
  /** null: none are sent. */
  sent: SentCounts | null;
}

const PROBE_RESULTS: readonly LastProbe['result'][] = ['unchanged', 'changed', 'inconclusive'];

const notedMetrics = ({ probes, sent }: Noted): Metric[] => [
  gauge(
    'sipalg_probe_timestamp_seconds',
    'When the last probe of that kind ended, in seconds since 1970; since the router was started.',
    probes.map(({ kind, at }) => ({ labels: { kind }, value: seconds(at) })),
  ),
  gauge(
    'sipalg_probe_result',
    'How the last probe of that kind ended: 1 for the result that holds, 0 for the others.',
    probes.flatMap(({ kind, result }) =>
      PROBE_RESULTS.map((one) => ({ labels: { kind, result: one }, value: one === result ? 1 : 0 })),
    ),
  ),
  gauge(
    'sipalg_probe_messages',
    'Messages of the last probe of that kind, all of them and those that were rewritten or dropped.',
    probes.flatMap(({ kind, messages, changed }) => [
      { labels: { kind, which: 'all' }, value: messages },
      { labels: { kind, which: 'changed' }, value: changed },
    ]),
  ),
  counter(
    'sipalg_hep_messages_total',
    'Messages of phones that were recorded for a Homer server: sent, or why not.',
    sent === null ? [] : Object.entries(sent).map(([result, value]) => ({ labels: { result }, value })),
  ),
];

/** @returns the metrics of one look, the last of which says whether it saw all that it needs; a file that ends with it is whole */
export function metricsOf(report: Report, noted: Noted = { probes: [], sent: null }): Metric[] {
  const { version, facts, verdict, plan } = report;
  const { flows } = verdict;
  const counters = countersOf(facts);
  const { names, oldest } = answers(facts);
  const release = facts.system.release.state === 'present' ? facts.system.release.value : 'unknown';
  const expectations = facts.expectations.state === 'present' ? one(facts.expectations.value.length) : [];
  return [
    gauge('sipalg_build_info', 'The version of sipalg, and the release it runs on; always 1.', [
      { labels: { version, release }, value: 1 },
    ]),
    gauge('sipalg_check_timestamp_seconds', 'When the router was last looked at, in seconds since 1970.', one(seconds(facts.at))),
    gauge(
      'sipalg_verdict',
      'Whether a SIP ALG touches calls: 1 for the state that holds, 0 for the others.',
      stateSet('state', VERDICTS, (state) => state === verdict.alg),
    ),
    gauge(
      'sipalg_returns',
      'Whether something would bring the SIP ALG back at that moment (1) or not (0).',
      stateSet('at', MOMENTS, (at) => verdict.returns.some((one) => one.at === at)),
    ),
    gauge(
      'sipalg_wish',
      'What /etc/config/sipalg asks for: 1 for the wish that holds, 0 for the others.',
      stateSet('wish', WISHES, (wish) => wish === facts.wish.wish.alg),
    ),
    gauge(
      'sipalg_exit_code',
      'What `sipalg status` ends with: 0 off for good and as wished, 1 on or would come back or not as wished, 2 trouble or unknown.',
      one(exitCode(report)),
    ),
    gauge(
      'sipalg_findings',
      'How many findings of each weight there are.',
      WEIGHTS.map((weight) => ({ labels: { weight }, value: verdict.findings.filter((finding) => finding.weight === weight).length })),
    ),
    gauge(
      'sipalg_pending_steps',
      'How many changes would lead to the wish and are not made; while the ALG is unmanaged its own are not counted.',
      one(plan.steps.filter(({ of }) => of === 'policy' || plan.wish !== 'unmanaged').length),
    ),
    gauge(
      'sipalg_helper_flows',
      'Live flows under the SIP helper, translated (and so rewritten) or only watched.',
      flows === null
        ? []
        : [
            { labels: { kind: 'translated' }, value: flows.translated },
            { labels: { kind: 'watched' }, value: flows.watched },
          ],
    ),
    gauge('sipalg_helper_expectations', 'Holes that the SIP helper holds open in the firewall.', expectations),
    counter(
      'sipalg_attempts_total',
      "SIP requests from the internet, by method, that are no provider's and part of no call; tcp: new connections.",
      counted(counters, 'method', METHODS, 'attempts_', 'packets'),
    ),
    counter(
      'sipalg_limited_total',
      'Those attempts that were dropped, by method.',
      counted(counters, 'method', METHODS, 'limited_', 'packets'),
    ),
    counter(
      'sipalg_limited_stream_packets_total',
      'Packets of TCP that were dropped, for their source had sent more than it may.',
      counters?.get('limited_kilobytes') === undefined ? [] : one(counters.get('limited_kilobytes')?.packets ?? 0),
    ),
    counter(
      'sipalg_voice_packets_total',
      'Packets known as voice and marked, here or before.',
      counted(counters, 'kind', ['signalling', 'media'], 'voice_', 'packets'),
    ),
    counter(
      'sipalg_voice_bytes_total',
      'Bytes of packets known as voice and marked, here or before.',
      counted(counters, 'kind', ['signalling', 'media'], 'voice_', 'bytes'),
    ),
    counter(
      'sipalg_plain_signalling_packets_total',
      'Packets of signalling that left for the internet unencrypted.',
      counters?.get('plain_signalling') === undefined ? [] : one(counters.get('plain_signalling')?.packets ?? 0),
    ),
    gauge('sipalg_provider_names', 'Names of providers, answered or never answered.', names),
    gauge(
      'sipalg_oldest_provider_answer_timestamp_seconds',
      "When the oldest answer for a provider's name that is in force was given, in seconds since 1970.",
      oldest,
    ),
    ...notedMetrics(noted),
    gauge(
      'sipalg_check_success',
      'Whether all that the verdict needs could be read (1) or not (0).',
      one(verdict.unread.length === 0 && verdict.alg !== 'unknown' ? 1 : 0),
    ),
  ];
}
