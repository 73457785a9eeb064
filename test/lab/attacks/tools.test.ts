/** Tools that hang or do nothing: how long a run takes then, and what it claims. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complaints, differences, onRouter } from '../apply/router.ts';

const tools = suite('tools that hang or lie');

tools('a tool that hangs at every turn costs a run less than the init script gives it', () =>
  onRouter({ ruleset: 'stock-alg-on' }, async (router) => {
    const before = await router.state();
    router.lab.files.write('/hung/conntrack', '#!/bin/sh\nexec sleep 300\n', 0o755);
    const began = Date.now();
    const told = await router.lab.router.run(['sipalg', 'disable'], {
      timeout: 120_000,
      env: { PATH: '/hung:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    const seconds = (Date.now() - began) / 1000;
    // Without conntrack's answer the table itself is looked at, so that the run may well come to its end.
    assert.ok(told.status === 0 || told.status === 1 || told.status === 2, told.stderr);
    assert.ok(seconds < 85, `${seconds} s: ${told.stderr}`);
    if (told.status === 2) assert.equal(differences(before, await router.state()), [], told.stderr);
    const left = await router.lab.router.run(['sh', '-c', 'ps -e -o args= | grep -c "^sleep 300"']);
    assert.is(left.stdout.trim(), '0', 'what it started is gone too');
  }),
);

tools('a conntrack that says nothing and ends with 0 is not believed', () =>
  onRouter({ ruleset: 'stock-alg-on' }, async (router) => {
    await router.call();
    router.lab.files.write('/mute/conntrack', '#!/bin/sh\nexit 0\n', 0o755);
    const env = { PATH: '/mute:/usr/sbin:/usr/bin:/sbin:/bin' };
    const told = await router.lab.router.run(['sipalg', 'disable'], { timeout: 60_000, env });
    assert.is.not(told.status, 0, 'a live flow is still under the helper');
    assert.ok(complaints(told).length > 0 || /under|could not/.test(told.stdout), `${told.stdout}${told.stderr}`);
    assert.ok((await router.flows()) > 0);
  }),
);

tools.run();
