/** Captures read to their end, as plain data that outlives the reader. */
import { Capture } from '../../../../src/languages/pcap/capture.ts';
import { join, pcapHeader, pcapRecord } from '../../../../src/languages/pcap/encode.ts';
import type { CaptureCounts, CaptureInterface, CaptureLimits, Packet, Problem } from '../../../../src/languages/pcap/packet.ts';
import type { TcpStream } from '../../../../src/languages/pcap/stream.ts';
import { textOf } from './frames.ts';

/** `who`: `192.168.1.10:5060 > 203.0.113.10:5060`; what it holds as text, one character a byte. */
export interface Datagram { readonly who: string; readonly text: string; readonly packet: Omit<Packet, 'bytes' | 'data'> }

export interface Read {
  readonly datagrams: Datagram[];
  /** What became of the streams, in order: `1 abc`, `1 gap 5`, `1 end closed`; neighbouring bytes of a stream as one. */
  readonly streams: string[];
  readonly opened: Map<number, TcpStream & { readonly who: string }>;
  readonly others: { readonly protocol: number; readonly number: number }[];
  readonly problems: Problem[];
  readonly interfaces: readonly CaptureInterface[];
  readonly counts: CaptureCounts;
}

/**
 * Reads a capture.
 * @param sizes how long the pieces are that it comes in, over and over; the whole at once, if not given
 * @param wants whether a stream's bytes are taken once the first have been
 */
export function readAll(file: Uint8Array, { sizes = [], limits = {}, wants = () => true }:
  { sizes?: readonly number[]; limits?: Partial<CaptureLimits>; wants?: (stream: TcpStream) => boolean } = {}): Read {
  const read: Omit<Read, 'interfaces' | 'counts'> = { datagrams: [], streams: [], opened: new Map(), others: [], problems: [] };
  const open = (stream: TcpStream): void => {
    if (read.opened.has(stream.number)) return;
    const [source, destination] = [stream.source, stream.destination].map((each) => capture.addressText(each));
    const who = `${source}:${stream.sourcePort} > ${destination}:${stream.destinationPort}`;
    read.opened.set(stream.number, Object.assign(stream, { who }));
  };
  const capture = new Capture({
    datagram(packet) {
      const { bytes, data, ...rest } = packet;
      const source = `${capture.addressText(packet.source)}:${packet.sourcePort}`;
      const destination = `${capture.addressText(packet.destination)}:${packet.destinationPort}`;
      read.datagrams.push({ who: `${source} > ${destination}`, text: textOf(data, packet.start, packet.end), packet: rest });
    },
    stream(stream, _packet, bytes, start, end) {
      open(stream);
      stream.wanted = wants(stream);
      const text = textOf(bytes, start, end);
      const last = read.streams.length - 1;
      if (read.streams[last]?.startsWith(`${stream.number} `) === true
        && !/^\d+ (gap|end) /.test(read.streams[last] ?? '')) read.streams[last] += text;
      else read.streams.push(`${stream.number} ${text}`);
    },
    streamGap(stream, _packet, missing) {
      open(stream);
      read.streams.push(`${stream.number} gap ${missing}`);
    },
    streamEnd(stream, _packet, how) {
      open(stream);
      read.streams.push(`${stream.number} end ${how}`);
    },
    other(packet) { read.others.push({ protocol: packet.protocol, number: packet.number }); },
    problem(problem) { read.problems.push(problem); },
  }, limits);
  // One array for all pieces, overwritten each time, as a reader of files does it: what is kept of it would be seen to change.
  const piece = new Uint8Array(Math.max(1, ...sizes, sizes.length === 0 ? file.length : 0));
  for (let at = 0, turn = 0; at < file.length; turn++) {
    const size = Math.min(sizes.length === 0 ? file.length : sizes[turn % sizes.length]!, file.length - at);
    piece.set(file.subarray(at, at + size));
    capture.push(piece.subarray(0, size));
    piece.fill(0xee);
    at += size;
  }
  capture.end();
  return { ...read, interfaces: capture.interfaces, counts: capture.counts };
}

/** A pcap file of frames a millisecond apart. */
export function pcapOf(frames: readonly Uint8Array[], { linkType = 1, begin = 1_764_288_000, every = 0.001, snap = Infinity } =
  {}): Uint8Array {
  return join([pcapHeader({ linkType }), ...frames.map((bytes, index) => {
    const time = begin + Math.round(index * every * 1e6) / 1e6;
    const seconds = Math.floor(time);
    const part = bytes.length > snap ? bytes.slice(0, snap) : bytes;
    return pcapRecord({ seconds, nanoseconds: Math.round((time - seconds) * 1e6) * 1000, bytes: part, length: bytes.length });
  })]);
}

/** What a stream gave, gaps and ends left out, by its number. */
export function given({ streams }: Read, number = 1): string {
  return streams.filter((line) => line.startsWith(`${number} `) && !/^\d+ (gap|end) /.test(line)).map((line) =>
    line.slice(line.indexOf(' ') + 1)).join('');
}

export const codes = ({ problems }: Read): string[] => problems.map(({ code }) => code);
