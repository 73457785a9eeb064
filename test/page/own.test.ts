import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import type { Reply } from '../../src/object/object.ts';
import type { Rights } from '../../src/http/logins.ts';
import { openBrowser } from '../lab/browser.ts';
import type { Browser } from '../lab/browser.ts';
import { hasten, lookNow } from './looking.ts';
import { policyFacts, withVoice } from '../voice.ts';
import { NOTHING } from './replies.ts';
import { lastRun, scripted, statusOf } from './scripted.ts';
import type { Scripted } from './scripted.ts';
import { serve } from './served.ts';

const PICTURE = 'docs/page.png';
/** Every state, width and scheme as a picture, to look at. */
const SCREENS = 'dist/screens';
const INSPECT = readFileSync('test/page/inspect.js', 'utf8');

interface Context {
  folder: string;
  browser: Browser;
}

interface Opened {
  page: Page;
  object: Scripted;
  wrong: string[];
  url: string;
  /** Makes the page look at once instead of in five seconds, and waits for what it then shows. */
  look(): Promise<void>;
  text(selector: string): Promise<string>;
}

const own = suite<Context>('the own mount');

own.before(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'page-'));
  const { buildPage } = await import(pathToFileURL(join(process.cwd(), 'package/page.mjs')).href);
  await buildPage(context.folder);
  context.browser = await openBrowser();
});

