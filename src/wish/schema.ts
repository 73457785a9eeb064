/**
 * The schema of /etc/config/sipalg: its section types, their options, what each may be, what it is where it is not
 * given, and what holds until a bad value is put right. The one place that knows any of it.
 */
import {
  addressOf,
  booleanOf,
  dscpOf,
  hostOf,
  languageOf,
  listenOf,
  networkOf,
  numberOf,
  pathOf,
  PORTS,
  portsOf,
  serverOf,
} from './values.ts';
import type { AlgWish, Dscp, HepServer, LogLevel } from './wish.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';

/** An option of one value. */
export interface One<T> {
  takes: 'option';
  /** undefined for what is not allowed. */
  read(given: string): T | undefined;
  /** What may stand there. */
  allowed: Line;
  /** What it is where nothing is given. */
  unset: T;
  /** What it is where something bad is given, and the sentence that says so. */
  bad(given: string): T;
  until: Said;
  /** What stands there is shown to nobody. */
  secret?: true;
}

/** A list; each value is read by itself, and a bad one is left out. As an option, its words are the values. */
export interface Many<T> {
  takes: 'list';
  /** undefined for what is not allowed; `wrong` where more can be said of it, as the end of a sentence. */
  read(given: string): T | { wrong: string } | undefined;
  allowed: Line;
}

export type Options = Readonly<Record<string, One<unknown> | Many<unknown>>>;

/** What was read of a section, by option. */
export type Values<O extends Options> = {
  [K in keyof O]: O[K] extends One<infer T> ? T : O[K] extends Many<infer T> ? T[] : never;
};

export interface SectionType {
  /** The name of the one section of this type; null: there may be many, each with a name of its own. */
  name: string | null;
  options: Options;
}

function one<T>(read: (given: string) => T | undefined, allowed: Line, unset: T, until: Said, bad = (_: string): T => unset): One<T> {
  return { takes: 'option', read, allowed, unset, bad, until };
}

const until = (value: string | number): Said => say('until-value', 'Until it is, it is {value}.', { value });
const ALLOWED_FLAG = say('allowed-flag', '1 or 0');
const flag = (unset: boolean): One<boolean> => one(booleanOf, ALLOWED_FLAG, unset, until(unset ? 1 : 0));

const number = (least: number, most: number, unit: Said, unset: number): One<number> =>
  one(
    (given) => numberOf(given, { least, most }),
    say('allowed-number', '{least} to {most} ({unit})', { least, most, unit }),
    unset,
    until(unset),
  );

const dscp = (name: string): One<Dscp> =>
  one(dscpOf, say('allowed-dscp', 'CS0 to CS7, AF11 to AF43, EF, VA, LE or 0 to 63'), dscpOf(name) as Dscp, until(name));

const many = <T>(read: Many<T>['read'], allowed: Line): Many<T> => ({ takes: 'list', read, allowed });

/** An address needs no asking. */
const HOST = (given: string): ReturnType<typeof serverOf> | ReturnType<typeof hostOf> => serverOf(given) ?? hostOf(given);
/** The most a number of 32 bits can be. */
const MOST_NODE = 4_294_967_295;

/** A bad path is one that cannot be read: the page says so, and asks for no password without TLS. */
const file = one<string | null>(
  pathOf,
  say('allowed-path', 'the path of a file, such as /etc/ssl/router.pem'),
  null,
  say('until-path', 'Until it is, the page is served on loopback alone.'),
  (given) => given,
);

const LOG: readonly LogLevel[] = ['info', 'warning', 'error'];
const ALG: readonly AlgWish[] = ['unmanaged', 'disabled', 'enabled'];

/** A day: no registration is longer, and a flow that is forgotten later only fills the table. */
const seconds = (unset: number): One<number> => number(30, 86_400, say('unit-seconds', 'seconds'), unset);
const rate = (unset: number): One<number> => number(1, 6000, say('unit-requests', 'requests per minute'), unset);
const network = many(networkOf, say('allowed-network', 'a network such as 203.0.113.0/24, or an address'));

