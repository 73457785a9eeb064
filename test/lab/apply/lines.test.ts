/**
 * A router with two lines: SIP of phones follows the main one when that is back, where its owner wishes it, and nothing else does.
 * Each line's provider takes packets with that line's addresses alone, as on the internet.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Report } from '../../../src/survey/survey.ts';
import { openLab, type Lab, type LabOptions } from '../lab.ts';
import { ADDRESS } from '../network.ts';
import type { Socket, Talker } from '../talker.ts';

const OTHER = '198.51.100.20';
/** Where both lines lead. */
const REGISTRAR = '192.0.2.10';

const wish = (failback: 0 | 1): string => `config sipalg 'main'
	option alg 'unmanaged'
	option policy '0'
	option failback '${failback}'
`;

const NETWORK = `
config interface 'lte'
	option device 'lte'
	option proto 'static'
	option ipaddr '${OTHER}'
	option netmask '255.255.255.0'
`;

type Scene = {
  lab: Lab;
  /** The address by which a packet from a phone's port arrives at the registrar, '' where it does not. */
  seenFrom(port: number, to?: number): Promise<string>;
};

async function openScene(options: LabOptions): Promise<Scene> {
  const lab = await openLab(options);
  const { router, provider, files } = lab;
  // The holder is process 1 of the names of its own; the cable is laid from where both have a number.
  await provider.must([
    'sh',
    '-ec',
    'ip link add line type veth peer name lte; ip addr add 198.51.100.10/24 dev line; ip link set line up',
  ]);
  await moved(lab);
  await provider.must([
    'sh',
    '-ec',
    `ip addr add ${REGISTRAR}/32 dev lo; ip link set lo up
    iptables -A INPUT -i eth0 -d ${REGISTRAR} ! -s 203.0.113.0/24 -j DROP
    iptables -A INPUT -i line -d ${REGISTRAR} ! -s 198.51.100.0/24 -j DROP`,
  ]);
  files.write('/etc/config/network', files.read('/etc/config/network') + NETWORK);
  files.write(
    '/etc/config/firewall',
    files.read('/etc/config/firewall').replace("list   network\t\t'wan6'", "list   network\t\t'wan6'\n\tlist network 'lte'"),
  );
  await router.must([options.fw3 === undefined ? 'fw4' : 'fw3', '-q', 'restart']);
  await router.must([
    'sh',
    '-ec',
    `ip addr add ${OTHER}/24 dev lte; ip link set lte up; ip route del default; ${routes('wan')}; ${routes('lte')}
    ip route add default via ${ADDRESS.provider} dev wan table 1; ip rule add fwmark 0x100 lookup 1
    ip route add default via 198.51.100.10 dev lte table 2; ip rule add fwmark 0x200 lookup 2`,
  ]);
  await steer(lab, 'wan');
  const far = await lab.talker('provider');
  const phone = await lab.talker('phone');
  const sockets = new Map<string, Promise<Socket>>();
  const at = (talker: Talker, address: string, port: number): Promise<Socket> => {
    const name = `${address} ${port}`;
    const known = sockets.get(name) ?? talker.udp(address, port);
    sockets.set(name, known);
    return known;
  };
  let count = 0;
  return {
    lab,
    async seenFrom(port, to = 5060) {
      const [here, there] = [await at(phone, ADDRESS.phone, port), await at(far, REGISTRAR, to)];
      const text = `REGISTER sip:lab SIP/2.0 ${++count}\r\n\r\n`;
      await here.send(Buffer.from(text), { address: REGISTRAR, port: to });
      for (let one = await there.next(1500); one; one = await there.next(1500)) if (one.bytes.toString() === text) return one.from.address;
      return '';
    },
  };
}

