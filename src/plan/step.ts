/**
 * A plan as plain JSON: what would be done, in which order, why, how each step
 * is said and how it is undone. Made whole before anything is touched.
 */
import type { Coded, Said } from '../words/say.ts';
import type { Taken, TakenIptables, TakenNft } from '../journal/taken.ts';

/** The primitive changes; everything done to a router is one of them. */
export type Action =
  /** Replaces a file; `mode` for one that is new. `keeps`: facts have its text without them, so they are taken from the file. */
  | { do: 'write'; path: string; text: string; mode?: number; keeps?: 'passwords' }
  | { do: 'remove'; path: string }
  /** Ends every flow that is under the helper when it is done, many at a time. */
  | { do: 'end flows' }
  /** Writes into a kernel file. */
  | { do: 'poke'; path: string; text: string }
  /**
   * Runs a command that must exit 0. `rehearsal` is the same command in a form
   * that changes nothing and must succeed first. `tolerated` are exit codes that
   * mean there was nothing left to do; `reached`, on the way back, shows the same; a `repeatable` one finds out by itself what
   * there is to do.
   */
  | {
      do: 'run';
      argv: string[];
      input?: string;
      rehearsal?: { argv: string[]; input: string };
      tolerated?: number[];
      reached?: { path: string; is: 'present' | 'absent' };
      repeatable?: true;
    }
  /** Puts back what is missing of an entry, beside the neighbours that stand there by then. */
  | { do: 'put rules'; taken: TakenNft }
  | { do: 'put iptables'; taken: TakenIptables }
  /** Takes out again what was put back (new handles are not known before): nothing that `stood` there already. */
  | { do: 'take rules'; taken: TakenNft; stood: string[] }
  | { do: 'take iptables'; taken: TakenIptables; stood: { chain: string; rules: string[] }[] }
  /** The firewall, as it would be loaded now, must be accepted. Changes nothing. */
  | { do: 'check'; argv: string[] };

/** One change; its `text` says what it does, in one sentence. */
export interface Step extends Said {
  /** Fixes the order; see RANK. */
  rank: number;
  /** The finding (judge/findings.ts) or the journal's entry that asks for it. */
  why: string;
  actions: Action[];
  /** What takes it back, in order, while nothing else has changed. */
  undo: Action[];
  /** Each change in a form one could type. */
  commands: string[];
  /** It belongs to the voice firewall rules. */
  of?: 'policy';
  /** Runs after the firewall's lock has been let go, for it takes that lock itself. */
  unlocked?: true;
  /** Done once a look has found that nothing else is left to do: it is what says that there is something of ours. */
  last?: true;
}

/** Why a place in the order is the place it is: docs/architecture.md, "One run of `disable`". */
export const RANK = {
  /** The wish first: a power cut later must find it. */
  wish: 0,
  /** Before the block: a boot with the block and a rule that needs the helper is a boot without a firewall. */
  configuration: 10,
  /** Durable before live: what is taken away live must not come back by a boot. */
  durable: 20,
  /** On the way back the helper must exist before an object can name it. */
  load: 25,
  /** Rules, then objects, in one transaction: an object in use cannot be deleted. */
  rules: 30,
  automatic: 35,
  /** A flow keeps its helper after the rule is gone. */
  flows: 40,
  /** Nothing holds the modules any more. */
  unload: 50,
  /** With the module gone, would the firewall still load? */
  check: 60,
  /** The voice rules, once SIP passes: live, then the files that bring them back, then what is the firewall's own. */
  policy: 62,
  policyFiles: 64,
  policyConfiguration: 66,
  policyOff: 68,
  reload: 70,
  /** On the way back last of all the file that says there is something of ours. */
  trace: 72,
} as const;

/** The finding whose flows are ended as they are seen; that some are there, or come back, keeps no wish from being reached. */
export const FLOW_STALE = 'flow-stale';

/** The same of flows that go over another line than new ones do. */
export const FLOW_ELSEWHERE = 'flow-elsewhere';

/** So many flows are ended one by one, each by words that hit it alone; more than that by what they have in common. */
export const FEW_FLOWS = 20;

export const isLasting = ({ why }: Step): boolean => why !== FLOW_STALE && why !== FLOW_ELSEWHERE;

export interface Plan {
  /** What /etc/config/sipalg asks for. */
  wish: 'unmanaged' | 'disabled' | 'enabled';
  /** false: it could not be told; `wish` is what is done, not what is said. */
  told?: false;
  /**
   * What these steps lead to; `unmanaged`: the ALG is left as it is. With an unmanaged wish the ALG's are shown
   * and never run by themselves.
   */
  towards: 'disabled' | 'enabled' | 'unmanaged';
  steps: Step[];
  /** What the steps take away, for the journal. */
  takes: Taken[];
  /** Why this cannot be planned: sentences, each with what to do. Nothing is done then. */
  refused: string[];
  /** The same sentences by their codes; absent where there are none. */
  refusedCoded?: Coded[];
  /** What of the voice rules cannot be put in force, and why: sentences. All else is done. */
  lacking: string[];
  /** The same sentences by their codes; absent where there are none. */
  lackingCoded?: Coded[];
  /** Why SIP is not blocked or unloaded though that is wished; null when nothing speaks against it. */
  held: { because: string; says?: Coded; lines: string[] } | null;
}
