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
      reading.state === 'present' &&
        reading.value.flows.map(({ family, protocol, source, sourcePort }) => `${family} ${protocol} ${source} ${sourcePort}`),
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

/** A router whose conntrack says this. */
function saying(stdout: string, stderr: string): Host {
  return { ...recordedRouter('built-in'), run: async (argv) => ({ state: 'exited', command: argv.join(' '), code: 0, stdout, stderr }) };
}

const SUMMARY = (number: number): string => `conntrack v1.4.8 (conntrack-tools): ${number} flow entries have been shown.\n`;
const FLOW = (n: number, helper = ' helper=sip'): string =>
  `udp      17 3590 src=192.168.1.10 dst=198.51.${n >> 8}.${n & 255} sport=5060 dport=5060 [UNREPLIED] ` +
  `src=198.51.${n >> 8}.${n & 255} dst=203.0.113.20 sport=5060 dport=5060 mark=0${helper} use=1\n`;

flows('are not known from a conntrack that says nothing and ends with 0', async () => {
  const silent = await observeFlows(saying('', ''), 180);
  assert.is(silent.state === 'present' && silent.value.certain, false, 'it is looked at the table itself');
  const none = await observeFlows(saying('', SUMMARY(0)), 180);
  assert.equal(none.state === 'present' && none.value, { flows: [], certain: true, moved: [], stale: [] });
});

flows('are counted beyond some hundred, to the last one, and a line that is none is still refused', async () => {
  const many = Array.from({ length: 5000 }, (_, n) => FLOW(n, n % 5 === 4 ? '' : n % 5 === 3 ? ' helper=sip-1' : ' helper=sip'));
  const withLine = (line: string): string[] => many.map((one, n) => (n === 4500 ? line : one));
  const reading = await observeFlows(saying(many.join(''), SUMMARY(5000)), 180);
  assert.ok(reading.state === 'present');
  if (reading.state !== 'present') return;
  const { flows: listed, beyond = 0, unseen = 0 } = reading.value;
  assert.is(listed.length + beyond, 4000);
  assert.ok(listed.length <= 500 && unseen > 2000);
  const other = withLine(FLOW(4500, ' helper=siphon'));
  const less = await observeFlows(saying(other.join(''), SUMMARY(5000)), 180);
  assert.is(less.state === 'present' && less.value.flows.length + (less.value.beyond ?? 0), 3999, 'another helper');
  const damaged = await observeFlows(saying(withLine('udp 17 helper=sip\n').join(''), SUMMARY(5000)), 180);
  assert.match(damaged.state === 'failed' ? damaged.because : '', /not a tracked flow/, 'what is not understood is not counted as none');
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
