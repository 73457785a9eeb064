/** `sipalg metrics`: the report as metrics for Prometheus, on standard output or in a file of its textfile collector. */
import { metricsOf } from '../fleet/metrics.ts';
import { readSent } from '../hep/record.ts';
import { exposition } from '../languages/prometheus/exposition.ts';
import { lastProbes } from '../probe/last.ts';
import { say, Trouble } from '../words/say.ts';
import type { Doors, Given, Terminal } from './command.ts';
import { reportFrom } from './elsewhere.ts';
import { factsNow } from './look.ts';

/** Also another user's exporter reads it. */
const MODE = 0o644;

const folderOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));

/**
 * @returns 0 where the metrics were written, whatever they say: a collector that fails has none to show
 * @throws Error in a sentence
 */
export async function metrics(doors: Doors, given: Given, terminal: Terminal): Promise<0> {
  const { host, surveyor } = doors;
  const from = given.get('--from');
  const report = from === undefined ? await surveyor.report(await factsNow(doors)) : await reportFrom(doors, from, null, terminal);
  // What was noted here is of this router alone.
  const noted = from === undefined ? { probes: await lastProbes(host), sent: await readSent(host) } : undefined;
  const text = exposition(metricsOf(report, noted));
  const file = given.get('--file');
  if (file === undefined) {
    terminal.json(text);
    return 0;
  }
  if (!file.startsWith('/') || !file.endsWith('.prom'))
    throw new Trouble(
      say(
        'metrics-file',
        '--file is "{file}"; it is the whole path of a file whose name ends with .prom, for collectors read no other: '
          + '/var/prometheus/sipalg.prom.',
        { file },
      ),
    );
  const folder = folderOf(file);
  if ((await host.kind(folder)).state === 'absent') await host.run(['mkdir', '-p', folder]);
  await host.write(file, text, MODE);
  return 0;
}
