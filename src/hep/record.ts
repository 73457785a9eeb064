/** How many messages became what, for `sipalg metrics`: a file in memory, without anything of what was said. */
import type { Host } from '../host/host.ts';
import type { Sent } from './sender.ts';

export const SENT_FILE = '/var/run/sipalg.hep';

const COUNTS = ['sent', 'failed', 'overflowed', 'oversized', 'missed', 'unread'] as const;
export type SentCounts = Readonly<Record<(typeof COUNTS)[number], number>>;

/** null: no sender has run since the router was started, or it was told to stay away. */
export async function readSent(host: Host): Promise<SentCounts | null> {
  const text = await host.read(SENT_FILE);
  if (text.state !== 'present') return null;
  try {
    const read = JSON.parse(text.value) as Partial<Record<string, unknown>>;
    const all = COUNTS.map((name) => [name, read[name]] as const);
    return all.every(([, count]) => typeof count === 'number') ? (Object.fromEntries(all) as SentCounts) : null;
  } catch {
    return null; // half written by a former version, or not by us
  }
}

export const writeSent = (host: Host, counts: Sent): Promise<void> =>
  host.write(SENT_FILE, `${JSON.stringify({ at: host.now(), ...counts })}\n`, 0o644);
