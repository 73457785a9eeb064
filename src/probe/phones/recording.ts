/**
 * The messages of real phones as they pass, by a recorder that is read again and again. Bounded in the kernel (so many messages
 * at each tap, forgotten after some seconds) and here; the bytes of a message go to whoever reads, and are not written down.
 */
import type { Host } from '../../host/host.ts';
import type { Head } from '../record/recorded.ts';
import { startRecorder } from '../record/recorder.ts';
import { CHUNK } from '../record/taps.ts';
import { placesOf, tapsOf } from './places.ts';
import type { Places } from './places.ts';
import { SIP_PORTS } from './ports.ts';
import { Sightings } from './sightings.ts';
import type { PhoneMessage } from './sightings.ts';
import { waysOut } from './ways-out.ts';
import { say, Trouble } from '../../words/say.ts';

/** Messages at each tap within the time that the kernel keeps them; and that time, in seconds. */
export const MESSAGES = 256;
export const KEPT = 15;
/** Milliseconds after which a reading is late: what is forgotten by then was never read. */
export const READ_WITHIN = 9000;
/** So many lists of sets in a row have to be empty while the whole table is not, and this nft lists none that way. */
const EMPTY = 2;

export interface PhoneRecording {
  readonly places: Places;
  /** Bytes of each message. */
  readonly bytes: number;
  /** Seconds for which the kernel keeps a message. */
  readonly seconds: number;
  readonly ports: readonly number[];
  /**
   * What has come since the last reading, in the order of time. Counters are asked first, and only what has moved is listed.
   * @param last nothing is left for another reading
   * @throws Error in a sentence
   */
  read(last?: boolean): Promise<PhoneMessage[]>;
  /** Whether the last reading has listed messages, which is what costs. */
  readonly listed: boolean;
  /** Messages that were recorded and could not be put together, at the last reading. */
  readonly unclear: number;
  /** Packets for which there was no room, or that were forgotten before they were read. */
  readonly missed: number;
  /** @returns what could not be taken away, in sentences */
  close(): Promise<string[]>;
}

export interface PhoneOptions {
  /** Names the table: lower case letters. */
  readonly kind: string;
  /** Whether an address is beyond this router. */
  readonly isFar: (address: string) => boolean;
  /** Ports of SIP, of either end. */
  readonly ports?: readonly number[];
  /** Whether the last three bytes matter, which cost four times as many rules. Default: true. */
  readonly exact?: boolean;
}

/**
 * @throws CannotRecord where this kernel or nft cannot; Error in a sentence where it is not known which side is which
 */
export async function startPhones(host: Host, { kind, isFar, ports = SIP_PORTS, exact = true }: PhoneOptions): Promise<PhoneRecording> {
  const places = placesOf(host.addresses(), await waysOut(host));
  if (places.outside.length === 0) throw new Trouble(say('record-no-route', 'no default route says which device leads to the internet.'));
  if (places.inside.length === 0)
    throw new Trouble(say('record-no-phones', 'no device has a private IPv4 address, so there is no side of phones.'));
  const placed = tapsOf(places, ports, exact);
  const release = await host.read('/proc/sys/kernel/osrelease');
  const kernel = release.state === 'present' ? release.value.trim() : '';
  const options = { messages: MESSAGES, seconds: KEPT, kernel };
  const taps = placed.map(({ tap }) => tap);
  const recorder = await startRecorder(host, kind, taps, options);
  const sightings = new Sightings(placed, KEPT, isFar);
  const parts = [...new Set(placed.map(({ tap }) => tap.part ?? ''))];
  /** Of each part until when it is listed, though nothing more comes: one listing may miss what the next one shows. */
  const listedUntil = new Map<string, number>();
  const counted = new Map<string, number>();
  let cheaply = true;
  let empty = 0;
  let confirmed = false;
  let unclear = 0;
  let listed = false;

  const isPending = (part: string, at: number): boolean =>
    at < (listedUntil.get(part) ?? 0) && placed.some(({ tap }) => tap.part === part && sightings.outstanding(tap.name) > 0);

  /** The parts of which there is something to list. */
  function moved(counts: ReadonlyMap<string, number> | null, at: number): Set<string> {
    if (counts === null) return new Set(parts);
    for (const { tap } of placed) {
      const count = counts.get(tap.name) ?? 0;
      if (count > (counted.get(tap.name) ?? 0)) listedUntil.set(tap.part ?? '', at + KEPT * 1000);
      counted.set(tap.name, count);
    }
    sightings.take({ messages: [], packets: counts }, at);
    return new Set(parts.filter((part) => isPending(part, at)));
  }

  /** Of each part how many packets a listing did not show, when it was asked for again last. */
  const lacked = new Map<string, number>();

  /**
   * Lists, and once more where a listing has not shown all that is counted: the kernel's walk over a set that changes its size passes
   * elements by, and what is told in the next reading comes too late for its place in a story.
   */
  async function listAll(wanted: ReadonlySet<string>): Promise<PhoneMessage[]> {
    const messages = await list(wanted);
    const lacks = [...wanted].filter((part) => {
      const count = placed.reduce((sum, { tap }) => sum + (tap.part === part ? sightings.outstanding(tap.name) : 0), 0);
      const isNews = count > 0 && count !== (lacked.get(part) ?? 0);
      lacked.set(part, count);
      return isNews;
    });
    if (lacks.length > 0) messages.push(...(await list(new Set(lacks))));
    return messages.sort((one, other) => one.at - other.at);
  }

  async function list(wanted: ReadonlySet<string>): Promise<PhoneMessage[]> {
    let at: number | null = null;
    const isKnown = (head: Head): boolean => sightings.isKnown(head, (at ??= host.now()));
    const asked = { parts: wanted, isKnown };
    let recording = cheaply ? await recorder.glance(asked) : null;
    if (recording === null || (!confirmed && recording.messages.length === 0)) {
      at = null;
      const all = await recorder.read(asked);
      // Where the sets alone show less than all of the table, this nft lists no elements with them.
      if (all.messages.length > 0 && (recording === null || ++empty >= EMPTY)) cheaply = false;
      recording = all;
    } else if (recording.messages.length > 0) confirmed = true;
    unclear = recording.unclear;
    const { messages, packets } = recording;
    // A list of sets has no counters, and those that are read by themselves begin anew each time.
    return sightings.take({ messages, packets: counted.size === 0 ? packets : new Map() }, at ?? host.now());
  }

  return {
    places,
    ports,
    // Of one that is longer, whole chunks.
    bytes: recorder.bytes - (recorder.bytes % CHUNK),
    seconds: KEPT,
    get unclear() {
      return unclear;
    },
    get listed() {
      return listed;
    },
    get missed() {
      const at = host.now();
      return placed.reduce((sum, { tap }) => sum + (isPending(tap.part ?? '', at) ? 0 : sightings.outstanding(tap.name)), 0);
    },
    async read(last = false) {
      const wanted = moved(await recorder.counted(), host.now());
      listed = wanted.size > 0;
      const messages = listed ? await listAll(wanted) : [];
      if (!last) return messages;
      const still = parts.filter((part) => isPending(part, host.now()));
      if (still.length > 0) messages.push(...(await list(new Set(still))));
      listedUntil.clear();
      return messages.sort((one, other) => one.at - other.at);
    },
    close: () => recorder.close(),
  };
}
