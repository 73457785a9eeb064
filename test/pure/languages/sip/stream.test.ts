import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MOST_BODY, MOST_BYTES } from '../../../../src/languages/sip/message.ts';
import { MOST_OTHER, StreamFramer } from '../../../../src/languages/sip/stream.ts';
import type { StreamFrame } from '../../../../src/languages/sip/stream.ts';
import { bytesOf } from '../../../../src/languages/sip/text.ts';
import { damage, seeded } from '../../../seeded.ts';
import { invite, message, OPTIONS, RINGING, SDP, STUN } from './samples.ts';

/** What comes out of a stream that is cut at these places. */
function framed(text: string, cuts: readonly number[] = []): StreamFrame[] {
  const framer = new StreamFramer();
  const bytes = bytesOf(text);
  const ends = [...cuts, bytes.length];
  const frames = ends.flatMap((end, index) => framer.push(bytes.subarray(ends[index - 1] ?? 0, end)));
  return [...frames, ...framer.end()];
}

/** Kind, the beginning, and what is odd, of each frame. Checks that the frames follow one another and leave nothing out. */
function shown(frames: readonly StreamFrame[], text: string): string[] {
  let at = 0;
  for (const frame of frames) {
    assert.is(frame.offset, at);
    if (frame.kind === 'message') assert.is(frame.message.text, text.slice(at, at + frame.length));
    at += frame.length;
  }
  assert.is(at, text.length);
  return frames.map((frame) => [frame.kind, frame.length, ...frame.kind === 'message'
    ? [frame.message.text.slice(0, 7).trim(), ...frame.message.problems.map(({ code }) => code)] : []].join(' '));
}

const I = invite();
const O = OPTIONS;
const TEXT = (length: string): string => message(['MESSAGE sip:a@b SIP/2.0', 'Via: SIP/2.0/TCP h', 'c: text/plain', length],
  'hello\r\nworld\r\n');

