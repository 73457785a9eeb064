/** What a provider says to the fake phone: answers to what arrived, as it arrived, and a request of its own. */
import { fieldsNamed } from '../languages/sip/fields.ts';
import { parseMessage } from '../languages/sip/message.ts';
import type { Vector } from './vectors.ts';
import type { Ends } from './packet.ts';

/** A message that arrived at the provider's side. */
export interface Arrived {
  readonly vector: Vector;
  readonly from: Ends['from'];
  readonly text: string;
}

export interface Reply {
  readonly name: string;
  readonly tests: string;
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

/** RFC 3581 §4: where the request came from, into its own Via. */
function received(via: string, { address, port }: Ends['from']): string {
  return /;rport(?=;|$)/.test(via) ? `${via.replace(/;rport(?=;|$)/, `;rport=${port}`)};received=${address}` : via;
}

/** @param body lines of a session description */
function answer({ vector, from, text }: Arrived, status: string, name: string, tests: string, body: readonly string[] = []): Reply {
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
    name: 'OPTIONS of the provider',
    tests: 'a request that comes in',
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
    const { name, control } = one.vector;
    if (control === true && name.startsWith('control before'))
      return [answer(one, '200 OK', '200 to the control, over IPv6', 'an answer to what no ALG has business with')];
    if (name === 'INVITE over IPv6') return [answer(one, '183 Progress', '183 to INVITE, over IPv6', 'early media', session(one))];
    return [];
  });

/** What is said over TCP to a message that arrived so. */
export const replyOver = (one: Arrived): Reply =>
  answer(
    one,
    '200 OK',
    one.vector.control === true ? '200 to the control, over TCP' : '200 to OPTIONS, over TCP',
    one.vector.control === true ? 'an answer to what no ALG has business with' : 'Via with received and rport',
  );

/** What is said to what arrived; nothing to what did not. */
export function repliesTo(arrived: readonly Arrived[]): Reply[] {
  const to = (name: string, make: (one: Arrived) => Reply[]): Reply[] => {
    const found = arrived.find(({ vector }) => vector.name === name);
    return found === undefined ? [] : make(found);
  };
  return [
    ...to('control before', (one) => [answer(one, '200 OK', '200 to the control', 'an answer to what no ALG has business with')]),
    ...to('OPTIONS', (one) => [answer(one, '200 OK', '200 to OPTIONS', 'Via with received and rport'), request(one, 'in')]),
    ...to('REGISTER', (one) => [answer(one, '401 Unauthorized', '401 to REGISTER', 'a registration that is challenged')]),
    ...to('OPTIONS whose Via has another port', (one) => [
      answer(
        one,
        '200 OK',
        '200 to a Via with another port',
        'an answer goes where the request came from (RFC 3581), not where its Via says',
      ),
    ]),
    ...to('INVITE', (one) => [answer(one, '183 Progress', '183 to INVITE', 'early media', session(one))]),
  ];
}
