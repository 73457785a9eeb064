/** What a comparison comes to, in sentences. */
import { say } from '../words/say.ts';
import type { Said } from '../words/say.ts';
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

/** The last second that JavaScript has a date for (ECMA-262 §21.4.1.1); a time of pcapng can be later. */
const LAST = 8.64e12;

export function timeOf(seconds: number): string {
  if (!(Math.abs(seconds) <= LAST)) return `second ${Math.floor(seconds)} since 1970`;
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('T', ' ').slice(0, 19);
}

export function summaryOf(facts: Facts, verdict: Verdict): Said {
  const { lan, wan, counts, identical } = facts;
  const sides = wan === null ? [lan] : [lan, wan];
  const empty = sides.filter(({ messages }) => messages === 0);
  if (empty.length > 0) return noSip(empty, sides, facts);
  if (identical)
    return say(
      'compare-identical',
      'Both captures hold the very same packets, so there is nothing to compare: {lan} and {wan} were seen at the same place. '
        + 'If it is one capture of both sides (tcpdump -i any), give it alone: sipalg compare FILE.',
      { lan: lan.name, wan: wan?.name ?? lan.name },
    );
  if (counts.pairs === 0) return wan === null ? oneSided(lan) : nothingInCommon(lan, wan);
  const found =
    wan === null
      ? say('compare-on-both', '{messages} {messages:message|messages} of SIP {messages:was|were} seen on both sides of the router', {
          messages: counts.pairs,
        })
      : say('compare-in-both', '{messages} {messages:message|messages} of SIP {messages:was|were} found in both captures', {
          messages: counts.pairs,
        });
  if (verdict === 'unchanged')
    return counts.served > 0
      ? say(
          'compare-served',
          'Nothing changes SIP between these two places: {found}; what differs in {served} of them is what a SIP server adds, '
            + 'and none was lost.',
          { found, served: counts.served },
        )
      : say('compare-unchanged', 'Nothing changes SIP between these two places: {found}, each byte the same, and none was lost.', {
          found,
        });
  const changed =
    counts.changed === 0
      ? say('compare-none-changed', '{messages:it was not|none of them was} changed', { messages: counts.pairs })
      : counts.changed === counts.pairs
        ? say('compare-all-changed', '{messages:and it was|all of them were} changed on the way', { messages: counts.changed })
        : say('compare-some-changed', '{messages} of them {messages:was|were} changed on the way', { messages: counts.changed });
  const dropped =
    counts.dropped === 0
      ? ''
      : say('compare-dropped', '; {messages} {messages:message|messages} went in and never came out', { messages: counts.dropped });
  return counts.changed > 0
    ? say('compare-changes', 'A SIP ALG changes messages between these two places: {found}, {changed}{dropped}.', {
        found,
        changed,
        dropped,
      })
    : say('compare-losses', 'Messages are lost between these two places: {found}, {changed}{dropped}.', { found, changed, dropped });
}

function noSip(empty: readonly SideSummary[], sides: readonly SideSummary[], { encrypted }: Facts): Said {
  const unread = empty.filter(({ packets, problems }) => packets === 0 && problems.length > 0);
  if (unread.length > 0)
    return say('compare-no-capture', 'No packet could be read in {names}: what is wrong with {files:it|each} stands below.', {
      names: unread.map(({ name }) => name),
      files: unread.length,
    });
  const names = empty.map(({ name, packets }) => say('compare-file', '{name} ({packets} {packets:packet|packets})', { name, packets }));
  const hint =
    encrypted > 0
      ? say(
          'compare-encrypted',
          '{connections} {connections:connection|connections} to port 5061 {connections:is|are} TLS: SIP in it cannot be read, '
            + 'and no ALG can read or change it either.',
          { connections: encrypted },
        )
      : empty.some(({ packets }) => packets === 0)
        ? say(
            'compare-no-packets',
            'A capture without packets was taken on a device nothing passed, or with a filter that let nothing through.',
          )
        : say(
            'compare-no-sip-hint',
            'Capture while the phone registers or calls, with "port 5060" or without a filter, on the device the phone\'s packets pass.',
          );
  return empty.length < sides.length
    ? say(
        'compare-no-sip-one',
        'There is no SIP in {names}. The other capture has: where no message comes out, the router may drop all of them. {hint}',
        { names, hint },
      )
    : say('compare-no-sip', 'There is no SIP in {names}. {hint}', { names, hint });
}

