/**
 * Streams of audio, told by what the kernel counts in a phone's flows of UDP between two looks. What it counts has reached the
 * router, and has not got through its firewall yet: so "both ways" is said of what arrives here. Where nothing is counted
 * (`nf_conntrack_acct` 0) a stream is known by the ports that a session description named, and only that nothing came back is told.
 */
import type { Flow } from '../languages/kernel/conntrack.ts';
import { Bounded } from './bounded.ts';
import type { CauseName } from './causes.ts';
import { canonicalAddress, isPrivate, placeOf } from './network.ts';
import type { Ends } from './network.ts';
import type { AudioWays, Told } from './told.ts';

const MOST_STREAMS = 2048;
/** Flows of a phone that are no stream so far. */
const MOST_CANDIDATES = 4096;
const MOST_AWAITED = 2048;

/** Packets a second: 60 ms of audio in each are 16, and 10 ms are 100. Silence that is left out sends fewer. */
const LEAST_RATE = 8;
const MOST_RATE = 130;
/** Bytes of a packet of audio with its headers: 10 ms of G.729 are 50, 40 ms of G.711 are 360, video has more. */
const MOST_BYTES = 420;
/** What is no audio whatever its rate: names, time, TFTP, NetBIOS, SNMP, IKE, QUIC, Syslog, mDNS, STUN alone has audio behind TURN. */
const OTHERS: ReadonlySet<number> = new Set([
  53, 67, 68, 69, 80, 123, 137, 138, 161, 443, 500, 514, 853, 1900, 4500, 5060, 5061, 5353, 51820,
]);
/** Looks in a row that must say the same before a stream is said to go one way: one may fall between two packets. */
const SURE = 2;

interface Stream extends Ends {
  readonly key: string;
  first: number;
  /** When something was last seen to have passed. */
  moved: number;
  /** Of the last look: when, and what was counted then. */
  at: number;
  out: number | null;
  in: number | null;
  bytes: number | null;
  replied: boolean;
  /** What was told, and what the last looks say, how often in a row. */
  told: AudioWays | null;
  saw: AudioWays | null;
  times: number;
  look: number;
  /** A session description named its port. */
  described: boolean;
  movedTold: boolean;
}

/** What is known of a session description that a phone sent. */
export interface Described {
  /** The address it names for audio. */
  readonly address: string;
  readonly call: number;
}

export interface AudioOptions {
  readonly tell: (told: Told) => void;
  readonly callOf: (phone: string) => number | null;
}

export class Audio {
  readonly #tell: (told: Told) => void;
  readonly #callOf: (phone: string) => number | null;
  readonly #streams: Bounded<string, Stream>;
  readonly #candidates = new Bounded<string, Stream>(MOST_CANDIDATES);
  /** Ports of audio that phones have named: `ADDRESS PORT` in the LAN. */
  readonly #awaited = new Bounded<string, Described>(MOST_AWAITED);
  readonly #ports = new Map<number, number>();
  #look = 0;
  /** Packets the firewall has rejected from the internet, as last read; null where they are not counted. */
  rejected: number | null = null;
  #rejectedBefore: number | null = null;
  /** Whether the kernel counts at all: null as long as no flow of a phone was seen. */
  counts: boolean | null = null;
  unwatched = 0;

  constructor({ tell, callOf }: AudioOptions) {
    this.#tell = tell;
    this.#callOf = callOf;
    this.#streams = new Bounded(MOST_STREAMS, () => this.unwatched++);
  }

  get size(): number {
    return this.#streams.size + this.#candidates.size;
  }

