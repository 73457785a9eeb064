import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announceSkip } from '../../layer.ts';
import { openBrowser } from '../browser.ts';
import { compareMessages } from '../compare.ts';
import { openLab } from '../lab.ts';

const INSPECT = readFileSync('test/page/inspect.js', 'utf8');
const CHROMIUM = '/usr/bin/chromium';

const page = suite('the page of the real daemon, on a router with the real ALG');

page('switches it off and gives it back, and calls go through unedited in between', async () => {
  const lab = await openLab({ ruleset: 'stock-alg-on' });
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  try {
    // What npm run build has written beside the program.
    for (const name of readdirSync('dist/page')) lab.files.write(`/usr/lib/sipalg/page/${name}`, readFileSync(`dist/page/${name}`));
    const daemon = lab.router.spawn(['sipalg', 'serve', '--listen', '127.0.0.1:8061']);
    const said: string[] = [];
    daemon.child.stderr?.on('data', (part: Buffer) => said.push(part.toString()));
    daemon.child.stdout?.on('data', (part: Buffer) => said.push(part.toString()));
    let link: string | undefined;
    for (let tries = 0; link === undefined && tries < 200; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (lab.files.list('/var/run').includes('sipalg.link')) link = lab.files.read('/var/run/sipalg.link').trim();
    }
    assert.ok(link, said.join(''));

    // The browser stands in the router's network, where its loopback is.
    const program = join(folder, 'chromium');
    mkdirSync(folder, { recursive: true });
    writeFileSync(program, `#!/bin/sh\nexec nsenter --target ${lab.router.pid} --net -- ${CHROMIUM} "$@"\n`);
    chmodSync(program, 0o755);
    const browser = await openBrowser({ program });
    try {
      const { page: tab, wrong } = await browser.open(link as string);
      await tab.waitForSelector('#sipalg[data-mood=rewriting]');
      const before = await lab.sendInvite({ from: 'phone', to: 'provider' });
      assert.ok(before.arrived !== undefined && compareMessages(before.sent, before.arrived).length > 0, 'the ALG edits');
      const ruleset = JSON.stringify(await lab.ruleset()).includes('"type":"sip"');
      assert.ok(ruleset);

      await tab.click('[data-towards=disabled]');
      await tab.waitForSelector('[data-do=confirm]');
      assert.match(await tab.locator('dialog[open]').innerText(), /delete ct helper inet fw4 sip/);
      await tab.click('[data-do=confirm]');
      await tab.waitForSelector('#sipalg-result');
      assert.match(await tab.locator('#sipalg-result').innerText(), /^Switched off, and seen to be off/);
      assert.is(await tab.getAttribute('#sipalg', 'data-mood'), 'off');
      assert.equal(await tab.evaluate(INSPECT), []);
      assert.not(JSON.stringify(await lab.ruleset()).includes('"type":"sip"'));
      const between = await lab.sendInvite({ from: 'phone2', to: 'provider' });
      assert.equal(compareMessages(between.sent, between.arrived as never), [], 'nothing edits');

      await tab.click('[data-towards=enabled]');
      await tab.waitForSelector('[data-do=confirm]');
      await tab.click('[data-do=confirm]');
      await tab.waitForSelector('#sipalg[data-mood=rewriting]');
      assert.match(await tab.locator('#sipalg-result').innerText(), /^Restored, and seen to be back/);
      assert.ok(JSON.stringify(await lab.ruleset()).includes('"type":"sip"'));
      assert.equal(wrong, []);
    } finally {
      await browser.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await lab.close();
  }
});

if (existsSync(CHROMIUM)) page.run();
else announceSkip(`There is no ${CHROMIUM}; as root: apt-get install chromium.`);
