/** Scenes of the WAN: an address that changed while phones hold registrations to the one before, and lines that share theirs. */
import { ADDRESS } from '../network.ts';
import { chain } from './scene.ts';
import type { Scene, Stage } from './scene.ts';

/** netifd's word for how long the WAN has been up; the lab has no netifd. */
function upFor({ lab, after }: Stage, uptime: number, proto = 'dhcp'): void {
  const dump = JSON.stringify({ interface: [{ interface: 'wan', up: true, uptime, l3_device: 'wan', proto }] });
  after(async () => lab.files.remove('/bin/ubus'));
  lab.files.write('/bin/ubus', `#!/bin/sh\n[ "$*" = 'call network.interface dump' ] || exit 4\necho '${dump}'\n`, 0o755);
}

const OTHER = '203.0.113.77';

/** The WAN's address goes, and another one comes in its place. */
async function renumber({ lab: { router }, after }: Stage): Promise<void> {
  const change = (old: string, now: string): Promise<string> =>
    router.must([
      'sh',
      '-ec',
      `ip addr del ${old}/24 dev wan; ip addr add ${now}/24 dev wan; ip route replace default via ${ADDRESS.provider} dev wan`,
    ]);
  after(() => change(OTHER, ADDRESS.wan));
  await change(ADDRESS.wan, OTHER);
}

export const OF_WAN: readonly Scene[] = [
  {
    name: 'the WAN has another address, and the phone sends keep-alives alone',
    made: ['wan-address-changed'],
    not: ['state-lost-address'],
    async make(stage) {
      const phone = await stage.settle('phone');
      await renumber(stage);
      upFor(stage, 40);
      for (let times = 0; times < 3; times++) {
        await phone.send(Buffer.from('\r\n\r\n'), { address: ADDRESS.provider, port: 5060 });
        await stage.pause(50);
      }
      // What the provider sends to where the phone is registered comes to nobody.
      const far = await stage.provider(5060);
      await far.send(Buffer.from('INVITE sip:one SIP/2.0\r\n\r\n'), { address: ADDRESS.wan, port: 5060 });
      if ((await phone.next(300)) !== undefined) throw new Error('The INVITE to the address of before came to the phone');
    },
  },
  {
    name: 'the WAN has another address, and the phone has registered since',
    made: [],
    not: ['wan-address-changed'],
    async make(stage) {
      await stage.settle('phone');
      await renumber(stage);
      upFor(stage, 40);
      await stage.settle('phone');
    },
  },
  {
    name: 'a line that keeps phones to a few ports (MAP-E)',
    made: ['port-not-kept'],
    async make(stage) {
      upFor(stage, 86_400, 'map');
      await stage.nft(chain('nat hook postrouting priority 90', `ip protocol udp oifname "wan" snat to ${ADDRESS.wan}:1232-1247`));
      await stage.register('phone');
    },
  },
];
