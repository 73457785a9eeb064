/** What is too long to stand in facts, told apart by a number: they stay small for ten thousand networks. */
import { stretchesOf } from '../languages/address/stretches.ts';

/** Told apart, not kept secret (cyrb53, 53 bits), as hex digits. */
export function hash(text: string): string {
  let one = 0xdeadbeef;
  let two = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 2654435761);
    two = Math.imul(two ^ unit, 1597334677);
  }
  one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(two ^ (two >>> 13), 3266489909);
  two = Math.imul(two ^ (two >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
  return (4294967296 * (2097151 & two) + (one >>> 0)).toString(16);
}

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
