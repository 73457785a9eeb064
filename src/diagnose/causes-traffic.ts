/** Causes that lie with queues and offload, and with who may come in. */
import { judgeShapers } from '../voice/judge/shapers.ts';
import { say } from '../words/say.ts';
import { found, out, unknown, unread, THE_FIREWALL, THE_ROUTER } from './cause.ts';
import type { Cause, Outcome } from './cause.ts';
import { IDLE_PING, loaded } from './causes-line.ts';
import { busyLinks, delayOf } from './load.ts';
import {
  flowsOf,
  fromOutside,
  isOffloaded,
  isTwoWay,
  isWithin,
  peersOf,
  redirectsOf,
  shown,
  shownRedirect,
  since,
  valueOf,
} from './look.ts';
import type { Look } from './look.ts';

const NETWORK = 'test/lab/diagnose/network.ts';
const OFFLOAD = 'test/machine/offload.test.ts';

const OPEN_FIX = {
  setting: say('fix-only-provider', "let only the provider's networks in (`config provider` of sipalg with `option inbound`), or nobody"),
  of: THE_FIREWALL,
};
const LIMIT_FIX = { command: 'uci set sipalg.main.policy=1 && uci commit sipalg && /etc/init.d/sipalg reload' };

function offloaded(look: Look): Outcome | null {
  const { offload } = look.calls;
  if (offload.state !== 'present') return unread(offload);
  return offload.value.software || flowsOf(look).media.some(isOffloaded) || flowsOf(look).signalling.some(isOffloaded)
    ? null
    : out(say('offload-off', 'flow offload is off'));
}


/** What audio is marked with; signalling may wait for a moment, and is not asked about. */
const EF = { name: 'EF', value: 46 };
const MARKING = { media: EF, signalling: EF };

