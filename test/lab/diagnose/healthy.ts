/** Scenes in health that look like a cause: nothing may be named. */
import { ADDRESS } from '../network.ts';
import { chain, configured, FAR, message, NEAR, STRANGER, withStranger } from './scene.ts';
import type { Scene, Stage } from './scene.ts';

const SERVER = { address: ADDRESS.provider, port: FAR };
const WAN = { address: ADDRESS.wan, port: NEAR };

const forward = (name: string, more: string): string =>
  `config redirect '${name}'\n\toption src 'wan'\n\toption dest 'lan'\n\toption target 'DNAT'\n${more
    .trim()
    .split('; ')
    .map((line) => `\toption ${line}\n`)
    .join('')}\n`;

/** A program on the router that answers on port 5060. */
async function pbxOnRouter(stage: Stage): Promise<void> {
  const answers =
    "const s = require('dgram').createSocket('udp4'); s.on('message', (_, to) => s.send('SIP/2.0 200 OK', to.port, to.address)); " +
    "s.bind(5060, '0.0.0.0', () => console.log('ready')); process.stdin.on('end', () => process.exit()).resume()";
  const pbx = stage.lab.router.spawn([process.execPath, '-e', answers]);
  await new Promise((resolve) => pbx.child.stdout.once('data', resolve));
  stage.after(async () => {
    pbx.child.stdin.end();
    await pbx.ended;
  });
}

