import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { damage, seeded } from '../../seeded.ts';
import { HOST, mounted } from './served.ts';

const fuzz = suite('damaged requests');

fuzz('get a status each, and none of them gets through', async () => {
  const random = seeded(8061);
  const { ask, calls } = mounted();
  const texts = [
    'GET',
    'POST',
    '/',
    '/call',
    '/?token=x',
    HOST,
    `http://${HOST}`,
    '1',
    'application/json',
    'sipalg_8061=x',
    '{"method":"disable"}',
  ];
  for (let n = 0; n < 10_000; n++) {
    const [method, , , target, , host, origin, one, type, cookie, body] = texts.map((text) => damage(text, random)) as string[];
    const answer = await ask(
      n % 2 ? 'POST' : (method as string),
      n % 3 ? '/call' : (target as string),
      [
        ['host', n % 5 ? HOST : (host as string)],
        ['origin', origin as string],
        ['x-sipalg', one as string],
        ['content-type', type as string],
        ['cookie', cookie as string],
      ],
      body as string,
    );
    assert.ok(answer.status >= 200 && answer.status < 500, `${answer.status}`);
  }
  assert.equal(calls, []);
});

fuzz.run();
