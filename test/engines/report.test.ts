/** `sipalg report` as it is shipped, on both engines and in both languages: from saved facts, with two captures. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PHONE, WAN, packetsOf, sideOf } from '../pure/compare/captures.ts';
import { request, session } from '../pure/compare/dialogue.ts';
import { recordedRouter } from '../routers.ts';
import { reportOf } from '../survey.ts';

interface Context {
  qjs: string;
  folder: string;
}

const INVITE = request('INVITE', { callId: 'a84b4c76e66710', body: session() });
const PACKETS = packetsOf([{ at: 0, text: INVITE, out: INVITE.split(PHONE).join(WAN) }]);

const reports = suite<Context>('sipalg report');

reports.before(async (context) => {
  ({ QJS: context.qjs } = (await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href)) as { QJS: string });
  context.folder = mkdtempSync(join(tmpdir(), 'report-'));
  // Facts alone are judged by any build.
  const { facts } = await reportOf(recordedRouter('stock-alg-on'));
  writeFileSync(join(context.folder, 'facts.json'), JSON.stringify(facts));
  for (const outside of [false, true]) writeFileSync(join(context.folder, outside ? 'wan.pcap' : 'lan.pcap'), sideOf(PACKETS, outside));
});

reports.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

/** What both engines say, which is the same. */
function onBoth({ qjs }: Context, words: readonly string[], language: string): { status: number | null; stdout: string; stderr: string } {
  const run = (command: string, begin: readonly string[]) => {
    const env = { ...process.env, LC_ALL: '', LC_MESSAGES: '', LANG: language };
    const { error, status, stdout, stderr } = spawnSync(command, [...begin, ...words], { encoding: 'utf8', env, timeout: 60_000 });
    if (error !== undefined) throw error;
    return { status, stdout, stderr };
  };
  const onNode = run(process.execPath, ['dist/router/sipalg.mjs']);
  const onQuickjs = run(qjs, ['--no-unhandled-rejection', '-m', 'dist/router/sipalg.qjs.mjs']);
  assert.equal(onQuickjs, onNode, words.join(' '));
  return onNode;
}

reports('is the same on both, in English and in German, from facts that were saved', (context) => {
  const from = ['report', '--from', join(context.folder, 'facts.json')];
  const english = onBoth(context, from, 'C.UTF-8');
  assert.equal([english.status, english.stderr], [1, '']);
  assert.match(english.stdout, '**A SIP ALG rewrites calls on this router.**');
  const german = onBoth(context, from, 'de_DE.UTF-8');
  assert.match(german.stdout, '**Ein SIP-ALG schreibt auf diesem Router Gespräche um.**');
  assert.match(german.stdout, '## Der Router und seine Versionen');
});

reports('draws what two captures have shown, and writes a page', (context) => {
  const at = (name: string): string => join(context.folder, name);
  const given = ['report', '--from', at('facts.json'), '--compare', at('lan.pcap'), at('wan.pcap')];
  const { stdout } = onBoth(context, given, 'de_AT');
  assert.match(stdout, '## Nachrichten auf beiden Seiten des Routers');
  assert.match(stdout, '---- INVITE (SDP) ---->|*|---- INVITE (SDP) ---->| (1) geändert');
  onBoth(context, [...given, '-o', at('report.html')], 'de_AT');
  assert.match(readFileSync(at('report.html'), 'utf8'), /^<!DOCTYPE html>\n<html lang="de">[^]*<svg /);
});

reports('and every other command speaks the language of who is at the terminal', (context) => {
  const from = ['--from', join(context.folder, 'facts.json')];
  assert.match(onBoth(context, ['status', ...from], 'de_DE.UTF-8').stdout, 'Was es zurückbrächte:');
  assert.match(
    onBoth(context, ['plan', ...from], 'de').stdout.replace(/\s+/g, ' '),
    'Beide SIP-Module daran hindern, beim Start oder durch ein Paket geladen zu werden.',
  );
  assert.match(onBoth(context, ['stauts'], 'de_DE.UTF-8').stderr, 'sipalg kennt keinen Befehl „stauts“. Meinten Sie „status“?');
  assert.match(onBoth(context, ['status', '--from', '/nowhere'], 'fr_FR.UTF-8').stderr, 'There is no /nowhere');
  const json = onBoth(context, ['status', '--json', ...from], 'de_DE.UTF-8').stdout;
  assert.match(json, 'A SIP ALG rewrites calls on this router.', 'what programs read is English');
  assert.match(json, '"code"');
});

reports.run();
