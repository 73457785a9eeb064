/** What a test of this router says. */
import type { Alteration, Part, ProbeVerdict, Result } from './results.ts';
import type { Wan } from './wans.ts';
import type { Line, Said } from '../words/say.ts';
import type { Published } from '../words/published.ts';

export interface ProbeReport {
  readonly verdict: ProbeVerdict;
  /** Why it is inconclusive, the end of a sentence; null where it is not. */
  readonly because: Line | null;
  /** How it was done: by a phone of the LAN, or by one with an address that is not the LAN's, which proves less; null: not at all. */
  readonly way: 'phone' | 'address outside the LAN' | null;
  readonly lan: string | null;
  /** Devices towards the internet that were watched, and the one the messages left by. */
  readonly wans: readonly string[];
  readonly left: string | null;
  /** What kind of way that is; null where nothing came out. */
  readonly wan: Wan | null;
  /** Whether the router translates addresses there; null where nothing came out. */
  readonly translated: boolean | null;
  readonly phones: readonly string[];
  /** What was tested: UDP over IPv4 (`main`), and what is beside it; and why something was not, sentences. */
  readonly parts: readonly Part[];
  readonly untested: readonly Line[];
  readonly alterations: readonly Alteration[];
  readonly messages: readonly Result[];
  /** Holes that a helper held open for the fake phones: what says that the ALG follows a call, rewritten or not. */
  readonly expectations: readonly Said[];
  /** What has to be known beside it: sentences. */
  readonly remarks: readonly Line[];
  /** What could not be taken away: sentences. */
  readonly leftOver: readonly Line[];
  /** Milliseconds it took. */
  readonly took: number;
}

/** As programs read it. */
export type ProbeDocument = Published<ProbeReport>;

/** Nothing could be told. @param because the end of a sentence */
export const nothing = (because: Line, more: Partial<ProbeReport> = {}): ProbeReport => ({
  verdict: 'inconclusive',
  because,
  way: null,
  lan: null,
  wans: [],
  left: null,
  wan: null,
  translated: null,
  phones: [],
  parts: [],
  untested: [],
  alterations: [],
  messages: [],
  expectations: [],
  remarks: [],
  leftOver: [],
  took: 0,
  ...more,
});
