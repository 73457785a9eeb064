import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reply } from '../../../src/object/object.ts';
import { viewOf } from '../../../src/page/model.ts';
import { answered, asked, begin, cancelled, confirm, hurried, looked, lost, planned, toggled } from '../../../src/page/state.ts';
import type { State } from '../../../src/page/state.ts';
import type { View } from '../../../src/page/view.ts';
import { wordsIn } from '../../../src/page/words.ts';
import { routerNames } from '../../routers.ts';
import { blocksIn, cellsIn as cells, findingsIn, sectionIn as section, switchIn, verdictIn } from './shown.ts';
import { IDLE, lastRun, NOTHING, planOf, statusOf } from '../../page/replies.ts';

const words = wordsIn((text) => text);
const ALL = { read: true, write: true };
const at = (reply: Reply, rights = ALL): State => looked(begin(rights), reply, 0);
const viewAt = (state: State): View => viewOf(state, words);

const page = suite('the page');

page('says that it is looking before anything is known', () => {
  const view = viewAt(begin(ALL));
  assert.is(view.mood, 'loading');
  assert.is(view.wait, words.loading);
  assert.equal(view.tabs, []);
});

page('names what is waited for when nothing is known yet', () => {
  const view = viewAt(looked(at(NOTHING), NOTHING, 2000));
  assert.is(view.mood, 'loading');
  assert.equal(
    view.notices.map(({ text, lines }) => [text, ...lines]),
    [[words.pendingFirst, 'nft -j -t list ruleset']],
  );
  assert.equal(view.tabs, []);
});

const MOODS: [router: string, mood: View['mood'], tone: string, state: string][] = [
  ['stock-alg-on', 'rewriting', 'danger', words.states.rewriting],
  ['tracking-only', 'tracking', 'danger', words.states.tracking],
  ['stock-alg-absent', 'off', 'success', words.states.off],
  ['disabled', 'off', 'success', words.states.off],
  ['dormant', 'would come back', 'warning', words.states.returns],
  ['not-root', 'unknown', 'warning', words.states.unknown],
];

for (const [router, mood, tone, state] of MOODS) {
  page(`draws ${router} as ${mood}, in the verdict's own sentence`, async () => {
    const reply = await statusOf(router);
    const view = viewAt(at(reply));
    assert.is(view.mood, mood);
    const verdict = verdictIn(view);
    assert.equal([verdict?.tone, verdict?.state, verdict?.text], [tone, state, reply.verdict?.text]);
    assert.is(verdict?.more, mood === 'would come back' ? words.wouldReturn : '');
  });
}

page('shows every finding of every recorded router, with all its evidence', async () => {
  for (const router of routerNames()) {
    const reply = await statusOf(router);
    const view = viewAt(at(reply));
    assert.equal(
      findingsIn(view).map(({ text, fold }) => [text, fold?.lines ?? []]),
      reply.verdict?.findings.map(({ text, evidence }) => [text, evidence]),
      router,
    );
    assert.equal(
      (section(view, 'returns')?.table.rows ?? []).map(({ cells: [, because] }) => because?.text),
      reply.verdict?.returns.map(({ because }) => because),
      router,
    );
  }
});

page('lets what could not be read never look like "none"', async () => {
  const view = viewAt(at(await statusOf('not-root')));
  assert.ok(view.notices.some(({ name, lines }) => name === 'unread' && lines.length === 3));
  assert.match(cells(view, 'rules').flat().join('\n'), /Could not be read/);
  const hostile = viewAt(at(await statusOf('hostile-iptables')));
  assert.match(cells(hostile, 'rules').flat().join('\n'), /Could not be read/);
});

page('draws no section with nothing in it', async () => {
  for (const router of routerNames()) {
    const empty = blocksIn(viewAt(at(await statusOf(router)))).filter(
      (block) =>
        (block.kind === 'section' && block.table.rows.length + block.lines.length === 0)
        || (block.kind === 'findings' && block.rows.length === 0)
        || (block.kind === 'details' && block.blocks.length === 0),
    );
    assert.equal(empty, [], router);
  }
});

