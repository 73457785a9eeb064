import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Writer, join } from '../../../../src/languages/pcap/encode.ts';
import { bytesOf, cooked, cooked2, ethernet, ipv4, ipv6, pppoe, udp } from './frames.ts';
import { codes, pcapOf, readAll } from './reading.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(text.replace(/\s+/g, '').match(/../g) ?? [], (pair) => parseInt(pair, 16));
const four = ipv4({ from: '192.168.1.10', to: '203.0.113.10' }, udp(5060, 5060, bytesOf('four')));
const six = ipv6({ from: '2001:db8::10', to: '2001:db8:1::1' }, udp(5060, 5060, bytesOf('six')));

const link = suite('the link layer');

/** [text, vlan, inner vlan, PPPoE session, device, direction] of what is in a frame. */
const seen = (linkType: number, ...frames: Uint8Array[]): unknown[] => {
  const read = readAll(pcapOf(frames, { linkType }));
  assert.equal(read.problems, []);
  return read.datagrams.map(({ text, packet }) => [text, packet.vlan, packet.innerVlan, packet.pppoe, packet.device, packet.direction]);
};

link('of Ethernet is read, with tags, tags in tags, PPPoE, all of them, and IEEE 802.3 with SNAP', () => {
  assert.equal(seen(1, ethernet(four), ethernet(six), ethernet(four, [[0x8100, 7]]), ethernet(six, [[0x88a8, 100], [0x8100, 4095]]),
    ethernet(four, [[0x9100, 1], [0x8100, 0xe002]]), ethernet(pppoe(four, 4711), [], 0x8864),
      ethernet(pppoe(six, 1), [[0x8100, 7]], 0x8864)), [
    ['four', -1, -1, -1, 0, -1], ['six', -1, -1, -1, 0, -1], ['four', 7, -1, -1, 0, -1], ['six', 100, 4095, -1, 0, -1],
    ['four', 1, 2, -1, 0, -1], ['four', -1, -1, 4711, 0, -1], ['six', 7, -1, 1, 0, -1]]);
  assert.equal(seen(1, ethernet(join([hex('aaaa03 000000 0800'), four]), [], four.length + 8)), [['four', -1, -1, -1, 0, -1]]);
});

link('may bring padding behind the packet, as short Ethernet frames do', () => {
  const read = readAll(pcapOf([join([ethernet(ipv4({ from: '10.0.0.1', to: '10.0.0.2' }, udp(1, 2, bytesOf('ab')))),
    new Uint8Array(16).fill(0x55)])]));
  assert.equal(read.datagrams.map(({ text, packet }) => [text, packet.missing]), [['ab', 0]]);
});

link('of cooked captures tells the direction, and in version 2 the device', () => {
  assert.equal(seen(113, cooked(four, 4), cooked(six, 0), cooked(join([hex('0007 0800'), four]), 1, 0x8100),
    cooked(pppoe(four, 3), 0, 0x8864), cooked(four, 9)),
    [['four', -1, -1, -1, 0, 4], ['six', -1, -1, -1, 0, 0], ['four', 7, -1, -1, 0, 1], ['four', -1, -1, 3, 0, 0],
      ['four', -1, -1, -1, 0, -1]]);
  assert.equal(seen(276, cooked2(four, 4, 3), cooked2(six, 3, 0x81234567), cooked2(join([hex('0007 86dd'), six]), 0, 2, 0x8100)),
    [['four', -1, -1, -1, 3, 4], ['six', -1, -1, -1, 0x81234567, 3], ['six', 7, -1, -1, 2, 0]]);
});

link('of cooked captures as libpcap describes it, written down by hand', () => {
  // LINKTYPE_LINUX_SLL: packet type, ARPHRD_, length of the address, address, protocol.
  assert.equal(seen(113, join([hex('0004 0001 0006 020000000001 0000 0800'), four])), [['four', -1, -1, -1, 0, 4]]);
  // LINKTYPE_LINUX_SLL2: protocol, reserved, interface, ARPHRD_, packet type, length of the address, address.
  assert.equal(seen(276, join([hex('0800 0000 00000005 0001 04 06 020000000001 0000'), four])), [['four', -1, -1, -1, 5, 4]]);
});

