/** What is caught on the lab's router while something happens, and what `compare` finds in it. */
import { Comparing } from '../../../src/compare/compare.ts';
import type { Comparison, Row } from '../../../src/compare/comparison.ts';
import { named } from '../../pure/compare/captures.ts';
import { openLab, type Lab } from '../lab.ts';
import type { Process } from '../member.ts';

/** Captures of the bridge, of the WAN device, and of all devices in one file. */
export interface Caught {
  readonly lan: Uint8Array;
  readonly wan: Uint8Array;
  readonly any: Uint8Array;
}

/**
 * In immediate mode tcpdump's buffer of 2 MiB is divided into slots of the snap length. With -s 0, which is 256 KiB, these are eight,
 * and what comes in quick succession is lost, which then looks as if the router had dropped it (tcpdump 4.99.3, libpcap 1.10.3).
 */
const ROOM = ['-s', '16384', '-B', '32768'];

const DEVICES = { lan: 'br-lan', wan: 'wan', any: 'any' } as const;
/** Milliseconds in which what has arrived comes into the files. */
const SETTLING = 300;

/** fw4 gives the helper to UDP alone; owners and other firmware give it to TCP too. */
export const HELP_TCP = `
table inet fw4 {
  ct helper sip-tcp { type "sip" protocol tcp; }
  chain helper_lan { meta l4proto tcp tcp dport 5060 ct helper set "sip-tcp"; }
}
`;

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function caught(lab: Lab, act: () => Promise<void>): Promise<Caught> {
  const dumps: Process[] = [];
  for (const [name, device] of Object.entries(DEVICES)) {
    const options = ['-U', '--immediate-mode', ...ROOM, '-Z', 'root', '-w', `/tmp/${name}.pcap`];
    const dump = lab.router.spawn(['tcpdump', '-i', device, ...options, 'udp or tcp or icmp']);
    dumps.push(dump);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      dump.child.stderr.on('data', (data: Buffer) => {
        said += data;
        if (said.includes('listening on')) resolve();
      });
      dump.ended.then(() => reject(new Error(`tcpdump on ${device} ended: ${said.trim()}`)), reject);
    });
  }
  try {
    await act();
  } finally {
    await pause(SETTLING);
    for (const dump of dumps) dump.signal('SIGINT');
    await Promise.all(dumps.map((dump) => dump.ended));
  }
  const read = (name: string): Uint8Array => lab.files.readBytes(`/tmp/${name}.pcap`);
  return { lan: read('lan'), wan: read('wan'), any: read('any') };
}

export function compared(files: readonly Uint8Array[]): Comparison {
  const comparing = new Comparing(
    files.map((_, index) => `file-${index}`),
    { limits: { calls: 200, rowsInAll: 5000 } },
  );
  files.forEach((file, side) => comparing.push(side, file));
  files.forEach((_, side) => comparing.close(side));
  return comparing.end();
}

/** The same captures in each way in which somebody may have them, with what it is called in a failing test. */
export const waysOf = ({ lan, wan, any }: Caught): [where: string, result: Comparison][] => [
  ['two captures', compared([lan, wan])],
  ['one capture of all devices', compared([any])],
  ['the other way round', compared([wan, lan])],
];

/** Rows of the call with this Call-ID, or of one that begins with it and an @. */
export const rowsOf = (result: Comparison, callId: string): Row[] =>
  result.calls
    .filter((call) => call.callId.startsWith(`${callId}@`) || call.callId === callId)
    .flatMap(({ rows }) => rows);

/** What was changed in a message, as `Via 1 sent-by translated`, sorted. */
export const foundIn = (row: Row | undefined): string[] => (row?.differences ?? []).map(named).sort();

export async function inLab(use: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab();
  try {
    await use(lab);
  } finally {
    await lab.close();
  }
}
