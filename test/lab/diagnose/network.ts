/** Scenes of the network: the way out, sizes, lists and limits, and who may come in. */
import { ADDRESS } from '../network.ts';
import { chain, configured, message, NEAR, STRANGER, withStranger } from './scene.ts';
import type { Scene, Stage } from './scene.ts';

const OPEN = `config rule 'sip'
	option name 'SIP for all'
	option src 'wan'
	option proto 'udp'
	option dest_port '5060'
	option target 'ACCEPT'
`;
const TO_PHONE = `config redirect 'pbx'
	option name 'PBX'
	option src 'wan'
	option dest 'lan'
	option proto 'udp'
	option src_dport '5060'
	option dest_ip '${ADDRESS.phone}'
	option dest_port '5060'
	option target 'DNAT'
`;

/** Another address for the WAN, in place of its own. */
async function wanIs({ lab, after }: Stage, address: string): Promise<void> {
  const script = (old: string, now: string, via: string): string[] => [
    'sh',
    '-ec',
    `ip addr add ${now}/24 dev wan; ip addr del ${old}/24 dev wan; ip route replace default via ${via} dev wan onlink`,
  ];
  await lab.router.must(script(ADDRESS.wan, address, address.replace(/\d+$/, '1')));
  after(() => lab.router.must(script(address, ADDRESS.wan, ADDRESS.provider)));
}

async function large(stage: Stage, size: number, times: number): Promise<void> {
  const phone = await stage.register('phone');
  const text = Buffer.from(message('INVITE', ADDRESS.phone, 5060, size));
  for (let count = 0; count < times; count++) await phone.send(text, { address: ADDRESS.provider, port: 5060 });
  await stage.pause(300);
}

export const OF_NETWORK: readonly Scene[] = [
  {
    name: 'the firewall is not loaded',
    made: ['firewall-not-loaded'],
    async make({ lab, after }) {
      after(() => lab.router.must(['fw4', '-q', 'reload']));
      await lab.router.must(['nft', 'delete', 'table', 'inet', 'fw4']);
    },
  },
  {
    name: 'no default route',
    made: ['no-way-out'],
    async make({ lab, after }) {
      after(() => lab.router.must(['ip', 'route', 'add', 'default', 'via', ADDRESS.provider]));
      await lab.router.must(['ip', 'route', 'del', 'default']);
    },
  },
  {
    name: 'SIP leaves by two addresses',
    made: ['several-ways-out'],
    async make(stage) {
      const { router } = stage.lab;
      stage.after(() => router.must(['ip', 'addr', 'del', '203.0.113.21/32', 'dev', 'wan']));
      await router.must(['ip', 'addr', 'add', '203.0.113.21/32', 'dev', 'wan']);
      await stage.nft(chain('nat hook postrouting priority 90', `ip saddr ${ADDRESS.phone2} oifname "wan" snat to 203.0.113.21`));
      await stage.register('phone');
      await stage.register('phone2', { port: 5062 });
    },
  },
  { name: 'a private WAN', made: ['double-nat'], make: (stage) => wanIs(stage, '192.168.178.20') },
  { name: 'a shared WAN', made: ['carrier-nat'], make: (stage) => wanIs(stage, '100.64.3.4') },
  { name: 'a WAN of DS-Lite', made: ['carrier-nat'], make: (stage) => wanIs(stage, '192.0.0.2') },
  {
    name: 'fragments of the phone are lost upstream',
    made: ['fragments-lost-out'],
    make: (stage) => large(stage, 1842, 5),
  },
  {
    name: 'INVITE of 1422 bytes that must not be cut, MTU 1400',
    made: ['message-too-large'],
    async make(stage) {
      const { phone, router } = stage.lab;
      const deaf = 'table ip deaf { chain in { type filter hook input priority 0; icmp type destination-unreachable drop; }; }';
      stage.after(() => router.must(['ip', 'link', 'set', 'wan', 'mtu', '1500']));
      stage.after(() => phone.must(['nft', 'delete', 'table', 'ip', 'deaf']));
      await phone.must(['nft', '-f', '-'], { input: deaf });
      await router.must(['ip', 'link', 'set', 'wan', 'mtu', '1400']);
      await large(stage, 1422, 5);
    },
  },
  {
    name: 'a block list holds the provider',
    made: ['blocked-by-list'],
    async make(stage) {
      await stage.register('phone');
      await stage.nft(
        `${chain('filter hook input priority -5', 'ip saddr @blocked drop')}add element ip mine blocked { ${ADDRESS.provider} }\n`,
      );
    },
  },
  {
    name: 'a limit on what the provider sends',
    made: ['rate-limited'],
    async make(stage) {
      await stage.register('phone');
      await stage.call('phone');
      await stage.nft(
        chain(
          'filter hook forward priority -1',
          `ip saddr ${ADDRESS.provider} meta l4proto udp limit rate over 10/second burst 5 packets counter drop`,
        ),
      );
      await stage.counted('phone', NEAR, 150);
    },
  },
  {
    name: 'SQM that treats all alike',
    made: ['queue-ignores-marks'],
    ask: 'choppy',
    async make({ lab, after }) {
      after(async () => lab.files.remove('/etc/config/sqm'));
      lab.files.write(
        '/etc/config/sqm',
        "config queue 'wan'\n\toption enabled '1'\n\toption interface 'wan'\n\toption script 'piece_of_cake.qos'\n",
      );
    },
  },
  { name: 'no queue management', made: [], hidden: ['no-queue'], ask: 'the voice is chopped', make: async () => undefined },
  {
    name: 'scanners that are turned away while somebody asks for audio',
    made: [],
    ask: 'no audio',
    not: ['audio-waits-for-phone'],
    async make(stage) {
      await stage.register('phone');
      await stage.rtp('provider', { port: 7000, to: { address: ADDRESS.wan, port: 5070 }, size: 450 });
    },
  },
  { name: '5060 is open to the internet', made: ['sip-open'], make: (stage) => configured(stage, OPEN) },
  {
    name: 'scanners, through a forward to the phone',
    made: ['scanned', 'sip-open'],
    async make(stage) {
      await configured(stage, TO_PHONE);
      await withStranger(stage);
      const talker = await stage.lab.talker('provider');
      for (let port = 7000; port < 7005; port++) {
        const socket = await talker.udp(STRANGER, port);
        await socket.send(Buffer.from(message('OPTIONS', STRANGER, port)), { address: ADDRESS.wan, port: 5060 });
        await socket.close();
      }
      await stage.pause(200);
    },
  },
  // The last one: what the kernel has counted of fragments stays.
  {
    name: 'second fragments from the provider are lost',
    made: ['fragments-lost-in'],
    async make(stage) {
      const { provider } = stage.lab;
      const lossy =
        'table netdev lossy { chain out { type filter hook egress device "eth0" priority 0; ip frag-off & 0x1fff != 0 drop; }; }';
      stage.after(() => provider.must(['nft', 'delete', 'table', 'netdev', 'lossy']));
      await provider.must(['nft', '-f', '-'], { input: lossy });
      await stage.register('phone');
      const far = await stage.provider(5060);
      for (let times = 0; times < 12; times++)
        await far.send(Buffer.from(message('INVITE', ADDRESS.provider, 5060, 2400)), { address: ADDRESS.wan, port: 5060 });
      await stage.pause(300);
    },
  },
];
