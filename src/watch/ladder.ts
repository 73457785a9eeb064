/** A call as a drawing has it: who sent what to whom, in order. No words of the call, no number, no body. */

/** One arrow of a ladder. */
export interface Rung {
  /** Milliseconds since 1970, when it was first seen. */
  readonly at: number;
  /** `INVITE`, `180 Ringing`. */
  readonly what: string;
  readonly fromPhone: boolean;
  /** A session description was in it. */
  readonly sdp: boolean;
  /** How often it was sent again. */
  again: number;
  /** `passed`: seen on both sides alike; `changed`: on both, and not alike; `dropped`: it went in and did not come out. */
  fate: 'unknown' | 'passed' | 'changed' | 'dropped';
}

export interface Ladder {
  /** As `call` in what is told. */
  readonly call: number;
  readonly phone: string;
  readonly far: string;
  readonly rungs: readonly Rung[];
  /** Rungs that were not kept. */
  readonly omitted: number;
}
