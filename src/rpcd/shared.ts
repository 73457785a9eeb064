/**
 * The last report, for other pages that ask within a moment: each call of the plugin is a process of its own, and a look is
 * what it costs. A file in memory (/var/run).
 */
import { hash } from '../host/hash.ts';
import type { Host } from '../host/host.ts';
import { SHARED } from '../object/programs.ts';
import type { Report } from '../survey/survey.ts';
import { RECORD } from './record.ts';

const KEPT = '/var/run/sipalg.run.shared';
const PRIVATE = 0o600;
/** Characters of JSON that are worth it. */
const MOST = 1 << 20;

/** What a command of ours changes: with any of it the report is another. */
const PATHS = [RECORD, '/etc/config/sipalg', '/etc/sipalg.journal'];

/** What the router was as far as one can tell without a look. */
async function sayingOf(host: Host): Promise<string> {
  const texts = await Promise.all(PATHS.map((path) => host.read(path)));
  return hash(JSON.stringify(texts));
}

/** null: there is none, it is too old, or something has been changed since. */
export async function readShared(host: Host, version: string): Promise<Report | null> {
  const file = await host.read(KEPT);
  if (file.state !== 'present') return null;
  try {
    const { at, of, report } = JSON.parse(file.value) as { at: number; of: string; report: Report };
    const age = host.now() - at;
    return age >= 0 && age < SHARED && report.version === version && of === (await sayingOf(host)) ? report : null;
  } catch {
    return null;
  }
}

/** A file that cannot be written costs another look, and no more. */
export async function writeShared(host: Host, report: Report): Promise<void> {
  if (host.process().uid !== 0) return;
  const text = JSON.stringify({ at: host.now(), of: await sayingOf(host), report });
  if (text.length > MOST) return;
  try {
    await host.write(KEPT, text, PRIVATE);
  } catch {
    // The next page looks for itself.
  }
}
