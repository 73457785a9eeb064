/** What of the voice rules is in nftables: which text, whether it is whole, what it has counted and remembered. */
import type { Host, Reading } from '../../host/host.ts';
import { Refused, quote } from '../../languages/refused.ts';
import { answered, orElse, runInParts, understood } from '../../observe/reading.ts';
import { hash } from '../../host/hash.ts';
import { networksOf } from '../digest.ts';
import type { Networks } from '../digest.ts';
import type { Attempt, InForce } from '../facts.ts';
import { FIRST_KNOWN, LISTED_FILE, METHODS, NETWORK_SETS, ONCE, REMEMBERED, TABLE, TEXT_CHAIN } from '../own.ts';
import type { NetworkSet } from '../own.ts';

export const LIST = ['nft', '-j', 'list', 'table', ...TABLE.split(' ')];

type Json = Record<string, unknown>;
type Item = [kind: string, object: Json];

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where the text is cut: before each set. A rule that names one begins `{"set": {"op"`. */
const SET = '{"set": {"family"';

/** Sets whose elements are read; of the others it counts alone how many there are. */
const READ = /^(signalling|media|sites|phones|first|(single|seen|dropped)_[a-z]+)[46]$/;

/**
 * Reads a listing part by part, and holds of each set no more than is read of it: a flood fills sets with tens of thousands of
 * elements.
 */
function createItemsReader(): { take(part: string): void; end(): Item[] } {
  const items: Item[] = [];
  let before: string | null = null;
  let parts = 0;
  let refused: string | null = null;
  const read = (text: string): void => {
    let list: unknown;
    try {
      list = (JSON.parse(text) as Json)['nftables'];
    } catch {
      // Said at the end.
    }
    if (!Array.isArray(list)) {
      refused ??= text;
      return;
    }
    for (const item of list as unknown[]) {
      if (!isObject(item)) continue;
      for (const [kind, object] of Object.entries(item)) {
        if (!isObject(object)) continue;
        const elements = object['elem'];
        if (kind === 'set' && Array.isArray(elements)) {
          object['entries'] = elements.length;
          if (!READ.test(String(object['name']))) delete object['elem'];
        }
        items.push([kind, object]);
      }
    }
  };
  const open = (part: string): string => (parts === 1 ? part : `{"nftables": [${part}`);
  return {
    take(part) {
      if (before !== null) read(`${open(before).trimEnd().replace(/,$/, '')}]}`);
      before = part;
      parts += 1;
    },
    end() {
      read(open(before ?? ''));
      if (refused !== null) throw new Refused(`nft did not print a list of rules: ${quote(refused)}`);
      return items;
    },
  };
}

function itemsOf(text: string): Item[] {
  const reader = createItemsReader();
  reader.take(text);
  return reader.end();
}

/** Rules and declarations, without handles, counts and what sets hold; the order of an anonymous set says nothing. */
function shapeOf(items: readonly Item[]): string {
  const plain = (value: unknown, key?: string): unknown => {
    if (Array.isArray(value))
      return key === 'set' ? value.map((each) => JSON.stringify(plain(each))).sort() : value.map((each) => plain(each));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !['handle', 'elem', 'entries', 'packets', 'bytes'].includes(name))
        .map(([name, each]) => [name, plain(each, name)]),
    );
  };
  // Objects of timeouts outlive the rules that named them, for the flows under them.
  return items
    .filter(([kind]) => kind !== 'metainfo' && kind !== 'ct timeout')
    .map(([kind, object]) => JSON.stringify([kind, plain(object)]))
    .sort()
    .join('\n');
}

interface Element {
  value: unknown;
  /** Seconds. */
  timeout: number | null;
  expires: number | null;
  packets: number;
}

function elementsOf(items: readonly Item[], name: string): Element[] {
  const list = items.find(([kind, object]) => kind === 'set' && object['name'] === name)?.[1]['elem'];
  return (Array.isArray(list) ? list : []).map((each: unknown): Element => {
    const elem = isObject(each) && isObject(each['elem']) ? each['elem'] : { val: each };
    const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
    const counter = isObject(elem['counter']) ? elem['counter'] : {};
    return {
      value: elem['val'],
      timeout: number(elem['timeout']),
      expires: number(elem['expires']),
      packets: number(counter['packets']) ?? 0,
    };
  });
}

const addresses = (items: readonly Item[], name: string): string[] =>
  elementsOf(items, name).flatMap(({ value }) => (typeof value === 'string' ? [value] : []));

