/** Lines out of pieces, and whether a text is one document or many. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { holdsLines } from '../../../src/fleet/input.ts';
import { linesOf } from '../../../src/fleet/lines.ts';
import { createSummary, MOST_ALIKE, MOST_NAMED } from '../../../src/fleet/summary.ts';
import type { VerdictLine } from '../../../src/fleet/verdicts.ts';

/** As an engine's door hands pieces over: one Buffer, used again. */
function pieces(text: string, size: number): () => Promise<Uint8Array | null> {
  const bytes = Buffer.from(text);
  const buffer = Buffer.alloc(size);
  let at = 0;
  return async () => {
    buffer.fill(0xaa);
    if (at >= bytes.length) return null;
    const end = Math.min(bytes.length, at + size);
    buffer.set(bytes.subarray(at, end));
    const piece = buffer.subarray(0, end - at);
    at = end;
    return piece;
  };
}

async function read(text: string, size: number, most = 100): Promise<[number, string | null][]> {
  const all: [number, string | null][] = [];
  for await (const lines of linesOf(pieces(text, size), most))
    for (const { number, bytes } of lines) all.push([number, bytes === null ? null : Buffer.from(bytes).toString()]);
  return all;
}

const lines = suite('lines');

lines('are the same however they are cut, blank ones counted and left out', async () => {
  const text = 'one\n\ntwo ü\r\n \t\nthree\n' + 'x'.repeat(100) + '\n' + 'y'.repeat(101) + '\nlast';
  const expected = [
    [1, 'one'],
    [3, 'two ü\r'],
    [5, 'three'],
    [6, 'x'.repeat(100)],
    [7, null],
    [8, 'last'],
  ];
  for (const size of [1, 2, 3, 7, 50, 1000]) assert.equal(await read(text, size), expected, String(size));
  assert.equal(await read('', 5), []);
  assert.equal(await read('\n\n', 5), []);
});

lines('are told from one document by how a text begins', () => {
  for (const [text, ended, expected] of [
    ['{"a":1}\n{"a":2}', true, true],
    ['{"a":1}\n\n  {"a":2}\n', true, true],
    ['ssh: no\n{"a":2}\n', false, true],
    ['{"a":1}\nnonsense\n', false, true],
    ['{\n  "a": 1\n}\n', true, false],
    ['{"a":1,\n"b":2}\n', true, false],
    ['hello\nworld\n', true, false],
    ['{"a":1}\n', true, false],
    ['{"a":1}\n', false, null],
    ['{"a":1}\n{"a', false, null],
    ['', true, false],
  ] as const)
    assert.is(holdsLines(text, ended), expected, JSON.stringify(text));
});

lines('are summed up in what does not grow, and the worst are named first', () => {
  const summary = createSummary();
  const judged = (line: number, alg: 'off' | 'rewriting', exit: 0 | 1): VerdictLine => ({
    line,
    router: `r${line}`,
    exit,
    at: line,
    release: `release ${line}`,
    wish: 'disabled',
    verdict: {
      alg,
      flows: null,
      text: alg,
      returns: [],
      findings: [{ code: `code-${line}`, weight: 'risk', text: 'x', evidence: [] }],
      unread: [],
    },
  });
  for (let line = 1; line <= 2000; line++) summary.take(judged(line, 'off', line % 2 === 0 ? 1 : 0));
  summary.take({ line: 2001, exit: 2, error: 'Line 2001 is not JSON.' });
  summary.take(judged(2002, 'rewriting', 1));
  const end = summary.end();
  assert.equal([end.routers, end.stands['not as wished'], end.stands['in order'], end.from, end.to], [2002, 1000, 1000, 1, 2002]);
  // The same is said of all that are not as wished: they stand together, behind the one that is worse.
  assert.equal(
    end.worst.map(({ stand, routers, members }) => [stand, routers, members.length, members[0]?.router]),
    [
      ['rewriting', 1, 1, 'r2002'],
      ['not as wished', 1000, MOST_ALIKE, 'r2'],
      ['unjudged', 1, 1, null],
    ],
  );
  assert.is(end.unnamed, 0);
  assert.ok(end.releases.length <= 201 && end.findings.length <= 201);
  assert.is(end.releases[0]?.release, 'others');
  // More kinds than are told are counted.
  const many = createSummary();
  for (let line = 1; line <= MOST_NAMED + 7; line++) many.take({ line, exit: 2, error: `Line ${line} is not JSON.` });
  assert.equal([many.end().worst.length, many.end().unnamed], [MOST_NAMED, 7]);
});

lines.run();
