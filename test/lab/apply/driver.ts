/**
 * The product with trouble built in: src/cli/cli.ts on the real door to the machine of either engine (driver-node.ts,
 * driver-quickjs.ts), wrapped so that every change is
 * counted and one of them can go wrong. Test code only; the product has no such hook.
 *
 * TROUBLE in the environment:
 *   count            nothing goes wrong
 *   fail:K           change K is refused, as a full disk or a tool that fails would
 *   fail-from:K      change K and every later one is refused: what was done cannot be taken back either
 *   fail-after:K     change K is made, and then said to have failed
 *   fail-but:K:J     change K is refused, and so is change J of those that follow it (1 is the next)
 *   kill-before:K    SIGKILL right before change K
 *   kill-after:K     SIGKILL right after it
 *   kill-middle:K    SIGKILL as soon as its command has been started, or its file has been written beside the old one
 *   interrupt:K      SIGINT to the own process group right before change K
 *
 * Changes are counted from 1. Each is written as a line to the file DRIVER_LOG names, before it is made.
 */
import type { Host, Outcome } from '../../../src/host/host.ts';
import { isLook } from './looks.ts';

/** What trouble is made of, on an engine. */
export interface Means {
  host: Host;
  variable(name: string): string | undefined;
  append(path: string, text: string): void;
  write(path: string, text: string): void;
  /** SIGKILL to this process. */
  kill(): void;
  /** SIGINT to the own process group. */
  interrupt(): void;
  pause(milliseconds: number): Promise<void>;
}

/** The door with the trouble that the environment asks for. */
export function troubled({ host: real, variable, append, write, kill, interrupt, pause }: Means): Host {
  const [kind = 'count', first = '0', second = '0'] = (variable('TROUBLE') ?? 'count').split(':');
  const at = Number(first);
  const also = at + Number(second);
  let changes = 0;

  function die(): never {
    kill();
    for (;;); // the signal is there before this matters
  }

  /** What one change is called, and how it goes: by itself, refused, or cut off. */
  async function change<T>(words: string, act: () => Promise<T>, refuse: () => T, half: () => void): Promise<T> {
    const number = ++changes;
    append(variable('DRIVER_LOG') ?? '/tmp/driver.log', `${words.split('\n')[0]}\n`);
    const here = number === at;
    if (here && kind === 'kill-before') die();
    if (here && kind === 'interrupt') {
      interrupt();
      await pause(20);
    }
    if (here && kind === 'kill-middle') {
      half();
      die();
    }
    if (
      (here && (kind === 'fail' || kind === 'fail-but'))
      || (kind === 'fail-from' && number >= at)
      || (kind === 'fail-but' && number === also)
    )
      return refuse();
    const done = await act();
    if (here && kind === 'kill-after') die();
    return here && kind === 'fail-after' ? refuse() : done;
  }

  function refused(sentence: string): never {
    throw new Error(`${sentence}: no space is left on the device (ENOSPC)`);
  }

  return {
    ...real,
    write: (path, text, mode) =>
      change(
        `write ${path}`,
        () => real.write(path, text, mode),
        () => refused(`${path} could not be written`),
        () => write(`${path}.sipalg-new`, text.slice(0, text.length / 2)),
      ),
    poke: (path, text) =>
      change(
        `poke ${path}`,
        () => real.poke(path, text),
        () => refused(`${path} could not be set`),
        () => undefined,
      ),
    remove: (path) =>
      change(
        `remove ${path}`,
        () => real.remove(path),
        () => refused(`${path} could not be removed`),
        () => undefined,
      ),
    run(argv, options) {
      if (isLook(argv)) return real.run(argv, options);
      const command = argv.join(' ');
      return change<Outcome>(
        command,
        () => real.run(argv, options),
        // conntrack says with 1 that there was nothing to delete.
        () => ({
          state: 'exited',
          command,
          code: argv[0] === 'conntrack' ? 3 : 1,
          stdout: '',
          stderr: 'Error: Could not process rule: Cannot allocate memory\n',
        }),
        () => {
          void real.run(argv, options);
        },
      );
    },
  };
}
