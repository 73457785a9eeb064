/**
 * The messages of the fake phone: forms that phones send, each of which the kernel's ALG treats in its own way. They are as
 * short as they have to be for a kernel up to 6.12, of whose packets 256 bytes are written and recorded: where there is a
 * session description, header fields that are tested elsewhere are left out.
 */
import { FILLER } from './write.ts';
import type { Ends } from './packet.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';

/** Where the phones and the provider are. */
export interface Scene {
  readonly phone: string;
  /** A second phone; null where there is no further free address. */
  readonly second: string | null;
  /** An address that is never reached. */
  readonly provider: string;
  /** Bytes of an IP packet that fit through the way to the internet. */
  readonly mtu: number;
  /** RTP port, even. */
  readonly media: number;
}

export interface Vector {
  /** Name of it in the report: for people in their language, for programs in English. A method alone is no word of ours. */
  readonly name: Line;
  /** Why it is among them. */
  readonly tests: Line;
  readonly ends: Ends;
  readonly text: string;
  /** No ALG has business with it: its port is no port of SIP. */
  readonly control?: boolean;
}

export const SIP = 5060;
export const CONTROL = 5080;

/** An address as it stands in a URI and in a Via (RFC 3261 §25.1, IPv6reference). */
export const inUri = (address: string): string => (address.includes(':') ? `[${address}]` : address);

export interface Sip {
  readonly method: string;
  readonly id: string;
  readonly from: string;
  readonly sourcePort?: number;
  readonly viaPort?: number;
  readonly port?: number;
  /** Lines of the header behind the usual ones. */
  readonly more?: readonly string[];
  readonly via?: string;
  readonly sdp?: readonly string[];
  readonly transport?: 'UDP' | 'TCP';
}

/** A request as short as it may be. */
export function message(
  { provider }: Pick<Scene, 'provider'>,
  { method, id, from, sourcePort = SIP, viaPort = sourcePort, port = SIP, more = [], via, sdp, transport = 'UDP' }: Sip,
): Pick<Vector, 'ends' | 'text'> {
  const body = sdp === undefined ? '' : sdp.map((line) => `${line}\r\n`).join('');
  const lines = [
    `${method} sip:${provider} SIP/2.0`,
    via ?? `Via:SIP/2.0/${transport} ${from}:${viaPort};branch=z9hG4bK${id}${sdp === undefined ? ';rport' : ''}`,
    `f:<sip:${from}>;tag=${id}`,
    `t:<sip:${provider}>`,
    `i:${id}`,
    `CSeq:1 ${method}`,
    ...more,
    `l:${body.length}`,
  ];
  return {
    ends: { from: { address: from, port: sourcePort }, to: { address: provider, port } },
    text: `${lines.join('\r\n')}\r\n\r\n${body}`,
  };
}

export const TESTS_FIELDS = say('tests-fields', 'Via, From and Contact');
const TESTS_CALL = say('tests-call', 'a call');
const TESTS_REGISTRATION = say('tests-registration', 'a registration');
const TESTS_WEBRTC = say('tests-webrtc', 'WebRTC and BUNDLE, which give no port yet');
export const TESTS_CONTROL = say('tests-control', "OPTIONS to port {port}, which is none of SIP's", { port: CONTROL });

export const session = (origin: string, connection: string, media: number): string[] => [
  'v=0',
  `o=- 1 1 IN IP4 ${origin}`,
  `c=IN IP4 ${connection}`,
  `m=audio ${media} RTP/AVP 0`,
];

/**
 * IPv6, which no ALG rewrites where it is routed and every one may drop. Between two controls, again; an address takes so
 * much room that some of what is usual is left out.
 */
export function vectors6({ phone, provider }: Pick<Scene, 'phone' | 'provider'>, media: number): Vector[] {
  const me = inUri(phone);
  const ends = (port: number): Ends => ({ from: { address: phone, port: SIP }, to: { address: provider, port } });
  const vector = (
    name: Said,
    tests: Said,
    method: string,
    id: string,
    more: readonly string[],
    body: readonly string[] = [],
  ): Vector => {
    const content = body.map((line) => `${line}\r\n`).join('');
    const lines = [
      `${method} sip:x SIP/2.0`,
      `v:SIP/2.0/UDP ${me}:${SIP};branch=z9hG4bK${id}`,
      'f:<sip:x>;tag=1',
      't:<sip:x>',
      `i:${id}`,
      `CSeq:1 ${method}`,
      ...more,
      `l:${content.length}`,
    ];
    return { name, tests, ends: ends(SIP), text: `${lines.join('\r\n')}\r\n\r\n${content}` };
  };
  const contact = `m:<sip:${me}>`;
  const call = (port: number): string[] => ['v=0', 'o=- 1 1 IN IP6 ::', `c=IN IP6 ${phone}`, `m=audio ${port} RTP/AVP 0`];
  const control = (name: Said, id: string): Vector => ({
    ...vector(name, TESTS_CONTROL, 'OPTIONS', id, [contact]),
    ends: ends(CONTROL),
    control: true,
  });
  return [
    control(say('sent6-control-before', 'control before, over IPv6'), '61'),
    vector(say('sent6-options', 'OPTIONS over IPv6'), say('tests-via-contact', 'Via and Contact'), 'OPTIONS', '6o', [contact]),
    vector(say('sent6-register', 'REGISTER over IPv6'), TESTS_REGISTRATION, 'REGISTER', '6r', [`${contact};expires=60`]),
    vector(say('sent6-invite', 'INVITE over IPv6'), TESTS_CALL, 'INVITE', '6i', [], call(media)),
    vector(say('sent6-invite-port-9', 'INVITE with port 9, over IPv6'), TESTS_WEBRTC, 'INVITE', '69', [], call(9)),
    control(say('sent6-control-after', 'control after, over IPv6'), '62'),
  ];
}

