/** `sipalg status --from -` of many routers: one saved document a line in, one verdict a line out. */
import type { ByteStream, Streaming, Thread } from '../host/host.ts';
import { decode } from '../host/text.ts';
import { textWith } from '../fleet/input.ts';
import { linesOf } from '../fleet/lines.ts';
import type { Line } from '../fleet/lines.ts';
import { answersTo, judgeLines, MOST_LINE } from '../fleet/verdicts.ts';
import type { Answers } from '../fleet/verdicts.ts';
import type { ExitCode } from '../survey/survey.ts';
import { say, Trouble } from '../words/say.ts';
import type { Doors, Terminal } from './command.ts';

/** More threads than these make the one that reads and writes wait. */
const MOST_THREADS = 8;

/**
 * Answers every line of a stream, on as many processors as there are.
 * @param out takes a whole number of lines, in their order
 * @throws Error in a sentence, where the stream breaks off or a person stops it
 */
export async function answerLines(
  doors: Doors,
  textOf: (bytes: Uint8Array) => string,
  stream: ByteStream,
  terminal: Pick<Terminal, 'goOn'>,
  out: (text: string) => void,
): Promise<ExitCode> {
  const started: Thread[] = [];
  const others = async (): Promise<((lines: Line[]) => Promise<Answers>)[]> => {
    const threads = await doors.threads?.();
    if (threads === undefined || threads.processors < 2) return [];
    for (let nth = 0; nth < Math.min(threads.processors, MOST_THREADS); nth++) started.push(threads.start(['judge-lines']));
    return started.map((thread) => (lines) => thread.ask(lines) as Promise<Answers>);
  };
  try {
    const exit = await judgeLines(
      linesOf(() => stream.next(), MOST_LINE),
      (lines) => answersTo(doors.surveyor, lines, textOf),
      others,
      out,
    );
    if (!terminal.goOn())
      throw new Trouble(say('fleet-stopped', 'stopped before the end of the documents; what was answered until then is whole.'));
    return exit;
  } finally {
    for (const thread of started) thread.end();
    stream.close();
  }
}

export const statusOfLines = (doors: Doors, streaming: Streaming, stream: ByteStream, terminal: Terminal): Promise<ExitCode> =>
  answerLines(doors, textWith(streaming), stream, terminal, (text) => terminal.json(text));

/** What runs in a thread. */
export async function judgeInThread({ surveyor, streaming, threads }: Doors): Promise<ExitCode> {
  if (threads === undefined) throw new Error('judge-lines answers a thread of this program, and this engine has none.');
  const textOf = streaming === undefined ? decode : textWith(await streaming());
  await (await threads()).answer((lines) => answersTo(surveyor, lines as Line[], textOf));
  return 0;
}
