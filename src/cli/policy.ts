/**
 * `sipalg policy` for people: what is wished, what is in force, what was counted and who tried. It lives in the policy's
 * own chunk of the program, for most runs have no use for it.
 */
import type { Reading } from '../host/host.ts';
import type { PolicyVerdict } from '../judge/verdict.ts';
import type { InForce, Offload, PolicyFacts } from '../voice/facts.ts';
import type { Plan } from '../plan/step.ts';
import type { Report, RouterFacts } from '../survey/survey.ts';
import { counterIn } from '../words/counters.ts';
import { english, putLine, putLines } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say, Trouble } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { foldedText } from './fold.ts';
import { findingLines, problemText } from './text.ts';
import type { Provider } from '../wish/wish.ts';

/** So many addresses of a list, and so many attempts, are shown; the rest are counted, and `--json` has them all. */
const SHOWN = 8;
const MOST_ATTEMPTS = 50;

/** Findings that the rest of the text tells in full. */
const SAID = ['attempts', 'policy-missing', 'policy-changed', 'policy-unwanted', 'policy-shaper', 'timeouts-global'];

function few(list: readonly string[]): Said | string {
  return list.length <= SHOWN
    ? list.join(', ')
    : say('few', '{some} and {more} more', { some: list.slice(0, SHOWN).join(', '), more: list.length - SHOWN });
}

function span(milliseconds: number): Said {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return seconds < 120
    ? say('span-seconds', '{number} s', { number: seconds })
    : seconds < 7200
      ? say('span-minutes', '{number} min', { number: Math.floor(seconds / 60) })
      : seconds < 172_800
        ? say('span-hours', '{number} h', { number: Math.floor(seconds / 3600) })
        : say('span-days', '{number} days', { number: Math.floor(seconds / 86_400) });
}

/** A router without a clock of its own has had a later time before, when this was written. */
function ago(milliseconds: number): Said {
  return milliseconds < 0 ? say('clock-ahead', 'when the clock was ahead') : say('ago', '{span} ago', { span: span(milliseconds) });
}

/** Rows of a table; a column that ends in a figure is set flush right. */
function columns(rows: readonly string[][]): string[] {
  const column = (at: number): string[] => rows.map((row) => row[at] ?? '');
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...column(at).map(({ length }) => length)));
  const right = widths.map((_, at) => /^\d+$/.test(column(at).at(-1) ?? ''));
  return rows.map((row) =>
    `  ${row.map((cell, at) => (right[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0))).join('  ')}`.trimEnd(),
  );
}

type Left = Pick<Plan, 'steps' | 'lacking' | 'lackingCoded'>;

/** The kernel's answers that count: one of nftables, or one for each family of iptables. */
function kernel({ backend, inForce: { all, ipv4, ipv6 } }: PolicyFacts): Reading<InForce>[] {
  return backend === 'nft' ? [all] : [ipv4, ipv6];
}

const readings = <T>(list: readonly Reading<T>[]): T[] => list.flatMap((one) => (one.state === 'present' ? [one.value] : []));

function headline(facts: RouterFacts, policy: PolicyFacts, { steps, lacking, lackingCoded }: Left, put: Put): string[] {
  const failed = kernel(policy).flatMap((one) => (one.state === 'failed' ? [`  ${one.source}: ${put(undefined, one.because)}`] : []));
  if (failed.length > 0)
    return [put(say('voice-unread', 'Whether the voice firewall rules are in force is not known; it could not be read:')), ...failed];
  if (facts.wish.wish.policy === null)
    return [put(say('voice-untold', 'Whether the voice firewall rules are to be on cannot be told, so they are left as they are.'))];
  const left = [...putLines(put, lacking, lackingCoded), ...steps.map((step) => put(step))].map((text) => `  ${text}`);
  const does = steps.length > 0 ? [put(say('voice-apply', '`sipalg apply` does it.'))] : [];
  if (!policy.wanted)
    return [
      put(say('voice-left', 'The voice firewall rules are off (sipalg.main.policy is not 1), but something of them is here:')),
      ...left,
      ...does,
    ];
  return left.length === 0
    ? [put(say('voice-in-force', 'The voice firewall rules are in force.'))]
    : [
        put(say('voice-missing', 'The voice firewall rules are switched on, and not in force as configured. What is missing:')),
        ...left,
        ...does,
      ];
}