/** Gives the router the other end of the second cable. */
async function moved({ router, provider }: Lab): Promise<void> {
  const { spawnSync } = await import('node:child_process');
  const { status, stderr } = spawnSync(
    'nsenter',
    ['--target', String(provider.pid), '--net', '--', 'ip', 'link', 'set', 'lte', 'netns', String(router.pid)],
    {
      encoding: 'utf8',
    },
  );
  assert.is(status, 0, stderr);
}

const routes = (device: 'wan' | 'lte'): string =>
  device === 'wan'
    ? `ip route replace default via ${ADDRESS.provider} dev wan metric 10`
    : 'ip route replace default via 198.51.100.10 dev lte metric 20';

/** As mwan3 steers: a flow keeps the mark it got with its first packet, and the mark says which line it takes. */
async function steer({ router, files }: Lab, line: 'wan' | 'lte'): Promise<void> {
  await router.must([
    'sh',
    '-ec',
    `m="iptables-legacy -t mangle"
    $m -N steer 2>/dev/null || $m -F steer
    $m -C PREROUTING -i br-lan -j steer 2>/dev/null || $m -A PREROUTING -i br-lan -j steer
    $m -A steer -j CONNMARK --restore-mark
    $m -A steer -p udp --sport 5064 -m mark --mark 0 -j MARK --set-mark 0x200
    $m -A steer -m mark --mark 0 -j MARK --set-mark ${line === 'wan' ? '0x100' : '0x200'}
    $m -A steer -j CONNMARK --save-mark`,
  ]);
  files.write('/var/run/mwan3/iface_state/wan', line === 'wan' ? 'online\n' : 'offline\n');
  files.write('/var/run/mwan3/iface_state/lte', 'online\n');
}

/** The main line leads nowhere, and its device stays up; the lines' provider lets nothing of it in. */
const dead = async (lab: Lab): Promise<void> => {
  await lab.provider.must(['iptables', '-I', 'INPUT', '-i', 'eth0', '-d', REGISTRAR, '-j', 'DROP']);
  await steer(lab, 'lte');
};
const alive = async (lab: Lab): Promise<void> => {
  await lab.provider.must(['iptables', '-D', 'INPUT', '-i', 'eth0', '-d', REGISTRAR, '-j', 'DROP']);
  await steer(lab, 'wan');
};

const report = async ({ router }: Lab): Promise<Report> =>
  JSON.parse(await router.must(['sh', '-c', 'sipalg status --json || true'])) as Report;
const codes = async (lab: Lab): Promise<string[]> => (await report(lab)).verdict.findings.map(({ code }) => code);

