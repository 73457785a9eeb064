/** What `sipalg compare --html` writes, opened as its reader does: light, dark, on a telephone, on paper, and read aloud. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
const INSPECT = readFileSync('test/page/inspect.js', 'utf8');
const DRAWN = readFileSync('test/page/drawn.js', 'utf8');
/** Pixels: below it nobody reads what is drawn. */
const SMALLEST = 9.5;
const SMALLEST_PRINTED = 9; // 6.75 pt

interface Drawn {
  readonly wrong: readonly string[];
  readonly back: number;
  readonly letters: number;
}

const drawn = (page: Page): Promise<Drawn> => page.evaluate<Drawn>(DRAWN);

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
    assert.match((await page.locator('meta[http-equiv]').getAttribute('content'))!, "default-src 'none'");
  }),
);

written('can be read in light and in dark, on a telephone and on a desk', (context) =>
  opened(context, async (page) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of WIDTHS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 800 });
        assert.equal(await page.evaluate(INSPECT), [], `${colorScheme}, ${width}`);
        const { wrong, back } = await drawn(page);
        assert.equal(wrong, [], `${colorScheme}, ${width}`);
        assert.is(back > 0.5, colorScheme === 'light');
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(wide <= width, `${wide} of ${width}`);
      }
    }
  }),
);

written('tells in words what the ladder draws: aloud where it is drawn, in sight where it would be too small', (context) =>
  opened(context, async (page) => {
    const ladder = page.locator('svg').first();
    const words = page.locator(`#${await ladder.getAttribute('aria-describedby')}`);
    const said = await words.locator('li').allTextContents();
    const wanted = [
      'INVITE with SDP from the phone to the provider: changed by the router',
      'sent again',
      '100 Trying from the provider to the phone: passed unchanged',
      '183 Session Progress, which has a long reason phrase from the provider to the phone: dropped on the way',
      '180 Ringing',
      '1.5 s late',
    ];
    assert.is(said.length, wanted.length);
    for (const [index, words] of wanted.entries()) assert.match(said[index]!, words);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      const isDrawn = await ladder.isVisible();
      const list = (await words.boundingBox())!;
      assert.is(isDrawn, width > 704, `${width}`);
      assert.is(list.height > 20, !isDrawn, `${width}: what is said is in sight where nothing is drawn`);
      if (isDrawn) assert.ok((await drawn(page)).letters >= SMALLEST, `${width}`);
    }
  }),
);

written('is black on white on paper, with the drawing, whatever the screen is like', (context) =>
  opened(context, async (page) => {
    await page.setViewportSize({ width: 700, height: 1000 }); // A4 at 96 dots to the inch, without its margins
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    assert.equal(await page.evaluate(INSPECT), []);
    const { wrong, back, letters } = await drawn(page);
    assert.equal(wrong, []);
    assert.is(back, 1);
    assert.ok(letters >= SMALLEST_PRINTED, String(letters));
    assert.not.ok(await page.locator('ol.ladder').first().isVisible());
    assert.ok((await page.pdf()).length > 10_000);
  }),
);

written.run();
