/** Cuts a byte stream into messages, however the stream was split on its way. */
import { MAX_BLOB, padded } from './blob.ts';
import { HEADER } from './message.ts';
import { Status, UbusError } from './status.ts';

export interface Frames {
  /**
   * Takes the next bytes of the stream and hands each message that is complete to
   * `take`; a frame is only good during that call.
   * @throws UbusError PARSE_ERROR when the stream cannot be ubus: nothing after
   *   that point can be trusted, so close the connection
   */
  push(bytes: Uint8Array, take: (frame: Uint8Array) => void): void;
}

/** Memory for a message is taken once its header was seen and its size found right. */
export function createFrames(): Frames {
  const header = new Uint8Array(HEADER);
  let frame: Uint8Array | undefined;
  let have = 0;

  return {
    push(bytes, take) {
      let at = 0;
      while (at < bytes.length) {
        if (frame === undefined) {
          const count = Math.min(HEADER - have, bytes.length - at);
          header.set(bytes.subarray(at, at + count), have);
          have += count;
          at += count;
          if (have < HEADER) return;
          const length = frameLength(header);
          if (bytes.length - at >= length - HEADER && at >= HEADER) {
            // All of it is here: no copy.
            have = 0;
            take(bytes.subarray(at - HEADER, (at += length - HEADER)));
            continue;
          }
          frame = new Uint8Array(length);
          frame.set(header);
        }
        const count = Math.min(frame.length - have, bytes.length - at);
        frame.set(bytes.subarray(at, at + count), have);
        have += count;
        at += count;
        if (have === frame.length) {
          const whole = frame;
          frame = undefined;
          have = 0;
          take(whole);
        }
      }
    },
  };
}

function frameLength(header: Uint8Array): number {
  const length = (header[9]! << 16) | (header[10]! << 8) | header[11]!;
  if (header[0] !== 0) {
    throw new UbusError(Status.PARSE_ERROR, `a message has version ${header[0]}; ubus has only version 0`);
  }
  if (length < 4 || padded(length) > MAX_BLOB) {
    throw new UbusError(Status.PARSE_ERROR, `a message says it is ${length} bytes long; 4 to ${MAX_BLOB} are allowed`);
  }
  return 8 + length;
}
