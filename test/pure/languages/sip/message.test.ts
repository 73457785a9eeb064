import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fieldNamed, MOST_FIELDS } from '../../../../src/languages/sip/fields.ts';
import { contentOf, looksLikeSip, MOST_BODY, MOST_BYTES, parseMessage, partsOf, rawValue,
  render } from '../../../../src/languages/sip/message.ts';
import type { Message } from '../../../../src/languages/sip/message.ts';
import { canonical, grammarOf, isCompact, titleOf } from '../../../../src/languages/sip/names.ts';
import { bytesOf, latin1, unfold } from '../../../../src/languages/sip/text.ts';
import { invite, message, OPTIONS, RINGING, SDP } from './samples.ts';

function read(text: string): Message {
  const parsed = parseMessage(text);
  assert.not('refused' in parsed, JSON.stringify(parsed));
  return parsed as Message;
}

const codes = (text: string): string[] => read(text).problems.map(({ code }) => code);

const whole = suite('a message');

whole('is its start line, its fields in order, and its body, each with its place', () => {
  const text = invite();
  const { startLine, fields, body, rest, declaredLength, problems } = read(text);
  assert.ok(startLine.kind === 'request');
  assert.is(startLine.method.text, 'INVITE');
  assert.equal(startLine.uri, { text: 'sip:bob@203.0.113.10', start: 7, end: 27 });
  assert.equal(fields.map(({ canonical: name }) => name),
    ['via', 'max-forwards', 'from', 'to', 'call-id', 'cseq', 'contact', 'content-type', 'content-length']);
  assert.is(text.slice(body.start, body.end), SDP);
  assert.equal([declaredLength, rest.end - rest.start, problems], [SDP.length, 0, []]);
});

whole('that answers has its status and its reason', () => {
  const { startLine } = read(RINGING);
  assert.ok(startLine.kind === 'response');
  assert.equal([startLine.status, startLine.reason.text, startLine.version.text], [180, 'Ringing', 'SIP/2.0']);
});

whole('keeps bytes that are not UTF-8, and NUL', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const text = message(['MESSAGE sip:a@b SIP/2.0', `Subject: \xff\xfe\x80 \xc3\xa9`, 'Content-Length: 256'], latin1(bytes));
  const parsed = read(text);
  assert.is(contentOf(parsed, 'subject'), '\xff\xfe\x80 \xc3\xa9');
  assert.equal(render(parsed), bytesOf(text));
  assert.equal(bytesOf(text).slice(parsed.body.start, parsed.body.end), bytes);
});

whole('of any size becomes text and bytes again', () => {
  const bytes = Uint8Array.from({ length: 70_001 }, (_, index) => index * 7 & 255);
  assert.equal(bytesOf(latin1(bytes)), bytes);
  assert.is(latin1(bytes, 16_380, 16_390), latin1(bytes).slice(16_380, 16_390));
});

