/** What is said, by code: that it can be put into another language, all of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { planText } from '../../../src/cli/plan-text.ts';
import { voiceText } from '../../../src/cli/policy.ts';
import { statusText } from '../../../src/cli/text.ts';
import { viewOf } from '../../../src/page/model.ts';
import { begin, confirm, looked, planned } from '../../../src/page/state.ts';
import { wordsIn } from '../../../src/page/words.ts';
import { planAll, reportOn } from '../../../src/survey/report.ts';
import type { Report } from '../../../src/survey/survey.ts';
import type { Put } from '../../../src/words/english.ts';
import { reasonIn } from '../../../src/words/far-reasons.ts';
import { FORMS, putIn } from '../../../src/words/put.ts';
import { say } from '../../../src/words/say.ts';
import { chosen } from '../../../src/words/locale.ts';
import { speak } from '../../../src/words/speak.ts';
import { isTag } from '../../../src/words/tag.ts';
import { recordedRouter, routerNames } from '../../routers.ts';
import { createSurveyor } from '../../../src/survey/survey.ts';
import { surveyor, VERSION } from '../../survey.ts';
import { createVoice } from '../../../src/voice/voice.ts';

interface Collected {
  said(): { code: string; text: string; file: string }[];
  languages(): string[];
  catalogOf(language: string): string;
  byCode(po: string, which?: { page?: true }): [string, string][];
  wordsOf(language: string, which?: { page?: true }): [string, string][];
  plural(po: string): string;
  partOf(language: string, part: string): [string, string][];
  PARTS: readonly string[];
}

/** package/words.mjs finds the project by its own place, so it is loaded from there and not packed. */
const collected = () => import(pathToFileURL(join(process.cwd(), 'package/words.mjs')).href) as Promise<Collected>;

const sources = (): string[] =>
  (readdirSync('src', { recursive: true }) as string[]).filter((file) => file.endsWith('.ts')).map((file) => join('src', file));

const voice = createVoice(null);
/** A router on which the voice rules' file is missing. */
const BROKEN = 'policy-part-missing';
const broken = createSurveyor(VERSION, () => Promise.reject(new Error('no such file or directory (ENOENT)')));

const codes = suite('a code');

codes('stands for one sentence', async () => {
  const { said } = await collected();
  const known = new Map<string, string>();
  for (const { code, text, file } of said()) {
    assert.ok(!known.has(code) || known.get(code) === text, `${code} has another sentence in ${file}`);
    known.set(code, text);
  }
  assert.ok(known.size > 400);
});

