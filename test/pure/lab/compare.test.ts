import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareMessages } from '../../lab/compare.ts';
import { invite } from '../../lab/sip.ts';

const from = { address: '192.168.1.10', port: 5060, user: 'phone' };
const sent = invite({ from, to: { address: '203.0.113.10', port: 5060, user: 'provider' } });
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const compare = suite('comparing a message as sent with the message as it arrived');

compare('finds nothing exactly when every byte is equal', () => {
  assert.equal(compareMessages(bytes(sent), bytes(sent)), []);
  for (let at = 0; at < sent.length; at++) {
    const other = bytes(sent);
    other[at] = other[at]! ^ 1;
    assert.ok(compareMessages(bytes(sent), other).length > 0, `byte ${at}`);
  }
  assert.ok(compareMessages(bytes(sent), bytes(sent + '\r\n')).length > 0);
  assert.ok(compareMessages(bytes(sent), bytes(sent.slice(0, -2))).length > 0);
});

compare('names the fields that changed, in the order of the message', () => {
  const arrived = sent
    .replaceAll('192.168.1.10', '203.0.113.20')
    .replace(/^INVITE sip:provider@/, 'INVITE sip:other@')
    .replace(/Content-Length: \d+/, 'Content-Length: 9')
    .replace('m=audio 4000', 'm=audio 4002');
  assert.equal(
    compareMessages(bytes(sent), bytes(arrived)).map(({ field }) => field),
    ['start line', 'Via', 'From', 'Call-ID', 'Contact', 'Content-Length', 'SDP o=', 'SDP c=', 'SDP m='],
  );
});

compare('knows the short names of header fields', () => {
  const short = 'OPTIONS sip:x SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.1\r\nm: <sip:a@10.0.0.1>\r\n\r\n';
  assert.equal(
    compareMessages(bytes(short), bytes(short.replaceAll('10.0.0.1', '10.0.0.2'))).map(({ field }) => field),
    ['Via', 'Contact'],
  );
});

compare.run();
