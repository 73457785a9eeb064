/**
 * Attempts to log in: each one that fails makes the next one wait, for its address and, beyond a measure, for every other
 * address that keeps failing. Who has not failed waits for nobody: an owner with the right password gets in while others guess.
 */
import type { Clock } from '../host/clock.ts';

/** The first pause after a failure; doubled for each one after it, up to the longest. Milliseconds. */
export const PAUSE = 1000;
export const LONGEST_PAUSE = 60_000;
/** Failures of an address are forgotten after so long without one. Milliseconds. */
export const FORGET = 15 * 60_000;
/** So often a person may mistype a password before it is a guess that counts with those of others. */
export const MISTYPED = 3;
/** Of who has failed more often so many may try at once, from everywhere; then one in each interval (milliseconds). */
export const MOST_AT_ONCE = 20;
export const INTERVAL = 2000;
/** Addresses that are remembered. */
export const MOST_ADDRESSES = 1024;

export interface Attempts {
  /**
   * Begins an attempt: 0, or the milliseconds it must wait instead. It counts as
   * failed until `succeeded`, so that many at once are no way around the pause.
   */
  begin(address: string): number;
  succeeded(address: string): void;
}

/** What is counted as one address: of IPv6 the network, for each host has a whole one. */
export function origin(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1] as string;
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.toLowerCase().split('%')[0]?.split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const groups = address.includes('::')
    ? [...front, ...Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0'), ...back]
    : front;
  return (
    groups
      .slice(0, 4)
      .map((group) => group.replace(/^0+(?=.)/, ''))
      .join(':') + '::/64'
  );
}

export function createAttempts(clock: Clock): Attempts {
  const failed = new Map<string, { times: number; last: number; until: number }>();
  let tokens = MOST_AT_ONCE;
  let counted = clock.now();

  function refill(): void {
    const gained = (clock.now() - counted) / INTERVAL;
    tokens = Math.min(MOST_AT_ONCE, tokens + gained);
    counted = clock.now();
  }

  function forget(): void {
    for (const [key, { last }] of failed) if (clock.now() - last >= FORGET) failed.delete(key);
    // The one that failed longest ago stands first.
    for (const key of failed.keys()) {
      if (failed.size < MOST_ADDRESSES) return;
      failed.delete(key);
    }
  }

  return {
    begin(address) {
      refill();
      forget();
      const key = origin(address);
      const before = failed.get(key);
      const now = clock.now();
      if (before !== undefined && before.until > now) return before.until - now;
      if (before !== undefined && before.times >= MISTYPED) {
        if (tokens < 1) return Math.ceil((1 - tokens) * INTERVAL);
        tokens -= 1;
      }
      const times = (before?.times ?? 0) + 1;
      failed.delete(key);
      failed.set(key, { times, last: now, until: now + Math.min(LONGEST_PAUSE, PAUSE * 2 ** Math.min(times - 1, 10)) });
      return 0;
    },
    succeeded(address) {
      const before = failed.get(origin(address));
      if (before === undefined) return;
      failed.delete(origin(address));
      if (before.times > MISTYPED) tokens = Math.min(MOST_AT_ONCE, tokens + 1); // it had taken one
    },
  };
}
