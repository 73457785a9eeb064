/**
 * What `conntrack -E` says as flows come, change and go (conntrack-tools 1.4.7 and 1.4.8, src/conntrack.c, `event_cb`;
 * libnetfilter_conntrack, snprintf_default.c). Parsed or refused like the flows themselves (conntrack.ts).
 */
import { Refused, quote } from '../refused.ts';
import { parseConntrackFlow } from './conntrack.ts';
import type { Flow } from './conntrack.ts';

export interface FlowEvent {
  readonly kind: 'new' | 'update' | 'destroy';
  readonly flow: Flow;
  /** The program that ended or changed the flow (`[USERSPACE] portid=N progname=conntrack`); null: the kernel itself. */
  readonly by: string | null;
}

const KINDS: Readonly<Record<string, FlowEvent['kind']>> = { NEW: 'new', UPDATE: 'update', DESTROY: 'destroy' };
/** A time may stand before the name (`-o timestamp`); blanks before a name are for its width. */
const HEAD = /^(?:\[\d+\.\d+ *\])?[ \t]*\[(NEW|UPDATE|DESTROY)\][ \t]/;
const ORIGIN = /\[USERSPACE\] portid=\d+(?: progname=(.*))?$/;

/**
 * One line of `conntrack -E`.
 *
 * @throws Refused for anything else
 */
export function parseFlowEvent(line: string): FlowEvent {
  const head = HEAD.exec(line);
  if (head === null) throw new Refused(`${quote(line)} does not begin with [NEW], [UPDATE] or [DESTROY]`, 1);
  const origin = ORIGIN.exec(line);
  const end = origin === null ? line.length : origin.index;
  const flow = parseConntrackFlow(line.slice(head[0].length, end));
  return { kind: KINDS[head[1] as string] as FlowEvent['kind'], flow, by: origin === null ? null : (origin[1] ?? 'another program') };
}

/**
 * The addresses and ports a line is about, without reading all of it: what a flow is passed over by. null where the line has
 * none that can be seen, which is no proof that it is not a flow.
 */
export function endsOf(line: string): { src: string; dst: string; dport: string } | null {
  const at = line.indexOf('src=');
  if (at < 0) return null;
  const blank = line.indexOf(' ', at);
  const to = line.indexOf('dst=', blank);
  const next = line.indexOf(' ', to);
  const port = line.indexOf(' dport=', next);
  if (blank < 0 || to < 0 || next < 0 || port < 0) return null;
  const stop = line.indexOf(' ', port + 1);
  return { src: line.slice(at + 4, blank), dst: line.slice(to + 4, next), dport: line.slice(port + 7, stop < 0 ? undefined : stop) };
}
