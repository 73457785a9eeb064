/** What is too long to stand in facts, told apart by a number: they stay small for ten thousand networks. */
import { hash } from '../host/hash.ts';
import { stretchesOf } from '../languages/address/stretches.ts';

/** The networks a set holds. Two that hold the same addresses have the same, however their networks are cut or ordered. */
export interface Networks {
  /** Stretches of addresses: networks that touch are one. */
  stretches: number;
  /** `hash` of the stretches, each as its first and last address; null where something in it is no network. */
  digest: string | null;
}

/** @param ranges networks as text, each alone or as the first and the last of a range */
export function networksOf(ranges: readonly (string | readonly [string, string])[]): Networks {
  const stretches = stretchesOf(ranges);
  return stretches === null
    ? { stretches: ranges.length, digest: null }
    : { stretches: stretches.length, digest: hash(stretches.join(' ')) };
}

/** Whether a set holds these addresses and no others. */
export const same = (one: Networks, other: Networks): boolean => one.digest !== null && one.digest === other.digest;
