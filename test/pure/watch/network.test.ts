import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalAddress, placeOf } from '../../../src/watch/network.ts';
import { countersNow } from '../../../src/watch/sources.ts';
import { recordedRouter } from '../../routers.ts';
import { countedPackets } from '../../../src/languages/nft/counted.ts';
import { NETWORK } from './stories.ts';

const network = suite('which side an address is on');

network('is told by the networks of this router, and by what is private', () => {
  const asked = [
    '192.168.1.10',
    '192.168.1.1',
    '10.9.8.7',
    '203.0.113.20',
    '203.0.113.10',
    '8.8.8.8',
    '2001:db8:1::77',
    '2001:db8:113::10',
  ];
  const told = asked.map((address) => [NETWORK.isOwn(address), NETWORK.isInside(address), NETWORK.isLocal(address)]);
  assert.equal(told, [
    [false, true, true],
    [true, false, true],
    // Behind another router of the LAN, or a provider's that has private addresses: inside where a flow begins there, and far.
    [false, true, false],
    [true, false, true],
    [false, false, false],
    [false, false, false],
    [false, true, true],
    [false, false, false],
  ]);
});

network('is one text for both spellings of IPv6', () => {
  assert.is(canonicalAddress('2001:0db8:0001:0000:0000:0000:0000:0010'), canonicalAddress('2001:db8:1::10'));
  assert.is(placeOf('2001:db8:1::10', 5060), '[2001:db8:1::10]:5060');
});

network('reads counters, and says nothing where there are none', async () => {
  const counted = (value: string) =>
    countersNow({ ...recordedRouter('disabled'), read: async (path) => ({ state: 'present', value, source: path }) }, false);
  assert.equal(await counted('Ip: Forwarding FragOKs FragFails\nIp: 1 4 2\nIcmp: InMsgs\nIcmp: 7\n'), {
    rejected: null,
    fragFails: 2,
    reasmFails: null,
  });
  for (const text of ['', 'Ip: FragFails\n', 'nonsense'])
    assert.equal(await counted(text), { rejected: null, fragFails: null, reasmFails: null });
  const rule = (packets: number) => ({ rule: { expr: [{ match: {} }, { counter: { packets, bytes: 1 } }, { jump: { target: 'x' } }] } });
  assert.is(countedPackets(JSON.stringify({ nftables: [{ metainfo: {} }, rule(3), rule(4)] })), 7);
  for (const text of ['', '{}', '{"nftables":[{"rule":{"expr":[]}}]}', 'null']) assert.is(countedPackets(text), null);
});

network.run();
