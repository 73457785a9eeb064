/** What was counted over the last day, between two calls of the plugin: a file in memory (/var/run), which a boot takes away. */
import type { Host } from '../host/host.ts';
import { EMPTY } from '../object/history.ts';
import type { Counts, History, HistoryStore, Span } from '../object/history.ts';
import { fields, list, moment, number, orNull } from '../survey/shape.ts';

const KEPT = '/var/run/sipalg.run.history';
const PRIVATE = 0o600;
/** Milliseconds between two writings: what comes meanwhile is counted by the kernel, and is in the next one. */
const EVERY = 180_000;

const COUNTS = { register: number, invite: number, options: number, other: number, tcp: number, media: number, signalling: number };
const SHAPE = fields<History>({
  last: orNull(fields<NonNullable<History['last']>>({ at: moment, counts: fields<Counts>(COUNTS) })),
  spans: list(fields<Span>({ from: moment, to: moment, ...COUNTS })),
});

/** A file that cannot be read or written costs the history, and no more. */
export function historyInFile(host: Host): HistoryStore {
  let kept: History | null = null;
  return {
    async read() {
      const file = await host.read(KEPT);
      try {
        kept = file.state === 'present' ? (JSON.parse(file.value) as History) : null;
      } catch {
        kept = null;
      }
      if (kept !== null && SHAPE(kept, '') !== null) kept = null;
      return kept ?? EMPTY;
    },
    async write(history) {
      const before = kept?.last?.at ?? -Infinity;
      const now = history.last?.at ?? -Infinity;
      if (host.process().uid !== 0 || history.last === null || (now >= before && now - before < EVERY)) return;
      try {
        await host.write(KEPT, JSON.stringify(history), PRIVATE);
      } catch {
        // The next call counts from what was kept before.
      }
    },
  };
}
