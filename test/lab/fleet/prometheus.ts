/** Debian's Prometheus, which scrapes what a test shows it, at intervals of a second. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const RULES = 'fleet/prometheus/sipalg.rules.yml';

/** The same rules with seconds for minutes, so that a test need not wait for what a person should not be woken by. */
export const hasty = (rules: string): string =>
  rules
    .replace(/^( *for:) \d+m$/gm, '$1 0s')
    .replace(/\[10m\]/g, '[20s]')
    .replace(/(check_timestamp_seconds) > 900/, '$1 > 15');

export interface Scraping {
  /** Names of the alerts that fire. */
  firing(): Promise<string[]>;
  query(expression: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]>;
  /** Waits until these fire and nothing else does. */
  settles(wanted: readonly string[], what: string): Promise<void>;
  stop(): Promise<void>;
}

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });

/** A port of this machine that was free just now. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await closed(server);
  return port;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
/** Milliseconds; a machine may be slow, and what never comes is not waited for by many. */
const PATIENCE = 120_000;

/** @param shown what /metrics says at that moment; null: the file is not there, and neither is the answer */
export async function startPrometheus(shown: () => Promise<string | null>): Promise<Scraping> {
  const folder = mkdtempSync(join(tmpdir(), 'prom-'));
  const target = createServer((_request, response) => {
    shown().then(
      (text) => response.writeHead(text === null ? 503 : 200, { 'content-type': 'text/plain; version=0.0.4' }).end(text ?? ''),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  const [scraped, port] = [await listening(target), await freePort()];
  writeFileSync(join(folder, 'rules.yml'), hasty(readFileSync(RULES, 'utf8')));
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs:
  - job_name: routers
    static_configs: [{ targets: ['127.0.0.1:${scraped}'] }]
`,
  );
  const child: ChildProcess = spawn(
    'prometheus',
    [
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=data',
      `--web.listen-address=127.0.0.1:${port}`,
      '--query.lookback-delta=10s',
      '--log.level=error',
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr?.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ask = async (path: string): Promise<{ data: never }> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    return (await response.json()) as { data: never };
  };
  const firing = async (): Promise<string[]> => {
    const { data } = await ask('alerts');
    const { alerts } = data as { alerts: { state: string; labels: { alertname: string } }[] };
    return [...new Set(alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname))].sort();
  };
  async function until(so: () => Promise<boolean>, what: () => string): Promise<void> {
    for (const begin = Date.now(); Date.now() - begin < PATIENCE; await pause(200)) {
      if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}: ${said}`);
      if (await so().catch(() => false)) return;
    }
    throw new Error(`${what()}\n${said}`);
  }
  const scraping: Scraping = {
    firing,
    query: async (expression) => ((await ask(`query?query=${encodeURIComponent(expression)}`)).data as { result: never }).result,
    async settles(wanted, what) {
      let last: string[] = [];
      await until(
        async () => {
          last = await firing();
          return last.join() === [...wanted].sort().join();
        },
        () => `${what}: it fires ${last.join(', ') || 'nothing'}, not ${wanted.join(', ') || 'nothing'}.`,
      );
    },
    async stop() {
      child.kill('SIGKILL');
      await Promise.all([ended, closed(target)]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await until(
      async () => (await scraping.query('up')).length === 1,
      () => 'Prometheus did not scrape anything.',
    );
  } catch (error) {
    await scraping.stop();
    throw error;
  }
  return scraping;
}
