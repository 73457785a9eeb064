/** A watch that is fed by hand: messages and lines at times of our choosing, and what it tells in few words. */
import { parseFlowEvent } from '../../../src/languages/kernel/conntrack-events.ts';
import { parseProcFlow } from '../../../src/languages/kernel/conntrack.ts';
import { takeTable } from '../../../src/watch/sources.ts';
import { networkOf } from '../../../src/watch/network.ts';
import type { Told } from '../../../src/watch/told.ts';
import { Watching } from '../../../src/watch/watching.ts';
import type { WatchOptions } from '../../../src/watch/watching.ts';
import { toldSaid } from '../../../src/watch/said.ts';
import { PHONE, PROVIDER, WAN } from '../compare/captures.ts';

export const BEGIN = 1_764_288_000_000;
export const NETWORK = networkOf(
  [
    { device: 'lo', address: '127.0.0.1', prefix: 8 },
    { device: 'br-lan', address: '192.168.1.1', prefix: 24 },
    { device: 'br-lan', address: '2001:db8:1::1', prefix: 64 },
    { device: 'wan', address: WAN, prefix: 24 },
    { device: 'wan', address: '2001:db8:113::20', prefix: 64 },
  ],
  new Set(['wan']),
);

/** Up to Linux 6.12 so much of a message is recorded. */
export const NARROW = 256;

export interface Story {
  readonly watching: Watching;
  readonly told: Told[];
  /** A message at the LAN's side, and where it is given what comes out at the other; seconds since the beginning. */
  message(at: number, fromPhone: boolean, text: string, out?: string | null, more?: { phone?: string; id?: number }): void;
  event(at: number, line: string): void;
  /** Lines of /proc/net/nf_conntrack. */
  table(at: number, lines: readonly string[]): void;
  tick(at: number): void;
  /** `what` of all that was told since the last time it was asked, with its cause. */
  whats(): string[];
  sentences(): string[];
}

/** @param cut bytes of each message that are recorded */
export function story(options: Partial<WatchOptions> & { cut?: number } = {}): Story {
  const told: Told[] = [];
  const { cut = Infinity, ...rest } = options;
  const watching = new Watching({ network: NETWORK, began: BEGIN, tell: (one) => told.push(one), ...rest });
  let ids = 0;
  let asked = 0;
  return {
    watching,
    told,
    message(at, fromPhone, text, out = text, { phone = `${PHONE}:5060`, id = ++ids } = {}) {
      const when = BEGIN + at * 1000;
      const seen = (bytes: string) => ({ text: bytes.slice(0, cut), whole: bytes.length <= cut, length: bytes.length });
      const base = { fromPhone, far: `${PROVIDER}:5060`, id };
      // It goes in on one side and comes out on the other.
      watching.sighted({ ...base, at: when, phone, transport: 'udp', inside: fromPhone, ...seen(text) });
      if (out !== null) watching.sighted({ ...base, at: when + 1, phone, transport: 'udp', inside: !fromPhone, ...seen(out) });
    },
    event(at, line) {
      watching.event(parseFlowEvent(line), BEGIN + at * 1000);
    },
    table(at, lines) {
      takeTable(lines.map((line) => `${line}\n`).join(''), watching, BEGIN + at * 1000, parseProcFlow);
    },
    tick: (at) => watching.tick(BEGIN + at * 1000),
    whats() {
      const fresh = told.slice(asked);
      asked = told.length;
      return fresh.map(({ what, cause }) => (cause === null ? what : `${what} (${cause})`));
    },
    sentences: () => told.map((one) => toldSaid(one).text),
  };
}

export interface FlowLine {
  readonly phone?: string;
  readonly sport?: number;
  readonly far?: string;
  readonly dport?: number;
  readonly left?: number;
  readonly out?: number;
  readonly in?: number;
  /** The port outside; the phone's if not given. */
  readonly moved?: number;
  readonly wan?: string;
  readonly assured?: boolean;
  /** Bytes of a packet. */
  readonly size?: number;
}

/** A line of /proc/net/nf_conntrack as kernel 6.18 writes it. */
export function line(about: FlowLine = {}): string {
  const { phone = PHONE, sport = 5060, far = PROVIDER, dport = 5060, left = 60, out = 1, in: back = 1, wan = WAN, size = 200 } = about;
  const counts = (packets: number): string => `packets=${packets} bytes=${packets * size} `;
  const flag = about.assured ? '[ASSURED] ' : '';
  return (
    `ipv4     2 udp      17 ${left} src=${phone} dst=${far} sport=${sport} dport=${dport} ${counts(out)}`
    + `${back === 0 ? '[UNREPLIED] ' : ''}src=${far} dst=${wan} sport=${dport} dport=${about.moved ?? sport} ${counts(back)}${flag}mark=0 zone=0 use=2`
  );
}
