import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import type { Reply } from '../../src/object/object.ts';
import type { PolicyFacts } from '../../src/voice/facts.ts';
import { openBrowser } from '../lab/browser.ts';
import { NOW } from '../routers.ts';
import { IN_FORCE, policyFacts, withVoice } from '../voice.ts';
import { hasten, lookNow } from './looking.ts';
import { scripted, statusOf } from './scripted.ts';
import { serveLuci } from './served-luci.ts';
import { serve } from './served.ts';

const INSPECT = readFileSync('test/page/inspect.js', 'utf8');

type Full = Extract<Reply, { facts: object }>;

async function replyWith(changes: Partial<PolicyFacts> = {}): Promise<Full> {
  const reply = (await statusOf('disabled')) as Full;
  return { ...reply, facts: withVoice(reply.facts, policyFacts(changes)), plan: { ...reply.plan, lacking: [] } };
}

const part = (page: Page, name: string) => page.locator(`[aria-labelledby=sipalg-${name}]`);
const texts = async (page: Page, name: string): Promise<string> => (await part(page, name).innerText()).replace(/\s+/g, ' ');

const voice = suite<{ folder: string }>('the voice rules in a browser');

voice.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'page-'));
  const { buildPage } = await import(pathToFileURL(join(process.cwd(), 'package/page.mjs')).href);
  await buildPage(context.folder);
});

voice.after(({ folder }) => {
  rmSync(folder, { recursive: true, force: true });
});

voice('are drawn as a screen reader, a tired eye and a phone need them, and change only where they have changed', async ({ folder }) => {
  for (const [width, scheme] of [
    [1100, 'light'],
    [360, 'dark'],
  ] as const) {
    const browser = await openBrowser({ width, scheme });
    const object = scripted('disabled');
    let reply = await replyWith();
    object.status = async () => reply;
    const served = await serve({ folder: join(folder, 'page'), answer: object.answer });
    try {
      await hasten(browser.context);
      const { page, wrong } = await browser.open(served.url);
      const look = async (): Promise<void> => {
        const before = object.asked.length;
        await lookNow(page);
        for (let tries = 0; object.asked.length === before && tries < 200; tries++) await page.waitForTimeout(10);
        await page.waitForTimeout(60);
      };
      await page.click('#sipalg-tab-voice');
      await part(page, 'attempts').waitFor();
      assert.match(await texts(page, 'voice'), /They are in force\. Phones seen: 192\.168\.1\.10, 192\.168\.1\.11/);
      assert.match(await texts(page, 'counters'), /Audio, marked .*90210 packets, 18042000 bytes/);
      await page.click('#sipalg-tab-providers');
      assert.match(
        await texts(page, 'names'),
        /old\.example\.com .*203\.0\.113\.9 .*STALE: 26 h ago; asked in vain 93 s ago: no server answered within 5 s/,
      );
      assert.equal(await page.evaluate(INSPECT), [], `${width}, ${scheme}, providers`);
      await page.click('#sipalg-tab-voice');
      assert.match(await texts(page, 'attempts'), /2001:db8:bad::1 .*REGISTER .*10000 .*9990 .*3 h ago .*43 s ago .*192\.0\.2\.99/);
      assert.equal(await page.evaluate(INSPECT), [], `${width}, ${scheme}`);
      const title = await page.evaluate(
        `getComputedStyle(document.querySelector('[aria-labelledby=sipalg-attempts] td:nth-child(4)'), '::before').content`,
      );
      assert.is(title, width < 600 ? '"Limited: "' : 'none', 'a figure has its name where the heads of the columns are hidden');

      await page.evaluate(
        `window.changes = []; new MutationObserver((records) => window.changes.push(...records)).observe(document.getElementById('sipalg'), { subtree: true, childList: true, characterData: true, attributes: true })`,
      );
      await look();
      assert.is(await page.evaluate('changes.length'), 0, 'the same report changes nothing');
      const more = { ...IN_FORCE, counters: IN_FORCE.counters.map((one) => ({ ...one, packets: one.packets + 1 })) };
      reply = await replyWith({ inForce: { ...policyFacts().inForce, all: { state: 'present', value: more, source: 'nft' } } });
      await look();
      assert.match(await texts(page, 'counters'), /90211 packets/);
      assert.equal(
        await page.evaluate('[...new Set(changes.map(({ type }) => type))]'),
        ['characterData'],
        'a counter that moves changes its text alone',
      );
      assert.equal(wrong, [], 'no policy was violated');
    } finally {
      await browser.close();
      await served.close();
    }
  }
});