own.after(async ({ browser, folder }) => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens the page on a scripted object, and sees that nothing went wrong in it. */
async function opened(
  { folder, browser }: Context,
  object: Scripted,
  use: (on: Opened) => Promise<void>,
  { rights, expected = /^$/ }: { rights?: Rights; expected?: RegExp } = {},
): Promise<void> {
  const served = await serve({ folder: join(folder, 'page'), answer: object.answer, ...(rights === undefined ? {} : { rights }) });
  await browser.context.clearCookies();
  await hasten(browser.context);
  const { page, wrong } = await browser.open(served.url);
  try {
    await use({
      page,
      object,
      wrong,
      url: served.url,
      text: async (selector) => (await page.locator(selector).first().innerText()).trim(),
      async look() {
        const before = object.asked.length;
        await lookNow(page);
        for (let tries = 0; object.asked.length === before && tries < 200; tries++) await page.waitForTimeout(10);
        await page.waitForTimeout(60);
      },
    });
    assert.equal(
      wrong.filter((one) => !expected.test(one)),
      [],
      'nothing went wrong in the browser, no policy was violated',
    );
  } finally {
    await page.close();
    await served.close();
  }
}

const mood = (page: Page): Promise<string | null> => page.getAttribute('#sipalg', 'data-mood');

const STATES: [router: string, mood: string][] = [
  ['stock-alg-on', 'rewriting'],
  ['tracking-only', 'tracking'],
  ['stock-alg-absent', 'off'],
  ['disabled', 'off'],
  ['unfinished', 'rewriting'],
  ['dormant', 'would come back'],
  ['not-root', 'unknown'],
  ['foreign-table', 'rewriting'],
  ['fw3-21.02', 'rewriting'],
  ['hostile-iptables', 'rewriting'],
];

own('draws every state, each as a screen reader, a tired eye and a phone need it', async ({ folder }) => {
  for (const [width, scheme] of [
    [1100, 'light'],
    [360, 'dark'],
    [360, 'light'],
  ] as const) {
    const browser = await openBrowser({ width, scheme });
    try {
      const object = scripted('stock-alg-on');
      await opened({ folder, browser }, object, async ({ page, look, text }) => {
        for (const [router, expected] of STATES) {
          object.router = router;
          await look();
          await page.waitForSelector('#sipalg-verdict');
          const { verdict } = await statusOf(router);
          await page.locator('#sipalg-verdict', { hasText: verdict?.text ?? 'no verdict' }).waitFor();
          assert.is(await mood(page), expected, router);
          await page.screenshot({ path: `${SCREENS}/${router}-${width}-${scheme}.png`, fullPage: true });
          await page.evaluate('document.querySelectorAll("[aria-expanded=false]").forEach((button) => button.click())');
          assert.is(await page.locator('[aria-expanded=false]').count(), 0);
          assert.equal(await page.evaluate(INSPECT), [], `${router}, ${width}, ${scheme}`);
          if ((await page.locator('[data-towards]').count()) === 0) continue;
          await page.locator('[data-towards]').first().click();
          await page.waitForSelector('dialog[open] [data-do=confirm], dialog[open] .alert-message');
          assert.equal(await page.evaluate(INSPECT), [], `confirming on ${router}, ${width}, ${scheme}`);
          await page.locator('[data-do=cancel]').click();
        }
        object.status = async (): Promise<Reply> => ({ ...NOTHING });
        await look();
        await look();
        assert.is(await mood(page), 'rewriting', 'the last report stays');
        assert.ok((await text('.alert-message.warning')).includes('nft -j -t list ruleset'));
        await page.reload();
        await page.waitForSelector('#sipalg[data-mood=loading]');
        await look();
        await look();
        assert.ok((await text('#sipalg')).includes('nft -j -t list ruleset'));
        assert.equal(await page.evaluate(INSPECT), []);
      });
    } finally {
      await browser.close();
    }
  }
});

own('switches off by the keyboard alone: the plan first, then the echo, then the verified end', async (context) => {
  const object = scripted('stock-alg-on');
  await opened(context, object, async ({ page, text }) => {
    const focused = (): Promise<string> =>
      page.evaluate(
        'document.activeElement.id || document.activeElement.dataset.towards || document.activeElement.dataset.do || document.activeElement.tagName',
      );
    await page.waitForSelector('[data-towards=disabled]');
    await page.keyboard.press('Tab');
    assert.is(await focused(), 'sipalg-tab-status');
    await page.keyboard.press('ArrowRight');
    assert.is(await focused(), 'sipalg-tab-voice');
    await page.keyboard.press('Home');
    assert.is(await focused(), 'sipalg-tab-status');
    await page.waitForSelector('[data-towards=disabled]');
    for (let stops = 0; (await focused()) !== 'disabled' && stops < 5; stops++) await page.keyboard.press('Tab');
    assert.is(await focused(), 'disabled');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-do=confirm]');
    assert.is(await focused(), 'cancel', 'the focus goes into the dialog, where Cancel comes first');
    assert.match(await text('dialog'), /delete rule inet fw4 helper_lan handle 72/);
    await page.keyboard.press('Escape');
    assert.is(await focused(), 'disabled', 'and back to the button');
    assert.equal(
      object.asked.filter((one) => one === 'disable'),
      [],
    );
    await page.keyboard.press('Space');
    await page.waitForSelector('[data-do=confirm]');
    await page.keyboard.press('Tab');
    assert.is(await focused(), 'confirm');
    object.status = () =>
      statusOf('stock-alg-on', {
        running: { towards: 'disabled', since: 0, commands: ['uci set sipalg.main.alg=disabled', 'rmmod nf_nat_sip'] },
      });
    await page.keyboard.press('Enter');
    await page.waitForSelector('#sipalg-running');
    assert.is(await focused(), 'sipalg-running');
    await page.waitForSelector('[role=log] li:nth-child(2)');
    assert.match(await text('[role=log]'), /# rmmod nf_nat_sip/);
    assert.is(await page.locator('[role=log]').getAttribute('aria-live'), 'polite');
    assert.match(await text('#sipalg-verdict'), /^On/, 'it is not off before it was seen to be');
    assert.is(await page.locator('[data-towards]').count(), 0);
    assert.equal(await page.evaluate(INSPECT), []);
    object.status = () => statusOf('disabled', { last: lastRun('reached') });
    object.finish?.(object.status());
    await page.waitForSelector('#sipalg-result');
    assert.is(await focused(), 'sipalg-result');
    assert.match(await text('#sipalg-result'), /^Switched off, and seen to be off by looking again\./);
    assert.match(await text('#sipalg-verdict'), /^Off\s+No SIP ALG touches calls on this router\./);
    assert.equal(
      object.asked.filter((one) => one === 'disable'),
      ['disable'],
    );
  });
});

own('shows the sentence of a switch that failed, and the verdict that holds', async (context) => {
  const object = scripted('stock-alg-on');
  await opened(context, object, async ({ page, text }) => {
    await page.click('[data-towards=disabled]');
    await page.click('[data-do=confirm]');
    await page.waitForSelector('#sipalg-running');
    const sentence = 'Without the SIP modules the firewall would not load; everything was taken back.';
    object.status = () => statusOf('stock-alg-on', { last: lastRun('failed', { because: [sentence] }) });
    object.finish?.(object.status());
    await page.waitForSelector('#sipalg-result');
    assert.is(await page.locator('#sipalg-result').getAttribute('role'), 'alert');
    assert.ok((await text('#sipalg-result')).includes(sentence));
    assert.match(await text('#sipalg-verdict'), /^On/);
    await page.click('#sipalg-result [aria-expanded]');
    assert.match(await text('#sipalg-result ul'), /uci commit sipalg/);
    assert.equal(await page.evaluate(INSPECT), []);
  });
});

own('is not redrawn by a look: nodes, focus, selection, scroll and what is unfolded stay', async (context) => {
  const object = scripted('foreign-table');
  await opened(context, object, async ({ page, look, text }) => {
    await page.waitForSelector('#sipalg-verdict');
    await page.setViewportSize({ width: 1000, height: 400 });
    await page.click('[data-fold="finding autoload"]');
    await page.focus('[data-fold="finding autoload"]');
    await page.evaluate(`(() => {
      window.kept = [...document.querySelectorAll('#sipalg *')];
      window.changes = [];
      new MutationObserver((records) => window.changes.push(...records)).observe(document.getElementById('sipalg'), { subtree: true, childList: true, characterData: true, attributes: true });
      scrollTo(0, 200);
      getSelection().selectAllChildren(document.querySelector('#sipalg-verdict p span'));
    })()`);
    await look();
    assert.is(await page.evaluate('changes.length'), 0, 'the same report changes nothing');
    const reply = JSON.parse(
      JSON.stringify(await statusOf('foreign-table')).replaceAll('counter packets 0 bytes 0', 'counter packets 7 bytes 4200'),
    ) as Reply;
    object.status = async () => ({ ...reply, now: { ...reply.now, age: 4000 } });
    await look();
    assert.match(await text('[aria-labelledby=sipalg-rules]'), /7 packets, 4200 bytes/);
    assert.equal(
      await page.evaluate('[...new Set(changes.map(({ type }) => type))]'),
      ['characterData'],
      'a counter that moves changes its text alone',
    );
    assert.ok(await page.evaluate('kept.every((node) => node.isConnected) && kept.length > 80'));
    assert.is(await page.evaluate('document.activeElement.dataset.fold'), 'finding autoload');
    assert.is(await page.getAttribute('[data-fold="finding autoload"]', 'aria-expanded'), 'true');
    assert.ok(((await page.evaluate('String(getSelection())')) as string).includes('rewrites calls'));
    assert.is(await page.evaluate('scrollY'), 200);
  });
});

own('keeps the last report while the daemon is gone, says so, and goes on when it is back', async (context) => {
  const { folder, browser } = context;
  const object = scripted('stock-alg-on');
  const first = await serve({ folder: join(folder, 'page'), answer: object.answer });
  const port = Number(new URL(first.url).port);
  await browser.context.clearCookies();
  await hasten(browser.context);
  const { page } = await browser.open(first.url);
  await page.waitForSelector('#sipalg-verdict');
  await first.close();
  const look = (): Promise<unknown> => lookNow(page);
  await look();
  await page.waitForSelector('.alert-message.warning');
  assert.match(await page.locator('.alert-message.warning').innerText(), /does not answer\. What is shown is the last that is known/);
  assert.is(await mood(page), 'rewriting');
  assert.equal(await page.evaluate(INSPECT), []);
  const second = await serve({ folder: join(folder, 'page'), answer: object.answer, port });
  await look();
  await page.waitForSelector('#sipalg-login');
  assert.match(await page.locator('#sipalg').innerText(), /opens with a link that is good once/, 'its sessions went with it');
  assert.match(await page.locator('#sipalg-login-said').innerText(), /^There is no session, or it is over\. Open the link that/);
  await page.goto(second.url);
  await page.waitForSelector('#sipalg-verdict');
  assert.is(await page.evaluate('location.search'), '', 'the link does not stay in the address');
  await page.close();
  await second.close();
});

own("asks for the router's own login, says when it is wrong, and lets out again", async (context) => {
  await opened(
    context,
    scripted('stock-alg-on'),
    async ({ page, text }) => {
      await page.waitForSelector('form');
      assert.equal(await page.evaluate(INSPECT), []);
      assert.is(await page.locator('#sipalg-verdict').count(), 0);
      assert.match(await text('#sipalg-login-warning'), /^The password goes over the network in clear, for there is no certificate/);
      await page.fill('[name=username]', 'root');
      await page.fill('[name=password]', 'wrong');
      await page.keyboard.press('Enter');
      await page.waitForSelector('[role=alert]');
      assert.is(await text('[role=alert]'), 'User name or password are wrong.');
      assert.is(await page.inputValue('[name=username]'), 'root', 'what was typed stays');
      assert.equal(await page.evaluate(INSPECT), []);
      await page.waitForTimeout(1100);
      await page.fill('[name=password]', 'secret');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#sipalg-verdict');
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.waitForSelector('form');
      assert.is(await page.locator('#sipalg-verdict').count(), 0);
    },
    { rights: { read: true, write: true }, expected: /status of 403/ },
  );
});

own('has no active switch in a session that may only look, and the server would not let it either', async (context) => {
  const object = scripted('unfinished');
  await opened(
    context,
    object,
    async ({ page, text }) => {
      await page.waitForSelector('form');
      await page.fill('[name=username]', 'root');
      await page.fill('[name=password]', 'secret');
      await page.keyboard.press('Enter');
      await page.waitForSelector('[data-towards]');
      assert.is(await page.locator('[data-towards]:enabled').count(), 0);
      assert.is(await page.locator('[data-towards]:disabled').count(), 2);
      assert.match(await text('#sipalg-hint'), /This session may look and not switch\.$/);
      assert.equal(await page.evaluate(INSPECT), []);
      const status = await page.evaluate(
        `fetch('/call', { method: 'POST', headers: { 'X-Sipalg': '1', 'Content-Type': 'application/json' }, body: '{"method":"disable"}' }).then(({ status }) => status)`,
      );
      assert.is(status, 403);
      assert.equal(
        object.asked.filter((one) => one === 'disable'),
        [],
      );
    },
    { rights: { read: true, write: false }, expected: /status of 403/ },
  );
});

own('shows text of the router as text', async (context) => {
  const object = scripted('stock-alg-on');
  const text = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const reply = await statusOf('stock-alg-on');
  object.status = async () =>
    ({
      ...reply,
      verdict: { ...reply.verdict, text, said: [{ code: 'x', text }], findings: [{ code: text, weight: 'alarm', text, evidence: [text] }] },
    }) as Reply;
  await opened(context, object, async ({ page }) => {
    await page.waitForSelector('#sipalg-verdict');
    await page.locator('[data-fold^="finding"]').click();
    assert.is(await page.title(), 'SIP ALG');
    assert.is(await page.locator('#sipalg img, #sipalg script').count(), 0);
    assert.ok((await page.locator('#sipalg-verdict').innerText()).includes(text));
  });
});

own('is drawn by the first answer, without asking for anything more', async (context) => {
  await context.browser.context.addInitScript(`new MutationObserver((_, observer) => {
    if (!document.getElementById('sipalg-verdict')) return;
    observer.disconnect();
    window.asked = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/call')).length;
  }).observe(document, { subtree: true, childList: true })`);
  await opened(context, scripted('held-by-ipvs'), async ({ page }) => {
    // Not waitForFunction: it evaluates a text in the page, which its policy forbids.
    for (let tries = 0; tries < 200 && !(await page.evaluate('window.asked')); tries++) await page.waitForTimeout(50);
    assert.is(await page.evaluate('window.asked'), 1);
  });
});

/** Width and height of a PNG (RFC 2083 §4.1.1). */
const sizeOf = (png: Buffer): number[] => [png.readUInt32BE(16), png.readUInt32BE(20)];

own('is what the README shows: the pictures are made here, with UPDATE=1', async (context) => {
  const readme = readFileSync('README.md', 'utf8');
  const shown = async (page: Page, name: string): Promise<void> => {
    const picture = await page.screenshot();
    if (process.env['UPDATE'] === '1') writeFileSync(name, picture);
    assert.ok(readme.includes(`](${name})`), name);
    assert.equal(sizeOf(readFileSync(name)), sizeOf(picture), name);
    assert.ok(picture.length > 10_000, 'a page with something on it');
  };
  const object = scripted('stock-alg-on');
  const reply = (await statusOf('disabled')) as Extract<Reply, { facts: object }>;
  await opened(context, object, async ({ page, look }) => {
    await page.setViewportSize({ width: 900, height: 640 });
    await page.waitForSelector('#sipalg-verdict');
    await shown(page, PICTURE);
    await page.click('[data-towards=disabled]');
    await page.waitForSelector('dialog [data-do=confirm]');
    await shown(page, 'docs/page-confirm.png');
    await page.keyboard.press('Escape');
    object.status = async () => ({
      ...reply,
      facts: withVoice(reply.facts, policyFacts({})),
      plan: { ...reply.plan, lacking: [] },
    });
    await look();
    await page.click('#sipalg-tab-voice');
    await page.check('#sipalg-field-main-policy');
    await page.setViewportSize({ width: 900, height: 1000 });
    await page.evaluate('document.activeElement.blur(), scrollTo(0, 0)');
    await shown(page, 'docs/page-voice.png');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 360, height: 640 });
    await page.click('#sipalg-tab-status');
    await page.evaluate('document.activeElement.blur()');
    await shown(page, 'docs/page-phone.png');
  });
});

