import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isLoopback, readPlace, urlOf } from '../../../../src/languages/address/place.ts';
import type { Place } from '../../../../src/languages/address/place.ts';

const place = suite('a place to listen');

place('is an address and a port', () => {
  for (const [text, address, port, url] of [
    ['127.0.0.1:8061', '127.0.0.1', 8061, 'http://127.0.0.1:8061/'],
    ['192.168.1.1:80', '192.168.1.1', 80, 'http://192.168.1.1:80/'],
    ['[::1]:8061', '::1', 8061, 'http://[::1]:8061/'],
    ['[FD00::1]:1', 'fd00::1', 1, 'http://[fd00::1]:1/'],
    ['localhost:0', '127.0.0.1', 0, 'http://127.0.0.1:0/'],
    ['0.0.0.0:65535', '0.0.0.0', 65_535, 'http://0.0.0.0:65535/'],
  ] as const) {
    assert.equal(readPlace(text), { address, port });
    assert.is(urlOf(readPlace(text) as Place), url);
  }
});

place('is refused with what is allowed', () => {
  for (const text of [
    '',
    ':8061',
    '8061',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '127.0.0.256:1',
    '1.2.3:1',
    'router.lan:8061',
    '::1:8061',
    '[1.2.3.4]:1',
    '[::1]',
    '127.0.0.1:8061 ',
    '[]:1',
    `${'a'.repeat(500)}:1`,
  ]) {
    const read = readPlace(text);
    assert.ok('wrong' in read, text);
    assert.match(read.wrong, /is no place to listen; it must be an address and a port, such as/);
    assert.ok(read.wrong.length < 250);
  }
});

place('is loopback only where no other machine reaches it', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])
    assert.ok(isLoopback({ address, port: 1 }), address);
  for (const address of ['0.0.0.0', '::', '192.168.1.1', '1.127.0.0', 'fe80::1', '2001:db8::1', '::ffff:192.0.2.1', '::2', '1::1'])
    assert.not(isLoopback({ address, port: 1 }), address);
});

place.run();
