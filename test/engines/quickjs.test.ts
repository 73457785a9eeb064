import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { core } from './core.ts';
import type { Recording } from './recording.ts';

/** The little that is used of quickjs-emscripten. */
interface Quickjs {
  newRuntime(): {
    setMaxStackSize(bytes: number): void;
    executePendingJobs(): unknown;
    newContext(): { evalCode(code: string, file?: string): { value?: unknown; error?: unknown }; dump(value: unknown): unknown };
  };
}

async function quickjs(): Promise<Quickjs> {
  const { enginePath } = await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href);
  // WebAssembly's own loader is CommonJS; through import() it is the default export.
  const {
    default: { getQuickJS },
  } = await import(pathToFileURL(enginePath('quickjs')).href);
  return getQuickJS();
}

/** The core as QuickJS would run it: one script, no module, no engine. */
async function packedCore(): Promise<string> {
  const {
    outputFiles: [file],
    warnings,
  } = await build({
    entryPoints: ['test/engines/core.ts'],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'packed',
    platform: 'neutral',
    target: 'es2022',
    logLevel: 'silent',
    define: { SIPALG_VERSION: '"0.0.0-test"' },
  });
  assert.equal(warnings, []);
  assert.ok(file);
  return file.text;
}

/** Runs code that leaves its answer, a text, in `answer`, or its error in `failure`. */
async function runInQuickjs(code: string): Promise<string> {
  const runtime = (await quickjs()).newRuntime();
  runtime.setMaxStackSize(256 * 1024); // what `qjs` gives by default
  const context = runtime.newContext();
  const value = (source: string): unknown => {
    const result = context.evalCode(source);
    if (result.error !== undefined) throw new Error(`QuickJS: ${JSON.stringify(context.dump(result.error))}`);
    return context.dump(result.value);
  };
  value(`var answer, failure; ${code}\n; 0`);
  for (let turn = 0; turn < 1000 && value('answer === undefined && failure === undefined'); turn++) runtime.executePendingJobs();
  const failure = value('failure');
  if (failure !== undefined) throw new Error(`QuickJS: ${String(failure)}`);
  const answer = value('answer');
  if (typeof answer !== 'string') throw new Error('The code never came to an end in QuickJS: it waits for what no job brings.');
  return answer;
}

const fixture = (name: string): string => readFileSync(join('test/fixtures', name), 'utf8');

/** OpenWrt 24.10 with the SIP modules loaded and the helper on. */
const ROUTER: Recording = {
  files: {
    '/etc/openwrt_release': `DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='24.10.4'\nDISTRIB_DESCRIPTION='OpenWrt 24.10.4'\n`,
    '/proc/sys/kernel/osrelease': '6.6.110\n',
    '/proc/modules': 'nf_nat_sip 20480 0 - Live 0x00000000\nnf_conntrack_sip 40960 3 nf_nat_sip, Live 0x00000000\n',
    '/sys/module/nf_conntrack_sip/refcnt': '3\n',
    '/sys/module/nf_conntrack_sip/initstate': 'live\n',
    '/sys/module/nf_conntrack_sip/holders/nf_nat_sip': '',
    '/sys/module/nf_conntrack_sip/parameters/sip_timeout': '3600\n',
    '/sys/module/nf_nat_sip/refcnt': '0\n',
    '/sys/module/nf_nat_sip/initstate': 'live\n',
    '/lib/modules/6.6.110/nf_conntrack_sip.ko': '',
    '/lib/modules/6.6.110/nf_nat_sip.ko': '',
    '/etc/modules.d/nf-nathelper-extra': 'nf_conntrack_sip\nnf_nat_sip\n',
    '/etc/modules.conf': '# blacklist example',
    '/sbin/fw4': '',
    '/etc/config/firewall': fixture('fw4/stock-alg-on.config'),
    '/etc/config/sipalg': `config sipalg 'main'\n\toption alg 'disabled'\n`,
    '/proc/net/nf_conntrack_expect': '',
    '/proc/net/nf_conntrack': fixture('kernel/proc-nf_conntrack.txt'),
    '/proc/net/route': fixture('kernel/proc-net-route.txt'),
  },
  commands: {
    'nft -j -t list ruleset': fixture('fw4/stock-alg-on.ruleset.json'),
    // What nft 1.0.6 shows of fw4/stock-alg-on.print.nft, loaded into an empty namespace; handles are those of the JSON.
    'nft -a -t list ruleset': readFileSync('test/engines/stock-alg-on.listing.txt', 'utf8'),
    'conntrack -L': fixture('kernel/conntrack-L.txt'),
    'iptables-save': fixture('iptables/iptables-nft-save.txt'),
    'ip6tables-save': fixture('iptables/ip6tables-nft-save.txt'),
    'dmesg': fixture('kernel/dmesg.txt'),
  },
};

/** The same router, whose every text is cut in the middle. */
const BROKEN: Recording = {
  files: Object.fromEntries(Object.entries(ROUTER.files).map(([path, text]) => [path, text.slice(0, text.length / 2)])),
  commands: Object.fromEntries(Object.entries(ROUTER.commands).map(([command, text]) => [command, text.slice(0, text.length / 2)])),
};

const engine = suite<{ code: string }>('the way in QuickJS');

engine.before(async (context) => {
  context.code = await packedCore();
});

/** A report as data. Where it quotes what JSON.parse complains of, the words are the engine's own and are left out. */
const understood = (report: string) =>
  JSON.parse(report, (_key, value: unknown) =>
    typeof value === 'string' ? value.replace(/did not print JSON \(.*?\): /g, 'did not print JSON: ') : value,
  );

const both = async (code: string, recording: Recording) => {
  const inQuickjs = await runInQuickjs(`${code};
    packed.core(${JSON.stringify(recording)}).then((text) => { answer = text; }, (error) => { failure = error.stack + error; });`);
  return { inQuickjs: understood(inQuickjs), inNode: understood(await core(recording)) };
};

engine('comes to the same facts, verdict and plans as in Node', async ({ code }) => {
  const { inQuickjs, inNode } = await both(code, ROUTER);
  assert.is(inNode.verdict.alg, 'rewriting');
  assert.ok(inNode.disable.steps.length > 3);
  assert.equal(inQuickjs, inNode);
});

engine('says of broken outputs what it says in Node', async ({ code }) => {
  const { inQuickjs, inNode } = await both(code, BROKEN);
  assert.is(inNode.facts.nft.state, 'failed');
  assert.equal(inQuickjs.verdict, inNode.verdict);
  assert.equal(inQuickjs, inNode);
});

engine('says of a router where nothing is what it says in Node', async ({ code }) => {
  const { inQuickjs, inNode } = await both(code, { files: {}, commands: {} });
  assert.equal(inQuickjs, inNode);
});

engine('has nothing of Node or a browser to fall back on', async () => {
  const names = ['process', 'Buffer', 'console', 'setTimeout', 'TextDecoder', 'URL', 'require', 'structuredClone'];
  assert.is(await runInQuickjs(`answer = ${JSON.stringify(names)}.filter((name) => name in globalThis).join()`), '');
});

engine('fails where code asks for a global that only Node has', async () => {
  try {
    await runInQuickjs(
      'Promise.resolve().then(() => { answer = Buffer.from("x").toString(); }).catch((error) => { failure = String(error); });',
    );
  } catch (error) {
    assert.match(String(error), /Buffer/);
    return;
  }
  assert.unreachable('Buffer was there');
});

engine.run();
