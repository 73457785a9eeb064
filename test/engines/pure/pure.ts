/**
 * The pure layer on QuickJS. Its files are packed with as much of Node's modules in QuickJS's words as they use
 * (test/engines/quickjs), run in a process each, and judged by what they report, as on Node.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

/** What test/engines/quickjs has of Node. A file that asks for more is about Node, or runs programs. */
const REPLACED: Readonly<Record<string, string>> = {
  'node:fs': 'node.ts',
  'node:path': 'node.ts',
  'node:crypto': 'node.ts',
};
/** Names of a test's own modules that are another one on QuickJS. */
const OWN: Readonly<Record<string, string>> = { 'test/runner/report.ts': 'report.ts', 'test/growth.ts': 'growth.ts' };

/** Folders of test/pure that ask for nothing more and still are no matter of QuickJS, each with the reason. */
const OF_NODE: Readonly<Record<string, string>> = {
  daemon: 'the daemon runs on Node alone',
  http: 'the page of the daemon runs on Node alone',
  ubus: 'sockets are to be had on Node alone',
  lab: 'is about the lab, which runs on Node',
  page: 'runs in a browser',
  runner: 'is about the test command, which runs on Node',
};

/** Files whose number of rounds is meant for an engine with a compiler, with the seconds they take in QuickJS. */
const FOR_COMPILERS: Readonly<Record<string, number>> = { 'floods.test.ts': 60, 'voice/inbound.test.ts': 28, 'survey/saved.test.ts': 17 };

/** Marks a line that tells of an event: test/engines/quickjs/report.ts. */
const EVENT = '\u0001';

const SHIMS = join(process.cwd(), 'test/engines/quickjs');

/** The names of files, from test/pure, that are about what runs on QuickJS. */
function candidates(): string[] {
  return (readdirSync('test/pure', { recursive: true }) as string[])
    .filter((name) => name.endsWith('.test.ts') && OF_NODE[name.split('/')[0]!] === undefined && FOR_COMPILERS[name] === undefined)
    .sort();
}

/**
 * Packs the files that can run on QuickJS into a folder.
 * @returns path of each packed file by its name; and what the others ask for that is not there
 */
async function packPure(folder: string): Promise<{ packed: Map<string, string>; others: Map<string, string> }> {
  const others = new Map<string, string>();
  let names = candidates();
  const sourcesOf = await inputs(folder, names);
  const leave = (source: string, wants: string): void => {
    for (const name of names) if (sourcesOf.get(name)?.has(source)) others.set(name, wants);
    names = names.filter((name) => !others.has(name));
  };
  for (const wants of ['node:child_process', 'node:os', 'node:net', 'node:zlib', 'node:url', 'node:util', 'esbuild']) leave(wants, wants);
  // What a source asks of a module that has it not here is an error of the packer.
  for (let before = -1; before !== names.length;) {
    before = names.length;
    try {
      await build({ ...options(folder, names, REPLACED), write: true });
    } catch (error) {
      for (const { text, location } of (error as import('esbuild').BuildFailure).errors) leave(location?.file ?? '', text);
      if (before === names.length) throw error;
    }
  }
  return { packed: new Map(names.map((name) => [name, join(folder, 'pure', name.replace(/\.ts$/, '.js'))])), others };
}

/** The sources and modules that each file loads. */
async function inputs(folder: string, names: readonly string[]): Promise<Map<string, Set<string>>> {
  const { metafile } = await build({ ...options(folder, names, {}), write: false, metafile: true });
  const { inputs: all } = metafile;
  const below = (source: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(source)) return seen;
    seen.add(source);
    for (const { path } of all[source]?.imports ?? []) below(path, seen);
    return seen;
  };
  return new Map(names.map((name) => [name, below(`test/pure/${name}`)]));
}

