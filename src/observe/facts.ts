/**
 * What is: everything `sipalg` has seen of a router, as plain JSON. It can be
 * saved on one machine and judged on another.
 *
 * A `Reading` says whether a thing is there, is not there, or could not be seen;
 * the last never looks like the second. Times are milliseconds since the epoch,
 * timeouts are seconds, handles and line numbers are what nft and editors count.
 */
import type { HostAddress, Reading } from '../host/host.ts';
import type { Wish, Problem } from '../wish/wish.ts';
import type { Journal } from '../journal/journal.ts';

/** A kernel module, as far as it shows. */
export interface Module {
  name: string;
  state:
    /** in the kernel, and can be taken out */
    | 'loaded'
    /** part of the kernel: cannot be taken out */
    | 'built in'
    /** not in the kernel, but a file of it is on this router */
    | 'on disk'
    | 'not there';
  /** References held; null where the kernel does not say. */
  refcount: number | null;
  /** Modules that use it. */
  holders: string[];
  /** /sys/module/NAME/parameters, by name; only those that could be read. */
  parameters: Record<string, string>;
  /** Its .ko file; null where none was found. */
  file: string | null;
}

/** A line that makes the kernel load a module at boot. */
export interface Autoload {
  file: string;
  line: number;
  module: string;
  args: string;
}

/** /etc/modules.conf: what kmodloader must not load. */
export interface Blacklist {
  text: string;
  modules: string[];
  /** Lines of no documented form: over some of them kmodloader ends, and then loads no module at all. */
  dangerous: { line: number; text: string; because: string }[];
}

/** One place where nftables sets a SIP helper. */
export interface NftAssignment {
  family: string;
  table: string;
  chain: string;
  handle: number;
  comment: string | null;
  /** The rule in nft's own words; null where the listing did not show it. */
  rule: string | null;
  /** What is left of the rule without SIP: null when nothing is, and the rule goes. */
  remains: string | null;
  /** The named map through which it is set, and its SIP elements as nft would write them. */
  map: { name: string; elements: string[] } | null;
  /** false: no packet comes there, so it sets nothing. Not in documents of 0.1.0 and older. */
  reached?: boolean;
}

/** A `ct helper` object of type sip, whatever its name. */
export interface NftHelper {
  family: string;
  table: string;
  name: string;
  handle: number;
  type: string;
  protocol: string;
  l3proto: string;
}

/** The rules of a chain that matters (it assigns SIP, or something is to be given back to it), in order. */
export interface ChainRules {
  family: string;
  table: string;
  chain: string;
  rules: { handle: number; text: string }[];
}

export interface NftFacts {
  version: string | null;
  helpers: NftHelper[];
  assignments: NftAssignment[];
  /** How many `ct timeout` objects there are. */
  timeouts: number;
  /** What rules translate a source to: addresses, '' for what is no single address. */
  sources: string[];
  /** Whether there are rules that iptables wrote in its nft flavour, which nft itself does not understand. */
  foreign: boolean;
  /** Families, ip or ip6, in whose table raw iptables' nft flavour has such a rule that may set a helper. Not there where none has. */
  targets?: string[];
  chains: ChainRules[];
  /** Every table there is, as `family table`. */
  tables: string[];
  /** Every chain there is, as `family table chain`. */
  present: string[];
  /** Those of fw4's, and of tables with assignments, that no packet comes to where a helper could be set. */
  unreached?: string[];
  /** Whether the source of an IPv4 flow is translated on its way out, by device; '' is every other one, null: that is not told. */
  translates?: Record<string, boolean | null>;
}

/** One iptables rule that sets a SIP helper. */
export interface IptablesAssignment {
  table: string;
  chain: string;
  /** 1-based place in its chain. */
  position: number;
  /** As iptables-save wrote it, after `-A CHAIN `. */
  rule: string;
  helper: string;
  /** false: no packet comes there, or none can match, so it sets nothing. */
  reached?: boolean;
}

