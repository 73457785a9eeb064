/** What nft and iptables count and limit alike of SIP requests from the internet. Times are seconds. */

/** As long as a request may take to be answered: 64 * T1 (RFC 3261 §17.1.2.2, timer F), and an INVITE (timer C, §16.6). */
export const TRANSACTION = 32;
export const INVITE_TRANSACTION = 180;
/** As long as an answer that comes at once may take, to what is no INVITE. */
export const AT_ONCE = 10;
/** How long a source's next answer to a challenge counts by itself. */
export const RETURNED = 300;
/** How long a phone counts as registered after it was last told so: more than the longest interval that is usual, 3600 s. */
export const REGISTERED = 7200;

/** For the peer of a call, and for an address behind which somebody is registered: so many times what a stranger may. */
export const MORE = 10;
/** What a source may send over TCP at once, in seconds of its rate: more than the largest message. */
export const TCP_BURST = 16;

/** UDP header and the shortest request there can be: `A sip:b SIP/2.0`, two line ends. Keep-alives of text are shorter. */
export const SHORTEST = 8 + 17;
/** The longest method that is looked for at ports that are none of SIP's. */
export const LONGEST_METHOD = 16;

/** Methods that have a rate of their own. */
export const KNOWN = ['register', 'invite', 'options'] as const;
/** Requests that belong to a call once it rings (RFC 3261, 3262, 3311, 6086). */
export const OF_CALL = ['ACK', 'BYE', 'CANCEL', 'PRACK', 'UPDATE', 'INFO'];
