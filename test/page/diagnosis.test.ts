/** The tab Diagnosis and the drawings, in a real browser: by keyboard, on a phone's width, and quiet where nothing is new. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import type { Arguments, MethodName, Reply } from '../../src/object/object.ts';
import { hasten, lookNow } from './looking.ts';
import { openBrowser } from '../lab/browser.ts';
import type { Browser } from '../lab/browser.ts';
import { calls, DIAGNOSED, HISTORY, PROBED } from './beside.ts';
import { scripted } from './scripted.ts';
import { serveLuci } from './served-luci.ts';
import { serve } from './served.ts';

interface Context {
  folder: string;
  browser: Browser;
}

const INSPECT = readFileSync('test/page/inspect.js', 'utf8');
/** Counts whatever changes within what it finds. */
const count = (selector: string): string =>
  `window.moved = 0; for (const one of document.querySelectorAll(${JSON.stringify(selector)}))
     new MutationObserver((all) => { window.moved += all.length; })
       .observe(one, { attributes: true, childList: true, characterData: true, subtree: true })`;

const suiteOf = suite<Context>('the tab Diagnosis, in a browser');

suiteOf.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'page-'));
  const { buildPage } = await import(pathToFileURL(join(process.cwd(), 'package/page.mjs')).href);
  await buildPage(context.folder);
  context.browser = await openBrowser({ width: 360, height: 800 });
});

suiteOf.after(async ({ browser, folder }) => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The page on an object that answers everything, and what it was asked. */
async function opened(
  { folder, browser }: Context,
  mount: 'own' | 'LuCI',
  use: (page: Page, asked: [MethodName, Arguments][]) => Promise<void>,
): Promise<void> {
  const object = scripted('voice-in-force');
  const asked: [MethodName, Arguments][] = [];
  let watching = false;
  const answers: Partial<Record<MethodName, () => unknown>> = {
    probe: () => PROBED,
    diagnose: () => DIAGNOSED,
    history: () => HISTORY,
    report: () => ({ html: '<!DOCTYPE html><title>for the provider</title>' }),
    watch() {
      watching = true;
      return calls(true);
    },
    calls: () => (watching ? calls(true) : { watched: null }),
  };
  const answer = async (method: MethodName, args: Arguments): Promise<Reply> => {
    asked.push([method, args]);
    return (answers[method]?.() ?? (await object.answer(method, args))) as Reply;
  };
  const served =
    mount === 'own'
      ? await serve({ folder: join(folder, 'page'), answer })
      : await serveLuci({ folder: join(folder, 'luci'), answer, second: 100 });
  await hasten(browser.context);
  const { page, wrong } = await browser.open(served.url);
  try {
    await use(page, asked);
    assert.equal(wrong, [], 'nothing went wrong in the browser, no policy was violated');
  } finally {
    await page.close();
    await served.close();
  }
}

const textsOf = (page: Page, selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();
/** Of tabs one alone is reached by Tab, and arrows lead to the others. */
const wrongIn = async (page: Page): Promise<string[]> =>
  ((await page.evaluate(INSPECT)) as string[]).filter((one) => !/^<button> "(Status|Voice rules|Providers|Diagnosis)" /.test(one));

/** Asks for each in turn, with Enter alone. */
async function walk(page: Page, asked: [MethodName, Arguments][]): Promise<void> {
  await page.locator('[data-ask=probe]').focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('#sipalg-probe-fields');
  assert.equal(await textsOf(page, '[aria-labelledby=sipalg-probe] .alert-message.danger p'), [
    'This router rewrites SIP.',
    'One way was not tried.',
  ]);
  assert.equal(await textsOf(page, 'table[aria-label="What was changed"] tr:nth-child(2) td'), [
    'Via sent-by',
    '192.168.1.250',
    '203.0.113.7',
    'REGISTER',
  ]);

  await page.locator('#sipalg-diagnose-typed').focus();
  await page.keyboard.type('one-way audio');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#sipalg-causes');
  assert.equal(asked.find(([method]) => method === 'diagnose')?.[1], { language: 'en', symptom: 'one-way-audio' });

  await page.locator('[data-ask=watch]').focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('section[aria-labelledby=sipalg-call-1] svg');
  const image = page.getByRole('img', { name: /^Call 1: 192\.168\.1\.20:5060, .*INVITE from the phone: changed by the router/ });
  assert.is(await image.count(), 1);

  await page.locator('[data-ask=report]').focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-save=report]');
  const saving = page.waitForEvent('download');
  await page.locator('[data-save=report]').focus();
  await page.keyboard.press('Enter');
  const download = await saving;
  assert.is(download.suggestedFilename(), 'sipalg-report.html');
  assert.is(readFileSync(await download.path(), 'utf8'), '<!DOCTYPE html><title>for the provider</title>');
}

suiteOf('is walked through by keyboard: probe, causes, calls, document', async (context) => {
  await opened(context, 'own', async (page, asked) => {
    await page.waitForSelector('[role=tab]');
    await page.locator('[role=tab]').first().focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await textsOf(page, '[role=tab][aria-selected=true]'), ['Diagnosis']);
    await walk(page, asked);
    assert.equal(await wrongIn(page), []);
  });
});

suiteOf('is there in LuCI too, with all of it, and the last day beside it', async (context) => {
  await opened(context, 'LuCI', async (page, asked) => {
    await page.locator('.cbi-tabmenu a', { hasText: 'Voice rules' }).click();
    await page.waitForSelector('section[aria-labelledby=sipalg-history-phones] svg');
    await page.locator('.cbi-tabmenu a', { hasText: 'Diagnosis' }).click();
    await walk(page, asked);
  });
});

suiteOf('draws the last day in the colours of the text around, as wide as a phone, and moves nothing without news', async (context) => {
  await opened(context, 'own', async (page, asked) => {
    await page.locator('[role=tab]', { hasText: 'Voice rules' }).click();
    await lookNow(page);
    await page.waitForSelector('section[aria-labelledby=sipalg-history-phones] svg');
    assert.equal(
      await page.evaluate('[...document.querySelectorAll("svg")].map((one) => one.namespaceURI.slice(-3))'),
      Array(4).fill('svg'),
    );
    const [wide, colour] = (await page.evaluate(`(() => {
      const one = document.querySelector('svg text');
      return [document.documentElement.scrollWidth, getComputedStyle(one).fill === getComputedStyle(one.closest('section')).color];
    })()`)) as [number, boolean];
    assert.equal([wide, colour], [360, true]);
    assert.equal(await wrongIn(page), []);

    await page.evaluate(count('svg'));
    const before = asked.filter(([method]) => method === 'history').length;
    await lookNow(page);
    for (let tries = 0; asked.filter(([method]) => method === 'history').length === before && tries < 200; tries++)
      await page.waitForTimeout(10);
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
    assert.is(await page.evaluate('window.moved'), 0);
  });
});

suiteOf.run();