function wishLines({ wish: { timeouts, marking, limit }, perFlow, wan }: PolicyFacts): Said[] {
  const reach =
    perFlow.state === 'failed'
      ? say('reach-unknown', 'for which flows is not known: {because}', { because: perFlow.because })
      : perFlow.state === 'present' && perFlow.value
        ? say('reach-voice', 'for voice alone')
        : say('reach-all', 'for every UDP flow of the router');
  const from =
    wan.state === 'failed'
      ? say('from-unknown', 'the internet, which could not be told: {because}', { because: wan.because })
      : wan.state === 'absent' || wan.value.length === 0
        ? say('from-nowhere', 'the internet, but no device leads there')
        : few(wan.value);
  return [
    say('voice-timeouts', 'Timeouts: signalling {unreplied} s, once answered {replied} s; media {media} s; {reach}.', {
      unreplied: timeouts.signallingUnreplied,
      replied: timeouts.signallingReplied,
      media: timeouts.media,
      reach,
    }),
    marking === null
      ? say('voice-no-marks', 'Marks: none.')
      : say('voice-marks', 'Marks: media {media}, signalling {signalling}; {own}', {
          media: marking.media.name,
          signalling: marking.signalling.name,
          own: marking.overwrite
            ? say('voice-marks-overwritten', 'marks that phones set are overwritten.')
            : say('voice-marks-kept', 'marks that phones set are left alone.'),
        }),
    limit === null
      ? say('voice-no-limits', 'Limits: none.')
      : say(
          'voice-limits',
          'Limits per minute and source address: REGISTER {register}, INVITE {invite}, OPTIONS {options}, other {other}; '
            + 'over TCP {kilobytes} kB per second; from {from}.',
          {
            register: limit.register,
            invite: limit.invite,
            options: limit.options,
            other: limit.other,
            kilobytes: limit.kilobytes,
            from,
          },
        ),
  ];
}

function nameLines({ name, port }: Provider['hosts'][number], names: PolicyFacts['names'], at: number): Said[] {
  const key = name.replace(/\.$/, '').toLowerCase();
  const answer = Object.hasOwn(names, key) ? names[key] : undefined;
  const host = `    ${name}${port === null ? '' : `:${port}`}`;
  const { failed = null, refused = [] } = answer ?? {};
  const more = refused.map((text) => say('name-refused', '      {because}', { because: text }));
  const vain = failed && say('name-vain', 'asked in vain {when}: {because}', { when: ago(at - failed.at), because: failed.because });
  if (answer === undefined || answer.at === 0)
    return [
      vain ? say('name-none-vain', '{host}: no answer yet; {vain}', { host, vain }) : say('name-none', '{host}: no answer yet', { host }),
      ...more,
    ];
  const ports = [...answer.ports, ...answer.tlsPorts.map((one) => `${one} (TLS)`)].join(', ');
  const addresses = answer.addresses.length === 0 ? say('no-address', 'no address') : few(answer.addresses);
  const values = {
    host,
    addresses: ports === '' ? addresses : say('addresses-ports', '{addresses}, port {ports}', { addresses, ports }),
    when: ago(at - answer.at),
  };
  // One server of several may have been silent when the others answered.
  const line =
    failed === null
      ? say('name-answered', '{host}: {addresses}; answered {when}, asked again in {span}', { ...values, span: span(answer.until - at) })
      : failed.at > answer.at
        ? say('name-answered-stale', '{host}: {addresses}; STALE: answered {when}, {vain}', { ...values, vain: vain ?? '' })
        : say('name-answered-partly', '{host}: {addresses}; answered {when}, in part: {because}', { ...values, because: failed.because });
  return [line, ...more];
}

/** @param behind the addresses whose calls something else has first */
function calls(provider: string, pbx: readonly string[], behind: readonly string[]): Said | string {
  const free = pbx.filter((address) => !behind.includes(address));
  const other = pbx.filter((address) => behind.includes(address));
  const opens =
    free.length > 0 ? say('provider-opens', '{provider}, may open calls to {addresses}', { provider, addresses: few(free) }) : provider;
  return other.length === 0
    ? opens
    : say('provider-is-to-open', '{provider}, is to open calls to {addresses}, but something else has them first: see above', {
        provider: opens,
        addresses: few(other),
      });
}

function providerLines({ wish: { providers }, names }: PolicyFacts, at: number, put: Put, behind: readonly string[] = []): string[] {
  if (providers.length === 0) return [put(say('voice-no-providers', 'Providers: none.'))];
  return [
    put(say('voice-providers', 'Providers:')),
    ...providers.flatMap(({ name, hosts, signalling, media, ports = [], marking, inbound }) =>
      [
        inbound === null ? `  ${name}` : calls(`  ${name}`, inbound.pbx, behind),
        ...(signalling.length > 0 ? [say('provider-signalling', '    signalling: {networks}', { networks: few(signalling) })] : []),
        ...(media.length > 0 ? [say('provider-media', '    media: {networks}', { networks: few(media) })] : []),
        ...(ports.length > 0 ? [say('provider-port', '    port: {ports}', { ports: few(ports.map(String)) })] : []),
        ...(marking === false ? [say('provider-unmarked', '    not marked')] : []),
        ...hosts.flatMap((host) => nameLines(host, names, at)),
      ].map((line) => putLine(put, line)),
    ),
  ];
}

function siteLines({ wish: { sites } }: PolicyFacts, put: Put): string[] {
  return sites.length === 0
    ? []
    : [put(say('voice-sites', 'Sites, never limited:')), ...sites.map(({ name, networks }) => `  ${name}: ${putLine(put, few(networks))}`)];
}

