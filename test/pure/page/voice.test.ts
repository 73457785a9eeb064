import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reply } from '../../../src/object/object.ts';
import { viewOf } from '../../../src/page/model.ts';
import { begin, looked } from '../../../src/page/state.ts';
import type { View } from '../../../src/page/view.ts';
import { MOST_ROWS } from '../../../src/page/voice.ts';
import { wordsIn } from '../../../src/page/words.ts';
import { RANK } from '../../../src/plan/step.ts';
import type { PolicyFacts } from '../../../src/voice/facts.ts';
import { NOW } from '../../routers.ts';
import { IN_FORCE, policyFacts, withVoice } from '../../voice.ts';
import { statusOf } from '../../page/replies.ts';
import { cellsIn as cells, sectionIn as section, switchIn } from './shown.ts';

const words = wordsIn((text) => text);
const STEP = {
  code: 'step-x',
  rank: RANK.policy,
  why: 'policy-missing',
  text: 'Put the voice firewall rules in force.',
  actions: [],
  undo: [],
  commands: [],
  of: 'policy' as const,
};
const viewOn = (reply: Reply): View => viewOf(looked(begin({ read: true, write: true }), reply, 0), words);

type Full = Extract<Reply, { facts: object }>;

async function replyWith(changes: Partial<PolicyFacts> = {}): Promise<Full> {
  const reply = (await statusOf('disabled')) as Full;
  return { ...reply, facts: withVoice(reply.facts, policyFacts(changes)), plan: { ...reply.plan, lacking: [] } };
}

const view = async (changes: Partial<PolicyFacts> = {}): Promise<View> => viewOn(await replyWith(changes));
const state = (shown: View): string | undefined => section(shown, 'voice')?.lines[0];

const voice = suite('the voice rules on the page');

voice('are said to be off where none are wished, unknown where they could not be seen', async () => {
  const reply = await replyWith();
  const off = viewOn({ ...reply, facts: { ...reply.facts, policy: { state: 'absent', source: 'x' } } });
  assert.equal([section(off, 'voice')?.lines[0], section(off, 'names'), section(off, 'attempts')], [words.voice.off, undefined, undefined]);
  const failed = viewOn({ ...reply, facts: { ...reply.facts, policy: { state: 'failed', source: 'x', because: 'a file is gone' } } });
  assert.is(section(failed, 'voice')?.lines[0], 'Whether they are in force could not be seen: a file is gone');
  const { policy: _, ...older } = reply.facts;
  assert.is(section(viewOn({ ...reply, facts: older as never }), 'voice'), undefined, 'a daemon that is older than the page');
});

voice('are said to be in force only where the plan has nothing left to do for them', async () => {
  const reply = await replyWith();
  assert.is(state(viewOn(reply)), words.voice.inForce);
  assert.is(state(viewOn({ ...reply, plan: { ...reply.plan, steps: [STEP] } })), words.voice.missing);
  const lacking = viewOn({ ...reply, plan: { ...reply.plan, lacking: ['The limits are not installed.'] } });
  assert.equal(section(lacking, 'voice')?.lines.slice(0, 2), [words.voice.missing, 'The limits are not installed.']);
  assert.is(state(await view({ wanted: false })), words.voice.left);
  const untold = { ...reply.facts.wish, wish: { ...reply.facts.wish.wish, policy: null } };
  assert.is(state(viewOn({ ...reply, facts: { ...reply.facts, wish: untold } })), words.voice.untold);
  const unread = { ...policyFacts().inForce, all: { state: 'failed' as const, source: 'nft', because: 'it was killed' } };
  assert.is(state(await view({ inForce: unread })), 'Whether they are in force could not be seen: nft: it was killed');
  assert.is(section(await view({ inForce: unread }), 'attempts'), undefined, 'what could not be read is not "none"');
});

/** A reply of a router of nftables that counts every method. */
const COUNTED = {
  ...IN_FORCE,
  counters: [
    { name: 'voice_media', packets: 90_210, bytes: 18_042_000 },
    ...(['register', 'invite', 'options', 'other', 'tcp'] as const).flatMap((method, at) => [
      { name: `attempts_${method}`, packets: 100 + at, bytes: 1 },
      { name: `limited_${method}`, packets: at, bytes: 1 },
    ]),
    { name: 'limited_kilobytes', packets: 7, bytes: 1 },
    { name: 'of_another_version', packets: 1, bytes: 2 },
  ],
};

