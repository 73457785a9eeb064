/** Frames for a Homer server: their bytes, what is left out of them, which belong together, and what is lost. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createCorrelation } from '../../../src/hep/correlation.ts';
import { createHepExporter } from '../../../src/hep/exporter.ts';
import { createHepQueue } from '../../../src/hep/queue.ts';
import { CHUNK, chunksOf, encodeHep, UDP } from '../../../src/languages/hep/frame.ts';
import { bytesOf } from '../../../src/languages/sip/text.ts';
import { saying } from '../../saying.ts';

const LAN = { source: Uint8Array.of(192, 168, 1, 7), destination: Uint8Array.of(203, 0, 113, 10) };
const WHERE = { ...LAN, sourcePort: 5060, destinationPort: 5060, protocol: UDP, seconds: 0x65000000, microseconds: 5 } as const;
const textOf = (bytes: Uint8Array | undefined): string => String.fromCharCode(...(bytes ?? []));

const message = (more: readonly string[] = [], body = '', callId = 'a84b4c76e66710'): string =>
  [
    'INVITE sip:bob@203.0.113.10 SIP/2.0',
    'Via: SIP/2.0/UDP 192.168.1.7:5060;branch=z9hG4bK-1',
    'From: "x;tag=no" <sip:alice@example.com>;tag=from1',
    'To: <sip:bob@example.com>',
    `Call-ID: ${callId}`,
    'CSeq: 1 INVITE',
    ...more,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');

const hep = suite('HEP3');

hep('is written byte for byte as the specification has it', () => {
  const frame = encodeHep({ ...WHERE, agent: 7, key: 'k', correlation: 'id', payload: bytesOf('SIP') });
  assert.is(
    Buffer.from(frame).toString('hex'),
    [
      '48455033' + '0075',
      '0000' + '0001' + '0007' + '02',
      '0000' + '0002' + '0007' + '11',
      '0000' + '0003' + '000a' + 'c0a80107',
      '0000' + '0004' + '000a' + 'cb00710a',
      '0000' + '0007' + '0008' + '13c4',
      '0000' + '0008' + '0008' + '13c4',
      '0000' + '0009' + '000a' + '65000000',
      '0000' + '000a' + '000a' + '00000005',
      '0000' + '000b' + '0007' + '01',
      '0000' + '000c' + '000a' + '00000007',
      '0000' + '000e' + '0007' + '6b',
      '0000' + '0011' + '0008' + '6964',
      '0000' + '000f' + '0009' + '534950',
    ].join(''),
  );
  const six = { source: new Uint8Array(16).fill(1), destination: new Uint8Array(16).fill(2) };
  const chunks = chunksOf(encodeHep({ ...WHERE, ...six, agent: 1, key: '', correlation: 'id', payload: bytesOf('x') }));
  assert.equal([...chunks.keys()], [1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 17, 15]);
  assert.equal([...(chunks.get(CHUNK.family) ?? [])], [10]);
});

hep('is refused where it would be none', () => {
  const one = { ...WHERE, agent: 1, key: '', correlation: 'id', payload: bytesOf('x') };
  assert.throws(() => encodeHep({ ...one, destination: new Uint8Array(16) }), saying('addresses of 4 and 16 bytes'));
  assert.throws(() => encodeHep({ ...one, payload: new Uint8Array(65_500) }), saying('does not fit into a datagram'));
  const frame = encodeHep(one);
  assert.throws(() => chunksOf(frame.subarray(0, 40)), saying('and has 40'));
  const short = frame.slice();
  short[11] = 3;
  assert.throws(() => chunksOf(short), saying('does not end within the frame'));
  assert.throws(() => chunksOf(bytesOf('HEP2xx')), saying('does not begin with HEP3'));
});

hep('leaves out what proves who somebody is, in whatever lines it stands', async () => {
  const body = 'v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20\r\nk=base64:c2VjcmV0\r\n';
  const secrets = [
    'Authorization: Digest username="alice",\r\n response="0123456789abcdef"',
    'PROXY-AUTHORIZATION : Digest\r\n\tnonce="secretnonce"',
    'WWW-Authenticate: Digest nonce="challenge1"',
    'Contact: <sip:alice:passw0rd@192.168.1.7>',
  ];
  const ends = [(text: string) => text, (text: string) => text.replace(/\r\n/g, '\n'), (text: string) => '\r\n\r\n' + text];
  for (const end of ends) {
    const exporter = createHepExporter({ agent: 1, key: '' });
    assert.is(exporter.take({ ...WHERE, text: end(message(secrets, body)) }), 'taken');
    const sent: string[] = [];
    await exporter.queue.drain(async (frame) => void sent.push(textOf(chunksOf(frame).get(CHUNK.payload))));
    const [text = ''] = sent;
    for (const secret of ['0123456789abcdef', 'secretnonce', 'challenge1', 'passw0rd', 'WVNfX19z', 'c2VjcmV0'])
      assert.not.ok(text.includes(secret), secret);
    assert.ok(text.includes('Call-ID: a84b4c76e66710') && text.includes('|2^20') && text.includes('CSeq: 1 INVITE'));
    // Lengths within the body are as they were.
    const left = end(body).trimStart();
    assert.is(text.slice(-left.length).replace(/x+/g, ''), left.replace(/(inline:)[^|]+/, '$1').replace(/(k=).*/, '$1'));
  }
});

