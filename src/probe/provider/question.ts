/** The OPTIONS that are sent (RFC 3261 §11), and what an answer to one says. */
import { bitsOf } from '../../languages/address/prefixes.ts';
import { sameAddress } from '../../languages/address/special.ts';
import { parseAddress } from '../../languages/sip/address.ts';
import { fieldNamed } from '../../languages/sip/fields.ts';
import type { HostPort } from '../../languages/sip/host.ts';
import { contentOf } from '../../languages/sip/message.ts';
import type { Message } from '../../languages/sip/message.ts';
import { parseUri } from '../../languages/sip/uri.ts';
import { meaningOf, parameterNamed } from '../../languages/sip/value.ts';
import { parseVia } from '../../languages/sip/via.ts';
import type { Peer } from '../../host/network.ts';
import type { Alteration, Answer, Form, Transport } from './result.ts';

export interface Question {
  over: Transport;
  form: Form;
  /** Whom it asks, as in the Request-URI. */
  uriHost: string;
  local: Peer;
  /** What From and Contact name in the form `mapped`. */
  mapped?: Peer;
  /** Letters and digits that stand in the branch, the tag and the Call-ID. */
  token: string;
  cseq: number;
  version: string;
  /** Bytes the message is to have at least. */
  size?: number;
  /** What stands in Via in place of all the above: a reply wanted at another port, without rport (RFC 3261 §18.2.2). */
  replyTo?: Peer;
}

const PADDING = 'X-Padding: ';
const LONGEST_LINE = 200;

export const inBrackets = (address: string): string => (address.includes(':') ? `[${address}]` : address);
export const shownPeer = ({ address, port }: Peer): string => `${inBrackets(address)}:${port}`;

/** The text of a question, a code unit a byte. */
export function questionText(question: Question): string {
  const { over, form, local, mapped, token, cseq, replyTo } = question;
  // A name under .invalid (RFC 6761) is nobody's, and no ALG takes it for the phone.
  const named = { address: 'sipalg.invalid', port: local.port };
  const via = replyTo ?? (form === 'named' ? named : local);
  const identity = form === 'mapped' && mapped !== undefined ? mapped : form === 'named' || replyTo !== undefined ? named : local;
  const uri = `sip:probe@${shownPeer(identity)}`;
  const lines = [
    `OPTIONS sip:${question.uriHost} SIP/2.0`,
    `Via: SIP/2.0/${over.toUpperCase()} ${shownPeer(via)};branch=z9hG4bK${token}${replyTo === undefined ? ';rport' : ''}`,
    'Max-Forwards: 70',
    `From: <${uri}>;tag=${token}`,
    `To: <sip:${question.uriHost}>`,
    `Call-ID: ${token}@${inBrackets(identity.address)}`,
    `CSeq: ${cseq} OPTIONS`,
    `Contact: <${uri}${over === 'udp' ? '' : ';transport=tcp'}>`,
    'Accept: application/sdp',
    `User-Agent: sipalg-probe/${question.version}`,
  ];
  const end = ['Content-Length: 0', '', ''].join('\r\n');
  const length = (): number => lines.join('\r\n').length + 2 + end.length;
  for (let lacking = (question.size ?? 0) - length(); lacking > 0; lacking = (question.size ?? 0) - length()) {
    // No line may be too short to hold its name.
    const room = Math.max(1, Math.min(LONGEST_LINE, lacking - PADDING.length - 2));
    lines.push(PADDING + 'x'.repeat(room));
  }
  return `${lines.join('\r\n')}\r\n${end}`;
}

/** Whether a message is the answer to a question; an ALG may have changed one or two of the places the token stands in. */
export const isAnswerTo = ({ text, startLine, start, end }: Message, token: string): boolean =>
  startLine.kind === 'response' && startLine.status !== null && text.slice(start, end).includes(token);

const SIP_PORT = 5060;

/** What an address names, with the port that is meant where none stands. */
const placeOf = ({ address, number }: HostPort): string => shownPeer({ address: address.toLowerCase(), port: number ?? SIP_PORT });

function hostOf(value: string | undefined): string | null {
  if (value === undefined) return null;
  const [address] = parseAddress(value, 0, value.length).members;
  if (address === undefined) return null;
  const uri = parseUri(value, address.uri.start, address.uri.end);
  return 'refused' in uri || !('hostPort' in uri) ? null : placeOf(uri.hostPort);
}

/** What is repeated in an answer, and shows an address: by its name, as it was sent and as it is seen. */
function repeated(sent: Message, got: Message): Alteration[] {
  const all: [string, string | null, string | null][] = [];
  const viaOf = (message: Message): string | null => {
    const field = fieldNamed(message.fields, 'via');
    const via = field === undefined ? undefined : parseVia(message.text, field.value.start, field.value.end).members[0];
    return via === undefined ? null : placeOf(via.sentBy);
  };
  all.push(['Via sent-by', viaOf(sent), viaOf(got)]);
  for (const [title, name] of [
    ['From', 'from'],
    ['To', 'to'],
  ] as const)
    all.push([title, hostOf(contentOf(sent, name)), hostOf(contentOf(got, name))]);
  all.push(['Call-ID', contentOf(sent, 'call-id') ?? null, contentOf(got, 'call-id') ?? null]);
  all.push(['CSeq', contentOf(sent, 'cseq')?.replace(/\s+/g, ' ') ?? null, contentOf(got, 'cseq')?.replace(/\s+/g, ' ') ?? null]);
  return all.flatMap(([field, one, other]) => {
    // What is missing altogether is a server's fault, not an ALG's work: nothing is claimed of it.
    if (one === null || other === null || one === other) return [];
    return [{ field, sent: one, seen: other }];
  });
}

/** What the answer to a question says. */
export function readAnswer(sent: Message, got: Message): Answer {
  const line = got.startLine;
  const field = fieldNamed(got.fields, 'via');
  const via = field === undefined ? undefined : parseVia(got.text, field.value.start, field.value.end).members[0];
  const value = (name: string): string | null => {
    const parameter = via === undefined ? undefined : parameterNamed(via.parameters, name);
    return parameter?.value == null ? null : meaningOf(parameter.value).replace(/^\[|\]$/g, '');
  };
  const [received, rport] = [value('received'), value('rport')];
  const server = contentOf(got, 'server') ?? contentOf(got, 'user-agent') ?? null;
  const [, after] = /^(\d{1,9})/.exec(contentOf(got, 'retry-after') ?? '') ?? [];
  return {
    status: line.kind === 'response' ? (line.status ?? 0) : 0,
    reason: line.kind === 'response' ? line.reason.text.slice(0, 80) : '',
    server: server === null ? null : server.slice(0, 80),
    received: received !== null && bitsOf(received) !== null ? received : null,
    rport: rport !== null && /^\d{1,5}$/.test(rport) && Number(rport) <= 65_535 ? Number(rport) : null,
    alterations: repeated(sent, got),
    retryAfter: after === undefined ? null : Number(after),
  };
}

/** Where an answer says that its question came from, `from` being what its Via named as it was sent. */
export const isFrom = ({ received }: Answer, { address }: Peer): boolean => received !== null && sameAddress(received, address);
