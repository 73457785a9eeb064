/**
 * The messages of real phones as they pass, by a recorder that is read again and again. Bounded in the kernel (so many messages
 * at each tap, forgotten after some seconds) and here; the bytes of a message go to whoever reads, and are not written down.
 */
import type { Host } from '../../host/host.ts';
import { parseDefaultRoutes } from '../../languages/kernel/routes.ts';
import type { Recording } from '../record/recorded.ts';
import { startRecorder } from '../record/recorder.ts';
import { placesOf, tapsOf } from './places.ts';
import type { Places } from './places.ts';
import { Sightings } from './sightings.ts';
import type { PhoneMessage } from './sightings.ts';
import { say, Trouble } from '../../words/say.ts';

/** Messages at each tap within the time that the kernel keeps them; and that time, in seconds. */
export const MESSAGES = 256;
export const KEPT = 15;
/** Milliseconds after which a reading is late: what is forgotten by then was never read. */
export const READ_WITHIN = 9000;
/** So often a reading asks for everything, counters too, which costs twenty times as much. */
const ALL_EVERY = 20;

export interface PhoneRecording {
  readonly places: Places;
  /** Bytes of each message. */
  readonly bytes: number;
  /** Seconds for which the kernel keeps a message. */
  readonly seconds: number;
  /** What has come since the last reading, in the order of time. @throws Error in a sentence */
  read(): Promise<PhoneMessage[]>;
  /** Messages that were recorded and could not be put together, at the last reading. */
  readonly unclear: number;
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
}

/** Devices that a default route leads through; none where there is no such route. */
export async function wanDevices(host: Host): Promise<Set<string>> {
  const routes = await host.read('/proc/net/route');
  if (routes.state !== 'present') return new Set();
  try {
    return new Set(parseDefaultRoutes(routes.value).map(({ device }) => device));
  } catch {
    return new Set(); // not understood: as if there were none, which the caller says
  }
}

/**
 * @throws CannotRecord where this kernel or nft cannot; Error in a sentence where it is not known which side is which
 */
export async function startPhones(host: Host, { kind, isFar, ports }: PhoneOptions): Promise<PhoneRecording> {
  const places = placesOf(host.addresses(), await wanDevices(host));
  if (places.outside.length === 0) throw new Trouble(say('record-no-route', 'no default route says which device leads to the internet.'));
  if (places.inside.length === 0)
    throw new Trouble(say('record-no-phones', 'no device has a private IPv4 address, so there is no side of phones.'));
  const placed = tapsOf(places, ports);
  const release = await host.read('/proc/sys/kernel/osrelease');
  const kernel = release.state === 'present' ? release.value.trim() : '';
  const options = { messages: MESSAGES, seconds: KEPT, kernel };
  const taps = placed.map(({ tap }) => tap);
  const recorder = await startRecorder(host, kind, taps, options);
  const sightings = new Sightings(placed, KEPT, isFar);
  let readings = 0;
  let cheaply = true;
  let unclear = 0;
  return {
    places,
    // Of one that is longer, whole sixteens.
    bytes: recorder.bytes - (recorder.bytes % 16),
    seconds: KEPT,
    get unclear() {
      return unclear;
    },
    async read() {
      const wantsAll = !cheaply || readings++ % ALL_EVERY === 0;
      const sets = cheaply ? await recorder.glance() : null;
      // Where the sets alone show less than all of the table, this nft lists no elements with them.
      const all = wantsAll || sets === null ? await recorder.read() : null;
      if (all !== null && all.messages.length > 0 && (sets === null || sets.messages.length === 0)) cheaply = false;
      const recording = all ?? (sets as Recording);
      unclear = recording.unclear;
      return sightings.take(recording, host.now());
    },
    close: () => recorder.close(),
  };
}
