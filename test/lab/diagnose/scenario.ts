/** Scenarios of sipp written out of their steps, and sipp itself at any end of the lab. */
import type { Lab } from '../lab.ts';
import { ADDRESS } from '../network.ts';
import type { End } from './scene.ts';

type Step = string;

const CRLF = '\n';
const message = (lines: readonly string[], body = ''): string => `<![CDATA[\n${lines.join(CRLF)}\nContent-Length: [len]\n\n${body}\n]]>`;

/** @param at the address of c=; that of o= stays the caller's own, as RFC 3264 wants it */
export const sdp = (at = '[local_ip]'): string =>
  ['v=0', 'o=one 1 1 IN IP4 [local_ip]', 's=call', `c=IN IP4 ${at}`, 't=0 0', 'm=audio [media_port] RTP/AVP 8'].join(CRLF);

/** A request of whoever began the call. @param more header lines */
export function request(method: string, cseq: number, { body = '', more = [] as readonly string[], inDialog = cseq > 1 } = {}): Step {
  const lines = [
    `${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0`,
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport',
    'From: <sip:one@[local_ip]:[local_port]>;tag=[pid]-[call_number]',
    `To: <sip:[service]@[remote_ip]:[remote_port]>${inDialog ? '[peer_tag_param]' : ''}`,
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
    'Contact: <sip:one@[local_ip]:[local_port]>',
    'Max-Forwards: 70',
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    ...more,
  ];
  return `<send${method === 'ACK' ? '' : ' retrans="500"'}>${message(lines, body)}</send>`;
}

/** A request of whoever was called; needs what `recv` kept of the INVITE. */
export function requestBack(method: string, cseq: number, body = ''): Step {
  const lines = [
    `${method} sip:one@[remote_ip]:[remote_port] SIP/2.0`,
    'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]',
    'From: <sip:two@[local_ip]:[local_port]>;tag=[pid]-two',
    'To:[$from]',
    'Call-ID: [call_id]',
    `CSeq: ${cseq} ${method}`,
    'Contact: <sip:two@[local_ip]:[local_port]>',
    'Max-Forwards: 70',
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
  ];
  return `<send retrans="500">${message(lines, body)}</send>`;
}

export function answer(status: string, body = ''): Step {
  const lines = [
    `SIP/2.0 ${status}`,
    '[last_Via:]',
    '[last_From:]',
    '[last_To:];tag=[pid]-two',
    '[last_Call-ID:]',
    '[last_CSeq:]',
    'Contact: <sip:two@[local_ip]:[local_port]>',
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
  ];
  return `<send>${message(lines, body)}</send>`;
}

/** Answers in a dialog that has its tags. */
export const answerAgain = (status: string, body = ''): Step => answer(status, body).replace(';tag=[pid]-two', '');

/** @param actions of sipp, such as `<ereg .../>`; @param within milliseconds, or the call has failed */
export const receive = (request: string, { actions = '', within = 8000 } = {}): Step =>
  `<recv request="${request}" timeout="${within}">${actions === '' ? '' : `<action>${actions}</action>`}</recv>`;
export const response = (status: number, within = 8000): Step => `<recv response="${status}" timeout="${within}"></recv>`;
export const perhaps = (status: number): Step => `<recv response="${status}" optional="true"></recv>`;
export const pause = (milliseconds: number): Step => `<pause milliseconds="${milliseconds}"/>`;
/** Keeps From of a request, for `requestBack`. */
export const KEEP_FROM = '<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="from"/>';

export interface Running {
  /** Exit status: 0 where the scenario was played to its end, 1 where the call failed. */
  ended: Promise<number | null>;
  /** What it has written of why a call failed. */
  said(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a scenario for one call. @param to whom it calls; it waits for a call where that is not given */
export async function sipp(
  lab: Lab,
  who: End,
  steps: readonly Step[],
  { port = 5060, to, mediaPort = 4000 }: { port?: number; to?: { address: string; port: number }; mediaPort?: number } = {},
): Promise<Running> {
  const file = `/tmp/${who}-${port}.xml`;
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="one">\n${steps.join('\n')}\n</scenario>\n`;
  await lab[who].must(['sh', '-c', 'cat >"$1"', 'sh', file], { input: text });
  const where = ['-i', ADDRESS[who], '-mi', ADDRESS[who], '-p', String(port), '-mp', String(mediaPort), '-m', '1'];
  const quiet = ['-nostdin', '-nd', '-timeout', '20s', '-timeout_error', '-trace_err', '-error_file', `/tmp/${who}-${port}.errors`];
  const target = to === undefined ? [] : ['-s', 'two', `${to.address}:${to.port}`];
  const process = lab[who].spawn(['sh', '-c', 'cd /tmp && exec "$@"', 'sh', 'sipp', '-sf', file, ...where, ...quiet, ...target]);
  for (const stream of [process.child.stdout, process.child.stderr]) stream.resume();
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  for (let tries = 0; !(await lab[who].must(['cat', '/proc/net/udp'])).includes(wanted); tries++) {
    if (tries === 100 || process.child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    ended: process.ended.then(({ status }) => status),
    said: () => lab[who].must(['sh', '-c', 'cat "$1"', 'sh', `/tmp/${who}-${port}.errors`]),
    async stop() {
      if (process.child.exitCode === null) process.signal('SIGKILL');
      await process.ended;
    },
  };
}
