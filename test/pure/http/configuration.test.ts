/** /etc/config/sipalg over the page's own mount: who may read it and write it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answerConfiguration } from '../../../src/http/configuration.ts';
import type { Written } from '../../../src/http/configuration.ts';
import type { Access, Logins } from '../../../src/http/logins.ts';
import type { Session } from '../../../src/http/sessions.ts';
import { say, Trouble } from '../../../src/words/say.ts';
import { MOST_BODY, MOST_CHANGE } from '../../../src/http/message.ts';
import { HOST, mounted } from './served.ts';

const REPLY = { revision: 'r1', sections: [] };
const session = (rpcd: string | null): Session => ({ id: 'x', login: rpcd === null ? 'token' : 'password', rpcd, begun: 0, used: 0 });

/** A door and an rpcd that note what they are asked. */
function world({ read, write, written = { done: REPLY } }: { read: Access; write: Access; written?: Written }) {
  const asked: string[] = [];
  const logins = {
    async configuration(rpcd: string, right: 'read' | 'write') {
      asked.push(`${rpcd}: ${right}?`);
      return right === 'read' ? read : write;
    },
  } as Logins;
  const door = {
    async read(secrets: boolean) {
      asked.push(secrets ? 'read with secrets' : 'read');
      return REPLY;
    },
    async write(revision: string, changes: readonly unknown[]) {
      asked.push(`write ${revision} ${JSON.stringify(changes)}`);
      return written;
    },
  };
  const ask = async (rpcd: string | null, isWrite: boolean, given = {}): Promise<[number, unknown] | 'over'> => {
    const answer = await answerConfiguration(door, session(rpcd), logins, isWrite, given);
    if (answer === 'over') return answer;
    const { code, error, result } = JSON.parse(answer.body) as { code?: string; error?: string; result?: unknown };
    return [answer.status, code ?? error ?? result];
  };
  return { asked, ask };
}

const CHANGE = { revision: 'r1', changes: [{ do: 'remove', section: 'a' }] };

const rights = suite('the rights to the configuration');

rights('are asked of rpcd for each request, reading and writing apart', async () => {
  const viewer = world({ read: 'granted', write: 'refused' });
  assert.equal(await viewer.ask('sid', false), [200, REPLY]);
  assert.equal(await viewer.ask('sid', true, CHANGE), [403, 'http-no-uci-write']);
  assert.equal(viewer.asked, ['sid: read?', 'sid: write?', 'read', 'sid: write?']);

  const none = world({ read: 'refused', write: 'refused' });
  assert.equal(await none.ask('sid', false), [403, 'http-no-uci-read']);
  assert.equal(none.asked, ['sid: read?']);

  const root = world({ read: 'granted', write: 'granted' });
  assert.equal(await root.ask('sid', false), [200, REPLY]);
  assert.equal(await root.ask('sid', true, CHANGE), [200, { done: REPLY }]);
  assert.equal(root.asked, ['sid: read?', 'sid: write?', 'read with secrets', 'sid: write?', 'write r1 [{"do":"remove","section":"a"}]']);
});

rights('of who came by the link are all there are, and rpcd is not asked', async () => {
  const link = world({ read: 'refused', write: 'refused' });
  assert.equal(await link.ask(null, true, CHANGE), [200, { done: REPLY }]);
  assert.equal(await link.ask(null, false), [200, REPLY]);
  assert.equal(link.asked, ['write r1 [{"do":"remove","section":"a"}]', 'read with secrets']);
});

rights('that cannot be asked are none, and a session that is over is that', async () => {
  const mute: Access = { unavailable: say('http-no-rpcd', '-') };
  const without = world({ read: mute, write: mute });
  assert.equal(await without.ask('sid', false), [503, 'http-no-rpcd']);
  assert.equal(await without.ask('sid', true, CHANGE), [503, 'http-no-rpcd']);
  const over = world({ read: 'over', write: 'over' });
  assert.is(await over.ask('sid', false), 'over');
  assert.is(await over.ask('sid', true, CHANGE), 'over');
  assert.not.ok([...without.asked, ...over.asked].some((one) => /^(read|write)/.test(one)));
});

