/**
 * Where a provider's servers are: RFC 3263 as a phone goes about it, but for all transports at once, since nobody
 * knows here which one the phones use. Name servers are asked beside each other, and none of it outlasts a deadline.
 */
import { answers, decodeAnswer, encodeQuery, recordsFor } from '../../languages/dns/message.ts';
import type { QuestionType, ResourceRecord } from '../../languages/dns/message.ts';
import type { Asking, Host, NameServer } from '../../host/host.ts';

/** All questions of one refresh, milliseconds. */
const DEADLINE = 5000;
/** One question to one name server. */
const PATIENCE = 1500;
/** dnsmasq forwards 150 questions at a time, and the router's own network has some too. */
const AT_ONCE = 32;
const MOST_TARGETS = 16;
const DNS_PORT = 53;

const CODES: Readonly<Record<number, string>> = { 1: 'FORMERR', 2: 'SERVFAIL', 4: 'NOTIMP', 5: 'REFUSED' };

/** What came of a question. `nothing`: there is no such name, or nothing of that kind for it; a server said so. */
export type Result<T extends QuestionType> =
  | { state: 'found'; records: Extract<ResourceRecord, { type: T }>[]; ttl: number }
  | { state: 'nothing'; because: string; ttl: number }
  | { state: 'failed'; because: string };

/** Asks a question once, however often it comes up. */
export type Questions = <T extends QuestionType>(type: T, name: string) => Promise<Result<T>>;

/** The name servers of this machine: its own (what the phones ask too), then those upstream. */
export async function nameServers(host: Host): Promise<NameServer[]> {
  const texts = await Promise.all(['/etc/resolv.conf', '/tmp/resolv.conf.d/resolv.conf.auto'].map((path) => host.read(path)));
  const named = texts.flatMap((text) =>
    text.state === 'present' ? [...text.value.matchAll(/^[ \t]*nameserver[ \t]+([0-9A-Fa-f:.]{2,39}(?:%[\w.-]{1,15})?)[ \t]*$/gm)] : [],
  );
  const all = [...new Set(named.map(([, address = '']) => address))].slice(0, 3);
  return (all.length > 0 ? all : ['127.0.0.1']).map((address) => ({ address, port: DNS_PORT }));
}

/** @param now a clock in milliseconds; the deadline counts from here */
export function questions(asking: Asking, servers: readonly NameServer[], now: () => number): Questions {
  const end = now() + DEADLINE;

  async function over(way: 'datagram' | 'stream', server: NameServer, name: string, type: QuestionType): Promise<Result<QuestionType>> {
    const left = Math.min(PATIENCE, end - now());
    if (left <= 0) return { state: 'failed', because: `${name}: the time was over (${DEADLINE / 1000} s for all names)` };
    const id = asking.id();
    const question = { name, type };
    try {
      const answer = decodeAnswer(
        await asking.ask(server, encodeQuery(id, question), way, left, (reply) => answers(reply, id)),
        id,
        question,
      );
      if (answer.truncated && way === 'datagram') return await over('stream', server, name, type);
      if (answer.truncated || (answer.code !== 0 && answer.code !== 3)) {
        const said = answer.truncated ? 'only a part over TCP' : (CODES[answer.code] ?? `error ${answer.code}`);
        return { state: 'failed', because: `${name}: ${server.address} says ${said}` };
      }
      const { records, ttl, name: end } = recordsFor(answer, question);
      if (records.length > 0) return { state: 'found', records, ttl };
      return {
        state: 'nothing',
        because: answer.code === 3 ? `${end} does not exist (NXDOMAIN)` : `${end} has no ${type} record`,
        ttl: Math.min(ttl, answer.negative ?? Infinity),
      };
    } catch (error) {
      return { state: 'failed', because: `${name}: ${(error as Error).message}` };
    }
  }

  // A datagram may be lost: a single server is asked twice.
  const all = servers.length === 1 ? [...servers, ...servers] : servers;
  return askedOnce(AT_ONCE, all, (server, name, type) => over('datagram', server, name, type));
}

/**
 * Each question once, however often it comes up; of one server after the other, until one knows.
 * @param atOnce questions under way at a time
 */
