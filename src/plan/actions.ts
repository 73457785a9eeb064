/** The commands that plans run, each with the rehearsal that proves it beforehand. */
import type { Action } from './step.ts';

type Run = Extract<Action, { do: 'run' }>;

/**
 * A script of nft's, which is one transaction.
 * @param rehearsed what nft is asked beforehand whether it would take it; null: it was just asked, or it is the way back
 */
export function nftAction(input: string, rehearsed: string | null = input): Run {
  const action: Run = { do: 'run', argv: ['nft', '-f', '-'], input };
  return rehearsed === null ? action : { ...action, rehearsal: { argv: ['nft', '-c', '-f', '-'], input: rehearsed } };
}

/**
 * A text for `iptables-restore` or one of its kin. `--wait`: another program may hold the xtables lock.
 * @param counters the text brings counters along
 */
export function restoreAction(restore: string, input: string, counters = false): Run {
  const argv = [restore, '--noflush', '--wait', '10', ...(counters ? ['--counters'] : [])];
  return { do: 'run', argv, input, rehearsal: { argv: [...argv, '--test'], input } };
}
