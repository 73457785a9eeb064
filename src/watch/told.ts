/** What a watch tells: plain data, the same for a terminal, a page and a program (`--json` writes one a line). */
import type { CauseName } from './causes.ts';

interface Base {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The phone's address in the LAN, without its port; null where it is not one phone's. */
  readonly phone: string | null;
  /** The far end as the phone names it: `203.0.113.10:5060`; null where there is none. */
  readonly far: string | null;
  /** Calls are counted from 1 in the order in which they were seen; null for what belongs to no call that is known. */
  readonly call: number | null;
  /** A cause that fits; null where none does, or where what is seen does not tell it from its neighbours. */
  readonly cause: CauseName | null;
}

/** Where packets of an audio stream are counted; `none`: no packet for the last looks. */
export type AudioWays = 'both' | 'out' | 'in' | 'none';
/** Who of the two: the phone, or the far end. */
export type Party = 'phone' | 'far';
/** How a flow ended: its time ran out, a program took it away, or the kernel did before its time (an address went). */
export type FlowEnd = 'expired' | 'deleted' | 'removed';

export type Told = Base
  & (
    | {
        readonly what: 'state';
        /** Seconds left; null where the kernel shows none (offloaded). */
        readonly left: number | null;
        /** Seconds for which there was none before; null where none was watched. */
        readonly after: number | null;
        readonly transport: string;
        /** The kernel knows no answer yet. */
        readonly unanswered: boolean;
      }
    | {
        readonly what: 'state-ended';
        readonly how: FlowEnd;
        /** The program that deleted it. */
        readonly by: string | null;
        /** When its time ran out; `at` for other ends. */
        readonly ended: number;
        /** Audio of the same phone goes on. */
        readonly inCall: boolean;
      }
    | {
        readonly what: 'port-moved';
        readonly port: number;
        readonly to: number;
        /** Another phone that has this port at the same far end. */
        readonly holder: string | null;
        readonly media: boolean;
      }
    /** It leaves untranslated, so that no answer can come. */
    | { readonly what: 'untranslated' }
    /** The far end began it: `to`: a forward brings it to the phone, or to the router itself. */
    | { readonly what: 'from-outside'; readonly to: 'phone' | 'router' }
    /** A service on the router speaks SIP to the far end. */
    | { readonly what: 'router-speaks' }
    | {
        readonly what: 'audio';
        readonly ways: AudioWays;
        /** Packets since the last look, and the seconds between the two. */
        readonly out: number;
        readonly in: number;
        readonly seconds: number;
        /** Packets that the firewall rejected from the internet meanwhile; null where that is not counted. */
        readonly rejected: number | null;
      }
    | { readonly what: 'audio-ended'; readonly seconds: number; readonly out: number | null; readonly in: number | null }
    /** Counters of the kernel that moved, of all the router. */
    | { readonly what: 'counter'; readonly name: CounterName; readonly more: number }
    | { readonly what: 'registered'; readonly expires: number | null; readonly every: number | null }
    /** By the time left of its flow: a registration or a keep-alive, so often one behind the other, `every` so many seconds. */
    | { readonly what: 'speaks-every'; readonly every: number; readonly times: number }
    | { readonly what: 'unregistered' }
    | { readonly what: 'registration-refused'; readonly status: number }
    /** Requests without an answer: how often it was sent, over how many seconds. */
    | { readonly what: 'no-answer'; readonly message: string; readonly times: number; readonly seconds: number }
    | { readonly what: 'call'; readonly by: Party; readonly number: string | null }
    | { readonly what: 'rings' }
    | { readonly what: 'answered'; readonly seconds: number; readonly by: Party }
    | { readonly what: 'held'; readonly by: Party }
    | { readonly what: 'resumed'; readonly by: Party }
    | { readonly what: 'transfer'; readonly by: Party; readonly status: number | null }
    | { readonly what: 'failed'; readonly status: number; readonly reason: string }
    | { readonly what: 'cancelled'; readonly by: Party; readonly elsewhere: boolean }
    /** The 200 is sent again and again: the caller's ACK does not reach who answered. */
    | { readonly what: 'answer-repeated'; readonly by: Party; readonly times: number }
    | { readonly what: 'ended'; readonly by: Party; readonly seconds: number | null }
    /** Seen going into the router and not coming out. */
    | { readonly what: 'dropped'; readonly message: string; readonly toProvider: boolean; readonly bytes: number }
    /** What the kernel's log says of the helper. */
    | { readonly what: 'helper-dropped'; readonly reason: string }
    | { readonly what: 'changed'; readonly message: string; readonly toProvider: boolean }
  );

export type CounterName = 'rejected' | 'fragments-failed' | 'fragments-missing';

/** Without its tag: what is told of one kind. */
export type Of<What extends Told['what']> = Extract<Told, { what: What }>;
