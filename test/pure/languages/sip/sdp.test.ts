import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFragment, bodiesOf, sdpsOf } from '../../../../src/languages/sip/body.ts';
import { parseMessage } from '../../../../src/languages/sip/message.ts';
import type { Message } from '../../../../src/languages/sip/message.ts';
import { MOST_LINES, parseSdp } from '../../../../src/languages/sip/sdp.ts';
import type { Sdp } from '../../../../src/languages/sip/sdp.ts';
import { damage, seeded } from '../../../seeded.ts';
import { message, SDP } from './samples.ts';

function read(text: string): Sdp {
  const sdp = parseSdp(text);
  assert.not('refused' in sdp, JSON.stringify(sdp));
  return sdp as Sdp;
}

const odd = ({ problems }: { problems: readonly { code: string }[] }): string[] => problems.map(({ code }) => code);

/** Two media, each with all that a router can change or be led by. */
const FULL = [
  'v=0', 'o=- 1 2 IN IP4 192.168.1.10', 's=-', 'c=IN IP4 192.168.1.10', 't=0 0', 'a=inactive',
  'm=audio 16384/2 RTP/AVP 0 8 101', 'c=IN IP4 224.2.1.1/127/3', 'a=rtcp:16400 IN IP4 192.168.1.11', 'a=sendonly',
  'a=candidate:1 1 UDP 2130706431 192.168.1.10 16384 typ host',
  'a=candidate:2 1 UDP 1694498815 203.0.113.20 40000 typ srflx raddr 192.168.1.10 rport 16384',
  'm=video 20000 RTP/SAVP 31', 'c=IN IP6 2001:db8::1', 'a=rtcp:20001', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=fingerprint:sha-256 AA:BB', 'm=audio 0 RTP/AVP 0', '',
].join('\r\n');

const sdps = suite('a session description');

sdps('has its origin and its connections, each with its place', () => {
  const { origins, session, media, problems } = read(FULL);
  assert.equal(problems, []);
  const [origin] = origins;
  assert.ok(origin);
  assert.equal([origin.username, origin.sessionId, origin.version, origin.networkType, origin.addressType,
    origin.address].map(({ text }) => text),
    ['-', '1', '2', 'IN', 'IP4', '192.168.1.10']);
  assert.is(FULL.slice(origin.address.start, origin.address.end), '192.168.1.10');
  assert.is(FULL.slice(origin.start, origin.end), 'o=- 1 2 IN IP4 192.168.1.10\r\n');
  assert.equal([session, ...media].map(({ connections }) => connections.map(({ addressType, address }) =>
    `${addressType.text} ${address.text}`)),
    [['IP4 192.168.1.10'], ['IP4 224.2.1.1'], ['IP6 2001:db8::1'], [], []]);
});

sdps('has its media with port, protocol, formats, direction and encryption', () => {
  assert.equal(read(FULL).media.map(({ type, number, protocol, formats, direction, encryption }) =>
    [type.text, number, protocol.text, formats.map(({ text }) => text).join(' '), direction, encryption]), [
    ['audio', 16384, 'RTP/AVP', '0 8 101', 'sendonly', null],
    ['video', 20000, 'RTP/SAVP', '31', null, 'crypto'],
    ['application', 9, 'UDP/DTLS/SCTP', 'webrtc-datachannel', null, 'dtls'],
    ['audio', 0, 'RTP/AVP', '0', null, null],
  ]);
  assert.is(read(FULL).session.direction, 'inactive');
});

sdps('with a fingerprint for the session is encrypted in each of its media', () => {
  const text = SDP.replace('t=0 0', 't=0 0\r\na=fingerprint:sha-256 AA');
  assert.equal(read(text).media.map(({ encryption }) => encryption), ['dtls']);
});

sdps('has the ports and addresses of RTCP and of candidates', () => {
  const [audio, video] = read(FULL).media;
  assert.equal([audio?.rtcp?.port.text, audio?.rtcp?.address?.text, video?.rtcp?.port.text, video?.rtcp?.address ?? null],
    ['16400', '192.168.1.11', '20001', null]);
  assert.equal(audio?.candidates.map(({ address, port, type, related }) =>
    [address.text, port.text, type?.text, related === null ? null : `${related.address.text} ${related.port?.text}`]), [
    ['192.168.1.10', '16384', 'host', null], ['203.0.113.20', '40000', 'srflx', '192.168.1.10 16384'],
  ]);
});

