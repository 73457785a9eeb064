/** Causes that lie with the ALG. */
import { say } from '../words/say.ts';
import { found, out, unknown } from './cause.ts';
import type { Cause, Fix, Outcome } from './cause.ts';
import { holesTaken, valueOf } from './look.ts';
import type { Look } from './look.ts';
import type { Symptom } from './symptoms.ts';

const CALLS_OF_IT = 'test/lab/diagnose/calls.ts';
const MODULES = 'test/machine/modules.test.ts';
const DISABLE: Fix = { command: 'sipalg disable' };
const UNREAD = 'sipalg status';

const CALLS: readonly Symptom[] = [
  'drops-after-time',
  'drops-on-hold',
  'drops-on-transfer',
  'not-received',
  'cannot-call-out',
  'no-audio',
  'one-way-audio',
  'others-ring-on',
  'registration-lost',
  'first-phone-only',
];

function byAlg(state: 'rewriting' | 'tracking', look: Look): Outcome {
  const { alg, facts } = look;
  if (alg === 'unknown')
    return unknown(
      say('alg-untold', 'whether an ALG is on could not be told'),
      say('tell-status-root', 'run `{command}` as root', { command: UNREAD }),
    );
  if (alg !== state)
    return out(
      alg === 'off'
        ? say('alg-none', 'no SIP ALG touches calls here')
        : alg === 'rewriting'
          ? say('alg-edits', 'the SIP ALG here does more than watch: it edits calls')
          : say('alg-edits-nothing', 'the SIP ALG here edits nothing, it watches'),
    );
  const flows = valueOf(facts.flows)?.flows ?? [];
  return found(
    flows.length === 0
      ? [say('alg-assigned-by', '`sipalg status` shows what assigns it')]
      : flows.slice(0, 3).map(({ source, sourcePort, destination, destinationPort, timeout }) =>
          say('alg-flow', 'under the helper: {source}:{sourcePort} -> {destination}:{destinationPort}, {left} s left', {
            source,
            sourcePort: sourcePort ?? '?',
            destination,
            destinationPort: destinationPort ?? '?',
            left: timeout ?? '?',
          }),
        ),
  );
}

/**
 * What the helper says of messages for whose audio it got no hole: `all ports in use` where it translates, and `cannot add
 * expectation` behind it for the same message (nf_nat_sip.c, nf_nat_sdp_media; nf_conntrack_sip.c, process_sdp).
 */
const NO_HOLE = /all ports in use|cannot add expectation/;

/** What the helper said that it dropped. @param clash for want of a hole, or for all other reasons */
function byLog(clash: boolean, look: Look): Outcome {
  const { facts, alg } = look;
  // The log is kept: what it says was before the ALG went.
  if (alg === 'off') return out(say('alg-log-before', 'no SIP ALG is on: whatever the kernel log holds of one is from before'));
  const all = valueOf(facts.drops) ?? [];
  const lines = all.filter(({ reason }) => NO_HOLE.test(reason) === clash);
  if (lines.length > 0 && clash && holesTaken(look)?.full === true)
    return unknown(
      say('alg-log-full', 'as many holes are open as there may be, of which the kernel logs the same as of two phones with one audio port'),
      say('tell-ports-differ', 'look at the phones: do two of them have the same RTP ports?'),
    );
  if (lines.length > 0)
    return found(
      lines.slice(-3).map(({ reason, source, destination }) =>
        say('alg-log-drop', 'kernel log: dropped {source} -> {destination}: {reason}', {
          source: source ?? '?',
          destination: destination ?? '?',
          reason,
        }),
      ),
    );
  if (all.length > 0)
    return out(
      clash
        ? say('alg-log-no-clash', 'the kernel log has what the ALG drops, and nothing of a port in use')
        : say('alg-log-clash-only', 'the kernel log has what the ALG drops, and only of ports in use'),
    );
  return unknown(
    say('alg-log-unheard', 'the kernel logs what its ALG drops only where something listens to it, and not of every reason'),
    say('tell-alg-log', 'sysctl -w net.netfilter.nf_log.2=nf_log_ipv4, call again, then `dmesg | grep nf_ct_sip`'),
  );
}

export const OF_ALG: readonly Cause[] = [
  {
    code: 'alg-rewrites',
    weight: 90,
    symptoms: CALLS,
    what: say(
      'cause-alg-rewrites',
      'A SIP ALG on this router edits calls: addresses in messages and in the SDP no longer fit what the phone said.',
    ),
    observable: 'the helper is assigned and nf_nat_sip is in the kernel (sipalg status)',
    fix: DISABLE,
    source: 'net/netfilter/nf_nat_sip.c; RFC 4787 REQ-10',
    made: CALLS_OF_IT,
    sees: (look) => byAlg('rewriting', look),
  },
  {
    code: 'alg-watches',
    weight: 80,
    symptoms: [
      'cannot-call-out',
      'no-audio',
      'one-way-audio',
      'drops-on-hold',
      'drops-on-transfer',
      'ghost-calls',
      'others-ring-on',
      'first-phone-only',
    ],
    what: say(
      'cause-alg-watches',
      'A SIP ALG on this router watches calls: it edits nothing, but drops messages it cannot read and opens holes.',
    ),
    observable: 'the helper is assigned, and nf_nat_sip is not in the kernel or nothing is translated',
    fix: DISABLE,
    source: 'net/netfilter/nf_conntrack_sip.c',
    made: MODULES,
    sees: (look) => byAlg('tracking', look),
  },
  {
    code: 'alg-drops',
    weight: 85,
    symptoms: ['cannot-call-out', 'no-audio', 'drops-on-hold', 'drops-on-transfer', 'registration-lost', 'not-received'],
    what: say('cause-alg-drops', 'The SIP ALG has thrown messages away that it could not read.'),
    observable: 'a line `nf_ct_sip: dropping packet` in the kernel log, of another reason than that no hole was to be had',
    fix: DISABLE,
    source: 'net/netfilter/nf_conntrack_sip.c, nf_ct_helper_log',
    made: MODULES,
    sees: (look) => byLog(false, look),
  },
  {
    code: 'alg-port-clash',
    weight: 85,
    symptoms: ['first-phone-only', 'cannot-call-out', 'no-audio'],
    what: say('cause-alg-port-clash', "The SIP ALG drops the second phone's INVITE, because both phones name the same audio port."),
    observable: 'a line `nf_ct_sip: dropping packet: all ports in use` in the kernel log, while there are holes to be had',
    fix: DISABLE,
    source: 'net/netfilter/nf_nat_sip.c, nf_nat_sdp_media',
    made: MODULES,
    sees: (look) => byLog(true, look),
  },
];
