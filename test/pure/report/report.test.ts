/** `sipalg report`: one document, the same for the same facts, that shows nothing of strangers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cli } from '../../../src/cli/cli.ts';
import { reportText } from '../../../src/cli/report.ts';
import type { Input } from '../../../src/report/document.ts';
import { bounded, bytesOf, FIRST, half } from '../../../src/report/bounded.ts';
import type { Most } from '../../../src/report/bounded.ts';
import { documentOf } from '../../../src/report/document.ts';
import { page as htmlPage } from '../../../src/cli/report-html.ts';
import { markdown } from '../../../src/cli/report-markdown.ts';
import { probeOf } from '../../../src/report/probe.ts';
import { redacting } from '../../../src/report/redact.ts';
import type { Report } from '../../../src/survey/survey.ts';
import { nothing } from '../../../src/probe/report.ts';
import { english, putLine } from '../../../src/words/english.ts';
import type { Put } from '../../../src/words/english.ts';
import { reasonIn } from '../../../src/words/far-reasons.ts';
import { published } from '../../../src/words/published.ts';
import { putIn } from '../../../src/words/put.ts';
import { say as said } from '../../../src/words/say.ts';
import type { Host, Reading } from '../../../src/host/host.ts';
import { recordedRouter, routerNames, Unanswered } from '../../routers.ts';
import { saying } from '../../saying.ts';
import { reportOf, surveyor, VERSION } from '../../survey.ts';
import { calls, facts as madeFacts, flows, signalling } from '../diagnose/made.ts';
import { PHONE, WAN, bothSides } from '../compare/captures.ts';
import { request, reply, session } from '../compare/dialogue.ts';

const german = async (): Promise<Put> => {
  const { wordsOf } = (await import(pathToFileURL(join(process.cwd(), 'package/words.mjs')).href)) as {
    wordsOf(language: string): [string, string][];
  };
  const catalog = new Map(wordsOf('de'));
  return putIn((key) => catalog.get(key) ?? key, reasonIn);
};

const alone = (report: Report): Input => ({ report, comparison: null, probe: null, more: [] });

const NUMBER = '+4930123456789';
const about = {
  callId: 'a-call@phone.example.org',
  more: [
    `Authorization: Digest username="${NUMBER}", realm="x", nonce="abc", response="0123456789abcdef0123456789abcdef"`,
    `P-Asserted-Identity: "Erika Mustermann" <sip:${NUMBER}@198.51.100.77>`,
  ],
};

/** A call of somebody to somebody, rewritten by an ALG. */
function comparison() {
  const alg = (text: string): string => text.split(PHONE).join(WAN);
  const invite = request('INVITE', { ...about, body: session() });
  return bothSides([
    { at: 0, text: invite, out: alg(invite) },
    { at: 1, text: reply('180 Ringing', 'INVITE', about), toProvider: false },
    { at: 2, text: reply('200 OK', 'INVITE', { ...about, body: session(WAN) }), toProvider: false },
  ]);
}

const PROBE = JSON.stringify({
  version: '0.1.0',
  verdict: 'rewritten here',
  because: null,
  alterations: [
    {
      field: 'Contact',
      part: 'URI host',
      toProvider: true,
      before: '192.168.1.250',
      after: '203.0.113.20',
      messages: ['REGISTER', 'INVITE'],
    },
  ],
  messages: [{ name: 'REGISTER', toProvider: true, fate: 'rewritten', differences: [] }],
  remarks: [],
});

const documents = suite('a document');

