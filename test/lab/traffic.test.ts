import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLab, type Lab } from './lab.ts';
import { startTraffic, STREAMS } from './traffic.ts';

const traffic = suite('background traffic');
let lab: Lab;
traffic.before.each(async () => {
  lab = await openLab();
});
traffic.after.each(() => lab.close());

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

traffic('loses nothing while nothing is done, also over a reload of the firewall', async () => {
  const running = await startTraffic(lab);
  await wait(300);
  await lab.router.must(['fw4', 'reload']);
  await wait(300);
  const fates = await running.stop();
  assert.is(fates.length, STREAMS.length * 2);
  for (const { name, direction, sent, received, lost, reordered, duplicates } of fates) {
    assert.ok(sent >= 30, `${name} ${direction} sent ${sent}`);
    assert.equal(
      { received, lost, reordered, duplicates },
      { received: sent, lost: 0, reordered: 0, duplicates: 0 },
      `${name} ${direction}`,
    );
  }
});

traffic('counts what a router loses', async () => {
  const running = await startTraffic(lab);
  await lab.router.must(['nft', 'insert', 'rule', 'inet', 'fw4', 'forward', 'udp', 'dport', '41000', 'drop']);
  await wait(300);
  await lab.router.must(['fw4', 'reload']);
  await wait(100);
  const fates = await running.stop();
  const hit = fates.find(({ name, direction }) => name === 'udp-high' && direction === 'out')!;
  assert.ok(hit.lost >= 10, `lost ${hit.lost}`);
  assert.is(hit.received + hit.lost, hit.sent);
  for (const { name, direction, lost } of fates) {
    if (name !== hit.name || direction !== 'out') assert.is(lost, 0, `${name} ${direction}`);
  }
});

traffic.run();
