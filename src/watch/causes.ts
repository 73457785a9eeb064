/**
 * Causes that a watch names, each with what it takes to be named. Where two cannot be told apart by what is seen, neither is
 * named alone: `blocked-or-private` is such a pair. Counters that mislead are no ground: conntrack counts before the firewall drops,
 * so "both ways" is said of what arrives at the router, and the moment of a DESTROY is no date of an end.
 */
export type CauseName =
  /** The state of a flow ran out while the phone was to be reached by it. */
  | 'state-expired'
  /** The same within a call: what the far end sends into it is lost. */
  | 'state-expired-in-call'
  /** A program, or a change of the WAN's address, took the state away. */
  | 'state-taken'
  /** It was made before the firewall translated, and leaves with a private address. */
  | 'stale-state'
  /** Two phones with one source port at one far end: the second is moved to another port. */
  | 'same-sip-port'
  | 'same-rtp-port'
  /** Audio goes out, nothing comes back in its flow, and the firewall rejects as much from the internet. */
  | 'media-from-elsewhere'
  /** Audio goes out and nothing at all comes: blocked beyond the router, or sent to a private address of the SDP. */
  | 'blocked-or-private'
  /** The same, and the SDP that left names a private address. */
  | 'private-sdp'
  /** The same, and the SDP that left names the WAN's: so it is lost beyond the router. */
  | 'blocked-beyond'
  /** The answer is repeated and no ACK was seen on its way. */
  | 'ack-lost'
  /** The SIP helper dropped the message. */
  | 'alg-dropped'
  | 'alg-changed'
  /** A message is larger than what the way out takes in one piece, or grew beyond it in the router. */
  | 'too-large'
  /** Fragments of a large one did not come. */
  | 'fragments-lost'
  /** Dropped within the router, and nothing says by what. */
  | 'dropped-here'
  /** Sent and not answered, and it did leave the router. */
  | 'unanswered-beyond'
  /** A forward of the SIP port brings calls to another. */
  | 'forwarded';

/** Those that a diagnosis, which looks once, cannot see. */
export type OwnCause = 'state-taken' | 'dropped-here' | 'unanswered-beyond';

/**
 * What `diagnose` calls the same: one table of causes for both, and one name for each wherever it is told. Two where a watch cannot
 * tell which of them it is.
 */
export const DIAGNOSED: Readonly<Record<Exclude<CauseName, OwnCause>, readonly string[]>> = {
  'state-expired': ['state-short'],
  'state-expired-in-call': ['state-gone-in-call'],
  'stale-state': ['state-untranslated'],
  'same-sip-port': ['phones-share-sip-port'],
  'same-rtp-port': ['phones-share-audio-port'],
  'media-from-elsewhere': ['audio-from-elsewhere'],
  'blocked-or-private': ['audio-lost-upstream', 'sdp-private'],
  'private-sdp': ['sdp-private'],
  'blocked-beyond': ['audio-lost-upstream'],
  'ack-lost': ['answer-unacknowledged'],
  'alg-dropped': ['alg-drops'],
  'alg-changed': ['alg-rewrites'],
  'too-large': ['message-too-large'],
  'fragments-lost': ['fragments-lost-in'],
  forwarded: ['forward-takes-calls'],
};

/** Its codes, or its own name where it has none. */
export const codesOf = (cause: CauseName): readonly string[] => (cause in DIAGNOSED ? DIAGNOSED[cause as keyof typeof DIAGNOSED] : [cause]);
