/** `sipalg diagnose` as it is typed: words, JSON, saved documents, exit codes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readdirSync } from 'node:fs';
import { cli } from '../../../src/cli/cli.ts';
import type { Reading } from '../../../src/host/host.ts';
import { calls, facts, flows, signalling } from '../diagnose/made.ts';
import { recordedRouter, ROUTERS } from '../../routers.ts';
import { surveyor, VERSION } from '../../survey.ts';

const diagnosing = suite('sipalg diagnose');

const routers = (): string[] =>
  readdirSync(ROUTERS, { withFileTypes: true }).flatMap((one) => (one.isDirectory() && one.name !== 'bases' ? [one.name] : []));

async function typed(words: readonly string[], document: string): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const input: Reading<string> = { state: 'present', source: 'standard input', value: document };
  const code = await cli(
    words,
    { host: recordedRouter('stock-alg-absent'), surveyor },
    { out: (text) => (out += text), err: (text) => (err += text), input: async () => input, goOn: () => true },
  );
  return { code, out, err };
}

const saved = async (change: Parameters<typeof calls>[0] = {}): Promise<string> =>
  JSON.stringify({ version: VERSION, facts: await facts({ calls: calls(change) }) });

const SILENT = { flows: flows([signalling({ left: 5, flags: [] })]) };

diagnosing('judges a saved document, found and not found', async () => {
  const bad = await typed(['diagnose', '--from', '-'], await saved(SILENT));
  assert.equal([bad.code, bad.err], [1, '']);
  assert.match(bad.out, /^Found on this router, worst first:\n {2}! The router forgets a phone before it speaks again/);
  assert.match(bad.out, /\n {6}Fix: `uci set sipalg\.main\.policy=1 && uci commit sipalg && \/etc\/init\.d\/sipalg reload`\n/);
  assert.match(bad.out, /\nCannot be known from here, and what would tell:\n {2}\? /);
  assert.match(bad.out, /\nRuled out:\n {2}- /);
  assert.match(bad.out, /\nPhones that signal now:\n {2}udp 192\.168\.1\.10:5060 -> 198\.51\.100\.5:5060, 5 s left/);
  const good = await typed(['diagnose', '--from', '-'], await saved());
  assert.is(good.code, 0);
  assert.match(good.out, /^No cause was found on this router\.\n/);
});

diagnosing('says each thing once, in lines that fit a terminal, of every recorded router', async () => {
  for (const name of routers()) {
    const look = await surveyor.look(recordedRouter(name));
    for (const ask of ['', 'no-audio', 'choppy']) {
      const document = JSON.stringify({ version: VERSION, facts: { ...look, calls: calls({ flows: flows([]) }) } });
      const { out, err } = await typed(['diagnose', ...(ask === '' ? [] : [ask]), '--from', '-'], document);
      assert.is(err, '', name);
      const lines = out.trimEnd().split('\n');
      // What is to be copied stays whole: a command, an address of the web.
      const wide = lines.filter((line) => line.length > 80 && !/Fix: `|https?:|^ {6}(nft|udp|tcp) /.test(line));
      assert.equal(wide, [], name);
      const heads = lines.filter((line) => /^ {2}[!?-] /.test(line));
      assert.equal(heads, [...new Set(heads)], name);
      assert.ok(lines.length <= 150, `${name}: ${lines.length} lines`);
    }
  }
});

diagnosing('tells what one observation would tell together, and what mends all vulnerabilities once', async () => {
  const { out } = await typed(['diagnose', '--from', '-'], await saved({ flows: flows([]) }));
  assert.match(
    out,
    new RegExp(
      '\\n {2}\\? look while a call runs: `sipalg diagnose one-way-audio`\\n {6}It tells of rule-drops-audio-in, audio-from-elsewhere,\\n' +
        ' {6}audio-waits-for-phone, audio-lost-upstream, sdp-private and audio-stalls\\.\\n',
    ),
  );
  assert.match(
    out,
    /\n {2}- message-too-large, fragments-lost-out: no phone sends messages of more than\n {4}1500 bytes that stay unanswered\.\n/,
  );
  const whole = await surveyor.look(recordedRouter('stock-alg-on'));
  const on = await typed(['diagnose', '--from', '-'], JSON.stringify({ version: VERSION, facts: { ...whole, calls: calls() } }));
  assert.is(on.out.split('later have the fix').length, 2);
  assert.match(
    on.out,
    /\n {2}! Kernel 6\.6\.110 has 7 known vulnerabilities of the helper; the helper is on:\n {6}- CVE-2026-31414 \(CVSS 9\.8, /,
  );
  assert.match(on.out, /`sipalg disable` at once; kernel 6\.6\.151 and later have the fix; none of/);
});

diagnosing('takes a symptom in one word, in many, and quoted', async () => {
  for (const words of [['not-received'], ['calls', 'are', 'not', 'received'], ['calls are not received']]) {
    const { out, code } = await typed(['diagnose', ...words, '--from', '-'], await saved(SILENT));
    assert.match(out, /^Asked: calls are not received\.\nFound on this router:\n/);
    assert.is(code, 1);
  }
  const { out } = await typed(['diagnose', 'drops', 'after', '32', 'seconds', '--from', '-'], await saved());
  assert.match(out, /^Asked: calls drop after a set time\.\n32 s is 64 x T1/);
});

diagnosing('prints JSON that it judges again to the same', async () => {
  const first = await typed(['diagnose', 'no-audio', '--json', '--from', '-'], await saved(SILENT));
  const again = await typed(['diagnose', 'no-audio', '--json', '--from', '-'], first.out);
  assert.is(again.out, first.out);
  const { diagnosis, facts: whole } = JSON.parse(first.out) as { diagnosis: { asked: unknown }; facts: { calls: unknown } };
  assert.equal(diagnosis.asked, { text: 'no-audio', symptoms: ['no-audio'], seconds: null });
  assert.ok(whole.calls !== undefined);
});

diagnosing('says of another document what it lacks, and how to save one', async () => {
  const { calls: _, ...plain } = await facts();
  const old = await typed(['diagnose', '--from', '-'], JSON.stringify({ version: VERSION, facts: plain }));
  assert.is(old.code, 2);
  assert.match(old.err, /standard input holds nothing of calls: .* save one with `sipalg diagnose --json > FILE` on the router\.\n$/);
  const text = (await saved()).replace('"routes"', '"roots"');
  assert.match((await typed(['diagnose', '--from', '-'], text)).err, /the facts lack "calls\.routes"/);
  // What a diagnosis has saved is a look like any other.
  assert.is((await typed(['status', '--from', '-'], await saved())).code, 0);
});

diagnosing('refuses what is no symptom, and helps', async () => {
  const { code, err } = await typed(['diagnose', 'foo', '--from', '-'], await saved());
  assert.is(code, 2);
  assert.match(err, /^sipalg: "foo" is no symptom that is known here\. Symptoms are drops-after-time, /);
  assert.match((await typed(['diagnose', '--jsn'], '')).err, /knows no "--jsn"\. Did you mean "--json"\?/);
  const { out } = await typed(['diagnose', '--help'], '');
  assert.match(out, /^usage: sipalg diagnose \[SYMPTOM\]/);
  assert.match(out, /ghost-calls {7}ghost calls/);
  assert.match(out, /Exit codes: 0 no cause was found here; 1 at least one was; 2 trouble/);
  assert.match((await typed(['help'], '')).out, /\n {2}diagnose \[SYMPTOM\.\.\.\]/);
});

diagnosing.run();