rights('are asked before what was sent is looked at, which has a revision and few changes', async () => {
  const { ask, asked } = world({ read: 'granted', write: 'granted' });
  for (const given of [{}, { revision: 'r1' }, { changes: [] }, { revision: 'r1', changes: Array.from({ length: 501 }, () => 0) }])
    assert.equal(await ask('sid', true, given), [400, 'A change says on which revision it builds, and has at most 500 changes.']);
  assert.equal(asked, ['sid: write?', 'sid: write?', 'sid: write?', 'sid: write?']);
});

rights('do not change what somebody else has written meanwhile (409) or what is wrong (422)', async () => {
  const stale = world({ read: 'granted', write: 'granted', written: { stale: true } });
  assert.equal(await stale.ask('sid', true, CHANGE), [409, { stale: true }]);
  const refused = [{ section: 'sipalg.main', option: 'alg', text: 'It is wrong.' }];
  const wrong = world({ read: 'granted', write: 'granted', written: { refused } });
  assert.equal(await wrong.ask('sid', true, CHANGE), [422, { refused }]);
});

rights('are one thing, and what goes wrong behind them another, which is said by its code', async () => {
  const { post, link } = mounted({
    configuration: {
      read: () => Promise.reject(new Trouble(say('form-unread', '{file} could not be read: {because}.', { file: 'f', because: 'b' }))),
      write: () => Promise.reject(new Error('It is broken.')),
    },
  });
  const cookie = await link();
  const read = await post('/configuration', {}, { cookie });
  const parameters = { file: 'f', because: 'b' };
  assert.equal([read.status, JSON.parse(read.body)], [500, { error: 'f could not be read: b.', code: 'form-unread', parameters }]);
  const write = await post('/configure', CHANGE, { cookie });
  assert.equal([write.status, JSON.parse(write.body)], [500, { error: 'It is broken.' }]);
});

rights('are for the page itself: without a session, from another origin, or by GET nothing is read or written', async () => {
  const asked: string[] = [];
  const { ask, post, link, clock } = mounted({
    configuration: {
      read: async () => (asked.push('read'), REPLY),
      write: async () => (asked.push('write'), { done: REPLY }),
    },
  });
  const cookie = await link();
  const statusOf = async (answer: ReturnType<typeof post>): Promise<number> => (await answer).status;
  for (const path of ['/configuration', '/configure']) {
    assert.is(await statusOf(post(path, CHANGE)), 401);
    assert.is(await statusOf(post(path, CHANGE, { cookie, as: { origin: 'http://evil.example' } })), 403);
    assert.is(await statusOf(post(path, CHANGE, { cookie, without: 'x-sipalg' })), 403);
    assert.is(await statusOf(post(path, CHANGE, { cookie, as: { 'content-type': 'text/plain' } })), 415);
    assert.is(
      await statusOf(
        ask('GET', path, [
          ['host', HOST],
          ['cookie', cookie],
        ]),
      ),
      405,
    );
  }
  assert.equal(asked, []);
  assert.is(await statusOf(post('/configure', CHANGE, { cookie })), 200);
  await clock.pass(12 * 3600_000 + 1);
  assert.is(await statusOf(post('/configure', CHANGE, { cookie })), 401);
  assert.equal(asked, ['write']);
});

rights('decide how much a request may bring: a change by who has logged in more than any other', async () => {
  const door = { read: async () => REPLY, write: async () => ({ done: REPLY }) };
  const { handle, link, sessions } = mounted({ configuration: door });
  const cookie = await link();
  const most = (changes: { method?: string; target?: string; without?: string; as?: Record<string, string> }): number => {
    const { method = 'POST', target = '/configure', without = '', as = {} } = changes;
    const headers = { host: HOST, origin: `http://${HOST}`, 'x-sipalg': '1', cookie, ...as };
    const given = Object.entries(headers).filter(([name]) => name !== without);
    return handle.most?.({ method, target, headers: given, address: '127.0.0.1' }) ?? 0;
  };
  assert.is(most({}), MOST_CHANGE);
  for (const less of [
    { method: 'GET' },
    { target: '/call' },
    { target: '/configuration' },
    { without: 'cookie' },
    { without: 'x-sipalg' },
    { as: { cookie: 'sipalg_8061=guess' } },
    { as: { origin: 'http://elsewhere.example' } },
    { as: { host: 'elsewhere.example' } },
  ])
    assert.is(most(less), MOST_BODY, JSON.stringify(less));
  sessions.close(cookie.replace(/^\w+=/, ''));
  assert.is(most({}), MOST_BODY, 'the session is over');
});

rights.run();
