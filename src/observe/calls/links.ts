/** The devices that lead out, what waits at them, and how far away the other ends of calls are. */
import type { Host, Reading } from '../../host/host.ts';
import { parseEchoes } from '../../languages/kernel/echo.ts';
import { parseQueues } from '../../languages/kernel/queues.ts';
import { answered, orElse, present, understood } from '../reading.ts';
import { observeNumber } from '../system.ts';
import type { CallFacts, CallFlow, Link, LinkErrors, Path } from './facts.ts';

const DEVICES = '/sys/class/net';

/** Of the hardware below a VLAN or a bridge too, which is where they are counted. */
async function errorsOf(host: Host, device: string): Promise<Reading<LinkErrors[]>> {
  const folder = await host.list(`${DEVICES}/${device}`);
  const below = orElse(folder, []).flatMap((name) => (name.startsWith('lower_') ? [name.slice('lower_'.length)] : []));
  const all = await Promise.all(
    [device, ...below.slice(0, 4)].map(async (name) => {
      const count = (what: string): Promise<Reading<number>> => observeNumber(host, `${DEVICES}/${name}/statistics/${what}`);
      const [packets, taken, given, duplex, speed] = await Promise.all([
        count('rx_packets'),
        count('rx_errors'),
        count('tx_errors'),
        host.read(`${DEVICES}/${name}/duplex`),
        host.read(`${DEVICES}/${name}/speed`),
      ]);
      if (packets.state !== 'present') return packets;
      if (taken.state !== 'present') return taken;
      // A device without a cable's speed (PPP, a tunnel, one that is down) refuses to say.
      // A modem at USB says `half` of a duplex that it does not know (usbnet.c), and has no speed of a cable that can be it.
      const half = orElse(duplex, '').trim() === 'half' && /^100?$/.test(orElse(speed, '').trim());
      return present(packets.source, { device: name, packets: packets.value, errors: taken.value + orElse(given, 0), half });
    }),
  );
  const [first] = all;
  if (first === undefined || first.state !== 'present') return first ?? { state: 'absent', source: DEVICES };
  return present(
    `${DEVICES}/*/statistics`,
    all.flatMap((one) => (one.state === 'present' ? [one.value] : [])),
  );
}

export async function observeLinks(host: Host, devices: readonly string[]): Promise<Link[]> {
  const read = devices.map(async (device) => {
    const [mtu, errors] = await Promise.all([observeNumber(host, `${DEVICES}/${device}/mtu`), errorsOf(host, device)]);
    return mtu.state === 'present' ? [{ device, mtu: mtu.value, ppp: device.startsWith('ppp'), errors }] : [];
  });
  return (await Promise.all(read)).flat();
}

/** What waits at each device, and what of it a queue has sorted by marks. */
export async function observeQueues(host: Host): Promise<CallFacts['queues']> {
  return understood(answered(await host.run(['tc', '-j', '-s', 'qdisc', 'show'], { timeout: 5000 })), parseQueues);
}

/** Each path is a process that runs while the second look waits anyway. */
const MOST_PATHS = 2;
/** Twelve packets, five a second. */
const ECHO = ['ping', '-c', '12', '-i', '0.2', '-W', '1'];

/** How long packets take to the ends of calls: two servers and two phones, those with audio first. */
export async function observePaths(
  host: Host,
  flows: { signalling: CallFlow[]; media: CallFlow[] },
  isPhone: (address: string) => boolean,
): Promise<Path[]> {
  const own = host.addresses().map(({ address }) => address);
  const callers = new Set(flows.signalling.map(({ source }) => source).filter(isPhone));
  const running = [...flows.media, ...flows.signalling].filter(
    ({ source, destination }) => callers.has(source) && !own.includes(destination),
  );
  const ends = (side: (flow: CallFlow) => string): string[] => [...new Set(running.map(side))].slice(0, MOST_PATHS);
  const wanted = [
    ...ends(({ destination }) => destination).map((address) => ({ address, to: 'provider' as const })),
    ...ends(({ source }) => source).map((address) => ({ address, to: 'phone' as const })),
  ];
  return Promise.all(
    wanted.map(async ({ address, to }) => {
      const outcome = await host.run([...ECHO, address], { timeout: 8000 });
      // Who gets no answer at all ends with 1, and has said so.
      const said = outcome.state === 'exited' && outcome.code === 1 ? present(outcome.command, outcome.stdout) : answered(outcome);
      return { address, to, echoes: understood(said, parseEchoes) };
    }),
  );
}

/** Bytes that a device has taken in and given out; null where it does not say. */
export async function observeTraffic(host: Host, devices: readonly string[]): Promise<{ device: string; in: number; out: number }[]> {
  const read = devices.map(async (device) => {
    const [taken, given] = await Promise.all(
      ['rx_bytes', 'tx_bytes'].map((what) => observeNumber(host, `${DEVICES}/${device}/statistics/${what}`)),
    );
    return taken?.state === 'present' && given?.state === 'present' ? [{ device, in: taken.value, out: given.value }] : [];
  });
  return (await Promise.all(read)).flat();
}
