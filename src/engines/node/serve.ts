/** `sipalg serve` on Node: opens the doors that only a resident program needs. */
import { randomBytes } from 'node:crypto';
import { realpathSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Host } from '../../host/host.ts';
import { open } from '../../ubus/connection.ts';
import { serve } from '../../daemon/serve.ts';
import type { Daemon, ServeOptions } from '../../daemon/serve.ts';
import type { Surveyor } from '../../survey/survey.ts';
import { clock } from './clock.ts';
import { certificate } from './certificate.ts';
import { listen } from './http-server.ts';
import { onTerminal, say } from './log.ts';
import { LANGUAGES } from '../../words/languages.ts';
import { wholeOf } from '../../words/whole.ts';

/**
 * fw4 tells nobody that it has loaded, but writes a file anew each time, and removes it when it stops (fw4.uc, write_state).
 * The folder is watched, for a file that is removed and written anew is another one. fw3 does the same with fw3.state.
 */
function firewall(heard: () => void): () => void {
  try {
    const watcher = watch('/var/run', { persistent: false }, (_, name) => {
      if (name === 'fw4.state' || name === 'fw3.state') heard();
    });
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined; // the looks that nothing asks for remain
  }
}

/** Milliseconds of quiet before memory is tidied up, and from one time to the next. */
const QUIET = 1000;
const BETWEEN = 3000;

/**
 * The same surveyor; some time after a look, what the look has left is collected. V8 leaves it until its heap is full, which
 * with a look every few minutes is never: after 300 looks 25 MB of private memory without, 17 MB with (Node 20).
 */
function tidy(surveyor: Surveyor): Surveyor {
  const { gc } = globalThis as { gc?: () => void }; // where /usr/sbin/sipalg has asked for it
  if (gc === undefined) return surveyor;
  let timer: NodeJS.Timeout | null = null;
  let last = -Infinity;
  function later(): void {
    timer ??= setTimeout(
      () => {
        timer = null;
        last = clock.now();
        gc?.();
      },
      Math.max(QUIET, last + BETWEEN - clock.now()),
    ).unref();
  }
  return { ...surveyor, look: (host) => surveyor.look(host).finally(later) };
}

/** The page's words, from the files that the command line has them from too; null where the language is not installed. */
async function words(language: string): Promise<string | null> {
  const all = await wholeOf(LANGUAGES, language);
  return all === null ? null : JSON.stringify(all);
}

/** What a page asks for besides is answered by this program once more; memory is tidied up in what stays alone. */
const self = (): string[] => [
  process.execPath,
  ...process.execArgv.filter((option) => option !== '--expose-gc'),
  realpathSync(process.argv[1] ?? '.'),
];

/** The page's files lie in the folder `page` beside the program. */
const folder = (): string => `${dirname(realpathSync(process.argv[1] ?? '.'))}/page`;

/**
 * Serves until SIGTERM or SIGINT; a second one ends it at once.
 * @returns the exit code: 0 ended as asked, 2 could not begin
 */
export async function stay(host: Host, looking: Surveyor, given: Omit<ServeOptions, 'folder'>): Promise<0 | 2> {
  const surveyor = tidy(looking);
  // An upgrade replaces the files of this program while it runs: what may be needed later is loaded now.
  await surveyor.voice().catch((error: Error) => say(error.message, 'error'));
  const options: ServeOptions = { ...given, folder: folder() };
  return new Promise((resolve) => {
    let daemon: Daemon | null = null;
    let ending = false;

    function end(signal: string): void {
      if (ending) {
        say(`${signal} again: ending at once; what a run has left half done, \`sipalg apply\` completes`, 'warning');
        process.exit(2);
      }
      ending = true;
      (daemon?.say ?? say)(`${signal}: ending`);
      if (daemon === null) return; // it is only beginning, and is ended as soon as it has
      void daemon.stop().then(() => resolve(0));
    }

    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    process.on('SIGHUP', () => {
      daemon?.again().catch((error: Error) => say(error.message, 'error'));
    });

    serve(
      {
        host,
        surveyor,
        clock,
        random: (bytes) => randomBytes(bytes).toString('base64url'),
        ubus: open,
        listen,
        firewall,
        self: self(),
        words,
        say,
        certificate,
        onTerminal,
      },
      options,
    ).then(
      (begun) => {
        daemon = begun;
        if (ending) void begun.stop().then(() => resolve(0));
      },
      (error: Error) => {
        say(error.message, 'error');
        resolve(2);
      },
    );
  });
}
