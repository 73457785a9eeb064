/** The values of /etc/config/sipalg that are more than a word or a number: booleans, DSCP classes, names, networks. */
import { readPlace } from '../languages/address/place.ts';
import { readPrefix, writePrefix } from '../languages/address/prefixes.ts';
import { isTag } from '../words/tag.ts';
import type { Dscp } from './wish.ts';

/** Below are other programs' ports, whose traffic must not be taken for voice. */
export const PORTS = { least: 1024, most: 65_535 };

const BOOLEANS: Readonly<Record<string, boolean>> = {
  1: true,
  on: true,
  true: true,
  yes: true,
  enabled: true,
  0: false,
  off: false,
  false: false,
  no: false,
  disabled: false,
};

/** As OpenWrt's own scripts read a boolean (lib/functions.sh, get_bool), which know no other letter case; undefined for anything else. */
export function booleanOf(given: string): boolean | undefined {
  return Object.hasOwn(BOOLEANS, given) ? BOOLEANS[given] : undefined;
}

/** A whole number, digits alone. */
export function numberOf(given: string, { least, most }: { least: number; most: number }): number | undefined {
  const value = /^\d{1,10}$/.test(given) ? Number(given) : -1;
  return value >= least && value <= most ? value : undefined;
}

/** Names of classes (RFC 2474, 2597, 3246, 5865, 8622) as nft and iptables know them. */
const CLASSES: Record<string, number> = {};
for (let each = 0; each < 8; each++) CLASSES[`CS${each}`] = each * 8;
for (const each of [1, 2, 3, 4]) for (const drop of [1, 2, 3]) CLASSES[`AF${each}${drop}`] = each * 8 + drop * 2;
CLASSES['EF'] = 46;
/** Names that not every nft knows, and so are written as numbers. */
const NUMBERED: Readonly<Record<string, number>> = { BE: 0, DF: 0, LE: 1, VA: 44 };

export function dscpOf(text: string): Dscp | undefined {
  const name = text.toUpperCase();
  if (Object.hasOwn(CLASSES, name)) return { name, value: CLASSES[name] as number };
  const value = Object.hasOwn(NUMBERED, name) ? (NUMBERED[name] as number) : /^(\d{1,2}|0X[0-9A-F]{1,2})$/.test(name) ? Number(name) : 64;
  const known = Object.keys(CLASSES).find((each) => CLASSES[each] === value);
  return value > 63 ? undefined : { name: known ?? String(value), value };
}

/** `16384-32768` */
export function portsOf(given: string): string | undefined {
  const [, from, to] = /^(\d{4,5})[-:](\d{4,5})$/.exec(given) ?? [];
  return from !== undefined && Number(from) >= PORTS.least && Number(to) <= PORTS.most && Number(from) <= Number(to)
    ? `${Number(from)}-${Number(to)}`
    : undefined;
}

/** One address, in canonical text. */
export function addressOf(given: string): string | undefined {
  const address = readPrefix(given);
  return 'wrong' in address || given.includes('/') ? undefined : writePrefix(address);
}

/** The address of a server, with its port if one is given: `203.0.113.5`, `203.0.113.5:5080`, `[2001:db8::5]:5080`. */
export function serverOf(given: string): { address: string; port: number | null } | undefined {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]*)\]|(\d[\d.]*))(?::(\d{1,5}))?$/.exec(given) ?? [];
  const address = addressOf(inBrackets ?? plain ?? given);
  // Brackets are IPv6's (RFC 3986, section 3.2.2).
  if (address === undefined || (inBrackets !== undefined && !address.includes(':'))) return undefined;
  if (port === undefined) return { address, port: null };
  const number = numberOf(port, PORTS);
  return number === undefined ? undefined : { address, port: number };
}

/** A network in canonical text, or the end of a sentence that says what is wrong with it. */
export function networkOf(given: string): string | { wrong: string } {
  const prefix = readPrefix(given);
  return 'wrong' in prefix ? prefix : writePrefix(prefix);
}

/** A DNS name (RFC 1123, and "_" for what people do), with a port if one is given. */
export function hostOf(given: string): { name: string; port: number | null } | undefined {
  const [, name = '', port] = /^([A-Za-z0-9_.-]{1,254})(?::(\d{1,5}))?$/.exec(given) ?? [];
  const plain = name.replace(/\.$/, '');
  const labels = plain.split('.');
  if (
    plain.length > 253
    || !labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
    || !/[A-Za-z]/.test(labels[labels.length - 1] as string)
  )
    return undefined;
  if (port === undefined) return { name: plain, port: null };
  const number = numberOf(port, PORTS);
  return number === undefined ? undefined : { name: plain, port: number };
}

/** The text itself, where it names a place to listen. */
export function listenOf(given: string): string | undefined {
  return 'wrong' in readPlace(given) ? undefined : given;
}

/** The path of a file, from the root. */
export function pathOf(given: string): string | undefined {
  return /^\/[^\u0000-\u001f]{1,255}$/.test(given) ? given : undefined;
}

/** A language as gettext names it (`de`, `pt_BR`); `auto`: whoever reads decides. */
export function languageOf(given: string): string | undefined {
  return given === 'auto' || isTag(given) ? given.replace(/-/g, '_') : undefined;
}