for (const [what, end] of [['LF', '\n'], ['CR', '\r']] as const) {
  sdps(`is read with lines that end in ${what} alone`, () => {
    const text = FULL.replaceAll('\r\n', end);
    assert.equal(read(text).media.map(({ number }) => number), [16384, 20000, 9, 0]);
    assert.is(read(text).lines.map(({ start, end: stop }) => text.slice(start, stop)).join(''), text);
  });
}

const FORMS: readonly [what: string, text: string, odd: readonly string[]][] = [
  ['no line end at its end', SDP.trimEnd(), []],
  ['c= before o=', SDP.replace(/(o=.*\r\n)(s=.*\r\n)(c=.*\r\n)/, '$3$1$2'), []],
  ['two blanks in c=', SDP.replace('IN IP4 192.168.1.10\r\nt', 'IN  IP4  192.168.1.10\r\nt'), []],
  ['no v=', SDP.slice(5), ['sdp-missing']],
  ['no o=', SDP.replace(/o=.*\r\n/, ''), ['sdp-missing']],
  ['two o=', SDP.replace(/(o=.*\r\n)/, '$1$1'), ['sdp-again']],
  ['two v=', SDP + SDP, ['sdp-again', 'sdp-again']],
  ['an o= of three words', SDP.replace(/o=.*\r\n/, 'o=- 1 2\r\n'), ['sdp-field']],
  ['a c= of one word', SDP.replace(/c=.*\r\n/, 'c=192.168.1.10\r\n'), ['sdp-field']],
  ['a port that is none', SDP.replace('16384', 'any'), ['sdp-field']],
  ['a port beyond 65535', SDP.replace('16384', '70000'), ['sdp-field']],
  ['an empty m=', SDP.replace(/m=.*\r\n/, 'm=\r\n'), ['sdp-field']],
  ['a blank before the equals sign', SDP.replace('a=sendrecv', 'a =sendrecv'), ['sdp-line']],
  ['NUL and 8-bit bytes behind it', `${SDP}\0\xff\xfe`, ['sdp-line']],
  ['an empty line in it', SDP.replace('t=0 0\r\n', 't=0 0\r\n\r\n'), []],
  ['a candidate that is cut', SDP.replace('a=sendrecv', 'a=candidate:1 1 UDP'), ['sdp-field']],
];

for (const [what, text, expected] of FORMS) {
  sdps(`is read with ${what}`, () => {
    const sdp = read(text);
    assert.equal(odd(sdp), expected);
    assert.is(sdp.lines.map(({ start, end }) => text.slice(start, end)).join(''), text);
  });
}

