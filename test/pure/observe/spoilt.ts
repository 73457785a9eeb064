/** A recorded router, spoilt in one place. */
import type { Host, Outcome, Reading } from '../../../src/host/host.ts';
import { recordedRouter, Unanswered } from '../../routers.ts';

/** The router, but for one place that holds something else. Garbage leads to places nobody could have recorded: they are absent. */
export function spoilt(name: string, place: string, text: string): Host {
  const recorded = recordedRouter(name);
  const tried = async <T>(path: string, look: Promise<Reading<T>>): Promise<Reading<T>> => {
    try {
      return await look;
    } catch (error) {
      if (error instanceof Unanswered) return { state: 'absent', source: path };
      throw error;
    }
  };
  return {
    ...recorded,
    async read(path, options) {
      const reading = await tried(path, recorded.read(path, options));
      return path === place && reading.state === 'present' ? { ...reading, value: text } : reading;
    },
    kind: (path) => tried(path, recorded.kind(path)),
    list: (path) => tried(path, recorded.list(path)),
    async run(argv, options) {
      const command = argv.join(' ');
      const outcome = await recorded.run(argv, options).catch((error: unknown): Outcome => {
        if (error instanceof Unanswered) return { state: 'absent', command };
        throw error;
      });
      return command === place && outcome.state === 'exited' ? { ...outcome, stdout: text } : outcome;
    },
  };
}
