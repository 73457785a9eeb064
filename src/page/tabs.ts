/** The tabs of the page: what each shows above the fields it holds. A tab that has neither is not there. */
import type { Reply } from '../object/object.ts';
import { diagnosisOf } from './diagnosis.ts';
import type { State, TabName } from './state.ts';
import { statusOf } from './status.ts';
import type { Block } from './view.ts';
import { namesOf, voiceOf } from './voice.ts';
import type { Words } from './words.ts';

/** A reply with a report in it. */
export type Full = Extract<Reply, { facts: object }>;

export interface Tab {
  name: TabName;
  blocks(reply: Full, state: State, words: Words): Block[];
}

export const TABS: readonly Tab[] = [
  { name: 'status', blocks: statusOf },
  { name: 'voice', blocks: voiceOf },
  { name: 'providers', blocks: namesOf },
  { name: 'diagnosis', blocks: diagnosisOf },
  { name: 'settings', blocks: () => [] },
];
