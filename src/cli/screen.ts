/** What a person sees beside the text: a few colours, and a line while nothing else is said. Loaded on a terminal alone. */
import type { Clock } from '../host/clock.ts';
import type { Put } from '../words/english.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
import type { Screen, Terminal } from './command.ts';

const RED = '\x1b[1;31m';
const YELLOW = '\x1b[33m';
const GREEN = '\x1b[32m';
const FAINT = '\x1b[2m';
const PLAIN = '\x1b[0m';

/** Signs before a line (`!` alarm, `*` and `?` risk or not known, `+` good), a cause that is named, and commands that are run. */
const COLOURED: readonly (readonly [RegExp, string])[] = [
  [/^( {2,4})(!)(?= )/gm, RED],
  [/^( {2,4})([*?])(?= )/gm, YELLOW],
  [/^( {2,4})(\+)(?= )/gm, GREEN],
  [/^( {10})(\[[a-z-]+\])/gm, YELLOW],
  [/^()(\[#\])(?= )/gm, FAINT],
];

/** With colours, which say nothing that the signs do not. */
export const coloured = (text: string): string =>
  COLOURED.reduce((now, [pattern, colour]) => now.replace(pattern, `$1${colour}$2${PLAIN}`), text);

/** Narrower than this nothing is folded sensibly. */
const NARROWEST = 40;

/** Milliseconds of silence until a line says that work goes on, and between two of its turns. */
const PATIENCE = 2000;
const EVERY = 1000;

/** What terminals of people are given instead of plain streams; `end` takes the line away. */
export interface OnScreen extends Pick<Terminal, 'out' | 'err' | 'json'> {
  width?: number;
  progress(said: Said | null): void;
  end(): void;
}

/**
 * @param given the streams as they are @param clock absent: no line
 * @param noColour the environment's NO_COLOR (no-color.org: set and not empty)
 */
export function onScreen(
  given: Pick<Terminal, 'out' | 'err'>,
  { out: isOut, err: isErr, columns, kind, noColour }: Screen,
  clock: Clock | undefined,
  put: Put,
): OnScreen {
  const isDumb = kind === 'dumb';
  const paint = (isTerminal: boolean): ((text: string) => string) => (isTerminal && !isDumb && !noColour ? coloured : (text) => text);
  const [paintOut, paintErr] = [paint(isOut), paint(isErr)];
  let shown = 0;
  let begun: Said | null = say('progress-working', 'still working');
  let since = clock?.now() ?? 0;
  const from = since;
  let cancel = (): void => undefined;
  const erase = (): void => {
    if (shown > 0) given.err(`\r${' '.repeat(shown)}\r`);
    shown = 0;
  };
  const turn = (): void => {
    if (clock === undefined) return;
    cancel = clock.after(EVERY, turn);
    const now = clock.now();
    if (begun === null || now < since + PATIENCE) return;
    const line = put(say('progress', '{what} ({seconds} s)', { what: begun, seconds: Math.round((now - from) / 1000) })).slice(
      0,
      Math.max(NARROWEST, columns ?? 0) - 1,
    );
    given.err(`\r${line.padEnd(shown)}`);
    shown = Math.max(shown, line.length);
  };
  if (isErr && !isDumb) turn();
  const writing =
    (write: (text: string) => void) =>
    (text: string): void => {
      erase();
      write(text);
      since = clock?.now() ?? 0;
    };
  return {
    out: writing((text) => given.out(paintOut(text))),
    err: writing((text) => given.err(paintErr(text))),
    json: writing((text) => given.out(text)),
    ...(isOut && columns !== null ? { width: Math.max(NARROWEST, columns) } : {}),
    progress(said) {
      begun = said;
      if (said === null) erase();
    },
    end() {
      cancel();
      erase();
    },
  };
}
