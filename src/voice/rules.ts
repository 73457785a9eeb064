/**
 * The wished voice rules as data: all that a renderer (nft, iptables) needs and
 * nothing else. The same value gives the same text on every run.
 */

import type { Prefixes } from '../languages/address/prefix-sets.ts';
import type { Limit, Marking, Timeouts } from '../wish/wish.ts';
import type { Method } from './own.ts';

export interface Voice {
  /** Devices towards the internet, sorted. Empty: nothing is limited, for nobody can be told to come from there. */
  wan: string[];
  /** Ports of SIP signalling: 5060 and what providers' SRV records or configuration name; sorted. */
  ports: number[];
  /** Ports of SIP over TLS: 5061 and what providers' name; sorted. */
  tlsPorts: number[];
  timeouts: Timeouts;
  marking: Marking;
  limit: Limit;
  /** All providers' networks, resolved names among them. */
  signalling: Prefixes;
  media: Prefixes;
  /** Networks of providers whose voice is left unmarked, of signalling and audio alike. */
  unmarked: Prefixes;
  /** Own phones out there: not limited, and nothing more. */
  sites: Prefixes;
}

/** Rates by method; new TCP connections may carry any of them. */
export function ratesOf(limit: NonNullable<Limit>): Record<Method, number> {
  const { register, invite, options, other } = limit;
  return { register, invite, options, other, tcp: register + invite + options };
}
