import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { REWRITINGS } from './alg.ts';
import { anyOf, bothSides, compared, named, packetsOf } from './captures.ts';
import type { Sent } from './captures.ts';
import { reply, request } from './dialogue.ts';

/** Each rewriting in a call of its own, and beside each a message that nothing is done to. */
const sent: Sent[] = REWRITINGS.flatMap(({ message, rewrite, toProvider = true }, index) => {
  const about = { callId: `rewriting-${index}` };
  const text = message(about);
  const before: Sent = { at: index, text: request('OPTIONS', { callId: `rewriting-${index}`, cseq: 7 }) };
  return [
    before,
    { at: index + 0.1, text, out: rewrite(text), toProvider },
    { at: index + 0.2, text: reply('200 OK', 'OPTIONS', { ...about, cseq: 7 }), toProvider: false },
  ];
});

const calls = (result: ReturnType<typeof bothSides>): Map<string, string[]> =>
  new Map(
    result.calls.map(({ callId, rows }) => [callId.replace(/@.*/, ''), rows.flatMap(({ differences }) => differences.map(named)).sort()]),
  );

const rewritings = suite('rewritings');

for (const [index, { name, finds }] of REWRITINGS.entries()) {
  rewritings(`are named: an ALG that ${name}`, () => {
    assert.equal(calls(bothSides(sent.slice(index * 3, index * 3 + 3))).get(`rewriting-${index}`), [...finds].sort());
  });
}

rewritings('are found all, and nothing else is, in two captures and in one of both sides', () => {
  const results = [bothSides(sent, { limits: { calls: 500 } }), compared([anyOf(packetsOf(sent))], { limits: { calls: 500 } })];
  for (const result of results) {
    const found = calls(result);
    let [right, wrong, missed] = [0, 0, 0];
    for (const [index, { finds }] of REWRITINGS.entries()) {
      const got = found.get(`rewriting-${index}`) ?? [];
      right += got.filter((each) => finds.includes(each)).length;
      wrong += got.filter((each) => !finds.includes(each)).length;
      missed += finds.filter((each) => !got.includes(each)).length;
    }
    assert.equal({ recall: right / (right + missed), precision: right / (right + wrong) }, { recall: 1, precision: 1 });
    assert.is(
      right,
      REWRITINGS.reduce((sum, { finds }) => sum + finds.length, 0),
    );
    const served = REWRITINGS.filter(({ finds }) => finds.every((each) => each.endsWith('server'))).length;
    const { counts } = result;
    assert.equal(
      [counts.same, counts.changed, counts.served, counts.dropped + counts.appeared],
      [REWRITINGS.length * 2, REWRITINGS.length - served, served, 0],
    );
  }
});

rewritings('are counted the same where calls are no longer kept and shapes are met again', () => {
  const many = [0, 1, 2, 3].flatMap((round) =>
    sent.map((one) => ({
      ...one,
      at: one.at + round * 100,
      text: one.text.replace(/rewriting-/g, `${round}-rewriting-`),
      ...(one.out === undefined || one.out === null ? {} : { out: one.out.replace(/rewriting-/g, `${round}-rewriting-`) }),
    })),
  );
  const numbered = many.map((one, index) => ({ ...one, id: index + 1 }));
  const tallies = (calls: number): string[] =>
    bothSides(numbered, { limits: { calls } })
      .tallies.map(({ field, part, change, cause, toProvider, count, messages }) =>
        [field, part, change, cause, toProvider, count, [...messages].sort()].join('|'),
      )
      .sort();
  assert.equal(tallies(1), tallies(1000));
});

rewritings('are not seen where there are none', () => {
  const result = bothSides(sent.map(({ out: _out, ...rest }) => rest));
  assert.equal([result.verdict, result.counts.same, result.counts.changed], ['unchanged', sent.length, 0]);
  assert.equal(
    result.calls.flatMap(({ rows }) => rows.flatMap(({ differences }) => differences)),
    [],
  );
});

rewritings.run();
