/**
 * For `assert.throws(work, saying('text'))`: that the error is one, and its message holds the text. A plain string there is
 * only what uvu shows when nothing is thrown, whatever the message.
 */
export const saying =
  (text: string) =>
  (thrown: unknown): boolean => {
    if (thrown instanceof Error && thrown.message.includes(text)) return true;
    throw new Error(`"${text}" was to be said, and this was: ${thrown instanceof Error ? `"${thrown.message}"` : String(thrown)}`);
  };
