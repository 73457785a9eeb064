/**
 * SIP messages as a phone sends them (RFC 3261), built byte by byte so that a test knows every field.
 * The kernel's helper rewrites only what equals the packet's own address and port, so Via, Contact and SDP name
 * the socket the message is sent from.
 */
export type Party = {
  readonly address: string;
  readonly port: number;
  readonly user: string;
};

export type Message = {
  readonly from: Party;
  readonly to: Party;
  readonly callId?: string;
  readonly cseq?: number;
  readonly branch?: string;
  readonly transport?: 'UDP' | 'TCP';
  readonly mediaPort?: number; // of the SDP in an INVITE, 4000 if not given
};

const host = (address: string): string => (address.includes(':') ? `[${address}]` : address);
const sentBy = ({ address, port }: Party): string => `${host(address)}:${port}`;

function request(method: string, about: Message, more: readonly string[], body: string): string {
  const { from, to } = about;
  const transport = about.transport ?? 'UDP';
  const registrar = method === 'REGISTER';
  const uri = registrar ? `sip:${sentBy(to)}` : `sip:${to.user}@${sentBy(to)}`;
  const callId = about.callId ?? `call-1@${host(from.address)}`;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/${transport} ${sentBy(from)};branch=${about.branch ?? 'z9hG4bK-lab-1'};rport`,
    'Max-Forwards: 70',
    `From: "${from.user}" <sip:${from.user}@${sentBy(from)}>;tag=lab-from`,
    registrar ? `To: <sip:${from.user}@${sentBy(to)}>` : `To: <sip:${to.user}@${sentBy(to)}>`,
    `Call-ID: ${callId}`,
    `CSeq: ${about.cseq ?? 1} ${method}`,
    ...more,
    'User-Agent: lab-phone',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

const contact = ({ from }: Message): string => `Contact: <sip:${from.user}@${sentBy(from)}>`;

/** The SDP of a voice offer: G.711 on `mediaPort` (RFC 4566). */
export function offer(address: string, mediaPort = 4000): string {
  const type = address.includes(':') ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=lab 2890844526 2890844526 IN ${type} ${address}`,
    's=call',
    `c=IN ${type} ${address}`,
    't=0 0',
    `m=audio ${mediaPort} RTP/AVP 8 0`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=sendrecv',
    '',
  ].join('\r\n');
}

/** A call with an SDP offer. */
export function invite(about: Message): string {
  return request('INVITE', about, [contact(about), 'Content-Type: application/sdp'], offer(about.from.address, about.mediaPort));
}

/** A registration for an hour. */
export function register(about: Message): string {
  return request('REGISTER', about, [contact(about), 'Expires: 3600'], '');
}

/** The question phones keep a NAT mapping open with. */
export function options(about: Message): string {
  return request('OPTIONS', about, [contact(about), 'Accept: application/sdp'], '');
}

/** The acknowledgement of a final answer. */
export function ack(about: Message): string {
  return request('ACK', about, [], '');
}

/** The end of a call. */
export function bye(about: Message): string {
  return request('BYE', { ...about, cseq: about.cseq ?? 2 }, [], '');
}