own(
  'has a form of its own: what is refused is said at its field, what is saved is written, and nothing else',
  async ({ folder, browser }) => {
    const file = { text: readFileSync('files/etc/config/sipalg', 'utf8') };
    const before = file.text;
    const echoed: string[] = [];
    const object = scripted('stock-alg-on');
    const served = await serve({ folder: join(folder, 'page'), answer: object.answer, file, echo: (command) => echoed.push(command) });
    await browser.context.clearCookies();
    const { page, wrong } = await browser.open(served.url);
    try {
      const said = (): Promise<string> => page.locator('#sipalg-saved').innerText();
      await page.click('#sipalg-tab-voice');
      assert.is(await page.locator('#sipalg-field-timeouts-media').count(), 0, 'what means nothing while they are off is not shown');
      await page.check('#sipalg-field-main-policy');
      await page.fill('#sipalg-field-timeouts-media', '10');
      assert.is(
        await page.locator('#sipalg-field-timeouts-media-wrong').innerText(),
        '"10" is not allowed here; it may be 30 to 86400 (seconds).',
      );
      assert.equal(await page.evaluate(INSPECT), []);
      await page.click('[data-do=save]');
      assert.is(await page.evaluate('document.activeElement.id'), 'sipalg-field-timeouts-media', 'the field that is refused has the focus');
      assert.is(file.text, before);
      await page.fill('#sipalg-field-timeouts-media', '400');
      await page.click('#sipalg-tab-providers');
      await page.fill('#sipalg-add-provider', 'mine');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#sipalg-field-mine-signalling');
      assert.equal(await page.evaluate(INSPECT), []);
      await page.click('[data-do=save]');
      // A section that is bad as a whole is refused by the program itself, and shown at the field that mends it.
      await page.waitForSelector('#sipalg-saved');
      assert.match(await said(), /^Not saved: sipalg\.mine: host: no name and no network of this provider is known/);
      assert.is(await page.evaluate('document.activeElement.id'), 'sipalg-field-mine-host');
      assert.is(file.text, before);
      await page.fill('#sipalg-field-mine-signalling', '203.0.113.0/28\n198.51.100.7');
      await page.click('[data-do=save]');
      await page.waitForSelector('#sipalg-saved.success');
      assert.is(
        file.text,
        `${before
          .replace("option policy '0'", "option policy '1'")
          .replace(
            "option media '300'",
            "option media '400'",
          )}\nconfig provider 'mine'\n\tlist signalling '203.0.113.0/28'\n\tlist signalling '198.51.100.7'\n`,
        'every other byte is as it was',
      );
      assert.ok(echoed.includes("uci set sipalg.timeouts.media='400'") && echoed.includes('uci commit sipalg'));
      // Somebody else writes meanwhile.
      await page.click('#sipalg-tab-settings');
      await page.fill('#sipalg-field-serve-every', '7');
      file.text += '# by somebody else\n';
      const theirs = file.text;
      await page.click('[data-do=save]');
      await page.waitForSelector('#sipalg-saved.warning');
      assert.match(await said(), /^The configuration has been changed by somebody else/);
      assert.is(file.text, theirs, 'what they wrote is not lost');
      // What is typed while the file is read again would go with the answer: the fields wait for it, however late it comes.
      let arrive = (): void => undefined;
      const late = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      await page.route('**/configuration', (route) => late.then(() => route.continue()));
      await page.click('[data-do=read]');
      assert.ok(await page.isDisabled('#sipalg-field-serve-every'));
      arrive();
      await page.fill('#sipalg-field-serve-every', '9');
      assert.is(await page.evaluate('document.querySelector("[role=tab][aria-selected=true]").id'), 'sipalg-tab-settings');
      await page.click('[data-do=save]');
      await page.waitForSelector('#sipalg-saved.success');
      assert.ok(file.text.includes("option every '9'") && file.text.includes('# by somebody else'));
      // As many networks as a block list has, and then others instead.
      await page.click('#sipalg-tab-providers');
      for (const first of [2, 3]) {
        const networks = Array.from({ length: 10_000 }, (_, at) => `2a0${first}:db8:${at.toString(16)}:ffff:ffff:ffff:ffff:0/112`);
        // Set at once: typed by the browser's own commands, many lines take minutes.
        await page.evaluate(
          `(() => {
            const field = document.getElementById('sipalg-field-mine-media');
            field.value = ${JSON.stringify(networks.join('\n'))};
            field.dispatchEvent(new Event('input'));
          })()`,
        );
        assert.ok(((await page.locator('#sipalg-field-mine-media').boundingBox())?.height ?? 999) < 400, 'it does not push all else away');
        await page.click('[data-do=save]');
        for (let tries = 0; !file.text.includes(networks[9999] as string) && tries < 300; tries++) await page.waitForTimeout(20);
        const written = [...file.text.matchAll(/^\tlist media '(2a0.*)'/gm)].map(([, one]) => one).join();
        assert.ok(written === networks.join(), `${written.length} characters of networks`);
        await page.waitForSelector('#sipalg-saved.success');
      }
      assert.equal(
        wrong.filter((one) => !/status of 4(22|09)/.test(one)),
        [],
      );
    } finally {
      await page.close();
      await served.close();
    }
  },
);

own.run();
