/** `compare`: what changed in SIP between two captures, or between the two sides of one. */
import type { ByteStream, Streaming } from '../host/host.ts';
import type { Comparison } from '../compare/comparison.ts';
import type { ExitCode } from '../survey/survey.ts';
import type { Put } from '../words/english.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { published } from '../words/published.ts';
import { say, Trouble } from '../words/say.ts';

export const USAGE = say(
  'usage-compare',
  `usage: sipalg compare LAN WAN [--json] [--html FILE] [--redact]
       sipalg compare FILE            one capture of both sides (tcpdump -i any)

Compares the messages of SIP in two captures (pcap or pcapng), one taken on the
phone's side of a router and one beyond it, and says field by field what was
changed on the way, by what, and what was lost. - is standard input:

  tcpdump -i any -w - -U | sipalg compare -

--json    everything, for programs
--html    writes a page with the calls as drawings
--redact  also takes out who called whom, and public addresses
Passwords, answers to challenges and keys are never shown.

Exit codes: 0 nothing was changed or lost; 1 something was; 2 trouble: a file
cannot be read, holds no SIP, or the two have no message in common.
`,
);

/** Milliseconds until progress is shown, and between two times. */
const PATIENCE = 2000;
const EVERY = 500;

async function openAll(streaming: Streaming, names: readonly string[], goOn: () => boolean): Promise<ByteStream[]> {
  const streams: ByteStream[] = [];
  for (const name of names) {
    const reading = await streaming.open(name === '-' ? null : name, goOn);
    if (reading.state === 'present') {
      streams.push(reading.value);
      continue;
    }
    for (const stream of streams) stream.close();
    throw new Trouble(
      reading.state === 'absent'
        ? say('compare-no-file', 'there is no file {name}; give the path of a capture (pcap or pcapng), or - for standard input.', { name })
        : say('compare-unread', '{name} could not be read: {because}.', { name, because: reading.because }),
    );
  }
  return streams;
}

/** Says how far it has come, once it takes long. */
function progressOf(
  { progress }: Streaming,
  now: () => number,
  size: number | null,
  put: Put,
): { show(bytes: number, messages: number): void; clear(): void } {
  const began = now();
  let last = began + PATIENCE - EVERY;
  let width = 0;
  const mega = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return {
    show(bytes, messages) {
      const time = now();
      if (progress === undefined || time - last < EVERY) return;
      last = time;
      const line = put(
        size === null
          ? say('compare-progress', '{read} MB read, {messages} messages of SIP', { read: mega(bytes), messages })
          : say('compare-progress-of', '{read} of {size} MB read, {messages} messages of SIP', {
              read: mega(bytes),
              size: mega(size),
              messages,
            }),
      );
      progress(`\r${line.padEnd(width)}`);
      width = line.length;
    },
    clear() {
      if (width > 0) progress?.(`\r${' '.repeat(width)}\r`);
    },
  };
}

export async function comparisonOf(
  names: readonly string[],
  { host }: Doors,
  streaming: Streaming,
  terminal: Terminal,
): Promise<Comparison> {
  const [streams, { Comparing }] = await Promise.all([openAll(streaming, names, terminal.goOn), import('../compare/compare.ts')]);
  const sizes = streams.map(({ size }) => size);
  const progress = progressOf(
    streaming,
    () => host.now(),
    sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + size!, 0),
    terminal.put,
  );
  // It says by itself how far it has come.
  if (streaming.progress !== undefined) terminal.progress?.(null);
  const comparing = new Comparing(
    names.map((name) => (name === '-' ? 'standard input' : name)),
    streaming.latin1 === undefined ? {} : { toText: streaming.latin1 },
  );
  try {
    for (let side = comparing.next(); side !== null; side = comparing.next()) {
      const piece = await streams[side]!.next();
      if (piece === null) comparing.close(side);
      else comparing.push(side, piece);
      const { bytes, messages } = comparing.progress;
      progress.show(bytes, messages);
    }
  } finally {
    for (const stream of streams) stream.close();
    progress.clear();
  }
  const comparison = comparing.end();
  // To stop tcpdump is how a capture from a pipe ends.
  if (terminal.goOn() || names.includes('-')) return comparison;
  const stopped = say('compare-stopped', 'It was stopped before the captures were read to their end: what came later is not in it.');
  return { ...comparison, remarks: [stopped, ...comparison.remarks] };
}

/** @throws Error in a sentence, where a capture cannot be read or the page cannot be written */
export async function compare(doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  if (doors.streaming === undefined) throw new Trouble(say('compare-unable', 'this build cannot read captures.'));
  const names = [given.get('LAN'), given.get('[WAN]')].filter((name) => name !== undefined);
  if (names.length === 2 && names[0] === '-' && names[1] === '-')
    throw new Trouble(say('compare-one-input', 'standard input is one capture; give the other one as a file.'));
  const streaming = await doors.streaming();
  const whole = await comparisonOf(names, doors, streaming, terminal);
  const comparison = given.has('--redact') ? (await import('../compare/redact.ts')).redacted(whole) : whole;
  const page = given.get('--html');
  if (page !== undefined) {
    const html = (await import('./compare-html.ts')).comparisonPage(comparison, doors.surveyor.version, terminal.put);
    await doors.host.write(page.includes('/') ? page : `./${page}`, html);
  }
  if (given.has('--json')) {
    const text = JSON.stringify({ version: doors.surveyor.version, ...published(comparison) }, null, 2);
    terminal.json(`${text.replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)}\n`);
  } else {
    terminal.out((await import('./compare-text.ts')).comparisonText(comparison, terminal.put, terminal.width));
  }
  return comparison.verdict === 'unchanged' ? 0 : comparison.verdict === 'changed' ? 1 : 2;
}
