/** A request and an answer of the page's own mount, as plain data: HTTP without a socket. */
import { coded, textOf } from '../words/say.ts';
import type { Line } from '../words/say.ts';

/** A request whose body has been read. */
export interface Asked {
  method: string;
  /** As in the request line: a path, and a query. */
  target: string;
  /** Names in lower case, in the order they came. */
  headers: readonly (readonly [name: string, value: string])[];
  /** The other end's address, without its port. */
  address: string;
  /** null: it is not UTF-8. */
  body: string | null;
  /** It came over TLS. */
  secure?: boolean;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A request before its body is read. */
export type Head = Omit<Asked, 'body'>;

/** Who answers requests. */
export interface Handle {
  (asked: Asked): Promise<Answer>;
  /** Bytes that the body of this one may have; MOST_BODY where it does not say. */
  most?(head: Head): number;
}

/** Bytes a request's body may have. */
export const MOST_BODY = 16_384;
/**
 * The same of a change of the configuration, by who has logged in: ten thousand networks of IPv6, or twenty-five thousand of
 * IPv4. One such request is read at a time.
 */
export const MOST_CHANGE = 524_288;

/**
 * What goes with every answer. Nothing but the page's own script and style runs
 * in it, nobody may frame it, and nothing of it is kept.
 */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cache-control': 'no-store',
};

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { status, headers: { ...SAFE_HEADERS, 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/** A status and a sentence; with its code, what a person reads on the page. */
export function refusal(status: number, error: Line, headers: Record<string, string> = {}): Answer {
  return json(status, { error: textOf(error), ...(typeof error === 'string' ? {} : coded(error)) }, headers);
}

/** The values of a header, in the order they came. */
export function valuesOf(asked: Head, name: string): string[] {
  return asked.headers.filter(([one]) => one === name).map(([, value]) => value);
}

/** The value of a header; undefined where it is not given. */
export function headerOf(asked: Head, name: string): string | undefined {
  return valuesOf(asked, name)[0];
}

/** A target taken apart: the path, and the query's fields, the first of equal names. */
export function partsOf(target: string): { path: string; query: Map<string, string> } {
  const at = target.indexOf('?');
  const path = at < 0 ? target : target.slice(0, at);
  const query = new Map<string, string>();
  for (const field of at < 0 ? [] : target.slice(at + 1).split('&')) {
    const eq = field.indexOf('=');
    const name = eq < 0 ? field : field.slice(0, eq);
    if (!query.has(name)) query.set(name, eq < 0 ? '' : field.slice(eq + 1));
  }
  return { path, query };
}

/** The cookies of a request, the first of equal names. */
export function cookiesOf(asked: Head): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const part of valuesOf(asked, 'cookie').flatMap((value) => value.split(';'))) {
    const eq = part.indexOf('=');
    const name = part.slice(0, Math.max(0, eq)).trim();
    if (name !== '' && !cookies.has(name)) cookies.set(name, part.slice(eq + 1).trim());
  }
  return cookies;
}
