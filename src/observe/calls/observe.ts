/** Looks at what a diagnosis of calls needs beside the facts of every look. Never throws, and changes nothing. */
import type { Host, Reading } from '../../host/host.ts';
import { parseSockets } from '../../languages/kernel/counters.ts';
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
import { clockOf, lookAgain } from './again.ts';
import type { Again } from './again.ts';
import { observeArrivals, observeCounters, observeTable, observeUptime } from './counters.ts';
import type { CallFacts, CallFlow, DropRule, Listener } from './facts.ts';
import { createCollector } from './flows.ts';
import { observeIntervals } from './intervals.ts';
import { observeLinks, observeQueues } from './links.ts';
import { createDropReader, observeBlocked, observeDropRules, rejectedOf, withIptables } from './rules.ts';
import { meets } from '../../languages/nft/drops.ts';

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

type Seen = { signalling: CallFlow[]; media: CallFlow[] };

/** Whether a rule that has turned something away meets what a phone sends or gets: only whether it does so now tells of calls. */
function isMet(rule: DropRule, { signalling, media }: Seen): boolean {
  if (rule.packets === 0 || rule.packets === null) return false;
  const peers = new Set(signalling.map(({ destination }) => destination));
  return [...signalling, ...media].some(
    ({ source, sourcePort, destination, destinationPort, replySource, replyDestination, replyPort }) =>
      meets(rule, { source, sourcePort, destination, destinationPort })
      || meets(rule, { source: replySource, sourcePort: destinationPort, destination: replyDestination, destinationPort: replyPort })
      || meets(rule, { source: replySource, sourcePort: destinationPort, destination: source, destinationPort: sourcePort })
      // Where the first packet is dropped there is no flow: anything that the phone sends to where it signals.
      || (peers.has(destination) && meets(rule, { source, sourcePort: null, destination, destinationPort: null })),
  );
}

/** Something that a phone says again and again during a call: the next time tells. */
const isRepeated = ({ signalling, media }: Seen): boolean =>
  signalling.some(
    ({ source, out, in: back }) =>
      (out?.packets ?? 0) - (back?.packets ?? 0) >= 5
      && media.some((flow) => flow.source === source && (flow.out?.packets ?? 0) >= 20 && (flow.in?.packets ?? 0) >= 20),
  );

/** Audio of a caller's that goes one way only, or whose device has no signalling: whether it moves now decides what is said of it. */
function isWorthIt({ signalling, media }: Seen, drops: readonly DropRule[]): Again | null {
  const callers = new Set(signalling.map(({ source }) => source));
  const peers = new Set(signalling.map(({ destination }) => destination));
  if (isRepeated({ signalling, media })) return 'waits';
  const moves = media.some((flow) =>
    callers.has(flow.source) ? flow.in?.packets === 0 && (flow.out?.packets ?? 0) >= 20 : peers.has(flow.destination),
  );
  return moves || drops.some((rule) => isMet(rule, { signalling, media })) ? 'moves' : null;
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
  let [flowsAt, rulesAt] = [clockOf(host), clockOf(host)];
  const look = looking({
    flows: () => {
      flowsAt = clockOf(host);
      return (collector = createCollector()).take;
    },
    rules: () => {
      rulesAt = clockOf(host);
      return (listing = createDropReader()).take;
    },
  });
  const rest = Promise.all([
    observeNumber(host, '/proc/sys/net/netfilter/nf_conntrack_acct'),
    host.read('/proc/net/route'),
    observeCounters(host),
    observeTable(host),
    observeArrivals(host),
    observeListeners(host),
    observeShapers(host),
    host.read('/proc/sys/kernel/version'),
    observeUptime(host),
  ]);
  const facts = await look;
  const { policy } = facts;
  const ways = policy.state === 'present' ? policy.value : await observeWays(host, { ...facts, nft: NOT_ASKED });
  const { wan, lan, down, uplinks } = ways;
  const devices = orElse(wan, []);
  const links = observeLinks(host, devices);
  const flows = understood(facts.flows, () => collector.end());
  const seen = orElse(flows, { signalling: [], media: [], unseen: 0 });
  const own = host.addresses().map(({ address }) => address);
  const peers = [...new Set(seen.signalling.flatMap(({ source, destination }) => [source, destination]))]
    .filter((address) => !own.includes(address) && !isInside(address, { lan }))
    .slice(0, 16);
  const rules = await withIptables(host, facts, listing.end(facts.nft));
  const { drops, redirects, randomPorts, portSets, marks } = rules;
  const rejected = rejectedOf(rules, devices);
  const [counts, route, counters, table, arrivals, listeners, shapers, build, uptime] = await rest;
  // Where rules could not be listed, it is not known which sets there are.
  const blocked = drops.state === 'present' ? await observeBlocked(host, rules, peers) : drops;
  const isPhone = (address: string): boolean => !own.includes(address) && lan.some((one) => isWithin(address, one));
  const worth = isWorthIt(seen, orElse(drops, []));
  const what = again === 'moves' && worth === 'waits' ? worth : (again ?? worth);
  const queues: CallFacts['queues'] =
    again === 'misses' || shapers.length > 0 ? await observeQueues(host) : { state: 'absent', source: 'tc qdisc show' };
  const voice = policy.state === 'present';
  const first = { flows, counters, table, arrivals, links: await links, queues, flowsAt, rules, rulesAt, voice };
  const list = (): ReturnType<typeof observeDropRules> => observeDropRules(host, facts);
  const moved = what === null ? null : await lookAgain(host, devices, first, what, isPhone, list);
  const calls: CallFacts = {
    wan,
    lan,
    ...(down === undefined ? {} : { down }),
    ...(uplinks === undefined ? {} : { uplinks }),
    flows,
    counts: understood(counts, (value) => value !== 0),
    own,
    routes: understood(route, parseDefaultRoutes),
    links: first.links,
    counters,
    table,
    arrivals,
    listeners,
    drops,
    rejected,
    redirects,
    randomPorts,
    portSets,
    marks,
    queues,
    blocked,
    offload: offloadOf(facts),
    shapers,
    build: understood(build, (text) => text.trim()),
    uptime,
    moved,
    intervals: await observeIntervals(host),
  };
  return { ...facts, calls };
}