voice('are few elements, whatever there is to show: ten thousand networks and four thousand attempts among them', async ({ folder }) => {
  const { wish, inForce } = policyFacts();
  const networks = Array.from({ length: 10_000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`);
  const attempts = Array.from({ length: 4000 }, (_, at) => ({
    source: `198.51.${at >> 8}.${at & 255}`,
    method: 'INVITE',
    seen: at,
    dropped: 0,
    first: NOW,
    last: NOW,
  }));
  const reply = await replyWith({
    wish: { ...wish, providers: [{ name: 'huge', hosts: [], signalling: networks, media: networks, inbound: null }] },
    inForce: { ...inForce, all: { state: 'present', value: { ...IN_FORCE, attempts }, source: 'nft' } },
  });
  const browser = await openBrowser({ width: 360 });
  const object = scripted('disabled');
  object.status = async () => reply;
  const served = await serve({ folder: join(folder, 'page'), answer: object.answer });
  try {
    const { page, wrong } = await browser.open(served.url);
    await page.click('#sipalg-tab-voice');
    await part(page, 'attempts').waitFor();
    assert.is(await part(page, 'attempts').locator('tr').count(), 51);
    assert.match(await texts(page, 'attempts'), /The first 50 of 4000 are shown\./);
    assert.ok(((await page.evaluate('document.querySelectorAll("#sipalg *").length')) as number) < 1500);
    assert.equal(await page.evaluate(INSPECT), []);
    assert.equal(wrong, []);
  } finally {
    await browser.close();
    await served.close();
  }
});

voice('show text of the router as text', async ({ folder }) => {
  const evil = '<img src=x onerror="document.title=1">';
  const { wish, inForce } = policyFacts();
  const reply = await replyWith({
    wish: { ...wish, providers: [{ name: evil, hosts: [{ name: evil, port: null }], signalling: [], media: [], inbound: null }] },
    names: { [evil]: { addresses: [evil], ports: [], tlsPorts: [], at: NOW, until: NOW, failed: { at: NOW, because: evil } } },
    inForce: {
      ...inForce,
      all: {
        state: 'present',
        value: { ...IN_FORCE, phones: [evil], attempts: [{ source: evil, method: evil, seen: 1, dropped: 0, first: null, last: null }] },
        source: 'nft',
      },
    },
  });
  const browser = await openBrowser();
  const object = scripted('disabled');
  object.status = async () => reply;
  const served = await serve({ folder: join(folder, 'page'), answer: object.answer });
  try {
    const { page } = await browser.open(served.url);
    await page.click('#sipalg-tab-voice');
    await part(page, 'attempts').waitFor();
    assert.equal([await page.title(), await page.locator('#sipalg img').count()], ['SIP ALG', 0]);
    assert.ok((await texts(page, 'attempts')).includes(evil));
  } finally {
    await browser.close();
    await served.close();
  }
});

voice('are in LuCI as well, every word of theirs translated', async ({ folder }) => {
  const browser = await openBrowser();
  const object = scripted('disabled');
  const reply = await replyWith();
  object.status = async () => reply;
  const served = await serveLuci({ folder: join(folder, 'luci'), answer: object.answer, mark: '~' });
  try {
    const { page, wrong } = await browser.open(served.url);
    await part(page, 'attempts').waitFor({ state: 'attached' });
    for (const name of ['voice', 'names', 'attempts']) {
      const plain = await page.evaluate(
        `[...document.querySelectorAll('[aria-labelledby=sipalg-${name}] :is(h3, th)')].map(({ textContent }) => textContent).filter((text) => !/^~.*~$/.test(text))`,
      );
      assert.equal(plain, [], name);
    }
    await page.locator('.cbi-tabmenu a', { hasText: 'Voice rules' }).click();
    assert.match(await texts(page, 'voice'), /~They are in force\.~/);
    assert.equal(wrong, []);
  } finally {
    await browser.close();
    await served.close();
  }
});

voice.run();
