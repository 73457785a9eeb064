/**
 * The wished voice rules as data: all that a renderer (nft, iptables) needs and
 * nothing else. The same value gives the same text on every run.
 */

/** A DSCP class (RFC 2474): its name as the firewall writes it (`EF`, `CS3`, or the number), and its six bits, 0..63. */
export interface Dscp {
  name: string;
  value: number;
}

/** Prefixes in canonical text, sorted, disjoint: none lies in another. */
export interface Prefixes {
  ipv4: string[];
  ipv6: string[];
}

/** Seconds a UDP flow lives without a packet. */
export interface Timeouts {
  /** A SIP flow from the internet that has not been answered; a phone's lives as one that has, see nft.ts. */
  signallingUnreplied: number;
  signallingReplied: number;
  media: number;
}

/** null: nothing is marked. */
export type Marking = { media: Dscp; signalling: Dscp } | null;

/** Requests per minute and source address; null: nothing is limited. */
export type Limit = { register: number; invite: number; options: number } | null;

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
}
