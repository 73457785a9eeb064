/**
 * SIP flows of phones that go over another line than new ones do, on a router with several ways to the internet. By routes alone
 * none stays there: the kernel forgets a masqueraded flow that is to leave by another device (nf_nat_core.c, nf_nat_oif_changed).
 * But what steers flows by marks (mwan3, pbr) keeps each on the line it began on, for as long as a phone's own retries keep it
 * alive: on one that is dead, or on the other one when the main line is long back.
 *
 * Looked at where it is wished (`option failback`). IPv4 alone: an address of IPv6 is the phone's own.
 */
import type { Host, HostAddress, Reading } from '../host/host.ts';
import { parseConntrackFlow } from '../languages/kernel/conntrack.ts';
import type { Flow } from '../languages/kernel/conntrack.ts';
import { parseRoutes, wayTo } from '../languages/kernel/routes.ts';
import type { Facts, LineFacts } from './facts.ts';
import { LINE_FILE } from './line-file.ts';
import { believed, flowFact } from './flows.ts';
import { SIGNALLING } from './tools.ts';
import { runInParts, understood } from './reading.ts';
import { isPublic } from './stale.ts';
import { observeDevices, zonesOf } from './wan.ts';

/** What mwan3 says of each of its interfaces, `online` or `offline` (mwan3.sh, mwan3_set_iface_hotplug_state). */
const MWAN3 = '/var/run/mwan3/iface_state';

/** More are not ended one by one. */
const MOST = 300;

/** Devices of interfaces that mwan3 holds for unusable, though their routes stay in the main table. */
async function offline(host: Host, devicesOf: (network: string) => string[]): Promise<Set<string>> {
  const names = await host.list(MWAN3);
  const found = new Set<string>();
  for (const name of names.state === 'present' ? names.value : []) {
    const state = await host.read(`${MWAN3}/${name}`);
    if (state.state === 'present' && state.value.trim() === 'offline') for (const device of devicesOf(name)) found.add(device);
  }
  return found;
}

/** The address of the router's that a phone's flow has outside; null for any other flow. */
function outside({ original, reply, family }: Flow, own: readonly HostAddress[]): HostAddress | null {
  const translated = family === 'ipv4' && reply.dst !== original.src && !isPublic(original.src);
  if (!translated || own.some(({ address }) => address === original.src)) return null;
  return own.find(({ address }) => address === reply.dst) ?? null;
}

/** @param facts what of them is needed. Never throws. Absent: no conntrack, or no way to the internet now */
export async function observeLines(host: Host, { firewall, system }: Pick<Facts, 'firewall' | 'system'>): Promise<Reading<LineFacts>> {
  const devicesOf = await observeDevices(host);
  const down = await offline(host, devicesOf);
  const routes = understood(await host.read('/proc/net/route'), (text) => parseRoutes(text).filter(({ device }) => !down.has(device)));
  if (routes.state !== 'present') return routes;
  const [main] = routes.value.filter(({ mask }) => mask === 0).sort((one, other) => one.metric - other.metric);
  if (main === undefined) return { state: 'absent', source: routes.source };
  const before = await host.read(LINE_FILE);
  if (before.state === 'failed') return before;
  const line = main.device;
  const { uci } = firewall;
  const zones = uci.state === 'present' ? zonesOf(uci.value.text, system.firewall.state === 'present' ? system.firewall.value : 'fw4') : [];
  const inside = new Set(zones.filter((zone) => !zone.outside).flatMap((zone) => [...zone.devices, ...zone.networks.flatMap(devicesOf)]));
  const own = host.addresses();
  const flows: LineFacts['flows'] = [];
  let said = false;
  let refused: unknown = null;
  const take = (part: string): void => {
    said ||= part.trim() !== '';
    if (part.trim() === '' || flows.length >= MOST || refused !== null) return;
    try {
      look(part);
    } catch (error) {
      refused = error;
    }
  };
  const look = (part: string): void => {
    const flow = parseConntrackFlow(part.trim());
    const address = outside(flow, own);
    if (address === null || address.device === line || address.device === 'lo' || inside.has(address.device)) return;
    // What leaves by another device for its destination's sake, such as a tunnel, is where it belongs.
    if (wayTo(routes.value, flow.original.dst) === line) flows.push({ ...flowFact(flow), by: address.device });
  };
  const select = { holding: SIGNALLING, much: true } as const;
  const listed = believed(await runInParts(host, ['conntrack', '-L', '-f', 'ipv4'], { select, parts: { at: '\n', take } }), said);
  return understood(listed, () => {
    if (refused !== null) throw refused;
    return { line, before: before.state === 'present' ? before.value.trim() : null, flows };
  });
}
