/** Answers that come late, in another order, or not at all: what a person has typed, opened or looks at stays. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import type { Arguments, MethodName, Reply } from '../../src/object/object.ts';
import { openBrowser } from '../lab/browser.ts';
import type { Browser } from '../lab/browser.ts';
import { hasten, lookNow } from './looking.ts';
import { NOTHING } from './replies.ts';
import { lastRun, planOf, scripted, statusOf } from './scripted.ts';
import { serveLuci } from './served-luci.ts';
import { serve } from './served.ts';

interface Context {
  folder: string;
  browser: Browser;
}

const late = suite<Context>('an answer that comes late');

late.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'page-'));
  const { buildPage } = await import(pathToFileURL(join(process.cwd(), 'package/page.mjs')).href);
  await buildPage(context.folder);
  context.browser = await openBrowser({ locale: 'pt-PT' });
  await hasten(context.browser.context);
});

late.after(async ({ browser, folder }) => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Holds every answer of a kind until it is let go. */
function gate<T>(): { wait(value: Promise<T>): Promise<T>; held: number; open(): void; close(): void } {
  let waiting: (() => void)[] = [];
  let shut = false;
  return {
    get held() {
      return waiting.length;
    },
    close() {
      shut = true;
    },
    open() {
      shut = false;
      for (const go of waiting) go();
      waiting = [];
    },
    wait: (value) => (shut ? new Promise<void>((resolve) => waiting.push(resolve)).then(() => value) : value),
  };
}

async function until(met: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await met()) && tries < 300; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(await met());
}

const focused = (page: Page): Promise<string> => page.evaluate('document.activeElement.id || document.activeElement.tagName');
const quiet = (page: Page): Promise<void> => page.waitForTimeout(100);

late('of the words leaves what was typed meanwhile, and so do tabs, looks and who has just begun', async ({ folder, browser }) => {
  const object = scripted('stock-alg-on');
  const words = gate<string | null>();
  words.close();
  // As if the page were built with another language.
  const page = readFileSync(join(folder, 'page/page.js'), 'utf8');
  assert.ok(page.includes('["de"]'));
  const asked: string[] = [];
  const served = await serve({
    folder: join(folder, 'page'),
    answer: object.answer,
    words: (language) => {
      asked.push(language);
      return words.wait(Promise.resolve(JSON.stringify({ en: 'pt-BR', Diagnosis: 'Diagn\u00f3stico' })));
    },
  });
  const body = page.replace('["de"]', '["de","pt_BR"]');
  await browser.context.route('**/page.js', (route) => route.fulfill({ body, contentType: 'text/javascript' }));
  const { page: tab, wrong } = await browser.open(served.url);
  try {
    const typed = (): Promise<string> => tab.inputValue('#sipalg-diagnose-typed');
    await tab.click('#sipalg-tab-diagnosis');
    assert.is(await tab.locator('#sipalg-tab-diagnosis').innerText(), 'Diagnosis', 'nobody waits for words');
    await tab.fill('#sipalg-diagnose-typed', 'one way audio');
    words.open();
    await tab.locator('#sipalg-tab-diagnosis', { hasText: 'Diagn\u00f3stico' }).waitFor();
    assert.equal(asked, ['pt_BR']);
    assert.is(await tab.getAttribute('html', 'lang'), 'pt-BR');
    assert.equal([await typed(), await focused(tab)], ['one way audio', 'sipalg-diagnose-typed']);
    // Who answers has been started anew, and waits for its tools.
    object.status = async (): Promise<Reply> => ({ ...NOTHING });
    await lookNow(tab);
    await quiet(tab);
    assert.equal([await typed(), await focused(tab)], ['one way audio', 'sipalg-diagnose-typed']);
    await tab.click('#sipalg-tab-providers');
    await tab.fill('#sipalg-add-provider', 'mi');
    await tab.click('#sipalg-tab-diagnosis');
    assert.is(await typed(), 'one way audio');
    await tab.click('#sipalg-tab-providers');
    assert.is(await tab.inputValue('#sipalg-add-provider'), 'mi');
    await tab.press('#sipalg-add-provider', 'Enter');
    await tab.waitForSelector('#sipalg-field-mi-host');
    assert.is(await tab.inputValue('#sipalg-add-provider'), '', 'what was added is not typed any more');
    await tab.getByRole('button', { name: 'Remove: mi' }).click();
    assert.is(await focused(tab), 'sipalg-tab-providers', 'the focus is led to what is there');
    assert.equal(wrong, []);
  } finally {
    await browser.context.unroute('**/page.js');
    await tab.close();
    await served.close();
  }
});

