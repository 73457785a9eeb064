/** From what is different to what kind of change it is, and what did it. */
import { canonical } from '../languages/sip/names.ts';
import { unfold } from '../languages/sip/text.ts';
import { meaningOf } from '../languages/sip/value.ts';
import type { Cause, Change, Difference, Found } from './difference.ts';

/** The end of the flow that the router translates, on either side; texts of addresses without brackets. */
export interface Translation {
  readonly inside: { readonly address: string; readonly port: number };
  readonly outside: { readonly address: string; readonly port: number };
}

/** IPv4, and IPv6 in full or with `::`. */
const FULL = '(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}';
const SHORTENED = '(?=[0-9A-Fa-f:]*::)[0-9A-Fa-f:]{3,39}';
const LITERAL = new RegExp(`(?<![\\w.])(?:\\d{1,3}(?:\\.\\d{1,3}){3}|\\[?(?:${FULL}|${SHORTENED})\\]?)(?![\\w.])`, 'g');
const PORT = /^(.*?)(?::(\d+))?$/s;

/** What a value is without its one address and the port behind it, and these. */
function apart(text: string): { around: string; address: string; port: string } | null {
  const all = [...text.matchAll(LITERAL)];
  const [only] = all;
  if (only === undefined || all.length !== 1) return null;
  const behind = text.slice(only.index + only[0].length);
  const [, port = '', rest = behind] = /^:(\d+)(.*)$/s.exec(behind) ?? [];
  return { around: `${text.slice(0, only.index)} ${rest}`, address: only[0].replace(/^\[|\]$/g, '').toLowerCase(), port };
}

function changeOf({ part, before, after, change }: Found, { inside, outside }: Translation): Change {
  if (change !== null) return change;
  if (before === null) return 'added';
  if (after === null) return 'removed';
  const [was, is] = [before.text, after.text];
  if (unfold(was) === unfold(is) || meaningOf(before) === meaningOf(after)) return 'layout';
  if (was.replace(/[ \t\r\n]/g, '') === is.replace(/[ \t\r\n]/g, '')) return 'layout';
  if (/%[0-9A-Fa-f]{2}/.test(was + is) && unescaped(was) === unescaped(is)) return 'layout';
  if (part === 'port' || (part === ';rport' && /^\d+$/.test(was) && /^\d+$/.test(is))) return 'port';
  const [one, other] = [apart(was), apart(is)];
  if (one !== null && other !== null && one.around === other.around && one.address !== other.address) {
    return other.address === inside.address || other.address === outside.address ? 'translated' : 'value';
  }
  const [, host, port] = PORT.exec(was) ?? [];
  const [, newHost, newPort] = PORT.exec(is) ?? [];
  // An IPv6 address in brackets ends in one: a port stands behind it or nowhere.
  return host === newHost && port !== newPort && (part.endsWith('host') || part === 'sent-by') ? 'port' : 'value';
}

const unescaped = (text: string): string => text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

/** Whether a server has taken the message in and sent it on: it puts its own Via on top, and takes it away from the reply. */
export function isForwarded(found: readonly Found[], isRequest: boolean): boolean {
  return found.some(
    ({ field, at, part, change }) => field === 'Via' && part === '' && at === 1 && change === (isRequest ? 'added' : 'removed'),
  );
}

/** What a SIP server does to a request, and nobody else has reason to (RFC 3261 §16.6, §18.2.1; RFC 3581 §4; RFC 3327). */
function isServers({ field, at, part, change, before, after }: Found, isRequest: boolean): boolean {
  if (!isRequest) return false;
  if (field === 'Via' && at === 1 && (part === ';received' || part === ';rport')) {
    return change === 'added' || (part === ';rport' && after !== null && before?.text.toLowerCase() === 'rport');
  }
  if ((field === 'Record-Route' || field === 'Path') && change === 'added') return true;
  return field === 'Max-Forwards' && Number(after?.text) === Number(before?.text) - 1;
}

export function classify(found: readonly Found[], translation: Translation, isRequest: boolean): Difference[] {
  const forwarded = isForwarded(found, isRequest);
  return found.map((each) => {
    const change = changeOf(each, translation);
    const isOwn = isServers(each, isRequest) || (forwarded && change !== 'translated' && !canonical(each.field).startsWith('sdp'));
    const cause: Cause = isOwn ? 'server' : 'alg';
    return { ...each, change, cause };
  });
}
