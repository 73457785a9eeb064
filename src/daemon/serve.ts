/** The resident daemon, put together: the object, ubus, the watch and the page's own mount. Opens nothing itself. */
import { apply } from '../apply/apply.ts';
import type { Host } from '../host/host.ts';
import { readConfiguration } from '../wish/read.ts';
import type { ServeWish } from '../wish/wish.ts';
import { WISH_CONFIG } from '../observe/observe.ts';
import type { Surveyor } from '../survey/survey.ts';
import type { Client, ClientOptions } from '../ubus/client.ts';
import { connectionSayer, serveBus } from './bus.ts';
import type { Bus } from './bus.ts';
import type { Clock } from '../host/clock.ts';
import type { Catalog } from '../object/catalog.ts';
import { createObject } from '../object/object.ts';
import { createPage } from '../http/listener.ts';
import type { ListenDoor } from '../http/listener.ts';
import { createConfiguration } from './configuration.ts';
import { createKeep } from './enforce.ts';
import { createHandover } from './handover.ts';
import { createSaved } from './saved.ts';
import { createRepeated } from '../host/repeated.ts';
import { createGathering, filtered } from '../host/log.ts';
import type { SayLine } from '../host/log.ts';
import { certificatePaths } from './certificate.ts';
import type { Certificate, CertificatePaths } from '../http/certificate.ts';
import { createLogins } from '../http/logins.ts';
import { createWatch } from './polling.ts';

/** What an engine hands in. */
export interface Doors {
  host: Host;
  surveyor: Surveyor;
  clock: Clock;
  /** So many random bytes, as text of letters, digits, - and _. */
  random: (bytes: number) => string;
  /** A client of ubus that keeps trying to connect. */
  ubus: (options: ClientOptions) => Client;
  listen: ListenDoor;
  /** Calls whenever the firewall has been loaded or unloaded, as far as this machine can tell; stops when what it gives is called. */
  firewall: (heard: () => void) => () => void;
  /** The command that starts this program. */
  self?: readonly string[];
  /** The page's words in a language, as JSON; null where it is not there. */
  words?: (language: string) => Promise<string | null>;
  /** A line of the log. */
  say: SayLine;
  certificate: (paths: CertificatePaths) => Promise<Certificate>;
  /** The log is a terminal: what is written there nobody else reads, and nothing keeps. */
  onTerminal: () => boolean;
}

export interface ServeOptions {
  /** Where the page listens, whatever the configuration says; null: as it says. */
  listen: string | null;
  /** false: no page, whatever the configuration says. */
  page: boolean;
  /** The folder that holds the page's files. */
  folder: string;
}

export interface Daemon {
  /** Reads the configuration again and looks again. */
  again(): Promise<void>;
  /** A line of its log. */
  say: SayLine;
  /** Ends: a run under way is taken back, who waits for an answer gets it. Never rejects. */
  stop(): Promise<void>;
}

/** Milliseconds a call to rpcd may take. */
const RPCD_WITHIN = 5000;

