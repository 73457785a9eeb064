/** Notes the intervals at which phones register and speak, for `diagnose` and `report`, which look once and could not know them. */
import type { Host } from '../host/host.ts';
import { INTERVALS_FILE, mergeIntervals, observeIntervals } from '../survey/intervals.ts';
import type { Interval } from '../survey/intervals.ts';
import type { Registration } from '../watch/registrations.ts';
import type { SpokeEvery } from '../watch/spoken.ts';
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';

/** Of everything that was seen what says an interval. */
export function intervalsOf(
  { registrations, spoken }: { registrations: readonly Registration[]; spoken: readonly SpokeEvery[] },
  by: Interval['by'],
): Interval[] {
  return [
    ...registrations.flatMap(({ phone, far, expires, every, times, seen }): Interval[] => {
      if (seen === null) return [];
      const shared = { phone, far, at: seen, by };
      return [
        ...(expires === null ? [] : [{ ...shared, how: 'granted' as const, seconds: expires, times }]),
        ...(every === null ? [] : [{ ...shared, how: 'renewed' as const, seconds: every, times: times - 1 }]),
      ];
    }),
    ...spoken.map(({ phone, far, every, times, at }) => ({ phone, far, how: 'spoke' as const, seconds: every, times, at, by })),
  ];
}

/** @returns why they could not be noted, a sentence; null: they are, or there is nothing to note */
export async function noteIntervals(host: Host, seen: readonly Interval[]): Promise<Said | null> {
  if (seen.length === 0) return null;
  const noted = await observeIntervals(host);
  const all = mergeIntervals(noted.state === 'present' ? noted.value : [], seen, host.now());
  try {
    await host.write(INTERVALS_FILE, `${JSON.stringify(all)}\n`, 0o600);
    return null;
  } catch (error) {
    return say('intervals-unnoted', 'The intervals of phones could not be noted for `sipalg diagnose`: {because}.', {
      because: (error as Error).message,
    });
  }
}
