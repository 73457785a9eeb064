/**
 * Providers' names and the last good answers for them. An answer once had is kept until there is a better one: a name
 * server that is away must not take a provider out of the rules.
 */
import { isName } from '../../languages/dns/message.ts';
import type { Asking, Host } from '../../host/host.ts';
import { quote } from '../../languages/refused.ts';
import type { Prefix } from '../../languages/address/prefixes.ts';
import type { Answer, Names } from '../facts.ts';
import { KEPT_NAMES, NAMES } from '../own.ts';
import { isInside } from './inside.ts';
import { questionsByCommand } from './nslookup.ts';
import { locate, nameServers, questions } from './servers.ts';
import type { Located } from './servers.ts';
import type { Provider } from '../../wish/wish.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
/** An answer is good for its TTL, but never shorter or longer than this. */
const [LEAST, MOST] = [60 * SECOND, DAY];
/** After a failure: soon where nothing is known, less so where the last good answer stands in. */
const [AGAIN, AGAIN_KNOWN] = [60 * SECOND, 300 * SECOND];
const MOST_NAMES = 64;
const MOST_ADDRESSES = 64;
/** No provider has more; each is a port whose packets are looked at. */
const MOST_PORTS = 16;
/** Sentences on addresses of no use; the rest are counted. */
const MOST_REFUSED = 32;

/** The answers as they are kept. A file that is missing or spoilt is as good as none. */
export async function readNames(host: Host): Promise<Names> {
  const [kept, now] = await Promise.all([KEPT_NAMES, NAMES].map(async (path) => parse(await host.read(path))));
  return namesOf([...Object.entries(kept as Names), ...Object.entries(now as Names)]);
}

/**
 * Asks for the names whose time has come, and keeps what is answered. Never throws.
 * @param asking the engine's way to name servers; 'nslookup': by OpenWrt's command; null: there is none
 * @param hosts all that the configuration names, disabled providers aside; answers for others are forgotten
 * @param now   milliseconds since the epoch
 * @param inside tells which networks are behind this router
 * @returns `changed`: the addresses or ports of some name are not what they were; `next`: when to come again, null for
 *   never; `trouble`: a file that could not be written, as a sentence
 */
export async function refreshNames(
  host: Host,
  asking: Asking | 'nslookup' | null,
  hosts: Provider['hosts'],
  now = host.now(),
  inside: () => Promise<readonly Prefix[]> = async () => [],
): Promise<{ names: Names; changed: boolean; next: number | null; trouble: string | null }> {
  const before = await readNames(host);
  const ways = waysOf(hosts);
  const due = [...ways].filter(([name]) => isDue(before[name], now));
  const fresh = await asked(host, asking, before, due, now, inside);
  const names = namesOf(
    [...ways.keys()].flatMap((name): [string, Answer][] => {
      const answer = fresh.get(name) ?? before[name];
      return answer === undefined ? [] : [[name, answer]];
    }),
  );
  const changed = gist(before) !== gist(names);
  let trouble: string | null = null;
  const write = async (path: string): Promise<void> => {
    const text = Object.keys(names).length > 0 ? `${JSON.stringify(names)}\n` : null;
    try {
      if (text !== null) await host.write(path, text);
      else if ((await host.kind(path)).state !== 'absent') await host.remove(path);
    } catch (error) {
      trouble = `${(error as Error).message}; the answers for providers' names are not kept`;
    }
  };
  if (due.length > 0 || changed) await write(NAMES);
  if (worthFlash(parse(await host.read(KEPT_NAMES)), names, now)) await write(KEPT_NAMES);
  const next = Object.values(names).reduce((least, { until }) => Math.min(least, until), Infinity);
  return { names, changed, next: next === Infinity ? null : next, trouble };
}

/** By name in lower case: whether it stands alone somewhere, and whether with a port. */
function waysOf(hosts: Provider['hosts']): Map<string, { bare: boolean; port: boolean }> {
  const ways = new Map<string, { bare: boolean; port: boolean }>();
  for (const { name, port } of hosts) {
    const key = name.replace(/\.$/, '').toLowerCase();
    const way = ways.get(key) ?? { bare: false, port: false };
    way[port === null ? 'bare' : 'port'] = true;
    if (ways.has(key) || ways.size < MOST_NAMES) ways.set(key, way);
  }
  return ways;
}

