/**
 * Packages that hold what a writer is most likely to get wrong. test/fixtures/apk/recorded.json has the sums of what
 * apk-tools itself made of each (its README says how to record another).
 */
import type { Contents, Entry, Info } from './apk-library.ts';

const TIME = 1_700_000_000;
const SCRIPT = '#!/bin/sh\nexit 0\n';
const scriptOf = (length: number): string => SCRIPT.padEnd(length, '#');
const file = (text: string, mode = 0o644): Entry => ({ bytes: Buffer.from(text), mode });
const about = (name: string, more: Partial<Info> = {}): Info => ({ name, version: '1.0-r0', arch: 'noarch', ...more });

/** What test/fixtures/apk/demo-none.apk was made of. */
export const DEMO: Contents = {
  info: {
    name: 'demo',
    version: '1.2.3-r4',
    description: 'A demo of two words',
    arch: 'noarch',
    license: 'MIT',
    origin: 'demo',
    url: 'https://example.org/',
    depends: ['a', 'b>=1', 'c<2.0-r1', '!d'],
    provides: ['e=1.2'],
  },
  // Not in their order, which is the writer's business.
  files: new Map<string, Entry>([
    ['/usr/sbin/demo-link', { type: 'link', target: 'demo' }],
    ['/usr/sbin/demo', file('#!/bin/sh\necho demo\n', 0o755)],
    ['/usr/lib/demo/empty', file('')],
    ['/usr/lib/demo/big.txt', file('a'.repeat(5000))],
    ['/lib/apk/packages/demo.list', file('/etc/config/demo\n/usr/sbin/demo\n')],
    ['/etc/config/demo', file('config demo main\n\toption enabled 1\n', 0o600)],
  ]),
  scripts: { 'post-install': SCRIPT, 'pre-deinstall': SCRIPT },
  time: TIME,
};

export const CASES: Readonly<Record<string, Contents>> = {
  // Lengths on both sides of where a blob's length takes one byte more.
  'long texts': {
    info: about('long', {
      description: 'd'.repeat(300),
      license: 'l'.repeat(255),
      maintainer: 'm'.repeat(256),
      url: 'Zoë Nœ <z@example.org>',
    }),
    scripts: { 'pre-install': scriptOf(65_535), 'post-install': scriptOf(65_536), 'post-upgrade': scriptOf(70_017) },
    time: TIME,
  },
  // Sorted by the bytes of whole paths, these folders do not stand as a tree does.
  'folders': {
    info: about('folders'),
    files: new Map(
      ['a/z/1', 'a/2', 'a-b/3', 'a.b/4', 'B/5', 'a b/6', 'é/7', 'a/z.z/8', 'a/z/y/x/9'].map((path) => [`/${path}`, file(path)]),
    ),
    time: TIME,
  },
  'names in a folder': {
    info: about('names'),
    files: new Map(['.h', '1', '10', 'B', 'a', 'a b', 'a-b', 'a.b', 'aa', 'é', 'z~', '_'].map((name) => [`/d/${name}`, file(name)])),
    time: TIME,
  },
  'kinds and modes': {
    info: about('kinds'),
    files: new Map<string, Entry>([
      ['/empty', file('')],
      ['/empty folder', { type: 'folder' }],
      ['/tmp', { type: 'folder', mode: 0o1777 }],
      ['/closed', { type: 'folder', mode: 0o700 }],
      ['/closed/suid', file('x', 0o4755)],
      ['/closed/sgid', file('x', 0o2711)],
      ['/link', { type: 'link', target: 'closed/suid' }],
      ['/dangling', { type: 'link', target: '/nowhere/at/all' }],
      ['/same', file('x')],
    ]),
    time: TIME,
  },
  'nothing but a root': { info: about('root-only'), files: new Map(), time: TIME },
  'no files': { info: about('bare', { description: '' }) },
  'no files, but scripts': {
    info: about('scripts-only'),
    triggers: ['/usr/lib/*', '/etc'],
    scripts: {
      'trigger': SCRIPT,
      'pre-install': SCRIPT,
      'post-deinstall': '#!/bin/sh\ntrue\n',
      'pre-upgrade': SCRIPT,
      'post-upgrade': '#!/bin/sh\ntrue\n',
    },
  },
  'numbers': {
    info: about('numbers', {
      buildTime: 5_000_000_000,
      providerPriority: 0x1000_0000,
      layer: 1,
      repoCommit: '0123456789abcdef0123456789abcdef01234567',
      tags: ['openwrt:section=net', 'b', 'a'],
    }),
    replacesPriority: 0x2000_0001,
    files: new Map([['/x', file('x')]]),
    time: 0x1000_0000,
  },
  'the largest number in place': {
    info: about('number', { buildTime: 0x0fff_ffff, providerPriority: 0 }),
    files: new Map([['/x', file('x')]]),
    time: 0xffff_ffff,
  },
  // The id's place, before it is filled in, is 20 zero bytes too, and is to be its own.
  'a commit of zeros': { info: about('zeros', { repoCommit: '00'.repeat(20) }) },
  'dependencies': {
    info: about('deps', {
      depends: [
        'zlib',
        'b>=2',
        'b<3',
        'b<10',
        'Z',
        'a~1.2',
        'c>~1',
        'd<~1',
        'e=1-r1',
        'f<=1',
        'g>1',
        '!h',
        '!i=1',
        'so:libx.so.1',
        '/bin/sh',
        'b>=2',
        'b<2',
        'b>2',
      ],
      provides: ['deps-any', 'cmd:deps=1.0-r0'],
      replaces: ['old', 'older<2'],
      installIf: ['deps=1.0-r0', 'base'],
      recommends: ['more'],
    }),
  },
};

/** In an index their long numbers come to lie at every distance from a multiple of eight. */
export const LONG_NUMBERS: readonly Contents[] = Array.from({ length: 8 }, (_, at) => ({
  info: about('n'.repeat(at + 1), { buildTime: 5_000_000_000 + at }),
}));
