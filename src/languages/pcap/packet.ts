/**
 * What a capture file is read into: packets, the interfaces they were seen on, what was wrong with the file. All of it
 * is plain data; the reader makes one `Packet` and fills it anew for each frame.
 */

/**
 * An address as a number that compares and hashes cheaply: an IPv4 address is itself (0 to 2^32 - 1, first octet highest),
 * an IPv6 address is 2^32 + the place where `Addresses` keeps it. Equal numbers are equal addresses within one capture;
 * numbers of IPv6 addresses mean nothing in another one. `Capture.addressText` gives the text.
 */
export type Address = number;

/** Packet types of Linux cooked captures (linux/if_packet.h), which epb_flags of pcapng are brought to. */
export const DIRECTION = { unknown: -1, toUs: 0, broadcast: 1, multicast: 2, toOthers: 3, outgoing: 4 } as const;

/** Protocol numbers of IP that the reader knows by name (IANA). */
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmp6: 58 } as const;

/**
 * One packet. There is one object for a whole capture: everything in it, `bytes` and `data` included, holds until the
 * function it was handed to returns. Whoever keeps something copies it.
 */
export class Packet {
  /** Counted from 1 over all packets of the file, as Wireshark does. */
  number = 0;
  /** Where its record or block begins in the file, bytes. */
  offset = 0;
  /** False where the format has no time: a simple packet block. `seconds` and `nanoseconds` are 0 then. */
  timed = true;
  /** Since 1970-01-01 UTC, rounded down. */
  seconds = 0;
  /** 0 to 999,999,999; what the file says more finely is cut off. */
  nanoseconds = 0;
  /** Index into `Capture.interfaces`. */
  interface = 0;
  /** LINKTYPE_ value, see link.ts. */
  linkType = 0;

  /** Holds the frame, from `frame` to before `frameEnd`: what was captured of it. */
  bytes: Uint8Array = new Uint8Array(0);
  frame = 0;
  frameEnd = 0;
  /** How long the frame was on the wire; more than `frameEnd - frame` where the capture cut it. */
  frameLength = 0;

  /** VLAN identifier of the outermost and of the second tag, 0 to 4095 (IEEE 802.1Q, 802.1ad); -1 where there is none. */
  vlan = -1;
  innerVlan = -1;
  /** PPPoE session identifier (RFC 2516); -1 where there is none. */
  pppoe = -1;
  /** Interface number of the capturing machine (Linux cooked v2); 0 where the link type has none. */
  device = 0;
  /** One of DIRECTION. */
  direction: number = DIRECTION.unknown;

  /** Where the IP header begins in `bytes`. */
  network = 0;
  /** 4 or 6; 0 where the frame holds no IP packet, and all fields below mean nothing. */
  family = 0;
  source: Address = 0;
  destination: Address = 0;
  /** Time to live, or hop limit. */
  ttl = 0;
  /** Identification of an IPv4 header, or of an IPv6 fragment header; -1 with IPv6 otherwise. */
  id = -1;
  /** IANA number of what the IP packet holds, extension headers passed over. */
  protocol = 0;
  /** Of a packet that is a fragment: where its part belongs, bytes, and whether more follows. Both 0 otherwise. */
  fragmentOffset = 0;
  moreFragments = 0;
  /** Of how many fragments it was put together; 1: it came whole. Times, numbers, offsets and ttl are the last one's. */
  fragments = 1;

  /** 0 where the protocol has none. */
  sourcePort = 0;
  destinationPort = 0;
  /** Holds the payload from `start` to before `end`: the same as `bytes`, unless the packet was put together of fragments. */
  data: Uint8Array = this.bytes;
  start = 0;
  end = 0;
  /** Bytes at the payload's end that the sender's lengths promise and the capture does not hold (a snap length, mostly). */
  missing = 0;
}

/** What the file says of an interface. */
export interface CaptureInterface {
  /** LINKTYPE_ value; -1 where its description could not be read. */
  readonly linkType: number;
  /** `wan`, `eth0.2`; '' where the file does not say (classic pcap never does). */
  readonly name: string;
  readonly description: string;
  /** Most bytes kept of a frame; 0: no limit. */
  readonly snapLength: number;
  /** Which section of the file it belongs to, from 1; classic pcap has one. */
  readonly section: number;
  /** Its number within the section. */
  readonly index: number;
}

export type ProblemCode =
  | 'empty' | 'format' | 'version' | 'cut-short' | 'frame-size' | 'block-length' | 'block-trailer' | 'block-size' | 'resumed'
  | 'block' | 'option' | 'interface' | 'link-type' | 'malformed' | 'addresses' | 'fragment-conflict' | 'fragments-lost'
  | 'stream-gap' | 'streams' | 'repeated';

/** Something in the file that is not as it should be. It is said and never thrown; reading goes on where the format allows it. */
export interface Problem {
  readonly code: ProblemCode;
  /** Where in the file, bytes. */
  readonly offset: number;
  /** A sentence that names the offset. */
  readonly message: string;
}

/** Says a problem: where in the file, and the whole sentence. */
export type Tell = (code: ProblemCode, offset: number, message: string) => void;

/** Where frames and problems of a file go. */
export interface FrameSink {
  frame(packet: Packet): void;
  problem: Tell;
}

/** What the reader may hold and pass at most. Times are those of the capture. */
export interface CaptureLimits {
  /** Bytes captured of one frame. Linux makes frames of up to 512 KiB (BIG TCP), tcpdump keeps 256 KiB. */
  readonly frame: number;
  /** Interfaces in all sections. */
  readonly interfaces: number;
  /** Different IPv6 addresses. */
  readonly addresses: number;
  /** Bytes of fragments held, each counted with what it costs to hold it, and seconds one is held (Linux: ipfrag_time). */
  readonly fragmentBytes: number;
  readonly fragmentAge: number;
  /** Directions of TCP connections known at a time. */
  readonly streams: number;
  /** Bytes held behind a hole, in one stream and in all, and seconds they wait for it to be filled. */
  readonly streamBytes: number;
  readonly streamBytesInAll: number;
  readonly streamAge: number;
  /** Problems of one kind that are told one by one; the rest is counted and told at the end. */
  readonly problems: number;
}

export const LIMITS: CaptureLimits = {
  frame: 1 << 20, interfaces: 1024, addresses: 1 << 16, fragmentBytes: 1 << 20, fragmentAge: 30,
  streams: 2048, streamBytes: 1 << 18, streamBytesInAll: 1 << 21, streamAge: 64, problems: 8,
};

/** What was read, in numbers. */
export interface CaptureCounts {
  packets: number;
  /** Packets of which the capture kept a part only. */
  cut: number;
  datagrams: number;
  segments: number;
  /** Packets that were IP fragments, and packets put together of them. */
  fragments: number;
  reassembled: number;
  /** IP packets that hold neither UDP nor TCP. */
  otherProtocols: number;
  /** Frames that hold no IP packet (ARP and the like). */
  notIp: number;
  /** Packets whose headers contradict themselves or break off, and packets of interfaces that cannot be read. */
  unreadable: number;
}