/** Forms of a header that phones send, and the codes of what is odd in them (none where RFC 3261 allows it). */
const FORMS: readonly [what: string, text: string, odd: readonly string[]][] = [
  ['compact names', OPTIONS, []],
  ['upper case', invite().replace('Via:', 'VIA:').replace('From:', 'FROM:').replace('Call-ID:', 'CALL-ID:'), []],
  ['mixed case, and blanks before the colon', invite().replace('Via:', 'vIa :').replace('Call-ID:', 'call-Id\t :'), []],
  ['no blank behind the colon', invite().replace('Via: ', 'Via:').replace('From: ', 'From:'), []],
  ['folds', invite().replace('Via: ', 'Via:\r\n ').replace('CSeq: 314159', 'CSeq:\r\n\t314159\r\n '), []],
  ['LF alone', invite({ body: SDP.replaceAll('\r\n', '\n') }).replaceAll('\r\n', '\n'), ['line-ends']],
  ['LF alone in the header and CR LF in the body', invite({ body: '' }).replaceAll('\r\n', '\n').replace('Length: 0',
    `Length: ${SDP.length}`) + SDP, ['line-ends']],
  ['CR alone', invite({ body: '' }).replaceAll('\r\n', '\r'), ['line-ends']],
  ['line ends before it', `\r\n\r\n${invite()}`, ['leading-bytes']],
  ['two blanks in the start line', invite().replace('INVITE sip', 'INVITE  sip'), ['start-line']],
  ['a tab in the start line', invite().replace('INVITE sip', 'INVITE\tsip'), ['start-line']],
  ['a blank before the start line', ` ${invite()}`, ['start-line']],
  ['another version', invite().replace('SIP/2.0\r\n', 'SIP/3.0\r\n'), ['version']],
  ['no version', invite().replace(' SIP/2.0\r\n', '\r\n'), ['version']],
  ['a version in lower case', invite().replace('SIP/2.0\r\n', 'sip/2.0\r\n'), []],
  ['a status code that is none', RINGING.replace('180', 'abc'), ['status-code']],
  ['a line that is no field', invite().replace('Max-Forwards: 70', 'Max-Forwards 70'), ['not-a-field']],
  ['a name that is no token', invite().replace('Max-Forwards: 70', 'Max(Forwards: 70'), ['not-a-field']],
  ['a fold before the first field', invite().replace('SIP/2.0\r\n', 'SIP/2.0\r\n folded: 1\r\n'), ['fold-without-field']],
  ['no empty line', RINGING.slice(0, -2), ['no-blank-line']],
  ['a line that is cut', RINGING.slice(0, -8), ['not-a-field', 'no-blank-line']],
  ['no Content-Length', invite({ length: null }), []],
  ['a Content-Length with zeros and blanks', invite({ length: `Content-Length:   000${SDP.length}` }), []],
  ['a Content-Length too large', invite({ length: 'Content-Length: 999' }), ['body-short']],
  ['a Content-Length too small', invite({ length: 'l: 20' }), ['body-long']],
  ['a Content-Length of 0 with a body', invite({ length: 'l: 0' }), ['body-long']],
  ['a Content-Length that is no number', invite({ length: 'l: 0x20' }), ['bad-length']],
  ['a Content-Length beyond all numbers', invite({ length: `l: ${'9'.repeat(400)}` }), ['body-short']],
  ['Content-Length twice', invite({ length: `l: ${SDP.length}\r\nContent-Length: ${SDP.length}` }), ['two-lengths']],
];

for (const [what, text, odd] of FORMS) {
  whole(`is read with ${what}, and rendered as it was`, () => {
    assert.equal(codes(text), odd);
    const parsed = read(text);
    assert.is(latin1(render(parsed)), text);
    assert.is(partsOf(parsed).map(({ start, end }) => text.slice(start, end)).join(''), text);
    assert.equal(parsed.fields.filter(({ canonical: name }) => name === 'via' || name === 'call-id' || name === 'cseq').length, 3);
  });
}

whole('has its body as far as it is declared and there', () => {
  const lengths = (length: string | null): number[] => {
    const { declaredLength, body, rest } = read(invite({ length }));
    return [declaredLength ?? -1, body.end - body.start, rest.end - rest.start];
  };
  assert.equal(lengths(null), [-1, SDP.length, 0]);
  assert.equal(lengths('l: 20'), [20, 20, SDP.length - 20]);
  assert.equal(lengths('l: 999'), [999, SDP.length, 0]);
  assert.equal(lengths(`l: ${'9'.repeat(400)}`), [Number.MAX_SAFE_INTEGER, SDP.length, 0]);
  assert.equal(lengths('l: 7\r\nl: 8'), [7, 7, SDP.length - 7]);
});

whole('says of two lengths whether they differ', () => {
  const says = (length: string): string => read(invite({ length })).problems.map(({ sentence }) => sentence).join(' ');
  assert.match(says('l: 7\r\nl: 8'), 'Content-Length is there as "7" and as "8"; the first is taken.');
  assert.match(says(`l: ${SDP.length}\r\nl: ${SDP.length}`), 'Content-Length stands there twice.');
});

whole('gives the value of a field raw and in one line', () => {
  const parsed = read(invite().replace('CSeq: 314159 INVITE', 'CSeq:  314159 \r\n \t INVITE \r\n  '));
  const field = fieldNamed(parsed.fields, 'cseq');
  assert.ok(field);
  assert.is(rawValue(parsed, field), '314159 \r\n \t INVITE');
  assert.is(field.content, '314159 INVITE');
});

