/**
 * What was seen that the voice rules need to know, as plain JSON; a part of
 * `Facts` where `option policy` is 1, or something of ours is still there.
 */
import type { Reading } from '../host/host.ts';
import type { Ways } from '../observe/wan.ts';
import type { PolicyWish } from '../wish/wish.ts';
import type { InboundSeen } from './plan/inbound.ts';
import type { SeenPolicy } from './seen/iptables.ts';

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
  /** REGISTER, INVITE, OPTIONS; `TCP` for new connections. */
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
  /** Whether nothing of it has been changed since it was loaded. */
  intact: boolean;
  /** Names of what there is, kind by kind, for the transaction that replaces it. */
  objects: { kind: 'chain' | 'set' | 'map' | 'counter' | 'ct timeout'; name: string }[];
  counters: { name: string; packets: number; bytes: number }[];
  attempts: Attempt[];
  /** Addresses whose signalling was seen: phones and PBXs. */
  phones: string[];
}

export interface Offload {
  /** `flow_offloading` of /etc/config/firewall. */
  software: boolean;
  hardware: boolean;
  /** Rules of ours keep marked voice out of it. */
  excluded: boolean;
  /** fw4 alone: those rules, in its chain forward; absent where that chain is not loaded. */
  rules?: { handle: number; rule: string }[];
  /** fw4 alone: that chain puts flows into the offload, as it is loaded now. */
  loaded?: boolean;
}

/** Something that sets or reads DSCP marks after us. */
export interface Shaper {
  kind: 'sqm' | 'qosify';
  device: string;
  /** The script or mode, e.g. `piece_of_cake.qos`. */
  how: string;
  /** What it does to the marks, in one sentence; null where it fits. */
  conflict: string | null;
  /** The setting that fits, as a command; null where none is needed. */
  setting: string | null;
}

export interface PolicyFacts extends Ways {
  /** Whether `option policy` is 1. */
  wanted: boolean;
  wish: PolicyWish;
  backend: 'nft' | 'iptables';
  /** Whether kernel and tool can give a flow timeouts of its own. */
  perFlow: Reading<boolean>;
  /** iptables alone: matches and targets that are to be had, by name, as `iptables-restore --test` says. */
  extensions: Record<string, boolean>;
  names: Names;
  /** absent: nothing of ours is in the kernel. For iptables one per family. */
  inForce: { all: Reading<InForce>; ipv4: Reading<InForce>; ipv6: Reading<InForce> };
  /** iptables alone: the commands, and what of ours stands in which table. */
  iptables?: SeenPolicy['iptables'];
  /** Calls that providers may open to a PBX; absent or null where there is nothing of that. */
  inbound?: InboundSeen | null;
  /** Our own files, by path. */
  files: Record<string, Reading<string>>;
  offload: Reading<Offload>;
  shapers: Shaper[];
}
