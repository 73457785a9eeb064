/** What is made once and kept is made by one process at a time: test files run side by side. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const ownerOf = (lock: string): string => {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return ''; // let go by now
  }
};

/** Takes away what a process has left that was killed. */
function clear(lock: string): void {
  const owner = ownerOf(lock);
  if (owner === '') return; // or not yet written
  try {
    process.kill(Number(owner), 0);
  } catch {
    if (ownerOf(lock) === owner) rmSync(lock, { force: true });
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
      clear(lock);
      Atomics.wait(never, 0, 0, 50);
    }
  }
  try {
    return make();
  } finally {
    rmSync(lock, { force: true });
  }
}
