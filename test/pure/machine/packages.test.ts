import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { installed, ipk, openIpk, type Package } from '../../machine/qemu/packages.ts';

const test = suite('packages for the stand-ins');

const one: Package = {
  name: 'kmod-example',
  version: '6.6.1-r1',
  depends: ['node', 'ubox'],
  files: { '/etc/config/example': 'config a\n', '/usr/sbin/example': '#!/bin/sh\n' },
  conffiles: ['/etc/config/example'],
  programs: ['/usr/sbin/example'],
  scripts: { 'prerm-pkg': '#!/bin/sh\nexit 0\n' },
};
const textOf = (files: Package['files']): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, Buffer.from(bytes).toString()]));

test('an .ipk holds what was put into it', () => {
  const read = openIpk(ipk(one));
  assert.equal({ ...read, files: textOf(read.files) }, { ...one, files: textOf(one.files) });
});

test('an image names its packages as their managers do: conffiles with the sums they came with', () => {
  const opkg = installed('opkg', [one]);
  assert.match(
    opkg['/usr/lib/opkg/status']!,
    /^Package: kmod-example\nVersion: 6\.6\.1-r1\nDepends: node, ubox\nStatus: install user installed\nConffiles:\n \/etc\/config\/example [0-9a-f]{64}\n\n$/,
  );
  assert.is(opkg['/usr/lib/opkg/info/kmod-example.list'], '/etc/config/example\n/usr/sbin/example\n');
  const apk = installed('apk', [one]);
  assert.match(apk['/lib/apk/packages/kmod-example.conffiles_static']!, /^\/etc\/config\/example [0-9a-f]{64}\n$/);
  assert.is(apk['/lib/apk/packages/kmod-example.list'], '/etc/config/example\n/usr/sbin/example\n');
});

test.run();
