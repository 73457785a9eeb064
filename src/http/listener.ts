/** The page's own mount on its socket: opened where it is wanted, moved when the configuration says so. */
import type { Host } from '../host/host.ts';
import { isLoopback, readPlace, urlOf } from '../languages/address/place.ts';
import type { Place } from '../languages/address/place.ts';
import { createAttempts } from './attempts.ts';
import type { Clock } from '../host/clock.ts';
import type { SayLine } from '../host/log.ts';
import { say } from '../words/say.ts';
import { createRepeated } from '../host/repeated.ts';
import type { Asked, Handle, Head } from './message.ts';
import { clearText } from './certificate.ts';
import type { Certificate, CertificatePaths, TlsPair } from './certificate.ts';
import { createMount } from './routes.ts';
import type { MountOptions } from './routes.ts';
import { createSessions } from './sessions.ts';
import type { Sessions } from './sessions.ts';

/** Where it listens unless told otherwise: on loopback, the first of these ports that is free. */
const STANDARD: Place = { address: '127.0.0.1', port: 8061 };
const MOST_PORTS = 10;

export type { TlsPair } from './certificate.ts';

/** A socket that listens. */
export interface Listening {
  /** Where it listens; the port is the one that was taken. */
  place: Place;
  /** Takes no more requests, answers those under way (for at most so many milliseconds), and is gone. */
  close(patience: number): Promise<void>;
}

/**
 * Opens one, with TLS where it is given a certificate; rejects with an Error whose message is the end of a sentence and whose
 * `code` is the system's.
 */
export type ListenDoor = (
  place: Place,
  handle: Handle,
  trouble: (error: Error) => void,
  pair: TlsPair | null,
) => Promise<Listening>;

export interface PageOptions extends Pick<MountOptions, 'call' | 'logins' | 'busless' | 'lang' | 'words' | 'configuration'> {
  doors: {
    host: Host;
    clock: Clock;
    random: (bytes: number) => string;
    listen: ListenDoor;
    say: SayLine;
    certificate: (paths: CertificatePaths) => Promise<Certificate>;
    onTerminal: () => boolean;
  };
  folder: string;
  /** Which certificate is to be taken. */
  certificate: () => Promise<CertificatePaths>;
}

/** Where it is wanted: `listen` as it was given, null for the standard place. `must`: it cannot be elsewhere or later. */
export interface Wanted {
  listen: string | null;
  must: boolean;
}

export interface Page {
  /** Serves it there, or nowhere (null); where it is already, nothing happens. */
  serve(wanted: Wanted | null): Promise<void>;
  /** Gives out a new link where the one before has been used or is too old. */
  link(): Promise<void>;
  stop(): Promise<void>;
}

/** Milliseconds until an address that is not there yet, or a port that is taken, is tried again. */
const AGAIN = 10_000;
/** Milliseconds from one look at the certificate to the next: the web server makes and renews its own. */
const CERTIFICATE_AGAIN = 60_000;
/** The one-time link, for root alone, where the log is no terminal: whoever reads a log could open the page with it. */
export const LINK_FILE = '/var/run/sipalg.link';
/** Milliseconds that requests under way have to be answered when it ends. */
const PATIENCE = 20_000;
const MOST_FILE = 262_144;
const ELSEWHERE = 'elsewhere';
const markOf = (certificate: Certificate): string => (certificate.state === 'present' ? certificate.mark : '');
const HOSTNAME = '/proc/sys/kernel/hostname';

