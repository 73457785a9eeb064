/**
 * Questions about facts that judge and plan both ask: is the tracker in the
 * kernel, can it be taken out and kept out, and what would set the helper again.
 * Pure; each answer is about what was read and nothing else.
 */
import type { Reading } from '../host/host.ts';
import { say } from '../words/say.ts';
import type { Line, Said } from '../words/say.ts';
import type { Facts, FlowFact, FlowFacts, IncludeUse, IptablesAssignment, Module, NftAssignment, NftFacts } from '../observe/facts.ts';
import { REWRITER, TRACKER } from '../observe/modules.ts';

function valueOf<T>(reading: Reading<T>): T | null {
  return reading.state === 'present' ? reading.value : null;
}

/** The module as it was read; null when it could not be. */
export function moduleIn(facts: Facts, which: 'tracker' | 'rewriter'): Module | null {
  return valueOf(facts.modules[which]);
}

/** Whether a module is in the kernel; null when that could not be read. */
export function inKernel(facts: Facts, which: 'tracker' | 'rewriter'): boolean | null {
  const module = moduleIn(facts, which);
  return module === null ? null : module.state === 'loaded' || module.state === 'built in';
}

/**
 * References to the tracker that nothing read here explains: an object or a rule of another network namespace, or tc, has
 * them. An nft object has one for each family it is for (nft_ct.c, nft_ct_helper_obj_init), an iptables rule one.
 */
function unexplained(facts: Facts): number {
  const { refcount = null, holders = [] } = moduleIn(facts, 'tracker') ?? {};
  if (refcount === null || facts.nft.state === 'failed' || facts.iptables.some(({ state }) => state === 'failed')) return 0;
  const objects = (valueOf(facts.nft)?.helpers ?? []).map(({ l3proto }) => (l3proto === 'ip' || l3proto === 'ip6' ? 1 : 2));
  const rules = facts.iptables.map((reading) => valueOf(reading)?.assignments.length ?? 0);
  return [...objects, ...rules].reduce((left, uses) => left - uses, refcount - holders.length);
}

/** What other than nf_nat_sip uses the tracker, and so keeps it in the kernel. */
export function otherHolders(facts: Facts): Line[] {
  const holders = (moduleIn(facts, 'tracker')?.holders ?? []).filter((holder) => holder !== REWRITER);
  return unexplained(facts) > 0 ? [...holders, say('holder-unseen', 'something unseen (another network namespace, or tc)')] : holders;
}

/** Whether the tracker can be unloaded: it is loaded, and nothing else needs it. */
export function canUnload(facts: Facts): boolean {
  return moduleIn(facts, 'tracker')?.state === 'loaded' && otherHolders(facts).length === 0;
}

/**
 * Whether /etc/modules.conf keeps modules out on this router: its kmodloader reads
 * the file (OpenWrt 23.05 and later). Where the loader could not be looked into,
 * the file's being there says so: ubox ships it as soon as it reads it.
 */
export function canBlock(facts: Facts): boolean {
  if (moduleIn(facts, 'tracker')?.state === 'built in') return false;
  const loader = valueOf(facts.boot.loader);
  return loader === null ? facts.boot.blacklist.state === 'present' : loader.readsBlacklist;
}

/**
 * Whether both modules are kept out. One alone is not enough: kmodloader loads a
 * module that another one depends on, blacklisted or not.
 */
export function isBlocked(facts: Facts): boolean {
  const blacklist = valueOf(facts.boot.blacklist);
  return canBlock(facts) && blacklist !== null && [TRACKER, REWRITER].every((name) => blacklist.modules.includes(name));
}

/**
 * The flows that are under the helper. Where the kernel does not show it, a long
 * life is the sign, and it is none where a `ct timeout` object may give one.
 */
export function flowsUnder(facts: Facts): FlowFact[] {
  const flows = valueOf(facts.flows);
  if (flows === null || (!flows.certain && (valueOf(facts.nft)?.timeouts ?? 0) > 0)) return [];
  return flows.flows;
}

/** How many more there are than are listed. */
export function flowsBeyond(facts: Facts): number {
  return flowsUnder(facts).length === 0 ? 0 : (valueOf(facts.flows)?.beyond ?? 0);
}

/** Addresses that rules give packets for their source; null where rules there may be were not seen, or are of an older document. */
export function sourcesGiven({ nft, iptables }: Facts): string[] | null {
  const there = [nft, ...iptables].filter(({ state }) => state !== 'absent');
  const each = there.map((reading) => valueOf<{ sources?: string[] }>(reading)?.sources ?? null);
  return each.length === 0 || each.includes(null) ? null : each.flatMap((one) => one ?? []);
}

