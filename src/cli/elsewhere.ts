/** A look at something else than this router as it is: a document that was saved, or another configuration. */
import type { Reading } from '../host/host.ts';
import type { ExitCode, Report } from '../survey/survey.ts';
import { say, Trouble } from '../words/say.ts';
import type { Doors, Given, Terminal } from './command.ts';

const WISH_CONFIG = '/etc/config/sipalg';

/** @throws Trouble where what was given does not go together */
export function checkGiven(given: Given): void {
  if (!given.has('--from') && given.has('--lines'))
    throw new Trouble(say('look-lines', '--lines is about saved documents: it goes with --from FILE, or --from -.'));
  if (given.has('--config') && given.has('--from'))
    throw new Trouble(
      say('look-config', '--config is about this router as it is now, and --from about one that was saved: give one of them.'),
    );
}

/**
 * The same router, as though another file were its /etc/config/sipalg; nothing is written.
 * @throws Error in a sentence, where that cannot be read
 */
export async function configuredBy(doors: Doors, path: string): Promise<Doors> {
  const { host } = doors;
  const text = await host.read(path);
  if (text.state !== 'present')
    throw new Trouble(
      text.state === 'absent'
        ? say('look-no-config', 'There is no {path} to plan by.', { path })
        : say('compare-unread', '{name} could not be read: {because}.', { name: path, because: text.because }),
    );
  const read: typeof host.read = (asked, options) =>
    asked === WISH_CONFIG ? Promise.resolve({ ...text, source: asked }) : host.read(asked, options);
  return { ...doors, host: { ...host, read } };
}

/** A saved document, judged here; of a stream of documents, the exit code when all of them have been answered. */
export async function reportFrom(doors: Doors, from: string, lines: null, terminal: Terminal): Promise<Report>;
export async function reportFrom(doors: Doors, from: string, lines: boolean | null, terminal: Terminal): Promise<Report | ExitCode>;
export async function reportFrom(doors: Doors, from: string, lines: boolean | null, terminal: Terminal): Promise<Report | ExitCode> {
  const { host, surveyor } = doors;
  const { MOST_SAVED, savedFacts, savedReport } = await import('../survey/saved.ts');
  const standard = from === '-';
  const name = standard ? terminal.put(say('standard-input', 'standard input')) : from;
  let text: Reading<string>;
  if (lines !== null && doors.streaming !== undefined && (standard || lines)) {
    const [{ openInput }, streaming] = await Promise.all([import('../fleet/input.ts'), doors.streaming()]);
    const input = await openInput(streaming, standard ? null : from, () => terminal.goOn(), { lines, most: MOST_SAVED });
    if (input.kind === 'lines') return (await import('./fleet-status.ts')).statusOfLines(doors, streaming, input.stream, terminal);
    ({ text } = input);
  } else text = standard ? await terminal.input() : await host.read(from, { most: MOST_SAVED });
  return savedReport(surveyor, savedFacts(text, name, surveyor.version), name);
}
