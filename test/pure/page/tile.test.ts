/** The line on LuCI's overview, as it is packed, in a stand-in for LuCI and for a document. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scan } from '../../page/loader.ts';
import { statusOf } from '../../page/replies.ts';
import { later, settle } from '../daemon/hand.ts';

interface Tile {
  title: string;
  load(): Promise<unknown>;
  render(reply: unknown): { href: string; textContent: string } | null;
}

const tile = suite<{ folder: string; source: string; known: Set<string> }>('the line on the overview');

tile.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'sipalg-tile-'));
  const { buildPage, TILE, sentences } = await import(pathToFileURL(join(process.cwd(), 'package/page.mjs')).href);
  await buildPage(context.folder);
  context.source = readFileSync(join(context.folder, 'luci', TILE), 'utf8');
  context.known = new Set((sentences() as { text: string }[]).map(({ text }) => text));
});

tile.after(({ folder }) => rmSync(folder, { recursive: true, force: true }));

/** A tile in a document, what it asks, and who waits for a timer. */
function overview({ source, known }: { source: string; known: Set<string> }, answer: () => Promise<unknown>) {
  const { needs, wrapped } = scan(source, true);
  assert.equal(
    needs.map(({ name }) => name),
    ['baseclass', 'rpc'],
  );
  const asked: object[] = [];
  const timers: (() => void)[] = [];
  const document = { hidden: false, createElement: (name: string) => ({ name, href: '', textContent: '' }) };
  const translated = (text: string): string => {
    assert.ok(known.has(text), `${text} is not among the sentences that are translated`);
    return `<${text}>`;
  };
  const rpc = {
    declare: (call: object) => (): Promise<unknown> => {
      asked.push(call);
      return answer();
    },
  };
  const baseclass = { extend: (members: object) => members };
  const L = { url: (path: string) => `/cgi-bin/luci/${path}` };
  // LuCI has these two as globals.
  const loaded = new Function('_', 'setTimeout', `return ${wrapped}`) as (...globals: unknown[]) => (...handed: unknown[]) => Tile;
  const own = loaded(translated, (task: () => void) => void timers.push(task))({}, document, L, baseclass, rpc);
  /** As the overview does, every few seconds. */
  const drawn = async (): Promise<string | null> => own.render(await own.load())?.textContent ?? null;
  return { own, asked, timers, document, drawn };
}

tile('is called SIP ALG, says how it stands in a word, and leads to the page', async (context) => {
  const words: Record<string, string | undefined> = {};
  for (const router of ['stock-alg-on', 'tracking-only', 'disabled', 'dormant', 'not-root']) {
    const reply = await statusOf(router);
    const { own, drawn } = overview(context, async () => reply);
    assert.is(own.title, '<SIP ALG>');
    words[router] = (await drawn()) ?? undefined;
    assert.is(own.render(reply)?.href, '/cgi-bin/luci/admin/services/sipalg');
  }
  assert.equal(words, {
    'stock-alg-on': '<On>',
    'tracking-only': '<On>',
    disabled: '<Off>',
    dormant: '<Off, but not for good>',
    'not-root': '<Unknown>',
  });
});

tile('asks by itself, not in one request with other parts, and not where nobody sees it', async (context) => {
  const reply = await statusOf('disabled');
  const { asked, document, drawn } = overview(context, async () => reply);
  document.hidden = true;
  assert.equal([await drawn(), asked], [null, []]);
  document.hidden = false;
  await drawn();
  assert.equal(asked, [{ object: 'sipalg', method: 'status', expect: {}, reject: true, nobatch: true }]);
  document.hidden = true;
  assert.equal([await drawn(), asked.length], ['<Off>', 1]);
});

tile('holds up no other part: what comes late is shown the next time, and is asked for once', async (context) => {
  const answers = [later<unknown>()];
  const { asked, timers, drawn } = overview(context, () => (answers[0] as ReturnType<typeof later<unknown>>).promise);
  const first = drawn();
  await settle();
  for (const task of timers.splice(0)) task();
  assert.is(await first, null);
  const second = drawn();
  await settle();
  assert.is(asked.length, 1, 'the first question is still out');
  answers[0]?.resolve(await statusOf('disabled'));
  assert.is(await second, '<Off>');
});

tile('is not there where nothing answers, and does not go on saying what was', async (context) => {
  let answer: () => Promise<unknown> = () => Promise.reject(new Error('RPC call to sipalg/status failed with ubus code 4'));
  const { drawn } = overview(context, () => answer());
  assert.is(await drawn(), null);
  // A LuCI that does not know `reject` gives ubus' number, and a report that is not made yet has no verdict.
  for (const nothing of [6, null, { verdict: null }]) {
    answer = async () => nothing;
    assert.is(await drawn(), null);
  }
  const reply = await statusOf('disabled');
  answer = async () => reply;
  assert.is(await drawn(), '<Off>');
  answer = () => Promise.reject(new Error('XHR request timed out'));
  assert.is(await drawn(), '<Unknown>');
});

tile.run();
