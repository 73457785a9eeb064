/**
 * The messages of real phones by tcpdump, where the kernel's recorder gets no more than the first 256 bytes of each (up to 6.12).
 * One process for all devices: `-i any` names the device and the direction of each packet (libpcap 1.10, tcpdump 4.99).
 */
import { writeIpv6 } from '../../languages/address/prefixes.ts';
import type { Followed, FollowedEnd, Following, Host } from '../../host/host.ts';
import type { PhoneRecording } from './recording.ts';
import { waysOut } from './ways-out.ts';
import { BEGINNINGS, placesOf } from './places.ts';
import { SIP_PORTS } from './ports.ts';
import type { Places } from './places.ts';
import type { PhoneMessage } from './sightings.ts';
import { latin1 } from '../../languages/sip/text.ts';
import { say, Trouble } from '../../words/say.ts';

/** Milliseconds between two readings of what it says: each waking costs, and the pipe holds 64 KiB of text meanwhile. */
export const EVERY = 200;
/** What waits to be read here, at most; later ones are counted as missed. */
const MOST_WAITING = 4096;
/** What tcpdump of OpenWrt keeps of a packet by default, and more than any packet has. */
const SNAP = 65_535;

const COMMAND = ['tcpdump', '-i', 'any', '-n', '-l', '--immediate-mode', '-q', '-tt', '-x', '-s', `${SNAP}`];

/** `1700000000.000005 br-lan In  IP 192.168.1.10.5060 > …`: as -tt and -i any begin the line of a packet. */
const HEAD = /^(\d{1,11})\.(\d{6}) (\S+) +(In|Out) +IP6? /;
/** Of the lines of -x behind it: where they stand, and bytes in pairs. */
const BYTES = /^\t0x([0-9a-f]{4}): {2}([0-9a-f ]+?) *$/;

const UDP = 17;
const TCP = 6;
const UDP_HEADER = 8;

interface Packet {
  at: number;
  device: string;
  incoming: boolean;
  hex: string;
}

const four = (bytes: Uint8Array, at: number): number => two(bytes, at) * 65_536 + two(bytes, at + 2);
const two = (bytes: Uint8Array, at: number): number => (bytes[at] as number) * 256 + (bytes[at + 1] as number);
const address4 = (bytes: Uint8Array, at: number): string => bytes.subarray(at, at + 4).join('.');
const address6 = (bytes: Uint8Array, at: number): string =>
  writeIpv6([...bytes.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, '0')).join(''));

/** How many hexadecimal digits a packet has by its own header: its total length, or the payload's with IPv6 (RFC 791, RFC 8200). */
const digitsOf = (hex: string): number => 2 * (hex.startsWith('4') ? parseInt(hex.slice(4, 8), 16) : 40 + parseInt(hex.slice(8, 12), 16));

/** Puts packets together from lines; what is no UDP, and no segment of TCP that begins a message, is passed over. */
export class Dump {
  readonly #places: Places;
  readonly #isFar: (address: string) => boolean;
  #packet: Packet | null = null;
  #messages: PhoneMessage[] = [];
  /** Messages that came while too many waited. */
  missed = 0;

  constructor(places: Places, isFar: (address: string) => boolean) {
    this.#places = places;
    this.#isFar = isFar;
  }

  /** @param line of tcpdump's output, byte by byte, without its end */
  push(line: string): void {
    const bytes = BYTES.exec(line);
    if (bytes !== null) {
      const packet = this.#packet;
      // A line that is missing makes what stands behind it of no use.
      if (packet === null || parseInt(bytes[1] as string, 16) * 2 !== packet.hex.length) return;
      packet.hex += (bytes[2] as string).replace(/ /g, '');
      // All of it: nobody waits for the next packet's line.
      if (packet.hex.length >= digitsOf(packet.hex)) this.end();
      return;
    }
    this.end();
    const [, seconds, micros, device = '', way] = HEAD.exec(line) ?? [];
    if (seconds === undefined) return;
    const at = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    this.#packet = { at, device, incoming: way === 'In', hex: '' };
  }

