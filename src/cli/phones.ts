/** `probe --phones`: the owner's real phones, recorded at both sides of the router and compared. */
import type { Comparison } from '../compare/comparison.ts';
import { say, Trouble } from '../words/say.ts';
import { ComparingPhones } from '../probe/phones/comparing.ts';
import { noteProbe } from '../probe/last.ts';
import { whyNotRecorded } from '../probe/phones/lacking.ts';
import { sipPortsOf } from '../probe/phones/ports.ts';
import { MOST_LACKING } from '../probe/phones/sightings.ts';
import { READ_WITHIN, startPhones } from '../probe/phones/recording.ts';
import type { PhoneRecording } from '../probe/phones/recording.ts';
import type { ExitCode } from '../survey/survey.ts';
import { sightedOf } from '../watch/messages.ts';
import { networkNow } from '../watch/sources.ts';
import { Watching } from '../watch/watching.ts';
import { published } from '../words/published.ts';
import { comparisonText } from './compare-text.ts';
import { foldedText } from './fold.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { intervalsOf, noteIntervals } from './noted-intervals.ts';
import { secondsOf } from './watch.ts';

/** Seconds for which phones are recorded, where nobody says. */
const USUALLY = 300;
/** Milliseconds between two readings at least; one that took long is followed by so many times that of rest. */
const READ_EVERY = 2000;
const REST = 50;
const TURN = 200;

/** Reads until it is time, or somebody wants it to end. What the kernel has is read once more then. */
async function record(
  recording: PhoneRecording,
  doors: Doors,
  seconds: number,
  terminal: Terminal,
  phones: ComparingPhones,
  watching: Watching,
): Promise<void> {
  const { clock } = doors;
  if (clock === undefined) throw new Trouble(say('phones-unable', 'this build cannot wait.'));
  const end = clock.now() + seconds * 1000;
  let due = clock.now();
  const goOn = (): boolean => terminal.goOn() && terminal.isRead?.() !== false;
  for (let isLast = false; !isLast;) {
    terminal.progress?.(
      say('phones-progress', 'recording; {left} s are left, {messages} messages of SIP so far', {
        left: Math.max(0, Math.round((end - clock.now()) / 1000)),
        messages: phones.seen.inside + phones.seen.outside,
      }),
    );
    isLast = !goOn() || clock.now() >= end;
    if (isLast || clock.now() >= due) {
      const began = clock.now();
      const messages = await recording.read(isLast);
      for (const message of messages) phones.take(message);
      watching.read(messages.map(sightedOf));
      due = clock.now() + Math.min(READ_WITHIN, Math.max(READ_EVERY, (clock.now() - began) * REST));
    }
    if (!isLast) await new Promise<void>((resolve) => clock.after(TURN, resolve));
  }
}

/** The devices of both families. */
const devicesText = (four: readonly string[], six: readonly string[]): string => [...new Set([...four, ...six])].join(', ');

/** What compare says of files is said of a recording here. */
function told(comparison: Comparison, recording: PhoneRecording, phones: ComparingPhones, seconds: number): Comparison {
  const { seen, cut, short, segments } = phones;
  const { bytes, places, ports, missed } = recording;
  const [inside, outside] = [devicesText(places.inside, places.inside6), devicesText(places.outside, places.outside6)];
  const remarks = comparison.remarks.filter((remark) => !remark.text.includes('tcpdump'));
  if (cut > 0)
    remarks.push(
      say(
        'phones-cut',
        'Of {messages} of these messages the first {bytes} bytes at most were recorded: what stands behind was not compared.',
        { messages: cut, bytes },
      ),
    );
  if (short > 0)
    remarks.push(
      say(
        'phones-short',
        'Of {messages} of these messages (TCP or IPv6) up to {bytes} bytes at the end were not recorded, and so not compared.',
        { messages: short, bytes: MOST_LACKING },
      ),
    );
  if (segments > 0)
    remarks.push(
      say(
        'phones-segments',
        '{messages} of these messages came over TCP: of each its first segment was recorded, and what stands behind was not compared.',
        { messages: segments },
      ),
    );
  if (missed > 0)
    remarks.push(
      say(
        'phones-missed',
        '{packets} more packets of SIP passed and were not recorded in time: there was no room, or another program kept this one waiting.',
        { packets: missed },
      ),
    );
  if (places.outside6.length === 0)
    remarks.push(
      say('phones-no-ipv6', 'No default route of IPv6 leads out of this router from a network behind it: IPv6 was not recorded.'),
    );
  const none =
    seen.inside + seen.outside === 0
      ? say(
          'phones-none-spoke',
          'No phone spoke SIP within {seconds} s, neither at {inside} nor at {outside}, by the ports {ports}. '
            + 'Let one register or call meanwhile; what goes over TLS or another port is not recorded.',
          { seconds, inside, outside, ports: ports.map(String) },
        )
      : seen.outside === 0
        ? say(
            'phones-inside-alone',
            '{messages} messages were recorded at {inside} and none at {outside}: '
              + 'they do not leave the router there, or all of them are dropped.',
            { messages: seen.inside, inside, outside },
          )
        : seen.inside === 0
          ? say(
              'phones-outside-alone',
              '{messages} messages were recorded at {outside} and none at {inside}: '
                + 'they are of the router itself, or of strangers on the internet.',
              { messages: seen.outside, inside, outside },
            )
          : null;
  return none === null ? { ...comparison, remarks } : { ...comparison, summary: none, remarks };
}

