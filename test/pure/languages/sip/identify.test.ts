import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress } from '../../../../src/languages/sip/address.ts';
import { fieldNamed } from '../../../../src/languages/sip/fields.ts';
import { identify } from '../../../../src/languages/sip/identify.ts';
import type { Identity } from '../../../../src/languages/sip/identify.ts';
import { parseMessage } from '../../../../src/languages/sip/message.ts';
import { latin1 } from '../../../../src/languages/sip/text.ts';
import { parameterNamed } from '../../../../src/languages/sip/value.ts';
import { parseVia } from '../../../../src/languages/sip/via.ts';
import { damage, seeded } from '../../../seeded.ts';
import * as torture from './rfc4475.ts';
import { invite, OPTIONS, RINGING, SDP } from './samples.ts';

const INVITE: Identity = {
  method: 'INVITE', status: null, callId: 'a84b4c76e66710@192.168.1.10', cseq: '314159 INVITE',
  branch: 'z9hG4bK776asdhds', fromTag: '1928301774',
};

const identity = suite('what a message is known by');

identity('is method or status, Call-ID, CSeq, branch and tag', () => {
  assert.equal(identify(invite()), INVITE);
  assert.equal(identify(RINGING), { ...INVITE, method: null, status: 180 });
  assert.equal(identify(OPTIONS),
    { method: 'OPTIONS', status: null, callId: 'opt-1', cseq: '7 OPTIONS', branch: 'z9hG4bKopt', fromTag: '9' });
});

const SAME: readonly [what: string, change: (text: string) => string][] = [
  ['compact names', (text) => text.replace('Via:', 'v:').replace('From:', 'f:').replace('Call-ID:', 'i:')],
  ['capital compact names', (text) => text.replace('Via:', 'V :').replace('From:', 'F\t:').replace('Call-ID:', 'I :')],
  ['names in any case', (text) => text.replace('Via:', 'VIA:').replace('From:', 'fROM :').replace('Call-ID:', 'call-id:')
    .replace('CSeq', 'CSEQ')],
  ['folds', (text) => text.replace('Via: ', 'Via:\r\n ').replace(';branch=', '\r\n ;branch =\r\n ').replace('CSeq: 314159 ',
    'CSeq:\r\n\t314159\r\n ').replace(';tag=', '\r\n ; tag\t= ')],
  ['LF alone', (text) => text.replaceAll('\r\n', '\n')],
  ['CR alone', (text) => text.replaceAll('\r\n', '\r')],
  ['a CR alone between', (text) => text.replace('Max-Forwards: 70\r\n', 'Max-Forwards: 70\r')],
  ['line ends before it', (text) => `\r\n\r\n${text}`],
  ['the fields the other way round', (text) => {
    const [head = '', body = ''] = text.split('\r\n\r\n');
    const [first = '', ...fields] = head.split('\r\n');
    return `${[first, ...fields.reverse()].join('\r\n')}\r\n\r\n${body}`;
  }],
  ['more members in Via', (text) => text.replace('776asdhds', '776asdhds, SIP/2.0/UDP other;branch=z9hG4bKother')],
  ['a second Via, From, Call-ID and CSeq', (text) => text.replace('\r\n\r\n',
    '\r\nVia: SIP/2.0/UDP x;branch=2\r\nFrom: <sip:x>;tag=2\r\nCall-ID: 2\r\nCSeq: 2 ACK\r\n\r\n')],
  ['a tag in the URI and in the name', (text) => text.replace('"Alice" <sip:alice@192.168.1.10:5060>', '"x;tag=1" <sip:alice@h;tag=2>')],
  ['names that begin alike', (text) => text.replace('Max-Forwards: 70',
    'Viaduct: x;branch=1\r\nI-am: 1\r\nContent-X: 1\r\nFromage: <a>;tag=1\r\nc: x\r\nf-x: ;tag=1\r\nCall-Info: <x>')],
  ['parameters in capitals', (text) => text.replace(';branch=', ';BRANCH=').replace(';tag=', ';Tag=')],
  ['header fields in the body', (text) => text.replace('v=0\r\n', 'Call-ID: no\r\nVia: SIP/2.0/UDP x;branch=no\r\n')],
  ['a From without brackets', (text) => text.replace('"Alice" <sip:alice@192.168.1.10:5060>', 'sip:alice@192.168.1.10:5060')],
];

