/** Threads of Node: the program's own file once more, with a command that answers messages. */
import { cpus } from 'node:os';
import { parentPort, Worker } from 'node:worker_threads';
import type { Thread, Threads } from '../../host/host.ts';

export const processors: number = Math.max(1, cpus().length);

/** Megabytes; what is judged is small, and one that grows without end must not take the machine along. */
const MOST_MEMORY = 512;

interface Waiting {
  done(answer: unknown): void;
  failed(error: Error): void;
}

export function start(words: readonly string[]): Thread {
  const worker = new Worker(process.argv[1] as string, { argv: [...words], resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY } });
  const waiting: Waiting[] = [];
  let over: Error | null = null;
  const fail = (error: Error): void => {
    over ??= error;
    for (const one of waiting.splice(0)) one.failed(over);
  };
  worker.on('message', ({ answer, problem }: { answer?: unknown; problem?: string }) => {
    const one = waiting.shift();
    if (problem === undefined) one?.done(answer);
    else one?.failed(new Error(problem));
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('a thread of the program has ended')));
  return {
    ask: (message) =>
      new Promise((done, failed) => {
        if (over !== null) return failed(over);
        waiting.push({ done, failed });
        worker.postMessage(message);
      }),
    end: () => void worker.terminate(),
  };
}

export const answer: Threads['answer'] = (answers) =>
  new Promise(() => {
    const port = parentPort;
    if (port === null) throw new Error('This command answers a thread, and was not started as one.');
    let before = Promise.resolve();
    port.on('message', (message: unknown) => {
      before = before.then(async () => {
        try {
          port.postMessage({ answer: await answers(message) });
        } catch (error) {
          port.postMessage({ problem: (error as Error).message });
        }
      });
    });
  });
