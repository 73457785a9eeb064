/** What is sent by whom, and what each belongs to. Pure. */
import type { Scope } from './chains.ts';
import { PROVIDER } from './ground.ts';
import { PROVIDER6 } from './ground6.ts';
import type { Reply } from './replies.ts';
import type { Part, Sent } from './results.ts';
import { vectors6, vectorsBy, vectorsOf } from './vectors.ts';
import type { Vector } from './vectors.ts';

const FIRST_ID = 0x5160;

const sentOut = (part: Part, { name, tests, control = false, ends, text }: Vector, id: number): Sent => ({
  name,
  tests,
  control,
  toProvider: true,
  part,
  ends,
  expected: ends,
  text,
  id,
});

export const sentBack = (part: Part, { name, tests, control = false, ends, phone, text }: Reply, id: number): Sent => ({
  name,
  tests,
  control,
  toProvider: false,
  part,
  ends,
  expected: { from: ends.from, to: phone },
  text,
  id,
});

/** The main part, and what is beside it. @param media an RTP port, even; others follow */
export function outgoing({ ground, phones, phone6 }: Scope, media: number): { main: Sent[]; beside: Sent[] } {
  const [phone, second = null] = phones as [string, string?];
  const main = vectorsOf({ phone, second, provider: PROVIDER, mtu: ground.mtu, media });
  const beside: (readonly [Part, Vector])[] = ground.others.tried.flatMap(({ device, provider }, index) =>
    vectorsBy({ phone, provider }, media + 4 + index * 2, device, index).map((one) => [`by ${device}`, one] as const),
  );
  if (phone6 !== null) beside.push(...vectors6({ phone: phone6, provider: PROVIDER6 }, media).map((one) => ['IPv6', one] as const));
  return {
    main: main.map((one, index) => sentOut('main', one, FIRST_ID + index)),
    beside: beside.map(([part, one], index) => sentOut(part, one, FIRST_ID + main.length + index)),
  };
}
