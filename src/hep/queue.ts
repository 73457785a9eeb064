/** Frames that wait to be sent: a bounded number, and every one that is lost is counted. */
export interface HepCounts {
  /** Handed to the network. */
  sent: number;
  /** Not taken, for as many waited as may. */
  overflowed: number;
  /** Not taken, for no datagram carries it. */
  oversized: number;
  /** The network refused it. */
  failed: number;
}

export interface HepQueue {
  /** false: it was not taken, and is counted. */
  push(frame: Uint8Array): boolean;
  /** One that was too large to be made a frame of. */
  refuse(): void;
  /**
   * Hands every frame that waits to `send`, one after another, in their order; a frame that fails is counted and not sent again, for
   * what comes behind it would be late as well. Where it resolves with `later`, that frame and all behind it go on waiting. Never throws.
   */
  drain(send: (frame: Uint8Array) => Promise<void | 'later'>): Promise<void>;
  /** The network says of one that it had taken that it did not arrive. */
  cameBack(): void;
  readonly waiting: number;
  readonly counts: Readonly<HepCounts>;
}

/** @param most frames @param mostBytes of all of them together */
export function createHepQueue(most = 1000, mostBytes = 1 << 20): HepQueue {
  const frames: Uint8Array[] = [];
  const counts: HepCounts = { sent: 0, overflowed: 0, oversized: 0, failed: 0 };
  let bytes = 0;
  let draining: Promise<void> | null = null;
  const empty = async (send: (frame: Uint8Array) => Promise<void | 'later'>): Promise<void> => {
    for (let frame = frames.shift(); frame !== undefined; frame = frames.shift()) {
      bytes -= frame.length;
      try {
        if ((await send(frame)) === 'later') {
          frames.unshift(frame);
          bytes += frame.length;
          break;
        }
        counts.sent++;
      } catch {
        counts.failed++; // What it was is no use to who reads a counter, and a server that is away fails each frame alike.
      }
    }
    draining = null;
  };
  return {
    push(frame) {
      if (frames.length >= most || bytes + frame.length > mostBytes) {
        counts.overflowed++;
        return false;
      }
      frames.push(frame);
      bytes += frame.length;
      return true;
    },
    refuse() {
      counts.oversized++;
    },
    cameBack() {
      counts.sent--;
      counts.failed++;
    },
    drain(send) {
      draining ??= empty(send);
      return draining;
    },
    get waiting() {
      return frames.length;
    },
    counts,
  };
}
