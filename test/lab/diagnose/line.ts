/** Scenes of the line and of the network inside: what is missing of audio, what comes late, and marks that are not there. */
import { ADDRESS } from '../network.ts';
import type { Member } from '../member.ts';
import { chain, configured } from './scene.ts';
import type { End, Scene, Stage } from './scene.ts';

const ASK = 'the voice is choppy';

/** Every tenth packet of audio that leaves an end is lost. */
async function lossy(stage: Stage, who: End): Promise<void> {
  const member = stage.lab[who];
  const rules =
    'table netdev lossy { chain out { type filter hook egress device "eth0" priority 0; ' +
    'udp length 100-300 numgen inc mod 10 0 drop; }; }';
  stage.after(() => member.must(['nft', 'delete', 'table', 'netdev', 'lossy']));
  await member.must(['nft', '-f', '-'], { input: rules });
}

/** A device that sends no faster than this, and lets 100 kB wait. */
async function slow({ after }: Stage, member: Member, device: string, rate: string): Promise<void> {
  after(() => member.must(['tc', 'qdisc', 'del', 'dev', device, 'root']));
  await member.must(['tc', 'qdisc', 'add', 'dev', device, 'root', 'tbf', 'rate', rate, 'burst', '3000', 'limit', '100000']);
}

/** Packets of 1200 bytes, a thousand a second. */
const flood = (stage: Stage, who: End, address: string): Promise<unknown> =>
  stage.rtp(who, { port: 9000, to: { address, port: 9 }, size: 1200, every: 1 });

export const OF_LINE: readonly Scene[] = [
  {
    name: 'broken frames come by a device that leads out',
    made: ['line-errors'],
    async make(stage) {
      const { router } = stage.lab;
      stage.after(() => router.must(['ip', 'link', 'del', 'line']));
      await router.must([
        'sh',
        '-ec',
        `ip link add line type vxlan id 7 local ${ADDRESS.router} dstport 4789; ip link set line up`,
      ]);
      await configured(stage, "config zone\n\toption name 'tunnel'\n\tlist device 'line'\n\toption masq '1'\n");
      // A tunnel is the one device in software that counts what it cannot read (net/ipv4/ip_tunnel_core.c): Ethernet cut off in the
      // header of IPv4, behind the header of VXLAN (RFC 7348 §5).
      const frame = Buffer.concat([Buffer.from([8, 0, 0, 0, 0, 0, 7, 0]), Buffer.alloc(12, 0x02), Buffer.from([8, 0, 0x45, 0, 0, 0])]);
      const socket = await (await stage.lab.talker('phone')).udp(ADDRESS.phone, 7000);
      stage.after(() => socket.close());
      for (let count = 0; count < 30; count++) await socket.send(frame, { address: ADDRESS.router, port: 4789 });
      await stage.pause(100);
    },
  },
  {
    name: 'every tenth packet of the provider is lost',
    made: ['audio-gaps-in'],
    ask: ASK,
    async make(stage) {
      await stage.settle('phone');
      await stage.call('phone');
      await lossy(stage, 'provider');
    },
  },
  {
    name: 'every tenth packet of the phone is lost inside',
    made: ['audio-gaps-out'],
    ask: ASK,
    async make(stage) {
      await stage.settle('phone');
      await stage.call('phone', { echo: false });
      await lossy(stage, 'phone');
    },
  },
  {
    name: 'the phone answers late',
    made: ['inside-late'],
    ask: ASK,
    async make(stage) {
      await stage.settle('phone');
      await stage.call('phone', { echo: false });
      await slow(stage, stage.lab.phone, 'eth0', '1mbit');
      await flood(stage, 'phone', ADDRESS.router);
    },
  },
  {
    name: 'an upload fills the line, and no queue keeps it back',
    made: ['no-queue'],
    ask: ASK,
    async make(stage) {
      await stage.register('phone');
      await slow(stage, stage.lab.router, 'wan', '1mbit');
      await flood(stage, 'phone2', ADDRESS.provider);
    },
  },
  {
    name: 'audio without a mark, and something that counts marks',
    made: ['marks-missing'],
    ask: ASK,
    async make(stage) {
      await stage.settle('phone');
      await stage.nft(chain('filter hook forward priority -1', 'ip dscp ef counter'));
      await stage.call('phone');
      await stage.counted('phone', 4000, 120);
    },
  },
];
