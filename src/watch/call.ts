/** What is known of a call, and of each request in it. */
import type { Heard, Media } from './heard.ts';
import type { Rung } from './ladder.ts';
import type { Party } from './told.ts';

/** A call as it stands. */
export interface Call {
  readonly number: number;
  readonly phone: string;
  readonly far: string;
  callId: string | null;
  readonly by: Party;
  readonly began: number;
  rang: boolean;
  answered: number | null;
  acked: boolean;
  ended: number | null;
  cancelled: boolean;
  held: { phone: boolean; far: boolean };
  lastMedia: { phone: Media | null; far: Media | null };
  repeats: number;
  last: number;
  readonly rungs: Rung[];
  omitted: number;
  elsewhere: boolean;
}

/** A request and what became of it. */
export interface Transaction {
  readonly method: string;
  readonly call: Call | null;
  readonly fromPhone: boolean;
  readonly began: number;
  times: number;
  provisional: boolean;
  final: number | null;
  /** What its request offered. */
  readonly media: Media | null;
  readonly told: { silent: boolean };
  readonly heard: Heard;
  finals: number;
  readonly rung: Rung | null;
}

/** The address in `192.168.1.10:5060` and in `[2001:db8::10]:5060`, as flows name it. */
export const hostOf = (place: string): string => place.slice(0, place.lastIndexOf(':')).replace(/^\[|\]$/g, '');

/** Of a request; an ACK and a CANCEL have the branch of their INVITE. Both phones of a call may be here, so the phone belongs to it. */
export function transactionKey({ phone }: Heard, fromPhone: boolean, method: string, branch: string | null): string | null {
  const own = method === 'ACK' || method === 'CANCEL' ? `${method} ` : '';
  return branch === null ? null : `${hostOf(phone)} ${fromPhone ? '>' : '<'} ${own}${branch}`;
}

export const callKey = ({ phone }: { phone: string }, callId: string): string => `${hostOf(phone)} ${callId}`;