sdps('is refused where there is none', () => {
  for (const [text, says] of [['', /no session description/], ['hello\r\n', /"hello/], ['x=1\r\n', /v=, o=, c= or m=/],
    ['a=\n'.repeat(MOST_LINES + 1), /more than 4096 lines/]] as const) {
    const sdp = parseSdp(text);
    assert.ok('refused' in sdp);
    assert.match(sdp.refused, says);
  }
});

sdps('of any damage is read to the last byte or refused', () => {
  const random = seeded(8866);
  let refused = 0;
  for (let round = 0; round < 1000; round++) {
    const text = damage(FULL, random).replace(/[^\0-\xff]/g, '?');
    const sdp = parseSdp(text);
    if ('refused' in sdp) refused++;
    else assert.is(sdp.lines.map(({ start, end }) => text.slice(start, end)).join(''), text);
  }
  assert.ok(refused < 500, `${refused} refused`);
});

const BOUNDARY = 'multipart/mixed;boundary="b-1"';
const request = (type: string, body: string): Message => {
  const parsed = parseMessage(message(['INVITE sip:a@b SIP/2.0', 'Via: SIP/2.0/UDP h', `c: ${type}`, `l: ${body.length}`], body));
  assert.not('refused' in parsed);
  return parsed as Message;
};
const PARTS = `preamble\r\n--b-1\r\nContent-Type: application/sdp\r\n\r\n${SDP}`
  + `\r\n--b-1 \r\nc: text/plain\r\n\r\nv=hello\r\n--b-1--\r\nepilogue`;

const bodies = suite('a body');

bodies('is one part where it is not multipart', () => {
  assert.equal(bodiesOf(request('application/sdp', SDP)).parts.map(({ type, depth }) => [type, depth]), [['application/sdp', 0]]);
  assert.equal(bodiesOf(request('application/sdp', '')).parts, []);
});

bodies('of type multipart is taken apart, and the session description in it found', () => {
  const parsed = request(BOUNDARY, PARTS);
  const { parts, problems } = bodiesOf(parsed);
  assert.equal(problems, []);
  assert.equal(parts.map(({ type, depth, content }) => [type, depth, parsed.text.slice(content.start, content.end)]),
    [['application/sdp', 1, SDP], ['text/plain', 1, 'v=hello']]);
  assert.is(parts[1]?.fields[0]?.canonical, 'content-type');
  const found = sdpsOf(parsed);
  assert.equal([found.sdps.map(({ media }) => media.length), found.refusals], [[1, 0], []]);
});

bodies('of type multipart can lie in another', () => {
  const inner = `--in\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n--in--\r\n`;
  const parsed = request(BOUNDARY, `--b-1\r\nContent-Type: Multipart / Alternative ; boundary=in\r\n\r\n${inner}\r\n--b-1--\r\n`);
  assert.equal(bodiesOf(parsed).parts.map(({ type, depth }) => [type, depth]), [['application/sdp', 2]]);
  assert.is(sdpsOf(parsed).sdps.length, 1);
});

bodies('that is cut by its Content-Length can be read beyond it', () => {
  const parsed = parseMessage(message(['INVITE sip:a@b SIP/2.0', 'Via: SIP/2.0/UDP h', `c: ${BOUNDARY}`, 'l: 100'], PARTS));
  assert.not('refused' in parsed);
  const cut = parsed as Message;
  assert.equal(bodiesOf(cut).problems.map(({ code }) => code), ['boundary']);
  assert.equal(bodiesOf(cut, { start: cut.body.start, end: cut.end }).problems, []);
});

const BROKEN: readonly [what: string, type: string, body: string, odd: readonly string[], parts: number][] = [
  ['no closing boundary', BOUNDARY, PARTS.slice(0, PARTS.indexOf('--b-1--')), ['boundary'], 2],
  ['no boundary in its body', BOUNDARY, 'nothing', ['boundary'], 1],
  ['no boundary in its type', 'multipart/mixed', PARTS, ['boundary'], 1],
  ['an empty boundary', 'multipart/mixed;boundary=""', PARTS, ['boundary'], 1],
  ['parts in parts without end', 'multipart/mixed;boundary=b', '--b\r\nc: multipart/mixed;boundary=b\r\n\r\n'.repeat(3), ['boundary'], 3],
  ['more parts than are read', 'multipart/mixed;boundary=b', `${'--b\r\n\r\nx\r\n'.repeat(80)}--b--`, ['boundary'], 64],
];

for (const [what, type, body, expected, count] of BROKEN) {
  bodies(`with ${what} is read as far as it goes`, () => {
    const { parts, problems } = bodiesOf(request(type, body));
    assert.equal([...new Set(problems.map(({ code }) => code))], expected);
    assert.is(parts.length, count);
  });
}

bodies('of types in one another too deep is not taken apart further', () => {
  let body = 'x';
  for (let depth = 6; depth > 0; depth--) body = `--b${depth}\r\nc: ${depth === 6 ? 'text/plain' : `multipart/mixed;boundary=b${depth
    + 1}`}\r\n\r\n${body}\r\n--b${depth}--\r\n`;
  const { problems, parts } = bodiesOf(request('multipart/mixed;boundary=b1', body));
  assert.equal([problems.map(({ code }) => code), parts.map(({ depth }) => depth)], [['too-deep'], [4]]);
});

bodies('that begins with v= is a session description whatever its type is', () => {
  assert.is(sdpsOf(request('text/plain', SDP)).sdps.length, 1);
  assert.is(sdpsOf(request('text/plain', 'hello')).sdps.length, 0);
  assert.match(sdpsOf(request('application/sdp', 'hello')).refusals[0] ?? '', /no session description/);
});

const fragments = suite('a fragment of a message');

const fragment = (text: string): unknown => {
  const read = parseFragment(text, { start: 0, end: text.length });
  return 'refused' in read ? read.refused : [read.startLine?.kind ?? null, read.fields.map(({ canonical }) => canonical),
    read.body === null ? null : text.slice(read.body.start, read.body.end)];
};

fragments('is a start line, header fields, a body, or some of them', () => {
  assert.equal(fragment('SIP/2.0 100 Trying\r\n'), ['response', [], null]);
  assert.equal(fragment('SIP/2.0 200 OK'), ['response', [], null]);
  assert.equal(fragment('INVITE sip:a@b SIP/2.0\r\nFrom: sip:c@d\r\n\r\nbody'), ['request', ['from'], 'body']);
  assert.equal(fragment('From: sip:c@d\r\nContact: sip:e@f\r\n'), [null, ['from', 'contact'], null]);
});

fragments('is refused where there is none', () => {
  assert.match(String(fragment('')), /is empty/);
  assert.match(String(fragment('hello world')), /neither a start line nor a header field/);
});

sdps.run();
bodies.run();
fragments.run();
