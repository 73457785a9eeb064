/** What a provider says to the fake phone: answers to what arrived, as it arrived, and a request of its own. */
import { fieldsNamed } from '../languages/sip/fields.ts';
import { parseMessage } from '../languages/sip/message.ts';
import type { Vector } from './vectors.ts';
import type { Ends } from './packet.ts';
import { say, textOf } from '../words/say.ts';
import type { Said } from '../words/say.ts';

/** A message that arrived at the provider's side. */
export interface Arrived {
  readonly vector: Vector;
  readonly from: Ends['from'];
  readonly text: string;
}

export interface Reply {
  readonly name: Said;
  readonly tests: Said;
  readonly control?: boolean;
  /** As the provider sends it, to the router's address. */
  readonly ends: Ends;
  /** Where it has to be delivered: the socket of the phone that it answers. */
  readonly phone: Ends['from'];
  readonly text: string;
}

const linesOf = (text: string, name: string): string[] => {
  const message = parseMessage(text);
  return 'refused' in message ? [] : fieldsNamed(message.fields, name).map(({ start, value }) => text.slice(start, value.end));
};

const TESTS_CONTROL = say('tests-answer-control', 'an answer to what no ALG has business with');
const TESTS_VIA = say('tests-answer-via', 'Via with received and rport');
const TESTS_EARLY = say('tests-answer-early', 'early media');

/** RFC 3581 §4: where the request came from, into its own Via. */
function received(via: string, { address, port }: Ends['from']): string {
  return /;rport(?=;|$)/.test(via) ? `${via.replace(/;rport(?=;|$)/, `;rport=${port}`)};received=${address}` : via;
}

/** @param body lines of a session description */
function answer({ vector, from, text }: Arrived, status: string, name: Said, tests: Said, body: readonly string[] = []): Reply {
  const [via = '', ...vias] = linesOf(text, 'via');
  const content = body.map((line) => `${line}\r\n`).join('');
  const lines = [
    `SIP/2.0 ${status}`,
    received(via, from),
    ...vias,
    ...['from', 'to', 'call-id', 'cseq'].flatMap((field) => linesOf(text, field)),
    // It knows the phone by what the request said.
    ...(body.length > 0 ? [] : linesOf(text, 'contact')),
    `l:${content.length}`,
  ];
  return {
    name,
    tests,
    control: vector.control === true,
    ends: { from: vector.ends.to, to: from },
    phone: vector.ends.from,
    text: `${lines.join('\r\n')}\r\n\r\n${content}`,
  };
}

/** A request to the phone, as a call that comes in. */
function request({ vector, from }: Arrived, id: string): Reply {
  const { address, port } = vector.ends.to;
  const lines = [
    `OPTIONS sip:${from.address}:${from.port} SIP/2.0`,
    `Via:SIP/2.0/UDP ${address}:${port};branch=z9hG4bK${id}`,
    `f:<sip:${address}>;tag=${id}`,
    `t:<sip:${from.address}:${from.port}>`,
    `i:${id}`,
    'CSeq:1 OPTIONS',
    `m:<sip:${address}>`,
    'l:0',
  ];
  return {
    name: say('sent-back-options', 'OPTIONS of the provider'),
    tests: say('tests-incoming', 'a request that comes in'),
    ends: { from: vector.ends.to, to: from },
    phone: vector.ends.from,
    text: `${lines.join('\r\n')}\r\n\r\n`,
  };
}

const session = ({ vector }: Arrived): string[] => {
  const { address } = vector.ends.to;
  const version = address.includes(':') ? 'IP6' : 'IP4';
  return ['v=0', `o=- 1 1 IN ${version} ${address}`, `c=IN ${version} ${address}`, 'm=audio 40000 RTP/AVP 0'];
};

/** What is said over IPv6 to what arrived so. */
export const repliesTo6 = (arrived: readonly Arrived[]): Reply[] =>
  arrived.flatMap((one) => {
    const name = textOf(one.vector.name);
    if (name === 'control before, over IPv6')
      return [answer(one, '200 OK', say('sent6-back-control', '200 to the control, over IPv6'), TESTS_CONTROL)];
    if (name === 'INVITE over IPv6')
      return [answer(one, '183 Progress', say('sent6-back-invite', '183 to INVITE, over IPv6'), TESTS_EARLY, session(one))];
    return [];
  });

/** What is said over TCP to a message that arrived so. */
export const replyOver = (one: Arrived): Reply =>
  one.vector.control === true
    ? answer(one, '200 OK', say('sent-tcp-back-control', '200 to the control, over TCP'), TESTS_CONTROL)
    : answer(one, '200 OK', say('sent-tcp-back-options', '200 to OPTIONS, over TCP'), TESTS_VIA);

/** What is said to what arrived; nothing to what did not. */
export function repliesTo(arrived: readonly Arrived[]): Reply[] {
  const to = (name: string, make: (one: Arrived) => Reply[]): Reply[] => {
    const found = arrived.find(({ vector }) => textOf(vector.name) === name);
    return found === undefined ? [] : make(found);
  };
  return [
    ...to('control before', (one) => [answer(one, '200 OK', say('sent-back-control', '200 to the control'), TESTS_CONTROL)]),
    ...to('OPTIONS', (one) => [answer(one, '200 OK', say('sent-back-200', '200 to OPTIONS'), TESTS_VIA), request(one, 'in')]),
    ...to('REGISTER', (one) => [
      answer(
        one,
        '401 Unauthorized',
        say('sent-back-401', '401 to REGISTER'),
        say('tests-challenge', 'a registration that is challenged'),
      ),
    ]),
    ...to('OPTIONS whose Via has another port', (one) => [
      answer(
        one,
        '200 OK',
        say('sent-back-via', '200 to a Via with another port'),
        say('tests-rport', 'an answer goes where the request came from (RFC 3581), not where its Via says'),
      ),
    ]),
    ...to('INVITE', (one) => [answer(one, '183 Progress', say('sent-back-183', '183 to INVITE'), TESTS_EARLY, session(one))]),
  ];
}
