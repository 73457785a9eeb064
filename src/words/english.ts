/** What a face puts words with, and English, which needs nothing of other languages. */
import type { Coded, Line, Said } from './say.ts';

/** A sentence in the reader's language. */
export interface Put {
  (said: Said): string;
  /** A text that has travelled beside its code; without one it is somebody else's, and stays. */
  (coded: Coded | undefined, text: string): string;
}

/** English, as it has travelled. */
export const english: Put = (said: Coded | undefined, text?: string) => text ?? (said as Said).text;

/** A line: words are put into the language, and somebody else's text stays. */
export const putLine = (put: Put, line: Line): string => (typeof line === 'string' ? line : put(line));

/** Lines that have travelled as texts, with the codes of those that are words. */
export const putLines = (put: Put, lines: readonly string[], coded: Readonly<Record<number, Coded>> | undefined): string[] =>
  lines.map((text, at) => put(coded?.[at], text));