export const OF_TRAFFIC: readonly Cause[] = [
  {
    code: 'router-overloaded',
    weight: 35,
    symptoms: ['choppy', 'one-way-audio'],
    what: say('cause-router-overloaded', 'The router has thrown packets away because it was too busy to take them in.'),
    observable:
      'the second column of /proc/net/softnet_stat, since the start 20 packets or between two looks one, and more than one in ten thousand',
    fix: {
      setting: say('fix-steering', 'packet steering on (uci set network.globals.packet_steering=1), SQM at a rate that it can shape'),
      of: THE_ROUTER,
    },
    source: 'net/core/dev.c, enqueue_to_backlog',
    made: OFFLOAD,
    sees({ calls }) {
      const arrivals = valueOf(calls.arrivals);
      if (arrivals === null) return unread(calls.arrivals);
      const { processed, dropped } = arrivals;
      const grew = calls.moved?.arrivals;
      // A thousand that are lost in one evening are few among the packets of a year: what grew between two looks counts as well.
      const now = grew !== undefined && grew.dropped > 0 && grew.dropped >= grew.processed / 10_000;
      const values = { packets: processed, dropped, since: since(calls) };
      if (!now && (dropped < 20 || dropped < processed / 10_000))
        return out(say('packets-no-room-since', 'of {packets} packets {dropped} found no room{since}', values));
      return found([
        say('softnet-dropped-since', '/proc/net/softnet_stat: {dropped} of {packets} packets found no room{since}', values),
        ...(grew === undefined
          ? []
          : [
              say('softnet-grew', 'in the last {seconds} s: {dropped} of {packets}', {
                seconds: calls.moved?.seconds ?? 0,
                dropped: grew.dropped,
                packets: grew.processed,
              }),
            ]),
      ]);
    },
  },
  {
    code: 'offload-skips-marks',
    weight: 30,
    symptoms: ['choppy'],
    what: say('cause-offload-skips-marks', 'Audio is in the flow offload: marks, limits and most queues do not see it.'),
    observable: 'a flow of audio has the flag OFFLOAD or HW_OFFLOAD',
    fix: LIMIT_FIX,
    source: 'net/netfilter/nft_flow_offload.c; net/netfilter/nf_flow_table_ip.c',
    made: OFFLOAD,
    sees(look) {
      const off = offloaded(look);
      if (off !== null) return off;
      const flows = flowsOf(look).media.filter(isOffloaded);
      if (flows.length > 0) return found(flows.slice(0, 3).map(shown));
      return flowsOf(look).media.length > 0
        ? out(say('offload-not-audio', 'audio that runs is not in the offload'))
        : unknown(say('offload-no-audio', 'flow offload is on, and no audio runs now'), say('tell-look-in-call', 'look while a call runs'));
    },
  },
  {
    code: 'queue-ignores-marks',
    weight: 30,
    symptoms: ['choppy'],
    what: say(
      'cause-queue-ignores-marks',
      'The queue on the way out treats voice like everything else, or writes marks of its own over it.',
    ),
    observable: 'SQM with a script that does not read DSCP, or qosify without a rule for SIP',
    fix: { command: 'uci set sqm.@queue[0].script=layer_cake.qos && uci commit sqm && /etc/init.d/sqm restart' },
    source: 'net/sched/sch_cake.c; sqm-scripts, piece_of_cake.qos; qosify',
    made: NETWORK,
    sees({ calls }) {
      const said = judgeShapers(calls.shapers, { marking: MARKING, providers: [] });
      const bad = said.filter(({ conflict }) => conflict !== null);
      const [first] = bad;
      if (first === undefined)
        return out(
          said.length === 0
            ? say('queues-none', 'no SQM and no qosify is switched on')
            : say('queue-prefers', 'the queue puts voice before other traffic'),
        );
      return found(
        bad.map(({ kind, device, how, conflict, says }) =>
          say('queue-conflict', '{kind} on {device} ({how}): {conflict}', {
            kind,
            device,
            how,
            conflict: says === undefined ? (conflict ?? '') : { ...says, text: conflict ?? '' },
          }),
        ),
        first.setting === null ? undefined : { command: first.setting },
      );
    },
  },
  {
    code: 'no-queue',
    weight: 25,
    symptoms: ['choppy'],
    what: say('cause-no-queue', 'Nothing keeps other traffic from filling the line: audio waits behind uploads.'),
    observable:
      'no SQM and no qosify that is switched on; and pings to the provider come late that come in time while the line carries little, or '
      + 'packets wait in the queue of the way out',
    fix: { setting: say('fix-sqm', "SQM (layer_cake.qos) at 90 % of the line's measured rate"), of: THE_ROUTER },
    source: 'RFC 7567; sqm-scripts',
    made: NETWORK,
    sees(look) {
      const { shapers, moved } = look.calls;
      if (shapers.length > 0)
        return out(
          say('queues-on', '{queues} is switched on', { queues: shapers.map(({ kind, device }) => `${kind} on ${device}`).join(', ') }),
        );
      const none = say('queues-none', 'no SQM and no qosify is switched on');
      const delay = delayOf(look);
      if (delay?.is === 'load') return found([none, ...delay.evidence, ...busyLinks(look)]);
      if (delay?.is === 'untold') return unknown(loaded(delay.evidence), IDLE_PING);
      if (delay?.is === 'line')
        return out(say('late-unloaded', 'packets come late whatever else the line carries: no queue would mend that'));
      const idle = (moved?.paths ?? []).length > 0 && busyLinks(look).length === 0;
      return unknown(
        idle ? say('queues-none-idle', 'no SQM and no qosify is switched on, and the line is idle now') : none,
        say(
          'tell-upload',
          'ask for `sipalg diagnose choppy` in a call while an upload runs: do the pings to the provider take 50 ms more?',
        ),
      );
    },
  },
  {
    code: 'sip-open',
    weight: 50,
    symptoms: ['ghost-calls', 'registration-lost', 'not-received'],
    what: say('cause-sip-open', 'Everybody on the internet may reach SIP behind this router.'),
    observable: 'a redirect or a rule of /etc/config/firewall, or a rule of UPnP or an include, that lets 5060 or 5061 in from anywhere',
    fix: OPEN_FIX,
    source: 'firewall4; voice practice: never open 5060 to the world',
    made: NETWORK,
    sees({ facts, calls }) {
      const uci = valueOf(facts.firewall.uci);
      if (uci === null) return unread(facts.firewall.uci);
      const open = uci.open ?? [];
      const led = redirectsOf(calls);
      if (open.length + led.length === 0)
        return calls.redirects.state === 'failed'
          ? unread(calls.redirects)
          : out(
              say(
                'sip-closed',
                '/etc/config/firewall lets nobody reach SIP from the internet unasked, and no other rule leads SIP to a device',
              ),
            );
      return found([
        ...led.slice(0, 3).map(shownRedirect),
        ...open.slice(0, 4).map(({ line, name, does, sip, to }) =>
          to === null
            ? say('lets-in', '/etc/config/firewall:{line}: {name} lets in {ports}', { line, name: name ?? does, ports: sip.join(', ') })
            : say('lets-in-to', '/etc/config/firewall:{line}: {name} lets in {ports} to {address}', {
                line,
                name: name ?? does,
                ports: sip.join(', '),
                address: to,
              }),
        ),
      ]);
    },
  },
  {
    code: 'scanned',
    weight: 55,
    symptoms: ['ghost-calls', 'choppy', 'registration-lost'],
    what: say('cause-scanned', 'Scanners talk SIP to what is behind this router.'),
    observable:
      'flows of signalling that strangers began, with whom no call runs and whom no rule of the firewall names; or attempts that the voice '
      + 'rules have counted',
    fix: LIMIT_FIX,
    source: 'RFC 3261 §26; net/netfilter/nf_conntrack_core.c',
    made: NETWORK,
    sees(look) {
      if (look.calls.flows.state !== 'present') return unread(look.calls.flows);
      const peers = new Set(peersOf(look));
      // Whom the firewall lets in by address is no stranger, nor is with whom a call runs: a trunk that does not register.
      const known = valueOf(look.facts.firewall.uci)?.known ?? [];
      const talking = new Set(flowsOf(look).media.filter(isTwoWay).flatMap(({ source, destination }) => [source, destination]));
      const isStranger = ({ source }: { source: string }): boolean =>
        !peers.has(source) && !talking.has(source) && !known.some((network) => isWithin(source, network));
      const strangers = fromOutside(look).filter(isStranger);
      const attempts = look.facts.policy.state === 'present' ? (valueOf(look.facts.policy.value.inForce.all)?.attempts ?? []) : [];
      const others = attempts.filter(isStranger);
      if (strangers.length + others.length === 0)
        return out(
          say(
            'strangers-none',
            'no flow of SIP that a stranger began is seen: what is turned away at once leaves none, and harms nobody',
          ),
        );
      const sources = [...new Set([...strangers.map(({ source }) => source), ...others.map(({ source }) => source)])];
      return found([
        say('strangers', '{number} {number:stranger|strangers}: {sources}', {
          number: sources.length,
          sources: sources.slice(0, 4).join(', '),
        }),
        ...strangers.slice(0, 3).map(shown),
        ...others
          .slice(0, 2)
          .map(({ source, method, seen, dropped }) =>
            say('attempts-of', '{source}: {seen} {method}, {dropped} dropped', { source, seen, method, dropped }),
          ),
      ]);
    },
  },
];
