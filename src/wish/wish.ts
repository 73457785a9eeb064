/** What /etc/config/sipalg can ask for, as plain JSON. schema.ts says how each of it is written, read.ts reads it. */
import type { Said } from '../words/say.ts';

/** unmanaged: look, never touch; disabled: keep the SIP ALG off; enabled: give back what was there before. */
export type AlgWish = 'unmanaged' | 'disabled' | 'enabled';

/** The section `sipalg`. */
export interface Wish {
  alg: AlgWish;
  /** Whether the voice firewall rules are wanted; null where that cannot be told, and they are left as they are. */
  policy: boolean | null;
  /** SIP flows of phones follow the line that new ones take. Not there: they stay where they are. */
  failback?: true;
}

/** What the resident daemon is told: the section `serve`. */
export interface ServeWish {
  /** false: no daemon is wanted. */
  enabled: boolean;
  /** Whether it serves the page. */
  page: boolean;
  /** Where the page listens, `ADDRESS:PORT`, as it is given, good or bad; null where it is not. */
  listen: string | null;
  /** Minutes between two looks that nothing asked for. */
  every: number;
  /** The least that is logged. */
  log: LogLevel;
  /** Files of a certificate and its key for the page, as they are given; null: the web server's. */
  cert: string | null;
  key: string | null;
}

/** How much a line of the daemon's log matters. */
export type LogLevel = 'info' | 'warning' | 'error';

/** Whether metrics are written for Prometheus's textfile collector, and every how many seconds: the section `metrics`. */
export interface MetricsWish {
  enabled: boolean;
  every: number;
}

/** A Homer server: a name or an address; null: no port was given with it. */
export type HepServer = ({ name: string } | { address: string }) & { port: number | null };

/** Whether the messages of phones are sent to a Homer server, and to which: the section `hep`. */
export interface HepWish {
  enabled: boolean;
  /** null: none is given, and nothing is sent. */
  server: HepServer | null;
  /** Number of this router there, 32 bits. */
  node: number;
  /** '' for none. */
  password: string;
  /** Calls alone: without registrations, OPTIONS, subscriptions and what they bring. */
  calls: boolean;
}

/** A DSCP class (RFC 2474): its name as the firewall writes it (`EF`, `CS3`, or the number), and its six bits, 0..63. */
export interface Dscp {
  name: string;
  value: number;
}

/** Seconds a UDP flow lives without a packet. */
export interface Timeouts {
  /** A SIP flow from the internet that has not been answered; a phone's lives as one that has, see voice/render/nft.ts. */
  signallingUnreplied: number;
  signallingReplied: number;
  media: number;
}

/** null: nothing is marked. `overwrite`: also what bears a mark already, which a phone has set; else it is left alone. */
export type Marking = { media: Dscp; signalling: Dscp; overwrite?: true } | null;

/**
 * Requests per minute and source address, `other` being those of every method that has no number of its own; `kilobytes` are those
 * per second that a source may send over TCP. null: nothing is limited.
 */
export type Limit = { register: number; invite: number; options: number; other: number; kilobytes: number } | null;

/** A section `provider` that is enabled. */
export interface Provider {
  /** The section's name. */
  name: string;
  /** Names to resolve, as given; `port` where one was given with it. */
  hosts: { name: string; port: number | null }[];
  /** Networks in canonical text. */
  signalling: string[];
  media: string[];
  /** Ports of its servers: with an address, or by themselves. Those with a name are in `hosts`. Not there where none are given. */
  ports?: number[];
  /** Not there: its voice is marked as all is. */
  marking?: false;
  /** A PBX this provider may open calls to; null for none. */
  inbound: { pbx: string[]; ports: number[]; mediaPorts: string | null } | null;
}

/** A section `site` that is enabled: phones of one's own out there, whose requests are never limited. */
export interface Site {
  /** The section's name. */
  name: string;
  /** In canonical text. */
  networks: string[];
}

/** What the voice firewall rules are to be like. */
export interface PolicyWish {
  timeouts: Timeouts;
  marking: Marking;
  limit: Limit;
  providers: Provider[];
  sites: Site[];
}

/**
 * Something in the configuration that is not in force, and what is wrong with it: all of it as a sentence. A document of a
 * former build has no code.
 */
export interface Problem extends Omit<Said, 'code'> {
  code?: string;
  /** As uci names it, sipalg.main; `sipalg` where the whole file is meant. */
  section: string;
  /** '' where the whole section or file is meant. */
  option: string;
  /** What stands there. */
  given: string;
  /** What may stand there. */
  allowed: string;
}

/** The whole file: what is in force of it, and what is not and why. */
export interface Configuration {
  wish: Wish;
  /** false: what is wished of the ALG could not be told, and `unmanaged` is what is done, not what is said. */
  said: boolean;
  /** Of the page of the daemon's own mount: `auto` (the browser's), or a language as gettext names it. */
  lang: string;
  serve: ServeWish;
  metrics: MetricsWish;
  hep: HepWish;
  voice: PolicyWish;
  problems: Problem[];
}
