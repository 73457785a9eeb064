/** What the kernel's ALG does to session descriptions: each form of a body that phones and providers send. */
import { suite } from 'uvu';
import { ADDRESS } from '../network.ts';
import { caught, inLab, pause, waysOf } from './captures.ts';
import { CONNECTION, FROM, HEADERS, LENGTH, ORIGIN, OWN, SDP, VIA, bytes, check, lines, reply, request, session } from './odd.ts';
import type { Odd, Parts } from './odd.ts';

const OTHER = '192.168.1.99';
const PLAIN = session(OWN);

const invite = (callId: string, body: string, becomes: Odd['becomes'], parts: Partial<Parts> = {}): Odd => ({
  callId,
  text: request({ callId, method: 'INVITE', body, ...parts }),
  becomes,
});
const media = (...all: readonly string[]): string => session(OWN, all);
const withSdp = [...HEADERS, ...SDP];
const corrected = [...HEADERS, CONNECTION, ORIGIN, 'Content-Length 1 length-corrected'];
/** Bytes by which each address grows. */
const GROWTH = ADDRESS.wan.length - OWN.length;

/** Each medium with an address of its own, none for all. */
const each = (...all: readonly (readonly [medium: string, host: string])[]): string =>
  lines('v=0', `o=- 1 1 IN IP4 ${OWN}`, 's=-', 't=0 0', ...all.flatMap(([medium, host]) => [medium, `c=IN IP4 ${host}`]));

const multipart = lines('--b', 'Content-Type: application/sdp', '', PLAIN + '--b', 'Content-Type: text/plain', '', 'hello', '--b--');

