/** Finds what a view shows, whichever tab it stands in. */
import type { Block, Finding, Section, SwitchBlock, VerdictBlock, View } from '../../../src/page/view.ts';

const inside = (block: Block): Block[] => (block.kind === 'details' ? [block, ...block.blocks.flatMap(inside)] : [block]);

/** Every block of every tab, those behind folds too. */
export const blocksIn = (view: View): Block[] => view.tabs.flatMap(({ blocks }) => blocks.flatMap(inside));

export const verdictIn = (view: View): VerdictBlock | undefined =>
  blocksIn(view).find((block): block is VerdictBlock => block.kind === 'verdict');

export const switchIn = (view: View): SwitchBlock | undefined =>
  blocksIn(view).find((block): block is SwitchBlock => block.kind === 'switch');

export const sectionIn = (view: View, name: string): Section | undefined =>
  blocksIn(view).find((block): block is Section => block.kind === 'section' && block.name === name);

export const cellsIn = (view: View, name: string): string[][] =>
  (sectionIn(view, name)?.table.rows ?? []).map(({ cells }) => cells.map(({ text }) => text));

/** The one that is why, then all others. */
export const findingsIn = (view: View): Finding[] =>
  blocksIn(view).flatMap((block) =>
    block.kind === 'findings' ? block.rows : block.kind === 'verdict' && block.why !== null ? [block.why] : [],
  );
