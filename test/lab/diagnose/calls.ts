/**
 * The symptoms that people come with, each in a real call: sipp, kamailio or baresip at both ends, something made that breaks it, and
 * the ends themselves say that it broke.
 */
import { callThroughProvider, startKamailio } from '../compare/peers.ts';
import { ADDRESS } from '../network.ts';
import * as sip from './scenario.ts';
import { configured, FAR, message, NEAR, chain } from './scene.ts';
import type { Scene, Stage } from './scene.ts';

export interface BrokenCall extends Scene {
  readonly symptom: string;
  readonly alg: boolean;
  /** What the ends of the call saw. */
  readonly seen: string;
}

export const PROVIDER = { address: ADDRESS.provider, port: 5060 };
const { answer, answerAgain, KEEP_FROM, pause, perhaps, receive, request, requestBack, response, sdp } = sip;

/**
 * @param why what sipp says of the step at which it gave up
 * @throws Error where a call that has to break did not, or broke elsewhere
 */
export async function breaks(who: string, { ended, said }: sip.Running, why: RegExp): Promise<void> {
  const status = await ended;
  if (status === 0) throw new Error(`The call of ${who} went well: nothing was broken`);
  const errors = await said();
  if (!why.test(errors)) throw new Error(`The call of ${who} broke, but not at ${String(why)}: ${errors}`);
}

/** The beginning of a call, at whom it is for and at who makes it. */
export const taken = (actions = ''): string[] => [receive('INVITE', { actions }), answer('200 OK', sdp()), receive('ACK')];
const TAKEN = taken();
export const MADE = [request('INVITE', 1, { body: sdp() }), perhaps(100), perhaps(180), response(200), request('ACK', 1, { inDialog: true })];

export async function started(stage: Stage, ...args: Parameters<typeof sip.sipp>): Promise<sip.Running> {
  const running = await sip.sipp(...args);
  stage.after(() => running.stop());
  return running;
}

/** The address of o= in a body, kept under a name. */
const origin = (name: string): string =>
  `<ereg regexp="o=[^ ]+ [^ ]+ [^ ]+ IN IP4 [0-9.]+" search_in="body" check_it="true" assign_to="${name}"/>`;

