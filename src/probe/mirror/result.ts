/** What a probe against a mirror gives: plain data, the same for a terminal and a program. */
import type { Peer } from '../../host/network.ts';
import type { Said } from '../../words/say.ts';
import type { Here, Where } from '../provider/result.ts';

/** One field that is not what it was. */
export interface Change {
  /** As `compare` names it: `Via`, `sent-by`, 1. */
  field: string;
  part: string;
  at: number;
  change: string;
  before: string | null;
  after: string | null;
}

/**
 * `unchanged`, `rewritten`: as far as the mirror got it. `dropped`: it did not arrive, and the same message at the control port
 * did. `lost`: neither did, so it is no ALG's doing. `unheard`: it arrived, and the answer did not, but one that is no SIP.
 */
export type Fate = 'unchanged' | 'rewritten' | 'dropped' | 'unheard' | 'lost';

export interface Tried {
  name: string;
  /** What it stands for, in a few words. */
  what: Said;
  over: 'udp' | 'tcp';
  family: 'ipv4' | 'ipv6';
  port: number;
  local: Peer;
  /** Where the mirror saw it come from; null where nothing says. */
  seen: Peer | null;
  /** Bytes as sent, and as they arrived. */
  size: number;
  arrived: number | null;
  fate: Fate;
  changes: Change[];
  /** What was changed in the mirror's answer on the way back. */
  answer: Change[];
}

export type Verdict = 'unchanged' | 'rewritten' | 'dropped' | 'inconclusive';

export interface MirrorProbe {
  verdict: Verdict;
  where: Where;
  summary: Said;
  reasons: Said[];
  mirror: { asked: string; port: number; control: number; addresses: string[] };
  here: Here;
  /** The same at the control port, where no ALG looks: it must arrive as it was sent. */
  control: Tried[];
  tried: Tried[];
  messages: number;
}
