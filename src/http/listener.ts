/** The page's own mount on its socket: opened where it is wanted, moved when the configuration says so. */
import type { Host } from '../host/host.ts';
import { isLoopback, readPlace, urlOf } from '../languages/address/place.ts';
import type { Place } from '../languages/address/place.ts';
import { createAttempts } from './attempts.ts';
import type { Clock } from '../host/clock.ts';
import { createRepeated } from '../host/repeated.ts';
import type { Answer, Asked } from './message.ts';
import { createMount } from './routes.ts';
import type { MountOptions } from './routes.ts';
import { createSessions } from './sessions.ts';
import type { Sessions } from './sessions.ts';

/** Where it listens unless told otherwise: on loopback, the first of these ports that is free. */
const STANDARD: Place = { address: '127.0.0.1', port: 8061 };
const MOST_PORTS = 10;

/** A socket that listens. */
export interface Listening {
  /** Where it listens; the port is the one that was taken. */
  place: Place;
  /** Takes no more requests, answers those under way (for at most so many milliseconds), and is gone. */
  close(patience: number): Promise<void>;
}

/** Opens one; rejects with an Error whose message is the end of a sentence and whose `code` is the system's. */
export type ListenDoor = (place: Place, handle: (asked: Asked) => Promise<Answer>, trouble: (error: Error) => void) => Promise<Listening>;

export interface PageOptions extends Pick<MountOptions, 'call' | 'logins' | 'busless' | 'lang' | 'words'> {
  doors: { host: Host; clock: Clock; random: (bytes: number) => string; listen: ListenDoor; say: (line: string) => void };
  folder: string;
}

/** Where it is wanted: `listen` as it was given, null for the standard place. `must`: it cannot be elsewhere or later. */
export interface Wanted {
  listen: string | null;
  must: boolean;
}

export interface Page {
  /** Serves it there, or nowhere (null); where it is already, nothing happens. */
  serve(wanted: Wanted | null): Promise<void>;
  /** Says a new link where the one before has been used or is too old. */
  link(): void;
  stop(): Promise<void>;
}

/** Milliseconds until an address that is not there yet, or a port that is taken, is tried again. */
const AGAIN = 10_000;
/** Milliseconds that requests under way have to be answered when it ends. */
const PATIENCE = 20_000;
const MOST_FILE = 262_144;
const HOSTNAME = '/proc/sys/kernel/hostname';

export function createPage({ doors, folder, call, logins, busless, lang, words }: PageOptions): Page {
  const { host, clock, random, say } = doors;
  const complain = createRepeated(clock, say);
  let wanted: Wanted | null = null;
  let open: { listening: Listening; sessions: Sessions } | null = null;
  let cancel = (): void => undefined;
  let stopped = false;
  /** One change at a time. */
  let turn: Promise<void> = Promise.resolve();

  async function file(name: string): Promise<{ text: string } | { lacking: string }> {
    const path = `${folder}/${name}`;
    const read = await host.read(path, { most: MOST_FILE });
    if (read.state === 'present') return { text: read.value };
    const why = read.state === 'absent' ? 'it is not there' : read.because;
    return {
      lacking:
        `The page's file ${path} could not be read: ${why}. Install the package again; `
        + '`ubus call sipalg status` and `sipalg status` work without it.',
    };
  }

  /** The names a browser may know this machine by. */
  function namesOf(place: Place, hostname: string): () => string[] {
    const local = ['127.0.0.1', 'localhost', '::1', place.address];
    if (isLoopback(place)) return () => [...new Set(local)];
    const named = hostname === '' ? [] : [hostname, `${hostname}.lan`];
    return () => [
      ...new Set(
        [...local, ...named, ...host.addresses().map(({ address }) => address.split('%')[0] as string)].map((name) => name.toLowerCase()),
      ),
    ];
  }

  async function openAt(place: Place): Promise<void> {
    const read = await host.read(HOSTNAME);
    const hostname = read.state === 'present' ? read.value.trim() : '';
    const sessions = createSessions(clock, random);
    const attempts = createAttempts(clock);
    const login = isLoopback(place) ? ('token' as const) : ('password' as const);
    const another = `\`kill -HUP ${host.process().pid}\` (or \`/etc/init.d/sipalg-daemon reload\`) makes it print another`;
    // The port is known once it is taken; nothing is asked before.
    let mount: ((asked: Asked) => Promise<Answer>) | null = null;
    const listening = await doors.listen(
      place,
      (asked) => (mount as (asked: Asked) => Promise<Answer>)(asked),
      (error) => complain(`page: ${error.message}`),
    );
    mount = createMount({
      login,
      port: listening.place.port,
      names: namesOf(place, hostname),
      call,
      sessions,
      attempts,
      logins,
      busless,
      file,
      say,
      complain,
      another,
      ...(lang === undefined ? {} : { lang }),
      ...(words === undefined ? {} : { words }),
    });
    open = { listening, sessions };
    if (login === 'password') say(`page: ${urlOf(listening.place)} (with the router's own login)`);
    else link();
  }

  function link(): void {
    if (open === null || !isLoopback(open.listening.place) || open.sessions.tokenOpen()) return;
    say(`page: ${urlOf(open.listening.place)}?token=${open.sessions.newToken()} (good for one use within an hour)`);
  }

  /** The standard place: the first of a few ports that is free. */
  async function openStandard(): Promise<void> {
    for (let port = STANDARD.port; ; port++) {
      try {
        return await openAt({ ...STANDARD, port });
      } catch (error) {
        if ((error as { code?: string }).code !== 'EADDRINUSE' || port + 1 >= STANDARD.port + MOST_PORTS) throw error;
      }
    }
  }

  async function close(): Promise<void> {
    cancel();
    const { listening } = open ?? {};
    open = null;
    await listening?.close(PATIENCE);
  }

  async function attempt({ listen, must }: Wanted, first: boolean): Promise<void> {
    const place = listen === null ? STANDARD : readPlace(listen);
    if ('wrong' in place) {
      if (must) throw new Error(`The page cannot be served: ${place.wrong}.`);
      return say(`sipalg.serve: the option listen: ${place.wrong}; until it is, the page is not served`);
    }
    try {
      await (listen === null ? openStandard() : openAt(place));
    } catch (error) {
      const sentence = `the page cannot be served at ${urlOf(place)}: ${(error as Error).message}`;
      if (must) throw new Error(`${sentence[0]?.toUpperCase()}${sentence.slice(1)}.`);
      if (first) say(`${sentence}; it is tried again every ${AGAIN / 1000} s`);
      if (!stopped) cancel = clock.after(AGAIN, () => void inTurn(() => (stopped ? Promise.resolve() : attempt({ listen, must }, false))));
    }
  }

  function inTurn(change: () => Promise<void>): Promise<void> {
    const mine = turn.then(change);
    turn = mine.catch(() => undefined); // whoever asked for it is told
    return mine;
  }

  return {
    link,
    serve: (next) =>
      inTurn(async () => {
        if (stopped || JSON.stringify(next) === JSON.stringify(wanted)) return;
        wanted = next;
        await close();
        if (next !== null) await attempt(next, true);
      }),
    stop() {
      stopped = true;
      return inTurn(close);
    },
  };
}
