/** Where a watch looks: the table of flows, its events, counters and the kernel's log, by the doors that are handed in. */
import type { Followed, FollowedEnd, Following, Host, Reading } from '../host/host.ts';
import { parseFlowEvent, endsOf } from '../languages/kernel/conntrack-events.ts';
import { parseSnmp } from '../languages/kernel/counters.ts';
import { parseConntrackFlow, parseProcFlow } from '../languages/kernel/conntrack.ts';
import type { Flow } from '../languages/kernel/conntrack.ts';
import { parseHelperDrop } from '../languages/kernel/log.ts';
import { countedPackets } from '../languages/nft/counted.ts';
import { waysOut } from '../probe/phones/ways-out.ts';
import { networkOf } from './network.ts';
import type { Network } from './network.ts';
import type { Counters, Watching } from './watching.ts';
import { say, Trouble } from '../words/say.ts';
import type { Said } from '../words/say.ts';

const TABLE = '/proc/net/nf_conntrack';
const ACCT = '/proc/sys/net/netfilter/nf_conntrack_acct';
/** A table of 65,536 flows has 16 MB. */
const MOST_TABLE = 32 << 20;
/** Milliseconds between two readings of what conntrack says: each waking costs. */
const EVENTS_EVERY = 250;

/** This router's networks, and the devices by which the internet is reached. */
export async function networkNow(host: Host): Promise<Network> {
  // Where none is understood only private addresses are inside, which is what most LANs have.
  const { ipv4, ipv6 } = await waysOut(host);
  return networkOf(host.addresses(), new Set([...ipv4, ...ipv6]));
}

/** Whether an address is beyond this router, as its networks stand now. */
export async function isFarNow(host: Host): Promise<(address: string) => boolean> {
  const network = await networkNow(host);
  return (address) => !network.isLocal(address);
}

/** Whether the kernel counts the packets of a flow; null where that could not be read. */
export async function countsPackets(host: Host): Promise<boolean | null> {
  const reading = await host.read(ACCT);
  return reading.state === 'present' ? reading.value.trim() === '1' : null;
}

/** Where the table of flows can be read. @throws Error in a sentence, with what to do */
export async function tableOf(host: Host): Promise<'proc' | 'conntrack'> {
  const because: Said[] = [];
  const proc = await host.read(TABLE, { select: { holding: ['no such line'] } });
  if (proc.state === 'present') return 'proc';
  because.push(
    proc.state === 'absent'
      ? say('because-not-there', '{source} is not there', { source: TABLE })
      : say('because-unread', '{source} could not be read: {because}', { source: TABLE, because: proc.because }),
  );
  const tool = await host.run(['conntrack', '-C']);
  if (tool.state === 'exited' && tool.code === 0) return 'conntrack';
  because.push(
    tool.state === 'absent'
      ? say('because-tool-not-installed', '{tool} is not installed', { tool: 'conntrack' })
      : say('watch-no-conntrack', 'conntrack cannot look either'),
  );
  if (host.process().uid !== 0)
    throw new Trouble(say('watch-root', 'the flows of the kernel can be read by root alone; run `sipalg watch` as root.'));
  throw new Trouble(
    say('watch-no-flows', 'the flows of the kernel cannot be read ({because}); install conntrack and kmod-nf-conntrack-netlink.', {
      because,
    }),
  );
}

/** One look at the table. What is not of SIP and not of a phone is passed over by its line. */
export async function lookAt(host: Host, watching: Watching, table: 'proc' | 'conntrack'): Promise<Reading<number>> {
  const source = table === 'proc' ? TABLE : 'conntrack -L';
  let text = '';
  if (table === 'proc') {
    const reading = await host.read(TABLE, { most: MOST_TABLE });
    if (reading.state !== 'present') return reading.state === 'absent' ? { state: 'absent', source } : { ...reading };
    text = reading.value;
  } else {
    for (const family of ['ipv4', 'ipv6']) {
      const outcome = await host.run(['conntrack', '-L', '-f', family], { most: MOST_TABLE });
      if (outcome.state !== 'exited' || outcome.code !== 0)
        return { state: 'failed', source, because: outcome.state === 'failed' ? outcome.because : 'it did not list them' };
      text += outcome.stdout;
    }
  }
  return { state: 'present', source, value: takeTable(text, watching, host.now(), table === 'proc' ? parseProcFlow : parseConntrackFlow) };
}