/** Starts. Resolves when the page is there; rejects with an Error, a sentence, when it cannot be where the command line wants it. */
export async function serve(doors: Doors, options: ServeOptions): Promise<Daemon> {
  const { host, surveyor, clock } = doors;
  let wish: ServeWish = readConfiguration(null).serve;
  const say = filtered(doors.say, () => wish.log);
  /** What a reload has to say is one line. */
  const furnishing = createGathering(say);
  let busless: string | null = 'it has not answered yet';
  let bus: Bus | null = null;
  let stopping = false;
  /** Of the page. */
  let lang = 'auto';

  async function readWishes(): Promise<void> {
    const text = await host.read(WISH_CONFIG);
    // What cannot be read says nothing new; the report says that it cannot.
    if (text.state === 'failed')
      return furnishing.say(`${WISH_CONFIG} could not be read: ${text.because}; the daemon goes on as before`, 'error');
    const { serve: read, lang: language, problems } = readConfiguration(text.state === 'present' ? text.value : null);
    wish = read;
    lang = language;
    for (const problem of problems) furnishing.say(problem.text, 'warning');
  }

  function echo(command: string): void {
    say(`[#] ${command}`);
    bus?.echo(command);
  }

  const object = createObject({
    host,
    surveyor,
    clock,
    ...(doors.self === undefined ? {} : { self: doors.self }),
    catalog: async (language) => JSON.parse((await doors.words?.(language)) ?? 'null') as Catalog | null,
    onEcho: echo,
    onVerified: (report) => watch.seen(report, true),
  });
  const watch = createWatch({
    clock,
    look: () => object.passes.look(),
    outdate: () => object.passes.outdate(),
    busy: () => object.runs.running() !== null,
    announce(changed) {
      say(`verdict: ${changed.text}`, changed.alg === 'off' && changed.returns.length === 0 ? 'info' : 'warning');
      bus?.changed(changed);
    },
    trouble: (error) => say(`looking failed within sipalg itself: ${error.message}`, 'error'),
    every: () => wish.every,
  });
  const keep = createKeep({
    clock,
    time: () => host.now(),
    refresh: async () => (await surveyor.voice()).refresh(host),
    async apply(towards, goOn, onEcho) {
      const hear = (command: string): void => {
        onEcho();
        echo(command);
      };
      const applied = await apply(host, surveyor, towards, { writeDown: false, echo: hear, goOn });
      const report = await surveyor.report(applied.facts);
      object.passes.take(report);
      watch.seen(report, true);
      return applied;
    },
    look: () => watch.event(),
    busy: () => object.runs.running() !== null,
    say,
  });
  object.passes.onReport((report) => {
    watch.seen(report, false);
    keep.seen(report);
  });

  // What other programs send here may be damaged a thousand times in a minute.
  const sayOften = createRepeated(clock, (line) => say(line, 'warning'));
  const sayConnection = connectionSayer(say);
  const client = doors.ubus({
    onState(state) {
      busless = state.state === 'connected' ? null : `it is not connected (${state.reason})`;
      sayConnection(state);
    },
    onTrouble: (error) => sayOften(`ubus: ${error.message}`),
  });
  const handover = createHandover({ host, client, clock, say });
  bus = serveBus({ client, clock, call: object.call, onEvent: watch.event, say, handover });

  const saved = createSaved({
    host,
    tell: () => client.call('service', 'event', { type: 'config.change', data: { package: 'sipalg' } }, { timeout: RPCD_WITHIN }),
    again: furnish,
    apply: (towards) => apply(host, surveyor, towards, { writeDown: false, echo, goOn: () => !stopping }),
    look: watch.event,
    say,
  });

  const page = createPage({
    doors: { ...doors, say: furnishing.say },
    certificate: () => certificatePaths(host, wish),
    folder: options.folder,
    call: (method, args) => object.call(method, args, true),
    logins: createLogins((name, method, args) => client.call(name, method, args, { timeout: RPCD_WITHIN })),
    busless: () => busless,
    lang: () => lang,
    configuration: createConfiguration({ host, echo, onWritten: () => void saved.written() }),
    ...(doors.words === undefined ? {} : { words: doors.words }),
  });

  async function furnish(): Promise<void> {
    await readWishes();
    const wanted = options.page && (options.listen !== null || wish.page);
    await page.serve(wanted ? { listen: options.listen ?? wish.listen, must: options.listen !== null } : null);
  }

  const deafen = doors.firewall(watch.event);

  async function stop(): Promise<void> {
    stopping = true;
    deafen();
    watch.stop();
    const ending = Promise.all([page.stop(), keep.stop(), saved.settled()]);
    await object.stop();
    await ending;
    await bus?.stop();
  }

  try {
    await furnish();
  } catch (error) {
    await stop();
    throw error;
  }
  watch.start();
  return {
    say,
    async again() {
      const done = furnishing.begin();
      try {
        await furnish();
        await page.link();
      } finally {
        done('the configuration was read again');
      }
      watch.event();
    },
    stop,
  };
}
