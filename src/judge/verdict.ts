/** What the facts mean, as plain JSON. Codes are an interface and never change meaning; words may. */

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
  /** A sentence. */
  because: string;
  /** Where that is written. */
  evidence: string[];
}

/** How much a finding weighs: `alarm` touches calls now, `trouble` needs a person, `risk` may hurt later, `note` explains. */
export type Weight = 'alarm' | 'trouble' | 'risk' | 'note';

export interface Finding {
  code: string;
  weight: Weight;
  /** A sentence. */
  text: string;
  /** What it rests on, each something a person can look up: file and line, table and handle, flow. */
  evidence: string[];
}

export interface Verdict {
  alg: AlgState;
  /** Flows under the helper that are translated, and so edited, and those that are only watched; null: the kernel does not show them. */
  flows: { translated: number; watched: number } | null;
  /** The verdict in sentences. */
  text: string;
  returns: Return[];
  findings: Finding[];
  /** Readings that decide and could not be read. */
  unread: { source: string; because: string }[];
}
