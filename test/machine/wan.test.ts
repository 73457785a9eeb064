/**
 * The WAN gets another address: phones whose flows are stale register again and are called again, and a call over
 * an address that stays is not touched. The ALG was switched off before; what acts is hotplug's script.
 */
import * as assert from 'uvu/assert';
import { onEveryKernel } from './qemu/each.ts';
import { talkerAt } from './qemu/ends.ts';
import type { Router } from './qemu/router.ts';
import { assertNamed, assertWell, begin, change, flow, furnish, NEW, numberOf, OLD, OTHER, PORT, sceneOf, type Scene } from '../lab/wan.ts';

// The slowest router that is still tested: a machine in software, beside another one.
const PATIENCE_MS = 90_000;

// Without the daemon, which sees by itself that the firewall was loaded, and ends the flows before hotplug's script does.
const WITHOUT_DAEMON = "config sipalg 'main'\n\toption alg 'unmanaged'\n\nconfig serve 'serve'\n\toption enabled '0'\n";

const test = onEveryKernel('another address of the WAN', { files: { '/etc/config/sipalg': WITHOUT_DAEMON } });
const scenes = new Map<Router, { scene: Scene; number: string }>();

/** What netifd does once an interface is up: every script of the folder, each in a shell of its own. */
const ifup = (router: Router, env: Record<string, string>): Promise<string> =>
  router.must(['sh', '-c', 'for script in /etc/hotplug.d/iface/*; do ( . "$script" ) || exit 1; done'], {
    env: { INTERFACE: 'wan', DEVICE: 'wan', ...env },
  });

test('three phones register through the ALG; when it is switched off each keeps its flow, and is called', async (router) => {
  await furnish(router);
  const scene = await sceneOf(await talkerAt(router, 'phone'), await talkerAt(router, 'phone2'), await talkerAt(router, 'provider'));
  const number = await begin(router, scene);
  scenes.set(router, { scene, number });
  assert.match(await router.read('/proc/net/nf_conntrack_expect'), 'sip/signalling', 'registered with the ALG');
  const before = await Promise.all(Object.values(PORT).map((port) => numberOf(router, port)));
  await router.must(['sipalg', 'disable']);
  assert.equal(await router.sipModules(), {});
  assert.equal(await Promise.all(Object.values(PORT).map((port) => numberOf(router, port))), before);
  assert.ok(await scene.masqueraded.isCalled({ address: OLD, port: PORT.masqueraded }));
  assert.ok(await scene.translated.isCalled({ address: OLD, port: PORT.translated }));
  assert.ok(await scene.inCall.isCalled({ address: OTHER, port: PORT.inCall }));
});

test('then the address changes, and two of them get no answers any more', async (router) => {
  await change(router, scenes.get(router)!.scene, () => router.must(['ip', '-n', 'provider', 'neigh', 'flush', 'dev', 'eth0']));
  await assertNamed(router);
});

test('hotplug leaves events alone that are not about an address', async (router) => {
  for (const env of [{ ACTION: 'ifdown' }, { ACTION: 'ifupdate', IFUPDATE_ROUTES: '1' }, { ACTION: 'ifup', INTERFACE: 'loopback' }])
    await ifup(router, env);
  assert.is((await router.run(['sh', '-c', "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep 'sipal[g] apply'"])).stdout, '');
  assert.match(await flow(router, PORT.translated), `dst=${OLD}`);
});

test('after hotplug both phones register from the new address and are called there; the call over the other address goes on', async (router) => {
  const { scene, number } = scenes.get(router)!;
  await ifup(router, { ACTION: 'ifupdate', IFUPDATE_ADDRESSES: '1' });
  // Phones say REGISTER again and again; so do these two. Their flows are ended one after the other.
  const end = Date.now() + PATIENCE_MS;
  for (const phone of [scene.masqueraded, scene.translated]) {
    for (let came = await phone.register(); came.from !== NEW && Date.now() < end;) came = await phone.register();
  }
  await assertWell(router, scene, number);
  assert.equal(await router.sipModules(), {});
});

test.run();
