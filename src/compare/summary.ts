/** What a comparison comes to, in sentences. */
import type { Call, Comparison, SideSummary, Tally, Verdict } from './comparison.ts';

/** What the sentences are made of. */
export interface Facts {
  readonly lan: SideSummary;
  readonly wan: SideSummary | null;
  readonly clock: number | null;
  readonly counts: Comparison['counts'];
  readonly tallies: readonly Tally[];
  readonly calls: readonly Call[];
  readonly furtherCalls: number;
  readonly swapped: boolean;
  readonly ports: { readonly kept: number; readonly moved: number };
  /** Both captures hold the very same packets. */
  readonly identical: boolean;
  /** Streams of TLS. */
  readonly encrypted: number;
  /** Packets of which the capture kept a part. */
  readonly cut: number;
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** The last second that JavaScript has a date for (ECMA-262 §21.4.1.1); a time of pcapng can be later. */
const LAST = 8.64e12;

export function timeOf(seconds: number): string {
  if (!(Math.abs(seconds) <= LAST)) return `second ${Math.floor(seconds)} since 1970`;
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('T', ' ').slice(0, 19);
}

export function summaryOf(facts: Facts, verdict: Verdict): string {
  const { lan, wan, counts, identical } = facts;
  const sides = wan === null ? [lan] : [lan, wan];
  const empty = sides.filter(({ messages }) => messages === 0);
  if (empty.length > 0) return noSip(empty, sides, facts);
  if (identical) {
    return (
      `Both captures hold the very same packets, so there is nothing to compare: ${lan.name} and ${wan?.name ?? lan.name} were seen at `
      + 'the same place. If it is one capture of both sides (tcpdump -i any), give it alone: sipalg compare FILE.'
    );
  }
  if (counts.pairs === 0) return wan === null ? oneSided(lan) : nothingInCommon(lan, wan);
  const found =
    wan === null
      ? `${plural(counts.pairs, 'message')} of SIP ${counts.pairs === 1 ? 'was' : 'were'} seen on both sides of the router`
      : `${plural(counts.pairs, 'message')} of SIP ${counts.pairs === 1 ? 'was' : 'were'} found in both captures`;
  if (verdict === 'unchanged') {
    const served = counts.served > 0 ? `; what differs in ${counts.served} of them is what a SIP server adds` : ', each byte the same';
    return `Nothing changes SIP between these two places: ${found}${served}, and none was lost.`;
  }
  const changed =
    counts.changed === 0
      ? 'none of them was changed'
      : `${counts.changed === counts.pairs ? 'all' : counts.changed} of them `
        + `${counts.changed === 1 ? 'was' : 'were'} changed on the way`;
  const dropped = counts.dropped === 0 ? '' : `; ${plural(counts.dropped, 'message')} went in and never came out`;
  const what = counts.changed > 0 ? 'A SIP ALG changes messages' : 'Messages are lost';
  return `${what} between these two places: ${found}, ${changed}${dropped}.`;
}

function noSip(empty: readonly SideSummary[], sides: readonly SideSummary[], { encrypted }: Facts): string {
  const names = listed(empty.map(({ name, packets }) => `${name} (${plural(packets, 'packet')})`));
  const hint =
    encrypted > 0
      ? ` ${plural(encrypted, 'connection')} to port 5061 ${encrypted === 1 ? 'is' : 'are'} TLS: SIP in it cannot be `
        + 'read, and no ALG can read or change it either.'
      : empty.some(({ packets }) => packets === 0)
        ? ' A capture without packets was taken on a device nothing passed, or with a filter that let nothing through.'
        : ' Capture while the phone registers or calls, with "port 5060" or without a filter, on the device the phone\'s packets pass.';
  const other = empty.length < sides.length ? ' The other capture has: where no message comes out, the router may drop all of them.' : '';
  return `There is no SIP in ${names}.${other}${hint}`;
}

function oneSided({ name, messages }: SideSummary): string {
  return (
    `${name} holds ${plural(messages, 'message')} of SIP, and none of them was seen on two sides of a router. Give the captures of both `
    + 'sides (sipalg compare LAN WAN), or one that holds both: tcpdump -i any.'
  );
}

function nothingInCommon(lan: SideSummary, wan: SideSummary): string {
  const span = ({ first, last }: SideSummary): string =>
    first === null || last === null ? 'without times' : `${timeOf(first)} to ${timeOf(last)} UTC`;
  const apart =
    lan.first !== null && lan.last !== null && wan.first !== null && wan.last !== null && (lan.last < wan.first || wan.last < lan.first);
  return (
    `The two captures have no message in common: ${lan.name} has ${lan.messages} of SIP (${span(lan)}), ${wan.name} has ${wan.messages} `
    + `(${span(wan)}). ${
      apart ? 'They were not taken at the same time.' : 'They may be of different phones, or everything is lost between them.'
    } `
    + 'Start both captures before the call, and stop them after it.'
  );
}

/** Sentences that stand beside the answer. */
export function remarksOf(facts: Facts): string[] {
  const { lan, wan, clock, counts, calls, swapped, encrypted, cut, furtherCalls, identical } = facts;
  const remarks: string[] = [];
  if (swapped && wan !== null)
    remarks.push(
      `The captures were given the other way round: ${lan.name} was taken on the phone's side, ${wan.name} beyond `
        + 'the router. They are shown as they belong.',
    );
  if (clock !== null && Math.abs(clock) > 0.5 && !identical) {
    remarks.push(
      `The clock of ${wan!.name} is ${Math.abs(clock).toFixed(3)} s ${clock > 0 ? 'ahead of' : 'behind'} that of ${lan.name}; that is `
        + 'taken out of all times.',
    );
  }
  const joined = calls.filter(({ rows }) => rows[0] !== undefined && beganEarlier(rows[0].what, rows[0].method, rows));
  if (joined.length > 0)
    remarks.push(
      `${plural(joined.length, 'call')} had begun before the capture did (or its beginning was not kept): what came before `
        + 'is not known.',
    );
  if (counts.outside > 0)
    remarks.push(
      `${plural(counts.outside, 'message')} of one capture ${counts.outside === 1 ? 'is' : 'are'} from a time when the `
        + 'other was not running, and cannot be compared.',
    );
  if (counts.local > 0)
    remarks.push(
      `${plural(counts.local, 'message')} went between addresses that the other side never saw: `
        + `${counts.local === 1 ? 'it is' : 'they are'} not counted as lost.`,
    );
  if (counts.appeared > 0) {
    const [was, it] = counts.appeared === 1 ? ['was', 'it'] : ['were', 'them'];
    remarks.push(
      `${plural(counts.appeared, 'message')} came out of the router and ${was} not seen going in: the router sent ${it} itself, or `
        + `the capture missed ${it}.`,
    );
  }
  if (counts.doubled > 0) remarks.push(`${plural(counts.doubled, 'packet')} came twice at once on the same wire.`);
  if (cut > 0)
    remarks.push(
      `The capture kept only the beginning of ${plural(cut, 'packet')}; what is missing was not compared. Capture with tcpdump -s 0.`,
    );
  if (encrypted > 0 && lan.messages > 0) remarks.push(`${plural(encrypted, 'connection')} of TLS could not be read.`);
  if (furtherCalls > 0)
    remarks.push(
      `${plural(furtherCalls, 'further call')} with changes or losses ${furtherCalls === 1 ? 'is' : 'are'} counted and not shown.`,
    );
  return remarks;
}

/** Whether what was seen first can be nothing a call or a registration begins with. */
export function beganEarlier(what: string, method: string, rows: Call['rows']): boolean {
  if (/^\d/.test(what)) return true;
  return (
    what === 'ACK'
    || what === 'BYE'
    || what === 'CANCEL'
    || what === 'PRACK'
    || (what === 'UPDATE' && method === 'UPDATE' && !rows.some((row) => row.what === 'INVITE'))
  );
}