page('names what is waited for only after two seconds, and within the box of a run while one goes on', async () => {
  const pending = ['nft -j -t list ruleset'];
  const waiting = await statusOf('stock-alg-on', { pending });
  const soon = looked(begin(ALL), waiting, 1000);
  assert.equal(viewAt(soon).notices, []);
  assert.equal(viewAt(looked(soon, waiting, 2900)).notices, []);
  assert.equal(
    viewAt(looked(soon, waiting, 3000)).notices.map(({ text, lines }) => [text, ...lines]),
    [[words.pending, ...pending]],
  );
  const running = { towards: 'disabled' as const, since: 0, commands: [] };
  const late = viewAt(looked(soon, await statusOf('stock-alg-on', { pending, running }), 3000));
  assert.equal([late.notices, switchIn(late)?.running?.lines], [[], ['Still waiting: nft -j -t list ruleset']]);
  const answered = looked(looked(soon, waiting, 3000), await statusOf('stock-alg-on'), 4000);
  assert.equal(viewAt(looked(answered, waiting, 5000)).notices, [], 'it counts anew');
});

page('shows the rules in force as they are, and what they have counted', async () => {
  const view = viewAt(at(await statusOf('foreign-table')));
  assert.equal(
    cells(view, 'rules').map((row) => row[2]),
    ['', '0 packets, 0 bytes', ''],
  );
  assert.equal(section(view, 'rules')?.table.heads, [words.columns.place, words.columns.rule, words.columns.counted]);
  const plain = viewAt(at(await statusOf('stock-alg-on')));
  assert.equal(cells(plain, 'rules'), [
    ['inet fw4 helper_lan handle 72', 'udp dport 5060 ct helper set "sip" comment "!fw4: SIP VoIP connection tracking"'],
  ]);
  assert.is(cells(viewAt(at(await statusOf('fw3-21.02'))), 'rules').length, 4);
});

page('shows UDP timeouts, versions and the age of the report', async () => {
  const view = viewAt(at(await statusOf('stock-alg-on')));
  assert.equal(
    cells(view, 'timeouts').map(([, value]) => value),
    ['60 s', '180 s'],
  );
  const versions = cells(view, 'versions');
  assert.equal(
    versions.find(([label]) => label === words.program),
    [words.program, '0.1.0'],
  );
  assert.equal(
    versions.find(([label]) => label === words.age),
    [words.age, '3 s ago'],
  );
  const ages = [
    [900, 'just now'],
    [119_000, '119 s ago'],
    [120_000, '2 min ago'],
    [7_200_000, '2 h ago'],
    [172_800_000, '2 days ago'],
  ] as const;
  for (const [age, text] of ages) {
    const reply = { ...(await statusOf('stock-alg-on')), now: { ...IDLE, age } };
    assert.is(cells(viewAt(at(reply)), 'versions').find(([label]) => label === words.age)?.[1], text);
  }
});

page('keeps the last report when the service goes, says so, and says so no more when it is back', async () => {
  const reply = await statusOf('stock-alg-on');
  const gone = lost(at(reply), { kind: 'no object', said: '' });
  assert.is(viewAt(gone).mood, 'rewriting');
  assert.equal(
    viewAt(gone).notices.map(({ text }) => text),
    [words.noObject],
  );
  assert.equal(viewAt(looked(gone, reply, 0)).notices, []);
});

page('without a service offers to start it, names what may be missing, and shows no verdict', () => {
  const view = viewAt(lost(begin(ALL), { kind: 'no object', said: '' }));
  assert.is(view.mood, 'no service');
  assert.equal([view.notices[0]?.text, view.notices[0]?.button, view.tabs], [words.noObject, { label: 'Start it', active: true }, []]);
  const failed = viewAt({ ...lost(begin(ALL), { kind: 'no object', said: '' }), starting: 'node is not there' }).notices[0];
  assert.is(failed?.lines[0], 'It could not be started: node is not there');
  assert.is(viewAt(lost(begin({ read: true, write: false }), { kind: 'no object', said: '' })).notices[0]?.button?.active, false);
});

