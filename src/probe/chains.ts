/** What a test records at which device, and what it keeps from going anywhere. Pure. */
import { PROVIDER } from './ground.ts';
import type { Ground } from './ground.ts';
import { PROVIDER6 } from './ground6.ts';
import type { Tap } from './record/taps.ts';

export interface Scope {
  readonly ground: Ground;
  readonly phones: readonly string[];
  readonly phone6: string | null;
  readonly isTcp: boolean;
  /** Devices that nothing may come in by. */
  readonly silent: readonly string[];
  /** The phones' own, where their frames might go out by the LAN's device. */
  readonly macs: readonly string[];
}

const providersOf = ({ others }: Ground): string[] => [PROVIDER, ...others.tried.map(({ provider }) => provider)];
/** No message is longer, but for the one that just fits: the rest of that is the same letter again and again. */
const SHORT = 384;

/** Egress of every way to the internet, and of the LAN. */
export function tapsOf({ ground, phone6, isTcp }: Scope): Tap[] {
  const { wans, lan } = ground;
  const tap = { family: 'ip', transport: 'udp', hook: 'egress', drop: true, tails: SHORT } as const;
  const tcp = { ...tap, transport: 'tcp', bytes: SHORT } as const;
  const six = { ...tap, family: 'ip6', bytes: SHORT } as const;
  const sides = [...wans.map((device, index) => [`wan${index}`, device, 'daddr'] as const), ['lan', lan.device, 'saddr'] as const];
  return sides.flatMap(([name, device, side]): Tap[] => [
    // What just fits goes one way.
    { ...tap, ...(name === 'lan' ? { bytes: SHORT } : {}), name, device, matches: providersOf(ground).map((one) => `ip ${side} ${one}`) },
    ...(isTcp ? [{ ...tcp, name: `${name}t`, device, matches: [`ip ${side} ${PROVIDER}`] }] : []),
    ...(phone6 === null ? [] : [{ ...six, name: `${name}v`, device, matches: [`ip6 ${side} ${PROVIDER6}`] }]),
  ]);
}

/** The device of a tap; what its name is made of. */
export const wanAt = ({ wans }: Ground, tap: string): string => wans[Number(/^wan(\d+)/.exec(tap)?.[1] ?? NaN)] ?? tap;

/** What else has to do with the fake phones goes nowhere: errors of ICMP, fragments, frames of the LAN to the phone's end. */
export function guardsOf({ ground, phones, phone6, silent, macs }: Scope): string[] {
  const { wans, lan } = ground;
  const guard = (name: string, hook: string, device: string, rules: string[]): string[] => [
    `  chain ${name} { type filter hook ${hook} device "${device}" priority -340; policy accept;`,
    ...rules.map((rule) => `    ${rule} counter drop`.trimStart()),
    '  }',
  ];
  const to = (side: string): string[] => [
    `ip ${side} { ${providersOf(ground).join(', ')} }`,
    ...(phone6 === null ? [] : [`ip6 ${side} ${PROVIDER6}`]),
  ];
  // Also what a rule of routing turns back to the internet: answers, and the ping.
  const strays = [...to('saddr'), `ip daddr { ${[...phones, ground.trigger.own, ground.trigger.peer].join(', ')} }`];
  const frames = macs.length === 0 ? [] : ['daddr', 'saddr'].map((side) => `ether ${side} { ${macs.join(', ')} }`);
  return [
    ...wans.flatMap((device, index) => guard(`guard${index}`, 'egress', device, [...to('daddr'), ...strays])),
    ...guard('guardlan', 'egress', lan.device, [
      ...frames,
      ...to('saddr'),
      `ip daddr { ${phones.join(', ')} }`,
      ...(phone6 === null ? [] : [`ip6 daddr ${phone6}`]),
    ]),
    ...silent.flatMap((device, index) => guard(`guardphone${index}`, 'ingress', device, [''])),
  ];
}
