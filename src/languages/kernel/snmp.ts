/** `/proc/net/snmp` (net/ipv4/proc.c, snmp_seq_show): a line of names and a line of numbers for each group. */

/** One counter, as `Ip`, `FragFails`; null where the text has none. */
export function snmpCounter(text: string, group: string, name: string): number | null {
  const lines = text.split('\n').filter((line) => line.startsWith(`${group}: `));
  const at = (lines[0] ?? '').split(' ').indexOf(name);
  const value = at < 1 ? '' : ((lines[1] ?? '').split(' ')[at] ?? '');
  return /^-?\d+$/.test(value) ? Number(value) : null;
}
