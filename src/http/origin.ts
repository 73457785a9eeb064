/**
 * The gate: which requests are looked at at all. A page of another site can make
 * a browser send requests here (cross-site), or have its own name resolved to
 * this address (DNS rebinding); it can forge neither Host nor Origin.
 */
import { headerOf, refusal, valuesOf } from './message.ts';
import type { Answer, Head } from './message.ts';

/** Headers that decide something: given twice, one reader may take the first and another the last. */
const ONCE = ['host', 'origin', 'content-type', 'content-length', 'sec-fetch-site', 'x-sipalg'];

/** A Host header taken apart; null where it is none. An IPv6 address comes without its brackets. */
export function readHost(host: string): { name: string; port: number | null } | null {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([0-9]{1,5}))?$/i.exec(host);
  const name = found?.[1] ?? found?.[2];
  return name === undefined ? null : { name: name.toLowerCase(), port: found?.[3] === undefined ? null : Number(found[3]) };
}

/**
 * Refuses what is not addressed to this machine by one of its own names. The
 * port is the client's affair: through a tunnel (`ssh -L`) it is another one.
 * @param names addresses and names in lower case, IPv6 without brackets
 */
export function checkHost(asked: Head, names: readonly string[]): Answer | null {
  const twice = ONCE.find((name) => valuesOf(asked, name).length > 1);
  if (twice !== undefined) return refusal(400, `The header ${twice} was given more than once.`);
  const given = headerOf(asked, 'host');
  if (given === undefined || given === '') return refusal(400, 'The request has no Host header.');
  const host = readHost(given);
  if (host === null) return refusal(400, `The Host header ${JSON.stringify(given.slice(0, 100))} is no name or address with a port.`);
  if (names.includes(host.name)) return null;
  return refusal(
    421,
    `This is not ${JSON.stringify(host.name.slice(0, 100))}; the page answers to ${names.join(', ')}. `
      + 'A name of another site that leads here is refused (DNS rebinding).',
  );
}

/** Whether a browser says that another site's page made it send this (Fetch Metadata, W3C); `none` is a person's own doing. */
export function isFromAnotherSite(asked: Head): boolean {
  const site = headerOf(asked, 'sec-fetch-site');
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/**
 * Refuses requests that act unless the page itself sends them: same Origin, and
 * a header that no form and no other site can add without being asked first.
 */
export function checkOrigin(asked: Head): Answer | null {
  const site = headerOf(asked, 'sec-fetch-site');
  if (site !== undefined && site !== 'same-origin')
    return refusal(
      403,
      `The request comes from another site (Sec-Fetch-Site: ${JSON.stringify(site.slice(0, 40))}); only the page itself may send it.`,
    );
  if (headerOf(asked, 'x-sipalg') !== '1')
    return refusal(403, 'The request has no header "X-Sipalg: 1"; only the page itself may send it.');
  const own = `${asked.secure === true ? 'https' : 'http'}://${headerOf(asked, 'host') ?? ''}`;
  const origin = headerOf(asked, 'origin');
  if (origin === undefined) return refusal(403, `The request has no Origin header; it must be ${own}.`);
  if (origin.toLowerCase() === own.toLowerCase()) return null;
  return refusal(403, `The request comes from ${JSON.stringify(origin.slice(0, 100))}; it must come from ${own}.`);
}
