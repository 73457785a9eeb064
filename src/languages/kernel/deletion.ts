/** How to name one flow to `conntrack -D`, so that it goes and its neighbours stay. */
import { Refused, quote } from '../refused.ts';
import type { Flow, Tuple } from './conntrack.ts';

/** Protocols a flow of which is told by addresses and ports alone. */
const WITH_PORTS: readonly string[] = ['udp', 'tcp', 'udplite', 'sctp', 'dccp'];

/**
 * The arguments of `conntrack` (without the program's name) that delete this flow
 * and no other. All of them are needed (measured with conntrack-tools 1.4.7): without
 * `--zone` the flows of every zone match, and `--zone 0` also matches flows that have
 * a zone in one direction only, which the reply's addresses and ports tell apart.
 * conntrack leaves with 0 when it deleted something and with 1 when nothing matched.
 *
 * @throws Refused where addresses and ports do not tell the flow from others
 */
export function deleteArguments(flow: Flow): string[] {
  const { family, protocol, original, reply } = flow;
  if (family === null || !WITH_PORTS.includes(protocol)) throw inexact(flow);
  return [
    '-D',
    '-f',
    family,
    '-p',
    protocol,
    ...direction('orig', original, flow),
    ...direction('reply', reply, flow),
    ...zoneArguments(flow),
  ];
}

function direction(name: 'orig' | 'reply', tuple: Tuple, flow: Flow): string[] {
  if (tuple.sport === null || tuple.dport === null) throw inexact(flow);
  return [
    `--${name}-src`,
    tuple.src,
    `--${name}-dst`,
    tuple.dst,
    `--${name}-port-src`,
    String(tuple.sport),
    `--${name}-port-dst`,
    String(tuple.dport),
  ];
}

function zoneArguments(flow: Flow): string[] {
  const one = (tuple: Tuple, key: string): string | undefined => tuple.other.find((token) => token.startsWith(key))?.slice(key.length);
  const orig = one(flow.original, 'zone-orig=');
  const reply = one(flow.reply, 'zone-reply=');
  if (orig === undefined && reply === undefined) return ['--zone', String(flow.zone ?? 0)];
  if ([orig, reply].some((zone) => zone !== undefined && !isZone(zone))) throw inexact(flow);
  return [...(orig === undefined ? [] : ['--orig-zone', orig]), ...(reply === undefined ? [] : ['--reply-zone', reply])];
}

function inexact(flow: Flow): Refused {
  return new Refused(
    `a ${quote(flow.protocol)} flow from ${quote(flow.original.src)} cannot be named exactly; `
      + `that works for ${WITH_PORTS.join(', ')} with all ports and zones given as numbers`,
  );
}

function isZone(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65535;
}
