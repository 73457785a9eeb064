/** What a watch tells, in sentences. Decides nothing: every word follows from one piece of data. */
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import type { OwnCause } from './causes.ts';
import type { Of, Party, Told } from './told.ts';

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

/** What those causes mean that only time shows, and what to do next; all others are told in the words of a diagnosis. */
export const OWN: Readonly<Record<OwnCause, Said>> = {
  'state-taken': say(
    'watch-state-taken',
    'It did not run out: something took it away (a changed WAN address, a reloaded firewall, a tool). '
      + 'The phone is reached again once it speaks.',
  ),
  'dropped-here': say(
    'watch-dropped-here',
    'It went into this router and did not come out: the firewall or an ALG dropped it. `sipalg` says which of them is on.',
  ),
  'unanswered-beyond': say('watch-unanswered-beyond', 'It left this router, so it is lost beyond it, or nobody answers there.'),
};

function counterSaid({ name, more }: Of<'counter'>): Said {
  if (name === 'rejected')
    return say('told-rejected', '{packets} {packets:packet|packets} from the internet were rejected by the firewall', { packets: more });
  return name === 'fragments-failed'
    ? say('told-fragments-failed', '{packets} {packets:packet|packets} were too large to be sent on (Ip.FragFails)', { packets: more })
    : say('told-fragments-missing', '{packets} large {packets:packet|packets} came in parts of which some are missing (Ip.ReasmFails)', {
        packets: more,
      });
}

function audioSaid(told: Of<'audio'>): Said {
  const { ways, out, seconds, rejected, far } = told;
  const counted =
    out + told.in === 0
      ? ''
      : say('told-audio-counted', ' ({out} packets out and {in} in within {seconds} s)', {
          out,
          in: told.in,
          seconds: Math.round(seconds),
        });
  const more =
    rejected !== null && rejected > 0 && ways === 'out'
      ? say('told-audio-rejected', '; {packets} were rejected from the internet in that time', { packets: rejected })
      : '';
  const values = { counted, more, far: far ?? '' };
  if (ways === 'both') return say('told-audio-both', 'audio goes both ways{counted}, with {far}{more}', values);
  if (ways === 'out')
    return say('told-audio-out', 'audio goes one way only: out, and nothing comes back{counted}, with {far}{more}', values);
  if (ways === 'in') return say('told-audio-in', 'audio goes one way only: in, and nothing goes out{counted}, with {far}{more}', values);
  return say('told-audio-none', 'audio has stopped both ways{counted}, with {far}{more}', values);
}

function registeredSaid({ expires, every, far }: Of<'registered'>): Said {
  return say('told-registered', 'registered with {far}{granted}{renewed}', {
    far: far ?? '',
    granted: expires === null ? '' : say('told-granted', ' for {time}', { time: duration(expires) }),
    renewed: every === null ? '' : say('told-renewed', ', renewed after {time}', { time: duration(every) }),
  });
}

/** The port of SIP over TLS (RFC 3261 §19.1.2), which is TCP. */
const TLS = ':5061';

function stateSaid({ far, left, after, transport, unanswered }: Of<'state'>): Said {
  const isTls = transport === 'tcp' && far?.endsWith(TLS) === true;
  const plain = transport === 'udp' ? '' : say('told-over', ' over {transport}', { transport: transport.toUpperCase() });
  const over = isTls ? say('told-over-tls', ' over TLS (encrypted: its messages cannot be read here)') : plain;
  const to = { far: far ?? '', over };
  if (after !== null && after > 0)
    return say('told-again', 'speaks to {far}{over} again; for {time} nothing from there could come in', { ...to, time: duration(after) });
  if (unanswered) return say('told-speaks-unanswered', 'speaks to {far}{over}; no answer yet', to);
  return left === null
    ? say('told-speaks', 'speaks to {far}{over}', to)
    : say('told-speaks-left', 'speaks to {far}{over}, {time} left', { ...to, time: duration(left) });
}

function endSaid({ how, by, ended, far, inCall }: Of<'state-ended'>): Said {
  const call = inCall ? say('told-in-call', ' while a call goes on') : '';
  const values = { far: far ?? '', call };
  if (how === 'expired')
    return say('told-expired', 'state expired at {time}{call}: nothing from {far} reaches it until it speaks again', {
      ...values,
      time: clockTime(ended),
    });
  if (how !== 'deleted') return say('told-removed', 'state with {far} was taken away before its time{call}', values);
  return by === null
    ? say('told-deleted', 'state with {far} was deleted by a program{call}', values)
    : say('told-deleted-by', 'state with {far} was deleted by {program}{call}', { ...values, program: by });
}

const by = (party: Party, phone: Said, far: Said): Said => (party === 'phone' ? phone : far);

/** Time, or none. */
const timed = (seconds: number | null): Said | '' =>
  seconds === null ? '' : say('told-after', ' after {time}', { time: duration(seconds) });