/** @param replaced modules of Node that another one stands for; all others are left out of the pack */
function options(folder: string, names: readonly string[], replaced: Readonly<Record<string, string>>) {
  return {
    entryPoints: [...names.map((name) => `test/pure/${name}`), join(SHIMS, 'start.ts')],
    outdir: folder,
    outbase: 'test',
    bundle: true,
    splitting: true,
    format: 'esm' as const,
    platform: 'neutral' as const,
    mainFields: ['module', 'main'],
    target: 'es2022',
    define: { SIPALG_VERSION: '"0.0.0-test"' },
    logLevel: 'silent' as const,
    plugins: [
      {
        name: "QuickJS in Node's place",
        setup({ onResolve, resolve }: import('esbuild').PluginBuild) {
          onResolve({ filter: /^node:/ }, ({ path }) =>
            replaced[path] === undefined ? { path, external: true } : { path: join(SHIMS, replaced[path]) },
          );
          onResolve({ filter: /^qjs:/ }, ({ path }) => ({ path: path.slice('qjs:'.length), external: true }));
          onResolve({ filter: /^(esbuild|playwright-core)$/ }, ({ path }) => ({ path, external: true }));
          onResolve({ filter: /^uvu(\/\w+)?$/ }, ({ path, kind, importer, resolveDir, pluginData }) => {
            if (pluginData === 'real') return undefined;
            const [counting, asserting] = ['counting.ts', 'asserting.ts'].map((name) => join(process.cwd(), 'test', name));
            if (path === 'uvu' && importer !== counting) return { path: counting! };
            if (path === 'uvu/assert' && importer !== asserting) return { path: asserting! };
            return resolve(path, { kind, resolveDir, pluginData: 'real' });
          });
          onResolve({ filter: /\/(report|growth)\.ts$/ }, async ({ path, kind, resolveDir, importer, pluginData }) => {
            if (pluginData === 'real' || importer.startsWith(SHIMS)) return undefined;
            const found = await resolve(path, { kind, resolveDir, importer, pluginData: 'real' });
            const own = OWN[found.path.slice(process.cwd().length + 1)];
            return own === undefined ? found : { path: join(SHIMS, own) };
          });
        },
      },
    ],
  };
}

/** What test/runner/verdict.mjs says of a file. */
interface Verdict {
  passed: number;
  failed: number;
  problems: string[];
  output: string;
}

/** Runs a packed file. @param folder where it was packed to */
async function runOn(qjs: string, folder: string, file: string): Promise<Verdict> {
  const { judge } = (await import(pathToFileURL(join(process.cwd(), 'test/runner/verdict.mjs')).href)) as {
    judge(file: string, journal: string, ended: object): Verdict;
  };
  const child = spawn(qjs, ['--no-unhandled-rejection', '-m', join(folder, 'engines/quickjs/start.js'), file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject).once('close', (...how) => resolve(how));
  });
  const lines = said.split('\n');
  const events = lines.flatMap((line) => (line.includes(EVENT) ? [line.slice(line.indexOf(EVENT) + 1)] : []));
  const output = lines.filter((line) => !line.includes(EVENT)).join('\n');
  return judge(file, events.join('\n'), { code, signal, late: false, leftovers: [], output, ms: 0 });
}

/**
 * Declares a suite that runs files of the pure layer on a QuickJS, a test for each.
 * @param engine  names it
 * @param which   one of test/setup.mjs: `qjs`, or a name of FOREIGN
 * @param chosen  which files
 * @param fewest  how many files there are at least
 */
export async function pureOn(
  engine: string,
  which: 'qjs' | 'i386' | 's390x',
  chosen: (name: string) => boolean,
  fewest: number,
): Promise<void> {
  const setup = (await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href)) as {
    QJS: string;
    FOREIGN: Record<string, string>;
  };
  const script = which === 'qjs' ? setup.QJS : setup.FOREIGN[which]!;
  const folder = mkdtempSync(join(tmpdir(), 'pure-'));
  const { packed, others } = await packPure(folder);
  const names = [...packed.keys()].filter(chosen);
  const pure = suite(`the pure layer on ${engine}`);
  pure(`is at least ${fewest} files; no other one could run there`, () => {
    assert.ok(names.length >= fewest, `${names.length} files`);
    for (const [name, wants] of others) assert.match(wants, /^(node:|esbuild$|No matching export)/, name);
  });
  for (const name of names) {
    pure(name.slice(0, -'.test.ts'.length), async () => {
      const { passed, failed, problems, output } = await runOn(script, folder, packed.get(name)!);
      assert.equal([failed, problems], [0, []], output.slice(-3000));
      assert.ok(passed > 0);
    });
  }
  pure.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  pure.run();
}
