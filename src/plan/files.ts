/** Steps that edit a file, and what all parts of a plan have in common. */
import type { Taken } from '../journal/taken.ts';
import type { Action, Step } from './step.ts';
import type { Said } from '../words/say.ts';

/** A part of a plan. */
export interface Part {
  steps: Step[];
  takes: Taken[];
  refused: Said[];
}

export const NOTHING: Part = { steps: [], takes: [], refused: [] };

/** A part that cannot be planned, and why. */
export function refuse(refused: Said[]): Part {
  return { ...NOTHING, refused };
}

/** A part of one step, and what it takes. */
export function one(step: Step, takes: Taken[] = []): Part {
  return { steps: [step], takes, refused: [] };
}

export function joinParts(parts: readonly Part[]): Part {
  return {
    steps: parts.flatMap(({ steps }) => steps),
    takes: parts.flatMap(({ takes }) => takes),
    refused: parts.flatMap(({ refused }) => refused),
  };
}

/** What puts a file into a state: its text, or its absence. `mode`: of one that is not there yet, where it is not 0644. */
export function putFile(path: string, text: string | null, mode?: number): Action {
  return text === null ? { do: 'remove', path } : { do: 'write', path, text, ...(mode === undefined ? {} : { mode }) };
}

export interface FileChange {
  rank: number;
  why: string;
  /** What is done, in a sentence. */
  said: Said;
  path: string;
  /** null: it is not there. */
  before: string | null;
  /** null: it goes. */
  after: string | null;
  commands: string[];
  /** What is asked before it is written. */
  checks?: Action[];
}

/** A step that gives a file another text, or takes it away; none where it is so already. */
export function changeFile({ rank, why, said, path, before, after, commands, checks = [] }: FileChange): Part {
  if (before === after) return NOTHING;
  // What is in memory is gone with a boot, and needs no way back.
  const undo = path.startsWith('/var/run/') ? [] : [putFile(path, before)];
  return one({ rank, why, ...said, actions: [...checks, putFile(path, after)], undo, commands });
}

/** A step that edits a file, and the journal's entry that gives it back. */
export function fileStep(change: FileChange & { after: string }): Part {
  const { path, before, after } = change;
  return before === after ? NOTHING : { ...changeFile(change), takes: [{ kind: 'file', path, before, after }] };
}