function countedLines(policy: PolicyFacts, verdict: PolicyVerdict, put: Put): string[] {
  const counters = kernel(policy).flatMap((one, at) =>
    readings([one]).flatMap(({ counters }) =>
      counters.map(({ name, packets, bytes }) => {
        const said = counterIn(name);
        const called = said === null ? name : put(said);
        return [policy.backend === 'nft' ? called : `${called} (IPv${at === 0 ? 4 : 6})`, `${packets}`, `${bytes}`];
      }),
    ),
  );
  const changed = verdict.changed.map(
    (source) => `  ${put(say('voice-changed', '{source}: changed by somebody since it was loaded', { source }))}`,
  );
  const phones = readings(kernel(policy)).flatMap(({ phones }) => phones);
  const heads = ['', put(say('voice-packets', 'packets')), put(say('voice-bytes', 'bytes'))];
  return [
    ...(changed.length > 0 ? [put(say('voice-kernel', 'In the kernel:')), ...changed] : []),
    ...(counters.length > 0 ? [put(say('voice-counted', 'Counted:')), ...columns([heads, ...counters])] : []),
    ...(phones.length > 0 ? [put(say('voice-phones', 'Phones seen: {phones}.', { phones: few(phones) }))] : []),
  ];
}

const HEADS = (): Said[] => [
  say('head-source', 'source'),
  say('head-method', 'method'),
  say('head-seen', 'seen'),
  say('head-dropped', 'dropped'),
  say('head-first', 'first'),
  say('head-last', 'last'),
];

function attemptLines(policy: PolicyFacts, at: number, put: Put): string[] {
  const attempts = readings(kernel(policy))
    .flatMap(({ attempts }) => attempts)
    .sort((one, other) => other.seen - one.seen);
  if (attempts.length === 0) return [];
  const when = (time: number | null): string => (time === null ? '?' : put(ago(at - time)));
  const rows = attempts
    .slice(0, MOST_ATTEMPTS)
    .map(({ source, method, seen, dropped, first, last }) => [source, method, `${seen}`, `${dropped}`, when(first), when(last)]);
  const more = attempts.length - rows.length;
  return [
    put(say('voice-attempts', 'Attempts from the internet, by addresses of no provider:')),
    ...columns([HEADS().map((head) => put(head)), ...rows]),
    ...(more > 0 ? [`  ${put(say('voice-more', 'and {more} more; `sipalg policy --json` has them all', { more }))}`] : []),
  ];
}

function besideLines({ offload }: PolicyFacts, { excluded, shapers }: PolicyVerdict): Said[] {
  return [
    ...offloadLines(offload, excluded),
    ...shapers.map(({ kind, device, how, conflict, says, setting }) =>
      say('voice-shaper', '{kind} on {device} ({how}): {does}{setting}', {
        kind,
        device,
        how,
        does:
          conflict === null
            ? say('voice-shaper-honours', 'it honours the marks.')
            : says === undefined
              ? conflict
              : { ...says, text: conflict },
        setting: setting === null ? '' : ` ${setting}`,
      }),
    ),
  ];
}

function offloadLines(offload: Reading<Offload>, excluded: boolean): Said[] {
  if (offload.state !== 'present') return [];
  const { software, hardware } = offload.value;
  if (!software && !hardware) return [];
  const out = excluded
    ? say('offload-excluded', 'marked voice is kept out of it.')
    : say('offload-not-excluded', 'marked voice is not kept out of it.');
  return [
    hardware
      ? say('voice-offload-hardware', 'Flow offload is on, in hardware too; {out}', { out })
      : say('voice-offload', 'Flow offload is on; {out}', { out }),
  ];
}

/** @throws Error where the report is on a router without voice rules */
export function voiceText({ facts, verdict, plan }: Report, put: Put = english, width?: number): string {
  const { policy } = facts;
  if (policy.state !== 'present' || verdict.policy === undefined)
    throw new Trouble(say('voice-none', 'there are no voice firewall rules to show'));
  const steps = plan.steps.filter(({ of }) => of === 'policy');
  const { lacking } = plan;
  const findings = [
    ...findingLines(
      verdict.findings.filter(({ of, code, text }) => of === 'policy' && !SAID.includes(code) && !lacking.includes(text)),
      put,
      width,
    ),
    ...facts.wish.problems.map((problem) => `  ! ${problemText(problem, put)}`),
  ];
  const said = (lines: readonly Said[]): string[] => lines.map((line) => put(line));
  const blocks = [
    headline(facts, policy.value, { ...plan, steps }, put),
    findings,
    said([...wishLines(policy.value), ...besideLines(policy.value, verdict.policy)]),
    providerLines(policy.value, facts.at, put, verdict.policy.behind),
    siteLines(policy.value, put),
    countedLines(policy.value, verdict.policy, put),
    attemptLines(policy.value, facts.at, put),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${foldedText(line, width)}\n`).join(''))
    .join('\n');
}