export interface IptablesFacts {
  /** The command whose answer this is, e.g. `iptables-legacy-save`. */
  save: string;
  /** The command that takes changes, e.g. `iptables-legacy-restore`. */
  restore: string;
  /** What its header says; null where there was nothing to save. Not in documents of 0.1.0 and older. */
  flavour?: 'legacy' | 'nft' | null;
  assignments: IptablesAssignment[];
  /** The rules of every chain in a raw table, in order, after `-A CHAIN `. */
  chains: { table: string; chain: string; rules: string[]; reached?: boolean }[];
  /** Whether fw3's chains are there: it runs. */
  fw3?: boolean;
  /** As of `NftFacts`. */
  translates?: Record<string, boolean | null>;
  /** As of `NftFacts`; not in documents of 0.1.0 and older. */
  sources?: string[];
}

/** A zone of /etc/config/firewall, as far as helpers are concerned. */
export interface ZoneFact {
  /** As `uci show` names it. */
  section: string;
  line: number;
  name: string;
  masquerades: boolean;
  autoHelper: boolean;
  /** `list helper`, value by value. */
  helpers: string[];
  /** How the firewall would give this zone a SIP helper while the module is there. */
  sip: 'listed' | 'automatic' | 'not';
}

/** A rule with `option set_helper 'sip'`: without the module fw4's whole ruleset is refused because of it. */
export interface SetHelperFact {
  section: string;
  line: number;
  name: string | null;
  /** The firewall makes a rule of it. */
  enabled: boolean;
}

/** A redirect, or a rule that accepts, for SIP from the internet without a word of whose. */
export interface OpenSip {
  section: string;
  line: number;
  name: string | null;
  does: 'redirect' | 'accept' | 'drop';
  /** tcp, udp; empty: every protocol. */
  protocols: string[];
  /** 5060, 5061 */
  sip: number[];
  /** The address or zone it leads to; null for the router itself. */
  to: string | null;
}

export interface FirewallUci {
  text: string;
  autoHelper: boolean;
  autoIncludes: boolean;
  zones: ZoneFact[];
  setHelper: SetHelperFact[];
  /** fw3 alone: port forwards of 5060, which get the helper by themselves. */
  forwards: { section: string; line: number; name: string | null }[];
  /** `config include` sections that are in force. */
  /** By what everybody reaches SIP from the internet; not there where nothing does so. */
  open?: OpenSip[];
  /** Networks that alone are let in to SIP from the internet by an entry; not there where none are. */
  known?: string[];
  includes: { section: string; line: number; type: 'nftables' | 'script' | 'restore'; path: string }[];
}

/** What fw4 itself says of what it would load. */
export interface FirewallCheck {
  loads: boolean;
  /** Its error, where it would not; '' where it would. */
  because: string;
  /** When it was asked, in milliseconds since the epoch, where that was before this look: nothing that it reads is another since. */
  asked?: number;
}

/** A line of a file that somebody wrote and the firewall loads, which has to do with the SIP helper. */
export interface IncludeUse {
  file: string;
  line: number;
  text: string;
  /**
   * declares / assigns: inside the firewall's own transaction, which fails as a
   * whole without the module. runs: a script's line, which fails alone.
   */
  kind: 'declares' | 'assigns' | 'runs';
  name: string | null;
}

export interface HelperDefinition {
  name: string;
  module: string;
  /** Of its flows, where it has one alone. Not in documents of 0.1.0 and older, as `protocols`. */
  port?: number;
  protocols?: string[];
  /** Its module is in the kernel, and so the firewall would use it. */
  available: boolean;
}

/** A flow that carries the helper. */
export interface FlowFact {
  family: 'ipv4' | 'ipv6';
  protocol: string;
  source: string;
  sourcePort: number | null;
  destination: string;
  destinationPort: number | null;
  /** Where its replies are sent: the router's own address when it is translated. */
  replyDestination: string;
  timeout: number | null;
  helper: string | null;
  /** Whether its source or destination is translated, without which nothing in it is edited. Not in documents of 0.1.0 and older. */
  translated?: boolean;
  /** The arguments with which `conntrack -D` hits this flow alone. */
  remove: string[];
}

