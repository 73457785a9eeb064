/** What engines cut short or spoil in silence when it is handed to the system, so that every engine refuses the same. */

/**
 * A path or an argument as it may be handed over.
 * @throws Error with the end of a sentence: it holds a NUL, at which C's strings end (QuickJS would use what stands
 *   before it), or a byte that is not UTF-8 (kept as a lone surrogate: QuickJS and Node would both hand over another name)
 */
export function handed(text: string): string {
  if (text.includes('\0')) throw new Error(`${JSON.stringify(text.slice(0, 60))} holds a NUL`);
  if (/\p{Surrogate}/u.test(text)) throw new Error(`${JSON.stringify(text.slice(0, 60))} is not UTF-8`);
  return text;
}

/** Where tools live, also where a caller's PATH is short (cron, procd, a plain `su`). */
const TOOL_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The caller's PATH, then the folders above. Folders that are relative, an empty one among them, are left out: a
 * command runs in another folder than its caller.
 */
export const toolPath = (callers = ''): string => [...callers.split(':').filter((folder) => folder.startsWith('/')), TOOL_PATH].join(':');
