/** Rules that are taken and put back, on chains made up by chance: full of twins, and changed by their owner in between. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RestoreCommand } from '../../../src/languages/iptables/restore.ts';
import { mergeIptables, mergeNft } from '../../../src/journal/merge.ts';
import type { TakenIptables, TakenNft } from '../../../src/journal/taken.ts';
import type { Command } from '../../../src/languages/nft/script.ts';
import type { NftFacts } from '../../../src/observe/facts.ts';
import { putBackIptables, takeOutIptables } from '../../../src/plan/give-back-iptables.ts';
import { putBack, takeOut } from '../../../src/plan/give-back-nft.ts';
import { neighbours } from '../../../src/plan/nft.ts';
import { seeded } from '../../seeded.ts';
import type { Seeded } from '../../seeded.ts';

const SIP = ['udp dport 5060 ct helper set "sip"', 'tcp dport 5060 ct helper set "sip"'];
const OTHERS = ['counter', 'udp dport 1 accept', 'udp dport 2 accept'];
const isSip = (rule: string): boolean => rule.includes('"sip"');

interface Line {
  handle: number;
  text: string;
}

const place = { family: 'inet', table: 't', chain: 'c' };

/** A chain by chance, few texts and so many twins. */
function chain(random: Seeded): string[] {
  return Array.from({ length: random.below(9) }, () => random.pick(random.next() < 0.4 ? SIP : OTHERS));
}

/** What `disable` writes into the journal of this chain. */
function takenOf(rules: readonly string[]): TakenNft['rules'] {
  const goes = new Set(rules.flatMap((rule, at) => (isSip(rule) ? [at] : [])));
  return [...goes].map((at) => ({ ...place, rule: rules[at] as string, remains: null, ...neighbours(rules, at, goes) }));
}

const nftTaken = (rules: TakenNft['rules']): TakenNft => ({ kind: 'nft', rules, elements: [], helpers: [] });

const nftFacts = (rules: readonly Line[]): NftFacts => ({
  version: null,
  helpers: [],
  assignments: [],
  timeouts: 0,
  sources: [],
  foreign: false,
  tables: ['inet t'],
  present: ['inet t c'],
  chains: [{ ...place, rules: [...rules] }],
});

/** A chain as nft would have it after these commands, all or none. */
function run(rules: readonly Line[], commands: readonly Command[]): Line[] {
  const now = [...rules];
  let next = Math.max(0, ...rules.map(({ handle }) => handle)) + 1;
  const find = (handle: number): number => {
    const at = now.findIndex((one) => one.handle === handle);
    assert.ok(at >= 0, `no rule has handle ${handle}`);
    return at;
  };
  for (const command of commands) {
    if (command.do === 'delete rule') now.splice(find(command.handle), 1);
    else if (command.do === 'insert rule') now.splice(find(command.handle), 0, { handle: next++, text: command.rule });
    else if (command.do === 'add rule')
      now.splice(command.handle === null ? now.length : find(command.handle) + 1, 0, { handle: next++, text: command.rule });
    else assert.unreachable(command.do);
  }
  return now;
}

const lines = (rules: readonly string[]): Line[] => rules.map((text, at) => ({ handle: at + 1, text }));
const texts = (rules: readonly Line[]): string[] => rules.map(({ text }) => text);

const nft = suite('nft rules put back');

nft('stand as they stood, whatever twins there are', () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const before = chain(seeded(seed));
    const left = lines(before).filter(({ text }) => !isSip(text));
    const commands = putBack(nftFacts(left), nftTaken(takenOf(before)));
    assert.equal(texts(run(left, commands)), before, `seed ${seed}`);
  }
});

nft('are put back once, and taken out again without touching what stood there', () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const random = seeded(seed);
    const before = chain(random);
    const taken = nftTaken(takenOf(before));
    // Its owner has brought some of them back already.
    const some = lines(before).filter(({ text }) => !isSip(text) || random.next() < 0.3);
    const back = run(some, putBack(nftFacts(some), taken));
    assert.equal(texts(back).filter(isSip).sort(), before.filter(isSip).sort(), `seed ${seed}`);
    assert.equal(
      texts(back).filter((text) => !isSip(text)),
      before.filter((text) => !isSip(text)),
      `seed ${seed}`,
    );
    assert.equal(putBack(nftFacts(back), taken), [], `seed ${seed}: twice`);
    const stood = some.map(({ handle }) => `inet t c ${handle}`);
    assert.equal(texts(run(back, takeOut(nftFacts(back), taken, stood))).sort(), texts(some).sort(), `seed ${seed}: taken out`);
  }
});

nft('are put back whole though their owner changed the chain meanwhile', () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const random = seeded(seed);
    const before = chain(random);
    const left = lines(before).filter(({ text }) => !isSip(text) && random.next() < 0.7);
    if (random.next() < 0.5) left.splice(random.below(left.length + 1), 0, { handle: 99, text: 'a new rule' });
    const back = texts(run(left, putBack(nftFacts(left), nftTaken(takenOf(before)))));
    assert.equal(back.filter(isSip).sort(), before.filter(isSip).sort(), `seed ${seed}`);
    assert.equal(
      back.filter((text) => !isSip(text)),
      texts(left),
      `seed ${seed}`,
    );
  }
});

