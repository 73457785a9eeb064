/** All that a watch knows, put together: flows, messages and counters become what is told, and a summary at its end. */
import type { FlowEvent } from '../languages/kernel/conntrack-events.ts';
import type { Flow } from '../languages/kernel/conntrack.ts';
import { Dialogs } from './dialogs.ts';
import type { DialogLimits } from './dialogs.ts';
import { Flows } from './flows.ts';
import type { Ladder, Rung } from './ladder.ts';
import { inOrder } from './messages.ts';
import { isPrivate } from './network.ts';
import type { Network } from './network.ts';
import { Passage } from './passage.ts';
import type { Sighted, Waiting } from './passage.ts';
import type { Registration } from './registrations.ts';
import type { SpokeEvery } from './spoken.ts';
import { hostOf } from './call.ts';
import type { CauseName } from './causes.ts';
import type { CounterName, Told } from './told.ts';

/** Counters of all the router, as they stand. */
export interface Counters {
  /** Packets from the internet that the firewall has rejected; null where it does not count them. */
  readonly rejected: number | null;
  /** Datagrams that could not be sent on for their size (Ip.FragFails), and such of which fragments are missing (Ip.ReasmFails). */
  readonly fragFails: number | null;
  readonly reasmFails: number | null;
}

export interface Summary {
  /** Milliseconds. */
  readonly began: number;
  readonly ended: number;
  readonly phones: number;
  readonly registrations: readonly Registration[];
  /** How often phones spoke, where it was seen often enough. */
  readonly spoken: readonly SpokeEvery[];
  readonly calls: number;
  readonly answered: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly live: number;
  /** By cause, how often it was named. */
  readonly causes: Readonly<Partial<Record<CauseName, number>>>;
  readonly audio: Readonly<Record<'both' | 'out' | 'in', number>>;
  /** Messages that were read, that passed unchanged or changed, and that did not come out. */
  readonly messages: number;
  readonly passed: number;
  readonly changed: number;
  readonly dropped: number;
  /** Whether the kernel counts packets of a flow; null where no flow told. */
  readonly counts: boolean | null;
  /** Flows there was no room for. */
  readonly unwatched: number;
  readonly ladders: readonly Ladder[];
}

export interface WatchOptions {
  readonly network: Network;
  readonly began: number;
  readonly tell: (told: Told) => void;
  readonly limits?: Partial<DialogLimits>;
  readonly numbers?: boolean;
  readonly ports?: readonly number[];
}

/** Bytes of UDP in a packet of Ethernet; what grows beyond it from within so many has grown by addresses alone. */
const MTU = 1472;
const NEAR_MTU = 1440;

/**
 * Milliseconds within which a counter of the whole router that moves is taken to speak of a large message: reassembly is given up
 * after 30 s (net.ipv4.ipfrag_time). Without one it may be anybody's: browsers try how large a packet may be (RFC 8899).
 */
const LARGE = 60_000;

/** Milliseconds within which one kind of counter is told once. */
const QUIET = 30_000;
/** A larger growth of these is told as it comes; scanners make the firewall reject all day long. */
const LEAST: Readonly<Record<CounterName, number>> = { rejected: Infinity, 'fragments-failed': 1, 'fragments-missing': 1 };

export class Watching {
  readonly flows: Flows;
  readonly dialogs: Dialogs;
  readonly passage: Passage;
  readonly #tell: (told: Told) => void;
  readonly #began: number;
  readonly #causes: Partial<Record<CauseName, number>> = {};
  readonly #audio = { both: 0, out: 0, in: 0 };
  #counters: Counters | null = null;
  /** When a message went in that fills a packet, or needs several. */
  #largeAt = -Infinity;
  readonly #told = new Map<string, number>();
  readonly #changed = new Set<string>();

  constructor({ network, began, tell, limits = {}, numbers = false, ports = [] }: WatchOptions) {
    this.#began = began;
    this.#tell = (told) => {
      if (told.cause !== null) this.#causes[told.cause] = (this.#causes[told.cause] ?? 0) + 1;
      if (told.what === 'audio' && told.ways !== 'none') this.#audio[told.ways]++;
      tell(told);
    };
    this.dialogs = new Dialogs({
      tell: this.#tell,
      limits,
      numbers,
      onMedia: (phone, media, call) => this.flows.audio.await(phone, media.port, { address: media.address, call }),
    });
    this.flows = new Flows({ network, tell: this.#tell, ports, callOf: (phone) => this.dialogs.callOf(phone) });
    this.passage = new Passage({
      passed: (one, other, changed) => {
        if (changed) this.#change(one.sighted.inside ? one.sighted : other, one.what);
      },
      dropped: (one) => this.#dropped(one),
    });
  }

  /** What did not come out. What strangers send to the router is rejected as it ought to be, and not told. */
  #dropped({ sighted, what }: Waiting): boolean {
    const { at, fromPhone, length, far, transport } = sighted;
    let { phone } = sighted;
    let cause: CauseName = 'dropped-here';
    if (!fromPhone) {
      const behind = this.flows.phoneBehind(sighted.phone, far);
      if (behind !== null) phone = behind;
      else if (this.flows.isFar(hostOf(far)) || this.dialogs.registrations.isFar(hostOf(far))) {
        // From a provider, and nothing leads it to a phone: the state that did is gone.
        cause = 'state-expired';
        phone = this.dialogs.registrations.onlyAt(hostOf(far)) ?? '';
      } else return false;
      this.dialogs.lost({ ...sighted, phone });
    }
    // What the ALG makes longer by some bytes fits no more (ICMP "fragmentation needed" goes to the phone, which cannot know of it).
    if (transport === 'udp' && fromPhone && this.passage.changed > 0 && length > NEAR_MTU && length <= MTU) cause = 'too-large';
    const host = phone === '' ? null : hostOf(phone);
    const call = host === null ? null : this.dialogs.callOf(host);
    this.#tell({ at, phone: host, far, call, cause, what: 'dropped', message: what, toProvider: fromPhone, bytes: length });
    return true;
  }

