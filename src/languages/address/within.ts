/** Whether an address lies in a network. */
import { readPrefix } from './prefixes.ts';

function bitsOf(address: string): string | null {
  const prefix = readPrefix(address);
  if ('wrong' in prefix) return null;
  const digits = [...prefix.bits].map((digit) => parseInt(digit, 16).toString(2).padStart(4, '0'));
  return digits.join('');
}

/** @param network `a.b.c.d/n`, or an address and its length; a bare address holds itself alone */
export function isWithin(address: string, network: string | { address: string; prefix: number }): boolean {
  const [base = '', length] = typeof network === 'string' ? network.split('/') : [network.address, String(network.prefix)];
  const [one, other] = [bitsOf(address), bitsOf(base)];
  if (one === null || other === null || one.length !== other.length) return address === network;
  const bits = length === undefined ? one.length : Number(length);
  return one.slice(0, bits) === other.slice(0, bits);
}
