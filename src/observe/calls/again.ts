/** A second look, a moment later: what only movement tells. */
import type { Host, Reading } from '../../host/host.ts';
import { orElse } from '../reading.ts';
import { observeArrivals, observeCounters, observeTable } from './counters.ts';
import type { CallFacts, CallFlow, Grown, MarkCount, Moved, Queue } from './facts.ts';
import { observeCallFlows } from './flows.ts';
import { observeLinks, observePaths, observeQueues, observeTraffic } from './links.ts';
import { observeMarked, rejectedOf } from './rules.ts';
import type { Rules } from './rules.ts';

/**
 * Seconds, in the parts between which the load of the line is read. Fifty packets of audio tell whether it moves; to tell whether a
 * few of them are missing takes more; and who repeats an answer does so every 4 s (RFC 3261, T2).
 */
const PAUSE = { moves: [1], waits: [5], misses: [1, 1, 1] } as const;

/** What is looked for: whether audio moves, whether signalling is repeated, or what is missing of audio and how late it is. */
export type Again = keyof typeof PAUSE;

const NO_FLOWS = { signalling: [], media: [], unseen: 0 };

const keyOf = ({ source, sourcePort, destination, destinationPort }: CallFlow): string =>
  `${source}:${sourcePort} ${destination}:${destinationPort}`;

const less = (one: number, other: number): number => Math.max(0, one - other);

/** By how much each of these counters grew; null where one is less than it was: it began anew. */
function grewBy<K extends string>(
  now: Readonly<Record<K, number>>,
  before: Readonly<Record<K, number>>,
  names: readonly K[],
): Record<K, number> | null {
  const pairs = names.map((name) => [name, now[name] - before[name]] as const);
  return pairs.some(([, growth]) => growth < 0) ? null : (Object.fromEntries(pairs) as Record<K, number>);
}

/** What was listed first, and when, by the clock that only runs forward (milliseconds). */
export interface First extends Pick<CallFacts, 'flows' | 'counters' | 'table' | 'arrivals' | 'links' | 'queues'> {
  flowsAt: number;
  rules: Rules;
  rulesAt: number;
  /** There are voice rules, and what they mark is counted too. */
  voice: boolean;
}

export const clockOf = (host: Host): number => host.elapsed?.() ?? host.now();

const ruleKey = ({ family, table, chain, handle }: Omit<Grown, 'packets'>): string => `${family} ${table} ${chain} ${handle}`;

/** A rule that is gone, or counts anew, says nothing. */
function grownRules(before: Rules['drops'], now: Rules['drops']): Grown[] {
  const known = new Map(orElse(before, []).map((rule) => [ruleKey(rule), rule.packets]));
  return orElse(now, []).flatMap(({ family, table, chain, handle, packets }) => {
    const first = known.get(ruleKey({ family, table, chain, handle })) ?? null;
    return first === null || packets === null || packets < first ? [] : [{ family, table, chain, handle, packets: packets - first }];
  });
}

function grownMarks(before: Rules['marks'], now: Rules['marks']): MarkCount[] {
  const known = new Map(orElse(before, []).map(({ by, packets }) => [by, packets]));
  return orElse(now, []).flatMap(({ by, marks, packets }) => {
    const first = known.get(by);
    return first === undefined || packets < first ? [] : [{ by, marks, packets: packets - first }];
  });
}

function grownQueues(before: Reading<Queue[]>, now: Reading<Queue[]>): Queue[] {
  return orElse(now, []).flatMap((queue) => {
    const first = orElse(before, []).find(({ device, kind }) => device === queue.device && kind === queue.kind);
    if (first === undefined || queue.packets < first.packets || queue.tins.length !== first.tins.length) return [];
    return [
      {
        ...queue,
        packets: queue.packets - first.packets,
        drops: less(queue.drops, first.drops),
        tins: queue.tins.map((packets, at) => less(packets, first.tins[at] ?? 0)),
      },
    ];
  });
}

type Errors = NonNullable<Moved['errors']>;
const errorsOf = (links: CallFacts['links']): Errors => links.flatMap(({ errors }) => orElse(errors, []));

function grownErrors(before: CallFacts['links'], now: CallFacts['links']): Errors {
  return errorsOf(now).flatMap(({ device, packets, errors }) => {
    const first = errorsOf(before).find((one) => one.device === device);
    const grown = first === undefined ? null : grewBy({ packets, errors }, first, ['packets', 'errors']);
    return grown === null ? [] : [{ device, ...grown }];
  });
}

function grownFlows(before: Reading<{ signalling: CallFlow[]; media: CallFlow[] }>, now: typeof before): Moved['flows'] {
  const all = ({ signalling, media }: { signalling: CallFlow[]; media: CallFlow[] }): CallFlow[] => [...media, ...signalling];
  const known = new Map(all(orElse(now, NO_FLOWS)).map((flow) => [keyOf(flow), flow]));
  return all(orElse(before, NO_FLOWS)).flatMap((flow) => {
    const again = known.get(keyOf(flow));
    const { source, sourcePort, destination, destinationPort } = flow;
    if (again === undefined || !again.out || !again.in || !flow.out || !flow.in) return [];
    // One that counts less than it did is another flow of the same ends.
    if (again.out.packets < flow.out.packets || again.in.packets < flow.in.packets) return [];
    const grown = { out: again.out.packets - flow.out.packets, in: again.in.packets - flow.in.packets };
    return [{ source, sourcePort, destination, destinationPort, ...grown, outBytes: less(again.out.bytes, flow.out.bytes) }];
  });
}