/**
 * SIP flows that no answer reaches, and that would work if they began anew: the
 * WAN has an address now. One whose translation some rule still asks for is no such
 * flow (an address that is routed here need not be one of this router's own), and
 * where a rule's target is not told, none that was translated is. One that was not translated is stale only where its way
 * out translates: on a routed line, or behind DS-Lite, it never was to be.
 */
export function staleFlows(facts: Facts): FlowFacts['stale'] {
  const uci = valueOf(facts.firewall.uci);
  const sources = sourcesGiven(facts);
  if (!uci || !sources || !valueOf(facts.wan)?.addresses.some(({ family }) => family === 'ipv4')) return [];
  // By which way a flow leaves is told by its route; a rule of its owner's may send it another way, which the zone wan is a sign of.
  const plain = !uci.zones.some(({ name, masquerades }) => name === 'wan' && !masquerades);
  return (valueOf(facts.flows)?.stale ?? []).filter(({ lost, device }) =>
    lost === ''
      ? plain && device !== undefined && device !== null && translates(facts, device) === true
      : !sources.includes('') && !sources.includes(lost) && !uci.text.includes(lost),
  );
}

/** Assignments that packets come to; the others set nothing, wherever they stand. */
export function assignmentsOf(facts: Facts): { nft: NftAssignment[]; iptables: { source: string; rule: IptablesAssignment }[] } {
  return {
    nft: (valueOf(facts.nft)?.assignments ?? []).filter(({ reached }) => reached !== false),
    iptables: facts.iptables.flatMap((reading) =>
      (valueOf(reading)?.assignments ?? []).flatMap((rule) => (rule.reached === false ? [] : [{ source: reading.source, rule }])),
    ),
  };
}

/** Whether IPv4 flows that leave by a device are translated; null: other things decide, or it was not seen. */
export function translates(facts: Facts, device: string): boolean | null {
  const readings: Reading<Pick<NftFacts, 'translates'>>[] = [facts.nft, ...facts.iptables];
  const tables = readings.filter(({ state }) => state !== 'absent').map((reading) => valueOf(reading)?.translates);
  const each = tables.map((table) => (table === undefined ? null : (table[Object.hasOwn(table, device) ? device : ''] ?? null)));
  return each.includes(true) ? true : each.includes(null) ? null : false;
}

/**
 * What becomes of flows under the helper: how many of those that are seen are translated, and so edited, and how many only
 * watched; null where the kernel does not show flows.
 */
export function flowsTouched(facts: Facts): { translated: number; watched: number } | null {
  if (!valueOf(facts.flows)?.certain) return null;
  const flows = flowsUnder(facts);
  const translated = flows.filter((flow) => flow.translated !== false).length;
  return { translated, watched: flows.length - translated };
}

/** Nothing that leaves by the default way is translated, nor any flow that is seen: the helper has nothing to edit. */
export function isWatchedOnly(facts: Facts): boolean {
  const device = valueOf(facts.wan)?.device;
  return device !== undefined && translates(facts, device) === false && !flowsUnder(facts).some(({ translated }) => translated !== false);
}

/** Something that sets the helper whenever the firewall is loaded while the tracker is there. */
export interface Assigner {
  kind: 'zone lists sip' | 'zone automatic' | 'set_helper rule' | 'include' | 'script' | 'sysctl' | 'of unknown origin';
  /** Where it is written: a section, or a file and a line. */
  where: string;
}

export const place = ({ file, line }: { file: string; line: number }): string => `${file}:${line}`;

/** Where a section of /etc/config/firewall stands. */
export const sectionPlace = ({ section, line }: { section: string; line: number }): string => `${section} (/etc/config/firewall:${line})`;

/** All that would set the helper at the next load of the firewall. */
export function assigners(facts: Facts): Assigner[] {
  const uci = valueOf(facts.firewall.uci);
  const found: Assigner[] = [];
  for (const zone of uci?.zones ?? []) {
    if (zone.sip === 'listed') found.push({ kind: 'zone lists sip', where: `${sectionPlace(zone)}, zone ${zone.name}` });
    if (zone.sip === 'automatic') found.push({ kind: 'zone automatic', where: `${sectionPlace(zone)}, zone ${zone.name}` });
  }
  for (const rule of uci?.setHelper ?? []) if (rule.enabled) found.push({ kind: 'set_helper rule', where: sectionPlace(rule) });
  // The setting says something only on a kernel that still has it.
  if (facts.automatic.state !== 'absent')
    for (const one of valueOf(facts.boot.automatic) ?? [])
      found.push({ kind: 'sysctl', where: `${place(one)}: net.netfilter.nf_conntrack_helper=${one.value}` });
  for (const use of valueOf(facts.firewall.includes) ?? [])
    found.push({ kind: use.kind === 'runs' ? 'script' : 'include', where: `${place(use)}: ${use.text}` });
  return found;
}

