import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import type { Reply } from '../../src/object/object.ts';
import { openBrowser } from '../lab/browser.ts';
import type { Browser } from '../lab/browser.ts';
import { lastRun, scripted, statusOf } from './scripted.ts';
import type { Scripted } from './scripted.ts';
import { serveLuci, UbusStatus } from './served-luci.ts';
import type { LuciOptions } from './served-luci.ts';

interface Context {
  folder: string;
  browser: Browser;
}

const luci = suite<Context>('the view of LuCI');

luci.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'page-'));
  const { buildPage } = await import(pathToFileURL(join(process.cwd(), 'package/page.mjs')).href);
  await buildPage(context.folder);
  context.browser = await openBrowser();
});

luci.after(async ({ browser, folder }) => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the view; a second of its polling takes a tenth of one. */
async function opened(
  { folder, browser }: Context,
  object: Scripted,
  use: (page: Page) => Promise<void>,
  options: Partial<LuciOptions> = {},
): Promise<void> {
  const served = await serveLuci({ folder: join(folder, 'luci'), answer: object.answer, second: 100, ...options });
  const { page, wrong } = await browser.open(served.url);
  try {
    await use(page);
    assert.equal(wrong, []);
  } finally {
    await page.close();
    await served.close();
  }
}

const words = (page: Page, selector: string): Promise<string> => page.locator(selector).first().innerText();

luci('is loaded, drawn and polled, without buttons of a form', async (context) => {
  const object = scripted('stock-alg-on');
  await opened(context, object, async (page) => {
    await page.waitForSelector('#sipalg-verdict');
    assert.match(await words(page, '#sipalg-verdict'), /^Rewriting: A SIP ALG rewrites calls/);
    assert.is((await words(page, '#view')).includes('a button for'), false);
    object.router = 'stock-alg-absent';
    await page.waitForSelector('#sipalg[data-mood=off]');
  });
});

luci('switches off and gives back, each after its plan, each verified', async (context) => {
  const object = scripted('stock-alg-on');
  await opened(context, object, async (page) => {
    await page.click('[data-towards=disabled]');
    await page.click('[data-do=confirm]');
    object.status = () => statusOf('stock-alg-on', { running: { towards: 'disabled', since: 0, commands: ['rmmod nf_nat_sip'] } });
    await page.waitForSelector('[role=log] li');
    object.status = () => statusOf('disabled', { last: lastRun('reached') });
    object.finish?.(object.status());
    await page.waitForSelector('#sipalg-result');
    assert.match(await words(page, '#sipalg-verdict'), /^Off/);
    object.router = 'disabled';
    await page.click('[data-towards=enabled]');
    await page.click('[data-do=confirm]');
    await page.waitForSelector('#sipalg-running');
    object.finish?.(statusOf('stock-alg-on', { last: lastRun('failed', { towards: 'enabled', because: ['No space is left.'] }) }));
    await page.waitForSelector('#sipalg-result[role=alert]');
    assert.match(await words(page, '#sipalg-result'), /Restoring the previous state has failed\.\s+No space is left\./);
    assert.equal(
      object.asked.filter((one) => one !== 'status'),
      ['plan disabled', 'disable', 'plan enabled', 'enable'],
    );
  });
});

luci('takes a request that timed out for no answer: what the router is doing decides', async (context) => {
  const object = scripted('stock-alg-on');
  await opened(
    context,
    object,
    async (page) => {
      await page.click('[data-towards=disabled]');
      await page.click('[data-do=confirm]');
      await page.waitForSelector('#sipalg-running');
      object.status = () => statusOf('stock-alg-on', { running: { towards: 'disabled', since: 0, commands: ['fw4 check'] } });
      await page.waitForFunction('document.querySelector("#sipalg").innerText.includes("has not said how it went")');
      assert.match(await words(page, '#sipalg-verdict'), /^Rewriting/);
      object.status = () => statusOf('disabled', { last: lastRun('reached') });
      await page.waitForSelector('#sipalg-result');
      assert.match(await words(page, '#sipalg-result'), /^Switched off/);
    },
    { timeout: 600 },
  );
});

luci('has no active switch in a read-only session, and the access group would not let it either', async (context) => {
  await opened(
    context,
    scripted('unfinished'),
    async (page) => {
      await page.waitForSelector('[data-towards]');
      assert.is(await page.locator('[data-towards]:enabled').count(), 0);
      const denied = (await page.evaluate(
        `fetch('ubus/x', { method: 'POST', body: JSON.stringify({ id: 1, params: ['', 'sipalg', 'disable', {}] }) }).then((one) => one.json())`,
      )) as { error: { code: number } };
      assert.is(denied.error.code, -32002);
    },
    { write: false },
  );
});

for (const rejects of [true, false]) {
  luci(
    `says when nobody serves the object, and goes on when it is there (${rejects ? 'LuCI rejects' : 'LuCI resolves with a status'})`,
    async (context) => {
      const object = scripted('stock-alg-on');
      object.status = async () => {
        throw new UbusStatus(4);
      };
      await opened(
        context,
        object,
        async (page) => {
          await page.waitForSelector('#sipalg[data-mood="no service"]');
          assert.match(await words(page, '.alert-message'), /^sipalg does not answer on this router\. On the router, "\/etc\/init\.d\/rpcd reload" /);
          object.status = () => statusOf('stock-alg-on');
          await page.waitForSelector('#sipalg-verdict');
          object.status = async () => {
            throw new UbusStatus(6);
          };
          await page.waitForFunction('document.querySelector(".alert-message").innerText.startsWith("This session may not look")');
        },
        { rejects },
      );
    },
  );
}

luci('has every text translated, but for what the router says', async (context) => {
  const mark = '\u00a7';
  const object = scripted('foreign-table');
  object.status = () =>
    statusOf('foreign-table', { last: lastRun('failed', { because: ['A sentence of the router.'] }), pending: ['nft -j -t list ruleset'] });
  await opened(
    context,
    object,
    async (page) => {
      await page.waitForSelector('#sipalg-verdict');
      await page.evaluate('document.querySelectorAll("[aria-expanded=false]").forEach((button) => button.click())');
      const texts = async (): Promise<string[]> =>
        page.evaluate(`(() => {
      const walker = document.createTreeWalker(document.getElementById('sipalg'), NodeFilter.SHOW_TEXT);
      const texts = [];
      while (walker.nextNode()) texts.push(walker.currentNode.nodeValue);
      return texts;
    })()`);
      const seen = await texts();
      await page.click('[data-towards=disabled]');
      await page.waitForSelector('[data-do=confirm]');
      seen.push(...(await texts()));
      assert.ok(seen.length > 80);
      const reply: Reply = await object.status();
      const plan = await object.answer('plan', { towards: 'disabled' });
      const router = [JSON.stringify(reply), JSON.stringify(plan)].join('\n');
      const said = (text: string): boolean => router.includes(JSON.stringify(text).slice(1, -1));
      // Signs, numbers and places alone are no language.
      const left = seen
        .map((text) => text.replace(/^[\u25b8\u25be#] |^\d+\. /, '').trim())
        .filter((text) => text !== '' && !text.includes(mark) && !said(text) && !/^\w+ [\w ]+ handle \d+$/.test(text) && text !== ':');
      assert.equal(left, []);
    },
    { mark },
  );
});

luci.run();
