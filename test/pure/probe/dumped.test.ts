/** Messages of phones from what tcpdump prints, as Debian's 4.99 printed it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Dump } from '../../../src/probe/phones/dumped.ts';
import type { Places } from '../../../src/probe/phones/places.ts';

const PLACES = { inside: ['br-lan'], outside: ['wan'], inside6: ['br-lan'], outside6: ['wan'] } as Places;

/** `SIP` from 192.168.1.10:5060 to 203.0.113.10:5060. */
const FOUR = ['\t0x0000:  4500 001f 9aa7 4000 3f11 a224 c0a8 010a', '\t0x0010:  cb00 710a 13c4 13c4 000b fe1e 5349 50'];
/** The same over IPv6, from 2001:db8:1::10 to 2001:db8:113::10. */
const SIX = [
  '\t0x0000:  6000 0000 000b 113f 2001 0db8 0001 0000',
  '\t0x0010:  0000 0000 0000 0010 2001 0db8 0113 0000',
  '\t0x0020:  0000 0000 0000 0010 13c4 13c4 000b fe1e',
  '\t0x0030:  5349 50',
];
const head = (device: string, way: string, version = ''): string =>
  `1795877859.033726 ${device.padEnd(5)} ${way.padEnd(3)} IP${version} 192.168.1.10.5060 > 203.0.113.10.5060: UDP, length 3`;

const told = (dump: Dump): string[] =>
  dump
    .take()
    .map(
      ({ at, inside, fromPhone, whole, recorded: { from, to, bytes, length } }) =>
        `${at} ${inside ? 'in' : 'out'} ${fromPhone ? 'from' : 'to'} ${from.address}:${from.port} ${to.address}:${to.port} `
        + `${String.fromCharCode(...bytes)} ${length}${whole ? '' : ' cut'}`,
    );

const dumped = suite('messages by tcpdump');

const all = (lines: readonly string[], isFar = (_: string): boolean => true): string[] => {
  const dump = new Dump(PLACES, isFar);
  for (const line of lines) dump.push(line);
  return told(dump);
};

dumped('are told as they pass each side, as soon as all of a packet is there', () => {
  const ends = '192.168.1.10:5060 203.0.113.10:5060 SIP 3';
  assert.equal(all([head('br-lan', 'In'), ...FOUR]), [`1795877859033 in from ${ends}`]);
  assert.equal(all([head('br-lan', 'Out'), ...FOUR]), [`1795877859033 in to ${ends}`]);
  assert.equal(all([head('wan', 'Out'), ...FOUR]), [`1795877859033 out from ${ends}`]);
  assert.equal(all([head('wan', 'In'), ...FOUR, head('wan', 'Out')]), [`1795877859033 out to ${ends}`]);
  assert.equal(all([head('wan', 'Out', '6'), ...SIX]), ['1795877859033 out from 2001:db8:1::10:5060 2001:db8:113::10:5060 SIP 3']);
});

/** A segment with timestamps, as Linux sends it, that holds `ACK ` or something else. */
const segment = (four: string): string[] => [
  '\t0x0000:  4500 0038 9aa7 4000 4006 a224 c0a8 010a',
  '\t0x0010:  cb00 710a 9c40 13c4 0000 0007 0000 0009',
  '\t0x0020:  8018 01f6 fe1e 0000 0101 080a 0000 0001',
  `\t0x0030:  0000 0002 ${four}`,
];

dumped('over TCP are those segments that begin a message', () => {
  assert.equal(all([head('br-lan', 'In'), ...segment('4143 4b20')]), [
    '1795877859033 in from 192.168.1.10:40000 203.0.113.10:5060 ACK  4',
  ]);
  assert.equal(all([head('br-lan', 'In'), ...segment('1603 0102')]), []);
});

dumped('are none of other devices, of the LAN alone, and of what is neither UDP nor a message', () => {
  assert.equal(all([head('lan1', 'In'), ...FOUR, head('lo', 'In'), ...FOUR]), []);
  assert.equal(all([head('br-lan', 'In'), ...FOUR], (address) => address !== '203.0.113.10'), []);
  assert.equal(all([head('wan', 'In'), ...FOUR.map((line) => line.replace('3f11', '3f06'))]), []);
  assert.equal(all(['listening on any', '', ...FOUR, head('br-lan', 'P'), ...FOUR]), []);
});

dumped('are cut where a packet is only a part, or a line is missing', () => {
  const [first = '', second = ''] = FOUR;
  // The first of several fragments: UDP says more than the packet has.
  assert.equal(all([head('wan', 'Out'), first, second.replace('000b', '0800')]), [
    '1795877859033 out from 192.168.1.10:5060 203.0.113.10:5060 SIP 2040 cut',
  ]);
  assert.equal(all([head('wan', 'Out'), second, head('wan', 'Out'), first, head('wan', 'Out'), ...FOUR]).length, 1);
});

dumped('are counted where nobody reads them', () => {
  const dump = new Dump(PLACES, () => true);
  for (let times = 0; times < 5000; times++) for (const line of [head('wan', 'Out'), ...FOUR]) dump.push(line);
  assert.equal([dump.take().length, dump.missed], [4096, 904]);
});

dumped.run();
