/** `watch`: what happens to calls while it happens. */
import type { Followed, Host } from '../host/host.ts';
import { sightedOf } from '../watch/messages.ts';
import type { ExitCode } from '../survey/survey.ts';
import {
  countersNow,
  countsPackets,
  createDrops,
  followEvents,
  lookAt,
  networkNow,
  rejectedNow,
  tableOf,
  whyNoEvents,
} from '../watch/sources.ts';
import type { CauseName } from '../watch/causes.ts';
import type { Told } from '../watch/told.ts';
import { Watching } from '../watch/watching.ts';
import type { Summary } from '../watch/watching.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { intervalsOf, noteIntervals } from './noted-intervals.ts';
import type { Hep } from './hep.ts';
import { PhoneReader, sipPortsNow } from './phone-reader.ts';
import { resting } from './resting.ts';
import { namedIn, nameOf } from './watch-causes.ts';
import { summaryText, toldText } from './watch-text.ts';
import { putLine } from '../words/english.ts';
import { coded, say, textOf, Trouble } from '../words/say.ts';
import type { Line } from '../words/say.ts';

export const USAGE = say(
  'usage-watch',
  `usage: sipalg watch [--for SECONDS] [--json] [--numbers] [--no-record] [--hep]

Tells what happens to calls on this router while it happens: which phone speaks
to whom, registers, calls, rings, is answered and held; whether audio goes both
ways; when state runs out, what was dropped, and why where that can be told.
Ctrl-C ends it, and then it sums up.

--for SECONDS  ends by itself
--json         a line of JSON for each thing that happens, and one at the end
--numbers      also shows the number that was called
--no-record    looks at flows alone, and loads no table to record messages
--hep          also sends the messages of phones, as they pass at both sides, to
               the Homer server that the section hep of /etc/config/sipalg names;
               credentials are taken out

Nothing is written down but how often phones register and speak, in memory
(/var/run/sipalg.intervals), for diagnose and report, and nothing sent without
--hep. Messages are recorded in the kernel for some seconds, read, and forgotten;
nothing of what is said or heard is looked at. What goes over TLS is encrypted:
of it flows alone are told.

Exit codes: 0 no trouble was seen; 1 some was, and its cause named; 2 it could
not look.
`,
);

/** Milliseconds between looks at the table, at least and at most. */
const LOOK_EVERY = 3000;
const LOOK_AT_MOST = 60_000;
/** Milliseconds between two questions whether to go on. */
const TURN = 200;
const COUNTERS_EVERY = 10_000;
const EACH_EVERY = 2000;
const LONGEST = 30 * 86_400;

/** @throws Error in a sentence */
export function secondsOf(given: Given): number | null {
  const text = given.get('--for');
  if (text === undefined) return null;
  const seconds = /^\d{1,8}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > LONGEST)
    throw new Trouble(
      say('watch-seconds', '--for takes seconds, 1 to {most}, such as --for 600, and not "{given}".', {
        most: LONGEST,
        given: text.slice(0, 40),
      }),
    );
  return seconds;
}

/** What is said as it happens, in words or as JSON. */
function tellerOf(terminal: Terminal, json: boolean) {
  const named = new Set<CauseName>();
  return {
    told(told: Told): void {
      if (json) return terminal.json(line(told.cause === null ? told : { ...told, cause: nameOf(told.cause) }));
      const isNews = told.cause !== null && !named.has(told.cause);
      if (told.cause !== null) named.add(told.cause);
      terminal.out(toldText(told, isNews, terminal.put, terminal.width));
    },
    /** About the watch itself. */
    remark(said: Line): void {
      if (json)
        terminal.json(line({ at: Date.now(), what: 'remark', text: textOf(said), ...(typeof said === 'string' ? {} : coded(said)) }));
      else terminal.err(`sipalg: ${putLine(terminal.put, said)}\n`);
    },
  };
}

const timesOf = ({ causes }: Summary): Record<string, number> =>
  Object.fromEntries(namedIn(causes).map(({ code, times }) => [code, times]));

const line = (value: unknown): string =>
  `${JSON.stringify(value).replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)}\n`;

/** Runs tasks, each again some time after it has ended, until it is told to stop. */
async function loop(doors: Required<Pick<Doors, 'clock'>>, goOn: () => boolean, tasks: readonly Task[]): Promise<void> {
  const { clock } = doors;
  const due = tasks.map(() => clock.now());
  while (goOn()) {
    for (const [index, task] of tasks.entries()) {
      if (clock.now() < (due[index] as number) || !goOn()) continue;
      due[index] = clock.now() + (await task.run());
    }
    await new Promise<void>((resolve) => clock.after(TURN, resolve));
  }
}

interface Task {
  /** Resolves with the milliseconds until it is wanted again. */
  run(): Promise<number>;
}

