/** `probe --phones`: the owner's real phones, recorded at both sides of the router and compared. */
import type { Comparison } from '../compare/comparison.ts';
import { say, Trouble } from '../words/say.ts';
import { ComparingPhones } from '../probe/phones/comparing.ts';
import { noteProbe } from '../probe/last.ts';
import { whyNotRecorded } from '../probe/phones/lacking.ts';
import { READ_WITHIN, startPhones } from '../probe/phones/recording.ts';
import type { PhoneRecording } from '../probe/phones/recording.ts';
import type { ExitCode } from '../survey/survey.ts';
import { isFarNow } from '../watch/sources.ts';
import { published } from '../words/published.ts';
import { comparisonText } from './compare-text.ts';
import { foldedText } from './fold.ts';
import type { Doors, Given, Terminal } from './command.ts';
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
      for (const message of await recording.read()) phones.take(message);
      due = clock.now() + Math.min(READ_WITHIN, Math.max(READ_EVERY, (clock.now() - began) * REST));
    }
    if (!isLast) await new Promise<void>((resolve) => clock.after(TURN, resolve));
  }
}

/** What compare says of files is said of a recording here. */
function told(comparison: Comparison, { bytes, places }: PhoneRecording, { seen, cut }: ComparingPhones, seconds: number): Comparison {
  const [inside, outside] = [places.inside.join(', '), places.outside.join(', ')];
  const remarks = comparison.remarks.filter((remark) => !remark.text.includes('tcpdump'));
  if (cut > 0)
    remarks.push(
      say(
        'phones-cut',
        'Of {messages} of these messages the first {bytes} bytes alone were recorded, as this kernel lets it: '
          + 'what stands behind was not compared.',
        { messages: cut, bytes },
      ),
    );
  const none =
    seen.inside + seen.outside === 0
      ? say(
          'recorded-none',
          'No phone spoke SIP over UDP at port 5060 within {seconds} s, neither at {inside} nor at {outside}. '
            + 'Let one register or call meanwhile; what goes over TCP, TLS or another port is not recorded.',
          { seconds, inside, outside },
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
  let recording: PhoneRecording;
  try {
    recording = await startPhones(host, { kind: 'phones', isFar: await isFarNow(host) });
  } catch (error) {
    throw new Trouble(await whyNotRecorded(host, error as Error));
  }
  const { places, bytes, seconds: kept } = recording;
  const compared = new ComparingPhones([places.inside.join(', '), places.outside.join(', ')]);
  if (!json)
    terminal.out(
      `${foldedText(
        put(
          say(
            'phones-recording',
            'Recording SIP at {inside} and {outside} for {seconds} s: let a phone register and call now; Ctrl-C ends it earlier.\n'
              + 'Of each message the first {bytes} bytes are kept for {kept} s in the kernel; nothing leaves this router.',
            { inside: places.inside.join(', '), outside: places.outside.join(', '), seconds, bytes, kept },
          ),
        ),
        terminal.width,
      )}\n\n`,
    );
  const began = host.now();
  const left: string[] = [];
  try {
    await record(recording, doors, seconds, terminal, compared);
  } finally {
    left.push(...(await recording.close()));
    for (const text of left) terminal.err(`sipalg: ${put(undefined, text)}\n`);
  }
  const comparison = told(compared.end(), recording, compared, Math.round((host.now() - began) / 1000));
  if (json) {
    const document = {
      version: surveyor.version,
      recorded: { places, bytes, seconds: (host.now() - began) / 1000, ...compared.seen },
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
