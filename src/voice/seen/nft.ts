/** What of the voice rules is in nftables: which text, whether it is whole, what it has counted and remembered. */
import type { Host, Reading } from '../../host/host.ts';
import { Refused, quote } from '../../languages/refused.ts';
import { answered, orElse, understood } from '../../observe/reading.ts';
import { hash, networksOf } from '../digest.ts';
import type { Networks } from '../digest.ts';
import type { Attempt, InForce } from '../facts.ts';
import { FIRST_KNOWN, LISTED_FILE, METHODS, NETWORK_SETS, REMEMBERED, TABLE, TEXT_CHAIN } from '../own.ts';
import type { NetworkSet } from '../own.ts';

export const LIST = ['nft', '-j', 'list', 'table', ...TABLE.split(' ')];

type Json = Record<string, unknown>;
type Item = [kind: string, object: Json];

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function itemsOf(text: string): Item[] {
  let list: unknown;
  try {
    list = (JSON.parse(text) as Json)['nftables'];
  } catch {
    // Said below.
  }
  if (!Array.isArray(list)) throw new Refused(`nft did not print a list of rules: ${quote(text)}`);
  return list.flatMap((item: unknown) =>
    isObject(item) ? Object.entries(item).flatMap(([kind, object]): Item[] => (isObject(object) ? [[kind, object]] : [])) : [],
  );
}

/** Rules and declarations, without handles, counts and what sets hold; the order of an anonymous set says nothing. */
function shapeOf(items: readonly Item[]): string {
  const plain = (value: unknown, key?: string): unknown => {
    if (Array.isArray(value))
      return key === 'set' ? value.map((each) => JSON.stringify(plain(each))).sort() : value.map((each) => plain(each));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !['handle', 'elem', 'packets', 'bytes'].includes(name))
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
function touched({ timeout, expires }: Element, standard: number, now: number): number | null {
  return expires === null ? null : now - ((timeout ?? standard) - expires) * 1000;
}

/** The busiest; a flood of many addresses must not flood a report too. */
export const MOST_ATTEMPTS = 256;

function attemptsOf(items: readonly Item[], now: number): Attempt[] {
  return [4, 6]
    .flatMap((number) => {
      const first = new Map(elementsOf(items, `first${number}`).map((element) => [element.value, touched(element, FIRST_KNOWN, now)]));
      return METHODS.flatMap((method) => {
        const dropped = new Map(elementsOf(items, `dropped_${method}${number}`).map(({ value, packets }) => [value, packets]));
        return elementsOf(items, `seen_${method}${number}`).flatMap((element): Attempt[] =>
          typeof element.value !== 'string'
            ? []
            : [
                {
                  source: number === 6 ? `${element.value}/64` : element.value,
                  method: method.toUpperCase(),
                  seen: element.packets,
                  dropped: dropped.get(element.value) ?? 0,
                  first: first.get(element.value) ?? null,
                  last: touched(element, REMEMBERED, now),
                },
              ],
        );
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
  const items = itemsOf(text);
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
  };
}

/** @param there whether nftables has our table at all, as far as that was seen */
export async function observeNftPolicy(host: Host, there: boolean): Promise<Reading<InForce>> {
  if (!there) return { state: 'absent', source: LIST.join(' ') };
  const [table, listed] = await Promise.all([host.run(LIST), host.read(LISTED_FILE)]);
  return understood(answered(table), (text) => parseInForce(text, orElse(listed, null), host.now()));
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
