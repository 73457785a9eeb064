/**
 * uvu's assertions, counted. Test files import plain 'uvu/assert'; the test command packs them with this in its place, so
 * that a test which asserted nothing is seen: a loop over an empty list, an early return, an error that was caught.
 */
import * as real from 'uvu/assert';

let made = 0;

/** How many assertions were made in this process so far. */
export const assertions = (): number => made;

/** For a helper that throws by itself where something does not hold: it held, and that counts. */
export function held(): void {
  made++;
}

/** Also what hangs on it: `not.equal`, `is.not`. */
function counted<T extends (...args: never[]) => unknown>(assertion: T): T {
  const outer = (...args: never[]): unknown => {
    made++;
    return assertion(...args);
  };
  for (const [name, inner] of Object.entries(assertion)) {
    // `not.ok` is `not` itself.
    Object.assign(outer, { [name]: inner === assertion ? outer : counted(inner as T) });
  }
  return outer as T;
}

export const ok = counted(real.ok);
export const is = counted(real.is);
export const equal = counted(real.equal);
export const type = counted(real.type);
export const instance = counted(real.instance);
export const match = counted(real.match);
export const snapshot = counted(real.snapshot);
export const fixture = counted(real.fixture);
export const throws = counted(real.throws);
export const unreachable = counted(real.unreachable);
export const not = counted(real.not);
export const Assertion = real.Assertion;
