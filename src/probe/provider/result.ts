/** What a probe of the way to a provider gives: plain data, the same for a terminal and a program. */
import type { Peer } from '../../host/network.ts';
import type { Said } from '../../words/say.ts';

export type Transport = 'udp' | 'tcp' | 'tls';

/**
 * How a question is written.
 * `literal`: as a phone does, with the very address and port of its socket; what an ALG looks for.
 * `named`:   the same from the same socket with a host name in the places of the address: the kernel's ALG leaves it alone
 *            (it compares literals, nf_nat_sip.c map_addr), so the answer shows what the server saw.
 * `mapped`:  From names the public address, which only what maps the answers back would touch.
 * `medium`, `large`: as `literal`, padded to just below, and above, what one packet holds.
 */
export type Form = 'literal' | 'named' | 'mapped' | 'medium' | 'large';

/** A value of the question that the answer has to repeat (RFC 3261 §8.2.6.2), and did not. */
export interface Alteration {
  /** As people call it: `Via sent-by`, `From`, `Call-ID`. */
  field: string;
  sent: string;
  seen: string;
}

export interface Answer {
  status: number;
  reason: string;
  /** What the server calls itself; null where it does not. */
  server: string | null;
  /** Where the server saw the question come from (RFC 3261 §18.2.1, RFC 3581 §4); null where it does not say. */
  received: string | null;
  rport: number | null;
  alterations: Alteration[];
  /** Seconds after which it wants to be asked again (RFC 3261 §20.33); null where it does not say. */
  retryAfter: number | null;
}

/** What came of one question, with its retransmissions. */
export type Outcome =
  | { state: 'answered'; answer: Answer; milliseconds: number }
  /** Nothing came until it was given up. */
  | { state: 'silent' }
  /** The network or the other side said no. */
  | { state: 'failed'; because: string };

export interface Look {
  over: Transport;
  server: Peer;
  local: Peer;
  form: Form;
  /** Bytes of the message. */
  size: number;
  /** How often it was sent. */
  sent: number;
  outcome: Outcome;
}

/** One place where a provider's server is, and how it was found. */
export interface Server extends Peer {
  over: Transport;
  /** The name it was found under; for TLS the one its certificate is to be of. */
  name: string;
  by: 'address' | 'A' | 'AAAA' | 'SRV' | 'NAPTR and SRV';
}

/**
 * `answered`: SIP is spoken there. `connected`: a connection stands, and no SIP came. `no`: what the network said.
 * `silent`: nothing at all. `unpublished`: the name's SRV records lead to no server for it. `not here`: this engine cannot.
 */
export interface Reach {
  over: Transport;
  state: 'answered' | 'connected' | 'no' | 'silent' | 'unpublished' | 'not here';
  server: Server | null;
  /** In words. */
  says: Said;
  /** What is wrong with the certificate; null: nothing. Absent where there is none. */
  certificate?: string | null;
}

/** Of a transport for which there are servers of both families, what came of each; `reach` has the better one. */
export interface ReachByFamily extends Reach {
  family: 'ipv4' | 'ipv6';
}

/** Whether the translated port is the socket's own, over UDP. */
export interface SourcePort {
  state: 'kept' | 'changed' | 'unknown';
  local: number | null;
  seen: number | null;
  says: Said;
}

/** Whether a question that takes several packets arrives, over UDP. */
export interface Fragments {
  state: 'arrive' | 'lost' | 'unknown';
  /** Bytes of the message, and of the largest that is known to fit into one packet and was answered. */
  size: number;
  answered: number | null;
  says: Said;
}

/** How long the way back stays open while nothing is said, over UDP. */
export interface Binding {
  state: 'measured' | 'unknown' | 'not asked';
  /** By seconds of silence, in rising order: whether the way back was still open. */
  tries: { seconds: number; open: boolean | null }[];
  /** It lives at least so many seconds, and less than so many; null where no try says so. */
  least: number | null;
  most: number | null;
  says: Said;
}

/** `rewritten`: something on the way edits SIP. `inconclusive`: why, is the first of the reasons. */
export type Verdict = 'unchanged' | 'rewritten' | 'inconclusive';

/** Where it is done. `beyond`: beyond this router. `here or beyond`: this router's own is on, so it cannot be told. */
export type Where = 'beyond' | 'here or beyond' | 'on the way' | null;

export interface ProviderProbe {
  verdict: Verdict;
  where: Where;
  summary: Said;
  /** What the verdict rests on, and what it does not cover: sentences. */
  reasons: Said[];
  provider: { asked: string; servers: Server[]; failures: string[] };
  /** Where this was run: the router's own state where it is one. */
  here: Here;
  reach: Reach[];
  /** Only for transports with servers of both families, where one of each was asked. */
  reachByFamily: ReachByFamily[];
  sourcePort: SourcePort;
  fragments: Fragments;
  binding: Binding;
  looks: Look[];
  /** Messages that were sent in all, retransmissions counted. */
  messages: number;
}

/** The machine the probe runs on. `alg`: of an OpenWrt router, by its survey. */
export interface Here {
  kind: 'router' | 'computer';
  alg: 'rewriting' | 'tracking' | 'off' | 'unknown' | null;
}
