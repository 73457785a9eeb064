import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress, parseAddresses } from '../../../../src/languages/sip/address.ts';
import { bodiesOf, parseFragment, sdpsOf } from '../../../../src/languages/sip/body.ts';
import { parseCredentials } from '../../../../src/languages/sip/credentials.ts';
import { parseCSeq } from '../../../../src/languages/sip/cseq.ts';
import { framesOf } from '../../../../src/languages/sip/datagram.ts';
import { identify } from '../../../../src/languages/sip/identify.ts';
import { parseMessage, partsOf, render } from '../../../../src/languages/sip/message.ts';
import { grammarOf } from '../../../../src/languages/sip/names.ts';
import { parseSdp } from '../../../../src/languages/sip/sdp.ts';
import { StreamFramer } from '../../../../src/languages/sip/stream.ts';
import { bytesOf, latin1, MOST_PROBLEMS } from '../../../../src/languages/sip/text.ts';
import { parseUri } from '../../../../src/languages/sip/uri.ts';
import { parseVia } from '../../../../src/languages/sip/via.ts';
import { damage, seeded } from '../../../seeded.ts';
import * as torture from './rfc4475.ts';
import { invite, message, OPTIONS, RINGING, SDP, work } from './samples.ts';

/** Everything that can be read out of a message. What is a piece has to stand where it says it does. */
function readAll(text: string): number {
  let messages = 0;
  for (const frame of framesOf(text)) {
    if (frame.kind !== 'message') continue;
    messages++;
    const { fields, startLine } = frame.message;
    if (startLine.kind === 'request') check(parseUri(text, startLine.uri.start, startLine.uri.end), text);
    for (const field of fields) {
      const { start, end } = field.value;
      check(field, text);
      switch (grammarOf(field.canonical)) {
        case 'via': check(parseVia(text, start, end), text); break;
        case 'cseq': check(parseCSeq(text, start, end), text); break;
        case 'credentials': check(parseCredentials(text, start, end), text); break;
        case 'address':
        case 'addresses':
          for (const read of [parseAddress, parseAddresses]) {
            const list = read(text, start, end);
            check(list, text);
            for (const { uri } of list.members) check(parseUri(text, uri.start, uri.end), text);
          }
      }
    }
    check(bodiesOf(frame.message), text);
    check(sdpsOf(frame.message), text);
    parseFragment(text, frame.message.body);
  }
  return messages;
}

/** Each piece is what stands at its place; members of a list follow one another; problems are few and say where. */
function check(value: unknown, text: string): void {
  if (typeof value !== 'object' || value === null) return;
  const { text: own, start, end, problems, members } = value as Record<string, unknown>;
  if (typeof own === 'string' && typeof start === 'number' && typeof end === 'number' && text.slice(start, end) !== own) {
    assert.is(text.slice(start, end), own);
  }
  if (Array.isArray(problems)) assert.ok(problems.length <= MOST_PROBLEMS
    && problems.every((each) => each.start <= each.end && each.end <= text.length));
  if (Array.isArray(members)) assert.ok(members.every((each, index) => index === 0 || members[index - 1].end <= each.start));
  for (const each of Object.values(value)) check(each, text);
}

const AUTH = message([
  'REGISTER sip:example.org SIP/2.0', 'Via: SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bK1;rport, SIP/2.0/TCP h : 5061 ;maddr=1.2.3.4',
  'Authorization: Digest username="a,b", realm="r", nonce="n", uri="sip:example.org", response="0f"',
    'From: "B, C" <sip:b@example.org>;tag=1',
  'To: sip:b@example.org', 'Contact: <sip:b@192.168.1.7>;expires=60, "x" <sips:c@h;lr?a=b>, tel:+1-2;q=0.1', 'i: 1', 'CSeq: 1 REGISTER',
    'l: 0',
]);
const MULTI = message(['INVITE sip:a@b SIP/2.0', 'v: SIP/2.0/UDP h;branch=1', 'i: 2', 'c: multipart/mixed;boundary=x'],
  `--x\r\nc: application/sdp\r\n\r\n${SDP}\r\n--x\r\nc: message/sipfrag\r\n\r\nSIP/2.0 200 OK\r\n--x--\r\n`);

