/** Messages of a phone and of its provider, as text. */
import { PHONE, PROVIDER, WAN } from './captures.ts';

export interface About {
  readonly callId: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly body?: string;
  readonly more?: readonly string[];
  /** What the phone takes for its address. */
  readonly me?: string;
}

export const session = (host = PHONE, port = 16_384): string =>
  [
    'v=0',
    `o=alice 2890844526 2890844526 IN IP4 ${host}`,
    's=call',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 8 0 101`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    `a=rtcp:${port + 1} IN IP4 ${host}`,
    `a=candidate:1 1 UDP 2130706431 ${host} ${port} typ host`,
    'a=sendrecv',
    '',
  ].join('\r\n');

export function request(method: string, about: About): string {
  const { callId, cseq = 1, branch = `z9hG4bK-${callId}-${cseq}-${method}`, body = '', more = [], me = `${PHONE}:5060` } = about;
  return [
    `${method} sip:+4930123456@voip.example.net SIP/2.0`,
    `Via: SIP/2.0/UDP ${me};branch=${branch};rport`,
    'Max-Forwards: 70',
    `From: "Alice" <sip:alice@${me}>;tag=a-${callId}`,
    'To: <sip:+4930123456@voip.example.net>',
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:alice@${me}>`,
    'Allow: INVITE, ACK, CANCEL, BYE, NOTIFY',
    'User-Agent: Phone/1.0',
    ...more,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

export function reply(code: string, method: string, about: About): string {
  const { callId, cseq = 1, branch = `z9hG4bK-${callId}-${cseq}-${method}`, body = '', more = [], me = `${PHONE}:5060` } = about;
  return [
    `SIP/2.0 ${code}`,
    `Via: SIP/2.0/UDP ${me};branch=${branch};rport=5060;received=${WAN}`,
    `From: "Alice" <sip:alice@${me}>;tag=a-${callId}`,
    `To: <sip:+4930123456@voip.example.net>;tag=b-${callId}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:+4930123456@${PROVIDER}:5060>`,
    'Server: Provider/4.2',
    ...more,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}