  /** A phone waits for audio at a port. @param phone in the LAN */
  await(phone: string, port: number, described: Described): void {
    this.#awaited.set(`${phone} ${port}`, described);
    for (const [key, one] of this.#candidates.entries()) {
      if (one.phone !== phone || one.phonePort !== port) continue;
      one.described = true;
      this.#candidates.delete(key);
      this.#streams.set(key, one);
    }
    if (this.#ports.size < MOST_AWAITED) this.#ports.set(port, (this.#ports.get(port) ?? 0) + 1);
  }

  isAwaited({ phone, phonePort }: Ends): boolean {
    return phone !== null && this.#awaited.get(`${phone} ${phonePort}`) !== undefined;
  }

  /** Whether a line has a port that was named. */
  awaits(line: string): boolean {
    if (this.#ports.size === 0) return false;
    const port = /(?:sport|dport)=(\d+) /.exec(line)?.[1];
    return port !== undefined && this.#ports.has(Number(port));
  }

  /** Whether audio of a phone goes on, as far as was seen. */
  isLive(phone: string): boolean {
    for (const one of this.#streams.values())
      if (one.phone === phone && (one.told === 'both' || one.told === 'out' || one.told === 'in')) return true;
    return false;
  }

  /** Streams that are going on. */
  get live(): number {
    let count = 0;
    for (const { told } of this.#streams.values()) if (told !== null && told !== 'none') count++;
    return count;
  }

  begin(_at: number): void {
    this.#look++;
  }

  seen(key: string, flow: Flow, ends: Ends, at: number): void {
    if (OTHERS.has(ends.farPort) || OTHERS.has(ends.phonePort) || ends.farPort < 1024 || ends.phonePort < 1024) return;
    const [mine, theirs] = ends.outgoing ? [flow.original, flow.reply] : [flow.reply, flow.original];
    const replied = !flow.flags.includes('UNREPLIED');
    const known = this.#streams.get(key) ?? this.#candidates.get(key);
    const bytes = mine.bytes === null || theirs.bytes === null ? null : mine.bytes + theirs.bytes;
    const counted = mine.packets !== null && theirs.packets !== null;
    if (known === undefined) {
      const described = this.isAwaited(ends);
      const one: Stream = {
        ...ends,
        key,
        first: at,
        moved: at,
        at,
        out: mine.packets,
        in: theirs.packets,
        bytes,
        replied,
        told: null,
        saw: null,
        times: 0,
        look: this.#look,
        described,
        movedTold: false,
      };
      (described ? this.#streams : this.#candidates).set(key, one);
      return;
    }
    known.look = this.#look;
    if (!counted || known.out === null || known.in === null) {
      // An event has no counts; a flow that began before counting has none at all.
      known.replied ||= replied;
      if (counted) [known.out, known.in, known.bytes, known.at] = [mine.packets, theirs.packets, bytes, at];
      else if (known.described) this.#uncounted(known, at);
      return;
    }
    const seconds = (at - known.at) / 1000;
    if (seconds < 0.9) return;
    this.counts = true;
    const out = Math.max(0, (mine.packets as number) - known.out);
    const back = Math.max(0, (theirs.packets as number) - known.in);
    const more = Math.max(0, (bytes ?? 0) - (known.bytes ?? 0));
    [known.out, known.in, known.bytes, known.at, known.replied] = [mine.packets, theirs.packets, bytes, at, replied];
    this.#judge(known, out, back, more, seconds, at);
  }

  #judge(one: Stream, out: number, back: number, bytes: number, seconds: number, at: number): void {
    if (out + back > 0) one.moved = at;
    const flows = (packets: number): boolean => packets / seconds >= LEAST_RATE;
    const few = (packets: number): boolean => packets / seconds <= MOST_RATE;
    const ways: AudioWays = flows(out) ? (back > 0 ? 'both' : 'out') : flows(back) ? (out > 0 ? 'both' : 'in') : 'none';
    if (!this.#streams.has(one.key)) {
      const alike = ways !== 'none' && few(out) && few(back) && bytes / (out + back) <= MOST_BYTES;
      if (!alike) return;
      this.#candidates.delete(one.key);
      this.#streams.set(one.key, one);
      one.first = at - seconds * 1000;
    }
    one.times = ways === one.saw ? one.times + 1 : 1;
    one.saw = ways;
    if (ways === one.told || (ways !== 'both' && one.times < SURE) || (one.told === null && ways === 'none')) return;
    one.told = ways;
    const rejected = this.rejected === null || this.#rejectedBefore === null ? null : Math.max(0, this.rejected - this.#rejectedBefore);
    this.#say(one, ways, out, back, seconds, rejected, at);
  }

  /** Where nothing is counted: whether anything came back at all. */
  #uncounted(one: Stream, at: number): void {
    this.counts ??= false;
    if (one.told !== null || one.replied || at - one.first < 5000) return;
    one.told = 'out';
    this.#say(one, 'out', 0, 0, (at - one.first) / 1000, null, at);
  }

  #say(one: Stream, ways: AudioWays, out: number, back: number, seconds: number, rejected: number | null, at: number): void {
    const phone = one.phone as string;
    const base = { at, phone, far: placeOf(one.far, one.farPort), call: this.#callOf(phone) };
    if (one.seenAs !== phone && one.seenPort !== one.phonePort && !one.movedTold) {
      one.movedTold = true;
      const holder = this.#holderOf(one);
      const cause = ways !== 'both' && holder !== null ? 'same-rtp-port' : null;
      this.#tell({ ...base, what: 'port-moved', port: one.phonePort, to: one.seenPort, holder, media: true, cause });
    }
    this.#tell({ ...base, what: 'audio', ways, out, in: back, seconds, rejected, cause: this.#causeOf(one, ways, out, rejected) });
  }

  /** Why nothing comes back, where what is seen tells it. */
  #causeOf(one: Stream, ways: AudioWays, out: number, rejected: number | null): CauseName | null {
    if (ways !== 'out' || one.replied) return null;
    if (one.movedTold && this.#holderOf(one) !== null) return 'same-rtp-port';
    // Counts of a firewall are everybody's: as many as go out are no scanner's.
    if (rejected !== null && out > 0 && rejected >= out / 2) return 'media-from-elsewhere';
    const described = this.#awaited.get(`${one.phone} ${one.phonePort}`);
    if (described === undefined) return 'blocked-or-private';
    return isPrivate(described.address) ? 'private-sdp' : 'blocked-beyond';
  }

  #holderOf(one: Stream): string | null {
    for (const all of [this.#streams, this.#candidates])
      for (const other of all.values())
        if (other.phone !== one.phone && other.far === one.far && other.farPort === one.farPort && other.seenPort === one.phonePort)
          return other.phone;
    return null;
  }

  end(at: number): void {
    this.#rejectedBefore = this.rejected;
    for (const one of [...this.#streams.values()]) if (one.look !== this.#look) this.#over(one, at);
    for (const [key, one] of [...this.#candidates.entries()]) if (one.look !== this.#look) this.#candidates.delete(key);
  }

  /** The kernel told of its end. */
  gone(key: string, flow: Flow, at: number): void {
    this.#candidates.delete(key);
    const one = this.#streams.get(key);
    if (one === undefined) return;
    const [mine, theirs] = one.outgoing ? [flow.original, flow.reply] : [flow.reply, flow.original];
    if (mine.packets !== null && theirs.packets !== null) [one.out, one.in] = [mine.packets, theirs.packets];
    this.#over(one, at);
  }

  #over(one: Stream, at: number): void {
    this.#streams.delete(one.key);
    if (one.told === null) return;
    const { phone, far, farPort, first, out } = one;
    const call = this.#callOf(phone as string);
    // The flow outlives its last packet by its timeout.
    const seconds = Math.max(0, (one.moved - first) / 1000);
    this.#tell({
      at,
      phone,
      far: placeOf(canonicalAddress(far), farPort),
      call,
      cause: null,
      what: 'audio-ended',
      seconds,
      out,
      in: one.in,
    });
  }
}
