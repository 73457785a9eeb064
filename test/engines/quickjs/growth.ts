/**
 * In the place of test/growth.ts on QuickJS: the work is done, at the small size. How its cost grows is measured on Node; the
 * same loops run here, and this engine has no clock of the processor.
 */
import { held } from '../../asserting.ts';

export function growsInStep<T>(_: string, make: (size: number) => T, work: (given: T) => unknown, largest = 1 << 17): void {
  work(make(largest / 64));
  held();
}