late('of a session that is over takes no login away, and what was entered is there after the next', async ({ folder, browser }) => {
  const object = scripted('stock-alg-on');
  const status = gate<Reply>();
  object.status = () => status.wait(statusOf('stock-alg-on'));
  const file = { text: readFileSync('files/etc/config/sipalg', 'utf8') };
  const served = await serve({ folder: join(folder, 'page'), answer: object.answer, rights: { read: true, write: true }, file });
  await browser.context.clearCookies();
  const { page, wrong } = await browser.open(served.url);
  const logIn = async (): Promise<void> => {
    await page.fill('#sipalg-username', 'root');
    await page.fill('#sipalg-password', 'secret');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#sipalg-panel');
  };
  try {
    await page.waitForSelector('#sipalg-username');
    await logIn();
    await page.click('#sipalg-tab-settings');
    await page.fill('#sipalg-field-serve-every', '7');
    await page.click('#sipalg-tab-status');
    await page.click('[data-towards=disabled]');
    await page.waitForSelector('[data-do=confirm]');
    status.close();
    await lookNow(page);
    await until(() => status.held === 1);
    await browser.context.clearCookies();
    file.text += '# by somebody else\n';
    const theirs = file.text;
    // Asks with no session, while a look of the old one is still on its way.
    await page.keyboard.press('Escape');
    await page.click('#sipalg-tab-voice');
    await page.waitForSelector('#sipalg-username');
    assert.is(await focused(page), 'sipalg-username', 'the focus goes where the page goes on');
    await page.fill('#sipalg-username', 'ro');
    status.open();
    await quiet(page);
    assert.equal([await page.inputValue('#sipalg-username'), await page.locator('#sipalg-panel').count()], ['ro', 0]);
    await logIn();
    assert.is(await page.locator('dialog').count(), 0, 'no dialog of before');
    assert.is(await focused(page), 'sipalg-tab-voice');
    await page.click('#sipalg-tab-settings');
    assert.is(await page.inputValue('#sipalg-field-serve-every'), '7');
    await page.click('[data-do=save]');
    await page.waitForSelector('#sipalg-saved.warning');
    assert.is(file.text, theirs, 'what others wrote meanwhile is not lost');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForSelector('#sipalg-username');
    await logIn();
    await page.click('#sipalg-tab-settings');
    await page.waitForSelector('#sipalg-field-serve-every');
    assert.is(await page.inputValue('#sipalg-field-serve-every'), '5', 'who has left has left nothing');
    assert.equal(
      wrong.filter((one) => !/status of 4(01|09)/.test(one)),
      [],
    );
  } finally {
    await page.close();
    await served.close();
  }
});

for (const mount of ['own', 'luci'] as const) {
  late(`of an older question does not count (${mount})`, async ({ folder, browser }) => {
    const object = scripted('stock-alg-on');
    const plans: ((reply: Promise<Reply>) => void)[] = [];
    const runs: ((reply: Promise<Reply>) => void)[] = [];
    const answer = (method: MethodName, args: Arguments): Promise<Reply> => {
      if (method === 'plan') return new Promise((resolve) => plans.push(resolve));
      if (method === 'disable' || method === 'enable') return new Promise((resolve) => runs.push(resolve));
      return object.answer(method, args);
    };
    const served =
      mount === 'own'
        ? await serve({ folder: join(folder, 'page'), answer })
        : await serveLuci({ folder: join(folder, 'luci'), answer, second: 100 });
    await browser.context.clearCookies();
    const { page, wrong } = await browser.open(served.url);
    const look = async (): Promise<void> => {
      const before = object.asked.length;
      await until(async () => {
        await lookNow(page);
        return object.asked.length > before;
      });
      await quiet(page);
    };
    try {
      // Asked, left, and asked again: the first plan may be of what was.
      await page.click('[data-towards=disabled]');
      await until(() => plans.length === 1);
      await page.click('[data-do=cancel]');
      await page.click('[data-towards=disabled]');
      await until(() => plans.length === 2);
      plans[0]?.(planOf('stock-alg-absent', 'disabled'));
      await quiet(page);
      assert.is(await page.locator('[data-do=confirm]').count(), 0);
      plans[1]?.(planOf('stock-alg-on', 'disabled'));
      await page.click('[data-do=confirm]');
      await until(() => runs.length === 1);
      // A look tells the end of the run before its own answer does, and the next one has begun when that comes.
      object.status = () => statusOf('disabled', { last: lastRun('reached') });
      await look();
      await page.waitForSelector('#sipalg-result');
      await page.click('[data-towards=enabled]');
      await until(() => plans.length === 3);
      plans[2]?.(planOf('disabled', 'enabled'));
      await page.click('[data-do=confirm]');
      await until(() => runs.length === 2);
      await page.waitForSelector('#sipalg-running');
      runs[0]?.(statusOf('disabled', { last: lastRun('reached') }));
      await quiet(page);
      assert.equal([await page.locator('#sipalg-running').count(), await page.locator('#sipalg-result').count()], [1, 0]);
      runs[1]?.(statusOf('stock-alg-on', { last: lastRun('reached', { towards: 'enabled' }) }));
      await page.waitForSelector('#sipalg-result');
      assert.match(await page.locator('#sipalg-result').innerText(), /^Restored/);
      assert.equal(wrong, []);
    } finally {
      await page.close();
      await served.close();
    }
  });
}

late('leaves what was typed in LuCI too, whatever comes of a look', async ({ folder, browser }) => {
  const object = scripted('stock-alg-on');
  const served = await serveLuci({ folder: join(folder, 'luci'), answer: object.answer, second: 100 });
  const { page } = await browser.open(served.url);
  try {
    await page.locator('.cbi-tabmenu a', { hasText: 'Diagnosis' }).click();
    await page.fill('#sipalg-diagnose-typed', 'no audio');
    object.status = async (): Promise<Reply> => ({ ...NOTHING });
    const before = object.asked.length;
    await until(async () => {
      await lookNow(page);
      return object.asked.length > before + 1;
    });
    assert.equal([await page.inputValue('#sipalg-diagnose-typed'), await focused(page)], ['no audio', 'sipalg-diagnose-typed']);
  } finally {
    await page.close();
    await served.close();
  }
});

late.run();
