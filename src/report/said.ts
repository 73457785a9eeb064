/** Texts that have travelled beside their codes, as sentences again. */
import type { Coded, Line, Said, Values } from '../words/say.ts';

/** @param code undefined: it is somebody else's text */
export function lineOf(code: string | undefined, parameters: Values | undefined, text: string): Line {
  return code === undefined ? text : { code, ...(parameters === undefined ? {} : { parameters }), text };
}

/** Lines of evidence: those that are words have a code, by their place. */
export const linesOf = (texts: readonly string[], coded: Readonly<Record<number, Coded>> | undefined): Line[] =>
  texts.map((text, at): Line => {
    const known = coded?.[at];
    return known === undefined ? text : ({ ...known, text } satisfies Said);
  });