/** A look costs as much as the table is long, and so is taken more rarely where it is. */
function looking(host: Host, now: () => number, watching: Watching, table: 'proc' | 'conntrack', remark: (said: Line) => void): Task {
  let failed = false;
  const { rest } = resting(LOOK_EVERY, LOOK_AT_MOST);
  return {
    async run() {
      const began = now();
      const reading = await lookAt(host, watching, table);
      watching.tick(host.now());
      if (reading.state === 'failed' && !failed)
        remark(say('watch-unread', '{source} could not be read: {because}.', { source: reading.source, because: reading.because }));
      failed = reading.state === 'failed';
      return rest(now() - began);
    },
  };
}

/**
 * @param each hears every few seconds how it stands
 * @throws Error in a sentence, where nothing can be watched
 */
export async function watch(
  doors: Doors,
  given: Given,
  terminal: Terminal,
  each: ((summary: Summary) => Promise<void>) | null = null,
): Promise<ExitCode> {
  const { host, clock, following } = doors;
  const seconds = secondsOf(given);
  if (clock === undefined || following === undefined) throw new Trouble(say('watch-unable', 'this build cannot follow what happens.'));
  const table = await tableOf(host);
  const json = given.has('--json');
  terminal.progress?.(null);
  const teller = tellerOf(terminal, json);
  const [network, counts, rejects, ports] = await Promise.all([
    networkNow(host),
    countsPackets(host),
    rejectedNow(host),
    sipPortsNow(doors, teller.remark),
  ]);
  const began = host.now();
  const watching = new Watching({ network, began, tell: teller.told, numbers: given.has('--numbers'), ports });
  const end = seconds === null ? Infinity : clock.now() + seconds * 1000;
  const goOn = (): boolean => terminal.goOn() && clock.now() < end && terminal.isRead?.() !== false;
  if (json) terminal.json(line({ at: began, what: 'watching', version: doors.surveyor.version, counts, table, ports }));
  else {
    const watched =
      seconds === null
        ? say('watching', 'Watching the SIP of this router; Ctrl-C ends it.')
        : say('watching-for', 'Watching the SIP of this router for {seconds} s.', { seconds });
    terminal.out(`${terminal.put(watched)}\n`);
  }
  if (counts === false)
    teller.remark(
      say(
        'watch-uncounted',
        'packets are not counted here (nf_conntrack_acct is 0), so whether audio goes both ways cannot be told; '
          + '`sysctl -w net.netfilter.nf_conntrack_acct=1` counts those of flows that begin behind it.',
      ),
    );
  const hepDoor = given.has('--hep') ? await import('./hep.ts') : null;
  const hep: Hep | null = hepDoor === null ? null : await hepDoor.Hep.from(doors, teller.remark);
  const listens = !given.has('--no-record');
  const reader: PhoneReader = new PhoneReader(doors, {
    kind: hep === null ? 'watch' : 'hep',
    ports,
    whole: hep !== null,
    remark: teller.remark,
    ...(hepDoor === null ? {} : { trouble: hepDoor.unrecordedSaid }),
    take(messages) {
      if (listens) watching.read(messages.map(sightedOf));
      hep?.take(messages, reader.missed);
    },
  });
  if (listens || hep !== null) await reader.begin();
  const drops = createDrops(host);
  await drops(null); // what is there already was before
  let followed: Followed | null = followEvents(await following(), host, watching);
  void followed.ended.then((how) => {
    followed = null;
    const why = whyNoEvents(how);
    if (why !== null) teller.remark(why);
  });
  try {
    await loop({ clock }, goOn, [
      // Messages first: what they say of audio is known when the table is looked at.
      ...(listens || hep !== null ? [reader] : []),
      ...(hep === null ? [] : [hep]),
      looking(host, () => clock.now(), watching, table, teller.remark),
      {
        async run() {
          watching.counters(await countersNow(host, rejects !== null), host.now());
          await drops(watching);
          watching.flows.network = await networkNow(host);
          return COUNTERS_EVERY;
        },
      },
      ...(each === null
        ? []
        : [
            {
              async run() {
                await each(watching.summary(host.now()));
                return EACH_EVERY;
              },
            },
          ]),
    ]);
  } finally {
    followed?.stop();
    await reader.end();
    watching.read([]); // what still waits for its request
    await hep?.close(reader.missed);
  }
  const summary = watching.summary(host.now());
  await each?.(summary);
  const unnoted = await noteIntervals(host, intervalsOf(summary, 'watch'));
  if (unnoted !== null) teller.remark(unnoted);
  const sent = hep === null ? {} : { hep: hep.counts };
  if (json) terminal.json(line({ at: host.now(), what: 'summary', ...summary, causes: timesOf(summary), ...sent }));
  else {
    terminal.out(summaryText(summary, listens && reader.hasRecorded, terminal.put, terminal.width));
    if (hep !== null) terminal.out(`${terminal.put((await import('./hep.ts')).sentSaid(hep.server, hep.counts))}\n`);
  }
  return Object.keys(summary.causes).length === 0 ? 0 : 1;
}
