import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseEchoes } from '../../../../src/languages/kernel/echo.ts';
import { parseQueues } from '../../../../src/languages/kernel/queues.ts';
import { saying } from '../../../saying.ts';

const echo = suite('what ping and tc say');

/** busybox 1.35. */
const BUSYBOX = `PING 203.0.113.10 (203.0.113.10): 56 data bytes
64 bytes from 203.0.113.10: seq=0 ttl=64 time=0.066 ms
64 bytes from 203.0.113.10: seq=2 ttl=64 time=12.5 ms
64 bytes from 203.0.113.10: seq=2 ttl=64 time=13.0 ms (DUP!)

--- 203.0.113.10 ping statistics ---
3 packets transmitted, 2 packets received, 33% packet loss
round-trip min/avg/max = 0.066/6.2/12.5 ms
`;
/** iputils 20221126. */
const IPUTILS = `PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.
64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.021 ms

--- 127.0.0.1 ping statistics ---
2 packets transmitted, 1 received, 50% packet loss, time 1012ms
`;
const NOBODY = `PING 192.0.2.1 (192.0.2.1): 56 data bytes

--- 192.0.2.1 ping statistics ---
12 packets transmitted, 0 packets received, 100% packet loss
`;

echo('of busybox and of iputils is read alike', () => {
  assert.equal(parseEchoes(BUSYBOX), { sent: 3, times: [0.066, 12.5], numbers: [0, 2] });
  assert.equal(parseEchoes(IPUTILS), { sent: 2, times: [0.021], numbers: [0] });
  assert.equal(parseEchoes(NOBODY), { sent: 12, times: [], numbers: [] });
});

echo('that ended before its count is refused', () => {
  assert.throws(() => parseEchoes("ping: bad address 'x'\n"), saying('does not say how many packets were transmitted'));
});

/** iproute2 6.1, shortened: cake and the queue of a radio below mq. */
const QUEUES = JSON.stringify([
  { kind: 'noqueue', handle: '0:', dev: 'lo', root: true, options: {}, bytes: 0, packets: 0, drops: 0, backlog: 0 },
  {
    kind: 'cake',
    dev: 'wan',
    root: true,
    options: { bandwidth: 1250000, diffserv: 'diffserv3' },
    packets: 900,
    drops: 3,
    backlog: 3000,
    tins: [{ sent_packets: 1 }, { sent_packets: 800 }, { sent_packets: 99 }],
  },
  { kind: 'fq_codel', dev: 'wlan0', parent: ':1', options: {}, packets: 7, drops: 0, backlog: 0 },
]);

echo('of tc are the queues at the roots of devices, with the tins of cake', () => {
  assert.equal(parseQueues(QUEUES), [
    { device: 'lo', kind: 'noqueue', packets: 0, drops: 0, backlog: 0, order: null, tins: [] },
    { device: 'wan', kind: 'cake', packets: 900, drops: 3, backlog: 3000, order: 'diffserv3', tins: [1, 800, 99] },
  ]);
  assert.throws(() => parseQueues('qdisc noqueue 0: dev lo'), saying('is no JSON'));
  assert.throws(() => parseQueues('{}'), saying('is no list of queues'));
});

echo.run();
