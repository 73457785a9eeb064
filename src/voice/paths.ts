/** The file by which the voice firewall rules are known to be on a router; a file of its own, for it is asked for on every router. */

/** What stays on a router where our rules are, or were. */
export const POLICY_FILE = '/etc/sipalg.policy';

/** What a run that was killed as it wrote that file has left in its folder (`unfinishedOf` of host/host.ts). */
export const POLICY_FOLDER = '/etc';
export const POLICY_UNFINISHED = /^sipalg\.policy\.(\d+\.\d+\.)?sipalg-new$/;
