/**
 * What cannot be known now is taken from what is in force: a boot or an interface that is down takes no call away. Calls are let
 * in to an address in a network of this router; a network that is configured and has no address yet is one all the same.
 */
import { readPrefix, writePrefix } from '../../languages/address/prefixes.ts';
import type { Prefix } from '../../languages/address/prefixes.ts';
import { optionOf, parseUci } from '../../languages/uci/parse.ts';
import type { Facts } from '../../observe/facts.ts';
import { orElse } from '../../observe/reading.ts';
import type { Provider } from '../../wish/wish.ts';
import type { PolicyFacts } from '../facts.ts';
import { insideOf, isInside } from '../names/inside.ts';
import { isInbound, LOADFILE, setOf } from '../own.ts';
import { short } from '../render/inbound.ts';
import { say } from '../../words/say.ts';
import type { Said } from '../../words/say.ts';

type Lan = PolicyFacts['lan'][number];

/** The smallest network with the address in it that is another device's: two addresses, of which it is one. */
function beside(address: Prefix, zone: string): Lan {
  const { bits, length } = address;
  const other = bits.slice(0, -1) + (parseInt(bits.slice(-1), 16) ^ 1).toString(16);
  return { device: '', address: writePrefix({ ...address, bits: other }), prefix: length - 1, zone };
}

/** Where the firewall's configuration says that an address is: what it was let in by before. null: it does not. */
function placeInForce(facts: Facts, address: string, prefix: Prefix): Lan | null {
  const { uci } = facts.firewall;
  if (uci.state !== 'present') return null;
  const section = parseUci(uci.value.text).sections.find(
    (one) => isInbound(one) && one.type !== 'ipset' && (optionOf(one, 'name') ?? '').includes(` to ${address} port `),
  );
  if (section === undefined) return null;
  const zone = optionOf(section, 'dest');
  return zone === null ? { device: '', address, prefix: prefix.length, zone: '' } : beside(prefix, zone);
}

/** Networks with a fixed address that are down, as if they were up. */
const fixed = ({ down = [] }: PolicyFacts): Lan[] =>
  down.flatMap(({ name, zone, addresses }) =>
    addresses.map((text) => {
      const [address = '', length] = text.split('/');
      return { device: name, address, prefix: Number(length), zone };
    }),
  );

/** The networks that calls are let in from now, for a provider of whose names none has ever been answered. */
function lastGood(provider: Provider, { names, files, inbound }: PolicyFacts): string[] {
  const known = provider.hosts.some(({ name }) => (names[name.replace(/\.$/, '').toLowerCase()]?.addresses.length ?? 0) > 0);
  if (provider.inbound === null || known || provider.hosts.length === 0 || provider.signalling.length > 0) return [];
  return Object.entries(files).flatMap(([path, file]) =>
    LOADFILE.test(path.replace(/^\/etc\//, ''))
    && !path.endsWith('m')
    && setOf(path).replace(/_in[46]$/, '') === `sipalg_${short(provider.name)}`
    && inbound !== null
      ? orElse(file, '')
          .split('\n')
          .filter((line) => !('wrong' in readPrefix(line)))
      : [],
  );
}

/**
 * The facts with what cannot be known now as it is in force, and what is neither known nor in force, as sentences.
 * @param policy as it was seen
 */
export function withKept(facts: Facts, policy: PolicyFacts): { policy: PolicyFacts; lacking: Said[] } {
  const lacking: Said[] = [];
  const lan = [...policy.lan, ...fixed(policy)];
  const inside = insideOf({ ...policy, wan: { state: 'present', value: [], source: '' } });
  const open = (policy.down ?? []).filter(({ addresses }) => addresses.length === 0);
  const providers = policy.wish.providers.map((provider) => {
    if (provider.inbound === null || !policy.wanted) return provider;
    const pbx = provider.inbound.pbx.map((address) => {
      const prefix = readPrefix(address);
      if ('wrong' in prefix || isInside(inside, address)) return address;
      const why = open.filter(({ family }) => family === prefix.family).map(({ name }) => name);
      if (why.length === 0) return address;
      const place = placeInForce(facts, address, prefix);
      if (place !== null) {
        lan.push(place);
        return address;
      }
      lacking.push(
        say(
          'lacking-down',
          'Calls of {provider} to {address} are not let in yet: whether the address is in a network of this router is not known, '
            + 'for {networks} {count:has|have} no {family} address now.',
          { provider: provider.name, address, networks: why, count: why.length, family: prefix.family === 'ipv4' ? 'IPv4' : 'IPv6' },
        ),
      );
      return ''; // Its place in the list gives others their names.
    });
    return { ...provider, inbound: { ...provider.inbound, pbx }, signalling: [...provider.signalling, ...lastGood(provider, policy)] };
  });
  return { policy: { ...policy, lan, wish: { ...policy.wish, providers } }, lacking };
}
