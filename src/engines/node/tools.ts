/** Where commands are looked for. */

/** Where tools live, also where a caller's PATH is short (cron, procd, a plain `su`). */
const TOOL_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** The caller's PATH, then that; an empty one would have meant the folder we stand in. */
export const toolPath = (): string => [process.env['PATH'], TOOL_PATH].filter(Boolean).join(':');
