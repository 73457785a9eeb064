/** Very many verdicts as few figures, and the routers that need somebody most. What is held does not grow with the fleet. */
import type { Judged, VerdictLine } from './verdicts.ts';

/** How a router stands, the worst first. */
export const STANDS = ['rewriting', 'tracking', 'comes back', 'not as wished', 'unknown', 'trouble', 'unjudged', 'in order'] as const;
export type Stand = (typeof STANDS)[number];

/** So many groups of routers are told. */
export const MOST_NAMED = 500;
/** So many releases, and codes of findings, are told apart. */
const MOST_KINDS = 200;

/** So many of those that stand alike. */
export const MOST_ALIKE = 60;

/** A router in a group of those that stand alike. */
export interface Member {
  line: number;
  router: string | null;
  release: string | null;
  at: number | null;
}

/** Routers of which the very same is to be said. */
export interface Named {
  routers: number;
  /** The first of them, as they came. */
  members: Member[];
  stand: Stand;
  wish: Judged['wish'] | null;
  /** The verdict, or why there is none. */
  says: string;
  /** What would bring it back. */
  returns: { at: string; because: string }[];
  /** What somebody must decide or mend: sentences. */
  decide: string[];
}

/** How a verdict is put into words, by whoever has them. */
export interface Wording {
  verdict(verdict: Judged['verdict']): string;
  finding(finding: Judged['verdict']['findings'][number]): string;
  because(one: Judged['verdict']['returns'][number]): string;
  unread(source: string, because: string): string;
}

const ENGLISH: Wording = {
  verdict: ({ text }) => text,
  finding: ({ text }) => text,
  because: ({ because }) => because,
  unread: (source, because) => `${source} could not be read: ${because}.`,
};

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
  /** The worst first, and among those the groups with the most routers. */
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

type Said = Omit<Named, 'routers' | 'members'>;

function saidOf(line: VerdictLine, stand: Stand, wording: Wording): Said {
  if ('error' in line) return { stand, wish: null, says: line.error, returns: [], decide: [] };
  const { verdict, wish } = line;
  return {
    stand,
    wish,
    says: wording.verdict(verdict),
    returns: verdict.returns.map((one) => ({ at: one.at, because: wording.because(one) })),
    decide: [
      ...verdict.unread.map(({ source, because }) => wording.unread(source, because)),
      ...verdict.findings.filter(({ weight }) => weight === 'trouble').map((one) => wording.finding(one)),
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
export function createSummary(wording: Wording = ENGLISH): { take(line: VerdictLine): void; end(): Summary } {
  const stands = none();
  const releases = new Map<string, Summary['releases'][number]>();
  const findings = new Map<string, Summary['findings'][number]>();
  const returns = new Map<string, Summary['returns'][number]>();
  const named = new Map<Stand, Map<string, Named>>(STANDS.map((stand) => [stand, new Map()]));
  let [routers, from, to]: [number, number | null, number | null] = [0, null, null];

  /** Where there are too many kinds, those that come later are counted alone. */
  const name = (line: VerdictLine, stand: Stand): void => {
    const groups = named.get(stand) as Map<string, Named>;
    const said = saidOf(line, stand, wording);
    const key = JSON.stringify(said);
    let group = groups.get(key);
    if (group === undefined) {
      if (groups.size >= MOST_NAMED) return;
      groups.set(key, (group = { ...said, routers: 0, members: [] }));
    }
    group.routers++;
    const { release, at } = 'error' in line ? { release: null, at: null } : line;
    if (group.members.length < MOST_ALIKE) group.members.push({ line: line.line, router: line.router ?? null, release, at });
  };

  return {
    take(line) {
      const stand = standOf(line);
      routers++;
      stands[stand]++;
      if (stand !== 'in order') name(line, stand);
      if ('error' in line) return;
      const { at, release, verdict } = line;
      from = from === null ? at : Math.min(from, at);
      to = to === null ? at : Math.max(to, at);
      const of = kind(releases, (release ?? 'not told').slice(0, 80), 'others', (name) => ({ release: name, stands: none(), routers: 0 }));
      of.stands[stand]++;
      of.routers++;
      const codes = new Set<string>();
      for (const finding of verdict.findings) {
        const { code, weight } = finding;
        if (weight === 'note' || codes.has(code)) continue;
        codes.add(code);
        kind(findings, code, 'others', (name) => ({ code: name, weight, text: wording.finding(finding), routers: 0 })).routers++;
      }
      for (const when of new Set(verdict.returns.map((one) => one.at)))
        kind(returns, when, 'others', (name) => ({ at: name, routers: 0 })).routers++;
    },
    end() {
      const worst = STANDS.flatMap((stand) => [...(named.get(stand)?.values() ?? [])].sort(byRouters)).slice(0, MOST_NAMED);
      return {
        routers,
        stands,
        releases: [...releases.values()].sort(byRouters),
        findings: [...findings.values()].sort(byRouters),
        returns: [...returns.values()].sort(byRouters),
        from,
        to,
        worst,
        unnamed: worst.reduce((left, group) => left - group.routers, routers - stands['in order']),
      };
    },
  };
}