/** The source ports of the flows that a run has ended. */
async function apply({ router }: Lab): Promise<string[]> {
  const { status, stdout, stderr } = await router.run(['sipalg', 'apply'], { timeout: 60_000 });
  assert.is(status, 0, stdout + stderr);
  return [...stderr.matchAll(/^\[#\] conntrack -D .*--orig-port-src (\d+)/gm)].map(([, port]) => port as string).sort();
}

const lines = suite<Scene>('two lines');
lines.before(async (context) => void Object.assign(context, await openScene({ ruleset: 'stock-alg-absent' })));
lines.after(({ lab }) => lab.close());

lines('a phone stays on the line it began on until it is wished otherwise', async ({ lab, seenFrom }) => {
  lab.files.write('/etc/config/sipalg', wish(0));
  assert.is(await seenFrom(5060), ADDRESS.wan);
  await dead(lab);
  assert.is(await seenFrom(5060), '', 'on a line that is dead, however often it tries');
  assert.equal(await apply(lab), []);
  assert.is(await seenFrom(5060), '');
  assert.not.ok((await codes(lab)).includes('flow-elsewhere'));
  assert.is(lab.files.exists('/var/run/sipalg.line'), false);
});

lines('where it is wished, SIP follows the main line there and back, and SIP alone', async ({ lab, seenFrom }) => {
  lab.files.write('/etc/config/sipalg', wish(1));
  assert.equal(await apply(lab), ['5060']);
  assert.is(await seenFrom(5060), OTHER);
  assert.is(await seenFrom(5062), OTHER);
  assert.is(await seenFrom(4000, 4000), OTHER, 'audio');
  assert.equal(await apply(lab), []);
  await alive(lab);
  assert.is(await seenFrom(5060), OTHER, 'the line is back, and the phone is where it was');
  const finding = (await report(lab)).verdict.findings.find(({ code }) => code === 'flow-elsewhere');
  assert.match(finding?.text ?? '', '2 SIP flows of phones still go over another line than wan');
  assert.match(finding?.evidence.join('\n') ?? '', `udp ${ADDRESS.phone}:5060 -> ${REGISTRAR}:5060, over lte`);
  assert.equal(await apply(lab), ['5060', '5062']);
  assert.is(await seenFrom(5060), ADDRESS.wan);
  assert.is(await seenFrom(5062), ADDRESS.wan);
  assert.is(await seenFrom(4000, 4000), OTHER, 'what is no SIP stays: a call goes on');
  assert.equal(await apply(lab), []);
  assert.not.ok((await codes(lab)).includes('flow-elsewhere'));
  assert.is(lab.files.exists('/etc/sipalg.journal'), false, 'a flow needs no journal');
});

lines(
  'where a rule of the owner sends a phone over the other line, it is ended once for each change, and not again',
  async ({ lab, seenFrom }) => {
    assert.is(await seenFrom(5064), OTHER);
    assert.equal(await apply(lab), []);
    assert.not.ok((await codes(lab)).includes('flow-elsewhere'));
    await dead(lab);
    assert.equal(
      (await apply(lab)).filter((port) => port === '5064'),
      [],
    );
    assert.is(lab.files.read('/var/run/sipalg.line'), 'lte\n');
    await alive(lab);
    assert.equal(
      (await apply(lab)).filter((port) => port === '5064'),
      ['5064'],
    );
    assert.is(lab.files.read('/var/run/sipalg.line'), 'wan\n');
    assert.is(await seenFrom(5064), OTHER, 'its owner has it there');
    assert.equal(await apply(lab), []);
  },
);

lines('by routes alone the kernel itself forgets what leaves by another device', async ({ lab, seenFrom }) => {
  await lab.router.must(['sh', '-ec', 'iptables-legacy -t mangle -F steer; rm -r /var/run/mwan3']);
  assert.is(await seenFrom(5066), ADDRESS.wan);
  await lab.router.must(['ip', 'route', 'del', 'default', 'dev', 'wan']);
  assert.is(await seenFrom(5066), '', 'the packet and its flow');
  assert.is(await seenFrom(5066), OTHER);
  await lab.router.must(['sh', '-ec', routes('wan')]);
  assert.is(await seenFrom(5066), '');
  assert.is(await seenFrom(5066), ADDRESS.wan);
});

lines('without conntrack it is said that it cannot be seen', async ({ lab }) => {
  lab.files.remove('/usr/sbin/conntrack');
  assert.ok((await codes(lab)).includes('lines-unseen'));
  assert.equal(await apply(lab), []);
});

lines.run();

const fw3 = suite<Scene>('two lines, fw3');
fw3.before(async (context) => void Object.assign(context, await openScene({ fw3: 'auto-helper-off' })));
fw3.after(({ lab }) => lab.close());

fw3('the phone comes back there too', async ({ lab, seenFrom }) => {
  lab.files.write('/etc/config/sipalg', wish(1));
  assert.is(await seenFrom(5060), ADDRESS.wan);
  await dead(lab);
  assert.equal(await apply(lab), ['5060']);
  assert.is(await seenFrom(5060), OTHER);
  await alive(lab);
  assert.equal(await apply(lab), ['5060']);
  assert.is(await seenFrom(5060), ADDRESS.wan);
  assert.equal(await apply(lab), []);
});

fw3.run();
