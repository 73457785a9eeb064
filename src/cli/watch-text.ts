/** What a watch tells, in lines for people. */
import { clockTime, duration, toldSaid } from '../watch/said.ts';
import type { Told } from '../watch/told.ts';
import type { Summary } from '../watch/watching.ts';
import { english } from '../words/english.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import { COLUMNS, folded } from './fold.ts';
import { causeSaid, fixesOf, namedIn, nameOf } from './watch-causes.ts';

/** Where the second line of something told begins: under its words. */
const INDENT = 10;

/** The line of one thing that happened, and one below it for its cause, the first time this cause is named. */
export function toldText(told: Told, isNews: boolean, put: Put = english, width = COLUMNS): string {
  const name = (told.phone ?? put(say('end-router', 'router'))).padEnd(15);
  const call = told.call === null ? '' : put(say('watch-call', 'call {number}: ', { number: told.call }));
  const { cause } = told;
  const head = `${clockTime(told.at)}  ${name}  ${call}${put(toldSaid(told))}${cause === null || isNews ? '' : ` [${nameOf(cause)}]`}`;
  const under = ' '.repeat(INDENT);
  const lines = [
    head,
    ...(cause === null || !isNews
      ? []
      : [`${under}[${nameOf(cause)}] ${put(causeSaid(cause))}`, ...fixesOf(cause).map((fix) => under + put(fix))]),
  ];
  return lines.map((line) => `${folded(line, width, INDENT)}\n`).join('');
}

function registrationSaid({ phone, far, expires, every, granted, refused }: Summary['registrations'][number]): Said {
  const who = { phone, far };
  if (refused !== null) return say('watch-refused', '{phone} at {far}: refused ({status})', { ...who, status: refused });
  if (granted === null) return say('watch-unregistered', '{phone} at {far}: not registered', who);
  const times = [
    ...(expires === null ? [] : [say('watch-for', 'for {time}', { time: duration(expires) })]),
    ...(every === null ? [] : [say('watch-every', 'renewed every {time}', { time: duration(every) })]),
  ];
  const [first, second] = times;
  if (first === undefined) return say('watch-registered', '{phone} at {far}: registered', who);
  return second === undefined
    ? say('watch-registered-time', '{phone} at {far}: registered ({time})', { ...who, time: first })
    : say('watch-registered-times', '{phone} at {far}: registered ({time}, {renewed})', { ...who, time: first, renewed: second });
}

/** @param recorded whether messages were recorded at all */
export function summarySaid(summary: Summary, recorded: boolean): Said[] {
  const { began, ended, phones, registrations, calls, answered, failed, cancelled, live, causes, audio } = summary;
  const lines = [say('watched', 'Watched for {time}: {phones} {phones:phone|phones}.', { time: duration((ended - began) / 1000), phones })];
  if (recorded) {
    const counted = { calls, answered, failed, cancelled };
    lines.push(
      live > 0
        ? say(
            'watched-calls-live',
            '{calls} {calls:call|calls}: {answered} answered, {failed} failed, {cancelled} given up, {live} going on.',
            { ...counted, live },
          )
        : say('watched-calls', '{calls} {calls:call|calls}: {answered} answered, {failed} failed, {cancelled} given up.', counted),
      ...registrations.map((one) => say('watched-registration', '  {registration}', { registration: registrationSaid(one) })),
    );
    if (summary.messages > 0) {
      const { messages, passed, changed, dropped } = summary;
      lines.push(
        say(
          'watched-messages',
          '{messages} {messages:message|messages}: {same} passed unchanged, {changed} changed, {dropped} did not come out.',
          { messages, same: passed - changed, changed, dropped },
        ),
      );
    }
  } else lines.push(say('watched-unrecorded', 'Messages were not recorded, so who called, rang and answered is not known.'));
  lines.push(
    ...summary.spoken.map(({ phone, far, every, times }) =>
      say('watched-spoke', '  {phone} spoke to {far} every {time}, {times} times.', { phone, far, time: duration(every), times }),
    ),
  );
  const streams = audio.both + audio.out + audio.in;
  if (summary.counts === false)
    lines.push(
      say('watched-uncounted', 'Packets are not counted here (nf_conntrack_acct is 0), so whether audio went both ways is not known.'),
    );
  else if (streams > 0)
    lines.push(
      say('watched-audio', 'Audio: {both} times both ways, {out} times out alone, {in} times in alone (as it arrived at this router).', {
        both: audio.both,
        out: audio.out,
        in: audio.in,
      }),
    );
  if (summary.unwatched > 0)
    lines.push(say('watched-no-room', '{flows} {flows:flow|flows} could not be watched for want of room.', { flows: summary.unwatched }));
  const named = namedIn(causes);
  if (named.length === 0) lines.push(say('watched-no-cause', 'No cause of trouble was seen.'));
  else
    lines.push(
      say('watched-causes', 'Causes seen:'),
      ...named.map(({ code, times, cause }) =>
        say('watched-cause', '  {name} ({times} {times:time|times}): {cause}', { name: code, times, cause: causeSaid(cause) }),
      ),
    );
  return lines;
}

export const summaryText = (summary: Summary, recorded: boolean, put: Put = english, width = COLUMNS): string =>
  summarySaid(summary, recorded)
    .map((line) => `${folded(put(line), width)}\n`)
    .join('');
