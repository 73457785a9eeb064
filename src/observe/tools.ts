/** How the tools are called that every look needs: a file of its own, for an engine may start them before the rest is loaded. */
import type { RunOptions } from '../host/host.ts';

/** A command, but for who takes what it says. */
export interface Asked {
  argv: readonly string[];
  options?: Pick<RunOptions, 'select'>;
}

/** Signalling in either direction, as both tables of flows write it: sport= and dport=. */
export const SIGNALLING = ['port=5060 ', 'port=5061 '];

/** Flows under a SIP helper, and those of SIP's ports. */
export const LIST_FLOWS = {
  argv: ['conntrack', '-L'],
  options: { select: { holding: ['helper=sip', ...SIGNALLING], much: true } },
} as const;

/** The rules. Without the elements of named sets: some owners block a hundred thousand addresses. */
export const LIST_RULES = { argv: ['nft', '-j', '-t', 'list', 'ruleset'] } as const;

/** The same as nft writes them, for rules that may have to be given back. */
export const LIST_TEXT: readonly string[] = ['nft', '-a', '-t', 'list', 'ruleset'];

/** What the helper dropped. */
export const KERNEL_LOG = { argv: ['dmesg'], options: { select: { holding: ['nf_ct_sip'] } } } as const;

/** Those of every look, what takes longest first. */
export const EVERY_LOOK: readonly Asked[] = [LIST_FLOWS, LIST_RULES, KERNEL_LOG];