export interface FlowFacts {
  /** Those under the helper; of very many the first ones. */
  flows: FlowFact[];
  /** How many more there are under the helper, counted and not listed; not there where these are all. */
  beyond?: number;
  /**
   * true: the kernel said which flows carry the helper. false: it does not show it
   * (no conntrack tool), and these are flows on 5060 that live longer than a plain
   * flow may, which only the helper does.
   */
  certain: boolean;
  /**
   * SIP flows (port 5060 or 5061), under the helper or not, whose answers cannot
   * come back: `lost` is the address they go to, which the router no longer has;
   * '' where the flow was never translated and nobody has answered it, and `device` is the one its route leaves by.
   */
  stale: (FlowFact & { lost: string; device?: string | null })[];
  /** How many SIP flows were not looked at for that, because there are very many; not there where all were. */
  unseen?: number;
  /**
   * Flows from a phone's port 5060 or 5061 that leave the router from another, `port`, for the phone's own was taken; 20 at
   * most. Not in documents of 0.1.0 and older.
   */
  moved?: (FlowFact & { port: number })[];
}

/** Where calls go on a router with several lines, and what of them still goes elsewhere. */
export interface LineFacts {
  /** The device new flows leave by. */
  line: string;
  /** The one for which flows were ended last; null: none since the boot. */
  before: string | null;
  /** SIP flows of phones that have the address of another line, on the device `by`; 300 at most. */
  flows: (FlowFact & { by: string })[];
}

export interface ExpectationFact {
  source: string;
  destination: string;
  destinationPort: number | null;
  protocol: number;
  /** signalling, audio, video, image */
  class: string | null;
  permanent: boolean;
  timeout: number | null;
}

/** A message the helper dropped, from the kernel's log. */
export interface DropFact {
  /** Seconds since boot, where the log says. */
  time: number | null;
  reason: string;
  source: string | null;
  destination: string | null;
  destinationPort: string | null;
}

export interface Facts {
  /** When it was looked. */
  at: number;
  /** Effective user; what only root may read is `failed` for others. */
  uid: number;
  system: {
    /** e.g. `OpenWrt 24.10.2 r28739-d9340319c6` */
    release: Reading<string>;
    kernel: Reading<string>;
    packageManager: Reading<'opkg' | 'apk'>;
    /** Which firewall writes the rules. Absent: none of OpenWrt's. */
    firewall: Reading<'fw4' | 'fw3'>;
  };
  modules: {
    /** nf_conntrack_sip */
    tracker: Reading<Module>;
    /** nf_nat_sip */
    rewriter: Reading<Module>;
    /** Whether the firmware image itself holds the tracker. Absent: there is no /rom to tell by. */
    inImage: Reading<boolean>;
  };
  boot: {
    autoload: Reading<Autoload[]>;
    blacklist: Reading<Blacklist>;
    /** Whether this router's module loader reads /etc/modules.conf at all. Absent: no kmodloader. */
    loader: Reading<{ readsBlacklist: boolean }>;
    /** Files that set net.netfilter.nf_conntrack_helper to something other than 0 at boot. */
    automatic: Reading<{ file: string; line: number; value: string; text: string }[]>;
  };
  /** net.netfilter.nf_conntrack_helper, kernels up to 5.15. */
  automatic: Reading<number>;
  nft: Reading<NftFacts>;
  iptables: Reading<IptablesFacts>[];
  firewall: {
    uci: Reading<FirewallUci>;
    definitions: Reading<HelperDefinition[]>;
    includes: Reading<IncludeUse[]>;
    /** Absent: not asked (no fw4, not root, or no SIP module on this router). Not in documents of 0.1.0 and older. */
    check?: Reading<FirewallCheck>;
  };
  flows: Reading<FlowFacts>;
  /** Not there where `option failback` is not wished. */
  lines?: Reading<LineFacts>;
  expectations: Reading<ExpectationFact[]>;
  drops: Reading<DropFact[]>;
  timeouts: { udp: Reading<number>; udpStream: Reading<number> };
  wan: Reading<{ device: string; addresses: HostAddress[] }>;
  /** /etc/config/sipalg. */
  wish: {
    text: Reading<string>;
    wish: Wish;
    problems: Problem[];
    /** false: what is wished of the ALG could not be told. Not in documents of 0.1.0 and older. */
    said?: boolean;
  };
  /** What was taken away and can be given back. */
  journal: Reading<Journal>;
  /** Other files that the journal says were edited, as they are now, by path. */
  edited: Record<string, Reading<string>>;
}
