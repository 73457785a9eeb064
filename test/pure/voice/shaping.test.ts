import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ShaperVerdict } from '../../../src/judge/verdict.ts';
import type { Offload } from '../../../src/voice/facts.ts';
import { isExcluded } from '../../../src/voice/judge/compare.ts';
import { judgeShapers } from '../../../src/voice/judge/shapers.ts';
import { offloadRules } from '../../../src/voice/render/offload.ts';
import { observeShapers } from '../../../src/observe/shapers.ts';
import { observeOffload } from '../../../src/voice/seen/shaping.ts';
import { policyFacts } from '../../voice.ts';
import { factsWith, made } from './made.ts';
import type { PolicyWish } from '../../../src/wish/wish.ts';

const { wish } = policyFacts();
const shapersOf = async (files: Record<string, string>, of: PolicyWish = wish): Promise<ShaperVerdict[]> =>
  judgeShapers(await observeShapers(made({ files })), of);
const queue = (...options: string[]): string =>
  `config queue 'wan'\n\toption enabled '1'\n\toption interface 'pppoe-wan'\n${options.map((option) => `\toption ${option}\n`).join('')}`;

const shaping = suite('what reads or writes marks after us');

shaping('SQM: the stock script knows no marks, and one setting mends that', async () => {
  const [one] = await shapersOf({ '/etc/config/sqm': queue() });
  assert.equal([one?.device, one?.how], ['pppoe-wan', 'piece_of_cake.qos']);
  assert.match(one?.conflict ?? '', 'all traffic alike');
  assert.is(one?.setting, 'uci set sqm.wan.script=layer_cake.qos && uci commit sqm && /etc/init.d/sqm restart');
});

shaping('SQM: layer_cake puts EF first but not CS3, unless it is told to look closer', async () => {
  const [one] = await shapersOf({ '/etc/config/sqm': queue("script 'layer_cake.qos'") });
  assert.match(one?.conflict ?? '', 'signalling (CS3)');
  assert.not.match(one?.conflict ?? '', 'audio');
  assert.match(one?.setting ?? '', "eqdisc_opts='diffserv4 nat'");
  const told = queue("script 'layer_cake.qos'", "qdisc_really_really_advanced '1'", "eqdisc_opts 'diffserv4 nat'");
  assert.equal(
    (await shapersOf({ '/etc/config/sqm': told })).map(({ conflict, setting }) => [conflict, setting]),
    [[null, null]],
  );
  const cs6 = { ...wish, marking: { media: { name: 'EF', value: 46 }, signalling: { name: 'CS6', value: 48 } } };
  assert.is((await shapersOf({ '/etc/config/sqm': queue("script 'layer_cake.qos'") }, cs6))[0]?.conflict, null);
  assert.is((await shapersOf({ '/etc/config/sqm': queue("script 'simple.qos'") }, cs6))[0]?.conflict, null);
});

shaping('SQM: a queue that is off is passed over, an unknown script is said to be unknown', async () => {
  assert.equal(await shapersOf({ '/etc/config/sqm': queue().replace("enabled '1'", "enabled '0'") }), []);
  assert.match((await shapersOf({ '/etc/config/sqm': queue("script 'own.qos'") }))[0]?.conflict ?? '', 'not known');
  assert.equal(await shapersOf({ '/etc/config/sqm': queue() }, { ...wish, marking: null }), [], 'nothing is marked, so nothing is lost');
});

shaping('qosify: writes its own marks, until a file of its own says what voice is', async () => {
  const config =
    'config interface wan\n\toption name wan\n\toption disabled 0\nconfig device ethdev\n\toption disabled 1\n\toption name eth9\n';
  const [one, ...more] = await shapersOf({ '/etc/config/qosify': config, '/etc/qosify/00-defaults.conf': 'udp:53 voice\n' });
  assert.equal([one?.kind, one?.device, more.length], ['qosify', 'wan', 0]);
  assert.match(one?.conflict ?? '', 'CS0');
  assert.match(one?.setting ?? '', "'udp:5060 voice' 'udp:10000-20000 voice' > /etc/qosify/50-sipalg.conf");
  assert.is((await shapersOf({ '/etc/config/qosify': config, '/etc/qosify/50-x.conf': 'udp:5060 voice\n' }))[0]?.conflict, null);
});

shaping.run();

const offload = suite('flow offload');
const DEFAULTS = "config defaults\n\toption flow_offloading '1'\n\toption flow_offloading_hw '1'\n";
const LIST = 'nft -a list chain inet fw4 forward';
const ours = (handle: number): string =>
  `\t\tip dscp { cs3, ef } ct status confirmed accept comment "!sipalg: voice (ip cs3 ef) stays out of the offload" # handle ${handle}\n`;
const flow = '\t\tmeta l4proto { tcp, udp } flow add @ft # handle 9\n';

offload("is read from the configuration, and our rules count only before fw4's", async () => {
  const look = async (config: string, chain: string) => {
    const facts = await factsWith(config);
    const read = await observeOffload(made({ answers: { [LIST]: chain } }), facts);
    if (read.state !== 'present') throw new Error(`it was not read: ${read.source}`);
    return read.value;
  };
  const excluded = (value: Offload): boolean => isExcluded(policyFacts({ offload: { state: 'present', value, source: '' } }));
  assert.equal(await look('', ''), { software: false, hardware: false, forward: { rules: [], loaded: false, late: false } });
  assert.equal(await look(DEFAULTS, flow), { software: true, hardware: true, forward: { rules: [], loaded: true, late: false } });
  const both = await look(DEFAULTS, ours(21) + ours(20) + flow);
  assert.equal(
    both.forward?.rules.map(({ handle }) => handle),
    [21, 20],
  );
  const late = await look(DEFAULTS, flow + ours(20));
  assert.equal([both.forward?.late, late.forward?.late], [false, true]);
  assert.equal([await look(DEFAULTS, flow), both, late, { ...both, software: false }].map(excluded), [false, true, false, false]);
});

offload('the rules name the classes that can be told from no mark', () => {
  assert.is(offloadRules(wish.marking).length, 2);
  assert.match(
    offloadRules(wish.marking)[0] ?? '',
    /^insert rule inet fw4 forward ip dscp != cs0 ct status confirmed accept comment "!sipalg: voice \(ip marked\)/,
  );
  const marking = wish.marking as NonNullable<typeof wish.marking>;
  assert.match(
    offloadRules({ ...marking, overwrite: true })[0] ?? '',
    /^insert rule inet fw4 forward ip dscp \{ cs3, ef \} ct status confirmed accept comment "!sipalg: voice \(ip cs3 ef\)/,
  );
  assert.equal(offloadRules(null), []);
  assert.equal(offloadRules({ media: { name: 'CS0', value: 0 }, signalling: { name: 'CS0', value: 0 } }), []);
});

offload.run();
