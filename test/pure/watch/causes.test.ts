/** One table of causes for what is seen at once and for what only time shows. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toldText } from '../../../src/cli/watch-text.ts';
import { fixesOf, namesOf } from '../../../src/cli/watch-causes.ts';
import { CAUSES as TABLE } from '../../../src/diagnose/table.ts';
import { DIAGNOSED } from '../../../src/watch/causes.ts';
import type { CauseName } from '../../../src/watch/causes.ts';
import { CAUSES } from '../../../src/watch/said.ts';

const causes = suite('causes of a watch');

const names = Object.keys(CAUSES) as CauseName[];

causes('are those of a diagnosis, by its codes and with its fixes', () => {
  const codes = new Set(TABLE.map(({ code }) => code));
  assert.equal(
    names.flatMap((name) => DIAGNOSED[name].filter((code) => !codes.has(code))),
    [],
  );
  assert.equal(Object.keys(DIAGNOSED).sort(), [...names].sort());
  // What only time shows has its own name, which is none of a diagnosis.
  assert.equal(
    names.filter((name) => DIAGNOSED[name].length === 0),
    ['state-taken', 'dropped-here', 'unanswered-beyond'],
  );
  assert.equal(
    names.filter((name) => codes.has(name)),
    [],
  );
  for (const name of names) assert.is(fixesOf(name).length, DIAGNOSED[name].length, name);
});

causes('are told by that name, with that fix, once', () => {
  assert.equal([namesOf('state-expired'), namesOf('dropped-here')], ['state-short', 'dropped-here']);
  const told = { at: 0, phone: '192.168.1.10', far: '203.0.113.10:5060', call: null, cause: 'state-expired' } as const;
  const ended = { ...told, what: 'state-ended', how: 'expired', by: null, ended: 0, inCall: false } as const;
  const text = toldText(ended, true);
  assert.match(text, '          [state-short] The router forgets the phone');
  assert.match(text, '          Fix: `');
  assert.match(toldText(ended, false), / \[state-short\]\n$/);
});

causes.run();