/** A time further away than any is given was set by a clock that went wrong: many routers start in another year. */
function isDue(answer: Answer | undefined, now: number): boolean {
  return answer === undefined || answer.until <= now || answer.until > now + MOST;
}

async function asked(
  host: Host,
  door: Asking | 'nslookup' | null,
  before: Names,
  due: readonly [string, { bare: boolean; port: boolean }][],
  now: number,
  inside: () => Promise<readonly Prefix[]>,
): Promise<Map<string, Answer>> {
  const fresh = new Map<string, Answer>();
  if (due.length === 0) return fresh;
  if (door === null) {
    for (const [name] of due) fresh.set(name, failed(before[name], 'this program was put together without a way to name servers', now));
    return fresh;
  }
  const [own, networks, servers] = [new Set(host.addresses().map(({ address }) => address)), await inside(), await nameServers(host)];
  const because = (address: string): string | null =>
    uselessBecause(address)
    ?? (own.has(address) ? 'this router itself' : isInside(networks, address) ? 'in a network behind this router' : null);
  const ask = door === 'nslookup' ? questionsByCommand(host, servers) : questions(door, servers, () => host.now());
  await Promise.all(
    due.map(async ([name, ways]) => {
      const answer = isName(name)
        ? answerFrom(name, await locate(ask, name, ways), before[name], because, now)
        : failed(before[name], `${quote(name)} is no name that can be asked for`, now);
      // What cannot be read back would be gone with the next look, and the last good answer with it.
      fresh.set(name, isAnswer(answer) ? answer : failed(before[name], `what was answered for ${name} cannot be kept`, now));
    }),
  );
  return fresh;
}

/** What is to be kept of what was found, the last good answer being `last`. */
function answerFrom(
  name: string,
  found: Located,
  last: Answer | undefined,
  refusal: (address: string) => string | null,
  now: number,
): Answer {
  const all: string[] = [];
  const good = [...new Set(found.addresses)].filter((address) => {
    const what = refusal(address);
    if (what !== null) all.push(`${name} leads to ${address}, ${what}: that address is left out.`);
    return what === null;
  });
  const more = all.length - MOST_REFUSED;
  const refused = more > 1 ? [...all.slice(0, MOST_REFUSED), `${name} leads to ${more} more addresses that are left out.`] : all;
  const known = last ?? { addresses: [], ports: [], tlsPorts: [] };
  // Without its SRV records a name's own address is often no more than a web site.
  const astray = !found.elsewhere && found.failures.length > 0 && known.ports.length + known.tlsPorts.length > 0;
  if (good.length === 0 || astray) {
    const answer = failed(last, found.failures[0] ?? refused[0] ?? (found.because || `${name} has no address`), now);
    return refused.length > 0 ? { ...answer, refused } : answer;
  }
  // What is behind the router by now is not kept either.
  const gone = known.addresses.filter((address) => !good.includes(address) && refusal(address) === null);
  // Where some server went without an answer, what it gave last time still holds, for as long as that lasts.
  const partial = found.failures.length > 0;
  const former = Object.fromEntries(
    gone
      .map((address): [string, number] => [address, partial ? now : Math.min(now, last?.former?.[address] ?? now)])
      .filter(([, since]) => now - since < HOUR)
      .slice(0, Math.max(0, MOST_ADDRESSES - good.length)),
  );
  const ends = Object.values(former).map((since) => since + HOUR);
  const lasts = Math.min(MOST, Math.max(LEAST, found.ttl * SECOND));
  const merged = (ports: readonly number[], more: readonly number[]): number[] =>
    [...new Set([...ports, ...(partial ? more : [])])].slice(0, MOST_PORTS).sort((one, other) => one - other);
  return {
    addresses: [...good.sort().slice(0, MOST_ADDRESSES), ...Object.keys(former)].sort(),
    ...(Object.keys(former).length > 0 ? { former } : {}),
    ...(refused.length > 0 ? { refused } : {}),
    ports: merged(found.ports, known.ports),
    tlsPorts: merged(found.tlsPorts, known.tlsPorts),
    at: now,
    until: partial ? now + AGAIN_KNOWN : Math.max(now + LEAST, Math.min(now + lasts, ...ends)),
    failed: partial ? { at: now, because: found.failures[0] as string } : null,
  };
}

