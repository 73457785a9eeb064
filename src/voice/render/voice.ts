/** From the wish and what the providers' names lead to, the rules as data. */
import type { PolicyFacts } from '../facts.ts';
import { readPrefix } from '../../languages/address/prefixes.ts';
import { mergePrefixes } from '../../languages/address/prefix-sets.ts';
import type { Prefix } from '../../languages/address/prefixes.ts';
import { isDevice } from '../../languages/kernel/devices.ts';
import type { Voice } from '../rules.ts';

/** Below are other programs' ports: a name server must not bring their traffic under these rules. */
const LEAST_PORT = 1024;

/** Those that are networks. */
export function prefixes(texts: readonly string[]): Prefix[] {
  return texts.flatMap((text) => {
    const read = readPrefix(text);
    return 'wrong' in read ? [] : [read];
  });
}

function ports(given: readonly number[]): number[] {
  return [...new Set(given)].filter((port) => port >= LEAST_PORT && port <= 65_535).sort((one, other) => one - other);
}

type Sources = Pick<PolicyFacts, 'wish' | 'names' | 'wan'>;

/** The same facts give the same value, in whatever order answers came in. */
export function voiceOf({ wish, names, wan }: Sources): Voice {
  const signalling: Prefix[] = [];
  const media: Prefix[] = [];
  const unmarked: Prefix[] = [];
  const plain = [5060];
  const tls = [5061];
  for (const provider of wish.providers) {
    const answers = provider.hosts.map(({ name }) => names[name.toLowerCase()]);
    const own = prefixes([...provider.signalling, ...answers.flatMap((answer) => answer?.addresses ?? [])]);
    signalling.push(...own);
    // Where nothing is said of audio, it comes from the addresses that speak SIP.
    const audio = provider.media.length > 0 ? prefixes(provider.media) : own;
    media.push(...audio);
    if (provider.marking === false) unmarked.push(...own, ...audio);
    for (const { port } of provider.hosts) if (port !== null) plain.push(port);
    for (const answer of answers) {
      plain.push(...(answer?.ports ?? []));
      tls.push(...(answer?.tlsPorts ?? []));
    }
    plain.push(...(provider.ports ?? []), ...(provider.inbound?.ports ?? []));
  }
  const all = mergePrefixes(signalling);
  return {
    wan: wan.state === 'present' ? [...new Set(wan.value)].filter(isDevice).sort() : [],
    ports: ports(plain).filter((port) => !tls.includes(port) || port === 5060),
    tlsPorts: ports(tls).filter((port) => port !== 5060),
    timeouts: wish.timeouts,
    marking: wish.marking,
    limit: wish.limit,
    signalling: all,
    sites: mergePrefixes(prefixes(wish.sites.flatMap(({ networks }) => networks))),
    media: wish.providers.some((provider) => provider.media.length > 0) ? mergePrefixes(media) : all,
    unmarked: mergePrefixes(unmarked),
  };
}
