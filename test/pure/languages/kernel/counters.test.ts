import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseSnmp, parseSockets, parseSoftnet, parseTracked } from '../../../../src/languages/kernel/counters.ts';
import { saying } from '../../../saying.ts';

const counters = suite("the kernel's counters");

const SNMP = `Ip: Forwarding DefaultTTL InReceives ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits
Ip: 1 64 38005 0 8 4 1 0 2 6 25352
Icmp: InMsgs InErrors
Icmp: 27 0
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn
Tcp: 1 200 120000 -1
`;

counters('are read by name, negative ones too', () => {
  const all = parseSnmp(SNMP);
  assert.equal(
    ['Ip.ReasmReqds', 'Ip.ReasmOKs', 'Ip.FragFails', 'Icmp.InMsgs', 'Tcp.MaxConn'].map((name) => all.get(name)),
    [8, 4, 2, 27, -1],
  );
});

counters('are refused where the file is another, or cut in its first pair', () => {
  for (const text of ['', 'nonsense', 'Ip: A B\n']) assert.throws(() => parseSnmp(text), saying('is no beginning of /proc/net/snmp'));
  assert.throws(() => parseSoftnet('xyz 1\n'), saying('is not a line of /proc/net/softnet_stat'));
  assert.throws(() => parseTracked('nonsense\n0\n'), saying('is not the head of /proc/net/stat/nf_conntrack'));
});

counters('of processors and of the table of flows are added up over all processors', () => {
  assert.equal(parseSoftnet('006bdc99 00000002 00000001\n00000010 0000000a 00000000\n'), { processed: 0x6bdc99 + 16, dropped: 12 });
  const tracked = parseTracked(
    'entries  clashres found drop early_drop icmp_error\n00000003  00000000 00000000 00000002 00000001 0\n00000003  0 0 0000000f 0 0\n',
  );
  assert.equal([tracked.get('drop'), tracked.get('early_drop')], [17, 1]);
});

counters('of sockets: their port, their address in either byte order, and who holds them', () => {
  const head = '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
  const line = (address: string, state = '07'): string =>
    `  215: ${address}:13C4 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 12345 2 0000000000000000 0\n`;
  assert.equal(parseSockets(head + line('00000000') + line('0101A8C0') + line('0100007F') + line('0'.repeat(32), '0A')), [
    { address: null, port: 5060, state: 7, inode: 12345 },
    { address: '192.168.1.1', port: 5060, state: 7, inode: 12345 },
    { address: '127.0.0.1', port: 5060, state: 7, inode: 12345 },
    { address: null, port: 5060, state: 10, inode: 12345 },
  ]);
  assert.equal(parseSockets(head), []);
});

counters.run();
