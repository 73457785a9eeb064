/**
 * The flows of phones, as the kernel tracks them: those of signalling, by their ports, and those of audio, by what passes in
 * them. Two sources feed it: events as they come, and looks at the whole table now and then. A DESTROY comes late, up to 12 s
 * were seen, so an end is dated by the last look and the time that was left then.
 */
import type { FlowEvent } from '../languages/kernel/conntrack-events.ts';
import type { Flow } from '../languages/kernel/conntrack.ts';
import { Audio } from './audio.ts';
import { Bounded } from './bounded.ts';
import { canonicalAddress, endsIn, isPrivate, isPublic, placeOf } from './network.ts';
import type { Ends, Network } from './network.ts';
import { Spoken } from './spoken.ts';
import type { FlowEnd, Told } from './told.ts';

/** Flows and phones that are watched at a time. */
const MOST_FLOWS = 4096;
const MOST_PHONES = 512;
/** Milliseconds: the kernel tells whole seconds, and a look takes its time. */
const UNSURE = 2000;
const SIGNALLING: readonly (number | null)[] = [5060, 5061];

/** A flow of signalling. */
export interface Signalling extends Ends {
  readonly key: string;
  readonly transport: string;
  /** When its time runs out, as far as the last look or event has told; null where the kernel shows no time. */
  expires: number | null;
  answered: boolean;
  /** The look in which it was last there. */
  seen: number;
  packets: { out: number; in: number } | null;
}

/** As both sources write it, with its number. */
const TCP = 'tcp      6 ';

/** A key that either source writes alike. */
function keyOf({ protocol, original }: Flow): string {
  const { src, sport, dst, dport } = original;
  return `${protocol} ${canonicalAddress(src)} ${sport} ${canonicalAddress(dst)} ${dport}`;
}

const isSignalling = ({ original, reply }: Flow): boolean =>
  SIGNALLING.includes(original.dport) || SIGNALLING.includes(original.sport) || SIGNALLING.includes(reply.sport);

export interface FlowsOptions {
  readonly network: Network;
  readonly tell: (told: Told) => void;
  /** Of the call that a phone is in; null where none is known. */
  readonly callOf?: (phone: string) => number | null;
  /** More ports of signalling than 5060 and 5061. */
  readonly ports?: readonly number[];
}

export class Flows {
  readonly signalling: Bounded<string, Signalling>;
  readonly audio: Audio;
  readonly spoken = new Spoken();
  #network: Network;
  readonly #tell: (told: Told) => void;
  readonly #callOf: (phone: string) => number | null;
  readonly #ports: ReadonlySet<number>;
  /** Phones by their address, and when each was heard of. */
  readonly #phones = new Bounded<string, number>(MOST_PHONES);
  /** Of each phone and far end the end of its last state. */
  readonly #ended = new Bounded<string, number>(MOST_PHONES * 2);
  #looks = 0;
  /** Flows of whom nobody here is an end, and such as could not be watched for want of room. */
  unwatched = 0;

  constructor({ network, tell, callOf = () => null, ports = [] }: FlowsOptions) {
    this.#network = network;
    this.#tell = tell;
    this.#callOf = callOf;
    this.#ports = new Set(ports);
    this.signalling = new Bounded(MOST_FLOWS, () => this.unwatched++);
    this.audio = new Audio({ tell, callOf });
  }

  get network(): Network {
    return this.#network;
  }

  set network(network: Network) {
    this.#network = network;
  }

  isPhone(address: string): boolean {
    return this.#phones.get(address) !== undefined;
  }

  get phones(): number {
    return this.#phones.size;
  }

  /** Whether a line of either source may be of interest, by the texts in it: all others are not read. */
  wants(src: string, dst: string, dport: string, line: string): boolean {
    if (dport === '5060' || dport === '5061' || line.includes('port=5060 ') || line.includes('port=5061 ')) return true;
    for (const port of this.#ports) if (line.includes(`port=${port} `)) return true;
    // Audio goes over UDP, and of a browser's flows there are many.
    if (line.includes(TCP)) return false;
    if (this.isPhone(canonicalAddress(src)) || this.isPhone(canonicalAddress(dst))) return true;
    // Behind a forward the phone is the source of the answers.
    return this.audio.awaits(line);
  }

  /** The kernel has told of a flow. */
  event({ kind, flow, by }: FlowEvent, at: number): void {
    if (kind === 'destroy') this.#gone(flow, by, at);
    else this.#there(flow, at, this.#looks);
  }

  /** A look at the whole table begins; `each` is called for the flows in it, and `end` behind the last one. */
  look(at: number): { each: (flow: Flow) => void; end: () => void } {
    const look = ++this.#looks;
    this.audio.begin(at);
    return {
      each: (flow) => this.#there(flow, at, look),
      end: () => {
        for (const one of [...this.signalling.values()]) if (one.seen !== look) this.#over(one, at, 'kernel', null);
        this.audio.end(at);
      },
    };
  }

  #there(flow: Flow, at: number, look: number): void {
    const ends = endsIn(flow, this.#network);
    if (ends === null) return;
    const signalling = isSignalling(flow) || this.#ports.has(ends.farPort);
    if (signalling) this.#signals(flow, ends, at, look);
    else if (flow.protocol === 'udp' && ends.phone !== null && (this.isPhone(ends.phone) || this.audio.isAwaited(ends)))
      this.audio.seen(keyOf(flow), flow, ends, at);
  }

  #signals(flow: Flow, ends: Ends, at: number, look: number): void {
    const key = keyOf(flow);
    const expires = flow.timeout === null || flow.flags.includes('OFFLOAD') ? null : at + flow.timeout * 1000;
    const answered = !flow.flags.includes('UNREPLIED');
    const { packets: out } = ends.outgoing ? flow.original : flow.reply;
    const { packets: back } = ends.outgoing ? flow.reply : flow.original;
    const packets = out === null || back === null ? null : { out, in: back };
    if (ends.phone !== null && ends.outgoing && flow.timeout !== null) {
      const place = { phone: placeOf(ends.phone, ends.phonePort), far: placeOf(ends.far, ends.farPort) };
      const spoke = this.spoken.look(key, { ...place, left: flow.timeout, out }, at);
      if (spoke !== null) {
        const { every, times } = spoke;
        this.#tell({ at, phone: ends.phone, far: place.far, call: null, cause: null, what: 'speaks-every', every, times });
      }
    }
    const known = this.signalling.get(key);
    if (known !== undefined) {
      // An event may be older than a look: what has ended does not come back by it.
      known.expires = expires;
      known.answered ||= answered;
      known.seen = look;
      if (packets !== null) known.packets = packets;
      return;
    }
    const one: Signalling = { ...ends, key, transport: flow.protocol, expires, answered, seen: look, packets };
    this.signalling.set(key, one);
    this.#begun(one, flow, at);
  }