/**
 * Lines of included files that make fw4's whole ruleset fail without the helper.
 * Where the module is not on this router at all they fail already, and blocking
 * it changes nothing; where it is part of the kernel they never fail.
 */
export function includesThatNeedHelper(facts: Facts): IncludeUse[] {
  const tracker = moduleIn(facts, 'tracker');
  if (tracker === null || tracker.state === 'not there' || tracker.state === 'built in') return [];
  return (valueOf(facts.firewall.includes) ?? []).filter(({ kind }) => kind !== 'runs');
}

/**
 * What decides whether the firewall loads without the helper, as one short text:
 * while it stays the same, there is no need to find out again.
 */
export function fingerprint(facts: Facts): string {
  const text = JSON.stringify([valueOf(facts.firewall.uci)?.text ?? null, valueOf(facts.firewall.includes) ?? null]);
  let hash = 5381; // djb2: told apart, not kept secret
  for (let at = 0; at < text.length; at++) hash = ((hash * 33) ^ text.charCodeAt(at)) >>> 0;
  return `${text.length}-${hash.toString(16)}`;
}

const HELD_BY_LOAD = 'without the SIP modules the firewall would not load: ';

/** @param because what the firewall said */
export const heldByLoad = (because: string): Said =>
  say('held-by-load', 'without the SIP modules the firewall would not load: {because}', { because });

/** Why SIP cannot be blocked without losing the firewall; null when nothing speaks against it. */
export function heldBy(facts: Facts): { because: Said; lines: string[] } | null {
  const lines = includesThatNeedHelper(facts);
  if (lines.length > 0) {
    return {
      because: say('held-by-include', 'a hand-written include needs the SIP helper, and without it the firewall would not load at all'),
      lines: lines.map((use) => `${place(use)}: ${use.text}`),
    };
  }
  const held = valueOf(facts.journal)?.held ?? null;
  if (held === null || held.of !== fingerprint(facts)) return null;
  // The journal keeps the sentence; what the firewall had said stands behind it.
  const why = held.because.startsWith(HELD_BY_LOAD) ? held.because.slice(HELD_BY_LOAD.length) : null;
  return { because: why === null ? { code: 'held', text: held.because } : heldByLoad(why), lines: [] };
}

const reason = ({ code, text }: Said): { because: string; says: string } => ({ because: text, says: code });

/** Which readings, of those that decide, could not be read. */
export function unread(facts: Facts): { source: string; because: string; says?: string }[] {
  const tracker = moduleIn(facts, 'tracker');
  const decisive: Reading<unknown>[] = [facts.modules.tracker];
  if (tracker === null || tracker.state === 'loaded' || tracker.state === 'built in') {
    decisive.push(facts.nft, ...facts.iptables, facts.automatic, facts.flows, facts.expectations);
  }
  if (tracker === null || tracker.state !== 'not there') {
    decisive.push(
      facts.firewall.uci,
      facts.firewall.definitions,
      facts.firewall.includes,
      facts.boot.autoload,
      facts.boot.blacklist,
      facts.boot.automatic,
    );
  }
  const failed: { source: string; because: string; says?: string }[] = decisive.flatMap((reading) =>
    reading.state === 'failed' ? [{ source: reading.source, because: reading.because }] : [],
  );
  const firewall = valueOf(facts.system.firewall);
  if (firewall === 'fw4' && facts.nft.state === 'absent' && tracker?.state !== 'not there') {
    failed.push({
      source: facts.nft.source,
      ...reason(say('unread-nft', 'nft is not installed, though the firewall of this router is made of it')),
    });
  }
  if (firewall !== null && facts.firewall.uci.state === 'absent' && tracker?.state !== 'not there') {
    failed.push({
      source: facts.firewall.uci.source,
      ...reason(say('unread-uci', 'the file is not there, though the firewall of this router is written in it')),
    });
  }
  return failed.filter((one, index) => failed.findIndex(({ source }) => source === one.source) === index);
}
