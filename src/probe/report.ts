/** What a test of this router says. */
import type { Alteration, Part, ProbeVerdict, Result } from './results.ts';
import type { Wan } from './wans.ts';

export interface ProbeReport {
  readonly verdict: ProbeVerdict;
  /** Why it is inconclusive, the end of a sentence; null where it is not. */
  readonly because: string | null;
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
  readonly untested: readonly string[];
  readonly alterations: readonly Alteration[];
  readonly messages: readonly Result[];
  /** Holes that a helper held open for the fake phones: what says that the ALG follows a call, rewritten or not. */
  readonly expectations: readonly string[];
  /** What has to be known beside it: sentences. */
  readonly remarks: readonly string[];
  /** What could not be taken away: sentences. */
  readonly leftOver: readonly string[];
  /** Milliseconds it took. */
  readonly took: number;
}

/** Nothing could be told. @param because the end of a sentence */
export const nothing = (because: string, more: Partial<ProbeReport> = {}): ProbeReport => ({
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
