import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HostAddress } from '../../../src/host/host.ts';
import { parseDefaultRoutes6 } from '../../../src/languages/kernel/routes6.ts';
import type { Facts } from '../../../src/observe/facts.ts';
import { placesOf, tapsOf } from '../../../src/probe/phones/places.ts';
import { portsInArguments, portsInRule, sipPortsOf } from '../../../src/probe/phones/ports.ts';
import { Sightings } from '../../../src/probe/phones/sightings.ts';
import type { Recorded, Recording } from '../../../src/probe/record/recorded.ts';
import { readRecording } from '../../../src/probe/record/recorded.ts';
import { recordingScript } from '../../../src/probe/record/taps.ts';

const phones = suite('messages of real phones');

const present = <T>(value: T) => ({ state: 'present' as const, value, source: 'test' });
const absent = { state: 'absent' as const, source: 'test' };

/** Of facts what is asked for ports. */
const facts = (more: object): Facts =>
  ({
    modules: { tracker: absent },
    nft: absent,
    iptables: [],
    firewall: { definitions: absent },
    flows: absent,
    wish: { text: absent },
    ...more,
  }) as unknown as Facts;

phones('go by the ports that the module, rules, flows and the configuration name', () => {
  assert.equal(sipPortsOf(facts({})), [5060, 5061]);
  const config = "config provider 'a'\n\tlist port '5160'\n\tlist host 'sip.example.com:5070'\n\tlist signalling '2001:db8::/32'\n";
  const all = facts({
    modules: { tracker: present({ parameters: { ports: '5060,5090' } }) },
    nft: present({
      assignments: [
        { rule: 'udp dport 5080 ct helper set "sip"', map: null },
        { rule: null, map: { name: 'm', elements: ['udp . 1'] } },
      ],
    }),
    iptables: [present({ assignments: [{ rule: '-p udp -m multiport --dports 5081,5082 -j CT --helper sip' }] })],
    flows: present({ certain: true, flows: [{ helper: 'sip', destinationPort: 5085 }] }),
    wish: { text: present(config) },
  });
  assert.equal(sipPortsOf(all), [5060, 5061, 5090, 5080, 5081, 5082, 5085, 5160, 5070]);
  // Without conntrack it is a guess which flows are the helper's.
  assert.equal(sipPortsOf(facts({ flows: present({ certain: false, flows: [{ helper: null, destinationPort: 9999 }] }) })), [5060, 5061]);
  const many = Array.from({ length: 40 }, (_, index) => `${6000 + index}`).join(',');
  assert.is(sipPortsOf(facts({ modules: { tracker: present({ parameters: { ports: many } }) } })).length, 12);
});

phones('take of a rule its ports and no ranges', () => {
  assert.equal(portsInRule('meta l4proto udp udp dport { 5060, 5080-5090, 5095 } udp sport 7 ct helper set "sip"'), [5060, 5095]);
  assert.equal(portsInRule('udp dport 5060-5070 ct helper set "sip"'), []);
  assert.equal(portsInArguments('-p udp --dport 5062 -j CT'), [5062]);
  assert.equal(portsInArguments('-p udp --dport 5060:5070 -j CT'), []);
});

const address = (device: string, text: string): HostAddress => ({
  device,
  family: text.includes(':') ? 'ipv6' : 'ipv4',
  address: text,
  prefix: text.includes(':') ? 64 : 24,
});

phones('are looked for where each family has an inside and an outside', () => {
  const addresses = [
    address('lo', '::1'),
    address('br-lan', '192.168.1.1'),
    address('br-lan', 'fe80::1'),
    address('br-lan', '2001:db8:1::1'),
    address('br-guest', '192.168.2.1'),
    address('wan', '203.0.113.20'),
    address('wan6', '2001:db8:113::20'),
  ];
  const out = { ipv4: new Set(['wan']), ipv6: new Set(['wan6']) };
  assert.equal(placesOf(addresses, out), {
    inside: ['br-lan', 'br-guest'],
    outside: ['wan'],
    inside6: ['br-lan'],
    outside6: ['wan6'],
  });
  // A way out for nobody behind it, and no way out.
  assert.equal(placesOf(addresses.slice(0, 3), out).outside6, []);
  assert.equal(placesOf(addresses, { ...out, ipv6: new Set() }).inside6, []);
  const line = `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe800000000000000000000000000001 00000400 00000001 00000000`;
  assert.equal(parseDefaultRoutes6(`${line} 00000003     wan6\n${line} 00200200       lo\n${line} 00000203      dead\n`), ['wan6']);
  // As netifd sets it: for what has an address of the provider's prefix.
  const own = line.replace(`00 ${'0'.repeat(32)} 00`, `00 20010db8011300000000000000000000 38`);
  assert.equal(parseDefaultRoutes6(`${own} 00000003     wan6\n`), ['wan6']);
});