  /** Whether a line of `conntrack -E` or of the table is of interest. */
  wants(src: string, dst: string, dport: string, line: string): boolean {
    return this.flows.wants(src, dst, dport, line);
  }

  event(event: FlowEvent, at: number): void {
    this.flows.event(event, at);
  }

  look(at: number): { each: (flow: Flow) => void; end: () => void } {
    return this.flows.look(at);
  }

  /** Answers of the last reading whose requests it did not show. */
  #ahead: readonly Sighted[] = [];

  /**
   * What one reading of the taps has shown. They are listed one behind the other, so an answer that came meanwhile may be there and its
   * request not: it waits for the next reading, once.
   */
  read(messages: readonly Sighted[]): void {
    const waited = new Set(this.#ahead);
    const ahead: Sighted[] = [];
    for (const sighted of inOrder([...this.#ahead, ...messages])) {
      // That it passed is known at once; what it means to a call waits.
      if (waited.has(sighted)) this.dialogs.hear(sighted);
      else if (sighted.inside && this.dialogs.isAhead(sighted)) {
        ahead.push(sighted);
        this.#passes(sighted, null);
      } else this.sighted(sighted);
    }
    this.#ahead = ahead;
  }

  /** A message at one of the taps; those of one reading in the order of time. */
  sighted(sighted: Sighted): void {
    // A phone's side tells the story: what reaches it and what it sends.
    this.#passes(sighted, sighted.inside ? this.dialogs.hear(sighted) : null);
  }

  #passes(sighted: Sighted, rung: Rung | null): void {
    if (sighted.inside === sighted.fromPhone) {
      if (sighted.transport === 'udp' && sighted.length > NEAR_MTU) this.#largeAt = sighted.at;
      this.passage.enters(sighted, rung);
    } else this.passage.leaves(sighted, rung);
  }

  #change(sighted: Sighted, what: string): void {
    const kind = `${hostOf(sighted.phone)} ${sighted.fromPhone}`;
    if (this.#changed.has(kind) || this.#changed.size >= 256) return;
    this.#changed.add(kind);
    this.#tell({
      at: sighted.at,
      phone: hostOf(sighted.phone),
      far: sighted.far,
      call: this.dialogs.callOf(hostOf(sighted.phone)),
      cause: 'alg-changed',
      what: 'changed',
      message: what,
      toProvider: sighted.fromPhone,
    });
  }

  /** What the kernel's log says of a message that its helper dropped. */
  helperDropped(reason: string, phone: string | null, at: number): void {
    const call = phone === null ? null : this.dialogs.callOf(phone);
    this.#tell({
      at,
      phone: phone !== null && isPrivate(phone) ? phone : null,
      far: null,
      call,
      cause: 'alg-dropped',
      what: 'helper-dropped',
      reason,
    });
  }

  counters(counters: Counters, at: number): void {
    const before = this.#counters;
    this.#counters = counters;
    this.flows.audio.rejected = counters.rejected;
    if (before === null) return;
    this.#counter('rejected', before.rejected, counters.rejected, at);
    this.#counter('fragments-failed', before.fragFails, counters.fragFails, at);
    this.#counter('fragments-missing', before.reasmFails, counters.reasmFails, at);
  }

  #counter(name: CounterName, before: number | null, now: number | null, at: number): void {
    if (before === null || now === null || now - before < LEAST[name]) return;
    const last = this.#told.get(name);
    if (last !== undefined && at - last < QUIET) return;
    this.#told.set(name, at);
    this.#tell({
      at,
      phone: null,
      far: null,
      call: null,
      cause: name === 'rejected' || at - this.#largeAt > LARGE ? null : name === 'fragments-failed' ? 'too-large' : 'fragments-lost',
      what: 'counter',
      name,
      more: now - before,
    });
  }

  tick(at: number): void {
    this.dialogs.tick(at);
    this.passage.tick(at);
  }

  summary(ended: number): Summary {
    const { counts } = this.dialogs;
    return {
      began: this.#began,
      ended,
      phones: this.flows.phones,
      registrations: this.dialogs.registrations.all(),
      spoken: this.flows.spoken.all(),
      calls: counts.calls,
      answered: counts.answered,
      failed: counts.failed,
      cancelled: counts.cancelled,
      live: this.dialogs.live,
      causes: { ...this.#causes },
      audio: { ...this.#audio },
      messages: counts.messages,
      passed: this.passage.passed.out + this.passage.passed.in,
      changed: this.passage.changed,
      dropped: this.passage.dropped,
      counts: this.flows.audio.counts,
      unwatched: this.flows.unwatched + this.flows.audio.unwatched,
      ladders: this.dialogs.ladders(),
    };
  }
}
