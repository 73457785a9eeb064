/** Sends the messages of phones, as they pass at both sides of this router, to a Homer server: beside `watch`, and resident. */
import { putLine } from '../words/english.ts';
import { say, saidBy, textOf, Trouble } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
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
async function begin(doors: Doors, remark: (said: Line) => void): Promise<Source> {
  const { host } = doors;
  const isFar = await isFarNow(host);
  const release = await host.read('/proc/sys/kernel/osrelease');
  const bytes = recordable(release.state === 'present' ? release.value.trim() : '');
  if (bytes < WIDE) {
    const tool = await host.run(['tcpdump', '--version']);
    if (tool.state === 'exited' && doors.following !== undefined) return startDump(host, await doors.following(), isFar);
    remark(
      say(
        'hep-cut',
        'this kernel records the first {bytes} bytes of a message alone, and those without a Call-ID in them are not sent; '
          + 'install tcpdump (`apk add tcpdump-mini`) to have whole ones sent.',
        { bytes },
      ),
    );
  }
  try {
    return await startPhones(host, { kind: 'hep', isFar });
  } catch (error) {
    throw new Trouble(await whyNotRecorded(host, error as Error));
  }
}

/** Reads what was recorded and sends it, again and again. */
export class Hep {
  readonly #doors: Doors;
  readonly #sender: HepSender;
  readonly #remark: (said: Line) => void;
  #source: Source | null = null;
  /** Of recordings that are over. */
  #missed = 0;
  #said = '';

  private constructor(doors: Doors, sender: HepSender, remark: (said: Line) => void) {
    this.#doors = doors;
    this.#sender = sender;
    this.#remark = remark;
  }

  /** @throws Error in a sentence where the configuration names no server */
  static async from(doors: Doors, remark: (said: Line) => void): Promise<Hep> {
    const { host, clock } = doors;
    if (doors.network === undefined || clock === undefined)
      throw new Trouble(say('hep-no-network', 'this build has no way to other hosts.'));
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
      this.#once(
        say('hep-no-record', 'no messages can be sent to the Homer server: {error} It is tried again each minute.', {
          error: saidBy(error as Error),
        }),
      );
      return AGAIN;
    }
    const took = now() - began;
    // Names and a server that is slow do not hold up the next reading.
    void this.#sender.flush();
    return Math.min(READ_WITHIN, Math.max(READ_EVERY, took * REST));
  }

  readonly #once = (said: Line): void => {
    const text = textOf(said);
    if (text !== this.#said) this.#remark(said);
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

/** What became of the messages. */
export function sentSaid(server: string, { sent, cut, unread, missed, overflowed, oversized, failed, waiting }: Sent): Said {
  const lost = [
    [overflowed, say('hep-overflowed', '{count} for too many waited', { count: overflowed })],
    [oversized, say('hep-oversized', '{count} too large for a datagram', { count: oversized })],
    [failed, say('hep-failed', '{count} refused by the network', { count: failed })],
    [missed, say('hep-missed', '{count} not recorded in time', { count: missed })],
    [unread, say('hep-unnamed', '{count} without a Call-ID in what was recorded', { count: unread })],
    [waiting, say('hep-waiting', '{count} still waiting', { count: waiting })],
  ] as const;
  const parts = lost.flatMap(([count, said]) => (count > 0 ? [said] : []));
  const values = { server, sent, cut };
  const whole =
    cut === 0
      ? say('hep-sent', 'Sent to the Homer server {server}: {sent} {sent:message|messages}', values)
      : say('hep-sent-cut', 'Sent to the Homer server {server}: {sent} {sent:message|messages}, {cut} of them without their end', values);
  return parts.length === 0
    ? say('hep-none-lost', '{sent}; none was lost.', { sent: whole })
    : say('hep-lost', '{sent}; not sent: {parts}.', { sent: whole, parts });
}

/**
 * Stays, for /etc/init.d/sipalg-hep, until it is told to end; then it sends what it has.
 * @throws Error in a sentence where the configuration names no server
 */
export async function sendMessages(doors: Doors, terminal: Terminal): Promise<ExitCode> {
  const { host, clock } = doors;
  if (clock === undefined) throw new Trouble(say('hep-no-clock', 'this build cannot wait.'));
  const hep = await Hep.from(doors, (said) => terminal.err(`sipalg: ${putLine(terminal.put, said)}\n`));
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
  terminal.out(`${terminal.put(sentSaid(hep.server, hep.counts))}\n`);
  return 0;
}
