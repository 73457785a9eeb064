import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Host, Reading } from '../../../src/host/host.ts';
import { observeModules } from '../../../src/observe/modules.ts';
import { recordedRouter, routerNames } from '../../routers.ts';
import { recorded } from './recording.ts';

const RELEASE = '6.6.110';

async function states(files: Record<string, string>, commands: Record<string, string> = {}): Promise<string[]> {
  const { tracker, rewriter } = await observeModules(recorded({ files, commands }), RELEASE);
  return [tracker, rewriter].map((reading) => (reading.state === 'present' ? reading.value.state : reading.state));
}

const LOADED = 'nf_nat_sip 20480 0 - Live 0x0\nnf_conntrack_sip 40960 3 nf_nat_sip, Live 0x0\n';
const BUILT_IN = { '/sys/module/nf_conntrack_sip/parameters/sip_timeout': '3600\n' };

const modules = suite('the SIP modules');

modules('are loaded, on disk, or not there', async () => {
  assert.equal(await states({ '/proc/modules': LOADED }), ['loaded', 'loaded']);
  assert.equal(await states({ '/proc/modules': '', [`/lib/modules/${RELEASE}/nf_conntrack_sip.ko`]: '' }), ['on disk', 'not there']);
  assert.equal(await states({ '/proc/modules': '' }), ['not there', 'not there']);
  assert.equal(await states({}), ['not there', 'not there'], 'a kernel without modules');
  assert.equal(
    await states({ '/sys/module/nf_conntrack_sip/initstate': 'live\n', '/sys/module/nf_nat_sip/initstate': 'live\n' }),
    ['loaded', 'loaded'],
    'no /proc/modules, but /sys says so',
  );
});

modules('have a file in any form a distribution gives them', async () => {
  for (const [path, file] of [
    ['nf_conntrack_sip.ko', 'nf_conntrack_sip.ko'],
    ['nf_conntrack_sip.ko.xz', 'nf_conntrack_sip.ko.xz'],
    ['nf_conntrack_sip.ko.zst', 'nf_conntrack_sip.ko.zst'],
  ]) {
    const { tracker } = await observeModules(
      recorded({ files: { '/proc/modules': '', [`/lib/modules/${RELEASE}/${path}`]: '' }, commands: {} }),
      RELEASE,
    );
    assert.is(tracker.state === 'present' && tracker.value.file, `/lib/modules/${RELEASE}/${file}`);
  }
  const dep = {
    '/proc/modules': '',
    [`/lib/modules/${RELEASE}/modules.dep`]: 'kernel/net/netfilter/nf_conntrack_sip.ko.xz: kernel/net/netfilter/nf_conntrack.ko.xz\n',
  };
  const { tracker } = await observeModules(recorded({ files: dep, commands: {} }), RELEASE);
  assert.is(tracker.state === 'present' && tracker.value.file, `/lib/modules/${RELEASE}/kernel/net/netfilter/nf_conntrack_sip.ko.xz`);
});

modules("are built in: the tracker shows parameters alone, the rewriter shows in the kernel's own lists", async () => {
  const config = (value: string) => ({ 'gzip -cd /proc/config.gz': `CONFIG_NF_NAT=y\n${value}` });
  assert.equal(await states(BUILT_IN, config('CONFIG_NF_NAT_SIP=y\n')), ['built in', 'built in']);
  assert.equal(await states(BUILT_IN, config('# CONFIG_NF_NAT_SIP is not set\n')), ['built in', 'not there']);
  assert.equal(await states({ ...BUILT_IN, [`/lib/modules/${RELEASE}/modules.builtin`]: 'kernel/net/netfilter/nf_nat_sip.ko\n' }), [
    'built in',
    'built in',
  ]);
  assert.equal(await states({ ...BUILT_IN, [`/lib/modules/${RELEASE}/modules.builtin`]: 'kernel/net/netfilter/nf_nat.ko\n' }), [
    'built in',
    'not there',
  ]);
  assert.equal(await states({ ...BUILT_IN, '/proc/kallsyms': '0 t nf_nat_sip_expected\n' }), ['built in', 'built in']);
  assert.equal(await states({ ...BUILT_IN, '/proc/kallsyms': '0 t nf_nat_ftp\n' }), ['built in', 'not there']);
  assert.equal(await states(BUILT_IN), ['built in', 'failed'], 'nothing says what the rewriter is');
});

modules('are not known where /proc/modules cannot be read or understood', async () => {
  assert.equal(await states({ '/proc/modules': 'nonsense\n' }), ['failed', 'failed']);
  const host: Host = {
    ...recorded({ files: {}, commands: {} }),
    read: async (path): Promise<Reading<string>> => ({ state: 'failed', source: path, because: 'input/output error (EIO)' }),
  };
  const { tracker } = await observeModules(host, RELEASE);
  assert.equal(tracker, { state: 'failed', source: '/proc/modules', because: 'input/output error (EIO)' });
});

modules('say who holds them, how often, and with which parameters', async () => {
  const { tracker } = await observeModules(recordedRouter('held-by-ipvs'), RELEASE);
  assert.equal(tracker.state === 'present' && tracker.value, {
    name: 'nf_conntrack_sip',
    state: 'loaded',
    refcount: 4,
    holders: ['ip_vs_pe_sip', 'nf_nat_sip'],
    file: `/lib/modules/${RELEASE}/nf_conntrack_sip.ko`,
    parameters: { ports: '5060', sip_direct_media: '1', sip_direct_signalling: '1', sip_external_media: '0', sip_timeout: '3600' },
  });
  const denied = await observeModules(recordedRouter('not-root'), RELEASE);
  assert.is(denied.tracker.state === 'present' && 'ports' in denied.tracker.value.parameters, false, 'the one that may not be read');
});

modules('are in the image or were installed later', async () => {
  const inImage = async (name: string) => (await observeModules(recordedRouter(name), RELEASE)).inImage;
  assert.equal(await inImage('derivative-in-image'), { state: 'present', value: true, source: `/rom/lib/modules/${RELEASE}` });
  assert.equal(await inImage('stock-alg-on'), { state: 'present', value: false, source: `/rom/lib/modules/${RELEASE}` });
  assert.is((await inImage('built-in')).state, 'absent');
  assert.ok(routerNames().length > 30);
});

modules.run();
