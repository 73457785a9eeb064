/** What facts have of /etc/config/sipalg. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { recordedRouter } from '../../routers.ts';
import { observe } from '../../../src/observe/observe.ts';

const wish = suite('the configuration in facts');

wish('is there but for the password of a Homer server, however it is written', async () => {
  const text = [
    "config hep 'hep'",
    "\toption enabled '1'",
    "\toption password 'hunter2 and more'",
    '\toption "password" "hunter2\\',
    'hunter2"',
    "  list 'password' hunter2",
    "\toption node '7'",
    '',
  ].join('\n');
  const router = recordedRouter('stock-alg-on');
  const host = { ...router, read: async (path: string, ...more: []) => path === '/etc/config/sipalg' ? { state: 'present' as const, value: text, source: path } : router.read(path, ...more) };
  const facts = await observe(host as never);
  assert.is(
    facts.wish.text.state === 'present' ? facts.wish.text.value : '',
    ["config hep 'hep'", "\toption enabled '1'", "\toption password '...'", "\toption \"password\" '...'", "  list 'password' '...'", "\toption node '7'", ''].join('\n'),
  );
  assert.not.match(JSON.stringify(facts), 'hunter2');
});

wish.run();
