/** What `sipalg report --html` writes, opened as its reader does: light, dark, on a telephone, on paper, in both languages. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { reportText } from '../../src/cli/report.ts';
import { probeOf } from '../../src/report/probe.ts';
import { english } from '../../src/words/english.ts';
import type { Put } from '../../src/words/english.ts';
import { reasonIn } from '../../src/words/far-reasons.ts';
import { putIn } from '../../src/words/put.ts';
import { openBrowser } from '../lab/browser.ts';
import type { Browser } from '../lab/browser.ts';
import { PHONE, WAN, bothSides } from '../pure/compare/captures.ts';
import { reply, request, session } from '../pure/compare/dialogue.ts';
import { recordedRouter } from '../routers.ts';
import { reportOf } from '../survey.ts';

interface Context {
  folder: string;
  browser: Browser;
  urls: { en: string; de: string };
}

const WIDTHS = [360, 600, 768, 1100];
const INSPECT = readFileSync('test/page/inspect.js', 'utf8');
const DRAWN = readFileSync('test/page/drawn.js', 'utf8');

const alg = (text: string): string => text.split(PHONE).join(WAN);
const about = { callId: 'a-call-id-as-long-as-some-phones-make-them-0123456789abcdef0123456789abcdef@phone.example.org' };
const invite = request('INVITE', { ...about, body: session() });
const COMPARISON = bothSides([
  { at: 0, text: invite, out: alg(invite) },
  { at: 1, text: reply('100 Trying', 'INVITE', about), toProvider: false },
  { at: 2, text: reply('180 Ringing', 'INVITE', about), toProvider: false, out: null },
]);
const PROBE = probeOf(
  JSON.stringify({
    verdict: 'rewritten here',
    alterations: [
      { field: 'Contact', part: 'URI host', toProvider: true, before: '192.168.1.250', after: '203.0.113.20', messages: ['REGISTER'] },
    ],
    messages: [{ name: 'REGISTER', toProvider: true, fate: 'rewritten' }],
  }),
  'probe.json',
);

const written = suite<Context>('the page that report writes');

written.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'report-'));
  const { wordsOf } = (await import(pathToFileURL(join(process.cwd(), 'package/words.mjs')).href)) as {
    wordsOf(language: string): [string, string][];
  };
  const catalog = new Map(wordsOf('de'));
  const german = putIn((key) => catalog.get(key) ?? key, reasonIn);
  const report = await reportOf(recordedRouter('voice-in-force'));
  const write = (name: string, put: Put): string => {
    const file = join(context.folder, `${name}.html`);
    writeFileSync(file, reportText({ report, comparison: COMPARISON, probe: PROBE, more: [] }, { html: true, whole: false }, put));
    return pathToFileURL(file).href;
  };
  context.urls = { en: write('en', english), de: write('de', german) };
  context.browser = await openBrowser();
});

written.after(async ({ browser, folder }) => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

async function opened({ browser, urls }: Context, use: (page: Page, language: string) => Promise<void>): Promise<void> {
  for (const [language, url] of Object.entries(urls)) {
    const { page, wrong } = await browser.open(url);
    try {
      await use(page, language);
      assert.equal(wrong, [], 'errors and warnings');
    } finally {
      await page.close();
    }
  }
}

written('needs nothing beside it, says its language, and leads to each of its parts', (context) =>
  opened(context, async (page, language) => {
    assert.is(await page.locator('script, link, img, iframe, [onclick], [src]').count(), 0);
    assert.match((await page.locator('meta[http-equiv]').getAttribute('content'))!, "default-src 'none'");
    assert.is(await page.locator('html').getAttribute('lang'), language);
    const links = await page.locator('nav a').evaluateAll((all) => all.map((one) => one.getAttribute('href')!));
    assert.ok(links.length >= 7);
    for (const link of links) assert.is(await page.locator(link).count(), 1, link);
    assert.is(await page.locator('h1').count(), 1);
  }),
);

written('can be read in light and in dark, on a telephone and on a desk', (context) =>
  opened(context, async (page) => {
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of WIDTHS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        assert.equal(await page.evaluate(INSPECT), [], `${colorScheme}, ${width}`);
        const { wrong, back } = await page.evaluate<{ wrong: string[]; back: number }>(DRAWN);
        assert.equal(wrong, [], `${colorScheme}, ${width}`);
        assert.is(back > 0.5, colorScheme === 'light');
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(wide <= width, `${wide} of ${width}`);
      }
  }),
);

written('is black on white on paper, with the drawing, whatever the screen is like', (context) =>
  opened(context, async (page) => {
    await page.setViewportSize({ width: 700, height: 1000 }); // A4 at 96 dots to the inch, without its margins
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    assert.equal(await page.evaluate(INSPECT), []);
    const { wrong, back } = await page.evaluate<{ wrong: string[]; back: number }>(DRAWN);
    assert.equal(wrong, []);
    assert.is(back, 1);
    assert.not.ok(await page.locator('nav').isVisible());
    assert.ok(await page.locator('svg').first().isVisible());
    assert.ok((await page.pdf()).length > 10_000);
  }),
);

written.run();
