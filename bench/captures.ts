/**
 * Writes the captures the bench reads: calls through a router with an ALG, seen on its LAN and on its WAN side. The same
 * options give the same bytes on every machine; memory does not grow with the file. `node bench/capture-speed.mjs --write
 * FILE` writes one by hand.
 *
 * A call is INVITE, 100, 180, 200, ACK, BYE, 200 of one of 240 phones; calls overlap. In some calls the router rewrites what
 * Linux' ALG rewrites (Via, From, Contact, o=, c=, Content-Length); in the others it translates addresses and ports alone.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { enhancedPacket, interfaceDescription, pcapHeader, pcapRecord, sectionHeader } from '../src/languages/pcap/encode.ts';
import { bytesOf, ethernet, ipv4, udp } from '../test/pure/languages/pcap/frames.ts';

export interface CaptureOptions {
  /** How many calls; or how many bytes the file is to have at least, whichever comes first. */
  readonly calls?: number;
  readonly size?: number;
  /** Both sides in one file are two interfaces with pcapng; in pcap nothing but the packets tells them apart. */
  readonly side?: 'both' | 'lan' | 'wan';
  /** Of a hundred calls, how many have their messages rewritten. */
  readonly rewrite?: number;
  readonly format?: 'pcap' | 'pcapng';
  /** Bytes of audio for each call, as RTP. */
  readonly fill?: number;
}

const PHONES = 240;
const WAN = '203.0.113.20';
const PROVIDER = '203.0.113.10';
/** Microseconds from a call's begin to each of its messages; from one call's begin to the next; spent in the router. */
const TIMES = [0, 4_000, 150_000, 2_100_000, 2_104_000, 8_000_000, 8_003_000];
const BETWEEN = 17_000;
const INSIDE = 60;
const BEGIN = 1_764_288_000;
const BUFFER = 1 << 20;

/** Writes a capture; returns its calls, packets and bytes. */
export function writeCapture(file: string, options: CaptureOptions = {}): { calls: number; packets: number; bytes: number } {
  const { calls = options.size === undefined ? 100 : Infinity, size = Infinity, side = 'both', rewrite = 100, format = 'pcap', fill = 0 } =
    options;
  const to = openSync(file, 'w');
  const buffer = new Uint8Array(BUFFER);
  let [held, bytes, packets] = [0, 0, 0];
  const flush = (): void => {
    for (let at = 0; at < held;) at += writeSync(to, buffer, at, held - at);
    held = 0;
  };
  const put = (piece: Uint8Array): void => {
    if (held + piece.length > BUFFER) flush();
    buffer.set(piece, held);
    held += piece.length;
    bytes += piece.length;
  };
  const frame = (time: number, outside: boolean, frame: Uint8Array): void => {
    if (side !== 'both' && (side === 'wan') !== outside) return;
    packets++;
    const seconds = BEGIN + Math.floor(time / 1e6);
    if (format === 'pcap') put(pcapRecord({ seconds, nanoseconds: time % 1e6 * 1000, bytes: frame }));
    else {
      const microseconds = BEGIN * 1e6 + time;
      put(enhancedPacket(outside && side === 'both' ? 1 : 0, Math.floor(microseconds / 2 ** 32), microseconds % 2 ** 32, { bytes: frame }));
    }
  };
  if (format === 'pcap') put(pcapHeader());
  else {
    put(sectionHeader());
    for (const name of side === 'both' ? ['br-lan', 'wan'] : [side === 'lan' ? 'br-lan' : 'wan']) put(interfaceDescription(1,
      [[2, bytesOf(name)]]));
  }
  // Which call each message of a call comes to next: the earliest of these is the next one of all.
  const next = TIMES.map(() => 0);
  let last = calls;
  for (;;) {
    let message = -1;
    let earliest = Infinity;
    for (let index = 0; index < TIMES.length; index++) {
      const time = next[index]! * BETWEEN + TIMES[index]!;
      if (next[index]! < last && time < earliest) [message, earliest] = [index, time];
    }
    if (message < 0) break;
    const call = next[message]!++;
    if (message === 0 && bytes >= size) {
      last = call;
      continue;
    }
    send(frame, earliest, call, message, call * 61 % 100 < rewrite);
    if (message === 4) for (let sent = 0, packet = 0; sent < fill; sent += 172, packet++) speak(frame, earliest + packet * 50, call,
      packet);
  }
  flush();
  closeSync(to);
  return { calls: last, packets, bytes };
}

type Put = (time: number, outside: boolean, frame: Uint8Array) => void;