link('of cooked captures may have a tag that nothing announces, as Linux leaves it of two', () => {
  const tag = (type: string, packet: Uint8Array): Uint8Array => join([hex(`0009 ${type}`), packet]);
  assert.equal(seen(113, cooked(tag('0800', four), 3, 0x0800), cooked(tag('86dd', six), 3, 0x86dd),
    cooked(tag('8864', pppoe(six, 5)), 3, 0x8864)),
    [['four', 9, -1, -1, 0, 3], ['six', 9, -1, -1, 0, 3], ['six', 9, -1, 5, 0, 3]]);
  assert.equal(seen(113, cooked(join([hex('0064 86dd 0009 86dd'), six]), 3, 0x88a8)), [['six', 100, 9, -1, 0, 3]]);
  assert.equal(seen(276, cooked2(tag('86dd', six), 3, 2, 0x86dd)), [['six', 9, -1, -1, 2, 3]]);
  assert.equal(codes(readAll(pcapOf([cooked(tag('0806', four), 3, 0x0800), cooked(new Uint8Array(0), 0, 0x0800)], { linkType: 113 }))),
    ['malformed', 'malformed']);
});

link('that is not there is read: raw IP under each of its numbers, and IPv4 or IPv6 alone', () => {
  for (const linkType of [12, 14, 101]) assert.equal(seen(linkType, four, six).length, 2);
  assert.equal(seen(228, four).length, 1);
  assert.equal(seen(229, six).length, 1);
});

link('of loopback is read in the order of either machine, for each number that IPv6 has', () => {
  assert.equal(seen(0, join([hex('02000000'), four]), join([hex('00000002'), four])).length, 2);
  for (const family of [10, 24, 28, 30]) {
    assert.equal(seen(0, join([new Writer().u32(family).end(), six]), join([new Writer(true).u32(family).end(), six])).length, 2,
      String(family));
    assert.equal(seen(108, join([new Writer(true).u32(family).end(), six])).length, 1, String(family));
  }
  assert.equal(seen(108, join([hex('00000002'), four])).length, 1);
});

link('of PPP is read, with and without its address field, its protocol short or long', () => {
  assert.equal(seen(9, join([hex('0021'), four]), join([hex('21'), four]), join([hex('ff03 0057'), six])).length, 3);
  assert.equal(seen(50, join([hex('ff03 0021'), four])).length, 1);
  assert.equal(seen(51, pppoe(four, 9)), [['four', -1, -1, 9, 0, -1]]);
});

link('with no IP in it is counted and nothing more', () => {
  const read = readAll(pcapOf([ethernet(new Uint8Array(28), [], 0x0806), ethernet(new Uint8Array(40), [[0x8100, 1]], 0x88cc),
    ethernet(hex('1109 0000 0004 01010000'), [], 0x8864), ethernet(hex('1100 0001 000a c021 09010008'), [], 0x8864),
      ethernet(new Uint8Array(38), [], 38)]));
  assert.equal([read.counts.packets, read.counts.notIp, read.counts.unreadable, read.problems.length], [5, 5, 0, 0]);
});

link('that breaks off is said, but not where the capture cut it', () => {
  const file = [new Uint8Array(0), ethernet(four).slice(0, 13), ethernet(four, [[0x8100, 1]]).slice(0, 17),
    ethernet(pppoe(four), [], 0x8864).slice(0, 20)];
  const broken = readAll(pcapOf(file));
  assert.equal(codes(broken), ['malformed', 'malformed', 'malformed', 'malformed']);
  assert.match(broken.problems[1]?.message ?? '',
    /^At byte \d+ packet 2 cannot be read: the header of its link layer breaks off or contradicts itself\.$/);
  const cut = readAll(pcapOf([ethernet(four), ethernet(six)], { snap: 13 }));
  assert.equal([cut.counts.unreadable, cut.counts.cut, cut.problems.length], [2, 2, 0]);
  const many = ethernet(four, Array.from({ length: 9 }, () => [0x8100, 1] as const));
  assert.equal(codes(readAll(pcapOf([many]))), ['malformed']);
});

link.run();
