/** What a comparison gives: plain data, the same for a terminal, a page and a program. */
import type { Said } from '../words/say.ts';
import type { Difference } from './difference.ts';

/** `changed`: by something that is no SIP server; `served`: by a server alone; `outside`: the other capture was not running;
 *  `local`: it has no business on the other side; `appeared`: it was not seen where it must have come from. */
export type Fate = 'same' | 'changed' | 'served' | 'dropped' | 'appeared' | 'outside' | 'local';

/** A message at one side. */
export interface Seen {
  /** Number of the packet in its capture, from 1. */
  readonly packet: number;
  /** Seconds since 1970 by that capture's clock. */
  readonly time: number;
  /** `192.168.1.10:5060`. */
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  /** Bytes of the message. */
  readonly length: number;
  /** How often the very same packet came again at once. */
  readonly doubled: number;
}

export interface Row {
  /** Seconds since the first packet of both captures, by the clock of the LAN side. */
  readonly time: number;
  readonly transport: 'udp' | 'tcp';
  /** Away from the phone. */
  readonly toProvider: boolean;
  /** `INVITE`, `180 Ringing`. */
  readonly what: string;
  /** The method of its transaction, as the CSeq has it. */
  readonly method: string;
  readonly sdp: boolean;
  readonly fate: Fate;
  readonly lan: Seen | null;
  readonly wan: Seen | null;
  /** Seconds it took, the difference of the clocks taken out; null where it was seen once. */
  readonly delay: number | null;
  /** The same message was sent before: a retransmission. */
  readonly again: boolean;
  /** The capture did not keep all of it, so only the beginning was compared. */
  readonly partly: boolean;
  readonly differences: readonly Difference[];
}

export interface Call {
  readonly callId: string;
  /** `INVITE`, `REGISTER`: what it began with, as far as it was seen. */
  readonly kind: string;
  /** Ends of the flow: the phone as the LAN and as the WAN sees it, and the far end. null where it was not seen. */
  readonly inside: string | null;
  readonly outside: string | null;
  readonly far: string | null;
  readonly rows: readonly Row[];
  /** Rows that were not kept. */
  readonly omitted: number;
  /** Observations: sentences. */
  readonly notes: readonly Said[];
}

/** A kind of change, over all messages. */
export interface Tally {
  readonly field: string;
  readonly part: string;
  readonly change: Difference['change'];
  readonly cause: Difference['cause'];
  toProvider: boolean;
  /** Messages, and what they were: `INVITE`, `200 INVITE`. */
  count: number;
  readonly messages: string[];
  /** Of the first one. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface SideSummary {
  readonly name: string;
  readonly bytes: number;
  readonly packets: number;
  readonly messages: number;
  /** Seconds since 1970; null where no packet has a time. */
  readonly first: number | null;
  readonly last: number | null;
  /** Sentences about the file. */
  readonly problems: readonly string[];
}

export type Verdict = 'unchanged' | 'changed' | 'trouble';

export interface Comparison {
  readonly verdict: Verdict;
  /** The answer, in a sentence or two. */
  readonly summary: Said;
  /** For the support of the provider; '' where there is nothing to say. */
  readonly paragraph: Said | '';
  /** What has to be known beside it: sentences. */
  readonly remarks: readonly Said[];
  readonly lan: SideSummary;
  /** null where one capture holds both sides: it is `lan` then. */
  readonly wan: SideSummary | null;
  /** Seconds that the WAN capture's clock is ahead; null where it cannot be told. */
  readonly clock: number | null;
  readonly counts: Readonly<Record<Fate | 'pairs' | 'doubled' | 'delayed' | 'copies', number>>;
  readonly tallies: readonly Tally[];
  readonly calls: readonly Call[];
  /** Calls with a change, a loss or the like that are counted and not shown. */
  readonly furtherCalls: number;
}