const OUT: readonly Odd[] = [
  invite('plain', PLAIN, withSdp),
  // The origin.
  invite('o-name', PLAIN.replace(`IP4 ${OWN}`, 'IP4 phone'), 'dropped'),
  invite('o-other', PLAIN.replace(`IP4 ${OWN}`, `IP4 ${OTHER}`), withSdp),
  invite('o-ip6', PLAIN.replace(`IP4 ${OWN}`, 'IP6 2001:db8::1'), 'dropped'),
  invite('o-missing', PLAIN.replace(/o=.*\r\n/, ''), 'dropped'),
  // The connection.
  invite('c-missing', PLAIN.replace(/c=.*\r\n/, ''), 'dropped'),
  invite('c-name', PLAIN.replace(`c=IN IP4 ${OWN}`, 'c=IN IP4 phone'), 'dropped'),
  invite('c-ip6', PLAIN.replace(/c=.*/, 'c=IN IP6 2001:db8::1'), 'dropped'),
  invite('c-lower', PLAIN.replace('c=IN IP4', 'c=in ip4'), 'dropped'),
  invite('c-blanks', PLAIN.replace('c=IN IP4', 'c=IN  IP4'), 'dropped'),
  invite('c-other', PLAIN.replace(`c=IN IP4 ${OWN}`, `c=IN IP4 ${OTHER}`), [...HEADERS, LENGTH, `SDP o= 0 address value ${OTHER}`]),
  invite('c-stun', PLAIN.replace(`c=IN IP4 ${OWN}`, `c=IN IP4 ${ADDRESS.wan}`), [...HEADERS, LENGTH, ORIGIN]),
  invite('c-hold', PLAIN.replace(`c=IN IP4 ${OWN}`, 'c=IN IP4 0.0.0.0'), [...HEADERS, LENGTH, 'SDP o= 0 address value 0.0.0.0']),
  invite(
    'c-multicast',
    PLAIN.replace(`c=IN IP4 ${OWN}`, 'c=IN IP4 224.2.1.1/127'),
    [...HEADERS, LENGTH, 'SDP o= 0 address value 224.2.1.1'],
  ),
  invite('c-first', lines('v=0', `c=IN IP4 ${OWN}`, `o=- 1 1 IN IP4 ${OWN}`, 's=-', 't=0 0', 'm=audio 16384 RTP/AVP 8'), withSdp),
  invite('hold-inactive', PLAIN + lines('a=inactive'), withSdp),
  invite('hold-sendonly', PLAIN + lines('a=sendonly'), withSdp),
  invite(
    'hold-session',
    PLAIN.replace(`c=IN IP4 ${OWN}`, 'c=IN IP4 0.0.0.0') + lines(`c=IN IP4 ${OWN}`),
    [...withSdp, 'SDP c= 1 address translated'],
  ),
  invite(
    'hold-media',
    PLAIN + lines('c=IN IP4 0.0.0.0'),
    [...HEADERS, LENGTH, 'SDP c= 0 address value 0.0.0.0', 'SDP o= 0 address value 0.0.0.0'],
  ),
  // The media.
  invite('port-0', media('m=audio 0 RTP/AVP 8'), HEADERS),
  invite('port-9', media('m=audio 9 RTP/AVP 8'), 'dropped'),
  invite('port-1023', media('m=audio 1023 RTP/AVP 8'), 'dropped'),
  invite('port-1024', media('m=audio 1024 RTP/AVP 8'), withSdp),
  invite('port-odd', media('m=audio 16385 RTP/AVP 8'), withSdp),
  invite('port-65535', media('m=audio 65535 RTP/AVP 8'), withSdp),
  invite('port-70000', media('m=audio 70000 RTP/AVP 8'), 'dropped'),
  invite('one-port', media('m=audio 16384 RTP/AVP 8', 'm=video 16384 RTP/AVP 34'), 'dropped'),
  invite('upper-case', media('M=AUDIO 16384 RTP/AVP 8'), HEADERS),
  invite('application', media('m=application 16384 TCP/BFCP *'), HEADERS),
  invite('srtp', media('m=audio 16384 RTP/SAVP 8', 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x'), withSdp),
  invite('rtp-over-tcp', media('m=audio 16384 TCP/RTP/AVP 8'), withSdp),
  invite(
    'several',
    media(
      ...['m=audio 20000 RTP/AVP 8', `a=rtcp:20001 IN IP4 ${OWN}`, 'a=ssrc:1 cname:a'],
      ...['m=video 20002 RTP/AVP 34', `a=rtcp:20003 IN IP4 ${OWN}`, `a=candidate:1 1 UDP 1 ${OWN} 20002 typ host`],
      ...['m=image 20004 udptl t38', 'm=application 20006 TCP/BFCP *', 'm=audio 20008 RTP/AVP 0'],
    ),
    withSdp,
  ),
  invite(
    'each',
    each(
      ['m=audio 20000 RTP/AVP 8', OWN],
      ['m=video 20002 RTP/AVP 34', OWN],
      ['m=image 20004 udptl t38', OWN],
      ['m=application 20006 TCP/BFCP *', OWN],
      ['m=audio 20008 RTP/AVP 0', OWN],
    ),
    [...HEADERS, LENGTH, ORIGIN, ...[1, 2, 3].map((at) => `SDP c= ${at} address translated`)],
  ),
  invite(
    'each-other',
    each(['m=audio 20000 RTP/AVP 8', OWN], ['m=video 20002 RTP/AVP 34', OTHER]),
    [...HEADERS, LENGTH, 'SDP c= 1 address translated', `SDP o= 0 address value ${OTHER}`],
  ),
  invite(
    'untouched-lines',
    PLAIN.replace('s=-', `s=${OWN}\r\ni=${OWN}\r\nu=http://${OWN}/\r\ne=a@${OWN}`).replace('t=0', 'b=AS:64\r\nt=0'),
    withSdp,
  ),
  // The body and what the header says of it.
  invite('no-version', PLAIN.replace('v=0\r\n', ''), HEADERS),
  invite('no-length', PLAIN, 'dropped', { length: null }),
  invite('length-0', PLAIN, corrected, { length: '0' }),
  invite('length-20', PLAIN, corrected, { length: '20' }),
  invite('length-999', PLAIN, corrected, { length: '999' }),
  invite('length-zeros', PLAIN, withSdp, { length: `000${PLAIN.length}` }),
  invite('gzip', PLAIN, withSdp, { more: ['Content-Encoding: gzip'] }),
  invite('as-text', PLAIN, withSdp, { type: 'text/plain' }),
  invite('junk', `${PLAIN}\0\xff\x80junk`, withSdp),
  invite('line-feeds', PLAIN.replace(/\r/g, ''), withSdp),
  invite(
    'multipart',
    multipart,
    [...HEADERS, ORIGIN, CONNECTION, `Content-Length 1 length-wrong ${multipart.length - multipart.indexOf('v=0') + 2 * GROWTH}`],
    { type: 'multipart/mixed;boundary=b' },
  ),
  { callId: 'info', text: request({ callId: 'info', method: 'INFO', body: PLAIN }), becomes: HEADERS },
];

const far = (callId: string, body: string, becomes: Odd['becomes'], status = '200 OK'): Odd => ({
  callId: `far-${callId}`,
  text: reply(`far-${callId}`, status, 'INVITE', '', body),
  becomes,
});
const ANSWER = session(ADDRESS.provider, ['m=audio 30000 RTP/AVP 8']);

const BACK: readonly Odd[] = [
  far('plain', ANSWER, [FROM, VIA]),
  far('progress', ANSWER, [FROM, VIA], '183 Session Progress'),
  far(
    'o-other',
    ANSWER.replace(`IP4 ${ADDRESS.provider}`, 'IP4 203.0.113.7'),
    [FROM, VIA, LENGTH, `SDP o= 0 address value ${ADDRESS.provider}`],
  ),
  far('o-name', ANSWER.replace(`IP4 ${ADDRESS.provider}`, 'IP4 pbx'), 'dropped'),
  far('c-name', ANSWER.replace(`c=IN IP4 ${ADDRESS.provider}`, 'c=IN IP4 pbx'), 'dropped'),
  far('c-ip6', ANSWER.replace(/c=.*/, 'c=IN IP6 2001:db8::1'), 'dropped'),
  far(
    'c-other',
    ANSWER.replace(`c=IN IP4 ${ADDRESS.provider}`, 'c=IN IP4 203.0.113.99'),
    [FROM, VIA, 'SDP o= 0 address value 203.0.113.99'],
  ),
  far('media-server', session('203.0.113.99', ['m=audio 30000 RTP/AVP 8']), [FROM, VIA]),
  far('port-500', ANSWER.replace('30000', '500'), 'dropped'),
];

const sessions = suite("captures of the kernel's own ALG, of session descriptions");

sessions('are read as what the ALG does to each form of them, both ways', () =>
  inLab(async (lab) => {
    await lab.phone.must(['ip', 'addr', 'add', `${OWN}/24`, 'dev', 'eth0']);
    const [phone, provider] = await Promise.all([lab.talker('phone'), lab.talker('provider')]);
    const [near, there] = await Promise.all([phone.udp(OWN, 5060), provider.udp(ADDRESS.provider, 5060)]);
    const files = await caught(lab, async () => {
      for (const { text } of OUT) await near.send(bytes(text), { address: ADDRESS.provider, port: 5060 });
      await pause(50);
      for (const { text } of BACK) await there.send(bytes(text), { address: ADDRESS.wan, port: 5060 });
    });
    for (const [where, result] of waysOf(files)) check(where, result, [...OUT, ...BACK]);
  }),
);

sessions.run();
