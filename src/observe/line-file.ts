/** The line for which flows were ended last. In memory: after a boot no flow is older than what it says. */
export const LINE_FILE = '/var/run/sipalg.line';
