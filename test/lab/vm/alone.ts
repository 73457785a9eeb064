/** What is made once and kept is made by one process at a time: test files run side by side. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whether a process is there that wrote its id into a file; one that could not yet write it is. */
function isHeld(lock: string): boolean {
  try {
    const owner = readFileSync(lock, 'utf8');
    if (owner !== '') process.kill(Number(owner), 0);
    return true;
  } catch {
    return false;
  }
}

/** Runs `make` while nobody else holds the lock, a file; waits as long as its owner lives. */
export function alone<T>(lock: string, make: () => T): T {
  mkdirSync(dirname(lock), { recursive: true });
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (isHeld(lock)) Atomics.wait(never, 0, 0, 100);
      else rmSync(lock, { force: true });
    }
  }
  try {
    return make();
  } finally {
    rmSync(lock, { force: true });
  }
}
