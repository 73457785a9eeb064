/** The Lua collector, the dashboard and the alert rules, by Debian's Lua 5.1 and promtool. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metricsOf } from '../../../src/fleet/metrics.ts';
import { recordedRouter } from '../../routers.ts';
import { reportOf, surveyor } from '../../survey.ts';
import { RULES } from './prometheus.ts';

const COLLECTOR = 'package/sipalg-fleet/root/usr/lib/lua/prometheus-collectors/sipalg.lua';
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

const run = (command: string, words: readonly string[], input = '') =>
  spawnSync(command, words, { encoding: 'utf8', input, timeout: 60_000 });

const collector = suite<{ folder: string; saved: string }>('what a fleet reads');

collector.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'lua-'));
  context.saved = join(context.folder, 'router.json');
  writeFileSync(context.saved, JSON.stringify({ version, facts: await surveyor.look(recordedRouter('voice-in-force')) }));
});

collector.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

/** @param command what stands for /usr/sbin/sipalg metrics */
function scraped(folder: string, command: string): { text: string; said: string } {
  const { stdout, stderr } = run('lua5.1', [
    'test/lab/fleet/exporter.lua',
    COLLECTOR,
    '/usr/sbin/sipalg metrics 2>/dev/null',
    command,
    '/var/prometheus/sipalg.prom',
    join(folder, 'sipalg.prom'),
  ]);
  return { text: stdout, said: stderr };
}

collector('the Lua collector says what the command says, and that it was able to', ({ folder, saved }) => {
  const { text, said } = scraped(folder, `${process.execPath} dist/sipalg.js metrics --from ${saved}`);
  assert.is(said, '');
  const { stdout } = run(process.execPath, ['dist/sipalg.js', 'metrics', '--from', saved]);
  assert.ok(stdout.length > 2000 && text.includes(stdout));
  assert.match(text, '\nnode_scrape_collector_success{collector="sipalg"} 1\n');
  // The exporter's own metrics have no help, and that alone is what promtool names.
  const checked = run('promtool', ['check', 'metrics'], text);
  assert.equal(
    checked.stderr.split('\n').filter((line) => line !== '' && !/^node_scrape_collector_\w+ no help text$/.test(line)),
    [],
  );
});

collector('the Lua collector shows no half: not where the command fails, is missing or breaks off', ({ folder, saved }) => {
  for (const command of [
    'false',
    '/nowhere/sipalg metrics 2>/dev/null',
    `${process.execPath} dist/sipalg.js metrics --from ${saved} | head -c 1500`,
  ]) {
    const { text, said } = scraped(folder, command);
    assert.not.match(text, /^sipalg_/m, command);
    assert.match(text, '\nnode_scrape_collector_success{collector="sipalg"} 0\n');
    assert.match(said, 'sipalg metrics said nothing of use');
  }
});

collector('the Lua collector is silent where the textfile collector has the file', ({ folder, saved }) => {
  const file = join(folder, 'sipalg.prom');
  writeFileSync(file, '');
  const { text } = scraped(folder, `${process.execPath} dist/sipalg.js metrics --from ${saved}`);
  rmSync(file);
  assert.not.match(text, /^sipalg_/m);
  assert.match(text, '\nnode_scrape_collector_success{collector="sipalg"} 1\n');
});

collector('the rules are well formed, and do what they say by the durations they have', () => {
  for (const words of [
    ['check', 'rules', RULES],
    ['test', 'rules', 'fleet/prometheus/sipalg.rules.test.yml'],
  ]) {
    const { status, stdout, stderr } = run('promtool', words);
    assert.is(status, 0, stdout + stderr);
  }
});

collector('the dashboard asks in words that Prometheus understands, for metrics and labels that there are', async ({ folder }) => {
  interface Panel {
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    targets: { expr: string }[];
  }
  const { panels } = JSON.parse(readFileSync('fleet/grafana/sipalg.json', 'utf8')) as { panels: Panel[] };
  const asked = panels.flatMap(({ targets }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m').replace(/\$(job|instance)/g, '.+')),
  );
  assert.ok(asked.length > 12);
  const rules = asked.map((expr, at) => ({ record: `dashboard:panel:${at}`, expr }));
  const file = join(folder, 'dashboard.yml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] })); // JSON is YAML
  const { status, stdout, stderr } = run('promtool', ['check', 'rules', file]);
  assert.is(status, 0, stdout + stderr);
  const metrics = metricsOf(await reportOf(recordedRouter('voice-in-force')), { probes: [], sent: null });
  const names = metrics.map(({ name }) => name);
  for (const text of [...asked, readFileSync(RULES, 'utf8')])
    for (const [name] of text.matchAll(/\bsipalg_\w+/g)) assert.ok(names.includes(name), name);
  // Panels do not lie on each other.
  for (const one of panels)
    for (const other of panels) {
      const [a, b] = [one.gridPos, other.gridPos];
      assert.ok(
        one === other || a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y,
        `${one.title} and ${other.title}`,
      );
    }
});

collector.run();
