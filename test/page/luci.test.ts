import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import type { Arguments, Reply } from '../../src/object/object.ts';
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

/** Waits for what a test's own server hears. */
async function until(met: () => boolean): Promise<void> {
  for (let tries = 0; !met() && tries < 500; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(met());
}

const words = (page: Page, selector: string): Promise<string> => page.locator(selector).first().innerText();

luci('is loaded, drawn in a form of LuCI and polled', async (context) => {
  const object = scripted('stock-alg-on');
  await opened(context, object, async (page) => {
    await page.waitForSelector('#sipalg-verdict');
    assert.match(await words(page, '#sipalg-verdict'), /^On\s+A SIP ALG rewrites calls/);
    assert.equal(await page.locator('.cbi-map > .cbi-section > .cbi-tabmenu li').allInnerTexts(), [
      'Status',
      'Voice rules',
      'Providers',
      'Diagnosis',
      'Settings',
    ]);
    object.router = 'stock-alg-absent';
    await page.waitForSelector('#sipalg[data-mood=off]', { state: 'attached' });
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
      await page.waitForFunction('document.querySelector("#view").innerText.includes("has not said how it went")');
      assert.match(await words(page, '#sipalg-verdict'), /^On/);
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
      const started: string[] = [];
      object.status = async () => {
        throw new UbusStatus(4);
      };
      await opened(
        context,
        object,
        async (page) => {
          await page.waitForSelector('#sipalg[data-mood="no service"]');
          assert.match(await words(page, '.alert-message'), /^sipalg does not answer on this router\.\s+If it does not start, the engine/);
          await page.click('[data-do=start]');
          await until(() => started.length === 2);
          assert.equal(started, ['/etc/init.d/sipalg start', '/etc/init.d/rpcd reload']);
          object.status = () => statusOf('stock-alg-on');
          await page.waitForSelector('#sipalg-verdict');
          object.status = async () => {
            throw new UbusStatus(6);
          };
          await page.waitForFunction('document.querySelector(".alert-message").innerText.startsWith("This session may not look")');
        },
        { rejects, started },
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
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
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
      const router = [JSON.stringify(reply), JSON.stringify(plan), readFileSync('files/etc/config/sipalg', 'utf8')].join('\n');
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

/** Everything that is written and applied through uci, as it comes. */
interface Written {
  written: unknown[];
  options: Partial<LuciOptions>;
}

function writing(options: Partial<LuciOptions> = {}): Written {
  const written: unknown[] = [];
  const heard = (method: string, args: Arguments): void =>
    void written.push(...(method === 'apply' ? ['apply'] : (args['changes'] as unknown[])));
  return { written, options: { ...options, heard } };
}

const field = (page: Page, name: string): Locator => page.locator(`[data-field="cbid.sipalg.${name}"]`);
const input = (page: Page, name: string): Locator => field(page, name).locator('input').first();
const tab = (page: Page, name: string): Promise<void> => page.locator('.cbi-tabmenu a', { hasText: name }).click();

luci('switches voice rules on and edits them, and writes what was changed and nothing else', async (context) => {
  const { written, options } = writing();
  await opened(
    context,
    scripted('stock-alg-on'),
    async (page) => {
      await tab(page, 'Voice rules');
      assert.is(await field(page, 'timeouts.media').isVisible(), false, 'what means nothing while they are off is not shown');
      await input(page, 'main.policy').check();
      assert.is(await field(page, 'timeouts.media').isVisible(), true);
      await input(page, 'timeouts.media').fill('10');
      await page.keyboard.press('Tab');
      assert.is(
        await input(page, 'timeouts.media').getAttribute('data-tooltip'),
        '"10" is not allowed here; it may be 30 to 86400 (seconds).',
      );
      await page.click('.cbi-button-apply');
      await page.waitForSelector('.modal');
      assert.equal(written, [], 'nothing is written while a field is refused');
      await page.evaluate(
        'document.body.classList.remove("modal-overlay-active"), document.getElementById("modal_overlay").replaceChildren()',
      );
      await input(page, 'timeouts.media').fill('400');
      await input(page, 'marking.enabled').uncheck();
      assert.is(await field(page, 'marking.media').isVisible(), false);
      await page.click('.cbi-button-apply');
      await until(() => written.includes('apply'));
      assert.equal(written, [
        ['set', 'main', 'policy', '1'],
        ['set', 'timeouts', 'media', '400'],
        ['set', 'marking', 'enabled', '0'],
        'apply',
      ]);
    },
    options,
  );
});

luci('adds and edits a provider, and its fields refuse what the program would, in its words', async (context) => {
  const { written, options } = writing();
  await opened(
    context,
    scripted('stock-alg-on'),
    async (page) => {
      await tab(page, 'Providers');
      await page.fill('#cbi-sipalg-provider .cbi-section-create-name', 'mine');
      await page.click('#cbi-sipalg-provider .cbi-section-create .cbi-button-add');
      await page.waitForSelector('.modal [data-name=host]');
      const of = (name: string): Locator => page.locator(`.modal [data-name=${name}]`);
      await page.click('.modal .cbi-button-positive');
      assert.is(
        await of('host').locator('.cbi-dynlist').getAttribute('data-tooltip'),
        'sipalg.mine: host: no name and no network of this provider is known, so it stands for nobody. Give it a `list host` or a '
          + '`list signalling`.',
      );
      await of('signalling').locator('input').fill('203.0.113.0/40');
      await page.keyboard.press('Tab');
      assert.is(
        await of('signalling').locator('input').getAttribute('data-tooltip'),
        '"203.0.113.0/40" is an IPv4 network, whose prefix has 32 bits at most.',
      );
      await of('signalling').locator('input').fill('203.0.113.0/28');
      await of('signalling').locator('.cbi-button-add').click();
      await of('inbound').locator('input').check();
      assert.is(await of('pbx').isVisible(), true);
      await page.click('.modal .cbi-button-positive');
      assert.match(
        (await of('inbound').locator('input').getAttribute('data-tooltip')) ?? '',
        /^sipalg\.mine: inbound: calls of this provider may come in, but no `option pbx` says/,
      );
      await of('pbx').locator('input').fill('192.168.1.20');
      await of('pbx').locator('.cbi-button-add').click();
      await page.click('.modal .cbi-button-positive');
      await until(() => written.length > 0);
      assert.equal(
        written,
        [
          ['add', 'mine', 'provider'],
          ['set', 'mine', 'enabled', '1'],
          ['set', 'mine', 'signalling', ['203.0.113.0/28']],
          ['set', 'mine', 'inbound', '1'],
          ['set', 'mine', 'pbx', ['192.168.1.20']],
        ].filter((one) => one[2] !== 'enabled'),
      );
    },
    options,
  );
});

luci('is the whole page where rpcd cannot give the configuration: status and switch, without fields', async (context) => {
  await opened(
    context,
    scripted('stock-alg-on'),
    async (page) => {
      await page.waitForSelector('#sipalg-verdict');
      assert.is(await page.locator('.cbi-map [data-field]').count(), 0);
      assert.is(await page.locator('[data-towards]:enabled').count(), 1);
    },
    { uciText: null },
  );
});

luci('asks in a dialog of LuCI, where Cancel comes first and has the focus, and Escape leaves it', async (context) => {
  const object = scripted('stock-alg-on');
  await opened(context, object, async (page) => {
    const focused = (): Promise<string> =>
      page.evaluate('document.activeElement.dataset.do || document.activeElement.dataset.towards || document.activeElement.id');
    await page.waitForSelector('[data-towards=disabled]');
    // As a screen reader is told it: what is said by itself, named parts, the switch in one of them, a table with its heads.
    const told = await page.locator('#view').ariaSnapshot();
    for (const part of [
      '- status:\n  - strong: "On"\n',
      '- region "Switch":\n  - button "Switch the SIP ALG off..."\n',
      '- region "What would bring it back":\n',
      '    - row "When Because":\n      - columnheader "When"\n      - columnheader "Because"\n',
    ])
      assert.ok(told.includes(part), `${part}\nis not in\n${told}`);
    const [evidence] = await page.getByRole('button', { name: /^▸ Evidence/ }).all();
    await evidence?.press('Enter');
    assert.is(await page.getByRole('button', { expanded: true }).count(), 1, 'what is unfolded is told');
    await page.focus('[data-towards=disabled]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#modal_overlay [data-do=confirm]');
    assert.is(await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).count(), 1);
    assert.is(await words(page, '.modal h4'), 'Switching the SIP ALG off would do this:');
    assert.match(await words(page, '.modal'), /delete rule inet fw4 helper_lan handle 72/);
    assert.equal(await page.locator('.modal button').allInnerTexts(), ['Cancel', 'Switch it off now']);
    assert.is(await focused(), 'cancel');
    await page.keyboard.press('Escape');
    assert.is(await focused(), 'disabled');
    assert.is(await page.evaluate('document.body.classList.contains("modal-overlay-active")'), false);
    assert.equal(
      object.asked.filter((one) => one === 'disable'),
      [],
    );
  });
});

luci('asks for the status once in five seconds, and not at all while nobody sees it', async (context) => {
  const object = scripted('disabled');
  await opened(
    context,
    object,
    async (page) => {
      await page.waitForSelector('#sipalg-verdict');
      // Its own clock goes twenty times as fast as the test's.
      await page.evaluate(
        '(() => { const now = performance.now.bind(performance), zero = now(); performance.now = () => zero + (now() - zero) * 20; })()',
      );
      const looks = (): number => object.asked.filter((one) => one === 'status').length;
      const clock = (): Promise<number> => page.evaluate('performance.now()');
      const count = async (): Promise<{ looks: number; seconds: number }> => {
        const [before, began] = [looks(), await clock()];
        for (let tries = 0; (await clock()) - began < 30_000 && tries < 400; tries++) await page.waitForTimeout(10);
        return { looks: looks() - before, seconds: ((await clock()) - began) / 1000 };
      };
      const seen = await count();
      assert.ok(seen.looks >= 3 && seen.looks <= Math.ceil(seen.seconds / 4.9) + 1, JSON.stringify(seen));
      await page.evaluate('Object.defineProperty(document, "hidden", { get: () => true, configurable: true })');
      await page.waitForTimeout(100);
      assert.is((await count()).looks, 0);
      await page.evaluate('delete document.hidden');
      const before = looks();
      await until(() => looks() > before);
    },
    { second: 50 },
  );
});

luci.run();
