/** The tab Diagnosis and the drawings of the voice rules, as data: what answers become, and what is said where there are none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reply } from '../../../src/object/object.ts';
import { cameOf } from '../../../src/page/answered.ts';
import { asksOf } from '../../../src/page/diagnosis.ts';
import { viewOf } from '../../../src/page/model.ts';
import { begin, looked } from '../../../src/page/state.ts';
import type { Answer, State } from '../../../src/page/state.ts';
import type { Ask, Block } from '../../../src/page/view.ts';
import { wordsIn } from '../../../src/page/words.ts';
import { calls, DIAGNOSED, HISTORY, PROBED } from '../../page/beside.ts';
import { statusOf } from '../../page/replies.ts';
import { blocksIn, cellsIn } from './shown.ts';

const words = wordsIn((text) => text);
const came = (result: unknown): Answer => ({ busy: false, result, trouble: null });

async function shown(answers: State['answers'], { write = true, router = 'voice-in-force' } = {}) {
  const state = looked(begin({ read: true, write }), (await statusOf(router)) as Reply, 0);
  const view = viewOf({ ...state, answers }, words);
  const blocks = blocksIn(view);
  return {
    view,
    blocks,
    ask: (name: string) => blocks.find((one): one is Ask => one.kind === 'ask' && one.name === name) as Ask,
    drawn: () => blocks.flatMap((one: Block) => (one.kind === 'drawing' ? [one.name] : [])),
    label: (name: string) =>
      blocks.flatMap((one) => (one.kind === 'drawing' && one.name === name ? [one.tree.attributes['aria-label']] : []))[0],
  };
}

const tab = suite('the tab Diagnosis');

tab('offers a probe, causes, calls and a document before anything is known, and draws nothing', async () => {
  const { ask, blocks, drawn, view } = await shown({});
  assert.equal(
    view.tabs.find(({ name }) => name === 'diagnosis')?.blocks.map(({ kind, name }) => `${kind} ${name}`),
    ['ask probe', 'ask diagnose', 'ask watch', 'ask report'],
  );
  assert.equal(
    ['probe', 'diagnose', 'watch', 'report'].map((name) => [ask(name).ask, ask(name).disabled, ask(name).notices.length]),
    [
      [{ method: 'probe', args: { language: 'en' } }, false, 0],
      [{ method: 'diagnose', args: { language: 'en' } }, false, 0],
      [{ method: 'watch', args: { seconds: 600, language: 'en' } }, false, 0],
      [{ method: 'report', args: { language: 'en' } }, false, 0],
    ],
  );
  assert.is(Object.keys(ask('diagnose').field?.suggestions ?? {}).length, 12);
  assert.equal(
    drawn().filter((name) => name.startsWith('call')),
    [],
  );
  assert.is(
    blocks.some(({ name }) => name === 'told'),
    false,
  );
});

tab('lets who may only look not probe and not watch, and says so', async () => {
  const { ask } = await shown({}, { write: false });
  assert.equal(
    ['probe', 'diagnose', 'watch', 'report'].map((name) => [ask(name).disabled, ask(name).lines.includes(words.diagnosis.denied)]),
    [
      [true, true],
      [false, false],
      [true, true],
      [false, false],
    ],
  );
});

tab('shows what a probe has changed field by field, and what became of each message', async () => {
  const { ask, view, blocks } = await shown({ probe: came(PROBED) });
  const [said] = ask('probe').notices;
  assert.equal([said?.tone, said?.text, said?.lines], ['danger', 'This router rewrites SIP.', ['One way was not tried.']]);
  assert.equal(cellsIn(view, 'probe-fields'), [
    ['Via sent-by', '192.168.1.250', '203.0.113.7', 'REGISTER'],
    ['Contact URI host', '192.168.1.250', '(none)', '4'],
  ]);
  assert.equal(cellsIn(view, 'probe-messages-rows'), [
    ['control before', 'unchanged'],
    ['REGISTER', 'rewritten'],
    ['INVITE with a name in o=', 'dropped (cannot parse SDP message)'],
  ]);
  const rows = blocks.flatMap((one) => (one.kind === 'section' && one.name === 'probe-messages-rows' ? one.table.rows : []));
  assert.equal(
    rows.map(({ cells }) => cells[1]?.tone),
    ['success', 'danger', 'danger'],
  );
});

tab('says that a probe shows nothing changed, and why one told nothing', async () => {
  const well = await shown({ probe: came({ ...PROBED, verdict: 'unchanged', alterations: [], remarks: [] }) });
  assert.equal([well.ask('probe').notices[0]?.tone, well.ask('probe').notices[0]?.text], ['success', 'This router passes SIP unchanged.']);
  const because = 'this kernel lacks that: `apk add kmod-veth` brings it';
  const open = await shown({ probe: came({ ...PROBED, verdict: 'inconclusive', because, messages: [], alterations: [] }) });
  assert.equal([open.ask('probe').notices[0]?.tone, open.ask('probe').notices[0]?.text], ['warning', `It could not be told: ${because}.`]);
  const lacking = await shown({ probe: came({ trouble: 'install sipalg-calls, of this version (1).' }) });
  assert.equal(lacking.ask('probe').notices[0]?.text, 'It could not be done: install sipalg-calls, of this version (1).');
  const german = wordsIn((text) => (text === 'sipalg program-mute' ? '{method} schwieg ({code}).' : text));
  const mute = { trouble: 'It said nothing.', coded: { trouble: { code: 'program-mute', parameters: { method: 'probe', code: 2 } } } };
  assert.is(cameOf({ answers: { probe: came(mute) } }, 'probe', 'verdict', german).failed, 'probe schwieg (2).');
  const busy = await shown({ probe: { busy: true, result: PROBED, trouble: null } });
  assert.equal([busy.ask('probe').disabled, busy.ask('probe').label], [true, 'Working...']);
});

tab('lists causes that were found with their fix, and those ruled out or open behind folds', async () => {
  const { view, ask, blocks } = await shown({ diagnose: came(DIAGNOSED) });
  assert.equal(
    ask('diagnose').notices.map(({ text }) => text),
    ['32 s is 64 x T1.'],
  );
  assert.equal(cellsIn(view, 'causes'), [['A SIP ALG on this router rewrites calls.', 'Run sipalg disable']]);
  assert.equal(cellsIn(view, 'causes-unknown-rows'), [['It is lost beyond.', 'nothing shows it', 'ask the provider']]);
  assert.equal(cellsIn(view, 'causes-out-rows'), [['Everybody may reach SIP.', 'nobody may']]);
  assert.equal(cellsIn(view, 'advisories-rows'), [['The SIP ALG is on.', 'sipalg disable']]);
  const [row] = blocks.flatMap((one) => (one.kind === 'section' && one.name === 'causes' ? one.table.rows : []));
  assert.equal(row?.cells[0]?.fold?.lines, ['nf_nat_sip is loaded', 'Here it cannot be told from private-sdp. What would tell: a capture']);
  const none = await shown({ diagnose: came({ diagnosis: { ...DIAGNOSED.diagnosis, found: [], number: null } }) });
  assert.equal(
    none.ask('diagnose').notices.map(({ text, tone }) => [text, tone]),
    [['No cause was found on this router.', 'success']],
  );
});

tab('puts what has a code into the language of the reader', async () => {
  const german = wordsIn((text) => (text === 'sipalg cause-alg-rewrites' ? 'Ein SIP-ALG schreibt Anrufe um.' : text));
  const state = looked(begin({ read: true, write: true }), (await statusOf('disabled')) as Reply, 0);
  const view = viewOf({ ...state, answers: { diagnose: came(DIAGNOSED) } }, german);
  assert.is(cellsIn(view, 'causes')[0]?.[0], 'Ein SIP-ALG schreibt Anrufe um.');
});

tab('draws the calls of a watch as ladders, and says how it stands', async () => {
  const { ask, view, drawn, label } = await shown({ calls: came(calls(true)) });
  assert.equal(ask('watch').lines.slice(1), ['Watching for 9 min more.', 'Packets are not counted here.']);
  assert.equal(
    [ask('watch').disabled, ask('watch').label, ask('watch').ask],
    [false, 'End the watch', { method: 'watch', args: { seconds: 0, language: 'en' } }],
  );
  assert.equal(cellsIn(view, 'calls-told-rows'), [
    ['192.168.1.20', '', 'messages are changed'],
    ['192.168.1.20', 'Call 1', 'calls'],
  ]);
  assert.equal(cellsIn(view, 'calls-causes'), [['Something in this router writes into the messages.', 'Fix: `sipalg disable`', '2']]);
  assert.equal(drawn(), ['history-sources', 'call-1']);
  assert.is(
    label('call-1'),
    'Call 1: 192.168.1.20:5060, 203.0.113.10:5060. INVITE from the phone: changed by the router; 200 OK to the phone: sent again (1).',
  );
  const over = await shown({ calls: came(calls(true)), watch: came({ watched: { ...calls(false).watched, at: Infinity } }) });
  assert.equal(over.ask('watch').lines[1], 'Nothing is watched now. Calls: 1, answered: 1, failed: 0.');
  assert.equal([over.ask('watch').disabled, over.ask('watch').ask.args['seconds']], [false, 600]);
});

tab('offers the document once it is there', async () => {
  const { ask } = await shown({ report: came({ html: 'x'.repeat(41_200) }) });
  assert.equal([ask('report').save?.label, ask('report').save?.file], ['Save it (42 kB)', 'sipalg-report.html']);
});

tab('asks by itself for what an open tab shows, and for a watch only while it goes on', () => {
  assert.equal(asksOf({ tab: 'status', answers: {} }, words), []);
  assert.equal(asksOf({ tab: 'voice', answers: {} }, words), [{ name: 'history', method: 'history', args: {} }]);
  assert.equal(asksOf({ tab: 'diagnosis', answers: {} }, words), [{ name: 'calls', method: 'calls', args: { language: 'en' } }]);
  assert.equal(asksOf({ tab: 'diagnosis', answers: { calls: came(calls(true)) } }, words).length, 1);
  assert.equal(asksOf({ tab: 'diagnosis', answers: { calls: came(calls(false)) } }, words), []);
  assert.equal(asksOf({ tab: 'diagnosis', answers: { calls: came(calls(false)), watch: came(calls(true)) } }, words).length, 1);
});

const day = suite('the last day on the page');

day('is drawn of what there is, with its figures in words', async () => {
  const { drawn, label, blocks } = await shown({ history: came(HISTORY) });
  assert.equal(drawn(), ['history-attempts', 'history-sources', 'history-marked', 'history-phones']);
  assert.is(label('history-attempts'), 'Attempts over the last day. REGISTER: 12; OPTIONS: 3.');
  assert.is(label('history-marked'), 'Voice packets marked. Audio: 1400.');
  assert.is(
    label('history-phones'),
    'How long the router still knows each phone. ' + '192.168.1.20:5060 to 203.0.113.10:5060: 45 s of 180 s left; registers every 300 s.',
  );
  const phones = blocks.find(({ name }) => name === 'history-phones');
  assert.equal(phones?.kind === 'drawing' && phones.lines, [words.diagnosis.tooShort]);
});

day('is not drawn where the voice rules are off', async () => {
  const { drawn } = await shown({ history: came({ ...HISTORY, spans: [], phones: [] }) }, { router: 'disabled' });
  assert.equal(drawn(), []);
});

day('does not move with time alone', async () => {
  const one = await shown({ history: came(HISTORY) });
  const later = await shown({ history: came({ ...HISTORY, at: HISTORY.at - 5000 }) });
  assert.equal(JSON.stringify(one.view), JSON.stringify(later.view));
});

tab.run();
day.run();