codes('and its sentence stand in the source as they are, so that all of them are collected', async () => {
  const { said } = await collected();
  const written = sources()
    .filter((file) => file !== join('src', 'words', 'say.ts'))
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/(?<!\w)(?<!\w\.)say\(\s*'[a-z0-9-]+',\s*['"`]/g)].map(() => file));
  assert.is(said().length, written.length);
});

codes('of a finding is that of its sentence, or begins it', async () => {
  const { said } = await collected();
  const known = new Set(said().map(({ code }) => code));
  for (const name of routerNames())
    for (const { code, says } of (await reportAt(name)).verdict.findings) {
      assert.ok(known.has(says ?? code), `${code}: ${says}`);
      if (says !== undefined && code !== 'wish-problem')
        assert.ok(says.startsWith(`${code}-`) || /^lacking-/.test(says), `${code}: ${says}`);
    }
});

const reports = new Map<string, Promise<Report>>();
function reportAt(name: string): Promise<Report> {
  const known =
    reports.get(name) ?? (name === BROKEN ? broken : surveyor).look(recordedRouter(name)).then((facts) => reportOn(VERSION, facts, voice));
  reports.set(name, known);
  return known;
}

/** Everything of a router that a person reads: status, plans, voice rules, and the page with its plan shown. */
function everything(report: Report, put: Put, translate: (key: string) => string): string[] {
  const { facts } = report;
  const plans = [report.plan, ...(['disabled', 'enabled'] as const).map((towards) => planAll(facts, voice, towards, true))];
  const words = wordsIn(translate);
  const reply = { ...report, now: { running: null, pending: [], age: 0, last: null } };
  const state = looked(begin({ read: true, write: true }), reply, 0);
  const views = plans.map((plan) => viewOf(planned(confirm(state, 'disabled'), 'disabled', { ...reply, plan }), words));
  return [
    // In lines of any length: a sentence is looked at as a whole.
    statusText(report, put, Infinity),
    ...plans.map((plan) => planText(plan, put, Infinity)),
    ...(facts.policy.state === 'present' ? [voiceText(report, put, Infinity)] : []),
    ...views.map((view) => textsOf(view).join('\n')),
  ];
}

/** What is read of a view: all texts but names and tones. */
function textsOf(view: unknown, name = ''): string[] {
  if (typeof view === 'string') return ['name', 'tone', 'mood', 'towards', 'how', 'kind', 'tab'].includes(name) ? [] : [view];
  if (Array.isArray(view)) return view.flatMap((one) => textsOf(one, name === 'commands' ? 'name' : name));
  return typeof view === 'object' && view !== null && !('code' in view)
    ? Object.entries(view).flatMap(([key, value]) => textsOf(value, key))
    : [];
}

/** What is left outside of ⟦⟧, which hold what has been put into words. */
function outside(text: string): string {
  let depth = 0;
  let left = '';
  for (const char of text) {
    if (char === '⟦') depth++;
    else if (char === '⟧') depth--;
    else if (depth === 0) left += char;
  }
  assert.is(depth, 0, text);
  return left;
}

/** A rule, a command, a path, a line of a file: somebody else's text. */
const FOREIGN = [
  /^ *# /,
  /\b(ct helper|dport|iifname|ct state|meta l4proto|-A \w+|-j CT|--helper|udp dport)\b/,
  /^\s*(conntrack|\/proc\/net\/nf_conntrack|nft|iptables|ip6tables)\S*( |:)/,
  /^\s*blacklist |modules\.conf: blacklist/,
  /uci set /,
  / handle \d+$/,
];

/** Three words of prose in a row. */
const PROSE = /\b[A-Za-z]?[a-z]{2,} [a-z]{2,} [a-z]{2,}\b/;

/** What the kernel itself has logged (nf_conntrack_sip.c), and what tools have answered. */
const LOGGED =
  /cannot (parse|add|mangle|translate|send|parse)|not (found|permitted|understand)|invalid|failed|Operation|No such|command not found|Warning|expected|unexpected|syntax|permission|error|could not process/i;

const faces = suite('what a person reads');

for (const name of routerNames()) {
  faces(`${name}: holds no sentence that cannot be translated`, async () => {
    const { said } = await collected();
    const templates = new Map(said().map(({ code, text }) => [`sipalg ${code}`, text]));
    // Values stand outside the brackets, so that a sentence among them shows.
    const pseudo = (key: string): string => {
      if (key === 'sipalg plural') return key;
      const text = templates.get(key) ?? key;
      return `⟦${text.replace(/\{(\w+)\}/g, '⟧{$1}⟦').replace(/%s/g, '⟧%s⟦')}⟧`;
    };
    const lines = everything(await reportAt(name), putIn(pseudo, reasonIn), pseudo)
      .flatMap((text) => text.split('\n'))
      .filter((line) => !FOREIGN.some((foreign) => foreign.test(line)));
    const left = lines
      .map(outside)
      .filter((line) => !FOREIGN.some((foreign) => foreign.test(line)))
      .filter((line) => PROSE.test(line.replace(/"[^"]*"/g, '""')) && !LOGGED.test(line));
    assert.equal([...new Set(left)], []);
  });
}

/** What English is made of and German is not; commands and names of options stand in quotes or backticks. */
const ENGLISH_WORDS =
  /(?<!\p{L})(the|is|are|of|and|not|which|with|cannot|could|this|that|there|from|were|does|has|have|be|by|for|it|no|or|to|would|where)(?!\p{L})/u;
const QUOTED = /--\w+|`[^`]*`|"[^"]*"|\{[^}:]*\}|\([^)]*(?:DATEI|FILE)[^)]*\)/g;

const german = suite('German');

german('has every sentence that there is, each with the values of the English one', async () => {
  const { said, catalogOf, byCode } = await collected();
  const catalog = new Map(byCode(catalogOf('de')));
  const valuesOf = (text: string): string[] => [...new Set([...text.matchAll(/\{(\w+)/g)].map(([, name = '']) => name))].sort();
  for (const { code, text } of said()) {
    const translation = catalog.get(`sipalg ${code}`);
    assert.ok(translation !== undefined, `${code} is not translated: ${text}`);
    // A form may name its count or not.
    assert.equal(valuesOf(translation), valuesOf(text), code);
  }
});

german("is in the program's package all of it, the page's own sentences among it", async () => {
  const { partOf, wordsOf, PARTS } = await collected();
  const byKey = (words: [string, string][]): [string, string][] => [...new Map(words)].sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = PARTS.map((part) => partOf('de', part));
  assert.equal(byKey(parts.flat()), byKey(wordsOf('de')));
  const [, , page = []] = parts;
  assert.is(new Map(page).get('Switch'), 'Schalter');
});

german('is German', async () => {
  const { catalogOf, wordsOf } = await collected();
  assert.match(catalogOf('de'), 'Plural-Forms: nplurals=2; plural=(n != 1);');
  const english = wordsOf('de').filter(([, text]) => ENGLISH_WORDS.test(text.replace(QUOTED, '')));
  assert.equal(english, []);
});

german('of how a command is called fits a terminal as it is written: folded, its lines would be ragged', async () => {
  const { wordsOf } = await collected();
  const usages = wordsOf('de').filter(([key]) => /^sipalg (usage-(?!diagnose)|report-usage)/.test(key));
  assert.ok(usages.length > 5);
  assert.equal(
    usages.flatMap(([, text]) => text.split('\n')).filter((line) => line.length > 80),
    [],
  );
});

german('is put together as a person would: forms of words, lists, sentences in sentences, reasons', async () => {
  const { wordsOf } = await collected();
  const catalog = new Map(wordsOf('de'));
  const put = putIn((key) => catalog.get(key) ?? key, reasonIn);
  const rules = (count: number): string => put(say('nft-assignment', '-', { rules: count }));
  assert.is(rules(1), 'nftables stellt Verbindungen mit 1 Regel unter den SIP-Helfer.');
  assert.is(rules(4), 'nftables stellt Verbindungen mit 4 Regeln unter den SIP-Helfer.');
  assert.is(put(say('list', '{names}', { names: ['a', 'b', 'c'] })), 'a, b und c');
  assert.is(
    put(say('alg-unread', '-', { source: '/proc/x', because: 'permission denied; run as root (EACCES)' })),
    '/proc/x war nicht lesbar: Zugriff verweigert; als root aufrufen (EACCES).',
  );
  assert.is(
    put(say('failed-step', '-', { step: say('step-unload', 'Unload {module}.', { module: 'x' }), because: 'it was broken off' })),
    'x entladen. Das hat nicht funktioniert: es wurde abgebrochen.',
  );
  assert.is(put({ code: 'of another version', text: 'As it came.' }), 'As it came.');
  assert.is(put(undefined, '-A PREROUTING'), '-A PREROUTING');
});

german('on the page says what a field is for as a person would', async () => {
  const { wordsOf } = await collected();
  const catalog = new Map(wordsOf('de', { page: true }));
  const words = wordsIn((key) => catalog.get(key) ?? key);
  assert.equal(
    [words.form.fields.provider_inbound, words.form.choices.disabled, words.enable],
    ['Darf Anrufe aufbauen', 'ausgeschaltet halten', 'Vorherigen Zustand wiederherstellen (ALG an) ...'],
  );
});

const locales = suite('the language of a terminal');

const THERE = ['bn_BD', 'de', 'nb_NO', 'pt', 'pt_BR', 'sr_Latn', 'zh_Hans', 'zh_Hant'];

locales('is asked for as POSIX, browsers and LuCI have it: by region, else without, else another region, never in another script', () => {
  for (const [asked, there, found] of [
    ['de_DE.UTF-8', THERE, 'de'],
    ['de_AT.UTF-8@euro', THERE, 'de'],
    ['de_AT', ['de', 'de_AT'], 'de_AT'],
    ['de-AT-u-co-phonebk', ['de', 'de_AT'], 'de_AT'],
    ['pt_BR', THERE, 'pt_BR'],
    ['pt-br', THERE, 'pt_BR'],
    ['pt-PT', THERE, 'pt'],
    ['pt', ['pt_BR'], 'pt_BR'],
    ['nb', THERE, 'nb_NO'],
    ['no_NO.UTF-8', THERE, 'nb_NO'],
    ['bn', THERE, 'bn_BD'],
    ['bn-IN', THERE, 'bn_BD'],
    ['zh_CN.UTF-8', THERE, 'zh_Hans'],
    ['zh-cn', THERE, 'zh_Hans'],
    ['zh', THERE, 'zh_Hans'],
    ['zh-SG', THERE, 'zh_Hans'],
    ['zh-TW', THERE, 'zh_Hant'],
    ['zh_HK.UTF-8', THERE, 'zh_Hant'],
    ['zh-Hant-HK', THERE, 'zh_Hant'],
    ['zh_TW', ['zh_Hans'], undefined],
    ['sr', THERE, undefined],
    ['sr-Latn-RS', THERE, 'sr_Latn'],
    ['fr_FR', THERE, undefined],
    ['de_DE', [], undefined],
    ['del', THERE, undefined],
  ] as const)
    assert.is(chosen(asked, there), found, `${asked} of ${there.join(' ')}`);
  for (const locale of ['en_GB.UTF-8', 'en', 'en-US', 'C', 'C.UTF-8', 'POSIX', '', '../../etc']) assert.is(chosen(locale, THERE), null, locale);
  for (const name of [...THERE, 'zh-Hant-TW', 'es_419']) assert.ok(isTag(name), name);
  for (const name of ['', 'german', 'de_', 'de; x', 'de_DE.UTF-8', '../de', 'zh_Hant_TW_x']) assert.not(isTag(name), name);
});

locales('is English where it is not there or cannot be loaded, and nothing is loaded for English', async () => {
  const text = say('alg-off', 'No SIP ALG.');
  const part = (words: Record<string, string>) => async () => ({ default: words });
  const never = (): never => {
    throw new Error('It was loaded.');
  };
  const plain = part({ 'sipalg alg-off': 'Kein SIP-ALG.' });
  const german = { de: { plain, calls: never, page: never } };
  assert.is((await speak('de_CH.UTF-8', async () => german, false))(text), 'Kein SIP-ALG.');
  assert.is((await speak('fr_FR.UTF-8', async () => german, false))(text), 'No SIP ALG.');
  assert.is((await speak('de_DE', () => Promise.reject(new Error('gone')), true))(text), 'No SIP ALG.');
  for (const locale of ['', 'C', 'en_US.UTF-8']) assert.is((await speak(locale, never, true))(text), 'No SIP ALG.');
  // What is said of calls is loaded where it is asked for alone.
  const ring = say('told-rings', 'rings');
  const whole = { de: { plain, calls: part({ 'sipalg told-rings': 'klingelt' }), page: never } };
  const put = await speak('de', async () => whole, true);
  assert.equal([put(text), put(ring)], ['Kein SIP-ALG.', 'klingelt']);
  // A router without the package of a language has no file of it.
  assert.is(
    (await speak('de', async () => ({ de: { plain: () => Promise.reject(new Error('gone')), calls: never, page: never } }), false))(text),
    'No SIP ALG.',
  );
});

const languages = suite('another language');

languages('is one .po file: its sentences, by their codes, with the forms of its header', async () => {
  const { byCode, plural } = await collected();
  const po =
    'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"\n\n'
    + 'msgid "nftables puts flows under the SIP helper in {rules} {rules:rule|rules}."\nmsgstr "nft: {rules} {rules:regula|reguly|regul}"\n\n'
    + 'msgid "Not translated."\nmsgstr ""\n';
  assert.ok(plural(po) in FORMS);
  const catalog = new Map(byCode(po));
  assert.equal([...catalog.keys()].sort(), ['sipalg nft-assignment', 'sipalg plural']);
  const put = putIn((key) => catalog.get(key) ?? key, reasonIn);
  assert.equal(
    [1, 2, 5, 12, 22].map((rules) => put(say('nft-assignment', 'English', { rules }))),
    ['nft: 1 regula', 'nft: 2 reguly', 'nft: 5 regul', 'nft: 12 regul', 'nft: 22 reguly'],
  );
});

languages('has a header whose forms are known', async () => {
  const { languages: all, catalogOf, plural } = await collected();
  for (const name of all()) assert.ok(plural(catalogOf(name)) in FORMS, `${name}: ${plural(catalogOf(name))}`);
});

codes.run();
faces.run();
german.run();
locales.run();
languages.run();