page('says when a session may not look', () => {
  const view = viewAt(lost(begin(ALL), { kind: 'denied', said: 'Access denied' }));
  assert.is(view.mood, 'denied');
  assert.equal([view.notices[0]?.text, view.notices[0]?.lines], [words.denied, ['It was said: Access denied']]);
});

page('shows nothing of the router to who has not logged in', async () => {
  const view = viewAt({
    ...at(await statusOf('stock-alg-on')),
    login: { how: 'password', busy: false, said: 'wrong', warning: 'in clear' },
  });
  assert.is(view.mood, 'login');
  assert.equal([view.tabs, view.confirm, view.notices], [[], null, []]);
  assert.is(view.login?.said, 'wrong');
  assert.is(view.login?.warning, 'in clear');
});

const theSwitch = suite('the switch');

theSwitch('offers off where it is on, and back where something was taken away', async () => {
  const ways = async (router: string) => switchIn(viewAt(at(await statusOf(router))))?.buttons.map(({ towards }) => towards);
  assert.equal(await ways('stock-alg-on'), ['disabled']);
  assert.equal(await ways('disabled'), ['enabled']);
  assert.equal(await ways('unfinished'), ['disabled', 'enabled']);
});

theSwitch('is not active in a session that may only look, and says why', async () => {
  for (const router of routerNames()) {
    const shown = switchIn(viewAt(at(await statusOf(router), { read: true, write: false })));
    assert.equal(
      shown?.buttons.filter(({ active }) => active),
      [],
      router,
    );
    assert.is(shown?.hint, words.readOnly);
  }
});

theSwitch('shows what it would do before it does it: every step, its commands and its reason', async () => {
  const reply = await planOf('stock-alg-on', 'disabled');
  const waiting = confirm(at(await statusOf('stock-alg-on')), 'disabled');
  assert.equal([viewAt(waiting).confirm?.wait, viewAt(waiting).confirm?.go], [words.planning, '']);
  const shown = viewAt(planned(waiting, 'disabled', reply)).confirm;
  assert.equal(
    shown?.steps.map(({ text, commands }) => ({ text, commands })),
    reply.plan?.steps.map(({ text, commands }) => ({ text, commands })),
  );
  assert.ok(shown?.steps.some(({ why }) => why === 'Why: nftables puts flows under the SIP helper in 1 rule.'));
  assert.is(shown?.go, words.doIt.disabled);
  assert.is(viewAt(cancelled(planned(waiting, 'disabled', reply))).confirm, null);
});

theSwitch('cannot be confirmed where nothing can be done, and says why', async () => {
  const state = confirm(at(await statusOf('not-root')), 'disabled');
  const reply = await planOf('not-root', 'disabled');
  const refused = viewAt(planned(state, 'disabled', reply)).confirm;
  assert.is(refused?.go, '');
  assert.equal(
    refused?.notices.map(({ lines }) => lines),
    [reply.plan?.refused],
  );
  const broken = viewAt(planned(state, 'disabled', { kind: 'no answer', said: 'timed out' })).confirm;
  assert.equal([broken?.go, broken?.notices[0]?.text], ['', words.planFailed]);
  const empty = viewAt(
    planned(confirm(at(await statusOf('disabled')), 'disabled'), 'disabled', await planOf('disabled', 'disabled')),
  ).confirm;
  assert.equal([empty?.go, empty?.notices[0]?.text], ['', words.nothing]);
});

theSwitch('says what holds the block off', async () => {
  const state = confirm(at(await statusOf('user-include')), 'disabled');
  const shown = viewAt(planned(state, 'disabled', await planOf('user-include', 'disabled'))).confirm;
  assert.ok(shown?.notices.some(({ name, tone, lines }) => name === 'held' && tone === 'warning' && lines.length > 0));
  assert.is(shown?.go, words.doIt.disabled);
});

theSwitch('drops a plan that comes when the person has gone on', async () => {
  const state = at(await statusOf('stock-alg-on'));
  assert.is(planned(state, 'disabled', await planOf('stock-alg-on', 'disabled')), state);
});