function failed(last: Answer | undefined, because: string, now: number): Answer {
  const known = last ?? { addresses: [], ports: [], tlsPorts: [], at: 0 };
  return { ...known, until: now + (known.addresses.length > 0 ? AGAIN_KNOWN : AGAIN), failed: { at: now, because } };
}

/**
 * Addresses no provider can be at, whatever a name server says (DNS rebinding among the reasons). Private networks are
 * allowed: some providers serve phones over a network of their own, and in our sets such an address opens nothing that
 * it could not reach without us - the limit looks only at what comes from the internet, a mark is a mark, and inbound
 * calls are let in from the internet's side alone.
 */
const USELESS: readonly (readonly [RegExp, string])[] = [
  [/^(127\.|::1$)/, 'a loopback address'],
  [/^(0\.|::$)/, 'which means no address'],
  [/^(22[4-9]|23\d)\.|^ff/, 'a multicast address'],
  [/^(169\.254\.|fe[89ab])/, 'a link-local address'],
  [/^2(4\d|5[0-5])\.|^::/, 'a reserved address'],
];

function uselessBecause(address: string): string | null {
  return USELESS.find(([pattern]) => pattern.test(address))?.[1] ?? null;
}

/** What the rules are made of. */
function gist(names: Names): string {
  return JSON.stringify(
    Object.entries(names)
      .map(([name, { addresses, ports, tlsPorts }]) => [name, addresses, ports, tlsPorts])
      .sort(),
  );
}

/**
 * New and forgotten names at once; changed addresses at most once an hour, for some providers show another part of their pool
 * each minute.
 */
function worthFlash(kept: Names, names: Names, now: number): boolean {
  const only = (all: Names): Names => namesOf(Object.entries(all).filter(([, { addresses }]) => addresses.length > 0));
  const [was, is] = [only(kept), only(names)];
  if (gist(was) === gist(is)) return false;
  const ages = Object.entries(is).filter(
    ([name, answer]) => gist(namesOf([[name, answer]])) !== gist(namesOf(name in was ? [[name, was[name] as Answer]] : [])),
  );
  return (
    Object.keys(was).some((name) => !(name in is))
    || ages.some(([name]) => !(name in was) || Math.abs(now - (was[name] as Answer).at) >= HOUR)
  );
}

/** Without a prototype: a provider may be called `constructor`. */
function namesOf(entries: readonly [string, Answer][]): Names {
  const names = Object.create(null) as Names;
  for (const [name, answer] of entries) names[name] = answer;
  return names;
}

function parse(text: Awaited<ReturnType<Host['read']>>): Names {
  let data: unknown = null;
  try {
    data = text.state === 'present' ? JSON.parse(text.value) : null;
  } catch {
    // A file that is no JSON has no answers.
  }
  return namesOf(Object.entries((data ?? {}) as object).filter(([, answer]) => isAnswer(answer)) as [string, Answer][]);
}

function isAnswer(data: unknown): data is Answer {
  const { addresses, ports, tlsPorts, at, until, former = {}, refused = [], failed } = (data ?? {}) as Record<string, unknown>;
  const all = (list: unknown, test: (one: never) => boolean): boolean =>
    Array.isArray(list) && list.length <= 2 * MOST_ADDRESSES && list.every(test as () => boolean);
  const port = (one: unknown): boolean => Number.isInteger(one) && (one as number) > 0 && (one as number) < 65536;
  const text = (one: unknown): boolean => typeof one === 'string';
  return (
    all(addresses, (one: string) => text(one) && /^[0-9a-f:.]{2,39}$/.test(one))
    && all(ports, port)
    && all(tlsPorts, port)
    && all(refused, text)
    && Number.isFinite(at)
    && Number.isFinite(until)
    && typeof former === 'object'
    && former !== null
    && Object.values(former).every(Number.isFinite)
    && (failed === null
      || (typeof failed === 'object'
        && text((failed as Record<string, unknown>)['because'])
        && Number.isFinite((failed as Record<string, unknown>)['at'])))
  );
}
