/** Where the journal lies; a file of its own, for it is looked for on every router and there on few. */

export const JOURNAL_PATH = '/etc/sipalg.journal';
