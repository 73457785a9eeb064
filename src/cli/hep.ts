/** Sends the messages of phones, as they pass at both sides of this router, to a Homer server: beside `watch`, and resident. */
import { putLine } from '../words/english.ts';
import { say, Trouble } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import { writeSent } from '../hep/record.ts';
import { HepSender } from '../hep/sender.ts';
import type { Sent } from '../hep/sender.ts';
import { hepWish } from '../hep/wish.ts';
import type { PhoneMessage } from '../probe/phones/sightings.ts';
import { namesOf } from '../probe/provider/here.ts';
import type { ExitCode } from '../survey/survey.ts';
import type { Doors, Terminal } from './command.ts';
import { PhoneReader, sipPortsNow } from './phone-reader.ts';

/** Milliseconds between two attempts to send what waits. */
const SEND_EVERY = 3000;
/** Between two writings of the counts, at least. */
const TOLD_EVERY = 10_000;
/** Between two questions whether to go on. */
const TURN = 1000;

/** Hands messages that somebody reads to a sender. */
export class Hep {
  readonly #sender: HepSender;

  private constructor(sender: HepSender) {
    this.#sender = sender;
  }

  /** @throws Error in a sentence where the configuration names no server */
  static async from(doors: Doors, remark: (said: Line) => void): Promise<Hep> {
    const { host, clock } = doors;
    if (doors.network === undefined || clock === undefined)
      throw new Trouble(say('hep-no-network', 'this build has no way to other hosts.'));
    const network = await doors.network();
    return new Hep(new HepSender({ host, network, clock, names: () => namesOf(host, network) }, await hepWish(host), remark));
  }

  get server(): string {
    return this.#sender.server;
  }

  get counts(): Sent {
    return this.#sender.counts;
  }

  /** @param missed messages that were not read, in all */
  take(messages: readonly PhoneMessage[], missed: number): void {
    this.#sender.take(messages);
    this.#sender.missed = missed;
  }

  /** Never throws. @returns milliseconds until it is wanted again */
  async run(): Promise<number> {
    // Names and a server that is slow do not hold up the next reading.
    void this.#sender.flush();
    return SEND_EVERY;
  }

  /** What waits is sent. @param missed as `take` has it */
  async close(missed: number): Promise<void> {
    this.#sender.missed = missed;
    await this.#sender.close();
  }
}

/** Why nothing is sent, where nothing is recorded. */
export const unrecordedSaid = (error: Line): Said =>
  say('hep-no-record', 'no messages can be sent to the Homer server: {error} It is tried again each minute.', { error });

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
  const remark = (said: Line): void => terminal.err(`sipalg: ${putLine(terminal.put, said)}\n`);
  const hep = await Hep.from(doors, remark);
  const reader: PhoneReader = new PhoneReader(doors, {
    kind: 'hep',
    ports: await sipPortsNow(doors, remark),
    whole: true,
    remark,
    trouble: unrecordedSaid,
    take: (messages) => hep.take(messages, reader.missed),
  });
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
    if (clock.now() >= due) {
      due = clock.now() + (await reader.run());
      await hep.run();
    }
    if (clock.now() - toldAt >= TOLD_EVERY) await tell();
    await new Promise<void>((resolve) => clock.after(TURN, resolve));
  }
  await reader.end();
  await hep.close(reader.missed);
  await tell();
  terminal.out(`${terminal.put(sentSaid(hep.server, hep.counts))}\n`);
  return 0;
}
