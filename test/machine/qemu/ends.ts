/** Phones and a provider of the virtual machine that speak as they like: sockets in its namespaces. */
import type { End } from '../../lab/lab.ts';
import type { Member } from '../../lab/member.ts';
import { talkerIn, type Talker } from '../../lab/talker.ts';
import { NODE } from './image.ts';
import type { Router } from './router.ts';

/** A phone or the provider, to start programs in as in any other member. */
export function memberAt(router: Router, end: End): Member {
  const member = {
    name: end,
    spawn: (argv: readonly string[]) =>
      router.spawn(['ip', 'netns', 'exec', end, ...argv.map((word) => (word === process.execPath ? NODE : word))]),
  };
  return member as unknown as Member;
}

/** Starts a talker at an end of the cables. A boot ends it. */
export const talkerAt = (router: Router, end: End): Promise<Talker> => talkerIn(memberAt(router, end));