theSwitch('echoes the commands while it works, and the verdict stays what was last verified', async () => {
  const since = asked(at(await statusOf('stock-alg-on')), 'disabled');
  assert.ok(hurried(since));
  assert.equal([switchIn(viewAt(since))?.running?.title, switchIn(viewAt(since))?.running?.commands], [words.running.disabled, []]);
  const running = { towards: 'disabled' as const, since: 0, commands: ['uci commit sipalg', 'rmmod nf_nat_sip'] };
  const view = viewAt(looked(since, await statusOf('stock-alg-on', { running }), 0));
  assert.equal(switchIn(view)?.running?.commands, running.commands);
  assert.equal([switchIn(view)?.buttons, view.mood, verdictIn(view)?.working], [[], 'rewriting', true]);
});

theSwitch('shows a run that somebody else has begun', async () => {
  const state = at(await statusOf('stock-alg-on', { running: { towards: 'enabled', since: 0, commands: ['x'] } }));
  assert.equal([switchIn(viewAt(state))?.running?.title, hurried(state)], [words.running.enabled, true]);
});

const OUTCOMES = [
  ['reached', 'success'],
  ['held', 'warning'],
  ['failed', 'danger'],
] as const;

for (const [outcome, tone] of OUTCOMES) {
  theSwitch(`says how it went: ${outcome}`, async () => {
    const last = lastRun(outcome, { because: ['A sentence of the router.'] });
    const ended = answered(asked(at(await statusOf('stock-alg-on')), 'disabled'), 'disabled', await statusOf('disabled', { last }), 0);
    const { result, running } = switchIn(viewAt(ended)) ?? {};
    assert.is(running, null);
    assert.equal(
      [result?.tone, result?.text, result?.lines],
      [tone, words.ended[outcome].disabled, ['A sentence of the router.', '12 s ago']],
    );
    assert.equal(result?.fold?.lines, last.commands);
    assert.not(hurried(ended));
  });
}

theSwitch("is not done because it was asked for: without an answer the router's own word decides", async () => {
  const before = await statusOf('stock-alg-on', { last: lastRun('reached', { at: 1 }) });
  const cut = answered(asked(at(before), 'disabled'), 'disabled', { kind: 'no answer', said: 'XHR request timed out' }, 0);
  assert.equal(switchIn(viewAt(cut))?.running?.lines, [words.uncertain]);
  const goingOn = looked(
    cut,
    await statusOf('stock-alg-on', { running: { towards: 'disabled', since: 0, commands: [] }, last: before.now.last }),
    0,
  );
  assert.ok(hurried(goingOn));
  const over = viewAt(looked(goingOn, await statusOf('disabled', { last: lastRun('reached') }), 0));
  assert.is(switchIn(over)?.result?.text, words.ended.reached.disabled);
  const never = viewAt(looked(cut, before, 0));
  assert.equal(
    [switchIn(never)?.running, switchIn(never)?.result?.tone, switchIn(never)?.result?.text],
    [null, 'danger', words.notAsked.disabled],
  );
});

theSwitch('says that it was turned down', async () => {
  const view = viewAt(
    answered(asked(at(await statusOf('stock-alg-on')), 'disabled'), 'disabled', {
      kind: 'denied',
      said: 'This session may not change anything here.',
    }, 0),
  );
  assert.equal(
    [switchIn(view)?.result?.tone, switchIn(view)?.result?.lines],
    ['danger', ['It was said: This session may not change anything here.']],
  );
});

theSwitch('tells of an earlier run only if it did not reach its end', async () => {
  const first = async (outcome: 'reached' | 'failed') =>
    switchIn(viewAt(at(await statusOf('disabled', { last: lastRun(outcome) }))))?.result?.tone;
  assert.equal([await first('reached'), await first('failed')], [undefined, 'danger']);
});

theSwitch('keeps what has been unfolded', async () => {
  const state = toggled(at(await statusOf('stock-alg-on')), 'finding nft-assignment');
  const open = (one: State) => findingsIn(viewAt(one)).find(({ name }) => name === 'nft-assignment')?.fold?.open;
  assert.equal(
    [open(state), open(looked(state, await statusOf('stock-alg-on'), 0)), open(toggled(state, 'finding nft-assignment'))],
    [true, true, false],
  );
});

page.run();
theSwitch.run();
