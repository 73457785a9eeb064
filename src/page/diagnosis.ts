/** The tab *Diagnosis*. */
import type { Reply } from '../object/object.ts';
import type { State } from './state.ts';
import type { Block } from './view.ts';
import type { Words } from './words.ts';

type Full = Extract<Reply, { facts: object }>;

export function diagnosisOf(_reply: Full, _state: State, _words: Words): Block[] {
  return [];
}
