/**
 * Background traffic between the phone and the provider, both ways and numbered, so that a test can say what was
 * lost while something was done to the router: an established TCP stream, UDP streams that are not SIP, and the
 * RTP of a call in progress (50 packets of 20 ms a second each way, RFC 3550/3551).
 */
import { createInterface } from 'node:readline';
import { bundled } from '../bundled.ts';
import type { Lab } from './lab.ts';
import type { Process } from './member.ts';
import { ADDRESS } from './network.ts';
import type { Peer } from './talker.ts';

export type Stream = {
  readonly name: string;
  readonly kind: 'tcp' | 'udp' | 'rtp';
  readonly near: Peer; // at the phone, which opens it
  readonly far: Peer; // at the provider
  readonly every: number; // milliseconds between two packets
  readonly size: number; // bytes of a packet, 16 at least
};

export type Configuration = { readonly side: 'near' | 'far'; readonly streams: readonly Stream[] };

/** What one end counted. */
export type Count = {
  readonly name: string;
  readonly sent: number;
  readonly received: number;
  readonly reordered: number;
  readonly duplicates: number;
};

/** What became of the packets of one stream in one direction. */
export type Fate = Count & { readonly direction: 'out' | 'in'; readonly lost: number };

export type Traffic = {
  /** Ends the sending, waits for what is under way and tells what became of it. */
  stop(): Promise<Fate[]>;
};

export const STREAMS: readonly Stream[] = [
  stream('tcp', 'tcp', 40000, 8080, 10, 200),
  stream('udp-dns', 'udp', 40001, 53, 10, 80),
  stream('udp-high', 'udp', 40002, 41000, 10, 400),
  stream('udp-5080', 'udp', 40003, 5080, 10, 300),
  stream('rtp', 'rtp', 4000, 20000, 20, 172),
];

function stream(name: string, kind: Stream['kind'], near: number, far: number, every: number, size: number): Stream {
  return { name, kind, every, size, near: { address: ADDRESS.phone, port: near }, far: { address: ADDRESS.provider, port: far } };
}

/**
 * Starts the streams and comes back when each has passed the router both ways, so that their flows are established.
 * @param through another way to see that they have: conntrack hears nothing of what flow offload passes on
 * @throws Error where a stream does not come through to begin with
 */
export async function startTraffic(
  lab: Pick<Lab, 'phone' | 'provider' | 'router'>,
  streams: readonly Stream[] = STREAMS,
  through: (lab: Pick<Lab, 'router'>, streams: readonly Stream[]) => Promise<void> = settled,
): Promise<Traffic> {
  const script = await bundled('test/lab/stream.ts');
  const far = end(lab.provider.spawn([process.execPath, '-e', script, JSON.stringify({ side: 'far', streams })]), 'provider');
  await far.next('ready');
  const near = end(lab.phone.spawn([process.execPath, '-e', script, JSON.stringify({ side: 'near', streams })]), 'phone');
  await near.next('ready');
  await through(lab, streams);

  return {
    async stop() {
      for (const one of [near, far]) one.process.child.stdin.write('stop\n');
      await Promise.all([near.next('stopped'), far.next('stopped')]);
      for (const one of [near, far]) one.process.child.stdin.write('count\n');
      const [out, back] = await Promise.all([near.next('counts'), far.next('counts')]);
      for (const one of [near, far]) one.process.child.stdin.end('end\n');
      await Promise.all([near.process.ended, far.process.ended]);
      return (out as Count[]).flatMap((one, index) => {
        const other = (back as Count[])[index]!;
        return [fate('out', one, other), fate('in', other, one)];
      });
    },
  };
}

function fate(direction: 'out' | 'in', sender: Count, receiver: Count): Fate {
  const { name, received, reordered, duplicates } = receiver;
  return { name, direction, sent: sender.sent, received, lost: sender.sent - received, reordered, duplicates };
}

/** Every stream has an entry in conntrack that is not waiting for its first answer any more. */
async function settled(lab: Pick<Lab, 'router'>, streams: readonly Stream[]): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const flows = (await lab.router.must(['conntrack', '-L', '-s', ADDRESS.phone])).split('\n');
    const through = ({ kind, near, far }: Stream): boolean =>
      flows.some(
        (flow) =>
          flow.startsWith(kind === 'tcp' ? 'tcp' : 'udp')
          && flow.includes(`sport=${near.port} dport=${far.port} `)
          && !flow.includes('UNREPLIED'),
      );
    if (streams.every(through)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('The background traffic did not come through the router, before anything was done to it');
}

type Told = { readonly process: Process; next(what: string): Promise<unknown> };

function end(process_: Process, where: string): Told {
  const lines: Record<string, unknown>[] = [];
  let complained = '';
  let wake = (): void => undefined;
  let gone = false;
  process_.child.stderr.on('data', (data: Buffer) => {
    complained += data;
  });
  createInterface({ input: process_.child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
    wake();
  });
  const ended = (): void => {
    gone = true;
    wake();
  };
  process_.ended.then(ended, ended);
  return {
    process: process_,
    async next(what) {
      for (;;) {
        const line = lines.shift();
        if (line && what in line) return line[what];
        if (line) throw new Error(`The traffic at the ${where} said ${JSON.stringify(line)} instead of ${what}`);
        if (gone) throw new Error(`The traffic at the ${where} ended: ${complained.trim()}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
