/**
 * Messages as phones send them, each with something that the kernel's ALG edits, half edits or drops (measured on Linux 6.1,
 * 6.12 and 6.18). Every field that shows the phone names the very socket it is sent from, else the ALG leaves it alone.
 */
import type { Peer } from '../../host/network.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';
import { inBrackets, shownPeer } from '../provider/question.ts';

export interface Maker {
  over: 'udp' | 'tcp';
  local: Peer;
  mirror: Peer;
  /** Letters and digits of this message alone. */
  token: string;
  /** The RTP port it offers: even, and this message's alone. */
  media: number;
  version: string;
  /** The line that makes it a probe's. */
  mark: string;
  /** A second socket of this machine's, where the message has one. */
  second?: Peer;
}

export interface Vector {
  name: string;
  what: Said;
  over: readonly ('udp' | 'tcp')[];
  families: readonly ('ipv4' | 'ipv6')[];
  make(maker: Maker): string;
  /** What it leaves behind in an ALG an answer does not end: so this is sent behind it, for which no answer is waited. */
  end?(maker: Maker): string;
  /** A second socket, that listens while the first one asks. */
  listens?: true;
  /** What is asked first from a second socket, and is to be answered: only then the message meets what it is for. `end` is that one's. */
  before?(maker: Maker): string;
  /** Over TCP, where its text is cut into two segments. */
  cut?(text: string): number;
  /** Over TCP, another message that goes before it in the same segment. */
  along?(maker: Maker): string;
}

interface Shape {
  method?: string;
  via?: string;
  from?: string;
  contact?: string | null;
  more?: readonly string[];
  body?: string;
  compact?: boolean;
  type?: string;
}

const COMPACT: readonly (readonly [RegExp, string])[] = [
  [/^Via:/, 'v:'],
  [/^From:/, 'f:'],
  [/^To:/, 't:'],
  [/^Call-ID:/, 'i:'],
  [/^Contact:/, 'm:'],
  [/^Content-Type:/, 'c:'],
  [/^Content-Length:/, 'l:'],
];

function message(maker: Maker, shape: Shape): string {
  const { over, local, mirror, token, version, mark } = maker;
  const { method = 'INVITE', body = '', compact = false } = shape;
  const me = `sip:probe@${shownPeer(local)}`;
  const uri = method === 'REGISTER' ? `sip:${shownPeer(mirror)}` : `sip:mirror@${shownPeer(mirror)}`;
  const lines = [
    `Via: SIP/2.0/${over.toUpperCase()} ${shape.via ?? shownPeer(local)};branch=z9hG4bK${token};rport`,
    'Max-Forwards: 70',
    `From: ${shape.from ?? `<${me}>`};tag=${token}`,
    method === 'REGISTER' ? `To: <${me}>` : `To: <${uri}>`,
    `Call-ID: ${token}@${inBrackets(local.address)}`,
    `CSeq: 1 ${method}`,
    ...(shape.contact === null ? [] : [`Contact: ${shape.contact ?? `<${me}${over === 'tcp' ? ';transport=tcp' : ''}>`}`]),
    ...(shape.more ?? []),
    `User-Agent: sipalg-probe/${version}`,
    mark,
    ...(body === '' ? [] : [`Content-Type: ${shape.type ?? 'application/sdp'}`]),
    `Content-Length: ${body.length}`,
  ];
  const named = compact ? lines.map((line) => COMPACT.reduce((text, [long, short]) => text.replace(long, short), line)) : lines;
  return [`${method} ${uri} SIP/2.0`, ...named, '', body].join('\r\n');
}

interface Session {
  origin?: string;
  connection?: string | null;
  media?: readonly string[];
}

function session({ local, media: port }: Maker, { origin, connection, media }: Session = {}): string {
  const address = `IN ${local.address.includes(':') ? 'IP6' : 'IP4'} ${local.address}`;
  return [
    'v=0',
    `o=probe 1 1 ${origin ?? address}`,
    's=-',
    ...(connection === null ? [] : [`c=${connection ?? address}`]),
    't=0 0',
    ...(media ?? [`m=audio ${port} RTP/AVP 8 0`, 'a=rtpmap:8 PCMA/8000', 'a=sendrecv']),
    '',
  ].join('\r\n');
}

