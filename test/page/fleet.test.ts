/** What `sipalg report --fleet` writes, as who watches over many routers opens it: in both languages, on a telephone, on paper. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openBrowser } from '../lab/browser.ts';
import type { Browser } from '../lab/browser.ts';
import { recordedRouter, routerNames } from '../routers.ts';
import { surveyor } from '../survey.ts';

interface Context {
  folder: string;
  browser: Browser;
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
/** Contrast, names and sizes, as for the other pages. */
const INSPECT = readFileSync('test/page/inspect.js', 'utf8');
const LOCALES = { en: 'C', de: 'de_DE.UTF-8' } as const;

const fleet = suite<Context>('the page on many routers');

fleet.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  context.browser = await openBrowser();
  const documents: string[] = [];
  for (const name of routerNames()) {
    const facts = await surveyor.look(recordedRouter(name));
    for (const router of [name, `${name}-of-a-branch-office-with-a-long-name`]) documents.push(JSON.stringify({ router, version, facts }));
  }
  const file = join(context.folder, 'fleet.jsonl');
  writeFileSync(file, documents.join('\n'));
  for (const [language, locale] of Object.entries(LOCALES)) {
    const page = join(context.folder, `${language}.html`);
    const { status, stderr } = spawnSync(process.execPath, ['dist/sipalg.js', 'report', '--fleet', file, '-o', page], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, LC_ALL: locale },
    });
    assert.equal([status, stderr], [2, '']);
  }
});

fleet.after(async ({ folder, browser }) => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

for (const language of ['en', 'de'] as const)
  fleet(`fits every width and a sheet of paper, and tells routers that stand alike together (${language})`, async ({ folder, browser }) => {
    const { page, wrong } = await browser.open(pathToFileURL(join(folder, `${language}.html`)).href);
    for (const width of [360, 768, 1100]) {
      await page.setViewportSize({ width, height: 800 });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        assert.equal(await page.evaluate(INSPECT), [], `${colorScheme}, ${width}`);
      }
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
      assert.ok(wide <= width, `${wide} pixels at ${width}`);
    }
    // A4 within its margins, 96 dots an inch.
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize({ width: 718, height: 1047 });
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 718);
    const said = await page.evaluate<string>('document.body.innerText');
    const [title, alike] = language === 'en' ? ['What needs somebody, the worst first', '2 routers'] : ['Worum sich jemand kümmern muss', '2 Router'];
    assert.ok(said.includes(title) && said.includes(alike), said.slice(0, 500));
    assert.is(await page.evaluate<string>('document.documentElement.lang'), language);
    assert.equal(await page.evaluate<number>("document.querySelectorAll('svg[role=img]:not([aria-label])').length"), 0);
    const own = await page.evaluate<string[]>("[...document.querySelectorAll('h1, h2, th, p, .legend')].map((one) => one.textContent)");
    if (language === 'de') assert.not.match(own.join('\n'), /\b(routers|Written|Looked at|would bring it back)\b/);
    assert.equal(wrong, []);
    await page.close();
  });

fleet.run();