const REFUSED: readonly [what: string, text: string, says: RegExp][] = [
  ['nothing', '', /is empty/],
  ['line ends alone', '\r\n\r\n', /keep-alive/],
  ['free text', 'hello world\r\n\r\n', /"hello world"/],
  ['a web request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', /neither METHOD, a URI and SIP\/2\.0/],
  ['a web request for a URI of SIP', 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n', /neither METHOD/],
  ['a method that is no token', 'IN(VITE sip:a SIP/2.0\r\nA: b\r\n\r\n', /neither METHOD/],
  ['a method alone', 'INVITE\r\nA: b\r\n\r\n', /neither METHOD/],
  ['a start line alone', 'INVITE sip:a SIP/2.0', /no header field/],
  ['a start line without fields', 'INVITE sip:a SIP/2.0\r\n\r\nbody', /no header field/],
  ['a first line without end', `INVITE sip:${'a'.repeat(9000)} SIP/2.0\r\nA: b\r\n\r\n`, /8192 at most/],
  ['too many fields', `INVITE sip:a SIP/2.0\r\n${'a:\r\n'.repeat(MOST_FIELDS + 1)}\r\n`, /more than 1024 fields/],
  ['too many bytes', `${OPTIONS}${'x'.repeat(MOST_BYTES + MOST_BODY)}`, /bytes; a message is read up to/],
  ['binary', '\x80\x00\x00\x01\xff\xff', /begins with/],
];

for (const [what, text, says] of REFUSED) {
  whole(`is refused in a sentence where there is ${what}`, () => {
    const parsed = parseMessage(text);
    assert.ok('refused' in parsed);
    assert.match(parsed.refused, says);
    assert.ok(parsed.refused.length < 300 && parsed.refused.endsWith('.'), parsed.refused);
  });
}

whole('is known by its first line alone', () => {
  for (const [, text] of FORMS) assert.ok(looksLikeSip(text), text.slice(0, 40));
  for (const text of ['', '\r\n\r\n', 'hello', 'GET / HTTP/1.1\r\n', '\0\0\0\0', 'jaK', 'INVITE',
    'SIP/2.0']) assert.not(looksLikeSip(text), text);
});

const names = suite('names of fields');

names('are long and in lower case, however they are written', () => {
  assert.equal(['Via', 'v', 'V', 'VIA', 'I', 'l', 'L', 'X-Mine', 'x', 'constructor', '__proto__'].map(canonical),
    ['via', 'via', 'via', 'via', 'call-id', 'content-length', 'content-length', 'x-mine', 'session-expires', 'constructor', '__proto__']);
});

names('have every compact form of the registry', () => {
  assert.equal([...'abcdefijklmnorstuvxy'].map((letter) => [isCompact(letter), canonical(letter).length > 1]).flat(),
    Array.from({ length: 40 }, () => true));
  assert.equal([...'ghpqwz'].map(isCompact), Array.from({ length: 6 }, () => false));
});

names('tell how a value is read', () => {
  assert.equal(['via', 'from', 'contact', 'p-asserted-identity', 'cseq', 'proxy-authorization', 'content-length', 'subject'].map(grammarOf),
    ['via', 'address', 'addresses', 'addresses', 'cseq', 'credentials', 'length', 'text']);
});

names('are shown as the RFCs write them', () => {
  assert.equal(['call-id', 'cseq', 'www-authenticate', 'p-associated-uri', 'record-route', 'rack'].map(titleOf),
    ['Call-ID', 'CSeq', 'WWW-Authenticate', 'P-Associated-URI', 'Record-Route', 'RAck']);
});

names('and values are unfolded to one blank', () => {
  assert.equal(['a', ' a ', 'a\r\n b', 'a \r\n\t b\n  c', '\r\n a', 'a\r\n  \r\n b', ''].map(unfold),
    ['a', 'a', 'a b', 'a b c', 'a', 'a b', '']);
});

whole.run();
names.run();