const damaged = suite('what is damaged');

damaged('is read or refused, and rendered as it was, and never throws', () => {
  const random = seeded(4475);
  const sound = [invite(), OPTIONS, RINGING, AUTH, MULTI, ...torture.names().map((name) => latin1(torture.message(name)))];
  let messages = 0;
  for (let round = 0; round < 1500; round++) {
    const text = damage(random.pick(sound), random).replace(/[^\0-\xff]/g, '?');
    messages += readAll(text);
    identify(text);
    const read = parseMessage(text);
    if ('refused' in read) {
      assert.ok(read.refused.length < 400);
      continue;
    }
    assert.equal(partsOf(read).map(({ start, end }) => text.slice(start, end)).join(''), text);
    if (round % 10 === 0) assert.equal(render(read), bytesOf(text));
  }
  assert.ok(messages > 1000, `${messages} messages are read`);
});

damaged('and is nothing but chance, too', () => {
  const random = seeded(25);
  const alphabet = [...'aA1 \t\r\n:;,<>"\\@?&=[]()/*%-.', 'SIP/2.0', 'INVITE ', 'sip:', 'v=0\r\n', 'm=', 'o=', 'c=', '\r\n', 'Via: ',
    'Contact: ', '\0', '\xff'];
  for (let round = 0; round < 1500; round++) {
    const junk = Array.from({ length: random.below(60) }, () => random.pick(alphabet)).join('');
    readAll(junk);
    const text = message(['INVITE sip:a SIP/2.0', `${random.pick(['Via', 'Contact', 'From', 'CSeq', 'Authorization', 'c'])}: ${junk}`],
      junk);
    readAll(text);
    identify(text);
    const whole = parseMessage(text);
    if (!('refused' in whole)) assert.is(latin1(render(whole)), text);
  }
});

