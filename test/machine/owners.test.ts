/** What a boot finds that the router's owner has written by hand: lines of /etc/modules.conf, includes; and who else holds the modules. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { onEveryKernel } from './qemu/each.ts';
import { IPTABLES } from './qemu/image.ts';
import type { Router } from './qemu/router.ts';
import { assertBootedOff, assertFirewall, assertOff, commands, memory, sipalg } from './qemu/steps.ts';

const CONF = '/etc/modules.conf';
const { rememberIt, assertAsBefore } = memory();

const GOOD = '# mine\noptions nf_conntrack_sip sip_timeout=1800\nblacklist floppy';
const owners = onEveryKernel('what owners have written', { files: { [CONF]: GOOD } });

async function heldBy(router: Router): Promise<string> {
  const { stdout } = await sipalg(router, 'status --json', 0);
  const { findings } = (JSON.parse(stdout) as { verdict: { findings: { code: string; text: string }[] } }).verdict;
  return findings.find(({ code }) => code === 'module-held')?.text ?? '';
}

owners('a line that is neither a blacklist nor options is named, and the file is left as it is', async (router) => {
  await router.write(CONF, `${GOOD}\nalias a b\n`);
  await rememberIt(router);
  const status = await sipalg(router, 'status', 1);
  assert.match(status.stdout, `${CONF}:4`);
  const ran = await sipalg(router, 'disable', 2);
  assert.match((ran.stdout + ran.stderr).replace(/\s+/g, ' '), `${CONF}, line 4`);
  await assertAsBefore(router);
});

owners('mended, with comments, options and no newline at its end, it gets two whole lines, and loses them again', async (router) => {
  await router.write(CONF, GOOD);
  await rememberIt(router);
  await sipalg(router, 'disable', 0);
  assert.ok((await router.read(CONF)).startsWith(`${GOOD}\n`));
  await router.reboot();
  await assertBootedOff(router, 'after the reboot');
});

owners('the kernel asks for the modules in vain: for an nft object, and for a rule of iptables', async (router) => {
  const object = await router.run(['nft', '-f', '-'], { input: 'table inet mine { ct helper voip { type "sip" protocol udp; }; }\n' });
  assert.is(object.status, 1);
  const rule = await router.run([
    `${IPTABLES}/iptables-legacy`,
    '-t',
    'raw',
    '-A',
    'PREROUTING',
    '-p',
    'udp',
    '-j',
    'CT',
    '--helper',
    'sip',
  ]);
  assert.is.not(rule.status, 0);
  await assertOff(router, 'after both');
  await sipalg(router, 'enable', 0);
  await router.must(['sh', '-c', 'iptables=/usr/lib/lab/iptables/iptables-legacy; $iptables -t raw -F; rmmod iptable_raw xt_CT; true']);
  assert.is(await router.read(CONF), GOOD);
  assert.is(await router.treatment(), 'rewritten');
});

owners(
  'what another network namespace holds stays loaded and idle: off at once, through a reload, and gone at the next boot',
  async (router) => {
    await router.must(['ip', 'netns', 'exec', 'phone2', 'nft', '-f', '-'], {
      input: 'table inet theirs { ct helper voip { type "sip" protocol udp; }; }\n',
    });
    await sipalg(router, 'disable', 0);
    assert.match(await heldBy(router), '(another network namespace, or tc) needs nf_conntrack_sip');
    assert.equal(Object.keys(await router.sipModules()), ['nf_conntrack_sip']);
    assert.is(await router.treatment(), 'untouched');
    await router.must(['fw4', 'reload']);
    assert.is(await router.treatment(), 'untouched', 'after a reload');
    assert.equal(commands(await sipalg(router, 'apply', 0)), []);
    await router.reboot();
    await assertBootedOff(router, 'after the reboot');
    await sipalg(router, 'enable', 0);
    assert.is(await router.treatment(), 'rewritten');
    assert.is(await router.read(CONF), GOOD);
  },
);

owners('so does what another module holds', async (router) => {
  await router.must(['modprobe', 'ip_vs_pe_sip']);
  await sipalg(router, 'disable', 0);
  assert.match(await heldBy(router), 'ip_vs_pe_sip needs nf_conntrack_sip');
  assert.equal(Object.keys(await router.sipModules()), ['nf_conntrack_sip']);
  assert.is(await router.treatment(), 'untouched');
  await router.must(['rmmod', 'ip_vs_pe_sip']);
  await sipalg(router, 'apply', 0);
  await assertOff(router, 'once it has gone');
  await sipalg(router, 'enable', 0);
  assert.is(await router.treatment(), 'rewritten');
});

owners('an include that uses the helper, and one that declares it: the firewall comes up whole at every boot', async (router) => {
  const uses = readFileSync('test/fixtures/fw4/user-include.nftables.d-20-user.nft', 'utf8');
  for (const text of [uses, `ct helper mine { type "sip" protocol udp; }\n${uses.replaceAll('set "sip"', 'set "mine"')}`]) {
    await router.write('/etc/nftables.d/20-user.nft', text);
    await router.must(['fw4', 'reload']);
    const ran = await sipalg(router, 'disable', 1);
    assert.match((ran.stdout + ran.stderr).replace(/\s+/g, ' '), '/etc/nftables.d/20-user.nft');
    await router.reboot();
    assert.not.match(router.bootLog(), 'Error');
    await assertFirewall(router, 'after the reboot');
    await sipalg(router, 'enable', 0);
  }
});

owners('one that comes while the modules are blocked is named, and the next boot has a whole firewall', async (router) => {
  await router.must(['rm', '/etc/nftables.d/20-user.nft']);
  await router.must(['fw4', 'reload']);
  await sipalg(router, 'disable', 0);
  await router.write('/etc/nftables.d/20-user.nft', readFileSync('test/fixtures/fw4/user-include.nftables.d-20-user.nft', 'utf8'));
  assert.match((await sipalg(router, 'status', 2)).stdout, '/etc/nftables.d/20-user.nft:3');
  await router.reboot();
  await assertFirewall(router, 'after the reboot');
  assert.equal(Object.keys(await router.sipModules()).sort(), ['nf_conntrack_sip', 'nf_nat_sip']);
  assert.is(await router.read(CONF), `${GOOD}\n`, 'our lines have gone');
  await sipalg(router, 'enable', 0);
  assert.is(await router.read(CONF), GOOD);
  assert.is(await router.treatment(), 'rewritten');
});

owners.run();
