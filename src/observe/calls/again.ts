/** A second look, a moment later: what only movement tells. */
import type { Host } from '../../host/host.ts';
import { orElse } from '../reading.ts';
import type { CallFacts, CallFlow, DropRule, Moved } from './facts.ts';
import { observeCallFlows } from './flows.ts';
import { observePaths, observeTraffic } from './links.ts';
import { observeDropRules, rejectedOf } from './rules.ts';

/** Fifty packets of audio tell whether it moves; to tell whether a few of them are missing takes more. */
const PAUSE = { moves: 1, misses: 3 } as const;

/** What is looked for: whether audio moves, or what is missing of it and how late it is. */
export type Again = keyof typeof PAUSE;

const NO_FLOWS = { signalling: [], media: [], unseen: 0 };

const keyOf = ({ source, sourcePort, destination, destinationPort }: CallFlow): string =>
  `${source}:${sourcePort} ${destination}:${destinationPort}`;

const less = (one: number, other: number): number => Math.max(0, one - other);

const nameOf = ({ family, table, chain, handle }: DropRule): string => `${family} ${table} ${chain} ${handle}`;

/** Rules that counted something between two listings. */
function grownRules(before: readonly DropRule[], after: readonly DropRule[]): NonNullable<Moved['dropped']> {
  const known = new Map(before.map((rule) => [nameOf(rule), rule.packets]));
  return after.flatMap((rule) => {
    const { family, table, chain, handle } = rule;
    const packets = less(rule.packets ?? 0, known.get(nameOf(rule)) ?? rule.packets ?? 0);
    return packets === 0 ? [] : [{ family, table, chain, handle, packets }];
  });
}

/** null where it could not be waited for. */
export async function lookAgain(
  host: Host,
  wan: readonly string[],
  first: Pick<CallFacts, 'flows' | 'rejected' | 'drops'>,
  what: Again,
  isPhone: (address: string) => boolean,
): Promise<Moved | null> {
  const clock = (): number => host.elapsed?.() ?? host.now();
  const flows = orElse(first.flows, NO_FLOWS);
  // Between the first listing and now the rest was looked at: where it matters how much moved, it begins here.
  const start = what === 'misses' ? orElse(await observeCallFlows(host), NO_FLOWS) : flows;
  const began = clock();
  const traffic = await observeTraffic(host, wan);
  const pausing = host.run(['sleep', String(PAUSE[what])]);
  const echoing = what === 'misses' ? observePaths(host, flows, isPhone) : null;
  const slept = await pausing;
  if (slept.state !== 'exited' || slept.code !== 0) return null;
  const [now, rules, later] = await Promise.all([observeCallFlows(host), observeDropRules(host), observeTraffic(host, wan)]);
  const seconds = Math.max(PAUSE[what], (clock() - began) / 1000);
  const rejected = rejectedOf(rules, wan);
  const known = new Map(orElse(now, NO_FLOWS).media.map((flow) => [keyOf(flow), flow]));
  return {
    seconds: Math.round(seconds * 10) / 10,
    rejected:
      first.rejected === null || rejected === null
        ? null
        : { packets: less(rejected.packets, first.rejected.packets), bytes: less(rejected.bytes, first.rejected.bytes) },
    dropped: grownRules(orElse(first.drops, []), orElse(rules.drops, [])),
    flows: start.media.flatMap((flow) => {
      const again = known.get(keyOf(flow));
      const { source, sourcePort, destination, destinationPort } = flow;
      if (again === undefined || !again.out || !again.in || !flow.out || !flow.in) return [];
      const grown = { out: less(again.out.packets, flow.out.packets), in: less(again.in.packets, flow.in.packets) };
      return [{ source, sourcePort, destination, destinationPort, ...grown }];
    }),
    traffic: traffic.flatMap(({ device, in: taken, out: given }) => {
      const again = later.find((one) => one.device === device);
      return again === undefined ? [] : [{ device, in: less(again.in, taken), out: less(again.out, given) }];
    }),
    paths: echoing === null ? null : await echoing,
  };
}