/** Texts made to cost time: each a beginning, a part again and again, and an end. */
const HOSTILE: readonly [what: string, start: string, part: string, end?: string][] = [
  ['blanks', 'INVITE sip:a SIP/2.0\r\nVia: ', ' '], ['folds', 'INVITE sip:a SIP/2.0\r\nVia: x', '\r\n '], ['blanks in front', '', ' '],
  ['CR', '', '\r'], ['LF', 'INVITE sip:a SIP/2.0\r\nA: b', '\n'], ['CR behind LF', 'INVITE sip:a SIP/2.0\nA: b\n', '\n\r'],
  ['commas', 'INVITE sip:a SIP/2.0\r\nVia: ', ','], ['semicolons', 'INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h', ';'],
  ['quotes', 'INVITE sip:a SIP/2.0\r\nContact: ', '"'], ['quotes and commas', 'INVITE sip:a SIP/2.0\r\nContact: ', '",'],
  ['open brackets', 'INVITE sip:a SIP/2.0\r\nContact: ', '<'], ['open brackets and commas', 'INVITE sip:a SIP/2.0\r\nContact: ', '<a,'],
  ['escapes', 'INVITE sip:a SIP/2.0\r\nContact: "', '\\'], ['square brackets', 'INVITE sip:a SIP/2.0\r\nVia: ', 'SIP/2.0/UDP [a,'],
  ['colons', 'INVITE sip:a SIP/2.0\r\nContact: <sip:', ':', '>'],
    ['colons of no address', 'INVITE sip:a SIP/2.0\r\nContact: <sip:', ':', 'g>'],
    ['ats', 'INVITE sip:a SIP/2.0\r\nContact: <sip:', '@', '>'],
  ['URIs', 'INVITE sip:a SIP/2.0\r\nContact: ', 'sip:a,'], ['questions', 'INVITE sip:a SIP/2.0\r\nContact: <sip:a', '?&', '>'],
  ['parameters', 'INVITE sip:a SIP/2.0\r\nContact: <sip:a>', ';a=b'],
    ['open quotes in parameters', 'INVITE sip:a SIP/2.0\r\nVia: ', 'SIP/2.0/UDP h;a="\\",'],
  ['fields', 'INVITE sip:a SIP/2.0\r\n', 'a:\r\n'], ['Vias', 'INVITE sip:a SIP/2.0\r\n', 'v:SIP/2.0/UDP h\r\n'],
    ['fields of From', 'INVITE sip:a SIP/2.0\r\n', 'f: "\r\n'],
  ['credentials', 'INVITE sip:a SIP/2.0\r\nAuthorization: Digest ', 'a="b",'], ['words in the start line', 'INVITE ', 'sip:a '],
  ['versions in one line', '', 'SIP/2.0 '], ['versions and methods in one line', '', 'INVITE sip:a SIP/2.0 '],
    ['lines that end in a version', '', 'x SIP/2.0\r\n'],
  ['start lines', '', 'INVITE sip:a SIP/2.0\r\n'], ['responses', '', 'SIP/2.0 200 OK\r\n'],
    ['messages', '', 'OPTIONS sip:a SIP/2.0\na:\nl:0\n\n'],
  ['lengths', 'INVITE sip:a SIP/2.0\r\n', 'l: 1\r\n'], ['boundaries',
    `${message(['INVITE sip:a SIP/2.0', 'c: multipart/mixed;boundary=b'])}`, '--b\n\n'],
  ['parts in parts', `${message(['INVITE sip:a SIP/2.0', 'c: multipart/mixed;boundary=b'])}`, '--b\nc:multipart/mixed;boundary=b\n\n'],
  ['media', `${message(['INVITE sip:a SIP/2.0', 'c: application/sdp'])}v=0\r\n`, 'm=\r\n'],
    ['attributes', `${message(['INVITE sip:a SIP/2.0', 'c: application/sdp'])}v=0\r\n`, 'a=candidate:\n'],
  ['words in SDP', `${message(['INVITE sip:a SIP/2.0', 'c: application/sdp'])}v=0\r\nc=`, 'a '], ['NUL', '', '\0'], ['letters', '', 'I'],
];

const ENTRIES: readonly [what: string, run: (text: string) => unknown][] = [
  ['reading everything in a datagram', readAll],
  ['identify', identify],
  ['a stream in one piece', (text) => {
    const framer = new StreamFramer();
    framer.push(bytesOf(text));
    return framer.end();
  }],
  ['a stream in small pieces', (text) => {
    const framer = new StreamFramer();
    const bytes = bytesOf(text);
    for (let at = 0; at < bytes.length; at += 100) framer.push(bytes.subarray(at, at + 100));
    return framer.end();
  }],
  ['a session description', (text) => parseSdp(text)],
];

const bounded = suite('what is made to cost time');

for (const [what, run] of ENTRIES) {
  bounded(`costs as many times more as it is longer: ${what}`, () => {
    const dear: string[] = [];
    for (const [name, start, part, end = ''] of HOSTILE) {
      const text = (size: number): string => start + part.repeat(Math.floor(size / part.length)) + end;
      const [small, large] = [work(() => run(text(10_000))), work(() => run(text(40_000)))];
      // Four times as long: 4 times the work, and something for what is begun anew. Quadratic would be 16 times.
      if (large > 5 * small + 20_000 || large > 200 * 40_000) dear.push(`${name}: ${small} and ${large}`);
    }
    assert.equal(dear, []);
  });
}

bounded('is counted where it is quadratic', () => {
  const quadratic = (text: string): void => {
    for (let at = 0; at < text.length; at += 100) text.indexOf('x', at);
  };
  const [small, large] = [work(() => quadratic('a'.repeat(15_000))), work(() => quadratic('a'.repeat(60_000)))];
  assert.ok(large > 12 * small, `${small} and ${large}`);
});

damaged.run();
bounded.run();
