/** Reads the messages of phones as they are recorded, for all of a program who want them: one recording, and one reader of it. */
import type { Host } from '../host/host.ts';
import { EVERY, startDump } from '../probe/phones/dumped.ts';
import { whyNotRecorded } from '../probe/phones/lacking.ts';
import { SIP_PORTS, sipPortsOf } from '../probe/phones/ports.ts';
import { READ_WITHIN, startPhones } from '../probe/phones/recording.ts';
import type { PhoneRecording } from '../probe/phones/recording.ts';
import type { PhoneMessage } from '../probe/phones/sightings.ts';
import { CannotRecord } from '../probe/record/recorder.ts';
import { recordable, WIDE } from '../probe/record/taps.ts';
import { isFarNow } from '../watch/sources.ts';
import { say, saidBy, textOf } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import type { Doors } from './command.ts';
import { resting } from './resting.ts';

/** Milliseconds between two readings at least. */
const READ_EVERY = 3000;
/** Until a recording that could not be begun is tried again. */
const AGAIN = 60_000;

type Source = Pick<PhoneRecording, 'read' | 'close'> & { readonly missed: number; readonly listed?: boolean };

/** The ports that count as SIP's here; where that could not be looked up the usual ones, and why is remarked. */
export async function sipPortsNow({ host, surveyor }: Doors, remark: (said: Line) => void): Promise<readonly number[]> {
  try {
    return sipPortsOf(await surveyor.look(host));
  } catch (error) {
    remark(
      say('ports-unread', '{error} So only the ports {ports} count as those of SIP.', {
        error: saidBy(error as Error),
        ports: SIP_PORTS.map(String),
      }),
    );
    return SIP_PORTS;
  }
}

export interface ReaderOptions {
  /** Names the tables. */
  readonly kind: 'watch' | 'hep';
  readonly ports: readonly number[];
  /** Messages are wanted whole: by tcpdump, if this kernel's recorder gets their beginnings alone. */
  readonly whole: boolean;
  readonly remark: (said: Line) => void;
  /** Why nothing is recorded, as its user says it. */
  readonly trouble?: (why: Line) => Line;
  readonly take: (messages: readonly PhoneMessage[]) => void;
}

export class PhoneReader {
  readonly #doors: Doors;
  readonly #options: ReaderOptions;
  readonly #now: () => number;
  readonly #afterCounts: ReturnType<typeof resting>;
  readonly #afterLists: ReturnType<typeof resting>;
  #source: Source | null = null;
  /** Of recordings that are over. */
  #missed = 0;
  #said = '';
  #gaveUp = false;

  constructor(doors: Doors, options: ReaderOptions) {
    this.#doors = doors;
    this.#options = options;
    this.#now = () => doors.clock?.now() ?? 0;
    this.#afterCounts = resting(READ_EVERY, READ_WITHIN);
    this.#afterLists = resting(READ_EVERY, READ_WITHIN);
  }

  get isOn(): boolean {
    return this.#source !== null;
  }

  /** Whether it has ever been. */
  hasRecorded = false;

  /** Messages that passed and were not recorded, or not read in time. */
  get missed(): number {
    return this.#missed + (this.#source?.missed ?? 0);
  }

  /** Begins, if that is to be before the first reading. Why nothing can be recorded is said once. */
  async begin(): Promise<void> {
    const { host } = this.#doors;
    try {
      this.#source = await this.#begun(host);
      this.hasRecorded = true;
      this.#said = '';
    } catch (error) {
      // What has to be installed first is not tried again and again, unless that is all there is to do.
      this.#gaveUp = error instanceof CannotRecord && error.lacks !== 'other' && this.#options.kind === 'watch';
      const why = await whyNotRecorded(host, error as Error);
      this.#once(this.#options.trouble?.(why) ?? why);
    }
  }

  async #begun(host: Host): Promise<Source> {
    const { kind, ports, whole, remark } = this.#options;
    const isFar = await isFarNow(host);
    const release = await host.read('/proc/sys/kernel/osrelease');
    const bytes = recordable(release.state === 'present' ? release.value.trim() : '');
    if (whole && bytes < WIDE) {
      const tool = await host.run(['tcpdump', '--version']);
      if (tool.state === 'exited' && this.#doors.following !== undefined)
        return startDump(host, await this.#doors.following(), isFar, ports);
      remark(
        say(
          'hep-cut',
          'this kernel records the first {bytes} bytes of a message alone, and those without a Call-ID in them are not sent; '
            + 'install tcpdump (`apk add tcpdump-mini`) to have whole ones sent.',
          { bytes },
        ),
      );
    }
    return startPhones(host, { kind, isFar, ports, exact: whole });
  }

  /** Reads once; a table that somebody has flushed is made again. Never throws. @returns milliseconds until it is wanted again */
  async run(last = false): Promise<number> {
    if (this.#gaveUp) return AGAIN;
    if (this.#source === null) {
      await this.begin();
      return this.isOn ? READ_EVERY : AGAIN;
    }
    const began = this.#now();
    try {
      this.#options.take(await this.#source.read(last));
    } catch (error) {
      await this.#close();
      this.#once(say('watch-made-again', '{error} It is made again.', { error: saidBy(error as Error) }));
      return READ_EVERY;
    }
    return (this.#source.listed === false ? this.#afterCounts : this.#afterLists).rest(this.#now() - began);
  }

  readonly #once = (said: Said | Line): void => {
    const text = textOf(said);
    if (text !== this.#said) this.#options.remark(said);
    this.#said = text;
  };

  async #close(): Promise<void> {
    const source = this.#source;
    this.#source = null;
    const left = (await source?.close()) ?? [];
    this.#missed += source?.missed ?? 0;
    for (const one of left) this.#options.remark(one);
  }

  /** What has passed until now is read, and all is taken away. */
  async end(): Promise<void> {
    if (this.#source === null) return;
    // What has just passed is on its way through a pipe, if it is tcpdump that tells.
    if (this.#source.listed === undefined) await new Promise<void>((resolve) => this.#doors.clock?.after(2 * EVERY, resolve));
    await this.run(true);
    await this.#close();
  }
}
