/**
 * What was seen that the voice rules need to know, as plain JSON; a part of `Facts` where `option policy` is 1, or something of
 * ours is still there. Nothing here has been held against the wish: what it means is `judge/`'s to say. Rules and networks that
 * are only compared stand here as a digest.
 */
import type { Reading } from '../host/host.ts';
import type { Shaper } from '../observe/shapers.ts';
import type { Ways } from '../observe/wan.ts';
import type { PolicyWish } from '../wish/wish.ts';
import type { Networks } from './digest.ts';
import type { NetworkSet } from './own.ts';

/** The last good answer for a name, and how the last try went. */
export interface Answer {
  /** In canonical text, sorted. */
  addresses: string[];
  /** Those of them that the last answer did not hold any more, and since when: kept for an hour, for phones are registered there. */
  former?: Record<string, number>;
  /** Addresses the last answer held that are of no use: a sentence for each. */
  refused?: string[];
  /** From SRV records; empty where there are none. */
  ports: number[];
  tlsPorts: number[];
  /** When it was answered, milliseconds since the epoch. */
  at: number;
  /** When it should be asked again, milliseconds since the epoch. */
  until: number;
  /** The last try, where it failed. */
  failed: { at: number; because: string } | null;
}

/** By name, in lower case. A name never answered has no addresses and `at` 0. */
export type Names = Record<string, Answer>;

/** SIP requests from one internet address that is no provider's. */
export interface Attempt {
  source: string;
  /** REGISTER, INVITE, OPTIONS; `OTHER` for all other methods, `TCP` for new connections. */
  method: string;
  /** Requests seen, and how many of them were dropped. iptables remembers the last 32 of a source, and a hundred sources. */
  seen: number;
  dropped: number;
  /** Milliseconds since the epoch; null where the kernel does not say. */
  first: number | null;
  last: number | null;
}

/** Our rules as they are in the kernel. */
export interface InForce {
  /** Which text was loaded: its fingerprint, kept in the rules themselves; null where it is not there any more. */
  mark: string | null;
  /** `hash` of all rules and declarations of ours, without handles, counts and what sets hold. */
  shape: string;
  /** The same of the listing that was kept right after they were loaded; null where there is none, or a cut one, and for iptables. */
  loaded: string | null;
  /** What the sets of providers' networks hold, by name; null for iptables. */
  networks: Record<NetworkSet, Networks> | null;
  /** Names of what there is, kind by kind, for the transaction that replaces it. */
  objects: { kind: 'chain' | 'set' | 'map' | 'counter' | 'ct timeout'; name: string }[];
  counters: { name: string; packets: number; bytes: number }[];
  attempts: Attempt[];
  /** Addresses whose signalling was seen: phones and PBXs. */
  phones: string[];
  /** Lists that the rules fill and in which something stands: how many entries each has, and how many it takes. */
  lists: { name: string; entries: number; most: number }[];
}

export interface Offload {
  /** `flow_offloading` of /etc/config/firewall. */
  software: boolean;
  hardware: boolean;
  /** fw4's chain forward; null where it is not loaded, and for fw3. */
  forward: {
    /** Rules of ours in it that let marked voice pass. */
    rules: { handle: number; rule: string }[];
    /** It puts flows into the offload, as it is loaded now. */
    loaded: boolean;
    /** One of those rules stands behind the rule that does so. */
    late: boolean;
  } | null;
}

/** What of ours stands in a table of iptables. */
export interface SeenTable {
  name: string;
  chains: string[];
  /** Rules of other chains that lead into ours, after `-A CHAIN `. */
  jumps: Jump[];
}

/** A rule in a chain that is not ours, which leads into one of ours. */
export interface Jump {
  chain: string;
  /** As iptables-save writes it, after `-A CHAIN `. */
  rule: string;
  /** It must stand right before the rule that offloads: behind whatever its owner has put there, for that may drop. */
  beforeOffload?: true;
}

/** A family's iptables: its commands, and what of ours stands there. */
export interface IptablesSeen {
  restore: string;
  tables: SeenTable[];
  /** `[packets:bytes]` by chain. */
  counted: Record<string, string>;
  /** Marked voice meets our rule before its flow could be offloaded. */
  keeps: boolean;
  /** Of chain FORWARD, from 1 and without ours: where the rule that offloads stands; null where there is none. */
  offloadAt?: number | null;
  /** Sets of ipset by whose addresses a rule of others drops; not there where there are none. */
  blocks?: string[];
  /** Our rule stands elsewhere than right before that one, or than behind all others where there is none. */
  misplaced?: boolean;
}

/** A rule of somebody else's that translates a destination, and which of our rules a packet meets after it. */
export interface InFront {
  /** As it was listed. */
  rule: string;
  /** Titles of ours. */
  before: string[];
}

/** What of the firewall's own rules and sets is ours: those for calls that providers may open. */
export interface InboundSeen {
  /** What our rules are called that the firewall has in force. */
  titles: string[];
  /** Why it could not be told which rules and sets there are, each with what was asked. Not there where all was read. */
  unread?: string[];
  /** Our sets that the firewall has, and what they hold. */
  sets: { name: string; networks: Networks }[];
  /** What stands in front of our redirects, for packets from the internet. Not in documents of 0.1.0 and older. */
  front?: Reading<InFront[]>;
}

/** Sets by whose addresses a rule of somebody else's drops, held against the providers. */
export interface Blocks {
  /** Sets that hold a network of a provider's. */
  holding: { set: string; provider: string; network: string }[];
  /** Sets that were not asked, for a look would spend a limit in them. */
  spared: string[];
  /** How many questions were left out, because there are very many. */
  unasked: number;
}

export interface PolicyFacts extends Ways {
  /** Whether `option policy` is 1. */
  wanted: boolean;
  wish: PolicyWish;
  backend: 'nft' | 'iptables';
  /** Whether the firewall is loaded: one that its owner has stopped is not loaded for our sake. Not in documents of 0.1.0 and older. */
  loaded?: Reading<boolean>;
  /** Whether kernel and tool can give a flow timeouts of its own. */
  perFlow: Reading<boolean>;
  /** iptables alone: matches and targets that are to be had, by name, as `iptables-restore --test` says. */
  extensions: Record<string, boolean>;
  names: Names;
  /** absent: nothing of ours is in the kernel. For iptables one per family. */
  inForce: { all: Reading<InForce>; ipv4: Reading<InForce>; ipv6: Reading<InForce> };
  /** The commands of iptables, and what of ours stands in which table; null for nftables. */
  iptables: {
    /** Absent: there is no iptables for that family. */
    ipv4: Reading<IptablesSeen>;
    ipv6: Reading<IptablesSeen>;
    /** Our sets of ipset, and how many entries each has; null where an old one does not say. */
    sets: { name: string; entries: number | null }[];
  } | null;
  /** Calls that providers may open to a PBX; null where there is nothing of that, and none is wished. */
  inbound: InboundSeen | null;
  /** Our own files, by path. */
  files: Record<string, Reading<string>>;
  offload: Reading<Offload>;
  shapers: Shaper[];
  /** Absent: nothing drops by such a set. Not in documents of 0.1.0 and older, and not where there is no provider. */
  blocks?: Reading<Blocks>;
}