const UDP = ['udp'] as const;
const TCP = ['tcp'] as const;
const BOTH = ['udp', 'tcp'] as const;
const FOUR = ['ipv4'] as const;
const ALL = ['ipv4', 'ipv6'] as const;

/** Pads a message to so many bytes by one field. */
function padded(maker: Maker, size: number): string {
  const base = message(maker, { more: ['X-Padding: x'], body: session(maker) });
  const lacking = Math.max(0, size - base.length);
  return base.replace('X-Padding: x', () => `X-Padding: ${'x'.repeat(1 + lacking)}`);
}

export const VECTORS: readonly Vector[] = [
  {
    name: 'register',
    what: say('mirrored-register', 'registers'),
    over: BOTH,
    families: ALL,
    make: (maker) => message(maker, { method: 'REGISTER', more: ['Expires: 300'] }),
  },
  {
    name: 'invite',
    what: say('mirrored-invite', 'calls'),
    over: BOTH,
    families: ALL,
    make: (maker) => message(maker, { body: session(maker) }),
  },
  {
    name: 'options',
    what: say('mirrored-options', 'keeps alive'),
    over: UDP,
    families: FOUR,
    make: (maker) => message(maker, { method: 'OPTIONS' }),
  },
  {
    name: 'refer',
    what: say('mirrored-refer', 'transfers'),
    over: UDP,
    families: FOUR,
    make: (maker) =>
      message(maker, {
        method: 'REFER',
        more: [
          `Refer-To: <sip:other@${shownPeer(maker.local)}?Replaces=${maker.token}%40${maker.local.address}>`,
          `Referred-By: <sip:probe@${shownPeer(maker.local)}>`,
        ],
      }),
  },
  {
    name: 'update',
    what: say('mirrored-update', 'refreshes a call'),
    over: UDP,
    families: FOUR,
    make: (maker) => message(maker, { method: 'UPDATE', body: session(maker) }),
    // The holes an UPDATE opens stay whatever is answered to it; a BYE closes them (nf_conntrack_sip.c, process_bye_request).
    end: (maker) => message({ ...maker, mark: 'X-Sipalg-Probe: end' }, { method: 'BYE' }),
  },
  {
    name: 'hold',
    what: say('mirrored-hold', 'holds with c=0.0.0.0'),
    over: UDP,
    families: FOUR,
    make: (maker) => message(maker, { body: session(maker, { connection: 'IN IP4 0.0.0.0' }) }),
  },
  {
    name: 'inactive',
    what: say('mirrored-inactive', 'holds with a=inactive'),
    over: UDP,
    families: FOUR,
    make: (maker) => message(maker, { body: session(maker, { media: [`m=audio ${maker.media} RTP/AVP 8`, 'a=inactive'] }) }),
  },
  {
    name: 'video',
    what: say('mirrored-video', 'calls with video, RTCP and candidates'),
    over: UDP,
    families: FOUR,
    make: (maker) =>
      message(maker, {
        body: session(maker, {
          media: [
            `m=audio ${maker.media} RTP/AVP 8`,
            `a=rtcp:${maker.media + 1} IN IP4 ${maker.local.address}`,
            `a=candidate:1 1 UDP 2130706431 ${maker.local.address} ${maker.media} typ host`,
            `m=video ${maker.media + 2} RTP/AVP 96`,
            `c=IN IP4 ${maker.local.address}`,
          ],
        }),
      }),
  },
  {
    name: 'compact',
    what: say('mirrored-compact', 'calls with compact names'),
    over: UDP,
    families: FOUR,
    make: (maker) => message(maker, { compact: true, body: session(maker) }),
  },
  {
    name: 'folded',
    what: say('mirrored-folded', 'calls with a folded Via'),
    over: UDP,
    families: FOUR,
    make: (maker) => message(maker, { via: `\r\n ${shownPeer(maker.local)}`, body: session(maker) }),
  },
  {
    name: 'routed',
    what: say('mirrored-routed', 'calls with Route, Path and an identity'),
    over: UDP,
    families: FOUR,
    make: (maker) =>
      message(maker, {
        more: [
          `Route: <sip:${shownPeer(maker.mirror)};lr>`,
          `Record-Route: <sip:${shownPeer(maker.local)};lr>`,
          `P-Preferred-Identity: <sip:probe@${shownPeer(maker.local)}>`,
          `X-Address: ${shownPeer(maker.local)}`,
        ],
        body: session(maker),
      }),
  },
  {
    name: 'stun',
    what: say('mirrored-stun', 'calls with a public address in SDP'),
    over: UDP,
    families: FOUR,
    make: (maker) => message(maker, { body: session(maker, { connection: 'IN IP4 192.0.2.77' }) }),
  },
  {
    name: 'origin-name',
    what: say('mirrored-origin-name', 'calls with a host name in o='),
    over: UDP,
    families: FOUR,
    make: (maker) => message(maker, { body: session(maker, { origin: 'IN IP4 phone.example' }) }),
  },
  {
    name: 'connection-name',
    what: say('mirrored-connection-name', 'calls with a host name in c='),
    over: UDP,
    families: ALL,
    make: (maker) => message(maker, { body: session(maker, { connection: `IN IP4 phone.example` }) }),
  },
  {
    name: 'webrtc',
    what: say('mirrored-webrtc', 'calls with port 9, as WebRTC does'),
    over: UDP,
    families: ALL,
    make: (maker) => message(maker, { body: session(maker, { media: ['m=audio 9 UDP/TLS/RTP/SAVPF 111'] }) }),
  },
  {
    name: 'multipart',
    what: say('mirrored-multipart', 'calls with a body of two parts'),
    over: UDP,
    families: FOUR,
    make: (maker) =>
      message(maker, {
        type: 'multipart/mixed;boundary=part',
        body: [
          '--part',
          'Content-Type: application/sdp',
          '',
          session(maker),
          '--part',
          'Content-Type: text/plain',
          '',
          'here',
          '--part--',
          '',
        ].join('\r\n'),
      }),
  },
  {
    name: 'one-packet',
    what: say('mirrored-one-packet', 'calls with just what one packet holds'),
    over: UDP,
    families: FOUR,
    make: (maker) => padded(maker, 1470),
  },
  {
    name: 'large',
    what: say('mirrored-large', 'calls with more than one packet holds'),
    over: UDP,
    families: FOUR,
    make: (maker) => padded(maker, 2200),
  },
  {
    name: 'other-port',
    what: say('mirrored-other-port', 'calls from another port than Via names'),
    over: UDP,
    families: FOUR,
    listens: true,
    make: (maker) => message(maker, { via: shownPeer(maker.second ?? maker.local), body: session(maker) }),
  },
  {
    name: 'same-media',
    what: say('mirrored-same-media', 'calls with the RTP port of another call that is on'),
    over: UDP,
    families: FOUR,
    // The answer to an INVITE would close what it opened; what an UPDATE opens stays (see above).
    before: (maker) => message(maker, { method: 'UPDATE', body: session(maker) }),
    make: (maker) => message(maker, { body: session(maker) }),
    end: (maker) => message({ ...maker, mark: 'X-Sipalg-Probe: end' }, { method: 'BYE' }),
  },
  {
    name: 'split',
    what: say('mirrored-split', 'calls in two segments, cut within Via'),
    over: TCP,
    families: FOUR,
    make: (maker) => message(maker, { body: session(maker) }),
    cut: (text) => text.indexOf(' ', text.indexOf('Via: ') + 5) + 4,
  },
  {
    name: 'two-in-one',
    what: say('mirrored-two-in-one', 'calls behind another message in one segment'),
    over: TCP,
    families: FOUR,
    along: (maker) => message(maker, { method: 'OPTIONS' }),
    make: (maker) => message(maker, { body: session(maker) }),
  },
];
