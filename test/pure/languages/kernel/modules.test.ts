import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseBuiltin, parseCount, parseDependencies, parseParameter, parseProcModules } from '../../../../src/languages/kernel/modules.ts';
import { fixture, hurt, readsLongLines, refuses } from '../texts.ts';

const loaded = suite('kernel/modules: /proc/modules');

loaded('tells the size, the references and the holders of each loaded module', () => {
  const modules = parseProcModules(fixture('kernel/proc-modules.txt'));
  assert.is(modules.length, 25);
  assert.equal(
    modules.find((module) => module.name === 'nf_conntrack_sip'),
    {
      name: 'nf_conntrack_sip',
      size: 45056,
      refcount: 4,
      holders: ['ip_vs_pe_sip', 'nf_nat_sip'],
      state: 'Live',
    },
  );
  assert.equal(modules.find((module) => module.name === 'nf_nat_sip')?.holders, []);
});

loaded('reads a kernel that cannot unload, taint flags, a missing address, and a module on its way out', () => {
  const modules = parseProcModules(
    'a 16384 - - Live 0x0000000000000000\nb 20480 2 c,[permanent], Loading 0xbf000000 (OE)\nd 1 -1 - Unloading\n',
  );
  assert.equal(
    modules.map((module) => module.refcount),
    [null, 2, -1],
  );
  assert.equal(
    modules.map((module) => module.holders),
    [[], ['c', '[permanent]'], []],
  );
  assert.equal(
    modules.map((module) => module.state),
    ['Live', 'Loading', 'Unloading'],
  );
});

loaded('finds nothing in an empty file', () => assert.equal(parseProcModules(''), []));

loaded('refuses what is not a line of it, and names the line', () => {
  refuses(() => parseProcModules('a 1 0 - Live 0x0\nhello world\n'), /"hello world" is not a line of \/proc\/modules/, 2);
  refuses(() => parseProcModules('a 1 0 - Asleep 0x0\n'), /"Asleep" is no state/, 1);
  refuses(() => parseProcModules('a -5 0 - Live 0x0\n'), /is not a line/, 1);
});

loaded('reads or refuses any damage, in linear time', () => {
  const seen = hurt([fixture('kernel/proc-modules.txt')], parseProcModules);
  assert.ok(seen.read > 50 && seen.refused > 50, JSON.stringify(seen));
  readsLongLines('a 1 0 - Live 0x0', parseProcModules);
});
loaded.run();

const values = suite('kernel/modules: /sys/module');

values('reads a reference count, also the -1 of a module that goes away', () => {
  assert.is(parseCount('4\n'), 4);
  assert.is(parseCount('-1\n'), -1);
  for (const text of ['', '\n', '4 5\n', '0x4\n', '1e3', '- 1', '4.0', '9'.repeat(40)]) refuses(() => parseCount(text), /is not a count/);
});

values('keeps a parameter as it is but for its newline', () => {
  assert.is(parseParameter('5060\n'), '5060');
  assert.is(parseParameter(' 5060,5080 '), ' 5060,5080 ');
  assert.is(parseParameter('\n'), '');
  refuses(() => parseParameter('1\n2\n'), /one value on one line/);
  refuses(() => parseParameter('1\0'), /one value on one line/);
});

values('reads or refuses any damage, in linear time', () => {
  hurt(['4\n', '-1\n'], parseCount, (count) => assert.ok(Number.isSafeInteger(count)));
  hurt(['5060\n', 'Y\n'], parseParameter, (value) => assert.not.match(value, /\n/));
  readsLongLines('4', parseCount);
  readsLongLines('4', parseParameter);
});
values.run();

const folder = suite('kernel/modules: the module folder');

folder('names what is built in as the kernel does', () => {
  const builtin = parseBuiltin(fixture('kernel/modules.builtin.txt'));
  assert.is(builtin.length, 10);
  assert.ok(builtin.includes('crc32c_generic'));
  assert.equal(parseBuiltin('kernel/lib/crc-ccitt.ko\nkernel/net/x.ko.xz\n'), ['crc_ccitt', 'x']);
  refuses(() => parseBuiltin('kernel/a.ko\nkernel/b\n'), /"kernel\/b" in modules.builtin does not name a module/, 2);
});

folder('finds the file of a module', () => {
  const files = parseDependencies(fixture('kernel/modules.dep.txt'));
  assert.is(files.get('nf_conntrack_sip'), 'kernel/net/netfilter/nf_conntrack_sip.ko');
  assert.is(files.get('nf_nat_sip'), 'kernel/net/netfilter/nf_nat_sip.ko');
  assert.is(parseDependencies('/lib/modules/5/nf-x.ko.gz:\n').get('nf_x'), '/lib/modules/5/nf-x.ko.gz');
  refuses(() => parseDependencies('a.ko\n'), /has no colon/, 1);
  refuses(() => parseDependencies('a.ko:\n: b.ko\n'), /does not name a module/, 2);
});

folder('is not misled by names that objects have', () => {
  const files = parseDependencies('constructor.ko:\n__proto__.ko: a.ko\n');
  assert.equal([...files.keys()], ['constructor', '__proto__']);
});

folder('reads or refuses any damage, in linear time', () => {
  for (const seen of [
    hurt([fixture('kernel/modules.builtin.txt')], parseBuiltin),
    hurt([fixture('kernel/modules.dep.txt')], parseDependencies),
  ])
    assert.ok(seen.read > 50 && seen.refused > 50, JSON.stringify(seen));
  readsLongLines('a/b.ko', parseBuiltin);
  readsLongLines('a/b.ko: c.ko', parseDependencies);
});
folder.run();
