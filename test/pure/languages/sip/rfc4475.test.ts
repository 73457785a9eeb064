import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress, parseAddresses } from '../../../../src/languages/sip/address.ts';
import { bodiesOf, sdpsOf } from '../../../../src/languages/sip/body.ts';
import { parseCSeq } from '../../../../src/languages/sip/cseq.ts';
import { framesOf } from '../../../../src/languages/sip/datagram.ts';
import { fieldNamed, fieldsNamed } from '../../../../src/languages/sip/fields.ts';
import { identify } from '../../../../src/languages/sip/identify.ts';
import { render } from '../../../../src/languages/sip/message.ts';
import type { Message } from '../../../../src/languages/sip/message.ts';
import { grammarOf } from '../../../../src/languages/sip/names.ts';
import { latin1 } from '../../../../src/languages/sip/text.ts';
import { parseUri } from '../../../../src/languages/sip/uri.ts';
import { parseVia } from '../../../../src/languages/sip/via.ts';
import { expand, expected, message, names } from './rfc4475.ts';

/**
 * What a comparison needs of a message: that it is read, and what stands in it. What differs in two places of a message
 * (mismatch01, multi01) is read in both: to compare them is not the reader's business.
 */
interface Expected {
  /** How the first line begins: method and URI, or the status code. */
  line: string;
  fields: number;
  /** Transport, host and port, branch of each Via, in order. */
  vias: string;
  /** From, To and the Contacts: URI and parameters. */
  from?: string;
  to?: string;
  contacts?: string;
  cseq?: string;
  /** Bytes of the body, 0 where it is not named; and behind it. */
  body?: number;
  rest?: number;
  /** Addresses of o= and c=, media and ports. */
  sdp?: string;
  /** Codes of what is odd in the message, and in its values. */
  odd?: string;
}

/** The same of a message as it is read. */
function read(message: Message): Expected {
  const { text, startLine, fields } = message;
  const odd = new Set<string>(message.problems.map(({ code }) => code));
  const note = <T>({ members, problems }: { members: readonly T[]; problems: readonly { code: string }[] }): readonly T[] => {
    for (const { code } of problems) odd.add(code);
    return members;
  };
  const written = (name: string): string | undefined => {
    const all = grammarOf(name) === 'address' ? [fieldNamed(fields, name)].flatMap((field) => field ?? []) : fieldsNamed(fields, name);
    const addresses = all.flatMap(({ value }) => note((grammarOf(name) === 'address' ? parseAddress : parseAddresses)(text, value.start,
      value.end)));
    for (const { uri } of addresses) assert.not(Object.hasOwn(parseUri(text, uri.start, uri.end), 'refused'), uri.text);
    return addresses.length === 0 ? undefined : addresses.map(({ uri, parameters }) =>
      [uri.text, ...parameters.map(({ name, value }) => value === null ? name.text : `${name.text}=${value.text}`)].join(';')).join(', ');
  };
  const vias = fieldsNamed(fields, 'via').flatMap(({ value }) => note(parseVia(text, value.start, value.end)));
  const cseq = fieldNamed(fields, 'cseq')?.value;
  const number = cseq === undefined ? undefined : parseCSeq(text, cseq.start, cseq.end);
  const sdps = sdpsOf(message).sdps;
  for (const { problems } of sdps) note({ members: [], problems });
  const found: Record<string, unknown> = {
    line: startLine.kind === 'request' ? `${startLine.method.text} ${startLine.uri.text}` : String(startLine.status),
    fields: fields.length,
    vias: vias.map(({ transport, sentBy, parameters }) => [transport.text, text.slice(sentBy.start, sentBy.end),
      ...parameters.flatMap(({ name, value }) => name.text === 'branch' ? [value?.text] : [])].join(' ')).join(', '),
    from: written('from'), to: written('to'), contacts: written('contact'),
    cseq: number === undefined ? undefined : 'refused' in number ? number.refused : `${number.number} ${number.method.text}`,
    body: message.body.end - message.body.start || undefined, rest: message.rest.end - message.rest.start || undefined,
    sdp: sdps.length === 0 ? undefined : sdps.map(({ origins, session, media }) =>
      [origins[0]?.address.text, session.connections[0]?.address.text,
      ...media.flatMap(({ type, number }) => [type.text, number])].join(' ')).join(' | '),
    odd: odd.size === 0 ? undefined : [...odd].join(' '),
  };
  return JSON.parse(JSON.stringify(found)) as Expected; // without what is undefined
}

const torture = suite('the messages of RFC 4475');

torture('are all there', () => {
  assert.is(names().length, 49);
});

for (const name of names()) {
  torture(`are read for what is in them: ${name}`, () => {
    const text = latin1(message(name));
    const frames = framesOf(text);
    assert.equal(frames.map(({ kind }) => kind), frames.map(() => 'message'));
    const messages = frames.flatMap((frame) => frame.kind === 'message' ? [frame.message] : []);
    assert.equal(messages.map(read), expected(name) as Expected[]);
    assert.is(messages.map((each) => latin1(render(each))).join(''), text);
    for (const each of messages) {
      const id = identify(text.slice(each.start, each.end));
      assert.is(id?.callId ?? undefined, fieldNamed(each.fields, 'call-id')?.content);
    }
  });
}

torture('have the body of mpart01 in two parts', () => {
  const [frame] = framesOf(latin1(message('mpart01')));
  assert.ok(frame?.kind === 'message');
  const { parts, problems } = bodiesOf(frame.message);
  assert.equal(problems, []);
  assert.equal(parts.map(({ type }) => type), ['text/plain', 'application/octet-stream']);
  assert.equal(parts.map(({ content }) => content.end - content.start), [5, 342]);
});

torture('are written in the notation of the RFC', () => {
  assert.is(expand('a\n<allOneLine>\nb\n c\n</allOneLine>\nx<repeat count=3>yz</repeat>\n<hex>00FF20</hex>\n'),
    'a\r\nb c\r\nxyzyzyz\r\n\0\xff \r\n');
});

torture.run();
