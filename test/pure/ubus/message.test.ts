import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_BLOB } from '../../../src/ubus/blob.ts';
import { decodeMessage, encodeMessage, MessageType } from '../../../src/ubus/message.ts';
import { decodeSignature, encodeSignature } from '../../../src/ubus/signature.ts';
import { Status, UbusError } from '../../../src/ubus/status.ts';
import { decodeTable, encodeTable } from '../../../src/ubus/value.ts';
import { bytesOf, conversation, conversations, hexOf, recorded } from './recorded.ts';

const message = suite('messages');

message('recorded from the real programs are written byte for byte as they were read', () => {
  let count = 0;
  for (const { title, frames } of conversations) {
    for (const { hex, type, seq, peer } of frames) {
      const read = decodeMessage(bytesOf(hex));
      assert.is(Object.keys(MessageType)[read.type], type);
      assert.is(read.seq, seq);
      assert.is(read.peer.toString(16).padStart(8, '0'), peer);
      const { data, signature } = read.attributes;
      // Through JavaScript values and back, not only through the bytes.
      const attributes = { ...read.attributes };
      if (data) attributes.data = encodeTable(decodeTable(data));
      if (signature) attributes.signature = encodeSignature(decodeSignature(signature));
      assert.is(hexOf(encodeMessage({ ...read, attributes })), hex, `${title}: ${type}`);
      count += 1;
    }
  }
  assert.is(count, recorded.length);
  assert.ok(count > 90);
});

message('of a reply with every kind of value are read as the command printed them', () => {
  const { hex } = conversation('call: a reply with every kind').frames.find(({ type, hex }) => type === 'DATA' && hex.length > 400)!;
  assert.equal(decodeTable(decodeMessage(bytesOf(hex)).attributes.data!), {
    enabled: true,
    count: 42,
    name: 'sip',
    list: [1, 'two', { three: 3 }],
    nested: { a: null },
    neg: -5,
    big: 5000000000,
    dbl: 1.5,
    empty_table: {},
    empty_list: [],
    utf8: 'caf\u00e9',
  });
});

message('give a signature by the names of its types', () => {
  const { hex } = conversation('publish an object').frames.find(({ type }) => type === 'ADD_OBJECT')!;
  assert.equal(decodeSignature(decodeMessage(bytesOf(hex)).attributes.signature!), {
    status: {},
    set: { enabled: 'boolean', name: 'string', count: 'int32', list: 'array', table: 'table' },
    fail: {},
    silent: {},
  });
});

message('with attributes this library does not know are read without them', () => {
  const frame = bytesOf('00010001000000000000001c' + '0e000008deadbeef' + '0100000800000004' + '7f000006aabb0000');
  assert.equal(decodeMessage(frame).attributes, { status: 4 });
});

message('with an attribute that is not what its id says are refused', () => {
  for (const inside of ['01000006000400' + '00', '0200000561000000', '0900000800000001', '0b00000c' + '0000000600010000']) {
    const length = (4 + inside.length / 2).toString(16).padStart(8, '0');
    const frame = bytesOf('0001000100000000' + length + inside);
    assert.throws(
      () => decodeMessage(frame),
      (error: unknown) => error instanceof UbusError && error.status === Status.PARSE_ERROR,
      inside,
    );
  }
});

message('up to the size ubusd takes are written, and no larger', () => {
  const of = (size: number) =>
    encodeMessage({
      type: MessageType.DATA,
      seq: 1,
      peer: 1,
      attributes: { data: new Uint8Array(size) },
    });
  assert.is(of(MAX_BLOB - 8).length, MAX_BLOB + 8);
  assert.throws(
    () => of(MAX_BLOB - 7),
    (error: unknown) => error instanceof UbusError && error.status === Status.INVALID_ARGUMENT && /1048576/.test(error.message),
  );
});

message.run();