  #begun(one: Signalling, flow: Flow, at: number): void {
    const { phone, far, farPort } = one;
    const base = { at, phone, far: placeOf(far, farPort), call: null, cause: null } as const;
    if (phone === null) {
      // A scanner makes a flow with each of its packets; those that nobody answers are not told.
      if (one.outgoing) this.#tell({ ...base, what: 'router-speaks' });
      else if (one.answered) this.#tell({ ...base, what: 'from-outside', to: 'router' });
      return;
    }
    if (!one.outgoing) {
      this.#tell({ ...base, what: 'from-outside', to: 'phone', cause: 'forwarded' });
      return;
    }
    this.#phones.set(phone, at);
    const pair = `${phone} ${base.far}`;
    const ended = this.#ended.get(pair);
    const left = flow.timeout;
    const after = ended === undefined ? null : Math.max(0, Math.round((at - ended) / 1000));
    this.#ended.delete(pair);
    this.#tell({ ...base, what: 'state', left, after, transport: one.transport, unanswered: !one.answered });
    if (one.seenAs === phone && isPrivate(phone) && isPublic(far) && !one.answered && !phone.includes(':')) {
      this.#tell({ ...base, what: 'untranslated', cause: 'stale-state' });
    }
    if (one.seenAs !== phone && one.seenPort !== one.phonePort) this.#moved(one, base);
  }

  #moved(one: Signalling, base: { at: number; phone: string | null; far: string; call: null }): void {
    const holder = [...this.signalling.values()].find(
      (other) =>
        other !== one
        && other.phone !== one.phone
        && other.far === one.far
        && other.farPort === one.farPort
        && other.seenPort === one.phonePort,
    );
    this.#tell({
      ...base,
      what: 'port-moved',
      port: one.phonePort,
      to: one.seenPort,
      holder: holder?.phone ?? null,
      media: false,
      cause: holder === undefined ? null : 'same-sip-port',
    });
  }

  #gone(flow: Flow, by: string | null, at: number): void {
    const key = keyOf(flow);
    const one = this.signalling.get(key);
    if (one !== undefined) {
      // A DESTROY shows the time that was left, and none where it had run out (nf_conntrack_netlink.c, ctnetlink_dump_timeout).
      const early = flow.timeout !== null && flow.timeout > 1;
      const later =
        one.packets !== null
        && flow.original.packets !== null
        && one.packets.out + one.packets.in < flow.original.packets + (flow.reply.packets ?? 0);
      // A packet has renewed it since the last look.
      if (later) one.expires = at;
      this.#over(one, at, by !== null ? 'program' : early ? 'early' : 'kernel', by);
      return;
    }
    this.audio.gone(key, flow, at);
  }

  #over(one: Signalling, at: number, who: 'kernel' | 'early' | 'program', by: string | null): void {
    this.signalling.delete(one.key);
    if (one.phone === null || !one.outgoing) return;
    const due = one.expires !== null && one.expires <= at + UNSURE;
    const how: FlowEnd = who === 'program' ? 'deleted' : who === 'kernel' && (due || one.expires === null) ? 'expired' : 'removed';
    const ended = how === 'expired' && one.expires !== null ? Math.min(at, one.expires) : at;
    // A flow of the same phone and far end goes on: its port was another, and it is reached by that.
    const others = [...this.signalling.values()].some(({ phone, far }) => phone === one.phone && far === one.far);
    const inCall = this.audio.isLive(one.phone);
    const far = placeOf(one.far, one.farPort);
    if (!others) this.#ended.set(`${one.phone} ${far}`, ended);
    // What nobody ever answered is no state that anybody could be reached by.
    if (!one.answered || one.transport !== 'udp') return;
    const cause = how === 'expired' ? (inCall ? 'state-expired-in-call' : others ? null : 'state-expired') : 'state-taken';
    this.#tell({ at, phone: one.phone, far, call: this.#callOf(one.phone), cause, what: 'state-ended', how, by, ended, inCall });
  }

  /** The phone that a far end reaches by an address and port of the router's, `192.168.1.10:5060`; null where no state leads to one. */
  phoneBehind(place: string, far: string): string | null {
    for (const one of this.signalling.values())
      if (one.phone !== null && placeOf(one.seenAs, one.seenPort) === place && placeOf(one.far, one.farPort) === far)
        return placeOf(one.phone, one.phonePort);
    return null;
  }

  /** Whether an address is a far end of a phone's. */
  isFar(address: string): boolean {
    for (const { phone, far } of this.signalling.values()) if (phone !== null && far === address) return true;
    for (const pair of this.#ended.keys()) if (pair.includes(` ${placeOf(address, null)}:`)) return true;
    return false;
  }
}
