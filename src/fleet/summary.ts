/** Very many verdicts as few figures, and the routers that need somebody most. What is held does not grow with the fleet. */
import type { Judged, VerdictLine } from './verdicts.ts';

/** How a router stands, the worst first. */
export const STANDS = ['rewriting', 'tracking', 'comes back', 'not as wished', 'unknown', 'trouble', 'unjudged', 'in order'] as const;
export type Stand = (typeof STANDS)[number];

/** So many routers are named. */
export const MOST_NAMED = 500;
/** So many releases, and codes of findings, are told apart. */
const MOST_KINDS = 200;

/** A router that is named. */
export interface Named {
  line: number;
  router: string | null;
  stand: Stand;
  release: string | null;
  wish: Judged['wish'] | null;
  at: number | null;
  /** The verdict, or why there is none. */
  says: string;
  /** What would bring it back. */
  returns: { at: string; because: string }[];
  /** What somebody must decide or mend: sentences. */
  decide: string[];
}

export interface Summary {
  routers: number;
  stands: Record<Stand, number>;
  /** By release, the most frequent first; how many of each stand so. */
  releases: { release: string; stands: Record<Stand, number>; routers: number }[];
  /** Findings but notes, the most frequent first, with the sentence that one router has. */
  findings: { code: string; weight: 'alarm' | 'trouble' | 'risk'; text: string; routers: number }[];
  returns: { at: string; routers: number }[];
  /** When the first and the last router was looked at, milliseconds since the epoch; null where none says. */
  from: number | null;
  to: number | null;
  /** The worst first, and among those as they came. */
  worst: Named[];
  /** Routers that are not in order and not named. */
  unnamed: number;
}

export function standOf(line: VerdictLine): Stand {
  if ('error' in line) return 'unjudged';
  const { verdict, exit } = line;
  if (verdict.alg === 'rewriting' || verdict.alg === 'tracking' || verdict.alg === 'unknown') return verdict.alg;
  if (verdict.returns.length > 0) return 'comes back';
  return exit === 0 ? 'in order' : exit === 1 ? 'not as wished' : 'trouble';
}

function namedOf(line: VerdictLine, stand: Stand): Named {
  const base = { line: line.line, router: line.router ?? null, stand };
  if ('error' in line) return { ...base, release: null, wish: null, at: null, says: line.error, returns: [], decide: [] };
  const { verdict, release, wish, at } = line;
  return {
    ...base,
    release,
    wish,
    at,
    says: verdict.text,
    returns: verdict.returns.map(({ at: when, because }) => ({ at: when, because })),
    decide: [
      ...verdict.unread.map(({ source, because }) => `${source} could not be read: ${because}.`),
      ...verdict.findings.filter(({ weight }) => weight === 'trouble').map(({ text }) => text),
    ],
  };
}

const none = (): Record<Stand, number> => Object.fromEntries(STANDS.map((stand) => [stand, 0])) as Record<Stand, number>;

/** What is one too many to be told apart is counted under one name. */
function kind<T>(map: Map<string, T>, name: string, rest: string, make: (name: string) => T): T {
  const key = map.has(name) || map.size < MOST_KINDS ? name : rest;
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make(key)));
  return found;
}

const byRouters = (one: { routers: number }, other: { routers: number }): number => other.routers - one.routers;

/** @returns takes lines, and says at the end what they come to */
export function createSummary(): { take(line: VerdictLine): void; end(): Summary } {
  const stands = none();
  const releases = new Map<string, Summary['releases'][number]>();
  const findings = new Map<string, Summary['findings'][number]>();
  const returns = new Map<string, Summary['returns'][number]>();
  const named = new Map<Stand, Named[]>(STANDS.map((stand) => [stand, []]));
  let [routers, from, to]: [number, number | null, number | null] = [0, null, null];

  return {
    take(line) {
      const stand = standOf(line);
      routers++;
      stands[stand]++;
      const list = named.get(stand) ?? [];
      if (stand !== 'in order' && list.length < MOST_NAMED) list.push(namedOf(line, stand));
      if ('error' in line) return;
      const { at, release, verdict } = line;
      from = from === null ? at : Math.min(from, at);
      to = to === null ? at : Math.max(to, at);
      const of = kind(releases, (release ?? 'not told').slice(0, 80), 'others', (name) => ({ release: name, stands: none(), routers: 0 }));
      of.stands[stand]++;
      of.routers++;
      const codes = new Set<string>();
      for (const { code, weight, text } of verdict.findings) {
        if (weight === 'note' || codes.has(code)) continue;
        codes.add(code);
        kind(findings, code, 'others', (name) => ({ code: name, weight, text, routers: 0 })).routers++;
      }
      for (const when of new Set(verdict.returns.map((one) => one.at)))
        kind(returns, when, 'others', (name) => ({ at: name, routers: 0 })).routers++;
    },
    end() {
      const worst = STANDS.flatMap((stand) => named.get(stand) ?? []).slice(0, MOST_NAMED);
      return {
        routers,
        stands,
        releases: [...releases.values()].sort(byRouters),
        findings: [...findings.values()].sort(byRouters),
        returns: [...returns.values()].sort(byRouters),
        from,
        to,
        worst,
        unnamed: routers - stands['in order'] - worst.length,
      };
    },
  };
}