export function createPage(options: PageOptions): Page {
  const { doors, folder, call, logins, busless, lang, words, configuration } = options;
  const { host, clock, random, say: log, onTerminal } = doors;
  const complain = createRepeated(clock, (line) => log(line, 'warning'));
  let wanted: Wanted | null = null;
  /** `mark`: of its certificate, see `markOf`; ELSEWHERE where it is not served where it is wanted. */
  let open: { listening: Listening; sessions: Sessions; mark: string } | null = null;
  let cancel = (): void => undefined;
  let cancelLook = (): void => undefined;
  let lookNow = (): Promise<void> => Promise.resolve();
  /** What LINK_FILE holds, where it is ours. */
  let written = '';
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

  /** @param certificate 'absent': a password would be sent in clear, which is said */
  async function openAt(place: Place, certificate: Exclude<Certificate, { state: 'failed' }> = { state: 'absent' }): Promise<void> {
    const read = await host.read(HOSTNAME);
    const hostname = read.state === 'present' ? read.value.trim() : '';
    const sessions = createSessions(clock, random);
    const attempts = createAttempts(clock);
    const login = isLoopback(place) ? ('token' as const) : ('password' as const);
    const pair = certificate.state === 'present' ? certificate.pair : null;
    const clear = login === 'password' && pair === null ? clearText(await options.certificate()) : null;
    const reload = `\`kill -HUP ${host.process().pid}\` (\`/etc/init.d/sipalg-daemon reload\`)`;
    const another = onTerminal()
      ? say('http-prints-another', '{reload} makes it print another', { reload })
      : say('http-writes-another', '{reload} makes it write another into {file}', { reload, file: LINK_FILE });
    // The port is known once it is taken; nothing is asked before.
    let mount: Handle | null = null;
    const listening = await doors.listen(
      place,
      Object.assign((asked: Asked) => (mount as Handle)(asked), { most: (head: Head) => (mount as Required<Handle>).most(head) }),
      (error) => complain(`page: ${error.message}`),
      pair,
    );
    mount = createMount({
      login,
      port: listening.place.port,
      tls: pair !== null,
      clear,
      names: namesOf(place, hostname),
      call,
      sessions,
      attempts,
      logins,
      busless,
      file,
      say: log,
      complain,
      another,
      onLink: () => void forget(),
      ...(lang === undefined ? {} : { lang }),
      ...(words === undefined ? {} : { words }),
      ...(configuration === undefined ? {} : { configuration }),
    });
    open = { listening, sessions, mark: markOf(certificate) };
    if (login === 'token') return link();
    log(`page: ${urlOf(listening.place, pair === null ? 'http' : 'https')} (with the router's own login)`);
    if (clear !== null) log(`page: ${clear.text}`, 'warning');
  }

  /** The link is nobody's any more: it has been used, or this ends. */
  async function forget(): Promise<void> {
    if (written === '') return;
    const mine = written;
    written = '';
    const there = await host.read(LINK_FILE);
    if (there.state !== 'present' || there.value !== mine) return;
    await host.remove(LINK_FILE).catch((error: Error) => log(`page: ${error.message}`, 'warning'));
  }

  async function link(): Promise<void> {
    if (open === null || !isLoopback(open.listening.place) || open.sessions.tokenOpen()) return;
    const url = urlOf(open.listening.place);
    const whole = `${url}?token=${open.sessions.newToken()}`;
    if (onTerminal()) return log(`page: ${whole} (good for one use within an hour)`);
    try {
      await host.write(LINK_FILE, `${whole}\n`, 0o600);
      written = `${whole}\n`;
      log(`page: ${url} (its link, good for one use within an hour, is in ${LINK_FILE}, which root alone may read)`);
    } catch (error) {
      log(`page: ${url}, which opens by a link alone; \`sipalg serve\` in a terminal prints one: ${(error as Error).message}`, 'warning');
    }
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
    cancelLook();
    lookNow = () => Promise.resolve();
    const { listening } = open ?? {};
    open = null;
    await forget();
    await listening?.close(PATIENCE);
  }

  /** Looks from time to time whether the certificate is another one, or there now; what is half written is left for the next time. */
  function watchCertificate(place: Place, again: () => Promise<void>): void {
    if (isLoopback(place)) return;
    lookNow = async () => {
      cancelLook();
      if (stopped || open === null) return;
      const now = await doors.certificate(await options.certificate());
      if (now.state === 'failed' || markOf(now) === open.mark) return later();
      await close();
      await again();
    };
    const later = (): void => {
      cancelLook = clock.after(CERTIFICATE_AGAIN, () => void inTurn(lookNow));
    };
    later();
  }

  /** Where it is wanted; on loopback alone as long as a certificate is there that cannot be used. */
  async function openWith(place: Place, must: boolean): Promise<void> {
    if (isLoopback(place)) return openAt(place);
    const read = await doors.certificate(await options.certificate());
    if (read.state !== 'failed') return openAt(place, read);
    if (must) throw new Error(`${read.because}, and without a certificate a password would go over the network in clear`);
    log(`page: ${read.because}; until it can be used, the page is served on loopback alone and asks for no password`, 'error');
    await openStandard();
    if (open !== null) open.mark = ELSEWHERE;
  }

  async function attempt({ listen, must }: Wanted, first: boolean): Promise<void> {
    const place = listen === null ? STANDARD : readPlace(listen);
    if ('wrong' in place) {
      if (must) throw new Error(`The page cannot be served: ${place.wrong}.`);
      return log(`sipalg.serve: the option listen: ${place.wrong}; until it is, the page is not served`, 'error');
    }
    const again = (): Promise<void> => attempt({ listen, must: false }, false);
    try {
      await (listen === null ? openStandard() : openWith(place, must));
      watchCertificate(place, again);
    } catch (error) {
      const sentence = `the page cannot be served at ${urlOf(place)}: ${(error as Error).message}`;
      if (must) throw new Error(`${sentence[0]?.toUpperCase()}${sentence.slice(1)}.`);
      if (first) log(`${sentence}; it is tried again every ${AGAIN / 1000} s`, 'error');
      if (!stopped) cancel = clock.after(AGAIN, () => void inTurn(() => (stopped ? Promise.resolve() : again())));
    }
  }

  function inTurn(change: () => Promise<void>): Promise<void> {
    const mine = turn.then(change);
    turn = mine.catch((error: Error) => log(`page: ${error.message}`, 'warning')); // whoever asked for it is told
    return mine;
  }

  return {
    link,
    serve: (next) =>
      inTurn(async () => {
        if (stopped) return;
        if (JSON.stringify(next) === JSON.stringify(wanted)) return lookNow();
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
