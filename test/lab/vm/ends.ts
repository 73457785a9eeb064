/** Phones and a provider of the virtual machine that speak as they like: sockets in its namespaces. */
import type { End } from '../lab.ts';
import type { Member } from '../member.ts';
import { talkerIn, type Talker } from '../talker.ts';
import { NODE } from './image.ts';
import type { Router } from './router.ts';

/** Starts a talker at an end of the cables. A boot ends it. */
export function talkerAt(router: Router, end: End): Promise<Talker> {
  const member = {
    name: end,
    spawn: (argv: readonly string[]) => router.spawn(['ip', 'netns', 'exec', end, ...argv.map((word) => (word === process.execPath ? NODE : word))]),
  };
  return talkerIn(member as unknown as Member);
}
