/** What `sipalg compare --html` writes, opened as its reader does: light, dark, on a telephone, on paper, and read aloud. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { comparisonPage } from '../../src/cli/compare-html.ts';
import { openBrowser } from '../lab/browser.ts';
import type { Browser } from '../lab/browser.ts';
import { PHONE, WAN, bothSides } from '../pure/compare/captures.ts';
import type { Sent } from '../pure/compare/captures.ts';
import { reply, request, session } from '../pure/compare/dialogue.ts';

interface Context {
  folder: string;
  browser: Browser;
  url: string;
}

const WIDTHS = [360, 600, 768, 1100];
/** WCAG 2.2, 1.4.3: of text. */
const CONTRAST = 4.5;

const about = { callId: 'a-call-id-as-long-as-some-phones-make-them-0123456789abcdef0123456789abcdef@phone.example.org' };
const alg = (text: string): string => text.split(PHONE).join(WAN);
const invite = request('INVITE', { ...about, body: session(), more: [`X-Long: ${'z'.repeat(200)}${PHONE}`] });
const answer = reply('200 OK', 'INVITE', { ...about, body: session(WAN) });
const SENT: readonly Sent[] = [
  { at: 0, text: invite, out: alg(invite) },
  { at: 0.5, text: invite, out: alg(invite) },
  { at: 1, text: reply('100 Trying', 'INVITE', about), toProvider: false },
  { at: 2, text: reply('183 Session Progress, which has a long reason phrase', 'INVITE', about), toProvider: false, out: null },
  { at: 2.5, text: reply('180 Ringing', 'INVITE', about), toProvider: false },
  { at: 3, text: answer, out: alg(answer), toProvider: false, takes: 1.5 },
  { at: 5, text: request('OPTIONS', { callId: 'another' }) },
];

const written = suite<Context>('the page that compare writes');

written.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'compare-'));
  const file = join(context.folder, 'compare.html');
  writeFileSync(file, comparisonPage(bothSides(SENT), '0'));
  context.url = pathToFileURL(file).href;
  context.browser = await openBrowser();
});

written.after(async ({ browser, folder }) => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

async function opened({ browser, url }: Context, use: (page: Page) => Promise<void>): Promise<void> {
  const { page, wrong } = await browser.open(url);
  try {
    await use(page);
    assert.equal(wrong, [], 'errors and warnings');
  } finally {
    await page.close();
  }
}

written('needs nothing beside it, and no script', (context) =>
  opened(context, async (page) => {
    assert.is(await page.locator('script, link, img, iframe, [onclick], [src], [href]').count(), 0);
    assert.match(await page.locator('meta[http-equiv]').getAttribute('content'), "default-src 'none'");
  }),
);

written('is never wider than the window', (context) =>
  opened(context, async (page) => {
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${wide} of ${width}`);
    }
  }),
);

written('can be read in light and in dark: all text stands out from what is behind it', (context) =>
  opened(context, async (page) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [360, 1100]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        const { least, where, back } = await page.evaluate(leastContrast);
        assert.ok(least >= CONTRAST, `${colorScheme}, ${width}: ${least.toFixed(2)} at ${where}`);
        assert.is(back > 0.5, colorScheme === 'light');
      }
    }
    await page.emulateMedia({ colorScheme: null });
  }),
);

written('tells in words what the ladder draws: aloud where it is drawn, in sight where it would be too small', (context) =>
  opened(context, async (page) => {
    const ladder = page.locator('svg').first();
    const words = page.locator(`#${await ladder.getAttribute('aria-describedby')}`);
    const said = await words.locator('li').allTextContents();
    assert.is(said.length, 6);
    assert.match(said[0], 'INVITE with SDP from the phone to the provider: changed by the router');
    assert.match(said[1], 'sent again');
    assert.match(said[3], '183 Session Progress, which has a long reason phrase from the provider to the phone: dropped on the way');
    assert.match(said[5], '1.5 s late');
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const drawn = await ladder.isVisible();
      const list = (await words.boundingBox())!;
      assert.is(drawn, width > 704, `${width}`);
      assert.is(list.height > 20, !drawn, `${width}: what is said is in sight where nothing is drawn`);
      if (drawn) {
        const size = await page.evaluate(() => {
          const svg = document.querySelector('svg')!;
          return (12 * svg.getBoundingClientRect().width) / svg.viewBox.baseVal.width;
        });
        assert.ok(size >= 9.5, `${width}: letters of ${size.toFixed(1)} px`);
      }
    }
  }),
);

written('keeps its words within the drawing, and apart from one another', (context) =>
  opened(context, async (page) => {
    await page.setViewportSize({ width: 1100, height: 800 });
    const wrong = await page.evaluate(() => {
      const found: string[] = [];
      for (const svg of document.querySelectorAll('svg')) {
        const all = svg.getBoundingClientRect();
        const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent !== '');
        const boxes = texts.map((text) => ({ text: text.textContent!, box: text.getBoundingClientRect() }));
        for (const [index, { text, box }] of boxes.entries()) {
          if (box.left < all.left - 1 || box.right > all.right + 1) found.push(`${text} leaves the drawing`);
          for (const other of boxes.slice(index + 1)) {
            const apart =
              box.right <= other.box.left + 1 || other.box.right <= box.left + 1 || box.bottom <= other.box.top + 2
              || other.box.bottom <= box.top + 2;
            if (!apart) found.push(`${text} | ${other.text}`);
          }
        }
      }
      return found;
    });
    assert.equal(wrong, []);
  }),
);

written('is black on white on paper, with the drawing, whatever the screen is like', (context) =>
  opened(context, async (page) => {
    await page.setViewportSize({ width: 360, height: 800 });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const { least, where, back } = await page.evaluate(leastContrast);
    assert.ok(least >= CONTRAST, `${least.toFixed(2)} at ${where}`);
    assert.is(back, 1);
    assert.ok(await page.locator('svg').first().isVisible());
    assert.not.ok(await page.locator('ol.ladder').first().isVisible());
    await page.emulateMedia({ media: null, colorScheme: null });
  }),
);

/** Runs in the page: the least contrast of any text that is shown, and how light the page's ground is, 0 to 1. */
function leastContrast(): { least: number; where: string; back: number } {
  const parts = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r = 0, g = 0, b = 0]: number[]): number => {
    const linear = (value: number): number => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const ground = (element: Element | null): number[] => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if (color.length > 0 && color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  let [least, where] = [Infinity, ''];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent!.trim() !== '');
    if (!own || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = parts(element instanceof SVGElement ? style.fill : style.color);
    const [one, other] = [luminance(ink), luminance(ground(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < least) [least, where] = [contrast, `${element.tagName} ${element.textContent!.slice(0, 40)}`];
  }
  return { least, where, back: luminance(ground(document.body)) };
}

written.run();
