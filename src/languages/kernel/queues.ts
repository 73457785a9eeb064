/** `tc -j -s qdisc show` (iproute2, tc(8)): what waits at a device, and how much each class of it has sent. */
import { Refused, quote } from '../refused.ts';

/** The queue at the root of a device. */
export interface Queue {
  device: string;
  /** cake, fq_codel, htb, noqueue, ... */
  kind: string;
  /** Since it was set up. */
  packets: number;
  drops: number;
  /** Bytes that wait now. */
  backlog: number;
  /** cake: how it orders its tins by marks (`diffserv3`, `besteffort`, ...); null for others. */
  order: string | null;
  /** cake: packets that each tin has sent, the lowest first; [] for others. */
  tins: number[];
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** @throws Refused for a text that is no such list */
export function parseQueues(text: string): Queue[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw new Refused(`${quote(text)} is no JSON`, 1);
  }
  if (!Array.isArray(list)) throw new Refused(`${quote(text)} is no list of queues`, 1);
  return (list as Record<string, unknown>[]).flatMap((one): Queue[] => {
    const { dev: device, kind, root } = one;
    if (typeof device !== 'string' || typeof kind !== 'string' || root !== true) return [];
    const options = (one['options'] ?? {}) as Record<string, unknown>;
    const tins = Array.isArray(one['tins']) ? (one['tins'] as Record<string, unknown>[]) : [];
    return [
      {
        device,
        kind,
        packets: number(one['packets']),
        drops: number(one['drops']),
        backlog: number(one['backlog']),
        order: kind === 'cake' && typeof options['diffserv'] === 'string' ? options['diffserv'] : null,
        tins: tins.map((tin) => number(tin['sent_packets'])),
      },
    ];
  });
}
