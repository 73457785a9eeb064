/** Documents of many routers, on both engines as they are shipped: a stream of verdicts, and the page on them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Judged, Unjudged, VerdictLine } from '../../src/fleet/verdicts.ts';
import { recordedRouter, routerNames } from '../routers.ts';
import { surveyor } from '../survey.ts';
import { startOf } from './start.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

interface Context {
  folder: string;
  /** One line for each recorded router that can be judged. */
  lines: string[];
  node: string[];
  quickjs: string[];
}

const fleet = suite<Context>('many routers');

fleet.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  context.node = [...(await startOf('node')), 'dist/router/sipalg.mjs'];
  context.quickjs = [...(await startOf('quickjs')), 'dist/router/sipalg.qjs.mjs'];
  context.lines = [];
  for (const router of routerNames())
    context.lines.push(JSON.stringify({ router, version, facts: await surveyor.look(recordedRouter(router)) }));
});

fleet.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run([command = '', ...begin]: readonly string[], words: readonly string[], input = ''): Ran {
  const { error, status, stdout, stderr } = spawnSync(command, [...begin, ...words], {
    encoding: 'utf8',
    input,
    timeout: 300_000,
    maxBuffer: 1 << 28,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

function onBoth({ node, quickjs }: Context, words: readonly string[], input = ''): Ran {
  const ran = run(node, words, input);
  assert.equal(run(quickjs, words, input), ran, words.join(' '));
  return ran;
}

const answers = ({ stdout }: Ran): VerdictLine[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as VerdictLine);

fleet('are judged a line each, in order, to what each comes to alone', (context) => {
  const { lines, node, folder } = context;
  const ran = onBoth(context, ['status', '--from', '-'], lines.join('\n') + '\n');
  const all = answers(ran) as Judged[];
  assert.equal(
    all.map(({ line, router }) => [line, router]),
    routerNames().map((name, at) => [at + 1, name]),
  );
  assert.is(ran.status, Math.max(...all.map(({ exit }) => exit)));
  for (const name of ['stock-alg-on', 'disabled', 'voice-in-force', 'comes-back', 'hostile-nft', 'wish-misspelt']) {
    const at = routerNames().indexOf(name);
    const file = join(folder, 'one.json');
    writeFileSync(file, lines[at] as string);
    const alone = run(node, ['status', '--json', '--from', file]);
    assert.equal([all[at]?.exit, all[at]?.verdict], [alone.status, (JSON.parse(alone.stdout) as { verdict: unknown }).verdict], name);
  }
});

fleet('that cannot be judged are answered in their place, and those behind them too', (context) => {
  const [one = '', two = ''] = context.lines;
  const given = [
    one,
    'ssh: connect to host 192.0.2.1 port 22',
    one.slice(0, 700),
    '',
    '  ',
    '[]',
    '{"router":"gone"}',
    two.replace(version, '9.9.9'),
    two,
  ];
  for (const end of ['\n', '\r\n']) {
    const ran = onBoth(context, ['status', '--from', '-'], given.join(end));
    const all = answers(ran);
    assert.equal(
      all.map(({ line, exit }) => [line, exit]),
      [
        [1, 1],
        [2, 2],
        [3, 2],
        [6, 2],
        [7, 2],
        [8, 2],
        [9, 1],
      ],
    );
    const errors = all.flatMap((each) => ('error' in each ? [each as Unjudged] : []));
    assert.match(errors[0]?.error ?? '', 'Line 2 is not JSON: it begins with "ssh: connect');
    assert.match(errors[1]?.error ?? '', 'Line 3 ends in the middle of the document');
    assert.equal([errors[3]?.router, errors[4]?.router], ['gone', routerNames()[1]]);
    assert.match(errors[4]?.error ?? '', 'Line 8 was saved by sipalg 9.9.9');
    assert.is(ran.status, 2);
  }
});

fleet('are a stream where a second one follows, or where it is said; one document alone is as before', (context) => {
  const one = context.lines[routerNames().indexOf('disabled')] as string;
  const pretty = JSON.stringify(JSON.parse(one), null, 2);
  for (const document of [one, one + '\n', pretty, `\n${one}\n\n`])
    assert.match(onBoth(context, ['status', '--from', '-'], document).stdout, /^No SIP ALG touches calls on this router\.\n/);
  const said = onBoth(context, ['status', '--lines', '--from', '-'], one);
  assert.equal([said.status, answers(said).map(({ line, exit }) => [line, exit])], [0, [[1, 0]]]);
  assert.is(onBoth(context, ['status', '--lines', '--from', '-'], '').status, 2);
  const file = join(context.folder, 'two.jsonl');
  writeFileSync(file, `${one}\n${one}`);
  assert.is(answers(onBoth(context, ['status', '--lines', '--from', file])).length, 2);
  assert.match(onBoth(context, ['status', '--lines']).stderr, 'it goes with --from FILE');
});

fleet('answer the one who asks before more is sent', async ({ node, lines }) => {
  const [command = '', ...begin] = node;
  const child = spawn(command, [...begin, 'status', '--from', '-'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
  });
  child.stdin.write(`${lines[0]}\n${lines[1]}\n`);
  for (const begun = Date.now(); said.split('\n').length < 3 && Date.now() - begun < 60_000;)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.is(said.split('\n').length, 3);
  child.stdin.end();
  await new Promise((resolve) => child.once('close', resolve));
});

fleet('keep their order on several processors, and take no more memory for being more', async ({ folder, lines, node }) => {
  const small = lines.filter((line) => line.length < 20_000);
  const measured = (count: number): { peak: number; numbers: number[] } => {
    const file = join(folder, 'many.jsonl');
    writeFileSync(file, Array.from({ length: count }, (_, at) => small[(at * 7) % small.length]).join('\n') + '\n');
    const [command = '', program = ''] = node;
    // Its own peak, which the kernel keeps as long as it is there.
    const more = `process.on('exit', () => process.stderr.write(/VmHWM:\\s+\\d+/.exec(require('fs').readFileSync('/proc/self/status', 'utf8'))[0]))`;
    writeFileSync(join(folder, 'peak.cjs'), more);
    const { status, stdout, stderr } = run(
      [command, '--require', join(folder, 'peak.cjs'), program],
      ['status', '--lines', '--from', file],
    );
    assert.is(status, 2);
    return { peak: Number(/\d+$/.exec(stderr)?.[0]), numbers: answers({ status, stdout, stderr }).map(({ line }) => line) };
  };
  const [few, many] = [measured(600), measured(4800)];
  assert.equal(
    many.numbers,
    Array.from({ length: 4800 }, (_, at) => at + 1),
  );
  assert.ok(few.peak > 10_000 && many.peak < few.peak * 2, `${few.peak} kB for 600, ${many.peak} kB for 4800`);
});

fleet('are one page: from documents or from answers that were kept, on either engine, with nothing beside it', (context) => {
  const { folder, lines, node, quickjs } = context;
  const [file, kept, page] = ['all.jsonl', 'kept.jsonl', 'page.html'].map((name) => join(folder, name)) as [string, string, string];
  const strange = JSON.stringify({ ...(JSON.parse(lines[0] as string) as object), router: '<script>alert(1)</script>' });
  writeFileSync(file, [...lines, strange, 'nothing'].join('\n'));
  const written = (engine: readonly string[]): string => {
    const { status, stdout, stderr } = run(engine, ['report', '--fleet', file, '-o', page]);
    assert.equal([status, stdout, stderr], [2, '', '']);
    return readFileSync(page, 'utf8').replace(/Written [\d :-]+ UTC/, '');
  };
  const html = written(node);
  assert.is(written(quickjs), html);
  writeFileSync(kept, run(node, ['status', '--lines', '--from', file]).stdout);
  assert.is(run(node, ['report', '--fleet', kept]).stdout.replace(/Written [\d :-]+ UTC/, ''), html);
  assert.match(html, `<h1>SIP ALG: ${lines.length + 2} routers</h1>`);
  assert.match(html, '&lt;script&gt;alert(1)&lt;/script&gt;');
  assert.not.match(html, /<script|<link|<img|url\(|https?:\/\//);
  assert.match(html, /<svg viewBox[^>]* role="img" aria-label="[^"]+">/);
  // The worst first: what is on stands before what is off, and what is in order is not named.
  const place = (name: string): number => html.indexOf(`>${name}</abbr>`);
  assert.ok(
    place('stock-alg-on') > 0
      && place('stock-alg-on') < place('tracking-only')
      && place('tracking-only') < place('proc-modules-unreadable'),
  );
  assert.is(place('disabled'), -1);
  assert.match(run(node, ['report', '--fleet', join(folder, 'none')]).stderr, 'There is no ');
});

fleet.run();