/** When an element was last touched: its time begins anew then. */
function touched(element: Element | undefined, standard: number, now: number): number | null {
  return element?.expires == null ? null : now - ((element.timeout ?? standard) - element.expires) * 1000;
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The busiest; a flood of many addresses must not flood a report too. */
export const MOST_ATTEMPTS = 256;

function attemptsOf(items: readonly Item[], now: number): Attempt[] {
  return [4, 6]
    .flatMap((number) => {
      const known = new Map(elementsOf(items, `first${number}`).map((element) => [element.value, touched(element, FIRST_KNOWN, now)]));
      return METHODS.flatMap((method) => {
        const of = (what: string): Map<unknown, Element> =>
          new Map(elementsOf(items, `${what}_${method}${number}`).map((element) => [element.value, element]));
        const [single, seen, dropped] = [of('single'), of('seen'), of('dropped')];
        return [...new Set([...single.keys(), ...seen.keys()])].flatMap((source): Attempt[] => {
          if (typeof source !== 'string') return [];
          // Who asks once is in the one, and from the second time on in the other.
          const times = [single.get(source), seen.get(source)];
          const at = [touched(times[0], ONCE, now), touched(times[1], REMEMBERED, now)].filter((time) => time !== null);
          return [
            {
              source: number === 6 ? `${source}/64` : source,
              method: method.toUpperCase(),
              seen: times.reduce((sum, element) => sum + (element?.packets ?? 0), 0),
              dropped: dropped.get(source)?.packets ?? 0,
              first: earliest([...at, known.get(source) ?? null]),
              last: at.length === 0 ? null : Math.max(...at),
            },
          ];
        });
      });
    })
    .sort((one, other) => other.seen - one.seen || (one.source < other.source ? -1 : 1))
    .slice(0, MOST_ATTEMPTS);
}

const textOf = (element: unknown): string => {
  const prefix = isObject(element) ? element['prefix'] : null;
  return isObject(prefix) ? `${String(prefix['addr'])}/${String(prefix['len'])}` : String(element);
};

/** What a set holds, as nft lists its elements: some nft show two neighbours as one range. */
export function heldBy(elements: readonly unknown[]): Networks {
  return networksOf(
    elements.map((element) => {
      const range = isObject(element) ? element['range'] : null;
      return Array.isArray(range) ? ([textOf(range[0]), textOf(range[1])] as const) : textOf(element);
    }),
  );
}

const KINDS: readonly InForce['objects'][number]['kind'][] = ['chain', 'set', 'map', 'counter', 'ct timeout'];

/** `shapeOf` a listing as a digest; null where it was cut short, which says nothing. */
function loadedShape(listed: string | null): string | null {
  try {
    return listed === null ? null : hash(shapeOf(itemsOf(listed)));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null;
  }
}

/**
 * @param listed the listing kept when the rules were loaded; null where there is none
 * @throws Refused
 */
export function parseInForce(text: string, listed: string | null, now: number): InForce {
  return inForceOf(itemsOf(text), listed, now);
}

function inForceOf(items: readonly Item[], listed: string | null, now: number): InForce {
  const objects = items.flatMap(([kind, { name }]) => {
    const known = KINDS.find((each) => each === kind);
    return known !== undefined && typeof name === 'string' ? [{ kind: known, name }] : [];
  });
  return {
    mark: objects.find(({ kind, name }) => kind === 'chain' && name.startsWith(TEXT_CHAIN))?.name ?? null,
    shape: hash(shapeOf(items)),
    loaded: loadedShape(listed),
    networks: Object.fromEntries(NETWORK_SETS.map((name) => [name, heldBy(elementsOf(items, name).map(({ value }) => value))])) as Record<
      NetworkSet,
      Networks
    >,
    objects,
    counters: items.flatMap(([kind, { name, packets, bytes }]) =>
      kind === 'counter' ? [{ name: String(name), packets: Number(packets), bytes: Number(bytes) }] : [],
    ),
    attempts: attemptsOf(items, now),
    phones: [...addresses(items, 'phones4'), ...addresses(items, 'phones6')],
    lists: items.flatMap(([kind, { name, size, entries }]) =>
      kind === 'set' && typeof size === 'number' && typeof entries === 'number' && entries > 0
        ? [{ name: String(name), entries, most: size }]
        : [],
    ),
  };
}

/** @param there whether nftables has our table at all, as far as that was seen */
export async function observeNftPolicy(host: Host, there: boolean): Promise<Reading<InForce>> {
  if (!there) return { state: 'absent', source: LIST.join(' ') };
  const reader = createItemsReader();
  const [table, listed] = await Promise.all([
    runInParts(host, LIST, { parts: { at: SET, take: reader.take } }),
    host.read(LISTED_FILE),
  ]);
  return understood(answered(table), () => inForceOf(reader.end(), orElse(listed, null), host.now()));
}

const TRY = `table inet sipalg_try {
	ct timeout try {
		protocol udp
		l3proto ip
		policy = { unreplied : 60, replied : 120 }
	}
}
`;

/** Whether kernel and nft can give a flow timeouts of its own: asked of the kernel, which changes nothing. */
export async function observePerFlow(host: Host, inForce: Reading<InForce>): Promise<Reading<boolean>> {
  if (orElse(inForce, null)?.objects.some(({ kind }) => kind === 'ct timeout'))
    return { state: 'present', value: true, source: LIST.join(' ') };
  const outcome = await host.run(['nft', '-c', '-f', '-'], { input: TRY });
  if (outcome.state === 'absent') return { state: 'absent', source: outcome.command };
  if (outcome.state === 'failed') return { state: 'failed', source: outcome.command, because: outcome.because };
  // Who may not ask gets no answer; any other refusal is one.
  if (outcome.code !== 0 && /Operation not permitted/.test(outcome.stderr))
    return { state: 'failed', source: outcome.command, because: 'only root may ask' };
  return { state: 'present', value: outcome.code === 0, source: 'nft -c (a ct timeout object)' };
}
