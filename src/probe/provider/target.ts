/** The host a probe was given, and where its servers are for each transport: RFC 3263, as a phone goes about it. */
import { bitsOf } from '../../languages/address/prefixes.ts';
import { isName } from '../../languages/dns/message.ts';
import type { QuestionType } from '../../languages/dns/message.ts';
import { quote } from '../../languages/refused.ts';
import type { Questions, Result } from '../../voice/names/servers.ts';
import type { Server, Transport } from './result.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

export interface Target {
  /** A name in lower case, or an address without brackets. */
  host: string;
  isAddress: boolean;
  /** null: not given. */
  port: number | null;
}

const PORTS: Readonly<Record<Transport, number>> = { udp: 5060, tcp: 5060, tls: 5061 };
const PREFIX: Readonly<Record<Transport, string>> = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' };
/** RFC 3263 §4.1. */
const SERVICE: Readonly<Record<string, Transport>> = { 'SIP+D2U': 'udp', 'SIP+D2T': 'tcp', 'SIPS+D2T': 'tls' };
export const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls'];
/** So many servers of a transport are tried at most, one after the other. */
const MOST_SERVERS = 3;
const MOST_RECORDS = 16;

/** @returns what was meant; or what is wrong, as a sentence */
export function readTarget(text: string): Target | { wrong: Said } {
  const wrong = (): { wrong: Said } => ({
    wrong: say(
      'probe-no-host',
      "{given} is no host to ask; give the provider's name or address, with a port where it is another "
        + 'than 5060: sip.example.com, sip.example.com:5080, 203.0.113.5 or [2001:db8::5]:5080.',
      { given: quote(text) },
    ),
  });
  const alone = bitsOf(text);
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = (alone !== null ? text : (bracketed ?? plain ?? '')).toLowerCase().replace(/\.$/, '');
  const port = alone !== null || digits === undefined ? null : Number(digits);
  const bits = bitsOf(host);
  if (port !== null && (port < 1 || port > 65_535)) return wrong();
  if (bits !== null) return (bracketed === undefined) === (bits.length === 8) || alone !== null ? { host, isAddress: true, port } : wrong();
  // Digits and dots alone are an address that is none.
  return bracketed === undefined && isName(host) && /[a-z]/.test(host) ? { host, isAddress: false, port } : wrong();
}

export interface Located {
  servers: Server[];
  /** Questions that went without an answer. */
  failures: string[];
  /** Why there is no address, as a name server says; '' where there is one. */
  because: string;
  /** Transports that the name's SRV records leave out. */
  unpublished: Transport[];
}

/** With a port given, UDP and TCP go there; TLS, which speaks another language, to its own unless that is the one given. */
const portFor = (over: Transport, port: number | null): number => (over === 'tls' ? PORTS.tls : (port ?? PORTS[over]));

/** Servers for each transport, the first to be asked first. */
export async function locate(ask: Questions, { host, isAddress, port }: Target): Promise<Located> {
  const found: Located = { servers: [], failures: [], because: '', unpublished: [] };
  const failed = <T extends QuestionType>(result: Result<T>): Result<T> => {
    if (result.state === 'failed' && !found.failures.includes(result.because)) found.failures.push(result.because);
    return result;
  };
  if (isAddress) {
    found.servers = TRANSPORTS.map((over) => ({ over, name: host, address: host, port: portFor(over, port), by: 'address' }));
    return found;
  }
  const addressesOf = async (name: string): Promise<{ address: string; type: 'A' | 'AAAA' }[]> => {
    const [four, six] = await Promise.all([ask('A', name), ask('AAAA', name)]);
    for (const result of [six, four]) if (result.state === 'nothing') found.because = result.because;
    return [failed(four), failed(six)].flatMap((result) =>
      result.state === 'found' ? result.records.map(({ address, type }) => ({ address, type })) : [],
    );
  };
  const services = port === null ? await servicesOf(ask, host, failed) : new Map<Transport, Service>();
  for (const over of TRANSPORTS) {
    const service = services.get(over);
    if (service === undefined && services.size > 0) {
      found.unpublished.push(over);
      continue;
    }
    const targets = service?.targets ?? [{ target: host, port: portFor(over, port) }];
    const servers: Server[] = [];
    for (const { target, port: at } of targets.slice(0, MOST_SERVERS)) {
      for (const { address, type } of await addressesOf(target))
        servers.push({ over, name: over === 'tls' ? host : target, address, port: at, by: service?.by ?? type });
    }
    // IPv4 first: only there addresses are translated, and so rewritten.
    const isSix = ({ address }: Server): boolean => address.includes(':');
    const [four, six] = [servers.filter((one) => !isSix(one)), servers.filter(isSix)];
    // However many there are of IPv4, one of IPv6 is asked too: phones that have both take that one first (RFC 6724).
    const first = four.slice(0, six.length > 0 ? MOST_SERVERS - 1 : MOST_SERVERS);
    found.servers.push(...first, ...six.slice(0, MOST_SERVERS - first.length));
  }
  return found;
}

interface Service {
  targets: { target: string; port: number }[];
  by: 'SRV' | 'NAPTR and SRV';
}

async function servicesOf(
  ask: Questions,
  host: string,
  failed: <T extends QuestionType>(result: Result<T>) => Result<T>,
): Promise<Map<Transport, Service>> {
  // A resolver that knows no NAPTR is as good as a name that has none: phones go on to SRV (RFC 3263 §4.1).
  const naptr = await ask('NAPTR', host);
  const named = new Map<Transport, string>();
  const records = naptr.state === 'found' ? [...naptr.records].slice(0, MOST_RECORDS) : [];
  records.sort((one, other) => one.order - other.order || one.preference - other.preference);
  for (const { flags, service, replacement } of records) {
    const over = Object.hasOwn(SERVICE, service) ? SERVICE[service] : undefined;
    if (flags === 's' && replacement !== '' && over !== undefined && !named.has(over)) named.set(over, replacement);
  }
  const services = new Map<Transport, Service>();
  await Promise.all(
    TRANSPORTS.map(async (over) => {
      const result = failed(await ask('SRV', named.get(over) ?? `${PREFIX[over]}.${host}`));
      if (result.state !== 'found') return;
      const targets = [...result.records]
        .filter(({ target }) => target !== '') // the root says that there is no such service (RFC 2782)
        .sort((one, other) => one.priority - other.priority || other.weight - one.weight)
        .map(({ target, port }) => ({ target, port }));
      if (targets.length > 0) services.set(over, { targets, by: named.has(over) ? 'NAPTR and SRV' : 'SRV' });
    }),
  );
  return services;
}
