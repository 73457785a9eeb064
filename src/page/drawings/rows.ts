/** Drawings of a row for each of something: networks that attempts came from, and phones and their state. */
import type { PhoneState } from '../../object/history.ts';
import type { Tree } from '../tree.ts';
import { axis, box, drawing, LINE, path, short, WIDE, within, words } from './parts.ts';

/** Attempts from one network. Milliseconds since the epoch; null where the kernel does not say. */
export interface Network {
  network: string;
  sources: number;
  seen: number;
  first: number | null;
  last: number | null;
}

/** One attempt of the report, as far as it matters here. */
interface Attempt {
  source: string;
  seen: number;
  first: number | null;
  last: number | null;
}

/** The network that a provider hands out: of IPv4 24 bits, of IPv6 48. */
function networkOf(source: string): string {
  if (!source.includes(':')) return `${source.split('.').slice(0, 3).join('.')}.0/24`;
  const [head = ''] = source.split('::');
  const groups = head === '' ? [] : head.split(':');
  return `${[0, 1, 2].map((at) => groups[at] ?? '0').join(':')}::/48`;
}

const least = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.min(one, other);
const most = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.max(one, other);

/** By network, the one that was there last first. */
export function networksOf(attempts: readonly Attempt[]): Network[] {
  const found = new Map<string, Network & { all: Set<string> }>();
  for (const { source, seen, first, last } of attempts) {
    const network = networkOf(source);
    const known = found.get(network) ?? { network, sources: 0, seen: 0, first: null, last: null, all: new Set<string>() };
    known.all.add(source);
    found.set(network, {
      ...known,
      sources: known.all.size,
      seen: known.seen + seen,
      first: least(known.first, first),
      last: most(known.last, last),
    });
  }
  return [...found.values()]
    .map(({ network, sources, seen, first, last }) => ({ network, sources, seen, first, last }))
    .sort((one, other) => (other.last ?? 0) - (one.last ?? 0) || other.seen - one.seen);
}

/** So many are drawn. */
export const MOST_ROWS = 12;
const ROW = 2 * LINE + 4;

/** From when to when each network was there, on the line of the last day. @returns null where nothing came */
export function sourcesOf(
  networks: readonly Network[],
  now: number,
  texts: { label: string; axis: readonly [string, string, string]; row(network: Network): string },
): Tree | null {
  const drawn = networks.slice(0, MOST_ROWS);
  if (drawn.length === 0) return null;
  const parts = drawn.flatMap((network, place) => {
    const y = place * ROW + LINE + 7;
    const text = words(0, place * ROW + 10, short(texts.row(network), WIDE));
    const { first, last } = network;
    if (first === null || last === null) return [text];
    const [from, to] = [within(first, now, 4, WIDE - 4), within(last, now, 4, WIDE - 4)];
    return [text, path(`M0 ${y}H${WIDE}`, 0.2), box(from - 1, y - 2, to - from + 2, 4), box(to - 3, y - 4, 6, 8)];
  });
  const foot = drawn.length * ROW;
  return drawing(texts.label, foot + LINE + 4, ...parts, ...axis(foot, texts.axis));
}

/** Does the state end before the phone renews its registration? Then calls are lost meanwhile. */
export const isTooShort = ({ life, every }: PhoneState): boolean => life !== null && every !== null && every >= life;

const BAR = 8;
const PHONE = 2 * LINE + BAR + 8;

/**
 * What is left of the state of each phone, of what a packet gives it; a stroke where the phone renews its registration.
 * @returns null where there is none of which anything is known
 */
export function phonesOf(
  phones: readonly PhoneState[],
  texts: { label: string; name(phone: PhoneState): string; left(phone: PhoneState): string },
): Tree | null {
  const drawn = phones.filter(({ left }) => left !== null).slice(0, MOST_ROWS);
  if (drawn.length === 0) return null;
  const parts = drawn.flatMap((phone, place) => {
    const { left, life, every } = phone;
    const top = place * PHONE;
    const all = Math.max(1, left ?? 0, life ?? 0, every ?? 0);
    const bad = isTooShort(phone);
    const y = top + LINE + 2;
    const at = every === null ? null : Math.min(WIDE - 1, (every / all) * WIDE);
    return [
      words(0, top + 10, short(texts.name(phone), WIDE)),
      box(0, y, ((life ?? left ?? 0) / all) * WIDE, BAR, 0.2),
      box(0, y, ((left ?? 0) / all) * WIDE, BAR, 0.8, '', bad ? 'bad' : undefined),
      ...(at === null ? [] : [path(`M${Math.round(at)} ${y - 3}v${BAR + 6}`, 1, null, bad ? 'bad' : undefined)]),
      words(0, y + BAR + 11, short(`${bad ? '! ' : ''}${texts.left(phone)}`, WIDE), 'start', bad ? 'bad' : undefined),
    ];
  });
  return drawing(texts.label, drawn.length * PHONE, ...parts);
}
