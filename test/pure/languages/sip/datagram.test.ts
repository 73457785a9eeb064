import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { framesOf, MOST_MESSAGES } from '../../../../src/languages/sip/datagram.ts';
import { invite, message, OPTIONS, RINGING, SDP, STUN } from './samples.ts';

/** Kind and text of each frame; together the frames are all of the datagram. */
function shown(text: string): string[] {
  const frames = framesOf(text).map((frame) => {
    const { start, end } = frame.kind === 'message' ? frame.message : frame;
    return { kind: frame.kind, text: text.slice(start, end) };
  });
  assert.is(frames.map((frame) => frame.text).join(''), text);
  return frames.map(({ kind, text: own }) => `${kind} ${own.trimStart().slice(0, 7)}`.trim());
}

const datagrams = suite('a datagram');

datagrams('holds one message mostly', () => {
  assert.equal(shown(invite()), ['message INVITE']);
  assert.equal(shown(invite({ length: null })), ['message INVITE']);
});

datagrams('can hold several, with line ends between or none', () => {
  assert.equal(shown(OPTIONS + RINGING), ['message OPTIONS', 'message SIP/2.0']);
  assert.equal(shown(`${invite()}\r\n\r\n${OPTIONS}${invite()}`), ['message INVITE', 'message OPTIONS', 'message INVITE']);
});

datagrams('with several has the problems of each with that one', () => {
  const frames = framesOf(OPTIONS + invite({ length: 'l: 20' }));
  assert.equal(frames.map((frame) => frame.kind === 'message' ? frame.message.problems.map(({ code }) => code) : []), [[], ['body-long']]);
});

datagrams('whose Content-Length is too small keeps the rest with its message', () => {
  const text = invite({ length: 'l: 20' });
  const [frame] = framesOf(text);
  assert.ok(frame?.kind === 'message');
  assert.is(text.slice(frame.message.rest.start, frame.message.rest.end), SDP.slice(20));
});

datagrams('whose Content-Length is too large ends all the same', () => {
  assert.equal(shown(invite({ length: 'l: 9999' })), ['message INVITE']);
});

datagrams('is a keep-alive in all the forms that phones send', () => {
  for (const text of ['', '\r\n', '\r\n\r\n', '\n', '\0', '\0\0\0\0', 'jaK']) assert.equal(framesOf(text).map(({ kind }) => kind),
    ['keep-alive'], JSON.stringify(text));
});

datagrams('is STUN by its cookie and its length', () => {
  assert.equal(framesOf(STUN).map(({ kind }) => kind), ['stun']);
  assert.equal(framesOf(`\x01\x01\x00\x08${STUN.slice(4)}\x80\x22\x00\x04test`).map(({ kind }) => kind), ['stun']);
  assert.equal(framesOf(`${STUN}more`).map(({ kind }) => kind), ['other']);
  assert.equal(framesOf(STUN.replace('\xa4', '\xa5')).map(({ kind }) => kind), ['other']);
});

datagrams('with other bytes before a message says so, and has the message', () => {
  assert.equal(shown(`\x01\x02junk\r\n${OPTIONS}`), ['other \x01\x02junk', 'message OPTIONS']);
  assert.equal(shown(`\xff\xfe${invite()}`), ['other \xff\xfe', 'message INVITE']);
});

const NEITHER: readonly [what: string, text: string, says: RegExp][] = [
  ['RTP', `\x80\x00${'\x55'.repeat(170)}`, /begins with/],
  ['text', 'hello', /"hello"/],
  ['a web request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', /neither METHOD/],
  ['text that speaks of SIP', 'we use SIP/2.0 200 here\r\nand SIP/2.0\r\n', /neither METHOD/],
  ['more than a datagram can', 'x'.repeat(70_000), /65535 at most/],
];

for (const [what, text, says] of NEITHER) {
  datagrams(`that holds ${what} is none of these, and says why`, () => {
    const frames = framesOf(text);
    assert.is(frames.length, 1);
    assert.ok(frames[0]?.kind === 'other');
    assert.match(frames[0].refused, says);
  });
}

datagrams('is taken apart up to a number of messages', () => {
  const frames = framesOf(message(['OPTIONS sip:a SIP/2.0', 'i: 1', 'l: 0']).repeat(MOST_MESSAGES + 5));
  assert.is(frames.length, MOST_MESSAGES);
  const last = frames.at(-1);
  assert.ok(last?.kind === 'message' && last.message.problems.some(({ code }) => code === 'body-long'));
});

datagrams.run();
