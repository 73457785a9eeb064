/** The WAN gets another address: `sipalg apply` ends the SIP flows to the one before, and only those. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLab, type Lab } from '../lab.ts';
import { talkerIn } from '../talker.ts';
import { assertNamed, assertWell, begin, change, flow, furnish, NEW, numberOf, OLD, PORT, readdress, sceneOf, type Scene } from '../wan.ts';

const wan = suite<{ lab: Lab; scene: Scene; number: string }>('another address of the WAN');

wan.before(async (context) => {
  const lab = (context.lab = await openLab({ ruleset: 'stock-alg-on' }));
  await lab.router.must(['sipalg', 'disable']);
  await furnish(lab.router);
  const [phone, phone2, far] = await Promise.all([talkerIn(lab.phone), talkerIn(lab.phone2), talkerIn(lab.provider)]);
  context.scene = await sceneOf(phone, phone2, far);
});
wan.after(async ({ lab }) => {
  await lab.close();
});

wan('no flow is ended while the address is what it was', async (context) => {
  const { lab, scene } = context;
  context.number = await begin(lab.router, scene);
  const before = await numberOf(lab.router, PORT.masqueraded);
  await lab.router.must(['sipalg', 'apply']);
  assert.is(await numberOf(lab.router, PORT.masqueraded), before);
});

wan('status names what a change has left behind', async ({ lab, scene }) => {
  await change(lab.router, scene, () => lab.provider.must(['ip', 'neigh', 'flush', 'dev', 'eth0']));
  await assertNamed(lab.router);
  assert.is((await lab.router.run(['sipalg', 'status'])).status, 0, 'the ALG is as off as before');
});

wan(
  'apply ends it, says so, and leaves the journal as it was; the phones register and are called again',
  async ({ lab, scene, number }) => {
    const journal = await lab.router.must(['cat', '/etc/sipalg.journal']);
    const { status, stderr } = await lab.router.run(['sipalg', 'apply']);
    assert.is(status, 0, stderr);
    assert.equal(
      stderr
        .split('\n')
        .filter((line) => line.startsWith('[#] '))
        .map((line) => /conntrack -D .*--orig-port-src (\d+)/.exec(line)?.[1])
        .sort(),
      ['5060', '5062'],
    );
    assert.is(await lab.router.must(['cat', '/etc/sipalg.journal']), journal);
    await assertWell(lab.router, scene, number);
  },
);

wan('a flow that comes back untranslated at once keeps apply from nothing', async ({ lab, scene }) => {
  await readdress(lab.router, NEW, OLD);
  await lab.router.must(['nft', 'delete', 'table', 'inet', 'fw4']); // so that nothing is translated
  const calling = setInterval(() => void scene.masqueraded.register(), 50);
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { status, stdout, stderr } = await lab.router.run(['sipalg', 'apply']);
    assert.is(status, 0, stdout + stderr);
  } finally {
    clearInterval(calling);
  }
});

wan('under the wish `enabled`, or with voice rules, it is the same; unmanaged, nothing is ended', async ({ lab, scene }) => {
  await lab.router.must(['fw4', 'restart']);
  await lab.router.must(['sipalg', 'enable']);
  await scene.translated.register();
  await readdress(lab.router, OLD, NEW);
  lab.files.write('/etc/config/sipalg', "config sipalg 'main'\n\toption alg 'unmanaged'\n");
  await lab.router.must(['sipalg', 'apply']);
  assert.match(await flow(lab.router, PORT.translated), `dst=${OLD}`);
  lab.files.write('/etc/config/sipalg', "config sipalg 'main'\n\toption alg 'enabled'\n");
  await lab.router.must(['sipalg', 'apply']);
  assert.not.match(await flow(lab.router, PORT.translated), `dst=${OLD}`);
  await scene.translated.register();
  await readdress(lab.router, NEW, OLD);
  lab.files.write('/etc/config/sipalg', "config sipalg 'main'\n\toption alg 'unmanaged'\n\toption policy '1'\n");
  assert.match(await flow(lab.router, PORT.translated), `dst=${NEW}`);
  await lab.router.must(['sipalg', 'apply']);
  assert.not.match(await flow(lab.router, PORT.translated), `dst=${NEW}`);
});

wan.run();
