/**
 * What a document for strangers does not show: passwords and answers to challenges, numbers and names of people, and public
 * addresses that are neither the router's own nor its provider's. Each becomes the same name throughout (`address-1`).
 */
import type { Comparison } from '../compare/comparison.ts';
import { redacted, Redactor } from '../compare/redact.ts';
import type { RouterFacts } from '../survey/survey.ts';

/** `Authorization: Digest ...`: to the end of the line, as a phone writes it. */
const CREDENTIALS = /\b((?:Proxy-)?(?:Authorization|Authenticate)|WWW-Authenticate|Authentication-Info)\s*[:=][^\n]*/gi;
const SECRET = /\b(passw(?:or)?d|secret|psk|auth_?key|ha1|nonce|response)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s,;'"]+)/gi;
const HARDWARE = /\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}\b/g;
/** As people write one: with + or 0 in front, seven digits at least. Counters and handles begin with no 0. */
const NUMBER = /(?<![\w.:/-])(?:\+|00?)[1-9](?:[ ()./-]{0,3}\d){5,14}(?![\w.:])/g;

/** An address with nothing behind it, as facts have them: `203.0.113.5`, `203.0.113.0/24`, `[2001:db8::5]:5080`. */
const bare = (text: string): string => text.replace(/^\[([^\]]*)\].*$/, '$1').replace(/\/\d+$/, '');

/** Addresses that belong to the router or to its provider, as its facts have them. */
export function ownAddresses({ wan, policy }: RouterFacts): Set<string> {
  const own = wan.state === 'present' ? wan.value.addresses.map(({ address }) => address) : [];
  const { providers = [] } = policy.state === 'present' ? policy.value.wish : {};
  const names = policy.state === 'present' ? policy.value.names : {};
  return new Set([
    ...own,
    ...providers.flatMap(({ signalling, media, hosts }) => [
      ...[...signalling, ...media].map(bare),
      ...hosts.flatMap(({ name }) => names[name.replace(/\.$/, '').toLowerCase()]?.addresses ?? []),
    ]),
  ]);
}

class Stranger extends Redactor {
  readonly #own: ReadonlySet<string>;

  constructor(own: ReadonlySet<string>) {
    super();
    this.#own = own;
  }

  override address(text: string): string {
    return this.#own.has(text) ? text : super.address(text);
  }
}

/** What goes over everything that a document shows, one after the other: names are given in the order in which things come. */
export interface Redacting {
  text(text: string): string;
  comparison(comparison: Comparison): Comparison;
}

/** @param whole only what is secret is taken out */
export function redacting(facts: RouterFacts, whole: boolean): Redacting {
  const secrets = (text: string): string => text.replace(CREDENTIALS, '$1: [taken out]').replace(SECRET, '$1=[taken out]');
  // Of a comparison what is secret is taken out as it is made.
  if (whole) return { text: secrets, comparison: (comparison) => comparison };
  const stranger = new Stranger(ownAddresses(facts));
  const hardware = new Map<string, string>();
  return {
    comparison: (comparison) => redacted(comparison, stranger),
    text: (text) =>
      stranger
        .text(secrets(text))
        .replace(NUMBER, (number) => stranger.user(number))
        .replace(HARDWARE, (address) => {
          const key = address.toLowerCase();
          if (!hardware.has(key)) hardware.set(key, `hardware-${hardware.size + 1}`);
          return hardware.get(key) as string;
        }),
  };
}
