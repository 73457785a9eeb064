/** Every tab in both languages, as pictures in dist/screens to be looked at, and in German without a sentence left in English. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Arguments, MethodName, Reply } from '../../src/object/object.ts';
import { openBrowser } from '../lab/browser.ts';
import { calls, DIAGNOSED, HISTORY, PROBED } from './beside.ts';
import { hasten } from './looking.ts';
import { scripted } from './scripted.ts';
import { serve } from './served.ts';

interface Context {
  folder: string;
  german: ReadonlyMap<string, string>;
  /** Sentences of the page itself that are something else in German. */
  english: string[];
}

const SCREENS = 'dist/screens';
const INSPECT = readFileSync('test/page/inspect.js', 'utf8');
const TABS = ['status', 'voice', 'providers', 'diagnosis', 'settings'] as const;

const screens = suite<Context>('the page in both languages');

screens.before(async (context) => {
  mkdirSync(SCREENS, { recursive: true });
  context.folder = mkdtempSync(join(tmpdir(), 'page-'));
  const load = (path: string): Promise<never> => import(pathToFileURL(join(process.cwd(), path)).href) as Promise<never>;
  const { buildPage } = (await load('package/page.mjs')) as { buildPage(folder: string): Promise<unknown> };
  await buildPage(context.folder);
  const { PARTS, partOf, ofPage } = (await load('package/words.mjs')) as {
    PARTS: readonly string[];
    partOf(language: string, part: string): [string, string][];
    ofPage(): { text: string }[];
  };
  // All the parts of a language, as the daemon has them (src/words/whole.ts).
  context.german = new Map(PARTS.flatMap((part) => partOf('de', part)));
  context.english = ofPage().flatMap(({ text }) => (text.length > 24 && !text.includes('%s') && context.german.get(text) !== text ? [text] : []));
  assert.ok(context.english.length > 75, `${context.english.length} sentences are looked for`);
});

screens.after(({ folder }) => rmSync(folder, { recursive: true, force: true }));

for (const [locale, width, scheme] of [
  ['de-DE', 1100, 'light'],
  ['de-DE', 360, 'dark'],
  ['en-GB', 1100, 'dark'],
] as const) {
  screens(`stands in ${locale}, ${width} wide and ${scheme}, every tab of it`, async ({ folder, german, english }) => {
    const browser = await openBrowser({ width, scheme, locale });
    const object = scripted('voice-in-force');
    const beside: Partial<Record<MethodName, unknown>> = { probe: PROBED, diagnose: DIAGNOSED, history: HISTORY, calls: calls(true) };
    const served = await serve({
      folder: join(folder, 'page'),
      answer: async (method: MethodName, args: Arguments) => (beside[method] ?? (await object.answer(method, args))) as Reply,
      words: async (language) => (language === 'de' ? JSON.stringify(Object.fromEntries(german)) : null),
    });
    try {
      await hasten(browser.context);
      const { page, wrong } = await browser.open(served.url);
      for (const tab of TABS) {
        await page.click(`#sipalg-tab-${tab}`);
        await page.waitForSelector(`#sipalg-tab-${tab}[aria-selected=true]`);
        if (tab === 'diagnosis') {
          await page.click('[data-ask=probe]');
          await page.waitForSelector('#sipalg-probe-fields');
          await page.click('[data-ask=diagnose]');
          await page.waitForSelector('#sipalg-causes');
        }
        if (tab === 'voice') await page.waitForSelector('section[aria-labelledby=sipalg-history-phones] svg');
        await page.evaluate('document.querySelectorAll("[aria-expanded=false]").forEach((button) => button.click())');
        await page.screenshot({ path: `${SCREENS}/tab-${tab}-${width}-${scheme}-${locale.slice(0, 2)}.png`, fullPage: true });
        assert.equal(await page.evaluate(INSPECT), [], `${tab}, ${width}, ${scheme}`);
        assert.is(await page.evaluate('document.documentElement.scrollWidth'), width, `${tab} is no wider than the screen`);
        const shown = (await page.locator('body').innerText()).replace(/\s+/g, ' ');
        const left = english.filter((text) => shown.includes(text));
        if (locale === 'de-DE') assert.equal(left, [], `${tab}: sentences in English`);
        else assert.ok(left.length > 0, `${tab}: what is looked for can be found`);
      }
      assert.equal(wrong, []);
    } finally {
      await browser.close();
      await served.close();
    }
  });
}

screens.run();
