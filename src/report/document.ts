/**
 * One document for the second line of a provider, as data: what was found on a router, what was done to it, and what two captures
 * or a probe have shown. Pure: the same facts give the same document, whoever writes it out and in whatever language.
 */
import type { Comparison } from '../compare/comparison.ts';
import type { Report } from '../survey/survey.ts';
import type { Line, Said } from '../words/say.ts';
import { doneSection } from './done.ts';
import type { ProbeDocument } from './probe.ts';
import { comparisonSection, probeSection } from './shown.ts';
import { intervalsSection, routerSection } from './router.ts';
import { verdictSection } from './verdict.ts';
import { voiceSection } from './voice.ts';

/** How bad or good something is. */
export type Tone = 'alarm' | 'risk' | 'fine' | 'plain';

/** Something that is said, and what it rests on. */
export interface Item {
  tone: Tone;
  line: Line;
  evidence: Line[];
}

export type Block =
  | { is: 'text'; line: Line }
  /** The answer, first of all. */
  | { is: 'answer'; tone: Tone; line: Line }
  | { is: 'items'; items: Item[] }
  | { is: 'table'; name: Said; heads: Said[]; rows: Line[][] }
  /** Messages of SIP as ladders. */
  | { is: 'ladders'; comparison: Comparison };

export interface Section {
  /** For links and tests. */
  name: string;
  title: Said;
  blocks: Block[];
}

export interface Input {
  report: Report;
  /** Two captures compared; null where none were given. */
  comparison: Comparison | null;
  /** What `sipalg probe --json` has printed; null where it was not given. */
  probe: ProbeDocument | null;
  /** Sections of other rooms, such as causes that were found; they stand behind what was seen of messages. */
  more: readonly Section[];
}

/** Sections without anything to say are not there. */
export function documentOf({ report, comparison, probe, more }: Input): Section[] {
  return [
    verdictSection(report),
    doneSection(report),
    comparison === null ? null : comparisonSection(comparison),
    probe === null ? null : probeSection(probe),
    ...more,
    intervalsSection(report),
    voiceSection(report),
    routerSection(report),
  ].filter((section) => section !== null);
}