/** @throws Error in a sentence, where nothing can be recorded */
export async function phones(doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  const { host, surveyor } = doors;
  const seconds = secondsOf(given) ?? USUALLY;
  const json = given.has('--json');
  const { put } = terminal;
  const network = await networkNow(host);
  let recording: PhoneRecording;
  try {
    const ports = sipPortsOf(await surveyor.look(host));
    recording = await startPhones(host, { kind: 'phones', isFar: (address) => !network.isLocal(address), ports });
  } catch (error) {
    throw new Trouble(await whyNotRecorded(host, error as Error));
  }
  const { places, ports, bytes, seconds: kept } = recording;
  const [inside, outside] = [devicesText(places.inside, places.inside6), devicesText(places.outside, places.outside6)];
  const compared = new ComparingPhones([inside, outside]);
  if (!json)
    terminal.out(
      `${foldedText(
        put(
          say(
            'phones-records',
            'Recording SIP (UDP and TCP, ports {ports}) at {inside} and {outside} for {seconds} s: '
              + 'let a phone register and call now; Ctrl-C ends it earlier.\n'
              + 'Of each message the first {bytes} bytes are kept for {kept} s in the kernel; nothing leaves this router.',
            { ports: ports.map(String), inside, outside, seconds, bytes, kept },
          ),
        ),
        terminal.width,
      )}\n\n`,
    );
  // What is told of calls is `watch`'s; here it is who is registered, and for how long.
  const began = host.now();
  const watching = new Watching({ network, began, tell: () => undefined });
  const left: string[] = [];
  try {
    await record(recording, doors, seconds, terminal, compared, watching);
  } finally {
    left.push(...(await recording.close()));
    for (const text of left) terminal.err(`sipalg: ${put(undefined, text)}\n`);
  }
  watching.read([]); // what still waits for its request
  const registrations = watching.dialogs.registrations.all();
  const unnoted = await noteIntervals(host, intervalsOf({ registrations, spoken: [] }, 'probe --phones'));
  if (unnoted !== null) terminal.err(`sipalg: ${put(unnoted)}\n`);
  const comparison = told(compared.end(), recording, compared, Math.round((host.now() - began) / 1000));
  if (json) {
    const document = {
      version: surveyor.version,
      recorded: {
        places,
        ports,
        bytes,
        seconds: (host.now() - began) / 1000,
        ...compared.seen,
        segments: compared.segments,
        missed: recording.missed,
        unclear: recording.unclear,
        registrations,
      },
      ...published(comparison),
    };
    terminal.json(`${JSON.stringify(document, null, 2).replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)}\n`);
  } else terminal.out(comparisonText(comparison, put, terminal.width));
  const code: ExitCode = left.length > 0 ? 2 : comparison.verdict === 'unchanged' ? 0 : comparison.verdict === 'changed' ? 1 : 2;
  const { changed, dropped, pairs } = comparison.counts;
  const complain = (text: string): void => terminal.err(`sipalg: ${text}\n`);
  await noteProbe(host, complain, 'phones', code, pairs + dropped, changed + dropped);
  return code;
}
