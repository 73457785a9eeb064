import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reply } from '../../../src/object/object.ts';
import { shortened } from '../../../src/daemon/reply-size.ts';
import { viewOf } from '../../../src/page/model.ts';
import { begin, looked } from '../../../src/page/state.ts';
import { wordsIn } from '../../../src/page/words.ts';
import { MAX_BLOB } from '../../../src/ubus/blob.ts';
import { encodeTable } from '../../../src/ubus/value.ts';
import { NOW } from '../../routers.ts';
import { IN_FORCE, policyFacts, withVoice } from '../../voice.ts';
import { reportOf } from './hand.ts';

const bytes = (table: object): number => encodeTable({ ...table }).length;
const short = (reply: object): Reply => shortened({ ...reply }, JSON.stringify(reply).length) as unknown as Reply;

/** A reply on a router with so many networks of a provider and so many attempts, and the files that go with them. */
async function replyWith(networks: number, attempts: number): Promise<Reply> {
  const report = await reportOf('disabled');
  const list = Array.from({ length: networks }, (_, at) => `10.${(at >> 8) & 255}.${at & 255}.${(at >> 16) * 16}/28`);
  const { wish, inForce } = policyFacts();
  const file = list.join(',\n    ');
  const facts = withVoice(
    report.facts,
    policyFacts({
      wish: { ...wish, providers: [{ name: 'huge', hosts: [], signalling: list, media: [], inbound: null }] },
      inForce: {
        ...inForce,
        all: {
          state: 'present',
          source: 'nft',
          value: {
            ...IN_FORCE,
            attempts: Array.from({ length: attempts }, (_, at) => ({
              source: `198.51.${at >> 8}.${at & 255}`,
              method: 'REGISTER',
              seen: attempts - at,
              dropped: 0,
              first: NOW,
              last: NOW,
            })),
          },
        },
      },
      files: { '/etc/sipalg.policy': { state: 'present', value: file, source: '/etc/sipalg.policy' } },
    }),
  );
  const text = {
    state: 'present' as const,
    value: list.map((one) => `\tlist signalling '${one}'\n`).join(''),
    source: '/etc/config/sipalg',
  };
  return { ...report, facts: { ...facts, wish: { ...facts.wish, text } }, now: { running: null, pending: [], age: 0, last: null } };
}

const attemptsOf = ({ facts }: Reply): number =>
  facts?.policy.state === 'present' && facts.policy.value.inForce.all.state === 'present'
    ? facts.policy.value.inForce.all.value.attempts.length
    : -1;
const networksOf = ({ facts }: Reply): number =>
  facts?.policy.state === 'present' ? (facts.policy.value.wish.providers[0]?.signalling.length ?? -1) : -1;

const suiteShort = suite('a reply that is more than ubus takes');

suiteShort('is no reply that ubus takes: that one is sent as it is', async () => {
  for (const [networks, attempts] of [
    [0, 0],
    [100, 100],
    [3000, 100],
  ] as const) {
    const reply = await replyWith(networks, attempts);
    assert.equal(short(reply), reply);
  }
});

suiteShort('loses its long texts first: ten thousand networks are all there', async () => {
  const reply = await replyWith(12_000, 1000);
  assert.throws(() => bytes(reply), /larger than/);
  const sent = short(reply);
  assert.ok(bytes(sent) < MAX_BLOB);
  assert.equal([networksOf(sent), attemptsOf(sent)], [12_000, 1000]);
  const text = sent.facts?.wish.text;
  assert.match(text?.state === 'present' ? text.value : '', / \[\d+ characters in all\]$/);
  assert.match(sent.shortened ?? '', /`sipalg status --json` has all of it/);
  assert.equal(sent.verdict, reply.verdict);
});

suiteShort('then attempts, the busiest of which stay: who sends from everywhere does not blind the page', async () => {
  const sent = short(await replyWith(10_000, 8192));
  assert.ok(bytes(sent) < MAX_BLOB);
  assert.equal([networksOf(sent), attemptsOf(sent)], [10_000, 500]);
});

suiteShort('then everything that is long', async () => {
  const sent = short(await replyWith(60_000, 8192));
  assert.ok(bytes(sent) < MAX_BLOB);
  assert.equal([networksOf(sent), attemptsOf(sent)], [500, 500]);
});

suiteShort('says so on the page', async () => {
  const view = viewOf(
    looked(begin({ read: true, write: true }), short(await replyWith(12_000, 1000)), 0),
    wordsIn((text) => text),
  );
  assert.match(view.notices.map(({ text }) => text).join(), 'more than ubus takes in one message');
});

suiteShort.run();