function oneSided({ name, messages }: SideSummary): Said {
  return say(
    'compare-one-sided',
    '{name} holds {messages} {messages:message|messages} of SIP, and none of them was seen on two sides of a router. Give the captures '
      + 'of both sides (sipalg compare LAN WAN), or one that holds both: tcpdump -i any.',
    { name, messages },
  );
}

function nothingInCommon(lan: SideSummary, wan: SideSummary): Said {
  const span = ({ first, last }: SideSummary): Said =>
    first === null || last === null
      ? say('compare-no-times', 'without times')
      : say('compare-times', '{first} to {last} UTC', { first: timeOf(first), last: timeOf(last) });
  const apart =
    lan.first !== null && lan.last !== null && wan.first !== null && wan.last !== null && (lan.last < wan.first || wan.last < lan.first);
  return say(
    'compare-nothing-common',
    'The two captures have no message in common: {lan} has {inside} of SIP ({spanInside}), {wan} has {outside} ({spanOutside}). {why} '
      + 'Start both captures before the call, and stop them after it.',
    {
      lan: lan.name,
      inside: lan.messages,
      spanInside: span(lan),
      wan: wan.name,
      outside: wan.messages,
      spanOutside: span(wan),
      why: apart
        ? say('compare-apart', 'They were not taken at the same time.')
        : say('compare-different', 'They may be of different phones, or everything is lost between them.'),
    },
  );
}

/** Sentences that stand beside the answer. */
export function remarksOf(facts: Facts): Said[] {
  const { lan, wan, clock, counts, calls, swapped, encrypted, cut, furtherCalls, identical } = facts;
  const remarks: Said[] = [];
  if (swapped && wan !== null)
    remarks.push(
      say(
        'compare-swapped',
        "The captures were given the other way round: {lan} was taken on the phone's side, {wan} beyond the router. "
          + 'They are shown as they belong.',
        { lan: lan.name, wan: wan.name },
      ),
    );
  if (clock !== null && Math.abs(clock) > 0.5 && !identical) {
    const values = { wan: wan?.name ?? '', lan: lan.name, seconds: Math.abs(clock).toFixed(3) };
    remarks.push(
      clock > 0
        ? say('compare-clock-ahead', 'The clock of {wan} is {seconds} s ahead of that of {lan}; that is taken out of all times.', values)
        : say('compare-clock-behind', 'The clock of {wan} is {seconds} s behind that of {lan}; that is taken out of all times.', values),
    );
  }
  const joined = calls.filter(({ rows }) => rows[0] !== undefined && beganEarlier(rows[0].what, rows[0].method, rows));
  if (joined.length > 0)
    remarks.push(
      say(
        'compare-began-earlier',
        '{calls} {calls:call|calls} had begun before the capture did (or its beginning was not kept): what came before is not known.',
        { calls: joined.length },
      ),
    );
  if (counts.outside > 0)
    remarks.push(
      say(
        'compare-outside',
        '{messages} {messages:message|messages} of one capture {messages:is|are} from a time when the other was not running, '
          + 'and cannot be compared.',
        { messages: counts.outside },
      ),
    );
  if (counts.local > 0)
    remarks.push(
      say(
        'compare-local',
        '{messages} {messages:message|messages} went between addresses that the other side never saw: '
          + '{messages:it is|they are} not counted as lost.',
        { messages: counts.local },
      ),
    );
  if (counts.appeared > 0)
    remarks.push(
      say(
        'compare-appeared',
        '{messages} {messages:message|messages} came out of the router and {messages:was|were} not seen going in: the router sent '
          + '{messages:it|them} itself, or the capture missed {messages:it|them}.',
        { messages: counts.appeared },
      ),
    );
  if (counts.doubled > 0)
    remarks.push(
      say('compare-doubled', '{packets} {packets:packet|packets} came twice at once on the same wire.', { packets: counts.doubled }),
    );
  if (cut > 0)
    remarks.push(
      say(
        'compare-cut',
        'The capture kept only the beginning of {packets} {packets:packet|packets}; what is missing was not compared. '
          + 'Capture with tcpdump -s 0.',
        { packets: cut },
      ),
    );
  if (encrypted > 0 && lan.messages > 0)
    remarks.push(
      say('compare-tls', '{connections} {connections:connection|connections} of TLS could not be read.', { connections: encrypted }),
    );
  if (furtherCalls > 0)
    remarks.push(
      say('compare-further', '{calls} further {calls:call|calls} with changes or losses {calls:is|are} counted and not shown.', {
        calls: furtherCalls,
      }),
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