for (const [what, change] of SAME) {
  identity(`is the same with ${what}`, () => {
    assert.not(change(invite()) === invite());
    assert.equal(identify(change(invite())), INVITE);
  });
}

identity('is null where a field is not there, and nothing else', () => {
  assert.equal(identify('BYE sip:a SIP/2.0\r\nX: 1\r\n\r\n'),
    { method: 'BYE', status: null, callId: null, cseq: null, branch: null, fromTag: null });
  assert.equal(identify('SIP/2.0 abc\r\nCall-ID: 1\r\n\r\n'),
    { method: null, status: null, callId: '1', cseq: null, branch: null, fromTag: null });
  assert.is(identify(invite().replace(';tag=1928301774', ''))?.fromTag, null);
  assert.is(identify(invite().replace(';branch=z9hG4bK776asdhds', ''))?.branch, null);
  assert.is(identify(invite().replace(';branch=z9hG4bK776asdhds', ', SIP/2.0/UDP other;branch=z9hG4bKother'))?.branch, null);
});

identity('is null for what is no SIP', () => {
  for (const text of ['', '\r\n\r\n', 'jaK', '\0\0\0\0', 'hello', 'GET / HTTP/1.1\r\nVia: x\r\n\r\n', SDP,
    '\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl', `INVITE sip:${'a'.repeat(9000)} SIP/2.0\r\n`]) {
    assert.is(identify(text), null, text.slice(0, 30));
  }
});

/** The same, from what a full reading finds. */
function byReading(text: string): Identity | null {
  const read = parseMessage(text);
  if ('refused' in read) return null;
  const via = fieldNamed(read.fields, 'via')?.value;
  const from = fieldNamed(read.fields, 'from')?.value;
  const top = via === undefined ? undefined : parseVia(text, via.start, via.end).members[0];
  const sender = from === undefined ? undefined : parseAddress(text, from.start, from.end).members[0];
  const branch = parameterNamed(top?.parameters ?? [], 'branch')?.value;
  const tag = parameterNamed(sender?.parameters ?? [], 'tag')?.value;
  const { startLine } = read;
  return {
    method: startLine.kind === 'request' ? startLine.method.text : null, status: startLine.kind === 'response' ? startLine.status : null,
    callId: fieldNamed(read.fields, 'call-id')?.content ?? null,
    cseq: fieldNamed(read.fields, 'cseq')?.content.replace(/[ \t]+/g, ' ') ?? null,
    branch: branch?.text ?? null, fromTag: tag?.text ?? null,
  };
}

identity('is what a full reading finds', () => {
  const forms = SAME.map(([, change]) => change(invite()));
  for (const text of [invite(), RINGING, OPTIONS, ...forms]) assert.equal(identify(text), byReading(text));
  for (const name of torture.names()) {
    const text = latin1(torture.message(name));
    assert.equal(identify(text), byReading(text), name);
  }
});

identity('is found or not, and nothing is thrown, whatever the damage', () => {
  const random = seeded(3261);
  let same = 0;
  for (let round = 0; round < 1000; round++) {
    const text = damage(random.pick([invite(), RINGING, OPTIONS]), random).replace(/[^\0-\xff]/g, '?');
    const found = identify(text);
    const read = byReading(text);
    if (read !== null && found !== null && found.callId === read.callId && found.cseq === read.cseq && found.method === read.method) same++;
  }
  assert.ok(same > 700, `${same} of 1000 are known by the same`);
});

identity.run();
