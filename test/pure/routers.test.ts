/**
 * Every recorded router, the whole way: what is seen of it, the verdict, the
 * plan, the exit code and the words. What is expected lies beside each router and
 * is written anew with UPDATE=1, to be read line by line before it is believed.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cli } from '../../src/cli/cli.ts';
import { statusText } from '../../src/cli/text.ts';
import { planText } from '../../src/cli/plan-text.ts';
import type { Host } from '../../src/host/host.ts';
import { FINDINGS } from '../../src/judge/findings.ts';
import { judge } from '../../src/judge/judge.ts';
import { createSurveyor } from '../../src/survey/survey.ts';
import { planAll, reportOn } from '../../src/survey/report.ts';
import type { Surveyor } from '../../src/survey/survey.ts';
import type { Plan } from '../../src/plan/step.ts';
import { createVoice } from '../../src/voice/voice.ts';
import { recordedRouter, ROUTERS, routerNames, Unanswered } from '../routers.ts';
import { chosen, planWithoutWords, sentences, verdictWithoutWords, WORDS } from '../words.ts';
import type { Words } from '../words.ts';

const VERSION = '0.0.0-test';
const voice = createVoice(null);
/** A router on which the voice rules' file is missing. */
const BROKEN = 'policy-part-missing';
const whole = createSurveyor(VERSION, async () => voice);
const broken = createSurveyor(VERSION, () => Promise.reject(new Error('this program was put together without it')));
const surveyorOf = (name: string): Surveyor => (name === BROKEN ? broken : whole);
const observe = (host: Host, name = ''): ReturnType<Surveyor['look']> => surveyorOf(name).look(host);
const UPDATE = process.env['UPDATE'] === '1';

/** Routers whose words are held too, beside what they mean. */
const IN_WORDS = ['stock-alg-on', 'user-include', 'openwrt-stock', 'not-root'];

/** What each router says: the codes, and the sentence under each. */
const said = new Map<string, [code: string, text: string][]>();

function expected(name: string, file: string, text: string): void {
  const path = join(ROUTERS, name, 'expected', file);
  if (UPDATE) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  assert.ok(existsSync(path), `${path} is not there: run UPDATE=1 npm test -- routers.test, then read what it wrote`);
  assert.fixture(text, readFileSync(path, 'utf8'), path);
}

const json = (value: unknown): string => JSON.stringify(value, null, 2) + '\n';

