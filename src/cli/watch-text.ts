/** What a watch tells, in lines for people. Decides nothing: every word follows from one piece of data. */
import type { CauseName } from '../watch/causes.ts';
import type { Party, Told } from '../watch/told.ts';
import type { Summary } from '../watch/watching.ts';

const two = (number: number): string => String(number).padStart(2, '0');

/** `14:03:07`, by the router's own clock. */
export function clockTime(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
const who = (party: Party): string => (party === 'phone' ? 'the phone' : 'the other side');

/** What a cause means, and what to do or ask next; one sentence or two. */
export const CAUSES: Readonly<Record<CauseName, string>> = {
  'state-expired':
    'The router forgets the phone before it registers again, so calls to it are lost meanwhile. Raise the UDP timeouts above the '
    + "registration's interval (`option policy '1'` does), or shorten the interval in the phone.",
  'state-expired-in-call':
    'The signalling of this call was forgotten while its audio went on: what the provider sends next (hold, refresh, hang up) is lost. '
    + "Raise the UDP timeouts (`option policy '1'`).",
  'state-taken':
    'It did not run out: something took it away (a changed WAN address, a reloaded firewall, a tool). '
    + 'The phone is reached again once it speaks.',
  'stale-state':
    'It was made before the firewall translated, and the retries of the phone keep it alive. `sipalg apply` ends such flows; '
    + 'so does switching the phone off for some minutes.',
  'same-sip-port': 'Two phones use one source port: calls may ring the other one. Give each phone a local SIP port of its own.',
  'same-rtp-port':
    'Two phones use one audio port, and the server sends to the port that the phone has named. '
    + 'Give each phone a range of RTP ports of its own.',
  'media-from-elsewhere':
    'As many packets were rejected from the internet as audio went out: the audio comes from another address or port than it is sent to. '
    + 'Ask the provider for the addresses of its audio, or for latching (RFC 7362).',
  'blocked-or-private':
    'Either it is blocked beyond this router, or the phone named a private address in its SDP; these flows do not tell which. '
    + 'A record of the messages would.',
  'private-sdp':
    'The phone named a private address for its audio, and the server sends there. '
    + 'The provider has to latch (RFC 7362), or the phone has to learn its address (STUN).',
  'blocked-beyond':
    'The phone named an address that can be reached, and nothing arrives at this router: ask the provider where it sends the audio.',
  'ack-lost':
    'The answer is repeated because its ACK does not arrive; after 32 s who answered hangs up. '
    + 'An ALG, or a wrong Contact or Record-Route, leads it astray.',
  'alg-dropped': 'The SIP ALG of this router dropped it. `sipalg disable` switches it off.',
  'alg-changed': 'Something in this router writes into the messages: an ALG. `sipalg` says which, `sipalg disable` switches it off.',
  'grown-over-mtu': 'It grew beyond what fits into a packet while it was rewritten. `sipalg disable`, or TCP.',
  'fragments-lost': 'Large messages do not get through. Fewer codecs in the phone, or TCP or TLS, make them smaller or whole.',
  'dropped-here': 'It went into this router and did not come out: the firewall or an ALG dropped it. `sipalg` says which of them is on.',
  'unanswered-beyond': 'It left this router, so it is lost beyond it, or nobody answers there.',
  forwarded: 'A forward of this port takes the calls of every other phone with it.',
};

const COUNTERS = {
  rejected: 'packets from the internet were rejected by the firewall',
  'fragments-failed': 'packets were too large to be sent on (Ip.FragFails)',
  'fragments-missing': 'large packets came in parts of which some are missing (Ip.ReasmFails)',
} as const;

const WAYS = {
  both: 'audio goes both ways',
  out: 'audio goes one way only: out, and nothing comes back',
  in: 'audio goes one way only: in, and nothing goes out',
  none: 'audio has stopped both ways',
} as const;

function audioText(told: Extract<Told, { what: 'audio' }>): string {
  const { ways, out, seconds, rejected, far } = told;
  const counted = out + told.in === 0 ? '' : ` (${out} packets out and ${told.in} in within ${Math.round(seconds)} s)`;
  const more = rejected !== null && rejected > 0 && ways === 'out' ? `; ${rejected} were rejected from the internet in that time` : '';
  return `${WAYS[ways]}${counted}, with ${far}${more}`;
}

function registeredText({ expires, every, far }: Extract<Told, { what: 'registered' }>): string {
  const granted = expires === null ? '' : ` for ${duration(expires)}`;
  return `registered with ${far}${granted}${every === null ? '' : `, renewed after ${duration(every)}`}`;
}

function stateText({ far, left, after, transport, unanswered }: Extract<Told, { what: 'state' }>): string {
  const time = left === null ? '' : `, ${duration(left)} left`;
  const over = transport === 'udp' ? '' : ` over ${transport.toUpperCase()}`;
  if (after !== null && after > 0) return `speaks to ${far}${over} again; for ${duration(after)} nothing from there could come in`;
  return `speaks to ${far}${over}${unanswered ? '; no answer yet' : time}`;
}

function endText({ how, by, ended, far, inCall }: Extract<Told, { what: 'state-ended' }>): string {
  const call = inCall ? ' while a call goes on' : '';
  if (how === 'expired') return `state expired at ${clockTime(ended)}${call}: nothing from ${far} reaches it until it speaks again`;
  return `state with ${far} was ${how === 'deleted' ? `deleted by ${by ?? 'a program'}` : 'taken away before its time'}${call}`;
}

const packets = (told: { out: number | null; in: number | null }): string =>
  told.out === null ? '' : ` (${told.out} packets out, ${told.in ?? 0} in)`;

/** What happened, without time, phone and cause. */
export function sentence(told: Told): string {
  switch (told.what) {
    case 'state':
      return stateText(told);
    case 'state-ended':
      return endText(told);
    case 'port-moved': {
      const holder = told.holder === null ? '' : `, for ${told.holder} has that one`;
      return `leaves the router from port ${told.to} instead of ${told.port}${told.media ? ' with its audio' : ''}${holder}`;
    }
    case 'untranslated':
      return `goes to ${told.far} without being translated: no answer can come back`;
    case 'from-outside':
      return told.to === 'phone'
        ? `is sent what ${told.far} begins: a forward leads here`
        : `${told.far} is answered by a SIP service on this router`;
    case 'router-speaks':
      return `a SIP service on this router speaks to ${told.far}`;
    case 'audio':
      return audioText(told);
    case 'audio-ended':
      return `audio with ${told.far} has ended after ${duration(told.seconds)}${packets(told)}`;
    case 'counter':
      return `${told.more} ${COUNTERS[told.name]}`;
    case 'registered':
      return registeredText(told);
    case 'speaks-every':
      return `spoke to ${told.far} every ${duration(told.every)}, ${told.times} times by now`;
    case 'unregistered':
      return `has taken back its registration with ${told.far}`;
    case 'registration-refused':
      return `registration refused by ${told.far}: ${told.status}`;
    case 'no-answer':
      return `${told.message} was sent ${told.times} times in ${duration(told.seconds)}, and ${told.far} does not answer`;
    case 'call':
      return told.by === 'phone' ? `calls${told.number === null ? '' : ` ${told.number}`}` : 'is called';
    case 'rings':
      return 'rings';
    case 'answered':
      return `answered by ${who(told.by)} after ${duration(told.seconds)}`;
    case 'held':
      return `held by ${who(told.by)}`;
    case 'resumed':
      return `resumed by ${who(told.by)}`;
    case 'transfer':
      return told.status === null
        ? `${who(told.by)} transfers the call`
        : `the transfer by ${who(told.by)} was answered with ${told.status}`;
    case 'failed':
      return `not answered: ${told.status} ${told.reason}`;
    case 'cancelled':
      return `given up by ${who(told.by)}${told.elsewhere ? ': answered elsewhere' : ''}`;
    case 'answer-repeated':
      return `the answer was sent ${told.times} times: its ACK does not reach ${who(told.by)}`;
    case 'ended':
      return `ended by ${who(told.by)}${told.seconds === null ? '' : ` after ${duration(told.seconds)}`}`;
    case 'dropped':
      return `${told.message} (${told.bytes} bytes) from the ${told.toProvider ? 'phone' : 'internet'} went in and did not come out`;
    case 'helper-dropped':
      return `the SIP helper dropped a message: ${told.reason}`;
    case 'changed':
      return `messages are changed on their way through the router to the ${told.toProvider ? 'provider' : 'phone'}, ${told.message} first`;
  }
}

/** The line of one thing that happened, and one below it for its cause, the first time this cause is named. */
export function toldText(told: Told, isNews: boolean): string {
  const name = (told.phone ?? 'router').padEnd(15);
  const call = told.call === null ? '' : `call ${told.call}: `;
  const line = `${clockTime(told.at)}  ${name}  ${call}${sentence(told)}`;
  if (told.cause === null) return `${line}\n`;
  return isNews ? `${line}\n          [${told.cause}] ${CAUSES[told.cause]}\n` : `${line} [${told.cause}]\n`;
}

function registrationText({ phone, far, expires, every, granted, refused }: Summary['registrations'][number]): string {
  if (refused !== null) return `${phone} at ${far}: refused (${refused})`;
  if (granted === null) return `${phone} at ${far}: not registered`;
  const times = [expires === null ? '' : `for ${duration(expires)}`, every === null ? '' : `renewed every ${duration(every)}`].filter(
    (text) => text !== '',
  );
  return `${phone} at ${far}: registered${times.length === 0 ? '' : ` (${times.join(', ')})`}`;
}

/** @param recorded whether messages were recorded at all */
export function summaryText(summary: Summary, recorded: boolean): string {
  const { began, ended, phones, registrations, calls, answered, failed, cancelled, live, causes, audio } = summary;
  const lines = [`Watched for ${duration((ended - began) / 1000)}: ${plural(phones, 'phone')}.`];
  if (recorded) {
    const parts = [`${answered} answered`, `${failed} failed`, `${cancelled} given up`, ...(live > 0 ? [`${live} going on`] : [])];
    lines.push(`${plural(calls, 'call')}: ${parts.join(', ')}.`);
    for (const registration of registrations) lines.push(`  ${registrationText(registration)}`);
    if (summary.messages > 0) {
      const { passed, changed, dropped } = summary;
      lines.push(
        `${plural(summary.messages, 'message')}: ${passed - changed} passed unchanged, ${changed} changed, ${dropped} did not come out.`,
      );
    }
  } else lines.push('Messages were not recorded, so who called, rang and answered is not known.');
  for (const { phone, far, every, times } of summary.spoken)
    lines.push(`  ${phone} spoke to ${far} every ${duration(every)}, ${times} times.`);
  const streams = audio.both + audio.out + audio.in;
  if (summary.counts === false)
    lines.push('Packets are not counted here (nf_conntrack_acct is 0), so whether audio went both ways is not known.');
  else if (streams > 0)
    lines.push(
      `Audio: ${audio.both} times both ways, ${audio.out} times out alone, ${audio.in} times in alone (as it arrived at this router).`,
    );
  if (summary.unwatched > 0) lines.push(`${plural(summary.unwatched, 'flow')} could not be watched for want of room.`);
  const named = Object.entries(causes) as [CauseName, number][];
  if (named.length === 0) lines.push('No cause of trouble was seen.');
  else lines.push('Causes seen:', ...named.map(([name, count]) => `  ${name} (${plural(count, 'time')}): ${CAUSES[name]}`));
  return `${lines.join('\n')}\n`;
}
