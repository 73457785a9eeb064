/** The journal of a run: written, and synced, before what it tells of is done. */
import type { Host } from '../host/host.ts';
import { JOURNAL_MODE, JOURNAL_PATH, renderJournal } from '../journal/journal.ts';
import type { Journal } from '../journal/journal.ts';

/** @param journal null: none is left */
export async function writeJournal(host: Host, journal: Journal | null): Promise<void> {
  if (journal === null) await host.remove(JOURNAL_PATH);
  else await host.write(JOURNAL_PATH, renderJournal(journal), JOURNAL_MODE);
}

/** That of a router from which nothing has been taken. @param since milliseconds since 1970 */
export const fresh = (program: string, since: number): Journal => ({ format: 1, program, since, state: 'taking', taken: [], held: null });
