/**
 * Flows and expectations under the helper, SIP flows that are stale, and the messages the helper dropped.
 *
 * Only ctnetlink shows which flow carries a helper (`conntrack -L`).
 * /proc/net/nf_conntrack does not; there a UDP flow to 5060 that lives longer
 * than any plain UDP flow may is one the helper keeps alive (it refreshes to
 * sip_timeout, 3600 s, with every message).
 */
import type { Host, Reading } from '../host/host.ts';
import { deleteArguments, parseConntrackFlow, parseProcFlow } from '../languages/kernel/conntrack.ts';
import type { Flow } from '../languages/kernel/conntrack.ts';
import { parseExpectations } from '../languages/kernel/expectations.ts';
import { parseHelperDrop } from '../languages/kernel/log.ts';
import type { DropFact, ExpectationFact, FlowFact, FlowFacts } from './facts.ts';
import { isSipHelper } from './nft.ts';
import { answered, present, understood } from './reading.ts';
import { staleAmong } from './stale.ts';

function flowFact(flow: Flow): FlowFact {
  const { original, reply } = flow;
  return {
    family: flow.family ?? (original.src.includes(':') ? 'ipv6' : 'ipv4'),
    protocol: flow.protocol,
    source: original.src,
    sourcePort: original.sport,
    destination: original.dst,
    destinationPort: original.dport,
    replyDestination: reply.dst,
    timeout: flow.timeout,
    helper: flow.helper,
    translated: reply.dst !== original.src || reply.src !== original.dst,
    remove: deleteArguments(flow),
  };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/**
 * conntrack -L shows both families from 1.4.7 on, and IPv4 alone before; it tells
 * its version behind the list. A table may hold 65,536 flows, so it is walked once.
 */
function showsIpv4Alone(stderr: string): boolean {
  const [, major, minor, patch] = /conntrack v(\d+)\.(\d+)\.(\d+)/.exec(stderr)?.map(Number) ?? [];
  return major !== undefined && (major * 1000 + (minor as number)) * 1000 + (patch as number) < 1_004_007;
}

/** Signalling in either direction, as both tables write it: sport= and dport=. */
const SIGNALLING = ['port=5060 ', 'port=5061 '];

/** The lines of `conntrack -L` that name a SIP helper or are of a port of SIP's. */
async function listed(host: Host): Promise<Reading<string>> {
  const select = { holding: ['helper=sip', ...SIGNALLING], much: true } as const;
  const outcome = await host.run(['conntrack', '-L'], { select });
  const all = answered(outcome);
  if (all.state !== 'present' || outcome.state !== 'exited' || !showsIpv4Alone(outcome.stderr)) return all;
  const other = answered(await host.run(['conntrack', '-L', '-f', 'ipv6'], { select }));
  return other.state === 'present' ? present(all.source, all.value + other.value) : other;
}

const MOST_MOVED = 20;

/** A phone's flow that has another source port outside: its replies go there. */
function movedPort(flow: Flow): (FlowFact & { port: number })[] {
  const { original, reply } = flow;
  const { sport } = original;
  const moved = (sport === 5060 || sport === 5061) && reply.dst !== original.src && reply.dport !== null && reply.dport !== sport;
  return moved ? [{ ...flowFact(flow), port: reply.dport as number }] : [];
}

/** What is made of the lines of either table. */
async function factsOf(
  host: Host,
  listing: Reading<string>,
  parse: (line: string) => Flow,
  isUnderHelper: (flow: Flow) => boolean,
  certain: boolean,
): Promise<Reading<FlowFacts>> {
  const flows = understood(listing, (text) => lines(text).map(parse));
  const stale = flows.state === 'present' ? await staleAmong(host, flows.value) : [];
  return understood(flows, (all) => ({
    flows: all.filter(isUnderHelper).map(flowFact),
    certain,
    moved: all.flatMap((flow) => movedPort(flow)).slice(0, MOST_MOVED),
    stale: stale.map(({ flow, lost, device }) => ({ ...flowFact(flow), lost, device })),
  }));
}

/** @param udpStream seconds a plain UDP flow lives at most; null where that is not known, or no flow can be under the helper */
export async function observeFlows(host: Host, udpStream: number | null): Promise<Reading<FlowFacts>> {
  const answer = await listed(host);
  if (answer.state === 'present')
    return factsOf(host, answer, parseConntrackFlow, ({ helper }) => helper !== null && isSipHelper(helper), true);
  // Not installed, or a kernel without ctnetlink: the kernel's own table still says how long each flow lives.
  const table = await host.read('/proc/net/nf_conntrack', { select: { holding: SIGNALLING } });
  if (table.state === 'present') {
    return factsOf(
      host,
      table,
      parseProcFlow,
      ({ protocol, timeout, original, reply }) =>
        protocol === 'udp' && [original.dport, reply.dport].includes(5060) && udpStream !== null && timeout !== null && timeout > udpStream,
      false,
    );
  }
  return answer.state === 'failed' ? answer : table;
}

/** The pinholes that are open for the helper. */
export async function observeExpectations(host: Host): Promise<Reading<ExpectationFact[]>> {
  const table = understood(await host.read('/proc/net/nf_conntrack_expect', { select: { holding: ['sip'] } }), parseExpectations);
  return understood(table, (all) =>
    all
      .filter(({ helper }) => helper !== null && isSipHelper(helper))
      .map((one) => ({
        source: one.src,
        destination: one.dst,
        destinationPort: one.dport,
        protocol: one.proto,
        class: one.klass,
        permanent: one.flags.includes('PERMANENT'),
        timeout: one.timeout,
      })),
  );
}

/** What the kernel's log says the helper dropped; the newest last, 20 at most. */
export async function observeDrops(host: Host): Promise<Reading<DropFact[]>> {
  const log = answered(await host.run(['dmesg'], { select: { holding: ['nf_ct_sip'] } }));
  return understood(log, (text) =>
    lines(text)
      .flatMap((line): DropFact[] => {
        const drop = parseHelperDrop(line);
        if (drop === null || drop.helper !== 'nf_ct_sip') return [];
        const { SRC, DST, DPT } = drop.fields;
        return [{ time: drop.time, reason: drop.reason, source: SRC ?? null, destination: DST ?? null, destinationPort: DPT ?? null }];
      })
      .slice(-20),
  );
}
