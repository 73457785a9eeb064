/** Messages that differ from an ordinary one in one thing each: what goes to the provider, what came of it, who said so. */
import * as assert from 'uvu/assert';
import type { Comparison, Row } from '../../../src/compare/comparison.ts';
import { named } from '../../pure/compare/captures.ts';
import { ADDRESS } from '../network.ts';
import { rowsOf } from './captures.ts';

/** One character shorter than the address outside, so that every length changes with a body. */
export const OWN = '192.168.1.7';

export const VIA = 'Via 1 sent-by translated';
export const FROM = 'From 1 URI host translated';
export const TO = 'To 1 URI host translated';
export const CONTACT = 'Contact 1 URI host translated';
export const LENGTH = 'Content-Length 1 length';
export const ORIGIN = 'SDP o= 0 address translated';
export const CONNECTION = 'SDP c= 0 address translated';

/** What is found where every header is rewritten that the kernel rewrites in `request`. */
export const HEADERS = [CONTACT, FROM, VIA];
export const SDP = [LENGTH, CONNECTION, ORIGIN];

/** A message and what becomes of it: `dropped`, or what is found, which is nothing where it stays the same. */
export interface Odd {
  readonly callId: string;
  readonly text: string;
  readonly becomes: 'dropped' | readonly string[];
}

const END = '\r\n';

export const lines = (...all: readonly string[]): string => all.map((line) => line + END).join('');

/** A session description; lines of its media, or one of audio. */
export const session = (host: string, media: readonly string[] = ['m=audio 16384 RTP/AVP 8']): string =>
  lines('v=0', `o=- 1 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0', ...media);

export interface Parts {
  readonly callId: string;
  readonly method?: string;
  readonly uri?: string;
  readonly transport?: string;
  /** Address and port of the phone. */
  readonly own?: string;
  readonly via?: string;
  readonly from?: string;
  readonly contact?: string;
  /** More lines of the header. */
  readonly more?: readonly string[];
  readonly type?: string;
  /** null: no Content-Length at all. */
  readonly length?: string | null;
  readonly body?: string;
}

/** A request of a phone, each of its parts as given or as usual. */
export function request(parts: Parts): string {
  const { callId, method = 'OPTIONS', uri = `sip:x@${ADDRESS.provider}`, transport = 'UDP', own = `${OWN}:5060`, body = '' } = parts;
  const { via = `SIP/2.0/${transport} ${own}`, from = `<sip:a@${own}>`, contact = `<sip:a@${own}>` } = parts;
  const { more = [], type = 'application/sdp', length = String(body.length) } = parts;
  return lines(
    `${method} ${uri} SIP/2.0`,
    `Via: ${via};branch=z9hG4bK-${callId}`,
    `From: ${from};tag=f`,
    `To: <sip:x@${ADDRESS.provider}>`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    `Contact: ${contact}`,
    ...more,
    ...(body === '' ? [] : [`Content-Type: ${type}`]),
    ...(length === null ? [] : [`Content-Length: ${length}`]),
  ).concat(END, body);
}

/** A reply of the provider, to a request whose headers carry the address outside. */
export function reply(callId: string, status: string, method: string, via: string, body: string): string {
  const wan = `${ADDRESS.wan}:5060`;
  return lines(
    `SIP/2.0 ${status}`,
    `Via: SIP/2.0/UDP ${wan};branch=z9hG4bK-${callId}${via}`,
    `From: <sip:a@${wan}>;tag=f`,
    `To: <sip:x@${ADDRESS.provider}>;tag=t`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:x@${ADDRESS.provider}>`,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
  ).concat(END, body);
}

export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** As `foundIn`, and what came out where neither address of the flow, nor the right length did. */
const said = (row: Row | undefined): string[] =>
  (row?.differences ?? [])
    .map((each) => (['value', 'length-wrong'].includes(each.change) ? `${named(each)} ${each.after?.text}` : named(each)))
    .sort();

/** What `compare` says of each message, a line for each, beside what is meant to be said. */
export function check(where: string, result: Comparison, all: readonly Odd[]): void {
  const line = (callId: string, fate: string, found: readonly string[]): string => [`${callId} ${fate}`, ...found].join(', ');
  assert.equal(
    all.map(({ callId }) => {
      const [row] = rowsOf(result, callId);
      return line(callId, row?.fate ?? 'not seen', said(row));
    }),
    all.map(({ callId, becomes }) =>
      becomes === 'dropped' ? line(callId, becomes, []) : line(callId, becomes.length === 0 ? 'same' : 'changed', [...becomes].sort()),
    ),
    where,
  );
}