  /** The packet that is being told is over: another one begins, or nothing more comes. */
  end(): void {
    const packet = this.#packet;
    this.#packet = null;
    const message = packet === null ? null : this.#messageOf(packet);
    if (message === null) return;
    if (this.#messages.length < MOST_WAITING) this.#messages.push(message);
    else this.missed++;
  }

  /** What has come since the last time. The packet that is being told stays. */
  take(): PhoneMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    return messages;
  }

  #messageOf({ at, device, incoming, hex }: Packet): PhoneMessage | null {
    const isSix = hex.startsWith('6');
    const [here, there] = isSix ? [this.#places.inside6, this.#places.outside6] : [this.#places.inside, this.#places.outside];
    const inside = here.includes(device);
    if (!inside && !there.includes(device)) return null;
    const packet = Uint8Array.from({ length: hex.length >> 1 }, (_, index) => parseInt(hex.slice(index * 2, index * 2 + 2), 16));
    if (!isSix && !hex.startsWith('4')) return null;
    const header = isSix ? 40 : ((packet[0] as number) & 15) * 4;
    const protocol = packet[isSix ? 6 : 9];
    if ((protocol !== UDP && protocol !== TCP) || packet.length < header + UDP_HEADER) return null;
    const [source, destination] = isSix ? [address6(packet, 8), address6(packet, 24)] : [address4(packet, 12), address4(packet, 16)];
    const fromPhone = inside === incoming;
    if (inside && !this.#isFar(fromPhone ? destination : source)) return null;
    const isTcp = protocol === TCP;
    const start = header + (isTcp ? ((packet[header + 12] ?? 0) >> 4) * 4 : UDP_HEADER);
    const length = Math.max(0, isTcp ? digitsOf(hex) / 2 - start : two(packet, header + 4) - UDP_HEADER);
    const bytes = packet.slice(start, start + length);
    // As the kernel's recorder takes them.
    if (isTcp && !BEGINNINGS.includes(latin1(bytes, 0, 4))) return null;
    return {
      at,
      inside,
      fromPhone,
      transport: isTcp ? 'tcp' : 'udp',
      text: latin1(bytes),
      whole: bytes.length >= length,
      recorded: {
        tap: device,
        id: isSix ? 0 : two(packet, 4),
        from: { address: source, port: two(packet, header) },
        to: { address: destination, port: two(packet, header + 2) },
        check: isTcp ? four(packet, header + 4) : two(packet, header + 6),
        length,
        bytes,
        expires: 0,
        ttl: isTcp ? null : (packet[isSix ? 7 : 8] as number),
        ack: isTcp ? four(packet, header + 8) : null,
        times: 1,
      },
    };
  }
}

/** Why tcpdump says nothing more. */
function ended(how: FollowedEnd): Trouble {
  const because = how.state === 'exited' ? (how.stderr.trim().split('\n').pop() ?? '') : how.state === 'failed' ? how.because : how.state;
  return new Trouble(say('dump-ended', 'tcpdump ended by itself: {because}.', { because: because.replace(/\.$/, '') }));
}

/**
 * As `startPhones`, by tcpdump. What it cannot do shows with the first reading.
 * @throws Error in a sentence where it is not known which side is which
 */
export async function startDump(
  host: Host,
  { follow }: Following,
  isFar: (address: string) => boolean,
  ports: readonly number[] = SIP_PORTS,
): Promise<Pick<PhoneRecording, 'read' | 'close'> & { readonly missed: number }> {
  const places = placesOf(host.addresses(), await waysOut(host));
  if (places.outside.length === 0) throw new Trouble(say('record-no-route', 'no default route says which device leads to the internet.'));
  if (places.inside.length === 0)
    throw new Trouble(say('record-no-phones', 'no device has a private IPv4 address, so there is no side of phones.'));
  const dump = new Dump(places, isFar);
  let over: FollowedEnd | null = null;
  const filter = ports.map((port) => `port ${port}`).join(' or ');
  const followed: Followed = follow([...COMMAND, filter], (line) => dump.push(line), EVERY);
  void followed.ended.then((how) => {
    over = how;
    dump.end();
  });
  return {
    get missed() {
      return dump.missed;
    },
    async read() {
      const messages = dump.take();
      if (over !== null && messages.length === 0) throw ended(over);
      return messages;
    },
    async close() {
      followed.stop();
      return [];
    },
  };
}
