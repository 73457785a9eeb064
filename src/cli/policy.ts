/**
 * `sipalg policy` for people: what is wished, what is in force, what was counted and who tried. It lives in the policy's
 * own chunk of the program, for most runs have no use for it.
 */
import type { Reading } from '../host/host.ts';
import type { PolicyVerdict } from '../judge/verdict.ts';
import type { InForce, Offload, PolicyFacts } from '../voice/facts.ts';
import type { Plan } from '../plan/step.ts';
import type { Report, RouterFacts } from '../survey/survey.ts';
import { findingLines } from './text.ts';
import type { Provider } from '../wish/wish.ts';

/** So many addresses of a list, and so many attempts, are shown; the rest are counted, and `--json` has them all. */
const SHOWN = 8;
const MOST_ATTEMPTS = 50;

/** Findings that the rest of the text tells in full. */
const SAID = ['attempts', 'policy-missing', 'policy-changed', 'policy-unwanted', 'policy-shaper', 'timeouts-global'];

function few(list: readonly string[]): string {
  return list.length <= SHOWN ? list.join(', ') : `${list.slice(0, SHOWN).join(', ')} and ${list.length - SHOWN} more`;
}

function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [size, unit] = seconds < 120 ? [1, 's'] : seconds < 7200 ? [60, 'min'] : seconds < 172_800 ? [3600, 'h'] : [86_400, 'days'];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** A router without a clock of its own has had a later time before, when this was written. */
function ago(milliseconds: number): string {
  return milliseconds < 0 ? 'when the clock was ahead' : `${span(milliseconds)} ago`;
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

/** The kernel's answers that count: one of nftables, or one for each family of iptables. */
function kernel({ backend, inForce: { all, ipv4, ipv6 } }: PolicyFacts): Reading<InForce>[] {
  return backend === 'nft' ? [all] : [ipv4, ipv6];
}

const readings = <T>(list: readonly Reading<T>[]): T[] => list.flatMap((one) => (one.state === 'present' ? [one.value] : []));

function headline(facts: RouterFacts, policy: PolicyFacts, { steps, lacking }: Pick<Plan, 'steps' | 'lacking'>): string[] {
  const failed = kernel(policy).flatMap((one) => (one.state === 'failed' ? [`  ${one.source}: ${one.because}`] : []));
  if (failed.length > 0) return ['Whether the voice firewall rules are in force is not known; it could not be read:', ...failed];
  if (facts.wish.wish.policy === null) return ['What is wished of the voice firewall rules cannot be told, so they are left as they are.'];
  const left = [...lacking, ...steps.map(({ text }) => text)].map((text) => `  ${text}`);
  const does = steps.length > 0 ? ['`sipalg apply` does it.'] : [];
  if (!policy.wanted)
    return ['The voice firewall rules are not wished (sipalg.main.policy is not 1), but something of them is here:', ...left, ...does];
  return left.length === 0
    ? ['The voice firewall rules are in force.']
    : ['The voice firewall rules are wished, and not in force as wished. What is missing:', ...left, ...does];
}

function wishLines({ wish: { timeouts, marking, limit }, perFlow, wan }: PolicyFacts): string[] {
  const reach =
    perFlow.state === 'failed'
      ? `for which flows is not known: ${perFlow.because}`
      : perFlow.state === 'present' && perFlow.value
        ? 'for voice alone'
        : 'for every UDP flow of the router';
  const from =
    wan.state === 'failed'
      ? `the internet, which could not be told: ${wan.because}`
      : wan.state === 'absent' || wan.value.length === 0
        ? 'the internet, but no device leads there'
        : few(wan.value);
  return [
    `Timeouts: signalling ${timeouts.signallingUnreplied} s, once answered ${timeouts.signallingReplied} s; `
      + `media ${timeouts.media} s; ${reach}.`,
    marking === null ? 'Marks: none.' : `Marks: media ${marking.media.name}, signalling ${marking.signalling.name}; `
        + `${marking.overwrite ? 'marks that phones set are overwritten.' : 'marks that phones set are left alone.'}`,
    limit === null
      ? 'Limits: none.'
      : `Limits per minute and source address: REGISTER ${limit.register}, INVITE ${limit.invite}, OPTIONS ${limit.options}, `
        + `other ${limit.other}; over TCP ${limit.kilobytes} kB per second; from ${from}.`,
  ];
}

function nameLines({ name, port }: Provider['hosts'][number], names: PolicyFacts['names'], at: number): string[] {
  const key = name.replace(/\.$/, '').toLowerCase();
  const answer = Object.hasOwn(names, key) ? names[key] : undefined;
  const said = `    ${name}${port === null ? '' : `:${port}`}: `;
  const { failed = null, refused = [] } = answer ?? {};
  const more = refused.map((text) => `      ${text}`);
  const vain = failed && `asked in vain ${ago(at - failed.at)}: ${failed.because}`;
  if (answer === undefined || answer.at === 0) return [`${said}no answer yet${vain ? `; ${vain}` : ''}`, ...more];
  const ports = [...answer.ports, ...answer.tlsPorts.map((one) => `${one} (TLS)`)].join(', ');
  // One server of several may have been silent when the others answered.
  const [stale, end] =
    failed === null
      ? ['', `asked again in ${span(answer.until - at)}`]
      : failed.at > answer.at
        ? ['STALE: ', vain]
        : ['', `in part: ${failed.because}`];
  return [
    `${said}${few(answer.addresses) || 'no address'}${ports && `, port ${ports}`}; ${stale}answered ${ago(at - answer.at)}, ${end}`,
    ...more,
  ];
}

/** @param behind the addresses whose calls something else has first */
function calls(pbx: readonly string[], behind: readonly string[]): string {
  const free = pbx.filter((address) => !behind.includes(address));
  const other = pbx.filter((address) => behind.includes(address));
  return [
    ...(free.length > 0 ? [`, may open calls to ${few(free)}`] : []),
    ...(other.length > 0 ? [`, is to open calls to ${few(other)}, but something else has them first: see above`] : []),
  ].join('');
}

function providerLines({ wish: { providers }, names }: PolicyFacts, at: number, behind: readonly string[] = []): string[] {
  if (providers.length === 0) return ['Providers: none.'];
  return [
    'Providers:',
    ...providers.flatMap(({ name, hosts, signalling, media, ports = [], marking, inbound }) => [
      `  ${name}${inbound === null ? '' : calls(inbound.pbx, behind)}`,
      ...(signalling.length > 0 ? [`    signalling: ${few(signalling)}`] : []),
      ...(media.length > 0 ? [`    media: ${few(media)}`] : []),
      ...(ports.length > 0 ? [`    port: ${few(ports.map(String))}`] : []),
      ...(marking === false ? ['    not marked'] : []),
      ...hosts.flatMap((host) => nameLines(host, names, at)),
    ]),
  ];
}

function siteLines({ wish: { sites } }: PolicyFacts): string[] {
  return sites.length === 0 ? [] : ['Sites, never limited:', ...sites.map(({ name, networks }) => `  ${name}: ${few(networks)}`)];
}

function countedLines(policy: PolicyFacts, verdict: PolicyVerdict): string[] {
  const counters = kernel(policy).flatMap((one, at) =>
    readings([one]).flatMap(({ counters }) =>
      counters.map(({ name, packets, bytes }) => [
        policy.backend === 'nft' ? name : `${name} (IPv${at === 0 ? 4 : 6})`,
        `${packets}`,
        `${bytes}`,
      ]),
    ),
  );
  const changed = verdict.changed.map((source) => `  ${source}: changed by somebody since it was loaded`);
  const phones = readings(kernel(policy)).flatMap(({ phones }) => phones);
  return [
    ...(changed.length > 0 ? ['In the kernel:', ...changed] : []),
    ...(counters.length > 0 ? ['Counted:', ...columns([['', 'packets', 'bytes'], ...counters])] : []),
    ...(phones.length > 0 ? [`Phones seen: ${few(phones)}.`] : []),
  ];
}

function attemptLines(policy: PolicyFacts, at: number): string[] {
  const attempts = readings(kernel(policy))
    .flatMap(({ attempts }) => attempts)
    .sort((one, other) => other.seen - one.seen);
  if (attempts.length === 0) return [];
  const when = (time: number | null): string => (time === null ? '?' : ago(at - time));
  const rows = attempts
    .slice(0, MOST_ATTEMPTS)
    .map(({ source, method, seen, dropped, first, last }) => [source, method, `${seen}`, `${dropped}`, when(first), when(last)]);
  const more = attempts.length - rows.length;
  return [
    'Attempts from the internet, by addresses of no provider:',
    ...columns([['source', 'method', 'seen', 'dropped', 'first', 'last'], ...rows]),
    ...(more > 0 ? [`  and ${more} more; \`sipalg policy --json\` has them all`] : []),
  ];
}

function besideLines({ offload }: PolicyFacts, { excluded, shapers }: PolicyVerdict): string[] {
  return [
    ...offloadLines(offload, excluded),
    ...shapers.map(
      ({ kind, device, how, conflict, setting }) =>
        `${kind} on ${device} (${how}): ${conflict ?? 'it honours the marks.'}${setting === null ? '' : ` ${setting}`}`,
    ),
  ];
}

function offloadLines(offload: Reading<Offload>, excluded: boolean): string[] {
  if (offload.state !== 'present') return [];
  const { software, hardware } = offload.value;
  return software || hardware
    ? [`Flow offload is on${hardware ? ', in hardware too' : ''}; marked voice is ${excluded ? '' : 'not '}kept out of it.`]
    : [];
}

/** @throws Error where the report is on a router without voice rules */
export function voiceText({ facts, verdict, plan }: Report): string {
  const { policy } = facts;
  if (policy.state !== 'present' || verdict.policy === undefined) throw new Error('there are no voice firewall rules to show');
  const steps = plan.steps.filter(({ of }) => of === 'policy');
  const { lacking } = plan;
  const findings = [
    ...findingLines(
      verdict.findings.filter(({ of, code, text }) => of === 'policy' && !SAID.includes(code) && !lacking.includes(text)),
    ),
    ...facts.wish.problems.map(({ text }) => `  ! ${text}`),
  ];
  const blocks = [
    headline(facts, policy.value, { steps, lacking }),
    findings,
    [...wishLines(policy.value), ...besideLines(policy.value, verdict.policy)],
    providerLines(policy.value, facts.at, verdict.policy.behind),
    siteLines(policy.value),
    countedLines(policy.value, verdict.policy),
    attemptLines(policy.value, facts.at),
  ];
  return blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n') + '\n')
    .join('\n');
}
