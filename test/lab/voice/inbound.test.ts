/** Calls let in to a PBX, as packets: the provider's and nobody else's, and only as long as it is wished. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lab, LabOptions } from '../lab.ts';
import { openLab } from '../lab.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';

const STRANGER = '203.0.113.66';
const STRANGER6 = '2001:db8:113::66';

const wish = (inbound: 0 | 1, from: readonly string[] = [ADDRESS.provider, ADDRESS6.provider]): string => `config sipalg 'main'
	option alg 'unmanaged'
	option policy '1'

config limit 'limit'
	option enabled '0'

config provider 'lab'
${from.map((network) => `\tlist signalling '${network}'\n`).join('')}	option inbound '${inbound}'
	list pbx '${ADDRESS.phone}'
	list pbx '${ADDRESS6.phone}'
	option media_ports '10000-10100'
`;

let ports = 20_000;

/** Whether a datagram from an address of the internet reaches the PBX. Each is a flow of its own. */
async function reaches(lab: Lab, from: string, port: number): Promise<boolean> {
  const six = from.includes(':');
  const [far, near] = await Promise.all([lab.talker('provider'), lab.talker('phone')]);
  const there = await near.udp(six ? ADDRESS6.phone : ADDRESS.phone, port);
  const here = await far.udp(from, ports++);
  try {
    await here.send(Buffer.from('INVITE sip:pbx SIP/2.0\r\n\r\n'), { address: six ? ADDRESS6.phone : ADDRESS.wan, port });
    return (await there.next(400)) !== undefined;
  } finally {
    await Promise.all([here.close(), there.close()]);
  }
}

async function apply(lab: Lab, config: string): Promise<void> {
  lab.files.write('/etc/config/sipalg', config);
  const ran = await lab.router.run(['sipalg', 'apply'], { timeout: 60_000 });
  assert.is(ran.status, 0, ran.stdout + ran.stderr);
  assert.match((await lab.router.run(['sipalg', 'apply'], { timeout: 60_000 })).stdout, /nothing to do/);
}

/** Who of provider and strangers gets through, in both families, to the ports of calls, of audio and another one. */
async function through(lab: Lab): Promise<string[]> {
  const open: string[] = [];
  for (const from of [ADDRESS.provider, ADDRESS6.provider, STRANGER, STRANGER6]) {
    for (const port of [5060, 10050, 5070]) if (await reaches(lab, from, port)) open.push(`${from} ${port}`);
  }
  return open;
}

const PROVIDER = [ADDRESS.provider, ADDRESS6.provider].flatMap((from) => [`${from} 5060`, `${from} 10050`]);

/** A router by its firewall: a rule that sends calls elsewhere, put in front by nobody's configuration, and how it is named. */
const FIREWALLS: readonly { firewall: string; options: LabOptions; rule: string; shown: RegExp }[] = [
  {
    firewall: 'fw4',
    options: { ruleset: 'stock-alg-absent' },
    rule: `nft insert rule inet fw4 dstnat_wan udp dport 5060 dnat ip to ${ADDRESS.phone2}`,
    shown: /the rule in force: .*udp dport 5060 .*dnat ip to/,
  },
  {
    firewall: 'fw3',
    options: { fw3: 'stock-21.02' },
    rule: `iptables -t nat -I zone_wan_prerouting -p udp --dport 5060 -j DNAT --to-destination ${ADDRESS.phone2}`,
    shown: /the rule in force: .*--dport 5060 .*--to-destination/,
  },
];

for (const { firewall, options, rule, shown } of FIREWALLS) {
  const test = suite<{ lab: Lab }>(`policy/inbound, as packets, ${firewall}`);
  test.before(async (context) => {
    const lab = (context.lab = await openLab(options));
    await lab.provider.must(['ip', 'addr', 'add', `${STRANGER}/24`, 'dev', 'eth0']);
    await lab.provider.must(['ip', 'addr', 'add', `${STRANGER6}/64`, 'dev', 'eth0', 'nodad']);
  });
  test.after(({ lab }) => lab.close());

  test('the provider reaches the PBX, and nobody else ever does', async ({ lab }) => {
    const before = lab.files.read('/etc/config/firewall');
    assert.equal(await through(lab), []);
    await apply(lab, wish(0));
    assert.equal(await through(lab), []);
    await apply(lab, wish(1));
    assert.equal(await through(lab), PROVIDER);
    // A reload of the firewall by somebody else.
    await lab.router.must([firewall, 'reload']);
    assert.equal(await through(lab), PROVIDER);
    // The provider moves: nobody at the old address gets in any more, though a reload alone would have let him.
    await apply(lab, wish(1, ['198.51.100.0/24', '2001:db8:99::/48']));
    assert.equal(await through(lab), []);
    await apply(lab, wish(1));
    assert.equal(await through(lab), PROVIDER);
    await apply(lab, wish(0));
    assert.equal(await through(lab), []);
    lab.files.write('/etc/config/sipalg', wish(0).replace("policy '1'", "policy '0'"));
    await lab.router.must(['sipalg', 'apply'], { timeout: 60_000 });
    assert.is(lab.files.read('/etc/config/firewall'), before);
    assert.equal(
      lab.files.list('/etc').filter((name) => name.startsWith('sipalg.')),
      [],
    );
  });

  test("a forward of the owner's that stands in front has the calls, and that is said; behind ours it has none", async ({ lab }) => {
    const before = lab.files.read('/etc/config/firewall');
    const forward = `
config redirect 'mine'
	option name 'Mine'
	option src 'wan'
	option dest 'lan'
	option proto 'udp'
	option src_dport '5060'
	option dest_ip '${ADDRESS.phone2}'
	option target 'DNAT'
`;
    const policy = async (): Promise<string> => (await lab.router.run(['sipalg', 'policy'], { timeout: 60_000 })).stdout.replace(/\s+/g, ' ');
    lab.files.write('/etc/config/firewall', before + forward);
    await lab.router.must([firewall, 'reload']);
    await apply(lab, wish(1));
    assert.equal([await reaches(lab, ADDRESS.provider, 5060), await reaches(lab, ADDRESS.provider, 10050)], [false, true]);
    const said = await policy();
    assert.match(said, `has UDP port 5060 first and sends them to ${ADDRESS.phone2}`);
    assert.match(said, `is to open calls to ${ADDRESS.phone}, but something else has them first`);
    assert.match(said, /firewall\.mine \(Mine\), line \d+ of \/etc\/config\/firewall/);
    assert.not.match(said, 'the rule in force', 'it is named once');
    // The same rule put there by nobody's configuration.
    lab.files.write('/etc/config/firewall', lab.files.read('/etc/config/firewall').replace(forward, ''));
    await lab.router.must([firewall, 'reload']);
    assert.not.match(await policy(), 'something else has them first');
    await lab.router.must(rule.split(' '));
    assert.match(await policy(), shown);
    assert.is(await reaches(lab, ADDRESS.provider, 5060), false);
    // Behind ours it is for everybody else.
    lab.files.write('/etc/config/firewall', lab.files.read('/etc/config/firewall') + forward);
    await lab.router.must([firewall, 'reload']);
    assert.not.match(await policy(), 'something else has them first');
    assert.is(await reaches(lab, ADDRESS.provider, 5060), true);
  });

  test.run();
}
