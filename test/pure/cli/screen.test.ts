/** What a person at a terminal sees beside the text: colours, columns, and a line while nothing else is said. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cli } from '../../../src/cli/cli.ts';
import type { Screen } from '../../../src/cli/command.ts';
import { folded, foldedText } from '../../../src/cli/fold.ts';
import { coloured, onScreen } from '../../../src/cli/screen.ts';
import type { Clock } from '../../../src/host/clock.ts';
import { english } from '../../../src/words/english.ts';
import { say } from '../../../src/words/say.ts';
import { surveyor } from '../../survey.ts';
import { recordedRouter, routerNames } from '../../routers.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { help, helpOf } from '../../../src/cli/help.ts';
import { planText } from '../../../src/cli/plan-text.ts';
import { voiceText } from '../../../src/cli/policy.ts';
import { statusText } from '../../../src/cli/text.ts';
import { reasonIn } from '../../../src/words/far-reasons.ts';
import { putIn } from '../../../src/words/put.ts';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** package/words.mjs finds the project by its own place, so it is loaded from there and not packed. */
const words = () =>
  import(pathToFileURL(join(process.cwd(), 'package/words.mjs')).href) as Promise<{ wordsOf(language: string): [string, string][] }>;

const TERMINAL: Screen = { out: true, err: true, columns: 120, kind: 'xterm', noColour: false };

/** A clock that a hand moves. */
function byHand(): Clock & { pass(milliseconds: number): void } {
  let now = 0;
  let due: { at: number; task: () => void }[] = [];
  return {
    now: () => now,
    after(milliseconds, task) {
      const one = { at: now + milliseconds, task };
      due.push(one);
      return () => (due = due.filter((other) => other !== one));
    },
    pass(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const next = due.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
        if (next === undefined) break;
        due = due.filter((one) => one !== next);
        now = next.at;
        next.task();
      }
      now = end;
    },
  };
}

const screens = suite('a terminal');

async function status(screen?: Screen): Promise<string> {
  let said = '';
  const streams = { out: (text: string) => (said += text), err: (text: string) => (said += text) };
  const input = async () => ({ state: 'absent', source: 'standard input' }) as const;
  await cli(['status'], { host: recordedRouter('stock-alg-on'), surveyor }, { ...streams, input, goOn: () => true }, '', screen);
  return said;
}

screens('is coloured by signs alone, and only where it is one that its owner wants coloured', async () => {
  const plain = await status();
  assert.not.match(plain, '\x1b');
  const seen = await status(TERMINAL);
  assert.match(seen, '  \x1b[1;31m!\x1b[0m nftables puts flows under the SIP helper in 1 rule.\n');
  assert.match(seen, '  \x1b[33m*\x1b[0m Without the ALG');
  for (const screen of [
    { ...TERMINAL, noColour: true },
    { ...TERMINAL, kind: 'dumb' },
    { ...TERMINAL, out: false },
  ])
    assert.not.match(await status(screen), '\x1b');
  // The words are the same.
  assert.is(seen.replaceAll(/\x1b\[[\d;]*m/g, ''), await status({ ...TERMINAL, noColour: true }));
  assert.is(coloured('[#] rmmod nf_nat_sip\nno ! sign\n'), '\x1b[2m[#]\x1b[0m rmmod nf_nat_sip\nno ! sign\n');
});

screens('shows what is being done after two seconds of silence, and takes it away again', () => {
  const clock = byHand();
  let err = '';
  const given = { out: (text: string) => void (err += `<${text}>`), err: (text: string) => void (err += text) };
  const screen = onScreen(given, { ...TERMINAL, columns: 50 }, clock, english);
  clock.pass(1900);
  assert.is(err, '');
  clock.pass(1100);
  assert.is(err, '\rstill working (2 s)\rstill working (3 s)');
  err = '';
  screen.out('done\n');
  assert.is(err, `\r${' '.repeat(19)}\r<done\n>`);
  screen.progress(say('probing-asking', 'asking {host} over UDP, TCP and TLS ...', { host: 'sip.example.com.example.com' }));
  err = '';
  clock.pass(2000);
  assert.is(err, `\r${'asking sip.example.com.example.com over UDP, TCP and TLS ...'.slice(0, 49)}`);
  err = '';
  screen.progress(null);
  clock.pass(5000);
  assert.is(err, `\r${' '.repeat(49)}\r`);
  screen.end();
  err = '';
  clock.pass(9000);
  assert.is(err, '');
});

screens('shows no such line where standard error is none', () => {
  const clock = byHand();
  for (const screen of [
    { ...TERMINAL, err: false },
    { ...TERMINAL, kind: 'dumb' },
  ]) {
    let err = '';
    onScreen({ out: () => undefined, err: (text) => void (err += text) }, screen, clock, english);
    clock.pass(9000);
    assert.is(err, '');
  }
});

screens('gets lines of its width, and words stand under words', () => {
  assert.is(folded('  ! one two three', 12), '  ! one two\n    three');
  assert.is(folded('      one two three', 14), '      one two\n      three');
  assert.is(folded('one averyverylongword two', 8), 'one\naveryverylongword\ntwo');
  assert.is(folded('14:00:00  phone  rings and rings', 24, 10), '14:00:00  phone  rings\n          and rings');
  assert.is(foldedText('a b\n\nc d\n', 2), 'a\nb\n\nc\nd\n');
});

/** Of a line that is too wide, what may be: a rule, a command or a path, to be copied as it is, or one word. */
const WHOLE =
  /^ *(# |\[#\]|(ip |inet|nft|nftables|iptables|ip6tables|conntrack|include:|zone |firewall\.@|\/\S+:|audio:|video:|signalling:|-A |\/proc\/|\/etc\/)|\S+$)|`[^`]{40,}`/;

for (const locale of ['C', 'de_DE.UTF-8'])
  screens(`is never wider than 80 columns, whatever router it is (${locale})`, async () => {
    const wide: string[] = [];
    const german = new Map((await words()).wordsOf('de'));
    const put = locale === 'C' ? english : putIn((key) => german.get(key) ?? key, reasonIn);
    for (const name of routerNames()) {
      const report = await surveyor.report(await surveyor.look(recordedRouter(name)));
      const texts = [statusText(report, put), planText(report.plan, put)];
      if (report.facts.policy.state === 'present') texts.push(voiceText(report, put));
      for (const line of texts.join('').split('\n')) if (line.length > 80 && !WHOLE.test(line)) wide.push(`${name}: ${line}`);
    }
    for (const line of (help(COMMANDS, put) + (await Promise.all(COMMANDS.map((one) => helpOf(one, put)))).join('')).split('\n'))
      if (line.length > 80) wide.push(line);
    assert.equal([...new Set(wide)], []);
  });

screens.run();
