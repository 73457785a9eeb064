import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host } from '../../../src/host/host.ts';
import { observeDrops, observeExpectations, observeFlows } from '../../../src/observe/flows.ts';
import { recordedRouter } from '../../routers.ts';

const flows = suite('flows under the helper');

flows('are those the kernel says, of both families, by a conntrack old or new', async () => {
  for (const name of ['lan-explicit-helpers', 'openwrt-22.03']) {
    const reading = await observeFlows(recordedRouter(name), 180);
    assert.ok(reading.state === 'present' && reading.value.certain);
    assert.equal(
      reading.state === 'present'
        && reading.value.flows.map(({ family, protocol, source, sourcePort }) => `${family} ${protocol} ${source} ${sourcePort}`),
      [
        'ipv4 udp 192.168.1.10 5060',
        'ipv4 udp 192.168.1.10 5061',
        'ipv4 tcp 192.168.1.10 5091',
        'ipv6 tcp fd00:1::10 5091',
        'ipv6 udp fd00:1::10 5060',
      ],
      name,
    );
  }
});

flows('are removed by words that hit one flow alone', async () => {
  const reading = await observeFlows(recordedRouter('built-in'), 180);
  const first = reading.state === 'present' ? reading.value.flows[0]?.remove.join(' ') : '';
  assert.match(
    first ?? '',
    /--orig-src 192\.168\.1\.10 --orig-dst 203\.0\.113\.10 --orig-port-src 5060 --orig-port-dst 5060 --reply-src 203\.0\.113\.10 --reply-dst 203\.0\.113\.20/,
  );
});

flows('are told by how long they live where conntrack is not installed', async () => {
  const certain = async (stream: number | null) => {
    const reading = await observeFlows(recordedRouter('stock-alg-on'), stream);
    return reading.state === 'present' ? [reading.value.certain, reading.value.flows.map(({ timeout }) => timeout)] : reading;
  };
  assert.equal(await certain(180), [false, [3597, 3598, 3597]]);
  assert.equal(await certain(3597), [false, [3598]], 'as long as a plain flow may');
  assert.equal(await certain(null), [false, []], 'nothing to compare with');
});

flows('are not known where neither may be asked', async () => {
  assert.equal(await observeFlows(recordedRouter('not-root'), 180), {
    state: 'failed',
    source: '/proc/net/nf_conntrack',
    because: 'permission denied; run as root (EACCES)',
  });
  const broken: Host = {
    ...recordedRouter('stock-alg-absent'),
    async run(argv) {
      return { state: 'failed', command: argv.join(' '), because: 'it did not end within 30 s and was killed' };
    },
  };
  assert.is((await observeFlows(broken, 180)).state, 'present', 'the table itself still says something');
});

flows('leave holes and drops behind, which are read too', async () => {
  const holes = await observeExpectations(recordedRouter('stock-alg-on'));
  assert.is(holes.state === 'present' && holes.value.length, 16);
  assert.is(holes.state === 'present' && holes.value.filter(({ permanent }) => permanent).length, 4);
  const drops = await observeDrops(recordedRouter('tracking-only'));
  assert.equal(drops.state === 'present' && drops.value[3], {
    time: 2076.924514,
    reason: 'wrong port 400',
    source: '203.0.113.20',
    destination: '203.0.113.10',
    destinationPort: '5060',
  });
  assert.equal(await observeDrops(recordedRouter('not-root')), {
    state: 'failed',
    source: 'dmesg',
    because: 'it ended with exit code 1: dmesg: klogctl: Operation not permitted',
  });
});

flows.run();
