/**
 * Flows and expectations under the helper, and the messages it dropped.
 *
 * Only ctnetlink shows which flow carries a helper (`conntrack -L`).
 * /proc/net/nf_conntrack does not; there a UDP flow to 5060 that lives longer
 * than any plain UDP flow may is one the helper keeps alive (it refreshes to
 * sip_timeout, 3600 s, with every message).
 */
import type { Host, Reading } from '../host/host.ts';
import { deleteArguments, parseConntrackFlow, parseProcFlow } from '../kernel/conntrack.ts';
import type { Flow } from '../kernel/conntrack.ts';
import { parseExpectations } from '../kernel/expectations.ts';
import { parseHelperDrop } from '../kernel/log.ts';
import type { DropFact, ExpectationFact, FlowFact, FlowFacts } from './facts.ts';
import { isSipHelper } from './nft.ts';
import { answered, present, understood } from './reading.ts';

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
    remove: deleteArguments(flow),
  };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** @param udpStream seconds a plain UDP flow lives at most; null where that is not known */
export async function observeFlows(host: Host, udpStream: number | null): Promise<Reading<FlowFacts>> {
  const answers = await Promise.all(['ipv4', 'ipv6'].map(async (family) =>
    answered(await host.run(['conntrack', '-L', '-f', family, '-o', 'extended'], { select: { holding: ['helper=sip'] } }))));
  const [first] = answers as [Reading<string>, Reading<string>];
  if (answers.every(({ state }) => state === 'present')) {
    return understood(first, () => ({
      flows: answers.flatMap((answer) => answer.state === 'present' ? lines(answer.value) : []).map(parseConntrackFlow)
        .filter(({ helper }) => helper !== null && isSipHelper(helper)).map(flowFact),
      certain: true,
    }));
  }
  // Not installed, or a kernel without ctnetlink: the kernel's own table still says how long each flow lives.
  const table = await host.read('/proc/net/nf_conntrack', { select: { holding: ['dport=5060 '] } });
  if (table.state === 'present') {
    return understood(table, (text) => ({
      flows: lines(text).map(parseProcFlow)
        .filter((flow) => flow.protocol === 'udp' && udpStream !== null && flow.timeout !== null && flow.timeout > udpStream)
        .map(flowFact),
      certain: false,
    }));
  }
  return answers.find(({ state }) => state === 'failed') as Reading<FlowFacts> | undefined ?? table;
}

/** The pinholes that are open for the helper. */
export async function observeExpectations(host: Host): Promise<Reading<ExpectationFact[]>> {
  const table = understood(await host.read('/proc/net/nf_conntrack_expect', { select: { holding: ['sip'] } }), parseExpectations);
  return understood(table, (all) => all.filter(({ helper }) => helper !== null && isSipHelper(helper)).map((one) => ({
    source: one.src,
    destination: one.dst,
    destinationPort: one.dport,
    protocol: one.proto,
    class: one.klass,
    permanent: one.flags.includes('PERMANENT'),
    timeout: one.timeout,
  })));
}

/** What the kernel's log says the helper dropped; the newest last, 20 at most. */
export async function observeDrops(host: Host): Promise<Reading<DropFact[]>> {
  const log = answered(await host.run(['dmesg'], { select: { holding: ['nf_ct_sip'] } }));
  return understood(log, (text) => lines(text).flatMap((line): DropFact[] => {
    const drop = parseHelperDrop(line);
    if (drop === null || drop.helper !== 'nf_ct_sip') return [];
    const { SRC, DST, DPT } = drop.fields;
    return [{ time: drop.time, reason: drop.reason, source: SRC ?? null, destination: DST ?? null, destinationPort: DPT ?? null }];
  }).slice(-20));
}

/** Where there is no tracker in the kernel there is no flow under it, and nothing needs to be asked. */
export function noFlows(source: string): Reading<FlowFacts> {
  return present(source, { flows: [], certain: true });
}
