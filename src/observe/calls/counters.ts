/** What the kernel has counted since it began. */
import type { Host, Reading } from '../../host/host.ts';
import { parseSnmp, parseSoftnet, parseTracked } from '../../languages/kernel/counters.ts';
import { orElse, present, understood } from '../reading.ts';
import { observeNumber } from '../system.ts';
import type { CallFacts, Counters, Table } from './facts.ts';

export async function observeCounters(host: Host): Promise<Reading<Counters>> {
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

export async function observeTable(host: Host): Promise<Reading<Table>> {
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

export const observeArrivals = async (host: Host): Promise<CallFacts['arrivals']> =>
  understood(await host.read('/proc/net/softnet_stat'), parseSoftnet);

/** Seconds since the kernel began (proc_uptime(5)). */
export const observeUptime = async (host: Host): Promise<Reading<number>> =>
  understood(await host.read('/proc/uptime'), (text) => {
    const seconds = parseFloat(text);
    if (!Number.isFinite(seconds)) throw new Error('it holds no number');
    return Math.floor(seconds);
  });