const STREAMS: readonly [what: string, text: string, frames: readonly string[]][] = [
  ['one message', I, [`message ${I.length} INVITE`]],
  ['messages one after another', I + O + RINGING, [`message ${I.length} INVITE`, `message ${O.length} OPTIONS`,
    `message ${RINGING.length} SIP/2.0`]],
  ['keep-alives between', `\r\n\r\n${I}\r\n\r\n${O}\r\n`, ['keep-alive 4', `message ${I.length} INVITE`, 'keep-alive 4',
    `message ${O.length} OPTIONS`, 'keep-alive 2']],
  ['STUN between', `${STUN}${I}${STUN}${STUN}${O}`, ['stun 20', `message ${I.length} INVITE`, 'stun 20', 'stun 20',
    `message ${O.length} OPTIONS`]],
  ['line ends of LF alone', invite({ body: SDP.replaceAll('\r\n', '\n') }).replaceAll('\r\n', '\n') + O,
    [`message ${invite({ body: SDP.replaceAll('\r\n', '\n') }).replaceAll('\r\n', '\n').length} INVITE line-ends`,
      `message ${O.length} OPTIONS`]],
  ['no Content-Length and no body', `${O.replace('l: 0\r\n', '')}${I}`,
    [`message ${O.length - 6} OPTIONS no-length`, `message ${I.length} INVITE`]],
  ['no Content-Length and a body', `${invite({ length: null })}${O}`,
    [`message ${invite({ length: null }).length} INVITE no-length`, `message ${O.length} OPTIONS`]],
  ['no Content-Length and a body without line end', `${invite({ length: null })}a=x${O}`,
    [`message ${invite({ length: null }).length + 3} INVITE no-length`, `message ${O.length} OPTIONS`]],
  ['a Content-Length that is none', `${TEXT('l: -5')}${O}`, [`message ${TEXT('l: -5').length} MESSAGE bad-length no-length`,
    `message ${O.length} OPTIONS`]],
  ['a Content-Length too small', `${TEXT('l: 5')}${O}`, [`message ${TEXT('l: 5').length - 9} MESSAGE`, 'keep-alive 2', 'other 7',
    `message ${O.length} OPTIONS`]],
  ['a Content-Length too small before a body without line end', `${TEXT('l: 7')}end${RINGING}`,
    [`message ${TEXT('l: 7').length - 7} MESSAGE`, 'other 10', `message ${RINGING.length} SIP/2.0`]],
  ['a Content-Length too large', `${TEXT('l: 40')}${O}${I}`, [`message ${TEXT('l: 40').length} MESSAGE body-short`,
    `message ${O.length} OPTIONS`, `message ${I.length} INVITE`]],
  ['a Content-Length too large by so little that it ends in a method', `${TEXT('l: 16')}${O}${I}`,
    [`message ${TEXT('l: 16').length} MESSAGE body-short`, `message ${O.length} OPTIONS`, `message ${I.length} INVITE`]],
  ['a Content-Length too large, and a response behind it', `${TEXT('l: 18')}${RINGING}`,
    [`message ${TEXT('l: 18').length} MESSAGE body-short`, `message ${RINGING.length} SIP/2.0`]],
  ['a body whose last line has no end and looks like a method',
    `${message(['MESSAGE sip:a@b SIP/2.0', 'v: SIP/2.0/TCP h', 'l: 6'], 'x\nPCMA')}${O}`,
    [`message ${message(['MESSAGE sip:a@b SIP/2.0', 'v: SIP/2.0/TCP h', 'l: 6'], 'x\nPCMA').length} MESSAGE`,
      `message ${O.length} OPTIONS`]],
  ['a Content-Length larger than any body', `${TEXT('l: 99999999')}${O}`,
    [`message ${TEXT('l: 99999999').length} MESSAGE body-short`, `message ${O.length} OPTIONS`]],
  ['a Content-Length too large at its end', TEXT('l: 40'), [`message ${TEXT('l: 40').length} MESSAGE body-short`]],
  ['a message whose header breaks off', `${I.slice(0, 100)}\r\n${O}`, ['other 102', `message ${O.length} OPTIONS`]],
  ['a message cut at its end', O + I.slice(0, 100), [`message ${O.length} OPTIONS`, 'other 100']],
  ['its beginning within a message', `${I.slice(100)}${O}`, [`other ${I.length - 100}`, `message ${O.length} OPTIONS`]],
  ['something else', 'GET / HTTP/1.1\r\nHost: h\r\n\r\n', ['other 27']],
  ['bytes of TLS', `\x16\x03\x01\x02\x00\x01${'\x7f'.repeat(200)}`, ['other 206']],
  ['STUN that is cut', STUN.slice(0, 15), ['other 15']],
  ['STUN of a length that is none, before a message', `${STUN.slice(0, 3)}\x03${STUN.slice(4)}\r\n${O}`,
    ['other 22', `message ${O.length} OPTIONS`]],
];

const streams = suite('a stream');

for (const [what, text, expected] of STREAMS) {
  streams(`is framed with ${what}`, () => {
    assert.equal(shown(framed(text), text), expected);
  });

  streams(`is framed the same wherever it is cut in two, with ${what}`, () => {
    for (let cut = 0; cut <= text.length; cut++) assert.equal(shown(framed(text, [cut]), text), expected, `cut at ${cut}`);
  });

  streams(`is framed the same byte for byte, with ${what}`, () => {
    assert.equal(shown(framed(text, Array.from({ length: text.length }, (_, index) => index)), text), expected);
  });
}

streams('gives a message as soon as it is whole', () => {
  const framer = new StreamFramer();
  assert.equal(framer.push(bytesOf(I.slice(0, -1))), []);
  assert.is(framer.push(bytesOf(I.slice(-1))).length, 1);
  assert.equal(framer.end(), []);
});

streams('keeps a body that speaks of a response, where its type allows that', () => {
  const body = 'SIP/2.0 200 OK\r\n';
  const notify = message(['NOTIFY sip:a@b SIP/2.0', 'v: SIP/2.0/TCP h', 'c: message/sipfrag', `l: ${body.length}`], body);
  assert.equal(shown(framed(notify + O), notify + O), [`message ${notify.length} NOTIFY`, `message ${O.length} OPTIONS`]);
});