export const BROKEN: readonly BrokenCall[] = [
  {
    symptom: 'drops-after-time',
    alg: false,
    name: 'the provider refreshes the session after six seconds, and the state of the phone has expired',
    made: ['state-gone-in-call'],
    ask: 'calls drop after a while',
    seen: 'the re-INVITE is not answered, and the provider gives the call up',
    async make(stage) {
      const { lab } = stage;
      const timeout = (seconds: number): Promise<string> =>
        lab.router.must(['sh', '-c', `echo ${seconds} >/proc/sys/net/netfilter/nf_conntrack_udp_timeout`]);
      stage.after(() => timeout(60));
      await timeout(4);
      const far = await started(
        stage,
        lab,
        'provider',
        [...taken(KEEP_FROM), pause(6000), requestBack('INVITE', 2, sdp()), response(200, 2500)],
        {
          mediaPort: FAR + 2,
        },
      );
      await started(stage, lab, 'phone', [...MADE, pause(15_000)], { to: PROVIDER, mediaPort: NEAR + 2 });
      await stage.call('phone');
      await breaks('the provider', far, /timeout on message one:5 /);
      await timeout(60);
    },
  },
  {
    symptom: 'drops-on-hold',
    alg: true,
    name: 'a phone holds a call and retrieves it, and the ALG writes another origin into each',
    made: ['alg-rewrites'],
    ask: 'calls drop when retrieved from hold',
    seen: 'the origin of the session is another one when it is retrieved, and the provider refuses it',
    async make(stage) {
      const { lab } = stage;
      const again = receive('INVITE', { actions: origin('held') });
      const retrieved = receive('INVITE', {
        actions:
          `${origin('now')}<strcmp assign_to="same" variable="held" variable2="now"/>` +
          '<test assign_to="other" variable="same" compare="not_equal" value="0"/>',
      });
      const far = [
        ...[...TAKEN, again, answerAgain('200 OK', sdp()), receive('ACK'), retrieved, '<nop next="other" test="other"/>'],
        ...[answerAgain('200 OK', sdp()), receive('ACK'), receive('BYE'), answerAgain('200 OK'), '<label id="other"/>'],
        answerAgain('488 Not Acceptable Here'),
      ];
      await started(stage, lab, 'provider', far);
      const hold = [request('INVITE', 2, { body: sdp('0.0.0.0') }), response(200), request('ACK', 2)];
      const retrieve = [request('INVITE', 3, { body: sdp() }), response(200), request('ACK', 3), request('BYE', 4), response(200)];
      await breaks('the phone', await started(stage, lab, 'phone', [...MADE, ...hold, pause(200), ...retrieve], { to: PROVIDER }), /488/);
    },
  },
  {
    symptom: 'drops-on-transfer',
    alg: false,
    name: 'a REFER of 2400 bytes, and fragments that are lost upstream',
    made: ['fragments-lost-out'],
    ask: 'calls drop on transfer',
    seen: 'the REFER is not answered',
    async make(stage) {
      const { lab } = stage;
      const lossy =
        'table netdev lossy { chain in { type filter hook ingress device "eth0" priority 0; ip frag-off & 0x1fff != 0 drop; }; }';
      stage.after(() => lab.provider.must(['nft', 'delete', 'table', 'netdev', 'lossy']));
      await lab.provider.must(['nft', '-f', '-'], { input: lossy });
      await started(stage, lab, 'provider', [...TAKEN, receive('REFER'), answerAgain('202 Accepted')]);
      const more = [`Refer-To: <sip:three@${ADDRESS.provider}>`, `X-Filling: ${'x'.repeat(2000)}`];
      const steps = [...MADE, request('REFER', 2, { more }), response(202, 4000)];
      await breaks('the phone', await started(stage, lab, 'phone', steps, { to: PROVIDER }), /timeout on message one:6 /);
    },
  },
  {
    symptom: 'not-received',
    alg: false,
    name: 'a port forward of 5060 leads to another device than the phone',
    made: ['forward-takes-calls', 'sip-open'],
    ask: 'calls do not come in',
    seen: 'the INVITE of the provider reaches nobody',
    async make(stage) {
      const { lab } = stage;
      await configured(
        stage,
        `config redirect 'pbx'\n\toption src 'wan'\n\toption dest 'lan'\n\toption proto 'udp'\n\toption src_dport '5060'\n` +
          `\toption dest_ip '${ADDRESS.phone2}'\n\toption target 'DNAT'\n`,
      );
      await started(stage, lab, 'provider', [receive('REGISTER'), answer('200 OK')]);
      const phone = await started(stage, lab, 'phone', [request('REGISTER', 1), response(200)], { port: 5062, to: PROVIDER });
      if ((await phone.ended) !== 0) throw new Error('The phone could not register');
      const steps = [request('INVITE', 1, { body: sdp() }), response(200, 3000)];
      await breaks(
        'the provider',
        await started(stage, lab, 'provider', steps, { port: 5070, to: { address: ADDRESS.wan, port: 5060 } }),
        /timeout on message one:1 /,
      );
    },
  },
  {
    symptom: 'cannot-call-out',
    alg: true,
    name: 'two phones name one audio port, and the ALG drops the INVITE of the second',
    made: ['alg-rewrites'],
    ask: 'cannot make calls',
    seen: 'the second INVITE is not answered',
    async make(stage) {
      const { lab } = stage;
      await started(stage, lab, 'provider', [...TAKEN, pause(15_000)]);
      await started(stage, lab, 'provider', [...TAKEN, pause(15_000)], { port: 5064 });
      await started(stage, lab, 'phone', [...MADE, pause(15_000)], { to: PROVIDER, mediaPort: 4100 });
      await stage.pause(500);
      const steps = [request('INVITE', 1, { body: sdp() }), response(200, 3000)];
      const other = { address: ADDRESS.provider, port: 5060 };
      await breaks(
        'the second phone',
        await started(stage, lab, 'phone2', steps, { to: other, mediaPort: 4100 }),
        /timeout on message one:1 /,
      );
    },
  },
  {
    symptom: 'no-audio',
    alg: true,
    name: 'baresip calls baresip behind the same router, through kamailio and the ALG',
    made: ['alg-rewrites', 'audio-to-own-address'],
    ask: 'no audio',
    seen: 'each sends its audio to the address of the WAN, and none of it comes back',
    make: ({ lab }) => callThroughProvider(lab),
  },
  {
    symptom: 'one-way-audio',
    alg: false,
    name: 'a call of sipp, and a rule in forward that drops what comes back',
    made: ['rule-drops-audio-in'],
    ask: 'I cannot hear them',
    seen: 'the phone sends, and nothing reaches it',
    async make(stage) {
      const { lab } = stage;
      await started(stage, lab, 'provider', [...TAKEN, pause(15_000)], { mediaPort: FAR + 2 });
      await started(stage, lab, 'phone', [...MADE, pause(15_000)], { to: PROVIDER, mediaPort: NEAR + 2 });
      await stage.call('phone');
      await stage.nft(chain('filter hook forward priority -1', `udp sport ${FAR} counter drop`));
      await stage.counted('phone', NEAR, 120);
    },
  },
  {
    symptom: 'others-ring-on',
    alg: false,
    name: 'kamailio rings two phones, one answers, and a limit on the router drops the CANCEL for the other',
    made: ['rate-limited'],
    ask: 'the other phones keep ringing',
    seen: 'the second phone gets no CANCEL',
    async make(stage) {
      const { lab } = stage;
      const kamailio = await startKamailio(lab, { behindNat: true });
      stage.after(() => kamailio.end());
      for (const [who, port] of [
        ['phone', 5060],
        ['phone2', 5062],
      ] as const) {
        const socket = await (await lab.talker(who)).udp(ADDRESS[who], port);
        const register = message('REGISTER', ADDRESS[who], port, { registers: 'two' });
        await socket.send(Buffer.from(register), PROVIDER);
        const came = await socket.next(5000);
        if (came === undefined || !came.bytes.toString().startsWith('SIP/2.0 200')) throw new Error(`${who} could not register`);
        await socket.close();
      }
      await stage.nft(
        chain(
          'filter hook forward priority -1',
          `ip daddr ${ADDRESS.phone2} udp sport 5060 limit rate over 1/hour burst 1 packets counter drop`,
        ),
      );
      const ringing = [receive('INVITE'), answer('180 Ringing')];
      await started(stage, lab, 'phone', [...ringing, pause(400), answer('200 OK', sdp()), receive('ACK'), pause(15_000)]);
      const other = await started(stage, lab, 'phone2', [...ringing, receive('CANCEL', { within: 3000 })], { port: 5062 });
      await started(stage, lab, 'provider', [...MADE, pause(15_000)], { port: 5070, to: PROVIDER });
      await breaks('the second phone', other, /timeout on message one:2 /);
    },
  },
];
