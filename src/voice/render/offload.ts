/** What keeps marked voice out of fw4's flow offload. */
import { OFFLOAD_COMMENT } from '../own.ts';
import type { Dscp, Marking } from '../../wish/wish.ts';

/** Marks that can be told from no mark at all. */
const told = (marking: Marking): Dscp[] => (marking === null ? [] : [marking.media, marking.signalling].filter(({ value }) => value !== 0));

/**
 * The marks that voice may bear, sorted; 'any' where phones' own are left alone, for those are whatever somebody has set up.
 * Any costs little: a flow that is marked in one direction alone goes into the offload with the next packet of the other one.
 */
export function keptMarks(marking: Marking): Dscp[] | 'any' {
  const classes = told(marking);
  if (classes.length > 0 && !marking?.overwrite) return 'any';
  return classes.filter(({ value }, at) => classes.findIndex((other) => other.value === value) === at);
}

/**
 * The rules that let marked voice pass before fw4 puts a flow into the offload, as nft commands. Empty where nothing is marked.
 *
 * Not `ct state established`: a UDP flow goes into the offload with its second packet, answered or not (nft_flow_offload.c).
 * A flow is confirmed once the firewall has let its first packet pass; behind these rules the offload would take it past
 * the firewall for good.
 */
export function offloadRules(marking: Marking): string[] {
  const kept = keptMarks(marking);
  const classes = kept === 'any' ? [] : kept.map(({ name }) => name.toLowerCase()).sort();
  if (kept !== 'any' && classes.length === 0) return [];
  const test = kept === 'any' ? '!= cs0' : `{ ${classes.join(', ')} }`;
  return ['ip', 'ip6'].map(
    (ip) =>
      `insert rule inet fw4 forward ${ip} dscp ${test} ct status confirmed accept `
      + `comment "${OFFLOAD_COMMENT} (${ip} ${kept === 'any' ? 'marked' : classes.join(' ')}) stays out of the offload"`,
  );
}
