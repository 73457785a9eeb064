/** What a conntrack helper says in the kernel's log when it drops a packet. */

/** One dropped packet (net/netfilter/nf_conntrack_helper.c, `nf_ct_helper_log`; fields by nf_log_syslog.c). */
export interface HelperDrop {
  /** Seconds since boot, from `[ 12.345]`; null where the line does not say. */
  time: number | null;
  /** As the log names it: `nf_ct_sip`. */
  helper: string;
  /** `cannot parse cseq`, `wrong port 400`, ... */
  reason: string;
  /**
   * `IN OUT SRC DST PROTO SPT DPT` and so on, text as logged. A name that comes
   * twice (LEN: the IP packet's, then the UDP datagram's) keeps its first value.
   * Behind NAT SRC is the address after rewriting: the helper runs last.
   */
  fields: Record<string, string>;
}

const SIGN = ': dropping packet: ';
const HEAD_ENDS: readonly string[] = [']', '>', ';', 'kernel:'];

/**
 * A line of dmesg, `dmesg --raw`, /dev/kmsg, logread or a syslog file; null when
 * it is not a helper's drop. The kernel must be the speaker: what stands before
 * `nf_ct_` ends the line's head (nothing, `]`, `>`, `;` or `kernel:`), so that a
 * program that logs the same words is not taken for it.
 */
export function parseHelperDrop(line: string): HelperDrop | null {
  const sign = line.indexOf(SIGN);
  if (sign < 0) return null;
  const start = line.lastIndexOf(' ', sign - 1) + 1;
  const word = line.slice(start, sign);
  const own = word.lastIndexOf('nf_ct_');
  if (own < 0 || !/^nf_ct_[A-Za-z0-9_.-]{1,64}$/.test(word.slice(own))) return null;
  const head = line.slice(0, start + own).trimEnd();
  if (head !== '' && !HEAD_ENDS.some((end) => head.endsWith(end))) return null;

  const tail = line.slice(sign + SIGN.length).trim();
  const from = tail.startsWith('IN=') ? 0 : tail.indexOf(' IN=');
  const fields: Record<string, string> = {};
  for (const token of from < 0 ? [] : tail.slice(from).split(' ')) {
    const equals = token.indexOf('=');
    // Only capitals: the names are the kernel's, and no key here can be one that objects already have.
    if (equals > 0 && equals <= 16 && /^[A-Z][A-Z0-9]*$/.test(token.slice(0, equals))) {
      fields[token.slice(0, equals)] ??= token.slice(equals + 1);
    }
  }
  const reason = (from < 0 ? tail : tail.slice(0, from)).trim();
  return { time: timeOf(head), helper: word.slice(own), reason, fields };
}

/** `[   12.345678]` of dmesg, or the microseconds of /dev/kmsg (`6,1234,12345678,-;`). */
function timeOf(head: string): number | null {
  const short = head.slice(-200);
  const bracket = /\[ *([0-9]{1,10}\.[0-9]{1,9})\]/.exec(short);
  if (bracket !== null) return Number(bracket[1]);
  const record = /^[0-9]{1,5},[0-9]{1,20},([0-9]{1,16}),[^;]*;$/.exec(head.length <= 200 ? head : '');
  return record === null ? null : Number(record[1]) / 1e6;
}