phones('have taps of all kinds, each with a name of its own, and of TCP those segments alone that begin a message', () => {
  const placed = tapsOf({ inside: ['br-lan'], outside: ['wan'], inside6: ['br-lan'], outside6: ['wan'] }, [5060, 5080]);
  assert.is(new Set(placed.map(({ tap }) => tap.name)).size, 16);
  const [first] = placed;
  assert.equal([first?.tap.name, first?.inside, first?.fromPhone], ['l0in', true, true]);
  const taps = placed.map(({ tap }) => tap);
  const script = recordingScript('t', taps, { bytes: 64, messages: 256, seconds: 15 });
  assert.match(script, 'meta protocol ip6 ip6 nexthdr tcp tcp sport 5080 @ih,0,32 { 0x5349502f, 0x494e5649, 0x41434b20,');
  assert.match(script, 'set tap_l0in_from { typeof ip id . udp checksum . ip saddr . udp sport; flags dynamic,timeout; size 256;');
  // A header of 20 bytes, and one of 32, which has timestamps.
  assert.match(script, /tcp doff 5 ip length vmap \{ 41-71 : jump tap_l0int_e0, .*\}\n +tcp doff 8 ip length vmap \{ 53-83 : jump tap_l0int_eo0, /);
  assert.match(script, /chain tap_l0int_eo0 \{\n +tcp doff 8 ip length 68-83 add @tap_l0int_t16 .*\n +tcp doff 8 ip length 60-67 /);
  assert.match(script, 'counter name "tap_l0int_n" add @tap_l0int_from');
  assert.match(script, /set tap_l0in6t_from \{ typeof ip6 flowlabel . tcp sequence . ip6 saddr . tcp sport; .*; size 64;/);
  assert.throws(
    () => recordingScript('t', [{ ...first!.tap, transport: 'tcp', begins: ['AB'] }], { bytes: 64, messages: 1, seconds: 1 }),
    'is not how a segment begins',
  );
});

const LISTED = `table netdev t {
	set tap_l0in_from {
		elements = { 0 . 7 . 192.168.1.10 . 5060 expires 9s }
	}
	set tap_l0in_to {
		elements = { 0 . 7 . 203.0.113.10 . 5060 expires 9s }
	}
	set tap_l0in_size {
		elements = { 0 . 7 . 24 . 64 counter packets 3 bytes 132 expires 9s500ms }
	}
	set tap_l0in_t16 {
		elements = { 0 . 7 . 0x4f5054494f4e53207369703a61404220 expires 9s }
	}
}
`;

phones('are counted where a packet without a number comes again', () => {
  const taps = tapsOf({ inside: ['br-lan'], outside: [], inside6: [], outside6: [] });
  const { messages, unclear } = readRecording(
    LISTED,
    taps.map(({ tap }) => tap),
    256,
  );
  assert.equal([unclear, messages.length, messages[0]?.times, messages[0]?.expires, messages[0]?.length], [0, 1, 3, 9500, 16]);
});

phones('are one where a listing shows an element twice, as the kernel does while its table changes its size', () => {
  const taps = tapsOf({ inside: ['br-lan'], outside: [], inside6: [], outside6: [] }).map(({ tap }) => tap);
  // The second one was listed later, and says so by its time.
  const twice = LISTED.replace(
    '0 . 7 . 24 . 64 counter packets 3 bytes 132 expires 9s500ms',
    '0 . 7 . 24 . 64 counter packets 2 bytes 88 expires 9s500ms,\n\t\t\t     0 . 7 . 24 . 64 counter packets 3 bytes 132 expires 9s472ms',
  ).replace('0 . 7 . 192.168.1.10 . 5060 expires 9s', '$&, $&');
  const { messages, unclear } = readRecording(twice, taps, 256);
  assert.equal([unclear, messages.length, messages[0]?.times, messages[0]?.bytes.length], [0, 1, 3, 16]);
});

phones('are read no further where nothing of them is news', () => {
  const placed = tapsOf({ inside: ['br-lan'], outside: [], inside6: [], outside6: [] });
  const taps = placed.map(({ tap }) => tap);
  const sightings = new Sightings(placed, 15, () => true);
  const read = (at: number, text = LISTED) => readRecording(text, taps, 256, (head) => sightings.isKnown(head, at));
  assert.is(sightings.take(read(100_000), 100_000).length, 3);
  const later = (expires: string, packets = 3): string =>
    LISTED.replace('packets 3', `packets ${packets}`).replace('9s500ms', expires);
  assert.equal([read(102_000, later('7s490ms')).messages, read(102_000, later('7s490ms')).unclear], [[], 0]);
  assert.is(read(104_000, later('5s490ms', 4)).messages.length, 1);
  // About to go: it may be there in part.
  assert.equal(read(107_500, later('2s')).messages, []);
  assert.is(read(120_000, later('14s')).messages.length, 1);
});

phones('over TCP are told once, though TCP sends a segment again, and with the bytes that follow from the others', () => {
  const placed = tapsOf({ inside: ['br-lan'], outside: ['wan'], inside6: [], outside6: [] });
  const sightings = new Sightings(placed, 15, () => true);
  const segment = (id: number, said: string, length: number): Recorded => ({
    tap: 'l0int',
    id,
    from: { address: '192.168.1.10', port: 40_000 },
    to: { address: '203.0.113.10', port: 5060 },
    check: 77,
    length,
    bytes: Uint8Array.from(said, (char) => char.charCodeAt(0)),
    expires: 14_000,
    ttl: null,
    times: 1,
    ack: 1,
  });
  const take = (at: number, said: string, length: number, id = 1): [string, boolean][] =>
    sightings
      .take({ messages: [segment(id, said, length)], packets: new Map([['l0int', 1]]) }, at)
      .map((one) => [one.text, one.whole]);
  assert.equal(take(100_000, 'OPTIONS\r\n\r', 10 + 1), [['OPTIONS\r\n\r\n', true]]);
  assert.equal(take(101_000, 'OPTIONS\r\n\r', 11, 2), []);
  assert.is(sightings.missed, 0);
  const cases: [string, number, string, boolean][] = [
    ['x\r\na=sendrec', 3, 'x\r\na=sendrecv\r\n', true],
    ['x\r\na=inactive', 2, 'x\r\na=inactive\r\n', true],
    ['x\r\na=ptime:2', 3, 'x\r\na=ptime:2', false],
    ['x\r\n\r', 4, 'x\r\n\r', false],
  ];
  cases.forEach(([said, lacks, text, whole], index) =>
    assert.equal(take(2_000_000 + index * 700_000, said, said.length + lacks), [[text, whole]], said),
  );
});

phones('are told each once, repeats between two readings, and no more of them than came', () => {
  const placed = tapsOf({ inside: ['br-lan'], outside: ['wan'], inside6: [], outside6: [] });
  const sightings = new Sightings(placed, 15, (far) => far === '203.0.113.10');
  const recorded = (times: number, expires: number, more: Partial<Recorded> = {}): Recorded => ({
    tap: 'l0in',
    id: 0,
    from: { address: '192.168.1.10', port: 5060 },
    to: { address: '203.0.113.10', port: 5060 },
    check: 7,
    length: 1,
    bytes: Uint8Array.of(65),
    expires,
    ttl: 64,
    times,
    ack: null,
    ...more,
  });
  const reading = (messages: Recorded[], packets: number): Recording => ({
    messages,
    packets: new Map([['l0in', packets]]),
    counted: new Map(),
    unclear: 0,
  });
  const times = (at: number, one: Recording): number[] => sightings.take(one, at).map((message) => message.at);
  assert.equal(times(100_000, reading([recorded(1, 14_000)], 1)), [99_000]);
  assert.equal(times(102_000, reading([recorded(1, 12_000)], 1)), []);
  assert.equal(times(104_000, reading([recorded(3, 10_000)], 3)), [103_000, 104_000]);
  // Read so soon that they do not fit: one packet that a network has doubled is one.
  assert.equal(times(104_100, reading([recorded(5, 9_900)], 5)), [104_100]);
  // The element is gone and comes anew: another one.
  assert.equal(times(120_000, reading([recorded(1, 14_500)], 6)), [119_500]);
  assert.is(sightings.missed, 0);
  // What stays within the LAN is counted and not told; what found no room is told by its number alone.
  assert.equal(times(121_000, reading([recorded(1, 14_500, { to: { address: '192.168.1.11', port: 5060 } })], 9)), []);
  assert.is(sightings.missed, 2);
});

phones.run();