/** One packet on both sides of the router: the first where it comes from. */
function pass(put: Put, time: number, call: number, message: number, ports: { lan: number; wan: number; provider: number },
  toProvider: boolean, inside: Uint8Array, outside: Uint8Array): void {
  const id = call * 7 + message & 0xffff;
  const phone = `192.168.1.${call % PHONES + 2}`;
  const lan = toProvider
    ? ipv4({ from: phone, to: PROVIDER, id, ttl: 64 }, udp(ports.lan, ports.provider, inside))
    : ipv4({ from: PROVIDER, to: phone, id, ttl: 56 }, udp(ports.provider, ports.lan, inside));
  const wan = toProvider
    ? ipv4({ from: WAN, to: PROVIDER, id, ttl: 63 }, udp(ports.wan, ports.provider, outside))
    : ipv4({ from: PROVIDER, to: WAN, id, ttl: 57 }, udp(ports.provider, ports.wan, outside));
  put(time, !toProvider, ethernet(toProvider ? lan : wan));
  put(time + INSIDE, toProvider, ethernet(toProvider ? wan : lan));
}

function send(put: Put, time: number, call: number, message: number, rewritten: boolean): void {
  const toProvider = message === 0 || message === 4 || message === 5;
  const phone = call % PHONES;
  const port = 5060 + phone * 2;
  const here = `192.168.1.${phone + 2}:5060`;
  const inside = words(call, message, here);
  const outside = rewritten ? words(call, message, `${WAN}:${port}`) : inside;
  pass(put, time, call, message, { lan: 5060, wan: port, provider: 5060 }, toProvider, bytesOf(inside), bytesOf(outside));
}

/** A packet of audio that tells nothing. */
function speak(put: Put, time: number, call: number, packet: number): void {
  const audio = new Uint8Array(172).fill(0xd5);
  audio.set([0x80, 8, packet >> 8 & 255, packet & 255, 0, 0, packet >> 8 & 255, packet & 255, 0, 0, call >> 8 & 255, call & 255]);
  const port = 16_384 + call % 8000 * 2;
  pass(put, time, call, packet, { lan: port, wan: port, provider: 30_000 + call % 8000 * 2 }, packet % 2 === 0, audio, audio);
}

/** What is said in a call, by a phone that takes `me` for its address. */
function words(call: number, message: number, me: string): string {
  const host = me.slice(0, me.indexOf(':'));
  const user = `phone${call % PHONES}`;
  const method = message < 4 ? 'INVITE' : message === 4 ? 'ACK' : 'BYE';
  const sequence = message === 4 || message < 4 ? 1 : 2;
  const branch = `z9hG4bK${hex(call * 8 + (message < 4 ? 0 : message === 4 ? 4 : 5))}`;
  const isReply = message !== 0 && message !== 4 && message !== 5;
  const tag = message > 1 ? `;tag=as${hex(call + 7)}` : '';
  const lines = isReply
    ? [`SIP/2.0 ${['', '100 Trying', '180 Ringing', '200 OK', '', '', '200 OK'][message]}`]
    : [`${method} sip:+4930${1000000 + call % 9000000}@${message === 0 ? 'voip.example.net' : `${PROVIDER}:5060`} SIP/2.0`];
  lines.push(
    `Via: SIP/2.0/UDP ${me};branch=${branch}${isReply ? `;rport=${5060 + call % PHONES * 2};received=${WAN}` : ';rport'}`,
    ...(isReply ? [] : ['Max-Forwards: 70']),
    `From: "${user}" <sip:${user}@${me}>;tag=${hex(call * 3 + 1)}`,
    `To: <sip:+4930${1000000 + call % 9000000}@voip.example.net>${tag}`,
    `Call-ID: ${hex(call * 17 + 5)}-${hex(call)}@${user}.example.org`,
    `CSeq: ${sequence} ${method}`,
  );
  if (message === 0 || message === 4) lines.push(`Contact: <sip:${user}@${me}>`);
  if (message === 2 || message === 3) lines.push(`Contact: <sip:+4930${1000000 + call % 9000000}@${PROVIDER}:5060>`);
  lines.push(isReply ? 'Server: Provider/4.2' : 'User-Agent: Phone/1.17.3',
    'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, INFO, UPDATE, PRACK', 'Supported: replaces, timer, 100rel');
  const body = message === 0 ? session(call, host, 16_384 + call % 8000 * 2) : message === 3 ? session(call + 1, PROVIDER,
    30_000 + call % 8000 * 2) : '';
  if (body !== '') lines.push('Content-Type: application/sdp');
  lines.push(`Content-Length: ${body.length}`, '', body);
  return lines.join('\r\n');
}

function session(call: number, host: string, port: number): string {
  return ['v=0', `o=- ${3_900_000_000 + call} ${3_900_000_000 + call} IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0',
    `m=audio ${port} RTP/AVP 9 8 0 101`, 'a=rtpmap:9 G722/8000', 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15', 'a=ptime:20', 'a=sendrecv', ''].join('\r\n');
}

function hex(number: number): string { return (number * 2654435761 % 2 ** 32).toString(16).padStart(8, '0'); }
