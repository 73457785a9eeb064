/** What is kept of a large output: all of it up to a limit, some of its lines, or nothing, where it is handed on part by part. */
import type { Parts } from './host.ts';
import { filterLines, join } from './lines.ts';
import { createSplitter } from './parts.ts';

/** What an engine does faster than the language. */
export interface Bytewise {
  /** As `Host` has text: bytes that are no UTF-8 are kept. */
  textOf: (bytes: Uint8Array) => string;
  /** The first place of a byte string from a place on; -1 where there is none. */
  search: (bytes: Uint8Array, needle: Uint8Array, from: number) => number;
  /** The last place; -1 where there is none. */
  searchLast: (bytes: Uint8Array, needle: Uint8Array) => number;
}

export interface Wanted {
  select?: { holding: readonly string[] };
  most?: number;
  parts?: Parts;
}

export interface Gathered {
  /** @throws Error that begins with "it": there is more than may be */
  take(chunk: Uint8Array): void;
  /** After the last chunk. */
  text(): string;
}

/** @returns what gathers one output: all of it up to a limit (`standard` bytes, where nothing is said), or lines; or hands it on */
export const createGather =
  ({ textOf, search, searchLast }: Bytewise) =>
  (options: Wanted, standard: number): Gathered => {
    // What is not held may be more, but not without end.
    const most = options.most ?? (options.parts ? standard * 8 : standard);
    const splitter = options.parts ? createSplitter(options.parts, textOf, searchLast) : null;
    const filter = options.select ? filterLines(options.select.holding, search, splitter?.push) : null;
    const parts: Uint8Array[] = [];
    let size = 0;
    return {
      take(chunk: Uint8Array): void {
        if (filter) return filter.push(chunk);
        size += chunk.length;
        if (size > most) throw new Error(`it holds more than ${most} bytes`);
        if (splitter) return splitter.push(chunk);
        parts.push(chunk);
      },
      text(): string {
        if (splitter) {
          filter?.end();
          splitter.end();
          return '';
        }
        return textOf(filter ? filter.end() : parts.length === 1 ? (parts[0] as Uint8Array) : join(parts));
      },
    };
  };
