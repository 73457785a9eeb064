/** Scenes of audio. */
import { ADDRESS } from '../network.ts';
import { chain, FAR, NEAR } from './scene.ts';
import type { Scene } from './scene.ts';

const SERVER = { address: ADDRESS.provider, port: FAR };
const WAN = { address: ADDRESS.wan, port: NEAR };

export const OF_AUDIO: readonly Scene[] = [
  {
    name: 'a rule in forward drops what comes back',
    made: ['rule-drops-audio-in'],
    async make(stage) {
      await stage.register('phone');
      await stage.call('phone');
      await stage.nft(chain('filter hook forward priority -1', `udp sport ${FAR} counter drop`));
      await stage.counted('phone', NEAR, 120);
    },
  },
  {
    name: 'a rule before conntrack drops what comes back',
    made: ['rule-drops-audio-in'],
    async make(stage) {
      await stage.register('phone');
      await stage.nft(chain('filter hook prerouting priority -300', `iifname "wan" udp dport ${NEAR} counter drop`));
      await stage.rtp('provider', { port: FAR, echo: true });
      await stage.rtp('phone', { port: NEAR, to: SERVER });
      await stage.counted('phone', NEAR, 60);
    },
  },
  {
    name: 'a rule drops what the phone sends',
    made: ['rule-drops-audio-out'],
    ask: 'one-way-audio',
    async make(stage) {
      await stage.register('phone');
      await stage.nft(chain('filter hook forward priority -1', `ip saddr ${ADDRESS.phone} udp dport 10000-30000 counter drop`));
      await stage.rtp('provider', { port: FAR, to: WAN });
      await stage.rtp('phone', { port: NEAR, to: SERVER });
      await stage.pause(500);
    },
  },
  {
    name: 'audio comes from another port than the phone sends to',
    made: ['audio-from-elsewhere'],
    async make(stage) {
      await stage.register('phone');
      await stage.rtp('provider', { port: FAR + 10, to: WAN });
      await stage.rtp('provider', { port: FAR });
      await stage.rtp('phone', { port: NEAR, to: SERVER });
      await stage.counted('phone', NEAR, 60);
    },
  },
  {
    name: 'audio comes for a phone that sends none',
    made: ['audio-waits-for-phone'],
    ask: 'no audio',
    async make(stage) {
      await stage.register('phone');
      await stage.rtp('provider', { port: FAR, to: WAN });
    },
  },
  {
    name: 'no audio comes at all (lost upstream, or a private SDP: the same here)',
    made: ['audio-lost-upstream', 'sdp-private'],
    async make(stage) {
      await stage.register('phone');
      await stage.rtp('provider', { port: FAR });
      await stage.rtp('phone', { port: NEAR, to: SERVER });
      await stage.counted('phone', NEAR, 60);
    },
  },
  {
    name: 'two phones on one audio port',
    made: ['phones-share-audio-port'],
    async make(stage) {
      await stage.register('phone', { port: 5060 });
      await stage.register('phone2', { port: 5062 });
      await stage.rtp('provider', { port: FAR, echo: NEAR });
      await stage.rtp('phone', { port: NEAR, to: SERVER });
      await stage.counted('phone', NEAR, 30);
      await stage.rtp('phone2', { port: NEAR, to: SERVER });
      await stage.counted('phone2', NEAR, 60);
    },
  },
  {
    name: 'audio that ran comes no more (retrieved from hold)',
    made: ['audio-stalls'],
    ask: 'calls drop when I take them off hold',
    async make(stage) {
      await stage.register('phone');
      const far = await stage.rtp('provider', { port: FAR, echo: true });
      await stage.rtp('phone', { port: NEAR, to: SERVER });
      await stage.counted('phone', NEAR, 60);
      far.child.stdin.end();
      await far.ended;
      await stage.rtp('provider', { port: FAR });
    },
  },
  {
    name: 'what the phone sends is lost upstream',
    made: [],
    hidden: ['audio-out-lost-upstream'],
    ask: 'they cannot hear me',
    async make(stage) {
      await stage.settle('phone');
      await stage.call('phone');
    },
  },
];
