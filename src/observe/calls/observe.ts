/** Looks at what a diagnosis of calls needs beside the facts of every look. Never throws, and changes nothing. */
import type { Host, Reading } from '../../host/host.ts';
import { parseSnmp, parseSockets, parseSoftnet, parseTracked } from '../../languages/kernel/counters.ts';
import { parseDefaultRoutes } from '../../languages/kernel/routes.ts';
import { optionOf, parseUci } from '../../languages/uci/parse.ts';
import type { Facts } from '../facts.ts';
import { boolean } from '../firewall.ts';
import { orElse, present, understood } from '../reading.ts';
import { observeShapers } from '../shapers.ts';
import { observeNumber } from '../system.ts';
import { observeWays } from '../wan.ts';
import type { Ways } from '../wan.ts';
import type { Also } from '../observe.ts';
import { isWithin } from '../../languages/address/within.ts';
import { lookAgain } from './again.ts';
import type { Again } from './again.ts';
import type { CallFacts, CallFlow, Counters, DropRule, Listener, Table } from './facts.ts';
import { createCollector } from './flows.ts';
import { observeIntervals } from './intervals.ts';
import { observeLinks, observeQueues } from './links.ts';
import { createDropReader, observeBlocked, rejectedOf } from './rules.ts';

const SIP_PORTS = [5060, 5061];

/** The programs that hold sockets, by inode: a walk over /proc that only somebody who listens on a port of SIP's is worth. */
async function programsOf(host: Host, inodes: ReadonlySet<number>): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  // The shell walks: a process for each of a hundred descriptors would be slow, and the door has no way to read a link.
  const script =
    'for f in /proc/[0-9]*/fd/*; do l=$(readlink "$f" 2>/dev/null) || continue; case $l in "socket:["*) echo "$f $l";; esac; done';
  const outcome = await host.run(['sh', '-c', script], { timeout: 5000 });
  const lines = outcome.state === 'exited' ? outcome.stdout.split('\n') : [];
  for (const line of lines) {
    const [, pid = '', inode = ''] = /^\/proc\/(\d+)\/fd\/\d+ socket:\[(\d+)\]$/.exec(line) ?? [];
    if (!inodes.has(Number(inode)) || inode === '') continue;
    found.set(Number(inode), orElse(await host.read(`/proc/${pid}/comm`), '').trim());
  }
  return found;
}

async function observeListeners(host: Host): Promise<Reading<Listener[]>> {
  const tables = await Promise.all(
    (['udp', 'udp6', 'tcp', 'tcp6'] as const).map(async (name) => ({ name, text: await host.read(`/proc/net/${name}`) })),
  );
  const [first] = tables;
  if (first === undefined || first.text.state !== 'present')
    return (first?.text ?? { state: 'absent', source: '/proc/net/udp' }) as Reading<never>;
  const open = tables.flatMap(({ name, text }) =>
    parseSockets(orElse(text, ''))
      .filter(({ port, state }) => SIP_PORTS.includes(port) && state === (name.startsWith('udp') ? 7 : 10))
      .map((socket) => ({ ...socket, protocol: name.startsWith('udp') ? ('udp' as const) : ('tcp' as const) })),
  );
  const programs = open.length === 0 ? new Map<number, string>() : await programsOf(host, new Set(open.map(({ inode }) => inode)));
  return present(
    '/proc/net/udp, /proc/net/tcp',
    open.map(({ port, protocol, address, inode }) => ({ port, protocol, address, program: programs.get(inode) ?? null })),
  );
}

async function observeCounters(host: Host): Promise<Reading<Counters>> {
  return understood(await host.read('/proc/net/snmp'), (text) => {
    const all = parseSnmp(text);
    const of = (name: string): number => all.get(`Ip.${name}`) ?? 0;
    return {
      reasmReqds: of('ReasmReqds'),
      reasmOks: of('ReasmOKs'),
      reasmFails: of('ReasmFails'),
      fragCreates: of('FragCreates'),
      fragFails: of('FragFails'),
    };
  });
}

async function observeTable(host: Host): Promise<Reading<Table>> {
  const [count, most, expectations, stat] = await Promise.all([
    observeNumber(host, '/proc/sys/net/netfilter/nf_conntrack_count'),
    observeNumber(host, '/proc/sys/net/netfilter/nf_conntrack_max'),
    observeNumber(host, '/proc/sys/net/netfilter/nf_conntrack_expect_max'),
    host.read('/proc/net/stat/nf_conntrack'),
  ]);
  if (count.state !== 'present') return count;
  if (most.state !== 'present') return most;
  const tracked = orElse(understood(stat, parseTracked), new Map<string, number>());
  return present(count.source, {
    count: count.value,
    most: most.value,
    // Who loses a race for the same flow counts under both (nf_conntrack_core.c, nf_ct_resolve_clash), however empty the table is.
    dropped: Math.max(0, (tracked.get('drop') ?? 0) - (tracked.get('insert_failed') ?? 0)),
    early: tracked.get('early_drop') ?? 0,
    expectations: expectations.state === 'present' ? expectations.value : null,
  });
}

