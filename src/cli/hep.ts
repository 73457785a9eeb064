/** Sends the messages of phones, as they pass at both sides of this router, to a Homer server: beside `watch`, and resident. */
import { writeSent } from '../hep/record.ts';
import { HepSender } from '../hep/sender.ts';
import type { Sent } from '../hep/sender.ts';
import { hepWish } from '../hep/wish.ts';
import { EVERY, startDump } from '../probe/phones/dumped.ts';
import { whyNotRecorded } from '../probe/phones/lacking.ts';
import { READ_WITHIN, startPhones } from '../probe/phones/recording.ts';
import type { PhoneRecording } from '../probe/phones/recording.ts';
import { namesOf } from '../probe/provider/here.ts';
import { recordable, WIDE } from '../probe/record/taps.ts';
import type { ExitCode } from '../survey/survey.ts';
import { isFarNow } from '../watch/sources.ts';
import type { Doors, Terminal } from './command.ts';

/** Milliseconds between two readings at least; one that took long is followed by so many times that of rest: half a percent of a core. */
const READ_EVERY = 3000;
const REST = 200;
/** Until a recording that could not be begun is tried again. */
const AGAIN = 60_000;
/** Between two writings of the counts, at least. */
const TOLD_EVERY = 10_000;
/** Between two questions whether to go on. */
const TURN = 1000;

type Source = Pick<PhoneRecording, 'read' | 'close'> & { readonly missed?: number };

/** Where the messages come from: whole ones, as long as this kernel or tcpdump gives them. */
async function begin(doors: Doors, remark: (text: string) => void): Promise<Source> {
  const { host } = doors;
  const isFar = await isFarNow(host);
  const release = await host.read('/proc/sys/kernel/osrelease');
  const bytes = recordable(release.state === 'present' ? release.value.trim() : '');
  if (bytes < WIDE) {
    const tool = await host.run(['tcpdump', '--version']);
    if (tool.state === 'exited' && doors.following !== undefined) return startDump(host, await doors.following(), isFar);
    remark(
      `this kernel records the first ${bytes} bytes of a message alone, and those without a Call-ID in them are not sent; `
        + 'install tcpdump (`apk add tcpdump-mini`) to have whole ones sent.',
    );
  }
  try {
    return await startPhones(host, { kind: 'hep', isFar });
  } catch (error) {
    throw new Error(await whyNotRecorded(host, error as Error));
  }
}

/** Reads what was recorded and sends it, again and again. */
export class Hep {
  readonly #doors: Doors;
  readonly #sender: HepSender;
  readonly #remark: (text: string) => void;
  #source: Source | null = null;
  /** Of recordings that are over. */
  #missed = 0;
  #said = '';

  private constructor(doors: Doors, sender: HepSender, remark: (text: string) => void) {
    this.#doors = doors;
    this.#sender = sender;
    this.#remark = remark;
  }

  /** @throws Error in a sentence where the configuration names no server */
  static async from(doors: Doors, remark: (text: string) => void): Promise<Hep> {
    const { host, clock } = doors;
    if (doors.network === undefined || clock === undefined) throw new Error('this build has no way to other hosts.');
    const network = await doors.network();
    const sender = new HepSender({ host, network, clock, names: () => namesOf(host, network) }, await hepWish(host), remark);
    return new Hep(doors, sender, remark);
  }

  get server(): string {
    return this.#sender.server;
  }

  get counts(): Sent {
    return this.#sender.counts;
  }

  /** Reads once. Never throws. @returns milliseconds until it is wanted again */
  async run(): Promise<number> {
    const now = (): number => this.#doors.clock?.now() ?? 0;
    const began = now();
    try {
      this.#source ??= await begin(this.#doors, this.#once);
      this.#sender.take(await this.#source.read());
      this.#sender.missed = this.#missed + (this.#source.missed ?? 0);
    } catch (error) {
      await this.#end();
      this.#once(`no messages can be sent to the Homer server: ${(error as Error).message} It is tried again each minute.`);
      return AGAIN;
    }
    const took = now() - began;
    // Names and a server that is slow do not hold up the next reading.
    void this.#sender.flush();
    return Math.min(READ_WITHIN, Math.max(READ_EVERY, took * REST));
  }

  readonly #once = (text: string): void => {
    if (text !== this.#said) this.#remark(text);
    this.#said = text;
  };

  async #end(): Promise<void> {
    const source = this.#source;
    this.#source = null;
    this.#missed += source?.missed ?? 0;
    for (const left of (await source?.close()) ?? []) this.#remark(left);
  }

  /** What passed until now is sent. @returns what became of all */
  async close(): Promise<Sent> {
    if (this.#source !== null) {
      // What has just passed is on its way through a pipe, if it is tcpdump that tells.
      await new Promise<void>((resolve) => this.#doors.clock?.after(2 * EVERY, resolve));
      await this.run();
    }
    await this.#end();
    await this.#sender.close();
    return this.#sender.counts;
  }
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What became of the messages, in a sentence. */
export function sentText(server: string, { sent, cut, unread, missed, overflowed, oversized, failed, waiting }: Sent): string {
  const lost = [
    [overflowed, 'for too many waited'],
    [oversized, 'too large for a datagram'],
    [failed, 'refused by the network'],
    [missed, 'not recorded in time'],
    [unread, 'without a Call-ID in what was recorded'],
    [waiting, 'still waiting'],
  ] as const;
  const parts = lost.filter(([count]) => count > 0).map(([count, why]) => `${count} ${why}`);
  return (
    `Sent to the Homer server ${server}: ${plural(sent, 'message')}${cut > 0 ? ` (${cut} without their end)` : ''}; `
    + `${parts.length === 0 ? 'none was lost' : `not sent: ${parts.join(', ')}`}.\n`
  );
}

/**
 * Stays, for /etc/init.d/sipalg-hep, until it is told to end; then it sends what it has.
 * @throws Error in a sentence where the configuration names no server
 */
export async function sendMessages(doors: Doors, terminal: Terminal): Promise<ExitCode> {
  const { host, clock } = doors;
  if (clock === undefined) throw new Error('this build cannot wait.');
  const hep = await Hep.from(doors, (text) => terminal.err(`sipalg: ${text}\n`));
  let due = clock.now();
  let told = '';
  let toldAt = -Infinity;
  const tell = async (): Promise<void> => {
    const text = JSON.stringify(hep.counts);
    if (text === told) return;
    told = text;
    toldAt = clock.now();
    // Metrics that cannot be written keep nothing from being sent.
    await writeSent(host, hep.counts).catch((error: Error) => terminal.err(`sipalg: ${error.message}\n`));
  };
  while (terminal.goOn()) {
    if (clock.now() >= due) due = clock.now() + (await hep.run());
    if (clock.now() - toldAt >= TOLD_EVERY) await tell();
    await new Promise<void>((resolve) => clock.after(TURN, resolve));
  }
  await hep.close();
  await tell();
  terminal.out(sentText(hep.server, hep.counts));
  return 0;
}
