/** Reads a capture with `src/languages/pcap` and nothing more, on any engine: what the bench times. */
import { Capture } from '../src/languages/pcap/capture.ts';
import type { CaptureCounts } from '../src/languages/pcap/packet.ts';

export interface Decoded extends CaptureCounts {
  /** Bytes of the file, and of the payloads. */
  bytes: number;
  payload: number;
  problems: string[];
}

/** @param read fills the array from its begin, and says how many bytes it got; 0 at the end */
export function decode(read: (buffer: Uint8Array) => number, chunk = 1 << 18): Decoded {
  const buffer = new Uint8Array(chunk);
  let [bytes, payload] = [0, 0];
  const problems: string[] = [];
  const capture = new Capture({
    datagram(packet) { payload += packet.end - packet.start; },
    stream(_stream, _packet, _bytes, start, end) { payload += end - start; },
    streamGap(_stream, _packet, missing) { payload += missing; },
    streamEnd() { payload += 0; },
    problem({ message }) { problems.push(message); },
  });
  for (;;) {
    const got = read(buffer);
    if (got <= 0) break;
    bytes += got;
    capture.push(got === buffer.length ? buffer : buffer.subarray(0, got));
  }
  capture.end();
  return { ...capture.counts, bytes, payload, problems };
}
