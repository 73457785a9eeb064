/**
 * Ends flows under the helper where there are very many. One `conntrack -D` for each reads the whole table each time (5,000
 * flows: 100 s), and conntrack cannot be asked for flows by their helper. It can for a protocol and a port, and in passing
 * by all flows of the table deletes those: 65,536 in a second. So it is looked first whether every flow that the words
 * would hit is under the helper.
 */
import type { Host } from '../host/host.ts';
import { kindOfFlow, parseConntrackFlow } from '../languages/kernel/conntrack.ts';
import type { Flow } from '../languages/kernel/conntrack.ts';
import { deleteArguments } from '../languages/kernel/deletion.ts';
import { line } from '../languages/shell/command.ts';
import { believed, showsIpv4Alone } from '../observe/flows.ts';
import { isSipHelper } from '../observe/nft.ts';
import { runInParts } from '../observe/reading.ts';
import { flowFilter } from '../plan/kernel.ts';
import { FEW_FLOWS } from '../plan/step.ts';
import { Interrupted } from './interrupted.ts';

/** A look, and the deletions it leads to. Whose rule is gone gets no helper any more: further rounds are for what a look has not listed. */
const ROUNDS = 6;
/** Flows of a look that are kept whole, to be ended one by one; addresses that are counted of one kind. */
const MOST_WHOLE = 300;
const MOST_ADDRESSES = 256;
/** conntrack says this when the flow has ended by itself meanwhile. */
const NOTHING_DELETED = 1;

/** Flows under the helper that one filter describes: of a family and a protocol, to one port. */
interface Kind {
  filter: string[];
  total: number;
  whole: Flow[];
  sources: Map<string, number>;
  destinations: Map<string, number>;
}

export interface EndOptions {
  echo: (command: string) => void;
  /** Asked between commands and while they run. */
  goOn: () => boolean;
}

const carriesHelper = (helper: string | null): boolean => helper !== null && isSipHelper(helper);

function count(addresses: Map<string, number>, address: string): void {
  const before = addresses.get(address);
  if (before !== undefined || addresses.size <= MOST_ADDRESSES) addresses.set(address, (before ?? 0) + 1);
}

/** @throws Interrupted once it is wanted to stop; Error in a sentence where conntrack cannot look or delete */
export async function endFlows(host: Host, { echo, goOn }: EndOptions): Promise<void> {
  function check(): void {
    if (!goOn()) throw new Interrupted();
  }

  /** Hands over the lines of a listing. */
  async function list(argv: readonly string[], holding: readonly string[], take: (line: string) => void): Promise<string> {
    let said = false;
    const parts = {
      at: '\n',
      take(part: string): void {
        said ||= part.trim() !== '';
        if (part.trim() !== '') take(part.trim());
      },
    };
    const select = holding.length > 0 ? { select: { holding, much: true } as const } : {};
    const outcome = await runInParts(host, argv, { ...select, parts, goOn });
    check();
    const answer = believed(outcome, said);
    if (answer.state === 'failed') throw new Error(`\`${answer.source}\`: ${answer.because}`);
    if (answer.state === 'absent') throw new Error('conntrack is not installed any more');
    return outcome.state === 'exited' ? outcome.stderr : '';
  }

  async function kinds(): Promise<Kind[]> {
    const found = new Map<string, Kind>();
    const take = (text: string): void => {
      const kind = kindOfFlow(text);
      if (kind === null || !carriesHelper(kind.helper)) return;
      const family = kind.source.includes(':') ? 'ipv6' : 'ipv4';
      const filter = flowFilter(family, kind.protocol, kind.destinationPort);
      const key = filter.join(' ');
      const mine: Kind = found.get(key) ?? { filter, total: 0, whole: [], sources: new Map(), destinations: new Map() };
      found.set(key, mine);
      mine.total += 1;
      if (mine.whole.length < MOST_WHOLE) mine.whole.push(parseConntrackFlow(text));
      count(mine.sources, kind.source);
      count(mine.destinations, kind.destination);
    };
    const said = await list(['conntrack', '-L'], ['helper=sip'], take);
    if (showsIpv4Alone(said)) await list(['conntrack', '-L', '-f', 'ipv6'], ['helper=sip'], take);
    return [...found.values()].sort((one, other) => other.total - one.total);
  }

  /** How many flows these words hit that are not under the helper. */
  async function others(filter: readonly string[]): Promise<number> {
    let number = 0;
    await list(['conntrack', '-L', ...filter], [], (text) => {
      const helper = kindOfFlow(text)?.helper ?? parseConntrackFlow(text).helper;
      if (!carriesHelper(helper)) number += 1;
    });
    return number;
  }

  async function end(words: readonly string[]): Promise<void> {
    check();
    const argv = ['conntrack', ...words];
    echo(line(argv));
    const outcome = await host.run(argv, { goOn, parts: { at: '\n', take: () => undefined } });
    check();
    if (outcome.state === 'absent') throw new Error('conntrack is not installed any more');
    if (outcome.state === 'failed') throw new Error(`\`${outcome.command}\`: ${outcome.because}`);
    if (outcome.code !== 0 && outcome.code !== NOTHING_DELETED)
      throw new Error(`\`${outcome.command}\` ended with exit code ${outcome.code}: ${outcome.stderr.trim().slice(0, 300)}`);
  }

  async function endEach(flows: readonly Flow[]): Promise<void> {
    for (const flow of flows.slice(0, FEW_FLOWS)) await end(deleteArguments(flow));
  }

  async function endKind({ filter, total, whole, sources, destinations }: Kind): Promise<void> {
    if (total <= FEW_FLOWS) return endEach(whole);
    if ((await others(filter)) === 0) return end(['-D', ...filter]);
    // Flows to the same port have begun since, without the helper. They are SIP's too, and only those of a host that has very
    // many under the helper begin anew with them.
    const bySource = sources.size <= destinations.size;
    const addresses = bySource ? sources : destinations;
    if (addresses.size > MOST_ADDRESSES) return end(['-D', ...filter]);
    for (const [address, number] of addresses) {
      const its = whole.filter(({ original }) => (bySource ? original.src : original.dst) === address);
      if (number <= FEW_FLOWS && its.length === number) await endEach(its);
      else await end(['-D', ...filter, bySource ? '--orig-src' : '--orig-dst', address]);
    }
  }

  for (let round = 0; round < ROUNDS; round++) {
    const found = await kinds();
    if (found.length === 0) return;
    for (const kind of found) await endKind(kind);
  }
  // What is there still, the look that verifies finds.
}