/** What happened, without time, phone and cause. */
export function toldSaid(told: Told): Said {
  const far = told.far ?? '';
  switch (told.what) {
    case 'state':
      return stateSaid(told);
    case 'state-ended':
      return endSaid(told);
    case 'port-moved':
      return say('told-port-moved', 'leaves the router from port {to} instead of {port}{media}{holder}', {
        to: told.to,
        port: told.port,
        media: told.media ? say('told-with-audio', ' with its audio') : '',
        holder: told.holder === null ? '' : say('told-holder', ', for {phone} has that one', { phone: told.holder }),
      });
    case 'untranslated':
      return say('told-untranslated', 'goes to {far} without being translated: no answer can come back', { far });
    case 'from-outside':
      return told.to === 'phone'
        ? say('told-from-outside', 'is sent what {far} begins: a forward leads here', { far })
        : say('told-answered-by-router', '{far} is answered by a SIP service on this router', { far });
    case 'router-speaks':
      return say('told-router-speaks', 'a SIP service on this router speaks to {far}', { far });
    case 'audio':
      return audioSaid(told);
    case 'audio-ended':
      return say('told-audio-ended', 'audio with {far} has ended after {time}{packets}', {
        far,
        time: duration(told.seconds),
        packets: told.out === null ? '' : say('told-packets', ' ({out} packets out, {in} in)', { out: told.out, in: told.in ?? 0 }),
      });
    case 'counter':
      return counterSaid(told);
    case 'registered':
      return registeredSaid(told);
    case 'speaks-every':
      return say('told-speaks-every', 'spoke to {far} every {time}, {times} times by now', {
        far,
        time: duration(told.every),
        times: told.times,
      });
    case 'unregistered':
      return say('told-unregistered', 'has taken back its registration with {far}', { far });
    case 'registration-refused':
      return say('told-refused', 'registration refused by {far}: {status}', { far, status: told.status });
    case 'no-answer':
      return say('told-no-answer', '{message} was sent {times} times in {time}, and {far} does not answer', {
        message: told.message,
        times: told.times,
        time: duration(told.seconds),
        far,
      });
    case 'call':
      if (told.by !== 'phone') return say('told-called', 'is called');
      return told.number === null ? say('told-calls', 'calls') : say('told-calls-number', 'calls {number}', { number: told.number });
    case 'rings':
      return say('told-rings', 'rings');
    case 'answered': {
      const time = { time: duration(told.seconds) };
      return by(
        told.by,
        say('told-answered-phone', 'answered by the phone after {time}', time),
        say('told-answered-far', 'answered by the other side after {time}', time),
      );
    }
    case 'held':
      return by(told.by, say('told-held-phone', 'held by the phone'), say('told-held-far', 'held by the other side'));
    case 'resumed':
      return by(told.by, say('told-resumed-phone', 'resumed by the phone'), say('told-resumed-far', 'resumed by the other side'));
    case 'transfer': {
      if (told.status === null)
        return by(
          told.by,
          say('told-transfer-phone', 'the phone transfers the call'),
          say('told-transfer-far', 'the other side transfers the call'),
        );
      const { status } = told;
      return by(
        told.by,
        say('told-transferred-phone', 'the transfer by the phone was answered with {status}', { status }),
        say('told-transferred-far', 'the transfer by the other side was answered with {status}', { status }),
      );
    }
    case 'failed':
      return say('told-failed', 'not answered: {status} {reason}', { status: told.status, reason: told.reason });
    case 'cancelled': {
      const more = told.elsewhere ? say('told-elsewhere', ': answered elsewhere') : '';
      return by(
        told.by,
        say('told-cancelled-phone', 'given up by the phone{more}', { more }),
        say('told-cancelled-far', 'given up by the other side{more}', { more }),
      );
    }
    case 'answer-repeated': {
      const { times } = told;
      return by(
        told.by,
        say('told-repeated-phone', 'the answer was sent {times} times: its ACK does not reach the phone', { times }),
        say('told-repeated-far', 'the answer was sent {times} times: its ACK does not reach the other side', { times }),
      );
    }
    case 'ended': {
      const time = timed(told.seconds);
      return by(
        told.by,
        say('told-ended-phone', 'ended by the phone{time}', { time }),
        say('told-ended-far', 'ended by the other side{time}', { time }),
      );
    }
    case 'dropped': {
      const { message, bytes } = told;
      return told.toProvider
        ? say('told-dropped-out', '{message} ({bytes} bytes) from the phone went in and did not come out', { message, bytes })
        : say('told-dropped-in', '{message} ({bytes} bytes) from the internet went in and did not come out', { message, bytes });
    }
    case 'helper-dropped':
      return say('told-helper-dropped', 'the SIP helper dropped a message: {reason}', { reason: told.reason });
    case 'changed': {
      const { message } = told;
      return told.toProvider
        ? say('told-changed-out', 'messages are changed on their way through the router to the provider, {message} first', { message })
        : say('told-changed-in', 'messages are changed on their way through the router to the phone, {message} first', { message });
    }
  }
}
