/**
 * Sends frames that no socket of ours has sent, the same on every engine: a `ping` out of a device of ours is doubled by nft
 * as often as there are frames (`dup`, kmod-nft-netdev), and each double is written over with the bytes of one of them, 16 at
 * a time (`@ll,0,128 set …`). A frame that is shorter than the ping is cut by the receiver to the length in its IP header
 * (net/ipv4/ip_input.c, ip_rcv_core). Bytes of a longer one are the ping's own: a letter again and again.
 *
 * In one transaction and in one moment, in the order given. A kernel up to 6.12 writes as far as it records (record/taps.ts).
 */

/** What a ping fills a packet with beyond what is written: x. */
export const FILLER = 'x';
export const FILLER_HEX = '78';

/** Marks of doubles, on this one device of ours, gone before they leave it. */
const MARK = 0x51be0000;
/** Ethernet, and IPv4 and ICMP of the ping. */
const [LL, NH] = [14, 20];
const LAST_OFFSET = 255;

export interface Writing {
  /** What the chains are called by: letters. */
  readonly name: string;
  readonly device: string;
  /** The address that is pinged. */
  readonly trigger: string;
  readonly frames: readonly (readonly number[])[];
}

const hex = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Rules that write a frame over a ping's. @throws RangeError beyond what a kernel writes, but for trailing filler */
function rules(frame: readonly number[], wide: boolean): string[] {
  let end = frame.length;
  while (end > 0 && frame[end - 1] === FILLER.charCodeAt(0)) end--;
  const written: string[] = [];
  for (let at = 0; at < end; at += 16) {
    const bytes = frame.slice(at, Math.min(at + 16, end));
    // From the header that begins before it, for offsets are bounded.
    const [header, start] = at < LL + NH ? (['ll', 0] as const) : (['th', LL + NH] as const);
    const offset = at - start;
    if (offset > LAST_OFFSET && !wide)
      throw new RangeError(`A frame is written up to ${LL + NH + LAST_OFFSET} bytes here, and ${end} are to be.`);
    written.push(`@${header},${offset * 8},${bytes.length * 8} set 0x${hex(bytes)}`);
  }
  return written;
}

/** Chains of a table of family netdev. @param wide whether the kernel takes any offset */
export function writingChains({ name, device, trigger, frames }: Writing, wide: boolean): string[] {
  const mark = (index: number): string => `0x${(MARK + index).toString(16)}`;
  const ping = `ip protocol icmp ip daddr ${trigger}`;
  return [
    ...frames.flatMap((frame, index) => [
      `  chain ${name}_${index} {`,
      ...rules(frame, wide).map((rule) => `    ${rule}`),
      // A mark would go with it into the router's own rules.
      '    meta mark set 0 counter accept',
      '  }',
    ]),
    `  chain ${name}_all {`,
    '    counter',
    // By itself the ping goes nowhere.
    ...frames.map((_, index) => `    meta mark set ${mark(index)} dup to "${device}"`),
    '    drop',
    '  }',
    `  chain ${name} {`,
    `    type filter hook egress device "${device}" priority -350; policy accept;`,
    `    ${ping} meta mark vmap { ${frames.map((_, index) => `${mark(index)} : goto ${name}_${index}`).join(', ')} }`,
    `    ${ping} goto ${name}_all`,
    '  }',
  ];
}

/** Bytes a ping has to carry for the longest of these frames; ICMP's own header takes as many as UDP's. */
export const pingSize = (frames: readonly (readonly number[])[]): number =>
  Math.max(56, ...frames.map(({ length }) => length - LL - NH - 8));

/**
 * A shell script that pings once and does not wait for an answer, which never comes; it prints the process id. The ping
 * ends by itself after a second. OpenWrt has it in busybox. It is bound to its device: what steers by marks (mwan3, pbr, a VPN)
 * routes what the router itself sends once more, and would send it to the internet.
 */
export const pingScript = (device: string, address: string, size: number): string =>
  `p=ping; command -v ping >/dev/null || p='busybox ping'
$p -I ${device} -c 1 -W 1 -s ${size} -p ${FILLER_HEX} ${address} >/dev/null 2>&1 </dev/null & echo $!`;
