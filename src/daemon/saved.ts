/** What follows a Save on the page's own form: the router is made to match the file, as after a Save in LuCI. */
import type { Applied } from '../apply/apply.ts';
import type { Host } from '../host/host.ts';
import type { SayLine } from '../host/log.ts';
import { WISH_CONFIG } from '../observe/observe.ts';
import { readConfiguration } from '../wish/read.ts';
import type { AlgWish } from '../wish/wish.ts';

export interface SavedOptions {
  host: Pick<Host, 'read'>;
  /** Tells procd, which has the init scripts read the file anew; rejects where there is none. */
  tell: () => Promise<unknown>;
  /** The daemon itself reads the file anew. Rejects with an Error, a sentence. */
  again: () => Promise<void>;
  /** A run. Rejects with an Error, a sentence. */
  apply: (towards: AlgWish) => Promise<Pick<Applied, 'outcome' | 'because'>>;
  /** It may be otherwise now. */
  look: () => void;
  say: SayLine;
}

export interface Saved {
  /** The file has been written. Never rejects. */
  written(): Promise<void>;
  /** Resolves when nothing of that goes on any more. */
  settled(): Promise<void>;
}

export function createSaved({ host, tell, again, apply, look, say }: SavedOptions): Saved {
  /** One Save after the other: the later one finds the file as it is by then. */
  let turn: Promise<void> = Promise.resolve();

  async function match(): Promise<void> {
    await again();
    const file = await host.read(WISH_CONFIG);
    // What is wished cannot be told, which is not the same as that nothing is.
    if (file.state === 'failed') throw new Error(`${WISH_CONFIG} could not be read: ${file.because}; nothing was put in force.`);
    const { wish } = readConfiguration(file.state === 'present' ? file.value : null);
    const { outcome, because } = await apply(wish.alg);
    if (outcome === 'failed') say(because.join(' '), 'error');
  }

  async function one(): Promise<void> {
    try {
      await tell().catch(match);
    } catch (error) {
      say((error as Error).message, 'error');
    }
    look();
  }

  return {
    written: () => (turn = turn.then(one)),
    settled: () => turn,
  };
}