export const IN_HEALTH: readonly Scene[] = [
  {
    name: 'rules of the house: the phone may speak to its provider alone, strangers are on a list, other ports are forwarded',
    made: [],
    not: ['rule-drops-audio-in', 'rule-drops-audio-out', 'blocked-by-list', 'forward-takes-calls', 'sip-open'],
    async make(stage) {
      await configured(
        stage,
        forward('web', `proto 'tcp'; src_dport '8443'; dest_ip '${ADDRESS.phone2}'; dest_port '443'`) +
          forward('game', `proto 'udp'; src_dport '27000-27100'; dest_ip '${ADDRESS.phone2}'`),
      );
      await withStranger(stage);
      await stage.nft(
        `${chain(
          'filter hook forward priority -1',
          `ip saddr @blocked counter drop; ip saddr ${ADDRESS.phone} ip daddr ${ADDRESS.provider} accept; ` +
            `ip saddr ${ADDRESS.phone} counter drop; ip saddr ${ADDRESS.provider} accept; ip daddr ${ADDRESS.phone} counter drop`,
        )}add element ip mine blocked { ${STRANGER} }\n`,
      );
      await stage.settle('phone');
      await stage.call('phone');
      const home = await (await stage.lab.talker('phone')).udp(ADDRESS.phone, 7000);
      stage.after(() => home.close());
      for (let count = 0; count < 5; count++) await home.send(Buffer.alloc(48), { address: STRANGER, port: 123 });
    },
  },
  {
    name: 'on hold: music comes, and the phone sends nothing',
    made: [],
    hidden: ['audio-stalls'],
    ask: 'one-way audio',
    async make(stage) {
      await stage.settle('phone');
      await stage.rtp('provider', { port: FAR, to: WAN });
      const talking = await stage.rtp('phone', { port: NEAR, to: SERVER });
      await stage.counted('phone', NEAR, 60);
      talking.child.stdin.end();
      await talking.ended;
      await stage.rtp('phone', { port: NEAR });
    },
  },
  {
    name: 'a game that runs as steadily as audio, while somebody asks why calls drop',
    made: [],
    hidden: ['state-gone-in-call'],
    ask: 'calls drop after a while',
    async make(stage) {
      await stage.settle('phone');
      await withStranger(stage);
      await stage.rtp('provider', { address: STRANGER, port: 30_000, size: 90, every: 16, echo: true });
      await stage.rtp('phone2', { port: 50_000, to: { address: STRANGER, port: 30_000 }, size: 60, every: 16 });
      await stage.counted('phone2', 50_000, 60);
    },
  },
  {
    name: 'others ask for a client of a DHT that is gone, while somebody asks for audio',
    made: [],
    hidden: ['audio-waits-for-phone'],
    ask: 'no audio',
    async make(stage) {
      await stage.settle('phone');
      await stage.rtp('provider', { port: 7000, to: { address: ADDRESS.wan, port: 51_413 }, size: 82, every: 10 });
    },
  },
  {
    name: 'two phones by TCP, from one port',
    made: [],
    not: ['phones-share-sip-port', 'port-not-kept', 'state-short'],
    async make(stage) {
      const server = { address: ADDRESS.provider, port: 5060 };
      const far = await (await stage.lab.talker('provider')).listen(ADDRESS.provider, 5060);
      stage.after(() => far.close());
      for (const who of ['phone', 'phone2'] as const) {
        const near = await (await stage.lab.talker(who)).tcp(ADDRESS[who], 5060, server);
        stage.after(() => near.close());
        await near.send(Buffer.from(message('REGISTER', ADDRESS[who], 5060)), server);
        if ((await far.next(10_000)) === undefined) throw new Error(`The REGISTER of ${who} did not come to the provider`);
      }
    },
  },
  {
    name: 'phones of two providers, with a way to the internet each',
    made: [],
    not: ['several-ways-out'],
    async make(stage) {
      const { router } = stage.lab;
      await withStranger(stage);
      stage.after(() => router.must(['ip', 'addr', 'del', '203.0.113.21/32', 'dev', 'wan']));
      await router.must(['ip', 'addr', 'add', '203.0.113.21/32', 'dev', 'wan']);
      await stage.nft(chain('nat hook postrouting priority 90', `ip saddr ${ADDRESS.phone2} oifname "wan" snat to 203.0.113.21`));
      await stage.register('phone');
      const phone = await (await stage.lab.talker('phone2')).udp(ADDRESS.phone2, 5062);
      const far = await (await stage.lab.talker('provider')).udp(STRANGER, 5060);
      stage.after(() => phone.close().then(() => far.close()));
      await phone.send(Buffer.from(message('REGISTER', ADDRESS.phone2, 5062)), { address: STRANGER, port: 5060 });
      if ((await far.next(10_000)) === undefined) throw new Error('The REGISTER did not come to the other provider');
    },
  },
  {
    name: 'a phone that rests answers late',
    made: [],
    hidden: ['inside-late'],
    ask: 'the voice is choppy',
    async make(stage) {
      const { phone } = stage.lab;
      await stage.register('phone');
      stage.after(() => phone.must(['tc', 'qdisc', 'del', 'dev', 'eth0', 'root']));
      await phone.must(['tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', 'rate', '1mbit', 'burst', '3000', 'limit', '100000']);
      await stage.rtp('phone', { port: 9000, to: { address: ADDRESS.router, port: 9 }, size: 1200, every: 1 });
    },
  },
  {
    name: 'a PBX on the router, with which the phones register',
    made: [],
    not: ['phones-share-sip-port'],
    async make(stage) {
      await pbxOnRouter(stage);
      for (const who of ['phone', 'phone2'] as const) {
        const phone = await (await stage.lab.talker(who)).udp(ADDRESS[who], 5060);
        stage.after(() => phone.close());
        await phone.send(Buffer.from(message('REGISTER', ADDRESS[who], 5060)), { address: ADDRESS.router, port: 5060 });
        if ((await phone.next(10_000)) === undefined) throw new Error(`${who} got no answer of the PBX`);
      }
    },
  },
  {
    name: 'a trunk that does not register: the provider alone is let in to the PBX, and calls',
    made: [],
    not: ['scanned', 'sip-open', 'forward-takes-calls'],
    async make(stage) {
      await configured(
        stage,
        forward('trunk', `proto 'udp'; src_ip '${ADDRESS.provider}'; src_dport '5060'; dest_ip '${ADDRESS.phone2}'; dest_port '5060'`),
      );
      const pbx = await (await stage.lab.talker('phone2')).udp(ADDRESS.phone2, 5060);
      stage.after(() => pbx.close());
      const far = await stage.provider(5060);
      await far.send(Buffer.from(message('INVITE', ADDRESS.provider, 5060)), { address: ADDRESS.wan, port: 5060 });
      const came = await pbx.next(10_000);
      if (came === undefined) throw new Error('The INVITE did not come to the PBX');
      await pbx.send(Buffer.from(message('SIP/2.0 200 OK', ADDRESS.phone2, 5060)), came.from);
    },
  },
  {
    name: 'a forward of 5060 to a PBX, beside which a phone has a port of its own',
    made: ['sip-open'],
    not: ['forward-takes-calls'],
    async make(stage) {
      await configured(stage, forward('pbx', `proto 'udp'; src_dport '5060'; dest_ip '${ADDRESS.phone2}'; dest_port '5060'`));
      await stage.register('phone', { port: 5062 });
      await stage.register('phone2', { port: 5060 });
    },
  },
];
