/** What the facts mean, as plain JSON. Codes are an interface and never change meaning; words may. */

import type { Coded, Said, Values } from '../words/say.ts';

/** Is a SIP ALG touching calls? */
export type AlgState =
  /** The helper is set and nf_nat_sip is there: messages of flows that are translated are edited. */
  | 'rewriting'
  /** The helper is set without nf_nat_sip, or where nothing is translated: nothing is edited, but messages are dropped and holes opened. */
  | 'tracking'
  | 'off'
  /** A reading that decides has failed; see `unread`. */
  | 'unknown';

/** When the ALG would come back by itself. */
export type ReturnAt = 'firewall reload' | 'boot' | 'package upgrade' | 'sysupgrade';

export interface Return {
  at: ReturnAt;
  /** A sentence without its final dot. */
  because: string;
  /** The same by its code, and what it is filled with. */
  says?: string;
  parameters?: Values;
  /** Where that is written. */
  evidence: string[];
  /** Those lines of the evidence that are words, by their place. */
  coded?: Record<number, Coded>;
}

/** How much a finding weighs: `alarm` touches calls now, `trouble` needs a person, `risk` may hurt later, `note` explains. */
export type Weight = 'alarm' | 'trouble' | 'risk' | 'note';

export interface Finding {
  code: string;
  /** It is about the voice firewall rules. */
  of?: 'policy';
  weight: Weight;
  /** A sentence. */
  text: string;
  /** Its code, where one of several sentences of the finding's code is said. */
  says?: string;
  /** What the sentence is filled with; absent where it is always the same. */
  parameters?: Values;
  /** What it rests on, each something a person can look up: file and line, table and handle, flow. */
  evidence: string[];
  /** Those lines of it that are words, by their place; the others are rules, paths and the like. */
  coded?: Record<number, Coded>;
}

/** What a shaper does to the marks of voice. */
export interface ShaperVerdict {
  kind: 'sqm' | 'qosify';
  device: string;
  /** The script or mode, e.g. `piece_of_cake.qos`. */
  how: string;
  /** What is wrong, in one sentence; null where it honours the marks. */
  conflict: string | null;
  /** The same by its code. */
  says?: Coded;
  /** The setting that fits, as a command; null where none is needed, or none is known. */
  setting: string | null;
}

/** What the facts of the voice firewall rules mean, beside their findings. */
export interface PolicyVerdict {
  /** Where rules are not as they were loaded: the sources of those readings. */
  changed: string[];
  /** Marked voice is kept out of the flow offload, which is on. */
  excluded: boolean;
  shapers: ShaperVerdict[];
  /** Addresses to which providers may open calls, and something that stands in front has them first; not there where none is. */
  behind?: string[];
}

export interface Verdict {
  alg: AlgState;
  /** Flows under the helper that are translated, and so edited, and those that are only watched; null: the kernel does not show them. */
  flows: { translated: number; watched: number } | null;
  /** The verdict in sentences. */
  text: string;
  /** Each of them by itself. */
  said?: Said[];
  returns: Return[];
  findings: Finding[];
  /** Readings that decide and could not be read. */
  unread: { source: string; because: string; says?: string }[];
  /** Absent where the facts have no voice firewall rules. */
  policy?: PolicyVerdict;
}