/** By another way to the internet than the one that calls take by themselves. @param device the way's */
export function vectorsBy({ phone, provider }: Pick<Scene, 'phone' | 'provider'>, media: number, device: string, index: number): Vector[] {
  const to = { provider };
  const id = (letter: string): string => `${letter}${index}`;
  const contact = `Contact:<sip:${phone}:${SIP}>`;
  return [
    {
      name: say('sent-options-by', 'OPTIONS by {device}', { device }),
      tests: TESTS_FIELDS,
      ...message(to, { method: 'OPTIONS', id: id('w'), from: phone, more: [contact] }),
    },
    {
      name: say('sent-invite-by', 'INVITE by {device}', { device }),
      tests: TESTS_CALL,
      ...message(to, { method: 'INVITE', id: id('x'), from: phone, sdp: session(phone, phone, media) }),
    },
    {
      name: say('sent-control-by', 'control by {device}', { device }),
      tests: TESTS_CONTROL,
      control: true,
      ...message(to, { method: 'OPTIONS', id: id('y'), from: phone, port: CONTROL, more: [contact] }),
    },
  ];
}

/** In the order they are sent. Between two controls: where both arrive, what is missing between them was dropped. */
export function vectorsOf(scene: Scene): Vector[] {
  const { phone, second, mtu, media } = scene;
  const contact = `Contact:<sip:${phone}:${SIP}>`;
  const control = (id: string, name: Said): Vector => ({
    name,
    tests: say('tests-control-whole', "OPTIONS to port {port}, which is none of SIP's: it has to arrive as it was sent", { port: CONTROL }),
    control: true,
    ...message(scene, { method: 'OPTIONS', id, from: phone, port: CONTROL, more: [contact] }),
  });
  const invite = (id: string, name: Line, tests: Said, sdp: readonly string[], more: Partial<Sip> = {}): Vector => ({
    name,
    tests,
    ...message(scene, { method: 'INVITE', id, from: phone, sdp, ...more }),
  });
  const plain = session(phone, phone, media);
  const large = message(scene, { method: 'OPTIONS', id: 'lg', from: phone, more: [contact] });
  const room = mtu - 28 - large.text.length - 3;
  return [
    control('c1', say('sent-control-before', 'control before')),
    { name: 'OPTIONS', tests: TESTS_FIELDS, ...message(scene, { method: 'OPTIONS', id: 'op', from: phone, more: [contact] }) },
    {
      name: 'REGISTER',
      tests: TESTS_REGISTRATION,
      ...message(scene, { method: 'REGISTER', id: 're', from: phone, more: [`${contact};expires=60`] }),
    },
    {
      name: 'REFER',
      tests: say('tests-transfer', 'a transfer'),
      ...message(scene, { method: 'REFER', id: 'rf', from: phone, more: [`Refer-To:<sip:9@${phone}>`] }),
    },
    {
      name: say('sent-message-compact', 'MESSAGE, compact and folded'),
      tests: say('tests-compact', 'short names of fields, and a Via on two lines'),
      ...message(scene, {
        method: 'MESSAGE',
        id: 'ms',
        from: phone,
        via: `v:SIP/2.0/UDP\r\n ${phone}:${SIP};branch=z9hG4bKms`,
        more: [`m:<sip:${phone}:${SIP}>`],
      }),
    },
    {
      name: say('sent-options-port', 'OPTIONS from port 40000'),
      tests: say('tests-source-port', 'another source port'),
      ...message(scene, { method: 'OPTIONS', id: 'o4', from: phone, sourcePort: 40_000, more: [`Contact:<sip:${phone}:40000>`] }),
    },
    {
      name: say('sent-options-via', 'OPTIONS whose Via has another port'),
      tests: say('tests-replies', 'where replies are delivered'),
      ...message(scene, { method: 'OPTIONS', id: 'vp', from: phone, sourcePort: 40_002, viaPort: SIP }),
    },
    invite('iv', 'INVITE', TESTS_CALL, plain),
    ...(second === null
      ? []
      : [
          invite(
            'i2',
            say('sent-invite-second', 'INVITE of a second phone, same RTP port'),
            say('tests-second', 'two phones with the RTP port of their factory'),
            session(second, second, media),
            { from: second },
          ),
        ]),
    invite(
      'ih',
      say('sent-invite-hold', 'INVITE that holds (c=0.0.0.0)'),
      say('tests-hold', 'a call on hold'),
      session(phone, '0.0.0.0', media),
    ),
    invite(
      'ip',
      say('sent-invite-elsewhere', 'INVITE with media elsewhere'),
      say('tests-elsewhere', 'a PBX, whose c= names another host'),
      session(phone, second ?? `${phone.slice(0, phone.lastIndexOf('.'))}.1`, media),
    ),
    invite(
      'in',
      say('sent-invite-name', 'INVITE with a name in o='),
      say('tests-name', 'a host name where the ALG wants an address'),
      session('pbx.lan', phone, media),
    ),
    invite('i9', say('sent-invite-port-9', 'INVITE with port 9'), TESTS_WEBRTC, session(phone, phone, 9)),
    {
      name: say('sent-options-large', 'large OPTIONS'),
      tests: say('tests-large', 'a message that just fits ({bytes} bytes)', { bytes: mtu }),
      ends: large.ends,
      text: large.text.replace(/l:0\r\n\r\n$/, `l:${room}\r\n\r\n`) + FILLER.repeat(Math.max(0, room)),
    },
    control('c2', say('sent-control-after', 'control after')),
  ];
}
