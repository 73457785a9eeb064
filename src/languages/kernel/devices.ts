/** Names of network devices (net/core/dev.c, dev_valid_name). */

/** What a device may be called in a script of ours: nothing in it is a quote, a blank or a wildcard. */
export const isDevice = (name: string): boolean => /^[A-Za-z0-9_.:@-]{1,15}$/.test(name);