streams('says why bytes are no message', () => {
  const why = (text: string): string => framed(text).flatMap((frame) => frame.kind === 'other' ? [frame.refused] : [])[0] ?? '';
  assert.match(why(`${TEXT('l: 7')}more\r\n${O}`), /Content-Length before it may be too small/);
  assert.match(why(`middle\r\n${O}`), /joined within a message/);
  assert.match(why(I.slice(0, 90)), /breaks off within its header/);
  assert.match(why(`OPTIONS sip:a SIP/2.0\r\n\r\n${O}`), /no header field/);
});

streams('with lost bytes gives what it has, and goes on behind them', () => {
  const framer = new StreamFramer();
  const frames = [...framer.push(bytesOf(O + I.slice(0, -20))), ...framer.gap(1000), ...framer.push(bytesOf(`tail\r\n${RINGING}`)),
    ...framer.end()];
  assert.equal(frames.map(({ kind, offset, length }) => `${kind} ${offset} ${length}`), [
    `message 0 ${O.length}`, `message ${O.length} ${I.length - 20}`, `other ${O.length + I.length + 980} 6`,
      `message ${O.length + I.length + 986} ${RINGING.length}`,
  ]);
  assert.ok(frames[1]?.kind === 'message' && frames[1].message.problems.some(({ code }) => code === 'body-short'));
});

streams('takes the way from bytes to text that it is given', () => {
  let asked = 0;
  const framer = new StreamFramer((bytes, start, end) => {
    asked++;
    return String.fromCharCode(...bytes.subarray(start, end));
  });
  assert.is(framer.push(bytesOf(O)).length, 1);
  assert.ok(asked > 0);
});

streams('that never becomes a message is handed on in pieces, and kept no longer', () => {
  const framer = new StreamFramer();
  let length = 0;
  for (let round = 0; round < 40; round++) {
    for (const frame of framer.push(bytesOf('x'.repeat(10_000)))) {
      assert.ok(frame.kind === 'other' && frame.length <= MOST_OTHER + 8192);
      length += frame.length;
    }
  }
  assert.ok(length > 300_000, `${length} handed on`);
  assert.equal(framer.push(bytesOf(`\r\n${O}`)).map(({ kind }) => kind), ['other', 'message']);
});

streams('whose header never ends is given up at a size', () => {
  const frames = framed(`OPTIONS sip:a SIP/2.0\r\n${'X: yyyyyyyyyyyyyyyyyyyy\r\n'.repeat(4000)}\r\n${O}`);
  assert.ok(frames[0]?.kind === 'other');
  assert.match(frames[0].refused, /has more than (1024 fields|65535 bytes)/);
  assert.is(frames.at(-1)?.kind, 'message');
  assert.ok(MOST_BYTES < 70_000);
});

streams('whose body has no length is ended at a size', () => {
  const text = `${invite({ length: null, body: 'v=0\r\n' })}${'a=x\r\n'.repeat(MOST_BODY / 5 + 100)}${O}`;
  const frames = framed(text);
  assert.equal(frames.map(({ kind }) => kind), ['message', 'other', 'message']);
});

streams('of any damage, cut anywhere, is framed to the last byte and the same', () => {
  const random = seeded(793);
  const sound = [I, O, RINGING, STUN, '\r\n\r\n', TEXT('l: 14'), invite({ length: null })];
  let messages = 0;
  for (let round = 0; round < 600; round++) {
    const text = damage(Array.from({ length: 4 }, () => random.pick(sound)).join(''), random).replace(/[^\0-\xff]/g, '?');
    const whole = shown(framed(text), text);
    const cuts = Array.from({ length: random.below(12) }, () => random.below(text.length + 1)).sort((a, b) => a - b);
    assert.equal(shown(framed(text, cuts), text), whole, `round ${round}`);
    messages += whole.filter((each) => each.startsWith('message')).length;
  }
  assert.ok(messages > 900, `${messages} messages`);
});

streams.run();
