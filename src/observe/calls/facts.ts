/**
 * What a diagnosis of calls needs beside the facts of every look, as plain JSON. It is seen by `sipalg diagnose` alone, so that
 * no other command pays for it. Of a flow `out` is from its beginner, `in` what came back. Times are seconds.
 */
import type { Reading } from '../../host/host.ts';
import type { Echoes } from '../../languages/kernel/echo.ts';
import type { Queue } from '../../languages/kernel/queues.ts';
import type { DropRule } from '../../languages/nft/drops.ts';
import type { PortSet, SipRedirect } from '../../languages/nft/translations.ts';
import type { Shaper } from '../shapers.ts';
import type { Ways } from '../wan.ts';
import type { Interval } from './intervals.ts';

export type { DropRule, Echoes, PortSet, Queue, SipRedirect };

export interface Counted {
  packets: number;
  bytes: number;
}

/** A flow of signalling (port 5060 or 5061 at either end), or of a device that has one, or that looks like audio. */
export interface CallFlow {
  protocol: 'udp' | 'tcp';
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  /** Who answers, and where the answers go to: what translation has made of both ends. */
  replySource: string;
  replyDestination: string;
  replyPort: number;
  /** Seconds it lives without a packet; null where the kernel prints none (it is offloaded). */
  left: number | null;
  /** null: not counted (`nf_conntrack_acct` 0, or it began before that was switched on). */
  out: Counted | null;
  in: Counted | null;
  /** UNREPLIED, ASSURED, OFFLOAD, HW_OFFLOAD. */
  flags: string[];
}

/** What a device could not take in or give out whole, of how many packets it took in; and whether it sends and listens by turns. */
export interface LinkErrors {
  device: string;
  packets: number;
  errors: number;
  half: boolean;
}

/** A network device that leads out. `ppp`: by its name. `errors`: its own, and those of the hardware below it. */
export interface Link {
  device: string;
  mtu: number;
  ppp: boolean;
  errors: Reading<LinkErrors[]>;
}

/** Echoes of an end of calls. */
export interface Path {
  address: string;
  to: 'provider' | 'phone';
  echoes: Reading<Echoes>;
}

/** Packets that a rule has counted by the mark they had. */
export interface MarkCount {
  /** `nft inet fw4 forward handle 7` */
  by: string;
  /** DSCP values. */
  marks: number[];
  packets: number;
}

/** What the kernel counted since it started, of all traffic. */
export interface Counters {
  /** `Ip.…`: fragments that came, packets put together of them, and those that could not be. */
  reasmReqds: number;
  reasmOks: number;
  reasmFails: number;
  /** Packets that were cut, and those that were too large and must not be. */
  fragCreates: number;
  fragFails: number;
}

/** The table of flows. */
export interface Table {
  count: number;
  most: number;
  /** Packets of new flows that found no place, without those that lost a race for one; and flows that had to go for others. */
  dropped: number;
  early: number;
  /** `nf_conntrack_expect_max`: how many holes all helpers together may keep; null where it is not shown. */
  expectations: number | null;
}

/** A socket on the router itself. */
export interface Listener {
  port: number;
  protocol: 'udp' | 'tcp';
  /** null: on every address. */
  address: string | null;
  /** null: whose it is could not be told (another user's, or it ended). */
  program: string | null;
}

/** By how many packets a rule that turns packets away grew. */
export interface Grown {
  family: string;
  table: string;
  chain: string;
  handle: number;
  packets: number;
}

/**
 * What a second look, a moment later, saw move. Counters are of different ages, and a firewall that is loaded anew begins its own
 * at 0: only what they grew by can be held against each other. What is optional is not in documents of 0.1.0 and older, and not
 * where the second look did not ask for it or it began anew meanwhile.
 */
export interface Moved {
  /** Between the two looks. */
  seconds: number;
  /** Packets from the internet that were turned away meanwhile; null where no rule counts them. `seconds`: between those two counts. */
  rejected: (Counted & { seconds?: number }) | null;
  /** By how many packets each rule of `drops` that was there again grew. */
  dropped?: Grown[];
  /** The flows of the first look that were there again, of audio and of signalling, and by how many packets they grew. */
  flows: {
    source: string;
    sourcePort: number;
    destination: string;
    destinationPort: number;
    out: number;
    in: number;
    /** Bytes that went out. */
    outBytes?: number;
  }[];
  /** Bytes that went through each device that leads out. */
  traffic: { device: string; in: number; out: number }[];
  /** null: not asked, for no symptom of quality was. */
  paths: Path[] | null;
  /** The same bytes for each part of the time, in which the echoes were sent five a second. */
  parts?: { seconds: number; traffic: { device: string; in: number; out: number }[] }[];
  /** What rules counted by marks. */
  marks?: MarkCount[];
  /** Packets of audio that the voice rules marked. */
  voice?: number;
  /** What queues sent and dropped meanwhile; `backlog` is what waits at the end. */
  queues?: Queue[];
  counters?: Counters;
  table?: { dropped: number; early: number };
  arrivals?: { processed: number; dropped: number };
  /** What devices could not take in or give out whole. */
  errors?: { device: string; packets: number; errors: number }[];
}

export interface CallFacts extends Ways {
  flows: Reading<{
    signalling: CallFlow[];
    media: CallFlow[];
    /** How many more UDP flows there are than were looked at. */
    unseen: number;
  }>;
  /** Whether packets of flows are counted. */
  counts: Reading<boolean>;
  /** The router's own addresses. */
  own: string[];
  /** The default routes, the one that is taken first; a second one is another way to the internet. */
  routes: Reading<{ device: string; metric: number }[]>;
  links: Link[];
  counters: Reading<Counters>;
  table: Reading<Table>;
  /** Packets that the processors had no room for, of how many. */
  arrivals: Reading<{ processed: number; dropped: number }>;
  listeners: Reading<Listener[]>;
  /** Rules that turn packets away and name an address or a port, of nftables and of iptables. Absent: neither is there. */
  drops: Reading<DropRule[]>;
  /** Packets from the internet that were turned away by the rules that end a zone's way; null: none counts. */
  rejected: Counted | null;
  /** nftables alone: rules that lead SIP's ports to a device, beside those of /etc/config/firewall (UPnP, includes). */
  redirects: Reading<SipRedirect[]>;
  /** nftables alone: rules that give flows a random port outside, as `family table chain handle N`. */
  randomPorts: Reading<string[]>;
  /** nftables alone: rules that give flows ports out of a few. Not in documents of 0.1.0 and older. */
  portSets?: Reading<PortSet[]>;
  /** nftables alone: what rules have counted by marks. Beside it the voice rules' own counters and the tins of cake say something. */
  marks: Reading<MarkCount[]>;
  /** What waits at the devices. Absent: not asked, for neither a queue is set up nor a symptom of quality asked for; or no tc. */
  queues: Reading<Queue[]>;
  /** Peers of calls that a set holds by which some rule drops. */
  blocked: Reading<{ set: string; address: string }[]>;
  offload: Reading<{ software: boolean; hardware: boolean }>;
  shapers: Shaper[];
  /** `/proc/sys/kernel/version`: where Debian says which package the kernel is of. */
  build: Reading<string>;
  /** Seconds since the kernel began, which is since when it counts. Not in documents of 0.1.0 and older. */
  uptime?: Reading<number>;
  /** null: there was no reason for a second look. */
  moved: Moved | null;
  /** How often phones register and speak, as runs have noted that watched them. Not in documents of 0.1.0 and older. */
  intervals?: Reading<Interval[]>;
}
