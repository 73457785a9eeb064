/** How many messages became what, for `sipalg metrics`: a file in memory, without anything of what was said. */
import type { Host } from '../host/host.ts';
import type { Sent } from './sender.ts';

export const SENT_FILE = '/var/run/sipalg.hep';

export const writeSent = (host: Host, counts: Sent): Promise<void> =>
  host.write(SENT_FILE, `${JSON.stringify({ at: host.now(), ...counts })}\n`, 0o644);