documents('is the same each time, of each router, as text and as a page, in both languages', async () => {
  const de = await german();
  for (const name of routerNames().filter((one) => one !== 'policy-part-missing')) {
    const report = await reportOf(recordedRouter(name));
    for (const html of [true, false])
      for (const put of [english, de]) {
        const text = reportText(alone(report), { html, whole: false }, put);
        assert.is(text, reportText(alone(JSON.parse(JSON.stringify(report))), { html, whole: false }, put), name);
        assert.ok(text.length > 800 && Buffer.byteLength(text) < 300_000, `${name}: ${text.length}`);
        assert.not.match(text, /undefined|\[object|NaN|\{\w+\}/);
      }
  }
});

documents('says what was found, done, when, and on which router', async () => {
  const text = reportText(alone(await reportOf(recordedRouter('disabled'))), { html: false, whole: false }, english);
  for (const part of [
    '## What was found',
    '**No SIP ALG touches calls on this router.**',
    '## What was done, and when',
    'The configuration says "disabled"',
    '/etc/modules.conf was edited.',
    '## Timeouts against intervals',
    '/proc/sys/net/netfilter/nf_conntrack_udp_timeout',
    '## The router, and versions',
  ])
    assert.match(text, part);
  assert.not.match(text, '## Messages on both sides');
  assert.not.match(text, '## Test messages');
  const de = reportText(alone(await reportOf(recordedRouter('disabled'))), { html: false, whole: false }, await german());
  for (const part of [
    '## Was gefunden wurde',
    '**Kein SIP-ALG greift',
    '/etc/modules.conf wurde bearbeitet.',
    '## Der Router und seine Versionen',
  ])
    assert.match(de, part);
});

documents('has what two captures and a probe have shown where they are given, and sections of others', async () => {
  const report = await reportOf(recordedRouter('stock-alg-on'));
  const more = [{ name: 'causes', title: { code: 'x', text: 'Causes' }, blocks: [{ is: 'text' as const, line: 'Found by others.' }] }];
  const input: Input = { report, comparison: comparison(), probe: probeOf(PROBE, 'probe.json'), more };
  const text = reportText(input, { html: false, whole: false }, english);
  assert.match(text, 'Messages of SIP are changed or lost between these two places.');
  assert.match(text, '---- INVITE (SDP) ---->|*|---- INVITE (SDP) ---->| (1) changed');
  assert.match(text, 'Test messages were rewritten on this router.');
  assert.match(text, '## Causes\n\nFound by others.');
  const html = reportText(input, { html: true, whole: false }, await german());
  assert.match(html, '<html lang="de">');
  assert.match(html, 'Ablauf eines Gesprächs: INVITE');
  assert.match(html, /<h3 id="call-1">Gespräch 1: INVITE /);
  assert.not.match(html, /<script|<link|src=|url\(|https?:/);
});

documents('says what a probe says beside its messages, in the language of its reader', async () => {
  const probe = published({
    ...nothing(said('ground-no-wan', 'no device of this router leads to the internet now, so nothing can leave by it')),
    messages: [
      { name: said('sent-invite-second', 'INVITE of a second phone, same RTP port'), toProvider: true, fate: 'dropped' },
      { name: 'INVITE', toProvider: true, fate: 'unchanged' },
    ],
    untested: [said('tcp-uncovered', 'TCP was not tested: no rule puts the SIP helper on it.')],
    remarks: ['Somebody else said so.', said('line-tunnel', 'Calls leave by a tunnel, and this test ends where they enter it.')],
    leftOver: [said('left-table', 'The table {table} could not be taken away: `{command}` does it.', { table: 'x', command: 'nft -f y' })],
  });
  const report = await reportOf(recordedRouter('stock-alg-on'));
  const written = (document: object, put: Put): string =>
    reportText({ ...alone(report), probe: probeOf(JSON.stringify(document), 'probe.json') }, { html: false, whole: true }, put);
  const de = written(probe, await german());
  const en = written(probe, english);
  for (const [own, other] of [
    ['gerade führt kein Gerät dieses Routers ins Internet', 'no device of this router leads to the internet now'],
    ['INVITE eines zweiten Telefons, gleicher RTP-Port', 'INVITE of a second phone, same RTP port'],
    ['TCP wurde nicht geprüft', 'TCP was not tested: no rule'],
    ['Gespräche gehen durch einen Tunnel hinaus', 'Calls leave by a tunnel'],
    ['Die Tabelle x ließ sich nicht entfernen: `nft -f y` erledigt es.', 'The table x could not be taken away: `nft -f y` does it.'],
    ['Somebody else said so.', 'Somebody else said so.'],
  ] as const) {
    assert.match(de, own);
    assert.match(en, other);
  }
  assert.not.match(de, /second phone|not tested|leave by|taken away|leads to/);
});

documents('takes a probe of another version at its texts, whatever stands beside them', async () => {
  const deep = { code: 'x', text: 'x', parameters: {} as object };
  for (let at = 0; at < 10; at++) deep.parameters = { inner: { ...deep } };
  for (const coded of [
    null,
    'no',
    { remarks: null },
    { remarks: { 0: null } },
    { remarks: { 0: { code: 7 } } },
    { remarks: { 0: { code: 'left-table', parameters: { table: null, command: 'x' } } } },
    { remarks: { 0: { code: 'left-table', parameters: { table: [[1]], command: 'x' } } } },
    { remarks: { 0: { code: 'left-table', parameters: 'x' } } },
    { remarks: { 0: { code: 'left-table', parameters: { table: deep } } } },
  ]) {
    const probe = probeOf(JSON.stringify({ verdict: 'unchanged', alterations: [], messages: [], remarks: ['As it was said.', 7], coded }), 'a');
    assert.equal(probe.remarks, ['As it was said.'], JSON.stringify(coded));
  }
});

const strangers = suite('what strangers need not see');

strangers('is not in a document: numbers, names, passwords, and addresses of others', async () => {
  const report = await reportOf(recordedRouter('voice-in-force'));
  const input: Input = { report, comparison: comparison(), probe: null, more: [] };
  for (const html of [true, false]) {
    const text = reportText(input, { html, whole: false }, english);
    for (const secret of [
      NUMBER,
      '30123456789',
      'Erika',
      'Mustermann',
      '198.51.100.77',
      'response="',
      '0123456789abcdef',
      'phone.example.org',
    ])
      assert.not.match(text, secret);
    const whole = reportText(input, { html, whole: true }, english);
    for (const secret of ['response="0', '0123456789abcdef0123456789abcdef']) assert.not.match(whole, secret);
  }
});

strangers('are addresses that are neither private, nor the router, nor its provider', async () => {
  const { facts } = await reportOf(recordedRouter('voice-in-force'));
  if (facts.policy.state !== 'present' || facts.wan.state !== 'present') throw new Error('no voice rules');
  const provider = { ...facts.policy.value.wish.providers[0]!, signalling: ['203.0.113.0/24'], media: [], hosts: [] };
  const { value } = facts.policy;
  const known = {
    ...facts,
    wan: { ...facts.wan, value: { ...facts.wan.value, addresses: [{ ...facts.wan.value.addresses[0]!, address: '192.0.2.44' }] } },
    policy: { ...facts.policy, value: { ...value, wish: { ...value.wish, providers: [provider] } } },
  } as typeof facts;
  const { text } = redacting(known, false);
  assert.is(text('192.168.1.10 to 192.0.2.44 to 203.0.113.0/24'), '192.168.1.10 to 192.0.2.44 to 203.0.113.0/24');
  assert.is(text('198.51.100.66:5060 and 2001:db8:bad::1, again 198.51.100.66'), 'address-1:5060 and address-2, again address-1');
  assert.is(text('comment "Oma 030 / 123 45 67"'), 'comment "Oma user-1"');
  assert.is(text('sip:0301234567@voip.example.net;transport=udp'), 'sip:user-2@host-1;transport=udp');
  assert.is(text('00:11:22:aa:bb:cc and 00:11:22:AA:BB:CC'), 'hardware-1 and hardware-1');
  assert.is(text('Proxy-Authorization: Digest username="x", response="y"'), 'Proxy-Authorization: [taken out]');
  assert.is(
    text('counter packets 18042000 bytes 99999999, handle 72, 2026-01-02 03:04:05 UTC'),
    'counter packets 18042000 bytes 99999999, handle 72, 2026-01-02 03:04:05 UTC',
  );
  assert.is(redacting(known, true).text('198.51.100.66 password="x" +49301234567'), '198.51.100.66 password=[taken out] +49301234567');
});

strangers('who tried are counted, and not named', async () => {
  const report = await reportOf(recordedRouter('voice-in-force'));
  const { policy } = report.facts;
  if (policy.state !== 'present' || policy.value.inForce.all.state !== 'present') throw new Error('no rules in force');
  const sources = policy.value.inForce.all.value.attempts.map(({ source }) => source);
  assert.ok(sources.length > 0);
  const text = reportText(alone(report), { html: false, whole: false }, english);
  assert.match(text, '| address-');
  for (const source of sources) assert.not.match(text, source);
  assert.match(reportText(alone(report), { html: false, whole: true }, english), sources[0] ?? '?');
});

const hostile = suite('text of anybody');

hostile('is no markup: not in a page, not in Markdown', async () => {
  for (const name of ['hostile-nft', 'hostile-iptables', 'hostile-nft-listing']) {
    const report = await reportOf(recordedRouter(name));
    const html = reportText(alone(report), { html: true, whole: true }, english);
    assert.not.match(html, /<(script|img|iframe|svg on)/i);
    const markdown = reportText(alone(report), { html: false, whole: true }, english);
    assert.not.match(markdown, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  }
  const report = await reportOf(recordedRouter('stock-alg-on'));
  const evil = '<img src=x onerror=alert(1)> | **x** `y` [z](http://a)';
  const input: Input = {
    ...alone(report),
    more: [
      {
        name: 'x',
        title: { code: 'x', text: evil },
        blocks: [{ is: 'table', name: { code: 'x', text: evil }, heads: [{ code: 'x', text: evil }], rows: [[evil]] }],
      },
    ],
  };
  assert.not.match(reportText(input, { html: true, whole: true }, english), '<img');
  assert.match(
    reportText(input, { html: false, whole: true }, english),
    '\\<img src=x onerror=alert(1)\\> \\| \\*\\*x\\*\\* `y` \\[z\\](http://a)',
  );
});

hostile('of a hundred thousand attempts and findings is bounded', async () => {
  const report = await reportOf(recordedRouter('voice-in-force'));
  const long = Array.from({ length: 200 }, (_, nth) => ({
    at: nth,
    text: request('INVITE', { callId: `call-${nth % 5}@x`, body: session() }),
    out: null,
  }));
  const input: Input = { ...alone(report), comparison: bothSides(long) };
  for (const html of [true, false]) assert.ok(Buffer.byteLength(reportText(input, { html, whole: false }, english)) < 300_000);
});

hostile('of a megabyte of facts is below 300 kB, says what it leaves out, and says the same as a page and as text', async () => {
  const report = await reportOf(recordedRouter('disabled'));
  const { journal } = report.facts;
  if (journal.state !== 'present') throw new Error('no journal');
  const settings = Array.from({ length: 300 }, (_, nth) => ({ type: 'zone', name: `zone${nth}`, option: `übrig_${nth}` }));
  const entry = { ...journal.value.taken.find(({ kind }) => kind === 'file'), settings } as never;
  const long = { ...report, facts: { ...report.facts, journal: { ...journal, value: { ...journal.value, taken: Array.from({ length: 300 }, () => entry) } } } };
  const findings = Array.from({ length: 600 }, (_, nth) => ({
    ...(report.verdict.findings[0] ?? { code: 'x', weight: 'note' as const, text: 'x', evidence: [] }),
    evidence: [`line ${nth}: ${'ä€\u{1f600}'.repeat(1500)}`],
  }));
  const input = alone({ ...long, verdict: { ...report.verdict, findings } });
  for (const put of [english, await german()]) {
    const [page, text] = [true, false].map((html) => reportText(input, { html, whole: false }, put)) as [string, string];
    for (const one of [page, text]) assert.ok(Buffer.byteLength(one) < 300_000, `${Buffer.byteLength(one)}`);
    const said = (one: string): string[] => [...one.matchAll(/(\d+) (?:more are left out|weitere Einträge sind hier)/g)].map(([all]) => all);
    for (const one of [page, text]) assert.ok(said(one).length >= 3, 'each list says what it leaves out');
    assert.match(page, put === english ? 'more characters are left out here' : 'weitere Zeichen sind hier weggelassen');
  }
  // Cut alike: whatever one says, the other says.
  const cut = bounded(documentOf(input), { ...FIRST, items: 3, evidence: 2, rows: 2 });
  const words = (text: string): string[] =>
    text
      .replace(/<style>[\s\S]*<\/style>|<nav[\s\S]*<\/nav>|<[^>]*>/g, ' ')
      .replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => ({ lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" })[name] ?? ' ')
      .replace(/[\\`*|#-]/g, ' ')
      .split(/\s+/)
      .filter((word) => word !== '');
  const write = (line: Parameters<typeof putLine>[1]): string => putLine(english, line);
  const about = { title: 'T', about: 'A', contents: 'C', language: 'en' };
  const lists = cut.map((section) => ({ ...section, blocks: section.blocks.filter((one) => one.is !== 'table') }));
  const [page, text] = [htmlPage(about, lists, write, english), markdown('T', 'A', lists, write, english)];
  assert.is(words(page.slice(page.indexOf('<main>'))).join('\n'), words(text.slice(text.indexOf('## '))).join('\n'));
});

hostile('of very many lines halves them until nothing is left to halve', () => {
  let [most, steps]: [Most | null, number] = [FIRST, 0];
  for (; most !== null; most = half(most)) steps += 1;
  assert.ok(steps < 16);
  assert.is(bytesOf('aä€\u{1f600}'), Buffer.byteLength('aä€\u{1f600}'));
});

const commands = suite('`sipalg report`');

/** Nobody has recorded what a diagnosis asks besides: on this router none of it is there. */
function lenient(host: Host): Host {
  const absent = <T>(answer: Promise<T>, otherwise: T): Promise<T> =>
    answer.catch((error: Error) => {
      if (error instanceof Unanswered) return otherwise;
      throw error;
    });
  return {
    ...host,
    read: (path, options) => absent(host.read(path, options), { state: 'absent', source: path }),
    list: (path) => absent(host.list(path), { state: 'absent', source: path }),
    kind: (path) => absent(host.kind(path), { state: 'absent', source: path }),
    run: (argv, options) => absent(host.run(argv, options), { state: 'absent', command: argv.join(' ') }),
  };
}

const say = (...words: string[]) => typed(words, { state: 'absent', source: 'standard input' });

async function typed(words: readonly string[], input: Reading<string>) {
  const files = new Map<string, string>();
  const host = { ...lenient(recordedRouter('stock-alg-on')), write: async (path: string, text: string) => void files.set(path, text) };
  let out = '';
  let err = '';
  const code = await cli(
    words,
    { host: host as never, surveyor },
    {
      out: (text) => (out += text),
      err: (text) => (err += text),
      input: async () => input,
      goOn: () => true,
    },
  );
  return { code, out, err, files };
}

commands('prints Markdown, or writes what the name of its file says', async () => {
  const printed = await say('report');
  assert.equal([printed.code, printed.err], [1, '']);
  assert.match(printed.out, /^# Report on the SIP ALG of a router\n/);
  const written = await say('report', '-o', 'report.html');
  assert.equal([written.out, [...written.files.keys()]], ['', ['./report.html']]);
  assert.match(written.files.get('./report.html') ?? '', /^<!DOCTYPE html>/);
  assert.match((await say('report', '--markdown', '-o', '/tmp/a.html')).files.get('/tmp/a.html') ?? '', /^# Report/);
});

const from = (text: string) => typed(['report', '--from', '-'], { state: 'present', source: 'standard input', value: text });

commands('tells the causes that were found, where the facts hold what it takes', async () => {
  const document = (some: object): string => JSON.stringify({ version: VERSION, facts: some });
  const broken = await madeFacts({ calls: calls({ flows: flows([signalling({ left: 5, flags: [] })]) }) });
  const told = await from(document(broken));
  assert.is(told.err, '');
  assert.match(told.out, '## Causes of trouble with calls');
  assert.match(told.out, 'The router forgets a phone before it speaks again');
  assert.match(told.out, 'Cannot be known from this router:');
  const healthy = await from(document(await madeFacts({ calls: calls() })));
  assert.match(healthy.out, 'No cause of trouble with calls was found on this router.');
  const { calls: _, ...without } = broken;
  assert.not.match((await from(document(without))).out, 'Causes of trouble');
});

commands('refuses what it cannot do, in a sentence', async () => {
  const wrong = async (...words: string[]): Promise<string> => {
    const { code, err } = await say('report', ...words);
    assert.is(code, 2);
    return err;
  };
  assert.match(await wrong('--html', '--markdown'), 'it writes one document.');
  assert.match(await wrong('lan.pcap'), 'captures are given as --compare LAN WAN.');
  assert.match(await wrong('--from', '-'), 'There is no standard input');
  assert.throws(() => probeOf('{"verdict":"x"}', 'a.json'), saying('a.json is not what `sipalg probe --json` prints'));
  assert.throws(() => probeOf('no json', 'a.json'), saying('save it with'));
});

documents.run();
strangers.run();
hostile.run();
commands.run();