export const SCHEMA = {
  sipalg: {
    name: 'main',
    options: {
      alg: one<AlgWish>(
        (given) => ALG.find((word) => word === given),
        say('allowed-alg', 'unmanaged, disabled or enabled'),
        'unmanaged',
        say('until-alg', 'Until it is, the ALG is left as it is (unmanaged).'),
      ),
      lang: one<string>(
        languageOf,
        say('allowed-language', 'auto, en, or a language such as de or pt_BR'),
        'auto',
        say('until-language', 'Until it is, the browser decides.'),
      ),
      policy: one<boolean | null>(
        booleanOf,
        ALLOWED_FLAG,
        false,
        say('until-policy', 'Until it is, the voice firewall rules are left as they are.'),
        () => null,
      ),
      failback: flag(false),
    },
  },
  timeouts: {
    name: 'timeouts',
    options: { signalling_unreplied: seconds(120), signalling_replied: seconds(620), media: seconds(300) },
  },
  marking: { name: 'marking', options: { enabled: flag(true), overwrite: flag(false), media: dscp('EF'), signalling: dscp('CS3') } },
  limit: {
    name: 'limit',
    options: {
      enabled: flag(true),
      register: rate(5),
      invite: rate(10),
      options: rate(10),
      // A call that is refused takes an ACK, so it is more than `invite`.
      other: rate(20),
      kilobytes: number(1, 10_000, say('unit-kilobytes', 'kilobytes per second'), 2),
    },
  },
  provider: {
    name: null,
    options: {
      enabled: flag(true),
      host: many(
        HOST,
        say(
          'allowed-host',
          'a name such as sip.example.com or an address, each with a port from {least} to {most} where it has one of its own: '
            + 'sip.example.com:5080, 203.0.113.5:5080, [2001:db8::5]:5080',
          PORTS,
        ),
      ),
      signalling: network,
      media: network,
      marking: flag(true),
      inbound: flag(false),
      pbx: many(addressOf, say('allowed-pbx', 'the address of a PBX, such as 192.168.1.20')),
      port: many((given) => numberOf(given, PORTS), say('allowed-port', '{least} to {most}', PORTS)),
      media_ports: one<string | null>(
        portsOf,
        say('allowed-ports', 'two ports, the first below the second, such as 10000-20000'),
        null,
        say('until-audio', 'Until it is, no audio ports are opened.'),
      ),
    },
  },
  site: { name: null, options: { enabled: flag(true), network } },
  serve: {
    name: 'serve',
    options: {
      enabled: flag(true),
      page: flag(true),
      listen: one<string | null>(
        listenOf,
        say('allowed-listen', 'an address and a port, such as 127.0.0.1:8061, 192.168.1.1:8061 or [::1]:8061'),
        null,
        say('until-page', 'Until it is, the page is not served.'),
        (given) => given,
      ),
      every: number(1, 1440, say('unit-minutes', 'minutes'), 5),
      log: one<LogLevel>(
        (given) => LOG.find((word) => word === given),
        say('allowed-log', 'info, warning or error'),
        'info',
        until('info'),
      ),
      cert: file,
      key: file,
    },
  },
  metrics: { name: 'metrics', options: { enabled: flag(false), every: number(10, 86_400, say('unit-seconds', 'seconds'), 60) } },
  hep: {
    name: 'hep',
    options: {
      enabled: flag(false),
      server: one<HepServer | null>(
        HOST,
        say('allowed-hep-server', 'the name or address of a Homer server: homer.example.com, 203.0.113.5:9060'),
        null,
        say('until-hep', 'Until it is, nothing is sent.'),
      ),
      node: number(1, MOST_NODE, say('unit-node', 'the number of this router there'), 1),
      password: { ...one<string>((given) => given, say('allowed-password', 'one word'), '', until("''")), secret: true },
      calls: flag(false),
    },
  },
} as const satisfies Readonly<Record<string, SectionType>>;

export type TypeName = keyof typeof SCHEMA;
