/** Scenes of the state that the router keeps of phones. */
import { ADDRESS } from '../network.ts';
import { placeCalls } from '../sipp.ts';
import { breaks, MADE, PROVIDER, started, taken } from './calls.ts';
import { KEEP_FROM, pause, requestBack, response, sdp } from './scenario.ts';
import { chain, configured, FAR, message, NEAR } from './scene.ts';
import type { Scene } from './scene.ts';

const FORWARD = `config redirect 'pbx'
	option name 'PBX'
	option src 'wan'
	option dest 'lan'
	option proto 'udp'
	option src_dport '5060'
	option dest_ip '${ADDRESS.phone2}'
	option dest_port '5060'
	option target 'DNAT'
`;

export const OF_STATE: readonly Scene[] = [
  {
    name: 'two phones in health, one in a call',
    made: [],
    async make(stage) {
      await Promise.all([stage.settle('phone', 5060), stage.call('phone')]);
      await stage.settle('phone2', 5062);
    },
  },
  {
    name: 'two calls of sipp, no cause made',
    made: [],
    make: async ({ lab }) => void (await placeCalls(lab, { calls: 2 })),
  },
  {
    name: 'a phone without keep-alive, 31 s after its REGISTER',
    made: ['state-short'],
    waits: true,
    async make(stage) {
      await stage.register('phone');
      await stage.pause(31_500);
    },
  },
  {
    name: 'state expired while audio runs (timeout 4 s)',
    made: ['state-gone-in-call'],
    async make(stage) {
      const timeout = (seconds: number): Promise<string> =>
        stage.lab.router.must(['sh', '-c', `echo ${seconds} >/proc/sys/net/netfilter/nf_conntrack_udp_timeout`]);
      stage.after(() => timeout(60));
      await timeout(4);
      await stage.register('phone');
      await stage.call('phone');
      await stage.pause(4500);
      await timeout(60);
      await stage.settle('phone2', 5062);
    },
  },
  {
    name: 'the answers go to an address that the WAN has lost',
    made: ['state-lost-address'],
    async make(stage) {
      const { router } = stage.lab;
      await router.must(['ip', 'addr', 'add', '203.0.113.21/32', 'dev', 'wan']);
      await stage.nft(chain('nat hook postrouting priority 90', `udp sport 5060 oifname "wan" snat to 203.0.113.21`));
      await stage.register('phone');
      await router.must(['nft', 'delete', 'table', 'ip', 'mine']);
      await router.must(['ip', 'addr', 'del', '203.0.113.21/32', 'dev', 'wan']);
    },
  },
  {
    name: 'a phone spoke before the firewall translated',
    made: ['state-untranslated'],
    async make(stage) {
      await stage.lab.router.must(['nft', 'flush', 'chain', 'inet', 'fw4', 'srcnat']);
      await stage.register('phone', { answered: false });
      await stage.lab.router.must(['fw4', '-q', 'reload']);
      await stage.register('phone', { answered: false });
    },
  },
  {
    name: 'two phones on port 5060',
    made: ['phones-share-sip-port'],
    async make(stage) {
      await stage.register('phone');
      await stage.register('phone2');
    },
  },
  {
    name: 'random ports outside on purpose',
    made: ['port-not-kept'],
    async make(stage) {
      await stage.nft(chain('nat hook postrouting priority 90', 'udp sport 5060 oifname "wan" masquerade fully-random'));
      await stage.register('phone');
    },
  },
  {
    name: 'a state that the pings of the provider keep',
    made: [],
    not: ['state-short'],
    async make(stage) {
      await stage.register('phone');
      const far = await stage.provider(5060);
      await stage.pause(2200);
      for (let times = 0; times < 8; times++) await far.send(Buffer.alloc(4), { address: ADDRESS.wan, port: 5060 });
      await stage.pause(100);
    },
  },
  {
    name: 'a program on the router registers with the same provider first',
    made: ['service-on-router'],
    not: ['port-not-kept', 'phones-share-sip-port'],
    async make(stage) {
      const talk =
        "const s = require('dgram').createSocket('udp4'); " +
        `s.bind(5060, '0.0.0.0', () => s.send('REGISTER', 5060, '${ADDRESS.provider}', () => console.log('ready'))); ` +
        "process.stdin.on('end', () => process.exit()).resume()";
      const far = await stage.provider(5060);
      const service = stage.lab.router.spawn([process.execPath, '-e', talk]);
      await new Promise((resolve) => service.child.stdout.once('data', resolve));
      stage.after(async () => {
        service.child.stdin.end();
        await service.ended;
      });
      await far.next(10_000);
      await stage.register('phone');
    },
  },
  {
    name: 'a program on the router has port 5060',
    made: ['service-on-router'],
    async make(stage) {
      const bind =
        "require('dgram').createSocket('udp4').bind(5060, '0.0.0.0', () => console.log('ready')); process.stdin.on('end', () => process.exit()).resume()";
      const service = stage.lab.router.spawn([process.execPath, '-e', bind]);
      await new Promise((resolve) => service.child.stdout.once('data', resolve));
      stage.after(async () => {
        service.child.stdin.end();
        await service.ended;
      });
      await stage.register('phone');
    },
  },
  {
    name: 'a forward of 5060 to the other phone has the call',
    made: ['forward-takes-calls', 'sip-open'],
    async make(stage) {
      await configured(stage, FORWARD);
      await stage.register('phone', { port: 5062 });
      await stage.register('phone2', { port: 5064 });
      const far = await stage.provider(5060);
      await far.send(Buffer.from(message('INVITE', ADDRESS.provider, 5060)), { address: ADDRESS.wan, port: 5060 });
      await stage.pause(200);
    },
  },
  {
    name: 'UPnP leads 5060 to the other phone',
    made: ['forward-takes-calls', 'sip-open'],
    async make(stage) {
      await stage.nft(
        'table ip mine {\n  chain upnp_prerouting {\n    type nat hook prerouting priority -101; policy accept;\n' +
          `    iifname "wan" udp dport 5060 dnat to ${ADDRESS.phone2}\n  }\n}\n`,
      );
      await stage.register('phone', { port: 5060 });
    },
  },
  {
    name: 'the ACK never comes: the phone says its 200 again',
    made: ['answer-unacknowledged'],
    async make(stage) {
      const phone = await stage.register('phone');
      await stage.call('phone');
      const say = (): Promise<void> =>
        phone.send(Buffer.from(message('SIP/2.0 200 OK', ADDRESS.phone, 5060, 900)), { address: ADDRESS.provider, port: 5060 });
      for (let times = 0; times < 7; times++) await say();
      // As a phone does it, until somebody acknowledges: RFC 3261 §13.3.1.4, at T2 in the end.
      const again = setInterval(() => void say(), 1500);
      stage.after(async () => clearInterval(again));
      await stage.pause(100);
    },
  },
  {
    name: 'a phone has sent more than it got, and talks',
    made: [],
    not: ['answer-unacknowledged', 'fragments-lost-out', 'message-too-large'],
    async make(stage) {
      const phone = await stage.settle('phone');
      for (let times = 0; times < 8; times++)
        await phone.send(Buffer.from(message('SIP/2.0 200 OK', ADDRESS.phone, 5060, 900)), { address: ADDRESS.provider, port: 5060 });
      await stage.call('phone');
    },
  },
  {
    name: 'the refresh of a session is lost upstream, and the provider gives the call up',
    made: [],
    hidden: ['session-refresh'],
    not: ['state-gone-in-call'],
    ask: 'calls drop after 15 minutes',
    async make(stage) {
      const { lab } = stage;
      const lost =
        'table netdev lossy { chain out { type filter hook egress device "eth0" priority 0; ' +
        'udp sport 5064 @th,64,48 0x494e56495445 counter drop; }; }';
      stage.after(() => lab.provider.must(['nft', 'delete', 'table', 'netdev', 'lossy']));
      await lab.provider.must(['nft', '-f', '-'], { input: lost });
      await stage.settle('phone', 5070);
      // RFC 4028 §7.2: who refreshes it stands in the answer. Half of the time is two seconds here, so that a test can wait for it.
      const timed = taken(KEEP_FROM).map((step) => step.replace('Contact:', 'Require: timer\nSession-Expires: 1800;refresher=uas\nContact:'));
      const far = await started(stage, lab, 'provider', [...timed, pause(2000), requestBack('INVITE', 2, sdp()), response(200, 2500)], {
        ...{ port: 5064, mediaPort: FAR + 2 },
      });
      await started(stage, lab, 'phone', [...MADE, pause(15_000)], { to: { ...PROVIDER, port: 5064 }, mediaPort: NEAR + 2 });
      await stage.call('phone');
      await breaks('the provider', far, /timeout on message one:5 /);
    },
  },
  {
    name: 'a CANCEL that is lost upstream',
    made: [],
    hidden: ['cancel-lost'],
    ask: 'the other phones keep ringing',
    async make(stage) {
      await stage.settle('phone2', 5062);
      const far = await stage.provider(5060);
      await far.send(Buffer.from(message('INVITE', ADDRESS.provider, 5060)), { address: ADDRESS.wan, port: 5062 });
      await stage.pause(200);
    },
  },
];
