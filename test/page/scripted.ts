/** An object that answers as a test tells it to: one router at a time, runs that go on until they are let go. */
import type { Arguments, MethodName, Reply } from '../../src/object/object.ts';
import { lastRun, planOf, statusOf } from './replies.ts';

export interface Scripted {
  answer(method: MethodName, args: Arguments): Promise<Reply>;
  /** What status answers; throws what it throws. */
  status: () => Promise<Reply>;
  /** Which recorded router plans are made for. */
  router: string;
  /** Holds what disable and enable answer until the function is called. */
  finish: ((reply: Promise<Reply>) => void) | null;
  asked: string[];
}

export function scripted(router: string): Scripted {
  const object: Scripted = {
    router,
    finish: null,
    asked: [],
    status: () => statusOf(object.router),
    async answer(method, args) {
      object.asked.push(method === 'plan' ? `plan ${String(args['towards'])}` : method);
      if (method === 'status') return object.status();
      if (method === 'plan') return planOf(object.router, args['towards'] as 'disabled');
      return new Promise((resolve, reject) => {
        object.finish = (reply) => {
          reply.then(resolve, reject);
        };
      });
    },
  };
  return object;
}

export { lastRun, planOf, statusOf };