/** Makes every change of a value an error. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

async function look(name: string) {
  const host = recordedRouter(name);
  const facts = frozen(await observe(host, name));
  assert.equal(host.unanswered, []);
  return { host, facts };
}

async function say(words: string[], host: Host, surveyor = whole): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await cli(
    words,
    { host, surveyor },
    {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      input: async () => ({ state: 'absent', source: 'standard input' }),
      goOn: () => true,
    },
  );
  return { code, out, err };
}

const routers = suite('recorded routers');

for (const name of routerNames()) {
  routers(`${name}: verdict, plan and exit code are what is expected`, async () => {
    const { facts } = await look(name);
    const report = reportOn(VERSION, facts, voice);
    const plans = (['disabled', 'enabled'] as const).map((towards) => planAll(facts, voice, towards, true));
    said.set(name, sentences(report.verdict, plans));
    expected(name, 'verdict.json', json(verdictWithoutWords(report.verdict)));
    expected(name, 'plan-disable.json', json(planWithoutWords(plans[0] as Plan)));
    if (facts.journal.state === 'present') expected(name, 'plan-enable.json', json(planWithoutWords(plans[1] as Plan)));
    const status = await say(['status'], recordedRouter(name), surveyorOf(name));
    assert.is(status.err, '');
    assert.is(status.out, statusText(report));
    expected(name, 'exit.txt', `${status.code}\n`);
    if (!IN_WORDS.includes(name)) return;
    expected(name, 'status.txt', status.out);
    expected(name, 'plan.txt', planText(report.plan));
  });

  routers(`${name}: judging and planning change nothing, and come to the same from saved facts`, async () => {
    const { facts } = await look(name);
    const before = JSON.stringify(facts);
    for (const towards of ['disabled', 'enabled'] as const) {
      // Facts are plain JSON: what was saved on a router and is read elsewhere gives the same plan.
      assert.is(JSON.stringify(planAll(JSON.parse(before), voice, towards, true)), JSON.stringify(planAll(facts, voice, towards, true)));
    }
    assert.is(JSON.stringify(judge(JSON.parse(before))), JSON.stringify(judge(facts)));
    assert.is(JSON.stringify(facts), before);
    assert.is(JSON.stringify((await look(name)).facts), before);
  });

  routers(`${name}: a dry run shows the commands of the plan and changes nothing`, async () => {
    const { facts } = await look(name);
    for (const [word, towards] of [
      ['disable', 'disabled'],
      ['enable', 'enabled'],
    ] as const) {
      const planned = planAll(facts, voice, towards, true);
      const host = recordedRouter(name);
      const said = await say([word, '--dry-run'], host, surveyorOf(name));
      assert.is(said.err, facts.wish.problems.map(({ text }) => `sipalg: ${text}\n`).join(''));
      assert.equal(host.unanswered, []);
      const commands = planned.steps.flatMap((step) => step.commands);
      if (planned.refused.length === 0) assert.is(said.out, commands.map((command) => `[#] ${command}\n`).join(''));
      else assert.is(said.code, 2);
      for (const command of commands) assert.not.match(command, /[\n\r]/);
    }
  });

  routers(`${name}: says where it comes from`, () => {
    assert.ok(
      existsSync(join(ROUTERS, name, 'README.md')),
      `${ROUTERS}/${name}/README.md is not there: say what router this is and where its texts come from`,
    );
    const known = ['verdict.json', 'plan-disable.json', 'plan-enable.json', 'exit.txt', 'status.txt', 'plan.txt'];
    assert.equal(
      readdirSync(join(ROUTERS, name, 'expected')).filter((file) => !known.includes(file)),
      [],
    );
  });
}

routers.run();

const doors = suite('a router in a folder');

doors('names the file to create for what nobody recorded', async () => {
  const host = recordedRouter('stock-alg-on');
  const complaint = async (ask: () => Promise<unknown>): Promise<string> => {
    try {
      await ask();
    } catch (error) {
      assert.instance(error, Unanswered);
      return (error as Error).message;
    }
    throw new Error('It answered.');
  };
  assert.match(await complaint(() => host.run(['ip', '-j', 'route'])), 'create test/fixtures/routers/stock-alg-on/run/ip_-j_route.txt');
  assert.match(await complaint(() => host.run(['gzip', '-cd', '/proc/config.gz'])), 'run/gzip_-cd_%proc%config.gz.txt');
  assert.match(await complaint(() => host.read('/srv/music/list')), 'create test/fixtures/routers/stock-alg-on/root/srv/music/list');
  assert.match(await complaint(() => host.kind('/var')), 'or write /var');
  for (const change of [
    () => host.write('/etc/x', ''),
    () => host.remove('/etc/x'),
    () => host.poke('/proc/x', ''),
    () => host.lock('/x', 1, ''),
    () => host.run(['nft', '-f', '-'], { input: 'flush ruleset' }),
  ]) {
    assert.match(await complaint(change), 'cannot be changed');
  }
  assert.is(host.unanswered.length, 9);
});

doors('tells what is absent, what is denied and what is there', async () => {
  const host = recordedRouter('not-root');
  assert.equal(await host.read('/etc/firewall.user'), { state: 'absent', source: '/etc/firewall.user' });
  assert.equal(await host.run(['conntrack', '-L']), { state: 'absent', command: 'conntrack -L' });
  const flows = await host.read('/proc/net/nf_conntrack');
  assert.is(flows.state, 'failed');
  const nft = await host.run(['nft', '-j', '-t', 'list', 'ruleset']);
  assert.is(nft.state === 'exited' && nft.code, 1);
  assert.is(host.process().uid, 1000);
  assert.equal(await host.read('/proc/sys/kernel/osrelease'), {
    state: 'present',
    value: '6.6.110\n',
    source: '/proc/sys/kernel/osrelease',
  });
  assert.is((await host.read('/etc')).state, 'failed');
  assert.equal(await host.list('/etc/modules-boot.d'), { state: 'present', value: [], source: '/etc/modules-boot.d' });
  const split = recordedRouter('openwrt-25.12-split');
  assert.equal(await split.list('/etc/modules.d'), {
    state: 'present',
    value: ['nf-conntrack', 'nf-nathelper', 'nf-nathelper-sip'],
    source: '/etc/modules.d',
  });
  assert.equal(await split.kind('/bin/opkg'), { state: 'absent', source: '/bin/opkg' });
  assert.equal(await split.kind('/sbin/fw4'), { state: 'present', value: 'file', source: '/sbin/fw4' });
});

doors('honours the limits and the selection of a reading', async () => {
  const host = recordedRouter('stock-alg-on');
  const few = await host.read('/proc/modules', { select: { holding: ['nf_nat_sip'] } });
  assert.is(few.state === 'present' && few.value.split('\n').length, 4);
  const short = await host.read('/proc/modules', { most: 10 });
  assert.equal(short, { state: 'failed', source: '/proc/modules', because: 'it holds more than 10 bytes' });
  assert.is((await host.run(['dmesg'], { most: 10 })).state, 'failed');
});

doors.run();

const table = suite('the table of findings');

table('has each code once', () => {
  const all = FINDINGS.map(({ code }) => code);
  assert.equal(all, [...new Set(all)]);
});

table('has for each code a router that shows it', () => {
  const seen = new Set([...said.values()].flat().map(([code]) => code));
  assert.ok(FINDINGS.length > 20);
  assert.equal(
    FINDINGS.map(({ code }) => code).filter((code) => !seen.has(`finding ${code}`)),
    [],
  );
});

const words = suite('the words');

words('are, for each code, those expected of one router', () => {
  const known = existsSync(WORDS) ? (JSON.parse(readFileSync(WORDS, 'utf8')) as Words) : {};
  const wanted = chosen(known, said);
  if (UPDATE) writeFileSync(WORDS, json(wanted));
  assert.equal(known, wanted, `${WORDS}: run UPDATE=1 npm test -- routers.test, then read what it wrote`);
});

words('are there for all that can be said of a return and of a state', () => {
  const codes = new Set([...said.values()].flat().map(([code]) => code));
  for (const at of ['firewall reload', 'boot', 'package upgrade', 'sysupgrade']) assert.ok(codes.has(`return ${at}`), at);
  for (const state of ['rewriting', 'tracking', 'off', 'unknown']) {
    assert.ok(codes.has(`verdict ${state}`) || codes.has(`verdict ${state}, comes back`), state);
  }
});

words('are sentences', () => {
  const all = [...said.values()].flat();
  assert.ok(all.length > 300);
  for (const [code, text] of all) {
    if (/^(return|held) /.test(code)) assert.match(text, /^\S.*[^.]$/, code);
    else assert.match(text, /^\S.*[.?]$/, code);
  }
});

table.run();
words.run();
