/**
 * The same test on a router of every kernel, side by side: machines wait for each other's disks and timers, so two
 * take little longer than one.
 */
import { suite } from 'uvu';
import { announceSkip } from '../../layer.ts';
import { KERNELS, kernelOf, type Line } from './kernels.ts';
import { openRouter, type Router, type RouterOptions } from './router.ts';

export type OnEveryKernel = {
  /** A test; a failure says on which kernel. Tests of a suite go on with the router the one before left. */
  (title: string, body: (router: Router) => Promise<void>): void;
  run(): void;
};

/** Of all kernels the one to try things with: set by show.mjs, never by `npm test`. */
const ONLY = process.env['SIPALG_VM_KERNEL'];

/** @param on the kernels to run on, where more would show nothing more; all if not given */
export function onEveryKernel(
  name: string,
  options: Omit<RouterOptions, 'kernel'> = {},
  on: readonly Line[] = KERNELS.map(({ line }) => line),
): OnEveryKernel {
  const lines = on.filter((line) => isWanted(line) && isHere(line));
  const routers = new Map<Line, Router>();
  const one = suite(`${name}, on Linux ${lines.join(' and ')}`);

  async function all(body: (line: Line) => Promise<void>): Promise<void> {
    const ends = await Promise.allSettled(lines.map(body));
    for (const [index, end] of ends.entries()) {
      if (end.status === 'fulfilled') continue;
      const error = end.reason as Error;
      error.message = `Linux ${lines[index]}: ${error.message}`;
      throw error;
    }
  }

  one.before(async () => {
    const opened = lines.map((line) =>
      openRouter({ ...options, kernel: line }).then((router) => {
        routers.set(line, router);
      }),
    );
    const ends = await Promise.allSettled(opened);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  });
  one.after(async () => {
    await Promise.all([...routers.values()].map((router) => router.close()));
  });
  return Object.assign(
    (title: string, body: (router: Router) => Promise<void>) => {
      one(title, () =>
        all(async (line) => {
          const router = routers.get(line);
          if (!router) throw new Error('the router is not up');
          await body(router);
        }),
      );
    },
    {
      run: () => {
        if (lines.length > 0) one.run();
      },
    },
  );
}

function isWanted(line: Line): boolean {
  if (ONLY === undefined || ONLY === line) return true;
  announceSkip(`Linux ${line} is not tested: only ${ONLY} is wanted.`);
  return false;
}

/** Fetches a kernel where it is not kept yet; says so where it cannot be had. */
function isHere(line: Line): boolean {
  try {
    kernelOf(line);
    return true;
  } catch (error) {
    announceSkip(`Linux ${line} is not tested: ${(error as Error).message}`);
    return false;
  }
}