function offloadOf({ firewall, system }: Facts): CallFacts['offload'] {
  return understood(firewall.uci, ({ text }) => {
    const defaults = parseUci(text).sections.find(({ type }) => type === 'defaults');
    const which = orElse(system.firewall, 'fw4');
    const on = (option: string): boolean => defaults !== undefined && boolean(which, optionOf(defaults, option), false) === true;
    const software = on('flow_offloading');
    return { software, hardware: software && on('flow_offloading_hw') };
  });
}

/** The devices that fw4 itself uses now would take one more process, and are those of the zones and of the default routes. */
const NOT_ASKED: Reading<never> = { state: 'absent', source: 'nft list chain inet fw4 input' };

/**
 * Audio of a caller's that goes one way only, or beside which a rule has dropped something, or whose device has no signalling: whether
 * it moves now decides what is said of it.
 */
function isWorthIt({ signalling, media }: { signalling: CallFlow[]; media: CallFlow[] }, drops: readonly DropRule[]): boolean {
  const callers = new Set(signalling.map(({ source }) => source));
  const peers = new Set(signalling.map(({ destination }) => destination));
  const dropping = drops.some(({ packets, limits, more }) => !limits && !more && (packets ?? 0) > 0);
  if (dropping && media.some(({ source }) => callers.has(source))) return true;
  return media.some((flow) =>
    callers.has(flow.source) ? flow.in?.packets === 0 && (flow.out?.packets ?? 0) >= 20 : peers.has(flow.destination),
  );
}

const isInside = (address: string, { lan }: Pick<CallFacts, 'lan'>): boolean => lan.some((one) => one.address === address);

/**
 * @param looking makes the look of every command, and hands over what it lists; its facts are waited for only where they are needed
 * @param again a symptom is asked for, for which it is worth a while to see what moves, or what is missing
 */
export async function observeCalls<F extends Facts & { policy: Reading<Ways> }>(
  host: Host,
  looking: (also: Also) => Promise<F>,
  again: Again | null,
): Promise<F & { calls: CallFacts }> {
  let collector = createCollector();
  let listing = createDropReader();
  const look = looking({
    flows: () => (collector = createCollector()).take,
    rules: () => (listing = createDropReader()).take,
  });
  const rest = Promise.all([
    observeNumber(host, '/proc/sys/net/netfilter/nf_conntrack_acct'),
    host.read('/proc/net/route'),
    observeCounters(host),
    observeTable(host),
    host.read('/proc/net/softnet_stat'),
    observeListeners(host),
    observeShapers(host),
    host.read('/proc/sys/kernel/version'),
  ]);
  const facts = await look;
  const { wan, lan, down } = facts.policy.state === 'present' ? facts.policy.value : await observeWays(host, { ...facts, nft: NOT_ASKED });
  const devices = orElse(wan, []);
  const links = observeLinks(host, devices);
  const flows = understood(facts.flows, () => collector.end());
  const seen = orElse(flows, { signalling: [], media: [], unseen: 0 });
  const own = host.addresses().map(({ address }) => address);
  const peers = [...new Set(seen.signalling.flatMap(({ source, destination }) => [source, destination]))]
    .filter((address) => !own.includes(address) && !isInside(address, { lan }))
    .slice(0, 16);
  const rules = listing.end(facts.nft);
  const { drops, sets, redirects, randomPorts, marks } = rules;
  const rejected = rejectedOf(rules, devices);
  const [counts, route, counters, table, softnet, listeners, shapers, build] = await rest;
  // Where rules could not be listed, it is not known which sets there are.
  const blocked = drops.state === 'present' ? await observeBlocked(host, sets, peers) : drops;
  const isPhone = (address: string): boolean => !own.includes(address) && lan.some((one) => isWithin(address, one));
  const what = again ?? (isWorthIt(seen, orElse(drops, [])) ? 'moves' : null);
  const queues: CallFacts['queues'] =
    again === 'misses' || shapers.length > 0 ? await observeQueues(host) : { state: 'absent', source: 'tc qdisc show' };
  const moved = what === null ? null : await lookAgain(host, devices, { flows, rejected, drops }, what, isPhone);
  const calls: CallFacts = {
    wan,
    lan,
    ...(down === undefined ? {} : { down }),
    flows,
    counts: understood(counts, (value) => value !== 0),
    own,
    routes: understood(route, parseDefaultRoutes),
    links: await links,
    counters,
    table,
    arrivals: understood(softnet, parseSoftnet),
    listeners,
    drops,
    rejected,
    redirects,
    randomPorts,
    marks,
    queues,
    blocked,
    offload: offloadOf(facts),
    shapers,
    build: understood(build, (text) => text.trim()),
    moved,
    intervals: await observeIntervals(host),
  };
  return { ...facts, calls };
}
