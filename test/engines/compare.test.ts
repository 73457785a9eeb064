/** `sipalg compare` as it is shipped, on both engines: captures in files and from a pipe, its three forms and its exit codes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PHONE, PROVIDER, WAN, anyOf, packetsOf, sideOf } from '../pure/compare/captures.ts';
import { reply, request, session } from '../pure/compare/dialogue.ts';

interface Context {
  qjs: string;
  folder: string;
}

interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

const CALL = { callId: 'a84b4c76e66710' };
const INVITE = request('INVITE', { ...CALL, body: session() });
const answers = [
  { at: 0.01, text: reply('100 Trying', 'INVITE', CALL), toProvider: false },
  { at: 2, text: reply('200 OK', 'INVITE', { ...CALL, body: session(PROVIDER, 30_000) }), toProvider: false },
];
const UNCHANGED = packetsOf([{ at: 0, text: INVITE }, ...answers]);
const CHANGED = packetsOf([{ at: 0, text: INVITE, out: INVITE.split(PHONE).join(WAN) }, ...answers]);

const compare = suite<Context>('sipalg compare');

compare.before(async (context) => {
  ({ QJS: context.qjs } = (await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href)) as { QJS: string });
  context.folder = mkdtempSync(join(tmpdir(), 'compare-'));
});

compare.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

/** What both say, which is the same. */
function onBoth({ qjs }: Context, words: readonly string[], input: Uint8Array = new Uint8Array()): Ran {
  const run = (command: string, begin: readonly string[]): Ran => {
    const { error, status, stdout, stderr } = spawnSync(command, [...begin, ...words], { encoding: 'utf8', input, timeout: 60_000 });
    if (error !== undefined) throw error;
    return { status, stdout, stderr };
  };
  const onNode = run(process.execPath, ['dist/router/sipalg.mjs']);
  const onQuickjs = run(qjs, ['--no-unhandled-rejection', '-m', 'dist/router/sipalg.qjs.mjs']);
  assert.equal(onQuickjs, onNode, words.join(' '));
  return onNode;
}

function captures({ folder }: Context, name: string, packets: typeof CHANGED): [lan: string, wan: string] {
  return [false, true].map((outside) => {
    const file = join(folder, `${name}-${outside ? 'wan' : 'lan'}.pcap`);
    writeFileSync(file, sideOf(packets, outside));
    return file;
  }) as [string, string];
}

compare('names what was changed, field by field, and ends with 1', (context) => {
  const [lan, wan] = captures(context, 'changed', CHANGED);
  const { status, stdout, stderr } = onBoth(context, ['compare', lan, wan]);
  assert.equal([status, stderr], [1, '']);
  assert.match(stdout, /Contact URI host +192\.168\.1\.7\S* -> 203\.0\.113\.20/);
  assert.match(stdout, /SDP c= address +192\.168\.1\.7 -> 203\.0\.113\.20/);
  const told = JSON.parse(onBoth(context, ['compare', lan, wan, '--json']).stdout) as { verdict: string };
  assert.is(told.verdict, 'changed');
  assert.ok(!onBoth(context, ['compare', lan, wan, '--redact']).stdout.includes(WAN));
});

compare('writes a page that needs nothing beside it', (context) => {
  const [lan, wan] = captures(context, 'page', CHANGED);
  const file = join(context.folder, 'calls.html');
  const { status } = onBoth(context, ['compare', lan, wan, '--html', file]);
  assert.is(status, 1);
  const page = readFileSync(file, 'utf8');
  assert.match(page, /<svg|<pre|<table/);
  assert.not.match(page, /\b(?:src|href)="(?!#)/);
});

compare('ends with 0 where nothing was changed, from files and from a pipe', (context) => {
  assert.is(onBoth(context, ['compare', ...captures(context, 'same', UNCHANGED)]).status, 0);
  assert.is(onBoth(context, ['compare', '-'], anyOf(UNCHANGED)).status, 0);
});

compare('ends with 2 where it cannot tell', (context) => {
  const [lan] = captures(context, 'half', CHANGED);
  const missing = onBoth(context, ['compare', lan, join(context.folder, 'missing.pcap')]);
  assert.is(missing.status, 2);
  assert.match(missing.stderr, 'there is no file');
  const empty = join(context.folder, 'empty.pcap');
  writeFileSync(empty, sideOf([], false));
  assert.is(onBoth(context, ['compare', empty, empty]).status, 2);
});

compare.run();
