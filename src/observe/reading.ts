/** Small steps with readings; a refusal of a language becomes a failed reading that says why. */
import type { Host, Outcome, Parts, Reading, ReadOptions, RunOptions } from '../host/host.ts';
import { splitText } from '../host/parts.ts';
import { Refused } from '../languages/refused.ts';

export function present<T>(source: string, value: T): Reading<T> {
  return { state: 'present', value, source };
}

/** Makes more of what was read. What the maker refuses was not understood, and so has failed. */
export function understood<A, B>(reading: Reading<A>, make: (value: A) => B): Reading<B> {
  if (reading.state !== 'present') return reading;
  try {
    return present(reading.source, make(reading.value));
  } catch (error) {
    const line = error instanceof Refused && error.line > 0 ? `line ${error.line}: ` : '';
    return { state: 'failed', source: reading.source, because: line + (error as Error).message };
  }
}

/**
 * The line of a tool's words that says what went wrong: fw4 and nft print warnings before it. The first line where none
 * speaks of an error; '' where nothing was said. Where fw4 itself falls, over a value of `defaults` or of an include that it
 * does not take, the warning before says over which (firewall4 b6e5157, fw4.uc: parse_defaults, parse_include).
 */
export function complaint(...said: readonly string[]): string {
  const lines = said.flatMap((text) => text.split('\n')).map((line) => line.trim());
  const at = lines.findIndex((line) => /\berror\b|\bnot? such\b|\bfailed\b/i.test(line) && !/^(\[!\]|Section |Include )/.test(line));
  const [before = '', first = lines.find((line) => line !== '') ?? ''] = at < 0 ? [] : [lines[at - 1], lines[at]];
  const fell = before.startsWith('[!] ') && /^(Reference|Type|Runtime) error: /.test(first);
  return (fell ? `${before.slice(4)} (${first})` : first).slice(0, 300);
}

/** A command's output as a reading: exit code 0 alone means that it could look. */
export function answered(outcome: Outcome): Reading<string> {
  const source = outcome.command;
  if (outcome.state === 'absent') return { state: 'absent', source };
  if (outcome.state === 'failed') return { state: 'failed', source, because: outcome.because };
  if (outcome.code === 0) return present(source, outcome.stdout);
  const said = complaint(outcome.stderr);
  return { state: 'failed', source, because: `it ended with exit code ${outcome.code}${said === '' ? '' : `: ${said}`}` };
}

/** What was read, or `otherwise` where it is not there or could not be read. */
export function orElse<T>(reading: Reading<T>, otherwise: T): T {
  return reading.state === 'present' ? reading.value : otherwise;
}

/** Runs a command and takes what it says part by part; a host that holds the whole of it (a recorded one) is taken at its word too. */
export async function runInParts(host: Host, argv: readonly string[], options: RunOptions & { parts: Parts }): Promise<Outcome> {
  const outcome = await host.run(argv, options);
  if (outcome.state === 'exited' && outcome.stdout !== '') splitText(outcome.stdout, options.parts);
  return outcome;
}

/** Reads a file in the same way. */
export async function readInParts(host: Host, path: string, options: ReadOptions & { parts: Parts }): Promise<Reading<string>> {
  const reading = await host.read(path, options);
  if (reading.state === 'present' && reading.value !== '') splitText(reading.value, options.parts);
  return reading;
}
