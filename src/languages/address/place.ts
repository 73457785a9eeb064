/** A place to listen, as text: `ADDRESS:PORT`. */

export interface Place {
  /** An IP address, IPv6 without its brackets. */
  address: string;
  /** 0: any that is free. */
  port: number;
}

const ALLOWED = 'it must be an address and a port, such as 127.0.0.1:8061, 192.168.1.1:8061 or [::1]:8061';

function isV4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

/** Shape only: what is no address is refused by the system, and said then. */
function isV6(text: string): boolean {
  return /^[0-9a-f:]+(?:\d+\.\d+\.\d+\.\d+)?(?:%[\w.-]+)?$/i.test(text) && text.includes(':');
}

/** @returns the place, or what is wrong with the text, as the end of a sentence */
export function readPlace(text: string): Place | { wrong: string } {
  const found = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  const [v6, v4] = [found?.[1], found?.[2] === 'localhost' ? '127.0.0.1' : found?.[2]];
  if (found === null || port > 65_535 || !(v6 !== undefined ? isV6(v6) : isV4(v4 as string)))
    return { wrong: `${JSON.stringify(text.slice(0, 80))} is no place to listen; ${ALLOWED}` };
  return { address: (v6 ?? (v4 as string)).toLowerCase(), port };
}

/** Only programs on this machine reach it. */
export function isLoopback({ address }: Place): boolean {
  return /^127\./.test(address) || /^::ffff:127\./.test(address) || /^(0{0,4}:){2,7}0{0,3}1$/.test(address);
}

/** As it stands in an address bar. */
export function urlOf({ address, port }: Place, scheme: 'http' | 'https' = 'http'): string {
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}/`;
}
