/** A watch that a page has asked for: `sipalg rpcd watch SECONDS`. What it tells goes to a file in memory, bounded. */
import type { Host } from '../host/host.ts';
import { Trouble } from '../words/say.ts';
import { isToEnd, keepWatched, LONGEST_WATCH, noneToEnd, sentenceOf, writeWatched } from '../object/watched.ts';
import type { Event, Sentence, Summary } from '../object/watched.ts';

export { sentenceOf };

/** Held by the watch under way: there is one file, and one watch that writes it. */
const LOCK = '/var/run/sipalg.run.calls.lock';
/** Milliseconds: another watch may be about to end, and the lock is had by a process that has to start first. */
const WITHIN = 3000;

/** What a watch speaks to. */
export interface Listener {
  told(event: Event): void;
  remark(remark: Sentence): void;
  /** How it stands, every few seconds. */
  each(summary: Summary): Promise<void>;
  /** false once who has asked for it wants it to end. */
  goOn(): boolean;
}

export interface WatchCalls {
  host: Host;
  seconds: number;
  /** Watches to its end. Rejects with an Error in a sentence, where nothing can be watched. */
  watch: (listener: Listener) => Promise<void>;
}

/** Where another watch goes on, that one is enough. */
export async function watchCalls({ host, seconds: asked, watch }: WatchCalls): Promise<void> {
  const got = await host.lock(LOCK, WITHIN, `process ${host.process().pid} (sipalg rpcd watch)`);
  if ('busy' in got) return;
  const seconds = Math.min(LONGEST_WATCH, Math.max(1, Math.floor(asked) || 1));
  const now = host.now();
  const { kept, told, remark, summary } = keepWatched(now, now + seconds * 1000);
  const write = async (live: boolean): Promise<void> => {
    kept.at = host.now();
    kept.live = live;
    await writeWatched(host, kept);
  };
  let ended = false;
  try {
    await write(true);
    await watch({
      goOn: () => !ended,
      told,
      remark,
      async each(now) {
        summary(now);
        await write(true);
        ended ||= await isToEnd(host, kept);
      },
    });
  } catch (error) {
    kept.trouble = sentenceOf(error instanceof Trouble ? error.said : (error as Error).message);
  } finally {
    await write(false)
      .then(() => (ended ? noneToEnd(host) : undefined))
      .finally(() => got.lock.release());
  }
}