nft('keep the order they had where all their neighbours are gone', () => {
  const before = ['a', SIP[0] as string, SIP[1] as string, 'b'];
  for (const left of [[], ['a'], ['b'], ['x']]) {
    const back = texts(run(lines(left), putBack(nftFacts(lines(left)), nftTaken(takenOf(before)))));
    assert.equal(back.filter(isSip), SIP, left.join());
  }
});

nft('wait for a chain or table that is gone', () => {
  const taken: TakenNft = {
    ...nftTaken(takenOf(['a', SIP[0] as string])),
    helpers: [{ family: 'ip', table: 'gone', name: 'sip', type: 'sip', protocol: 'udp', l3proto: 'ip' }],
  };
  assert.equal(putBack({ ...nftFacts([]), chains: [], present: [] }, taken), []);
});

nft('are the union of what several runs took', () => {
  const entry = (...rules: string[]): TakenNft => nftTaken(takenOf(rules));
  const [one, other] = SIP as [string, string];
  const merged = (...entries: TakenNft[]): string[] => mergeNft(entries).rules.map(({ rule }) => rule);
  assert.equal(merged(entry(one, 'a'), entry(one, 'a')), [one], 'a run that was cut off, and the next');
  assert.equal(merged(entry(one, one), entry(one)), [one, one], 'twins stay twins');
  assert.equal(merged(entry(one), entry(one, other)), [one, other]);
  const counted = entry(`counter packets 1 bytes 2 ${one}`);
  assert.is(mergeNft([counted, entry(`counter packets 5 bytes 9 ${one}`)]).rules.length, 1, 'counters tell no rules apart');
  const helper = { family: 'inet', table: 't', name: 'sip', type: 'sip', protocol: 'udp', l3proto: 'inet' };
  const elements = (...all: string[]) => [{ family: 'inet', table: 't', map: 'm', elements: all }];
  const both = mergeNft([
    { ...entry(), helpers: [helper], elements: elements('1 : "sip"', '2 : "sip"') },
    { ...entry(), helpers: [helper], elements: elements('2 : "sip"', '3 : "sip"') },
  ]);
  assert.is(both.helpers.length, 1);
  assert.equal(
    both.elements.flatMap((map) => map.elements),
    ['1 : "sip"', '2 : "sip"', '3 : "sip"'],
  );
});

nft.run();

const iptables = suite('iptables rules put back');

const iptablesTaken = (rules: readonly string[], name = 'PREROUTING'): TakenIptables => ({
  kind: 'iptables',
  save: 'iptables-save',
  restore: 'iptables-restore',
  rules: takenOf(rules).map(({ rule, previous, next, place: stood }) => ({
    table: 'raw',
    chain: name,
    rule,
    previous,
    next,
    place: stood,
  })),
});

function restored(rules: readonly string[], commands: readonly RestoreCommand[]): string[] {
  const now = [...rules];
  for (const command of commands) {
    if (command.do === 'insert') {
      assert.ok(command.position >= 1 && command.position <= now.length + 1, `position ${command.position} of ${now.length}`);
      now.splice(command.position - 1, 0, command.rule);
    } else if (command.do === 'delete') {
      assert.ok(now.includes(command.rule));
      now.splice(now.indexOf(command.rule), 1);
    } else {
      now.push(command.rule);
    }
  }
  return now;
}

const chains = (rules: readonly string[]) => [{ table: 'raw', chain: 'PREROUTING', rules: [...rules] }];

iptables('stand as they stood, whatever twins there are', () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const before = chain(seeded(seed));
    const left = before.filter((rule) => !isSip(rule));
    assert.equal(restored(left, putBackIptables(chains(left), iptablesTaken(before))), before, `seed ${seed}`);
  }
});

iptables('are put back once, and taken out again without touching what stood there', () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const random = seeded(seed);
    const before = chain(random);
    const some = before.filter((rule) => !isSip(rule) || random.next() < 0.3);
    const taken = iptablesTaken(before);
    const back = restored(some, putBackIptables(chains(some), taken));
    assert.equal([...back].sort(), [...before].sort(), `seed ${seed}`);
    assert.equal(putBackIptables(chains(back), taken), [], `seed ${seed}: twice`);
    assert.equal(restored(back, takeOutIptables(chains(back), taken, chains(some))).sort(), [...some].sort(), `seed ${seed}: taken out`);
  }
});

iptables('go into a built-in chain that does not show yet, and not into another that is gone', () => {
  const rules = [SIP[0] as string];
  assert.equal(
    putBackIptables([], iptablesTaken(rules)).map(({ chain: name }) => name),
    ['PREROUTING'],
  );
  assert.equal(putBackIptables([], iptablesTaken(rules, 'zone_lan_helper')), []);
});

iptables('are the union of what several runs took, family by family', () => {
  const v4 = iptablesTaken([SIP[0] as string, 'a']);
  const v6 = { ...iptablesTaken([SIP[1] as string]), save: 'ip6tables-save', restore: 'ip6tables-restore' };
  assert.equal(mergeIptables([v4, v6, v4]), [v4, v6]);
});

iptables.run();
