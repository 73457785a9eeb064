/** Counters of the kernel's network: `/proc/net/snmp`, `/proc/net/softnet_stat`, `/proc/net/stat/nf_conntrack`, and its sockets. */
import { Refused, quote } from '../refused.ts';

/**
 * `/proc/net/snmp` (net/ipv4/proc.c, snmp_seq_show): two lines for each group, names and numbers. Keys are `Ip.ReasmOKs`.
 * @throws Refused for a text that holds no such pair
 */
export function parseSnmp(text: string): Map<string, number> {
  const found = new Map<string, number>();
  const lines = text.split('\n');
  for (let at = 0; at + 1 < lines.length; at++) {
    const [group = '', ...names] = (lines[at] ?? '').split(/\s+/);
    const [other, ...values] = (lines[at + 1] ?? '').split(/\s+/);
    if (!/^[A-Z]\w*:$/.test(group) || group !== other || !/^[A-Z]/i.test(names[0] ?? '') || !/^-?\d+$/.test(values[0] ?? '')) continue;
    names.forEach((name, index) => found.set(group.replace(':', '.') + name, Number(values[index])));
    at++;
  }
  if (found.size === 0) throw new Refused(`${quote(text)} is no beginning of /proc/net/snmp`, 1);
  return found;
}

/** What the processors did with arriving packets (net/core/net-procfs.c, softnet_seq_show): the first two columns, in hex. */
export function parseSoftnet(text: string): { processed: number; dropped: number } {
  const rows = text.split('\n').filter((line) => line.trim() !== '');
  const column = (index: number): number =>
    rows.reduce((sum, row) => {
      const word = row.split(' ')[index] ?? '';
      if (!/^[0-9a-f]{8}$/.test(word)) throw new Refused(`${quote(row)} is not a line of /proc/net/softnet_stat`, 1);
      return sum + parseInt(word, 16);
    }, 0);
  return { processed: column(0), dropped: column(1) };
}

/** The columns of `/proc/net/stat/nf_conntrack` (nf_conntrack_standalone.c, ct_cpu_seq_show) over all processors, by name. */
export function parseTracked(text: string): Map<string, number> {
  const [head = '', ...rows] = text.split('\n').filter((line) => line.trim() !== '');
  const names = head.trim().split(/\s+/);
  if (names[0] !== 'entries') throw new Refused(`${quote(head)} is not the head of /proc/net/stat/nf_conntrack`, 1);
  const each = rows.map((row) => row.trim().split(/\s+/));
  return new Map(names.map((name, at) => [name, each.reduce((sum, row) => sum + (parseInt(row[at] ?? '', 16) || 0), 0)]));
}

/** A UDP or TCP socket of this machine. */
export interface LocalSocket {
  /** Null: every address. */
  address: string | null;
  port: number;
  /** Of TCP: 10 listens. Of UDP: 7 waits for anybody. */
  state: number;
  inode: number;
}

/**
 * Lines of `/proc/net/udp` and its like (net/ipv4/udp.c, udp4_format_sock; tcp_ipv4.c, get_tcp4_sock). The port is written as a
 * number, an address of IPv4 in the machine's own byte order, of which the first byte is told by the loopback network.
 */
export function parseSockets(text: string): LocalSocket[] {
  return text.split('\n').flatMap((line): LocalSocket[] => {
    const [, address = '', port = '', state = '', inode = ''] =
      /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+) /.exec(line) ?? [];
    if (port === '') return [];
    return [{ address: dotted(address), port: parseInt(port, 16), state: parseInt(state, 16), inode: Number(inode) }];
  });
}

/** Null for every address; one of IPv6 as its digits stand there. */
function dotted(hex: string): string | null {
  if (/^0+$/.test(hex)) return null;
  if (hex.length > 8) return hex;
  const bytes = [0, 2, 4, 6].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return (bytes[0] === 127 ? bytes : bytes.reverse()).join('.');
}
