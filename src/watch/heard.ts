/** What of a message matters to a call's story. A record may hold its beginning alone: what is not there is null, not absent. */
import { parseAddress, parseAddresses } from '../languages/sip/address.ts';
import { parseCSeq } from '../languages/sip/cseq.ts';
import { contentOf, parseMessage } from '../languages/sip/message.ts';
import type { Message } from '../languages/sip/message.ts';
import { parseSdp } from '../languages/sip/sdp.ts';
import type { Sdp } from '../languages/sip/sdp.ts';
import { parseUri } from '../languages/sip/uri.ts';
import { parseVia } from '../languages/sip/via.ts';

/** A message as it was recorded at one side of the router. */
export interface Heard {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly fromPhone: boolean;
  /** `192.168.1.10:5060`, the end in the LAN. */
  readonly phone: string;
  readonly far: string;
  /** Its bytes as ISO 8859-1, as far as they were recorded. */
  readonly text: string;
  /** All of it was recorded. */
  readonly whole: boolean;
  /** Bytes on the wire. */
  readonly length: number;
}

/** What a session description says of audio. */
export interface Media {
  readonly address: string;
  readonly port: number;
  /** It asks the other side to hear and not to speak, or neither: hold (RFC 3264 §8.4; `c=0.0.0.0` of RFC 2543). */
  readonly held: boolean;
}

export interface Parsed {
  /** Of a request; null for an answer. */
  readonly method: string | null;
  readonly status: number | null;
  readonly reason: string;
  /** Of its transaction; null where the record ends before. */
  readonly cseq: { readonly number: number | null; readonly method: string } | null;
  readonly branch: string | null;
  readonly callId: string | null;
  readonly fromTag: string | null;
  /** undefined: it has none; null: not known. */
  readonly toTag: string | null | undefined;
  /** The user part of the Request-URI. */
  readonly user: string | null;
  /** Seconds: of the Contact, else of the field; null where neither is there or was recorded. */
  readonly expires: number | null;
  /** Contact: * (RFC 3261 §10.2.2). */
  readonly star: boolean;
  readonly media: Media | null;
  /** `Reason: SIP;cause=200`: answered elsewhere (RFC 3326 §2). */
  readonly elsewhere: boolean;
}

/** What was recorded of a header ends in a line of which nobody knows the rest. */
function complete(text: string, whole: boolean): string {
  if (whole) return text;
  const end = text.lastIndexOf('\n');
  return end < 0 ? '' : text.slice(0, end + 1);
}

const tagOf = (message: Message, name: 'from' | 'to'): string | null | undefined => {
  const field = message.fields.find(({ canonical }) => canonical === name);
  if (field === undefined) return null;
  const [address] = parseAddress(message.text, field.value.start, field.value.end).members;
  return address?.parameters.find((parameter) => parameter.name.text.toLowerCase() === 'tag')?.value?.text;
};

function expiresOf(message: Message): { expires: number | null; star: boolean } {
  let least: number | null = null;
  let star = false;
  for (const field of message.fields) {
    if (field.canonical !== 'contact') continue;
    for (const { uri, parameters } of parseAddresses(message.text, field.value.start, field.value.end).members) {
      star ||= uri.text === '*';
      const given = parameters.find(({ name }) => name.text.toLowerCase() === 'expires')?.value?.text;
      if (given !== undefined && /^\d{1,10}$/.test(given)) least = least === null ? Number(given) : Math.max(least, Number(given));
    }
  }
  const field = contentOf(message, 'expires');
  return { expires: least ?? (field !== undefined && /^\d{1,10}$/.test(field) ? Number(field) : null), star };
}

/** The first audio that is not refused. */
export function mediaOf(sdp: Sdp): Media | null {
  const audio = sdp.media.find(({ type, number }) => type.text.toLowerCase() === 'audio' && number !== null && number > 0);
  if (audio === undefined) return null;
  const address = (audio.connections[0] ?? sdp.session.connections[0])?.address.text ?? '';
  const direction = audio.direction ?? sdp.session.direction ?? 'sendrecv';
  return { address, port: audio.number as number, held: address === '0.0.0.0' || direction === 'sendonly' || direction === 'inactive' };
}

function bodyOf(message: Message, whole: boolean): Media | null {
  if (!whole || message.blank === null || message.body.end === message.body.start) return null;
  // Of a segment of TCP the rest may come in the next one.
  if (Number(contentOf(message, 'content-length') ?? 0) > message.body.end - message.body.start) return null;
  const sdp = parseSdp(message.text, message.body.start, message.body.end);
  return 'refused' in sdp ? null : mediaOf(sdp);
}

/** null: it is no message of SIP, or too little of it is there. */
export function readHeard(recorded: string, whole: boolean): Parsed | null {
  const text = complete(recorded, whole);
  const message = parseMessage(text);
  if ('refused' in message) return null;
  const line = message.startLine;
  const cseqField = contentOf(message, 'cseq');
  const cseq = cseqField === undefined ? null : parseCSeq(cseqField, 0, cseqField.length);
  const viaField = message.fields.find(({ canonical }) => canonical === 'via');
  const via = viaField === undefined ? undefined : parseVia(text, viaField.value.start, viaField.value.end).members[0];
  const uri = line.kind === 'request' ? parseUri(text, line.uri.start, line.uri.end) : null;
  const user =
    uri === null || 'refused' in uri ? null : uri.kind === 'tel' ? uri.number.text : 'user' in uri ? (uri.user?.text ?? null) : null;
  return {
    method: line.kind === 'request' ? line.method.text.toUpperCase() : null,
    status: line.kind === 'response' ? line.status : null,
    reason: line.kind === 'response' ? line.reason.text.trim().slice(0, 80) : '',
    cseq: cseq === null || 'refused' in cseq ? null : { number: cseq.number, method: cseq.method.text.toUpperCase() },
    branch: via?.parameters.find(({ name }) => name.text.toLowerCase() === 'branch')?.value?.text ?? null,
    callId: contentOf(message, 'call-id') ?? null,
    fromTag: tagOf(message, 'from') ?? null,
    toTag: tagOf(message, 'to'),
    user,
    ...expiresOf(message),
    media: bodyOf(message, whole),
    elsewhere: /(?:^|,)\s*SIP\s*;[^,]*\bcause\s*=\s*"?200\b/i.test(contentOf(message, 'reason') ?? ''),
  };
}