hep('gives both sides of a call one id, whether or not the router rewrites its Call-ID', () => {
  const { of } = createCorrelation();
  const call = { fromTag: 'a1', toTag: '' };
  assert.is(of({ ...call, callId: 'x@192.168.1.7' }), 'x@192.168.1.7');
  assert.is(of({ ...call, callId: 'x@203.0.113.20' }), 'x@192.168.1.7');
  assert.is(of({ callId: 'x@203.0.113.20', fromTag: 'b2', toTag: 'a1' }), 'x@192.168.1.7');
  assert.is(of({ callId: 'other', fromTag: 'b2', toTag: '' }), 'x@192.168.1.7');
  assert.is(of({ callId: 'third', fromTag: 'c3', toTag: '' }), 'third');
  assert.is(of({ callId: 'a b\n\x00c', fromTag: '', toTag: '' }), 'a?b??c');
  // What is remembered is bounded, and what is spoken of stays longest.
  const small = createCorrelation(4);
  small.of({ callId: '1', fromTag: 't1', toTag: '' });
  for (const callId of ['2', '3', '4', '5']) {
    small.of({ callId, fromTag: '', toTag: '' });
    assert.is(small.of({ callId: 'changed', fromTag: 't1', toTag: '' }), '1');
  }
});

hep('loses nothing in silence: what does not fit, is too large or fails is counted', async () => {
  const queue = createHepQueue(3, 100);
  assert.equal(
    [10, 10, 90, 10, 10].map((length) => queue.push(new Uint8Array(length))),
    [true, true, false, true, false],
  );
  const sent: number[] = [];
  const sending = queue.drain(async (frame) => {
    if (sent.push(frame.length) === 2) throw new Error('nobody is there');
  });
  queue.push(new Uint8Array(20));
  await Promise.all([sending, queue.drain(async () => {})]);
  assert.equal(sent, [10, 10, 10, 20]);
  assert.equal({ ...queue.counts, waiting: queue.waiting }, { sent: 3, overflowed: 2, oversized: 0, failed: 1, waiting: 0 });
  const exporter = createHepExporter({ agent: 1, key: '' });
  assert.is(exporter.take({ ...WHERE, text: message([], 'x'.repeat(65_400)) }), 'refused');
  assert.is(exporter.take({ ...WHERE, text: 'not SIP at all' }), 'unread');
  assert.equal({ ...exporter.queue.counts }, { sent: 0, overflowed: 0, oversized: 1, failed: 0 });
});

hep.run();
