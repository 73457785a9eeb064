/**
 * Flows and expectations under the helper, SIP flows that are stale, and the messages the helper dropped.
 *
 * Only ctnetlink shows which flow carries a helper (`conntrack -L`).
 * /proc/net/nf_conntrack does not; there a UDP flow to 5060 that lives longer
 * than any plain UDP flow may is one the helper keeps alive (it refreshes to
 * sip_timeout, 3600 s, with every message).
 */
import type { Host, Outcome, Reading } from '../host/host.ts';
import { deleteArguments, kindOfFlow, parseConntrackFlow, parseProcFlow, shownFlows } from '../languages/kernel/conntrack.ts';
import type { Flow } from '../languages/kernel/conntrack.ts';
import type { DropFact, ExpectationFact, FlowFact, FlowFacts } from './facts.ts';
import { isSipHelper } from './nft.ts';
import { answered, readInParts, runInParts, understood } from './reading.ts';
import { staleAmong } from './stale.ts';
import { KERNEL_LOG, LIST_FLOWS, SIGNALLING } from './tools.ts';

export function flowFact(flow: Flow): FlowFact {
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

/** Flows under the helper that are listed, and SIP flows that are looked at one by one; of more it is only counted how many there are. */
const MOST_LISTED = 300;
const MOST_SUSPECTS = 2000;

/**
 * conntrack -L shows both families from 1.4.7 on, and IPv4 alone before; it tells
 * its version behind the list. A table may hold 65,536 flows, so it is walked once.
 */
export function showsIpv4Alone(stderr: string): boolean {
  const [, major, minor, patch] = /conntrack v(\d+)\.(\d+)\.(\d+)/.exec(stderr)?.map(Number) ?? [];
  return major !== undefined && (major * 1000 + (minor as number)) * 1000 + (patch as number) < 1_004_007;
}

/** What a walk over a table finds, line by line; all else has gone by. */
interface Found {
  under: Flow[];
  beyond: number;
  suspects: Flow[];
  unseen: number;
}

/** @param counted says of a line, without reading all of it, whether it is of a flow under the helper; null: it does not tell */
function createFinder(parse: (line: string) => Flow, isUnderHelper: (flow: Flow) => boolean, counted: (line: string) => boolean | null) {
  const found: Found = { under: [], beyond: 0, suspects: [], unseen: 0 };
  let refused: unknown = null;

  function look(line: string): void {
    const cheap = found.under.length < MOST_LISTED ? null : counted(line);
    const isFull = found.suspects.length >= MOST_SUSPECTS;
    if (cheap === true || (cheap === false && isFull)) {
      found.beyond += cheap ? 1 : 0;
      found.unseen += 1;
      return;
    }
    const flow = parse(line);
    if (isUnderHelper(flow)) {
      if (found.under.length < MOST_LISTED) found.under.push(flow);
      else found.beyond += 1;
    }
    if (isFull) found.unseen += 1;
    else found.suspects.push(flow);
  }

  return {
    take(part: string): void {
      const line = part.trim();
      if (line === '' || refused !== null) return;
      try {
        look(line);
      } catch (error) {
        refused = error;
      }
    },
    /** Throws Refused for a line that is no flow. */
    end(): Found {
      if (refused !== null) throw refused;
      return found;
    },
  };
}

/** What conntrack -L says of its own work has to be there: a program that does nothing at all ends with 0 too. */
export function believed(outcome: Outcome, said: boolean): Reading<string> {
  const answer = answered(outcome);
  if (answer.state !== 'present' || outcome.state !== 'exited' || said || shownFlows(outcome.stderr) !== null) return answer;
  return { state: 'failed', source: answer.source, because: 'it ended with exit code 0 and did not say how many flows it has shown' };
}

const carriesHelper = ({ helper }: { helper: string | null }): boolean => helper !== null && isSipHelper(helper);

/** Somebody who wants to see each line of the table besides: a taker of lines for each time that it is listed. */
export type AlsoFlows = () => (line: string) => void;

/** The lines of `conntrack -L` that name a SIP helper or are of a port of SIP's. */
async function listed(host: Host, also?: AlsoFlows): Promise<{ answer: Reading<string>; found: Reading<Found> }> {
  const other = also?.();
  const finder = createFinder(parseConntrackFlow, carriesHelper, (line) => {
    const kind = kindOfFlow(line);
    return kind && carriesHelper(kind);
  });
  let said = false;
  const parts = {
    at: '\n',
    take(part: string): void {
      said ||= part.trim() !== '';
      other?.(part);
      if (other === undefined || LIST_FLOWS.options.select.holding.some((needle) => part.includes(needle))) finder.take(part);
    },
  };
  const options = other === undefined ? { ...LIST_FLOWS.options, parts } : { parts };
  const outcome = await runInParts(host, LIST_FLOWS.argv, options);
  let all = believed(outcome, said);
  if (all.state === 'present' && outcome.state === 'exited' && showsIpv4Alone(outcome.stderr)) {
    said = false;
    const six = believed(await runInParts(host, [...LIST_FLOWS.argv, '-f', 'ipv6'], options), said);
    if (six.state !== 'present') all = six;
  }
  return { answer: all, found: understood(all, () => finder.end()) };
}

const MOST_MOVED = 20;

/** A phone's flow that has another source port outside: its replies go there. */
function movedPort(flow: Flow): (FlowFact & { port: number })[] {
  const { original, reply } = flow;
  const { sport } = original;
  const moved = (sport === 5060 || sport === 5061) && reply.dst !== original.src && reply.dport !== null && reply.dport !== sport;
  return moved ? [{ ...flowFact(flow), port: reply.dport as number }] : [];
}

/** Facts of what a walk has found. */
async function factsOf(host: Host, found: Reading<Found>, certain: boolean): Promise<Reading<FlowFacts>> {
  const stale = found.state === 'present' ? await staleAmong(host, found.value.suspects) : [];
  return understood(found, ({ under, beyond, suspects, unseen }) => ({
    flows: under.map(flowFact),
    ...(beyond > 0 ? { beyond } : {}),
    certain,
    moved: suspects.flatMap(movedPort).slice(0, MOST_MOVED),
    stale: stale.slice(0, MOST_LISTED).map(({ flow, lost, device }) => ({ ...flowFact(flow), lost, device })),
    ...(unseen > 0 ? { unseen } : {}),
  }));
}

/** @param udpStream seconds a plain UDP flow lives at most; null where that is not known, or no flow can be under the helper */
export async function observeFlows(host: Host, udpStream: number | null, also?: AlsoFlows): Promise<Reading<FlowFacts>> {
  const { answer, found } = await listed(host, also);
  // What conntrack said and is not understood, nothing else can tell either.
  if (answer.state === 'present') return factsOf(host, found, true);
  // Not installed, or a kernel without ctnetlink: the kernel's own table still says how long each flow lives.
  const outlives = ({ protocol, timeout, original, reply }: Flow): boolean =>
    protocol === 'udp' && [original.dport, reply.dport].includes(5060) && udpStream !== null && timeout !== null && timeout > udpStream;
  const finder = createFinder(parseProcFlow, outlives, () => null);
  const other = also?.();
  const take = (part: string): void => {
    other?.(part);
    if (other === undefined || SIGNALLING.some((needle) => part.includes(needle))) finder.take(part);
  };
  const parts = { at: '\n', take };
  const table = await readInParts(
    host,
    '/proc/net/nf_conntrack',
    other === undefined ? { select: { holding: SIGNALLING }, parts } : { parts, most: 64 << 20 },
  );
  if (table.state === 'present')
    return factsOf(
      host,
      understood(table, () => finder.end()),
      false,
    );
  return answer.state === 'failed' ? answer : table;
}

/** The pinholes that are open for the helper. */
export async function observeExpectations(host: Host): Promise<Reading<ExpectationFact[]>> {
  const text = await host.read('/proc/net/nf_conntrack_expect', { select: { holding: ['sip'] } });
  if (text.state !== 'present' || text.value === '') return understood(text, () => []);
  const { parseExpectations } = await import('../languages/kernel/expectations.ts');
  return understood(understood(text, parseExpectations), (all) =>
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
  const log = answered(await host.run(KERNEL_LOG.argv, KERNEL_LOG.options));
  if (log.state !== 'present' || log.value.trim() === '') return understood(log, () => []);
  const { parseHelperDrop } = await import('../languages/kernel/log.ts');
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