type Traffic = Moved['traffic'];
const grownTraffic = (before: Traffic, now: Traffic): Traffic =>
  before.flatMap(({ device, in: taken, out: given }) => {
    const again = now.find((one) => one.device === device);
    return again === undefined ? [] : [{ device, in: less(again.in, taken), out: less(again.out, given) }];
  });

/** null where it could not be waited for. @param list lists the rules once more */
export async function lookAgain(
  host: Host,
  wan: readonly string[],
  first: First,
  what: Again,
  isPhone: (address: string) => boolean,
  list: () => Promise<Rules>,
): Promise<Moved | null> {
  const clock = (): number => clockOf(host);
  const { flows } = first;
  // Between the first listing and now the rest was looked at: where it matters how much moved, it begins here.
  const anew = what === 'misses';
  const marked = (): Promise<number | null> => (anew && first.voice ? observeMarked(host) : Promise.resolve(null));
  const [start, rules, voice] = anew ? await Promise.all([observeCallFlows(host), list(), marked()]) : [flows, first.rules, null];
  const [flowsAt, rulesAt] = anew ? [clock(), clock()] : [first.flowsAt, first.rulesAt];
  let traffic = await observeTraffic(host, wan);
  const began = clock();
  const echoing = anew ? observePaths(host, orElse(flows, NO_FLOWS), isPhone) : null;
  const parts: NonNullable<Moved['parts']> = [];
  for (const seconds of PAUSE[what]) {
    const from = clock();
    const slept = await host.run(['sleep', String(seconds)]);
    if (slept.state !== 'exited' || slept.code !== 0) return null;
    const now = await observeTraffic(host, wan);
    parts.push({ seconds: Math.round(Math.max(seconds * 1000, clock() - from)) / 1000, traffic: grownTraffic(traffic, now) });
    traffic = now;
  }
  const least = PAUSE[what].reduce((sum: number, one) => sum + one, 0);
  const ended = Math.max(least, (clock() - began) / 1000);
  const since = (at: number): number => Math.round(Math.max(least, (clock() - at) / 1000) * 10) / 10;
  const [[now, seconds], [again, rejectedFor], counters, table, arrivals, links, queues, voiced] = await Promise.all([
    observeCallFlows(host).then((listed) => [listed, since(flowsAt)] as const),
    list().then((listed) => [listed, since(rulesAt)] as const),
    observeCounters(host),
    observeTable(host),
    observeArrivals(host),
    observeLinks(host, wan),
    anew ? observeQueues(host) : first.queues,
    marked(),
  ]);
  const before = rejectedOf(rules, wan);
  const rejected = rejectedOf(again, wan);
  const nothing = { reasmReqds: 0, reasmOks: 0, reasmFails: 0, fragCreates: 0, fragFails: 0 };
  const fragments = grewBy(orElse(counters, nothing), orElse(first.counters, nothing), Object.keys(nothing) as (keyof typeof nothing)[]);
  const [places, then] = [orElse(table, null), orElse(first.table, null)];
  const turned = places === null || then === null ? null : grewBy(places, then, ['dropped', 'early']);
  const [taken, had] = [orElse(arrivals, null), orElse(first.arrivals, null)];
  const arrived = taken === null || had === null ? null : grewBy(taken, had, ['processed', 'dropped']);
  return {
    seconds,
    rejected:
      before === null || rejected === null || rejected.packets < before.packets
        ? null
        : { packets: rejected.packets - before.packets, bytes: less(rejected.bytes, before.bytes), seconds: rejectedFor },
    flows: grownFlows(start, now),
    traffic: wan.flatMap((device) => {
      const of = parts.flatMap((part) => part.traffic.filter((one) => one.device === device));
      const sum = (way: 'in' | 'out'): number => of.reduce((all, one) => all + one[way], 0);
      // As much as it would have been by the end of the second look.
      const scaled = (bytes: number): number => Math.round((bytes / ended) * seconds);
      return of.length < parts.length ? [] : [{ device, in: scaled(sum('in')), out: scaled(sum('out')) }];
    }),
    paths: echoing === null ? null : await echoing,
    ...(parts.length > 1 ? { parts } : {}),
    dropped: grownRules(rules.drops, again.drops),
    marks: grownMarks(rules.marks, again.marks),
    ...(voice === null || voiced === null || voiced < voice ? {} : { voice: voiced - voice }),
    ...(anew && queues.state === 'present' ? { queues: grownQueues(first.queues, queues) } : {}),
    ...(fragments === null || counters.state !== 'present' || first.counters.state !== 'present' ? {} : { counters: fragments }),
    ...(turned === null ? {} : { table: turned }),
    ...(arrived === null ? {} : { arrivals: arrived }),
    errors: grownErrors(first.links, links),
  };
}