voice('say how it stands, and what came and was limited in one table, in words and not in names of counters', async () => {
  assert.equal(section(await view(), 'voice')?.lines, [words.voice.inForce, 'Phones seen: 192.168.1.10, 192.168.1.11']);
  const { inForce } = policyFacts();
  const shown = await view({ inForce: { ...inForce, all: { state: 'present', value: COUNTED, source: 'nft' } } });
  assert.equal(section(shown, 'voice')?.table.heads, ['Method', 'Seen', 'Limited']);
  assert.equal(cells(shown, 'voice'), [
    ['REGISTER', '100', '0'],
    ['INVITE', '101', '1'],
    ['OPTIONS', '102', '2'],
    ['Others', '103', '3'],
    ['TCP connections', '104', '4'],
    ['TCP, too much at once', '', '7'],
  ]);
  assert.equal(cells(shown, 'counters'), [
    ['Audio, marked', '90210 packets, 18042000 bytes'],
    ['of_another_version', '1 packets, 2 bytes'],
  ]);
  const every = await view({ perFlow: { state: 'present', value: false, source: 'nft -c' } });
  assert.ok(section(every, 'voice')?.lines.includes(words.voice.everyFlow));
});

voice('add up both families of iptables, and name them where a counter is shown by itself', async () => {
  const present = { state: 'present' as const, value: IN_FORCE, source: 'iptables-save' };
  const both = await view({
    backend: 'iptables',
    inForce: { all: { state: 'absent', source: 'nft' }, ipv4: present, ipv6: { ...present, value: { ...IN_FORCE, attempts: [] } } },
  });
  assert.equal(cells(both, 'voice'), [['REGISTER', '', '19980']]);
  assert.equal(
    cells(both, 'counters').map(([name]) => name),
    ['IPv4 Audio, marked', 'IPv6 Audio, marked'],
  );
  assert.is(cells(both, 'attempts').length, 3);
});

voice("name every name: answered, stale or not yet answered, by the router's own clock", async () => {
  const shown = await view();
  assert.equal(cells(shown, 'names'), [
    ['sip.example.com', '203.0.113.5, 2001:db8:5::5', '3 min ago'],
    ['old.example.com', '203.0.113.9', 'STALE: 26 h ago; asked in vain 93 s ago: no server answered within 5 s'],
    ['new.example.com', '', 'not yet; asked in vain 63 s ago: the name does not exist'],
  ]);
  const { wish, names } = policyFacts();
  const partly = { ...names['sip.example.com']!, failed: { at: NOW - 180_000, because: 'ns2 was silent' } };
  assert.equal(cells(await view({ names: { 'sip.example.com': partly } }), 'names')[0]?.[2], '3 min ago; in part: ns2 was silent');
  const odd = [{ name: 'p', hosts: [{ name: 'constructor', port: null }], signalling: [], media: [], inbound: null }];
  assert.equal(cells(await view({ wish: { ...wish, providers: odd } }), 'names'), [['constructor', '', 'not yet']]);
  assert.is(section(await view({ wish: { ...wish, providers: [] } }), 'names'), undefined);
});

voice('show who tried, the busiest first, and nothing where nobody did', async () => {
  assert.equal(cells(await view(), 'attempts'), [
    ['2001:db8:bad::1', 'REGISTER', '10000', '9990', '3 h ago', '43 s ago'],
    ['192.0.2.99', 'TCP', '12', '2', words.notKnown, words.notKnown],
    ['198.51.100.66', 'OPTIONS', '3', '0', '50 min ago', '5 min ago'],
  ]);
  const { inForce } = policyFacts();
  const quiet = await view({ inForce: { ...inForce, all: { state: 'present', value: { ...IN_FORCE, attempts: [] }, source: 'nft' } } });
  assert.is(section(quiet, 'attempts'), undefined);
});

voice('stay bounded: ten thousand networks, four thousand attempts, three hundred phones', async () => {
  const { wish, inForce } = policyFacts();
  const networks = Array.from({ length: 10_000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`);
  const attempts = Array.from({ length: 4000 }, (_, at) => ({
    source: `198.51.${at >> 8}.${at & 255}`,
    method: 'INVITE',
    seen: at,
    dropped: 0,
    first: NOW,
    last: NOW,
  }));
  const phones = Array.from({ length: 300 }, (_, at) => `192.168.1.${at}`);
  const shown = await view({
    wish: { ...wish, providers: [{ name: 'huge', hosts: [], signalling: networks, media: networks, inbound: null }] },
    inForce: { ...inForce, all: { state: 'present', value: { ...IN_FORCE, attempts, phones }, source: 'nft' } },
  });
  assert.is(cells(shown, 'attempts').length, MOST_ROWS);
  assert.equal(section(shown, 'attempts')?.lines, ['The first 50 of 4000 are shown.']);
  assert.match(section(shown, 'voice')?.lines.at(-1) ?? '', /^Phones seen: (\S+, ){7}\S+ and 292 more$/);
  assert.ok(JSON.stringify(shown.tabs).length < 25_000);
});

voice('are no reason to say that the wish about the ALG is not reached', async () => {
  const reply = await replyWith();
  const { lines, buttons } = switchIn(viewOn({ ...reply, plan: { ...reply.plan, steps: [STEP] } })) ?? { lines: [], buttons: [] };
  assert.equal([lines.at(-1), buttons.map(({ towards }) => towards)], [words.met, ['enabled']]);
});

voice.run();
