/** Why a host far away could not be asked, as doors say it: the page asks none, and does without these. */
import { reasonsWith } from './reasons.ts';
import { say } from './say.ts';

/** The reason of a text, a router's or that of the way to another host. */
export const reasonIn = reasonsWith([
  say('because-refused', 'nobody listens there (connection refused)'),
  say('because-no-host', 'no way to that host'),
  say('because-no-network', 'no way to that network'),
  say('because-not-in-time', 'no connection in time'),
  say('because-not-within', 'no connection within {seconds} s'),
  say('because-reset', 'the connection was reset'),
  say('because-closed', 'the other side closed the connection'),
  say('because-no-socat', 'neither socat nor nc is installed'),
  say('because-tls-node', 'TLS needs Node'),
  say(
    'because-quickjs',
    'Not tried: QuickJS has no sockets of its own. Install socat (`apk add socat`), or run this on a computer with Node',
  ),
  say('because-quickjs-tls', 'Not tried: TLS needs Node; run this on a computer to have it tried'),
  say('because-self-signed', 'it is self-signed ({code})'),
  say('because-unsigned', 'nobody known has signed it ({code})'),
  say('because-expired', 'it has expired ({code})'),
  say('because-not-yet', 'it is not valid yet; is the clock right? ({code})'),
  say('because-other-name', 'it is of another name ({code})'),
  say('because-no-naptr', '{name}: nslookup cannot ask for NAPTR records'),
]);