/** @returns how many flows the table holds */
export function takeTable(text: string, watching: Watching, at: number, parse: (line: string) => Flow): number {
  const look = watching.look(at);
  let flows = 0;
  for (let from = 0; from < text.length;) {
    const end = text.indexOf('\n', from);
    const line = text.slice(from, end < 0 ? undefined : end);
    from = end < 0 ? text.length : end + 1;
    if (line === '') continue;
    flows++;
    const ends = endsOf(line);
    if (ends === null || !watching.wants(ends.src, ends.dst, ends.dport, line)) continue;
    try {
      look.each(parse(line));
    } catch {
      // A line that is no flow: one is cut where the table changed while it was read.
    }
  }
  look.end();
  return flows;
}

/** Events as they come: of UDP alone, for a house makes hundreds of flows of TCP while it makes one call, and the table shows them. */
export function followEvents(following: Following, host: Host, watching: Watching): Followed {
  return following.follow(
    ['conntrack', '-E', '-p', 'udp'],
    (line) => {
      const ends = endsOf(line);
      if (ends === null || !watching.wants(ends.src, ends.dst, ends.dport, line)) return;
      try {
        watching.event(parseFlowEvent(line), host.now());
      } catch {
        // Not a flow's event.
      }
    },
    EVENTS_EVERY,
  );
}

/** Why there are no events, and what to do; null where they were stopped by us. */
export function whyNoEvents(end: FollowedEnd): Said | null {
  const instead = say('watch-instead', 'The table of flows is looked at instead, which shows less and later.');
  if (end.state === 'stopped') return null;
  if (end.state === 'absent')
    return say(
      'watch-no-tool',
      'conntrack is not installed, so flows cannot be followed as they come and go; install conntrack. {instead}',
      { instead },
    );
  const said =
    end.state === 'failed' ? end.because : (end.stderr.trim().split('\n').pop() ?? '').replace(/^conntrack v\S+ \(conntrack-tools\): /, '');
  return said === ''
    ? say('watch-ended', 'conntrack -E ended; on OpenWrt it needs kmod-nf-conntrack-netlink. {instead}', { instead })
    : say('watch-ended-said', 'conntrack -E ended ({said}); on OpenWrt it needs kmod-nf-conntrack-netlink. {instead}', {
        said: said.slice(0, 200),
        instead,
      });
}

/** A chain of fw4 that counts what it rejects from the zone of the internet. */
const REJECTING = ['inet', 'fw4', 'reject_from_wan'] as const;

/** Counters of IP by name; none where they cannot be read. */
async function countersOfIp(host: Host): Promise<ReadonlyMap<string, number>> {
  const snmp = await host.read('/proc/net/snmp');
  try {
    return snmp.state === 'present' ? parseSnmp(snmp.value) : new Map();
  } catch {
    return new Map();
  }
}

/** Counters of all the router. @param rejects whether the firewall has the chain; asked once */
export async function countersNow(host: Host, rejects: boolean): Promise<Counters> {
  const ip = await countersOfIp(host);
  const of = (name: string): number | null => ip.get(`Ip.${name}`) ?? null;
  return { rejected: rejects ? await rejectedNow(host) : null, fragFails: of('FragFails'), reasmFails: of('ReasmFails') };
}

/** null: no such chain, or it does not count. */
export async function rejectedNow(host: Host): Promise<number | null> {
  const outcome = await host.run(['nft', '-j', 'list', 'chain', ...REJECTING]);
  return outcome.state === 'exited' && outcome.code === 0 ? countedPackets(outcome.stdout) : null;
}

/** Lines of the kernel's log in which the SIP helper drops something, told from one reading to the next. */
export function createDrops(host: Host): (watching: Watching | null) => Promise<void> {
  const known = new Set<string>();
  return async (watching) => {
    const outcome = await host.run(['dmesg'], { select: { holding: ['nf_ct_sip: dropping packet'], much: true } });
    if (outcome.state !== 'exited') return;
    const lines = outcome.stdout.split('\n').filter((line) => line.includes('nf_ct_sip'));
    for (const line of lines.slice(-200)) {
      if (known.has(line)) continue;
      if (known.size > 1000) known.clear();
      known.add(line);
      const drop = watching === null ? null : parseHelperDrop(line);
      if (drop !== null) watching?.helperDropped(drop.reason, drop.fields['SRC'] ?? null, host.now());
    }
  };
}
