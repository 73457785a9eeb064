/** By what our own things are known on a router: the names of files, tables, chains, sets, sections and comments. */
import type { UciSection } from '../languages/uci/parse.ts';
import { POLICY_FILE } from './paths.ts';

/** The script that a firewall runs after each load, and the rules that fw4 takes in with one. */
export const INCLUDE_FILE = '/etc/sipalg.include';
export const OFFLOAD_FILE = '/etc/sipalg.offload';
/** Behind OpenWrt's own 11-nf-conntrack.conf, which says 60 and 180 s. */
export const SYSCTL_FILE = '/etc/sysctl.d/99-sipalg.conf';
/** How nft listed the rules right after they were loaded; in memory, for a boot loads them anew. */
export const LISTED_FILE = '/var/run/sipalg.policy';
/** Providers' names and the last good answers: what outlives a boot, and what is in memory, with the times. */
export const KEPT_NAMES = '/etc/sipalg.names';
export const NAMES = '/var/run/sipalg.names';
/** All that may be ours on disk and in memory, whatever is wished. */
export const OWN_FILES = [POLICY_FILE, INCLUDE_FILE, OFFLOAD_FILE, SYSCTL_FILE, LISTED_FILE, KEPT_NAMES, NAMES] as const;

/** Of nftables: the table, and how the chain begins whose name says which text is in force. */
export const TABLE = 'inet sipalg';
export const TEXT_CHAIN = 'text_';
/** What is limited by itself: methods by name, `other` for all that have none here, and new connections over TCP. */
export const METHODS = ['register', 'invite', 'options', 'other', 'tcp'] as const;
export type Method = (typeof METHODS)[number];
/** How long a source is remembered after its last request, in seconds. */
export const REMEMBERED = 86_400;
/** The same of a source that has asked once: who can write any source address must not fill the lists for a day. */
export const ONCE = 300;
/** How long it is known when a source was first seen, unless an element says less: 30 days. */
export const FIRST_KNOWN = 2_592_000;
/** The sets of providers' networks, which a text fills; all others are filled by the kernel. */
export const NETWORK_SETS = ['signalling4', 'signalling6', 'media4', 'media6', 'sites4', 'sites6'] as const;
export type NetworkSet = (typeof NETWORK_SETS)[number];

/** Of iptables and ipset: what the names of chains, sets and lists begin with. */
export const OURS = 'sipalg_';
/** Sets of ipset that the rules fill, and what they hold; how many entries each takes. */
export const PEER_SETS = {
  phones: 'ip',
  calls: 'ip,port',
  registering: 'ip,port',
  challenged: 'ip,port',
  returned: 'ip',
  asking: 'ip,port',
  inviting: 'ip,port',
  registered: 'ip,port',
  renewing: 'ip,port',
  offices: 'ip',
  once: 'ip',
} as const;
export const MOST_PEERS = 4096;
export type Family = 'ipv4' | 'ipv6';
/** What the names of a family's sets and lists end with. */
export const digit = (family: Family): 4 | 6 => (family === 'ipv4' ? 4 : 6);
/** Seconds a source stays in hashlimit's table after its last request; as long as it takes to have its whole rate again, and more. */
export const LIMIT_EXPIRES = 120;

/** How the comment begins by which our rules in fw4's chain forward are known; the classes follow. */
export const OFFLOAD_COMMENT = '!sipalg: voice';

/** Sections of /etc/config/firewall for calls from providers, beside `sipalg_include`. */
const SECTION = /^sipalg_\w+_(set|call|media)[46]/;
export const isInbound = ({ name }: Pick<UciSection, 'name'>): boolean => name !== null && SECTION.test(name);
/** Files in /etc that the firewall's sets of such calls are loaded from. */
export const LOADFILE = /^sipalg\.\w+[46]m?$/;
/** The set that a file is loaded into; no set of the voice rules themselves is called so. */
export const setOf = (file: string): string => file.replace(/^\/etc\/sipalg\.(\w+)([46]m?)$/, 'sipalg_$1_in$2');
export const INBOUND_SET = /^sipalg_\w+_in[46]m?$/;
/** What the firewall calls our rules; the comments of the rules in force hold it. */
export const TITLE = 'sipalg: ';
