import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_BLOB } from '../../../src/ubus/blob.ts';
import { Status, UbusError } from '../../../src/ubus/status.ts';
import { decodeTable, encodeTable, typed } from '../../../src/ubus/value.ts';
import { bytesOf, hexOf } from './recorded.ts';

const value = suite('values as blobmsg carries them');

const again = (table: Record<string, unknown>) => decodeTable(encodeTable(table));

function refused(task: () => unknown, status: number, words: RegExp): void {
  try {
    task();
  } catch (error) {
    assert.instance(error, UbusError);
    assert.is((error as UbusError).status, status);
    assert.match((error as UbusError).message, words);
    return;
  }
  assert.unreachable(`expected a refusal that says ${words}`);
}

value('come back as they went, whatever their kind', () => {
  const table = {
    nothing: null,
    yes: true,
    no: false,
    zero: 0,
    negative: -5,
    large: 2147483647,
    small: -2147483648,
    beyond: 2147483648,
    exact: 9007199254740991,
    half: 1.5,
    tiny: 5e-324,
    text: 'caf\u00e9 \u{1f4de}',
    empty: '',
    list: [1, 'two', { three: 3 }, [], {}],
    table: {},
    deep: { a: { b: [null] } },
  };
  assert.equal(again(table), table);
});

value('keep 64 bits exact, as bigint where a number is not', () => {
  for (const whole of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 9007199254740993n]) {
    assert.is(again({ whole })['whole'], whole);
  }
  assert.is(again({ whole: 5n })['whole'], 5);
  assert.is(again({ whole: 2n ** 53n - 1n })['whole'], 9007199254740991);
});

value('are written with the type of their size', () => {
  assert.is(hexOf(encodeTable({ n: 7 })), '8500000c' + '00016e00' + '00000007');
  assert.is(hexOf(encodeTable({ n: 7n })), '84000010' + '00016e00' + '0000000000000007');
  assert.is(hexOf(encodeTable({ n: typed('int16', -2) })), '8600000a' + '00016e00' + 'fffe0000');
  assert.is(hexOf(encodeTable({ n: typed('double', 1) })), '88000010' + '00016e00' + '3ff0000000000000');
  assert.is(hexOf(encodeTable({ n: 2 ** 32 })), '84000010' + '00016e00' + '0000000100000000');
  assert.is(hexOf(encodeTable({ n: 2 ** 60 })).slice(0, 2), '88', 'a number that is not exact is no integer');
  assert.is(again({ n: typed('int16', -2) })['n'], -2);
  assert.is(again({ n: typed('int64', 3) })['n'], 3);
});

value('of a special double come back', () => {
  for (const n of [NaN, Infinity, -Infinity, 1e300]) assert.ok(Object.is(again({ n })['n'], n));
  assert.ok(Object.is(again({ n: typed('double', -0) })['n'], -0));
});

value('leave out what is undefined in a table, as JSON does', () => {
  assert.equal(again({ a: undefined, b: 1 }), { b: 1 });
});

value('that have no place in ubus are refused by name', () => {
  const table: Record<string, unknown> = { list: [{ call: () => 1 }] };
  refused(() => encodeTable(table), Status.INVALID_ARGUMENT, /"list\.0\.call" is a function/);
  refused(() => encodeTable({ a: [undefined] }), Status.INVALID_ARGUMENT, /"a\.0" is undefined in an array/);
  refused(() => encodeTable({ a: 'x\0y' }), Status.INVALID_ARGUMENT, /NUL/);
  refused(() => encodeTable({ 'x\0y': 1 }), Status.INVALID_ARGUMENT, /NUL/);
  refused(() => encodeTable({ a: 2n ** 63n }), Status.INVALID_ARGUMENT, /64 bits/);
  refused(() => encodeTable({ a: typed('int16', 40000) }), Status.INVALID_ARGUMENT, /40000.*16 bits/);
  refused(() => encodeTable({ a: typed('int32', 1.5) }), Status.INVALID_ARGUMENT, /1\.5/);
  refused(() => encodeTable({ ['n'.repeat(65536)]: 1 }), Status.INVALID_ARGUMENT, /65536 bytes/);
  table['self'] = table;
  delete table['list'];
  refused(() => encodeTable(table), Status.INVALID_ARGUMENT, /holds itself/);
});

value('larger than ubusd takes are refused', () => {
  refused(() => encodeTable({ a: 'x'.repeat(MAX_BLOB) }), Status.INVALID_ARGUMENT, /1048576/);
  const most = 'x'.repeat(MAX_BLOB - 4 - 4 - 1);
  assert.ok(again({ a: most })['a'] === most);
});

value('named __proto__ are values like others', () => {
  const table = decodeTable(encodeTable(JSON.parse('{"__proto__":{"polluted":true},"a":1}')));
  assert.is(Object.getPrototypeOf(table), Object.prototype);
  assert.equal(Object.keys(table).sort(), ['__proto__', 'a']);
  assert.is(({} as Record<string, unknown>)['polluted'], undefined);
});

value('of equal names: the first counts, as in libubox', () => {
  const twice = hexOf(encodeTable({ a: 1 })) + hexOf(encodeTable({ a: 2 }));
  assert.equal(decodeTable(bytesOf(twice)), { a: 1 });
});

value('of types and forms this library does not know are skipped', () => {
  const known = hexOf(encodeTable({ a: 1 }));
  assert.equal(decodeTable(bytesOf('8900000c' + '00017a00' + '00000001' + known)), { a: 1 }, 'type 9');
  assert.equal(decodeTable(bytesOf('05000008' + '00000001' + known)), { a: 1 }, 'without a name');
  assert.equal(decodeTable(bytesOf('81000014' + '00016c00' + '8900000c' + '00000000' + '00000001')), { l: [null] });
  assert.equal(decodeTable(bytesOf('81000010' + '00016c00' + '05000008' + '00000007')), { l: [7] }, 'array items need no name');
});

value('that are damaged are refused, each with its reason', () => {
  const broken: [string, RegExp][] = [
    ['850000', /3 stray bytes/],
    ['85000002', /2 bytes long/],
    ['850000ff' + '00016e00' + '00000007', /255 bytes long; 4 to 12/],
    ['8500000a' + '00016e00' + '00070000', /int32 has 2 bytes instead of 4/],
    ['8500000c' + 'ffff6e00' + '00000007', /name of 65535 bytes/],
    ['8500000c' + '00016e6e' + '00000007', /name has no NUL/],
    ['8300000a' + '00016e00' + '78780000', /string has no NUL/],
    ['83000008' + '00016e00', /string has no NUL/],
    ['85000006' + '00000000', /does not fit/],
  ];
  for (const [hex, words] of broken) refused(() => decodeTable(bytesOf(hex)), Status.PARSE_ERROR, words);
  let nest = new Uint8Array(0);
  for (let depth = 0; depth < 80; depth += 1) {
    const outer = new Uint8Array(8 + nest.length);
    outer.set([0x81, 0, 0, outer.length, 0, 0, 0, 0]);
    new DataView(outer.buffer).setUint16(2, outer.length);
    outer.set(nest, 8);
    nest = outer;
  }
  refused(() => decodeTable(nest), Status.PARSE_ERROR, /deeper than 64/);
});

value.run();
