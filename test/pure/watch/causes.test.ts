/** One table of causes for what is seen at once and for what only time shows. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toldText } from '../../../src/cli/watch-text.ts';
import { causeSaid, fixesOf, namedIn, nameOf } from '../../../src/cli/watch-causes.ts';
import { CAUSES as TABLE } from '../../../src/diagnose/table.ts';
import { codesOf, DIAGNOSED } from '../../../src/watch/causes.ts';
import type { CauseName } from '../../../src/watch/causes.ts';
import { OWN } from '../../../src/watch/said.ts';

const causes = suite('causes of a watch');

const diagnosed = Object.keys(DIAGNOSED) as (keyof typeof DIAGNOSED)[];
const names: CauseName[] = [...diagnosed, ...(Object.keys(OWN) as (keyof typeof OWN)[])];

causes('are those of a diagnosis, by its codes, in its words and with its fixes', () => {
  const whats = new Map(TABLE.map(({ code, what }) => [code, what.text]));
  for (const name of diagnosed) {
    const codes = codesOf(name);
    assert.ok(codes.length > 0 && codes.every((code) => whats.has(code)), name);
    assert.is(causeSaid(name).text, codes.map((code) => whats.get(code)).join(' Or: '), name);
    assert.is(fixesOf(name).length, codes.length, name);
  }
  // What only time shows has its own name, which is none of a diagnosis, and words.
  assert.equal(names.filter((name) => !(name in DIAGNOSED)).sort(), ['dropped-here', 'state-taken', 'unanswered-beyond']);
  assert.equal(
    names.filter((name) => whats.has(name)),
    [],
  );
  for (const name of names) assert.ok(causeSaid(name).text.length > 20, name);
});

causes('that are called the same are counted together', () => {
  const all = namedIn({ 'private-sdp': 2, 'blocked-or-private': 1, 'dropped-here': 4 });
  assert.equal(
    all.map(({ code, times }) => `${code} ${times}`),
    ['sdp-private 2', 'audio-lost-upstream|sdp-private 1', 'dropped-here 4'],
  );
});

causes('are told by that name, with that fix, once', () => {
  assert.equal([nameOf('state-expired'), nameOf('dropped-here')], ['state-short', 'dropped-here']);
  const told = { at: 0, phone: '192.168.1.10', far: '203.0.113.10:5060', call: null, cause: 'state-expired' } as const;
  const ended = { ...told, what: 'state-ended', how: 'expired', by: null, ended: 0, inCall: false } as const;
  const text = toldText(ended, true);
  assert.match(text, '          [state-short] The router forgets a phone before it speaks again');
  assert.match(text, /\n {10}Fix:\s+`uci set sipalg\.main\.policy=1 && uci commit sipalg/);
  assert.match(toldText(ended, false), / \[state-short\]\n$/);
});

causes.run();
