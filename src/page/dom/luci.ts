/** The page as a view of LuCI. Its loader hands in `view`, `rpc` and `poll`; `L` and `_` are LuCI's globals. */
import type { Reply } from '../../object/object.ts';
import { Failure, open } from './page.ts';
import type { Page } from './page.ts';
import { wordsIn } from '../words.ts';
import type { Towards } from '../state.ts';

declare const view: { extend(members: object): unknown };
declare const rpc: {
  declare(call: {
    object: string;
    method: string;
    params?: string[];
    expect: object;
    reject: true;
  }): (...args: unknown[]) => Promise<unknown>;
};
declare const poll: { add(task: () => Promise<void>, seconds: number): void; remove(task: () => Promise<void>): void };
declare const L: { hasViewPermission?(): boolean | null };
declare const _: (text: string) => string;

/** Seconds between looks. */
const PACE = 5;
/** While a run goes on. */
const HURRY = 1;

const calls = {
  status: rpc.declare({ object: 'sipalg', method: 'status', expect: {}, reject: true }),
  plan: rpc.declare({ object: 'sipalg', method: 'plan', params: ['towards'], expect: {}, reject: true }),
  disable: rpc.declare({ object: 'sipalg', method: 'disable', expect: {}, reject: true }),
  enable: rpc.declare({ object: 'sipalg', method: 'enable', expect: {}, reject: true }),
};

/** What LuCI says when a call fails is a sentence around a number: of ubus (1 to 11) or of JSON-RPC (-32700 and above). */
function failure(said: string): Failure {
  const number = Number(/(?:ubus code|error) (-?\d+)\b/.exec(said)?.[1] ?? NaN);
  if (number === 4 || number === -32000) return new Failure('no object', '');
  if (number === 6 || number === -32002) return new Failure('denied', said);
  // 7 is a time-out: what was asked for may be going on.
  if (number === 7 || number === -32003 || Number.isNaN(number)) return new Failure('no answer', said);
  return new Failure('refused', said);
}

async function call(method: keyof typeof calls, ...args: string[]): Promise<Reply> {
  const answer = await calls[method](...args).catch((error: unknown) => {
    throw failure(error instanceof Error ? error.message : String(error));
  });
  // A LuCI that does not know `reject` resolves with ubus' number.
  if (typeof answer === 'number') throw failure(`ubus code ${answer}`);
  if (typeof answer !== 'object' || answer === null || !('now' in answer))
    throw new Failure('refused', JSON.stringify(answer)?.slice(0, 200) ?? '');
  return answer as Reply;
}

export default view.extend({
  // The page has no form of its own to save.
  handleSave: null,
  handleSaveApply: null,
  handleReset: null,

  render(): HTMLElement {
    const root = document.createElement('div');
    // Without the method everybody may try; the router decides anyway.
    const write = L.hasViewPermission?.() !== false;
    const page: Page = open({
      root,
      words: wordsIn(_),
      rights: { read: true, write },
      transport: {
        status: () => call('status'),
        plan: (towards: Towards) => call('plan', towards),
        disable: () => call('disable'),
        enable: () => call('enable'),
      },
    });
    poll.add(page.look, PACE);
    poll.add(() => (page.hurried() ? page.look() : Promise.resolve()), HURRY);
    return root;
  },
});
