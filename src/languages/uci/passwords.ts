/** Passwords in UCI files: what is printed, saved or mailed of such a file holds none. */

/** Options and lists of that name: what stands before the value, and the value, over lines that a backslash continues. */
const PASSWORD = /^([ \t]*(?:option|list)[ \t]+["']?password["']?[ \t]+)((?:[^\n\\]|\\[^])*)/gm;

export const withoutPasswords = (text: string): string => text.replace(PASSWORD, "$1'...'");

/** In their order, as they are written: quoted or not. */
export const passwordsIn = (text: string): string[] => [...text.matchAll(PASSWORD)].map(([, , value = '']) => value);

/** The text with these in place of its own, as many. */
export function withPasswords(text: string, passwords: readonly string[]): string {
  let at = 0;
  return text.replace(PASSWORD, (_, before: string, own: string) => before + (passwords[at++] ?? own));
}