export function askedOnce(
  atOnce: number,
  servers: readonly NameServer[],
  over: (server: NameServer, name: string, type: QuestionType) => Promise<Result<QuestionType>>,
): Questions {
  const asked = new Map<string, Promise<Result<QuestionType>>>();
  const waiting: (() => void)[] = [];
  let free = atOnce;

  async function ask(type: QuestionType, name: string): Promise<Result<QuestionType>> {
    let last: Result<QuestionType> = { state: 'failed', because: `${name}: there is no name server` };
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free--;
    for (const server of servers) {
      last = await over(server, name, type);
      if (last.state !== 'failed') break;
    }
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
    return last;
  }

  return <T extends QuestionType>(type: T, name: string) => {
    const key = `${type} ${name}`;
    const result = asked.get(key) ?? ask(type, name);
    asked.set(key, result);
    return result as Promise<Result<T>>;
  };
}

/** What is known of a name's servers. */
export interface Located {
  /** As answered, unsorted. */
  addresses: string[];
  ports: number[];
  tlsPorts: number[];
  /** Seconds this holds; Infinity where nothing says so. */
  ttl: number;
  /** Questions that went without an answer: what there is may not be all. */
  failures: string[];
  /** Why there is no address, as a server says; '' where there is one, or nobody says. */
  because: string;
  /** It has SIP servers of other names (SRV). */
  elsewhere: boolean;
}

/** NAPTR services that lead to SRV records (RFC 3263 §4.1), and the prefixes that stand where there is no NAPTR. */
const PLAIN: readonly string[] = ['SIP+D2U', 'SIP+D2T'];
const SECURE = 'SIPS+D2T';
const PREFIXES: readonly (readonly [string, boolean])[] = [
  ['_sip._udp', false],
  ['_sip._tcp', false],
  ['_sips._tcp', true],
];

/**
 * @param ways `bare`: the name stands alone, so its SRV records say where its servers are, and its own addresses only
 *   where there are none (RFC 3263 §4.2); `port`: it stands with a port, so its own addresses are meant
 */
export async function locate(ask: Questions, name: string, ways: { bare: boolean; port: boolean }): Promise<Located> {
  const found: Located = { addresses: [], ports: [], tlsPorts: [], ttl: Infinity, failures: [], because: '', elsewhere: false };
  const targets = new Set<string>();
  // These will often be needed; asked now, they cost no round more.
  const own = [ask('A', name), ask('AAAA', name)];
  if (ways.bare) {
    // Which phones know NAPTR nobody can say: what it names comes beside the names that all others ask for. For the same
    // reason nothing is lost where a resolver has no answer to it.
    const naptr = ask('NAPTR', name).then((result) => (result.state === 'found' ? result.records : []));
    const usual = PREFIXES.map(([prefix]) => ask('SRV', `${prefix}.${name}`));
    const secure = new Map(PREFIXES.map(([prefix, tls]) => [`${prefix}.${name}`, tls]));
    for (const { flags, service, replacement } of (await naptr).slice(0, MOST_TARGETS)) {
      if (flags === 's' && replacement !== '' && (PLAIN.includes(service) || service === SECURE))
        secure.set(replacement, service === SECURE);
    }
    await Promise.all(usual);
    for (const [srv, tls] of secure) {
      const result = await ask('SRV', srv);
      if (result.state === 'failed') found.failures.push(result.because);
      if (result.state !== 'found') continue;
      found.ttl = Math.min(found.ttl, result.ttl);
      for (const { port, target } of result.records) {
        if (target === '' || targets.size >= MOST_TARGETS) continue;
        targets.add(target);
        const list = tls ? found.tlsPorts : found.ports;
        if (port > 0 && !list.includes(port)) list.push(port);
      }
    }
    found.elsewhere = targets.size > 0;
  }
  if (ways.port || targets.size === 0) targets.add(name);
  const results = await Promise.all([...own, ...[...targets].flatMap((target) => [ask('A', target), ask('AAAA', target)])]);
  // The first two are the name's own, and stand in the list again where they count.
  for (const result of results.slice(2)) {
    if (result.state === 'failed') found.failures.push(result.because);
    else found.ttl = Math.min(found.ttl, result.state === 'found' || found.addresses.length === 0 ? result.ttl : Infinity);
    if (result.state === 'nothing') found.because ||= result.because;
    if (result.state === 'found') found.addresses.push(...result.records.map(({ address }) => address));
  }
  return found;
}
