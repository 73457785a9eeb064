/** `sipalg report --fleet`: many routers as one page for who watches over them. */
import { openInput, textWith } from '../fleet/input.ts';
import { createSummary } from '../fleet/summary.ts';
import type { VerdictLine } from '../fleet/verdicts.ts';
import type { ExitCode } from '../survey/survey.ts';
import type { Doors, Terminal } from './command.ts';
import { fleetHtml } from './fleet-html.ts';
import { answerLines } from './fleet-status.ts';
import { codeOf, verdictText } from './text.ts';
import { say, Trouble } from '../words/say.ts';

/**
 * @param from a file, or `-`: saved documents, one a line, or what `sipalg status --from -` made of them
 * @param file the file that the page is written into; not given: standard output
 * @returns the highest exit of any router
 * @throws Error in a sentence
 */
export async function fleetReport(doors: Doors, from: string, file: string | undefined, terminal: Terminal): Promise<ExitCode> {
  const { host, surveyor } = doors;
  if (doors.streaming === undefined) throw new Trouble(say('fleet-no-streams', 'this build reads no stream of documents.'));
  const streaming = await doors.streaming();
  const name = from === '-' ? say('standard-input', 'standard input') : from;
  const input = await openInput(streaming, from === '-' ? null : from, () => terminal.goOn(), { lines: true });
  if (input.kind === 'one') {
    const { text } = input;
    throw new Trouble(
      text.state === 'failed'
        ? say('report-unread-file', '{name} could not be read: {because}.', { name, because: text.because })
        : say('fleet-no-file', 'There is no {name}.', { name }),
    );
  }
  const { put } = terminal;
  const summary = createSummary({
    verdict: (verdict) => verdictText(verdict, put),
    finding: ({ code, says = code, parameters, text }) => put(codeOf(says, parameters), text),
    because: ({ says, parameters, because }) => put(says === undefined ? undefined : codeOf(says, parameters), because),
    unread: (source, because) => put(say('fleet-unread', '{source} could not be read: {because}.', { source, because })),
  });
  const exit = await answerLines(doors, textWith(streaming), input.stream, terminal, (text) => {
    for (const line of text.split('\n')) if (line !== '') summary.take(JSON.parse(line) as VerdictLine);
  });
  const page = fleetHtml(summary.end(), surveyor.version, host.now(), put);
  if (file === undefined) terminal.json(page);
  else await host.write(file.includes('/') ? file : `./${file}`, page);
  return exit;
}
