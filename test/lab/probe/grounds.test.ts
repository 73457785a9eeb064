/** `sipalg probe` on routers that are not like the others: other networks, other ways out, and what may be missing. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProbeDocument as ProbeReport } from '../../../src/probe/report.ts';
import { openLab, type Lab, type LabOptions } from '../lab.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';

const grounds = suite('sipalg probe, on other routers');

async function inLab(options: LabOptions, act: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab({ engine: 'quickjs', ...options });
  try {
    await act(lab);
  } finally {
    await lab.close();
  }
}

async function probed(lab: Lab, words: string[] = [], env: Record<string, string> = {}): Promise<ProbeReport & { status: number | null }> {
  const { status, stdout, stderr } = await lab.router.run(['sipalg', 'probe', '--json', ...words], { timeout: 60_000, env });
  assert.is(stderr, '');
  assert.not.match(
    await lab.router.must(['sh', '-c', 'nft list tables; ip -o link; ip rule; ip route show table all; ip neigh; conntrack -L 2>&1']),
    /sip[ab_]|sipalg|198\.19\.|192\.0\.2\./,
  );
  return { ...(JSON.parse(stdout) as ProbeReport), status };
}

grounds('takes an address from outside of a LAN that has none free, and says what that does not prove', () =>
  inLab({}, async (lab) => {
    const all = Array.from({ length: 254 }, (_, index) => `1 02:00:00:00:00:${(index + 1).toString(16)} 192.168.1.${index + 1} * *\n`);
    lab.files.write('/tmp/dhcp.leases', all.join(''));
    const { verdict, because, way, remarks, phones } = await probed(lab);
    assert.equal([verdict, because, way], ['rewritten here', null, 'address outside the LAN']);
    assert.match(remarks.join(' '), /No address of 192\.168\.1\.1\/24 is free/);
    assert.match(phones[0]!, /^198\.19\./);
  }),
);

grounds('leaves addresses alone that somebody has: neighbours, leases, fixed leases, flows, the pool of DHCP', () =>
  inLab({}, async (lab) => {
    lab.files.write('/tmp/dhcp.leases', '1 02:00:00:00:00:01 192.168.1.254 * *\n');
    lab.files.write(
      '/etc/config/dhcp',
      "config host\n\toption ip '192.168.1.253'\n\nconfig dhcp 'lan'\n\toption start '200'\n\toption limit '51'\n",
    );
    await lab.router.must(['ip', 'neigh', 'replace', '192.168.1.252', 'dev', 'br-lan', 'lladdr', '02:00:00:00:00:02', 'nud', 'stale']);
    const { phones } = await probed(lab);
    assert.equal(phones, ['192.168.1.251', '192.168.1.199']);
  }),
);

/** The bridge and its ports give way to one device of the same name, to which the phone is connected. */
const PLAIN = `ip link set lan1 nomaster; ip link set lan2 nomaster; ip link del br-lan; ip link set lan1 name br-lan
ip addr add 192.168.1.1/24 dev br-lan; ip -6 addr add 2001:db8:1::1/64 dev br-lan nodad; ip link set br-lan up; :`;

grounds('tests a LAN that is no bridge, by frames that its device receives, and lets none of them out by it', () =>
  inLab({}, async (lab) => {
    await lab.router.must(['sh', '-ec', PLAIN]);
    const dump = lab.phone.spawn(['tcpdump', '-i', 'eth0', '-n', '-e', '-l', '--immediate-mode', '-Z', 'root', 'ip or arp or ip6']);
    let said = '';
    await new Promise<void>((resolve) => {
      dump.child.stderr.on('data', (data: Buffer) => {
        if (String(data).includes('listening on')) resolve();
      });
      dump.child.stdout.on('data', (data: Buffer) => {
        said += data;
      });
    });
    await lab.router.must(['ip', '-6', 'route', 'add', 'default', 'via', ADDRESS6.provider, 'dev', 'wan']);
    // What comes in at the LAN from addresses that are elsewhere is refused, but for what a test sends back.
    await lab.router.must(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter']);
    const on = await probed(lab);
    assert.equal([on.verdict, on.way, on.lan, on.leftOver], ['rewritten here', 'phone', 'br-lan', []], on.because ?? '');
    assert.equal(on.parts, ['main', 'IPv6']);
    assert.equal(
      on.messages.filter(({ toProvider, part }) => !toProvider && part === 'main').map(({ fate }) => fate),
      ['unchanged', 'rewritten', 'rewritten', 'rewritten', 'unchanged', 'rewritten'],
    );
    await lab.router.must(['nft', 'flush', 'chain', 'inet', 'fw4', 'helper_lan']);
    assert.is((await probed(lab)).verdict, 'unchanged');
    // What the phone sees last, so that all before it has been seen.
    await lab.router.must(['busybox', 'ping', '-c', '1', '-W', '2', ADDRESS.phone]);
    for (let wait = 0; wait < 200 && !/ICMP echo request/.test(said); wait++) await new Promise((resolve) => setTimeout(resolve, 50));
    dump.signal('SIGINT');
    await dump.ended;
    assert.match(said, /ICMP echo request/);
    assert.not.match(said, /51:be|192\.0\.2\.|2001:db8::33|198\.19\./);
  }),
);

grounds('names what is lacking for a LAN that is no bridge: a kernel with macvlan, an `ip` of more than busybox, a cable', () =>
  inLab({}, async (lab) => {
    await lab.router.must(['sh', '-ec', PLAIN]);
    lab.files.write('/usr/bin/apk', '#!/bin/sh\n', 0o755);
    const env = { PATH: '/tmp/wrap:/usr/sbin:/usr/bin:/sbin:/bin' };
    const wrap = (text: string): void => lab.files.write('/tmp/wrap/ip', `#!/bin/sh\n${text}\nexec /usr/sbin/ip "$@"\n`, 0o755);
    wrap(`case "$*" in *macvlan*) echo 'Error: Unknown device type.' >&2; exit 2 ;; esac`);
    assert.match((await probed(lab, [], env)).because!, /`apk add kmod-macvlan`/);
    // As busybox does it: what follows the type is not heard.
    wrap(`case "$*" in *'macvlan mode bridge') exec /usr/sbin/ip link add link "$4" name "$6" type macvlan ;; esac`);
    assert.match((await probed(lab, [], env)).because!, /`apk add ip-full`/);
    await lab.phone.must(['ip', 'link', 'set', 'eth0', 'down']);
    assert.match((await probed(lab)).because!, /nothing is connected to br-lan/);
  }),
);

grounds('tests a guest network by name, which no rule puts under the ALG', () =>
  inLab({}, async (lab) => {
    await lab.router.must([
      'sh',
      '-ec',
      'ip link add br-guest type bridge; ip addr add 192.168.7.1/24 dev br-guest; ip link add guest1 type veth peer name guest2; ip link set guest1 master br-guest; ' +
        'for one in guest1 guest2 br-guest; do ip link set $one up; done; nft insert rule inet fw4 forward iifname br-guest accept',
    ]);
    const guest = await probed(lab, ['--lan', 'br-guest']);
    assert.equal([guest.verdict, guest.lan, guest.status], ['unchanged', 'br-guest', 0], guest.because ?? '');
    assert.ok(guest.phones.every((one) => one.startsWith('192.168.7.')));
    const lan = await probed(lab);
    assert.is(lan.verdict, 'rewritten here');
    assert.match(lan.untested.join(' '), /Other networks behind this router were not tested: br-guest /);
    // Where answers would be refused, and no rule of ours can be made.
    lab.files.write('/tmp/wrap/ip', '#!/bin/sh\n[ "$1 $2" != "rule add" ] || exit 1\nexec /usr/sbin/ip "$@"\n', 0o755);
    await lab.router.must(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/br-lan/rp_filter']);
    const strict = await probed(lab, [], { PATH: '/tmp/wrap:/usr/sbin:/usr/bin:/sbin:/bin' });
    assert.equal([strict.verdict, strict.messages.filter(({ fate }) => fate === 'not tried').length], ['rewritten here', 6]);
    assert.match(strict.remarks.join(' '), /rp_filter of br-lan is 1/);
    const wrong = await probed(lab, ['--lan', 'br-nobody']);
    assert.match(wrong.because!, /"br-nobody" is no device of a network behind this router.*br-guest/);
  }),
);

grounds('proves nothing where not even the control comes out, and does not call that dropped', () =>
  inLab({}, async (lab) => {
    // The next hop does not answer for its address.
    await lab.provider.must(['ip', 'link', 'set', 'eth0', 'arp', 'off']);
    await lab.router.run(['ip', 'neigh', 'flush', 'dev', 'wan']);
    const { verdict, because, status, messages } = await probed(lab);
    assert.equal([verdict, status], ['inconclusive', 2]);
    assert.match(because!, /nothing of the test came out towards the internet, the control included/);
    assert.ok(messages.every(({ fate }) => fate === 'dropped'));
  }),
);

grounds('tells dropped where nothing is translated: the ALG rewrites nothing there, and drops', () =>
  inLab({}, async (lab) => {
    await lab.router.must(['nft', 'flush', 'chain', 'inet', 'fw4', 'srcnat_wan']);
    const { verdict, translated, status, messages, expectations } = await probed(lab);
    assert.equal([verdict, translated, status], ['dropped here', false, 1]);
    const lost = messages.filter(({ fate }) => fate !== 'unchanged').map(({ name, fate }) => [name, fate]);
    assert.ok(lost.some(([name, fate]) => name === 'INVITE with port 9' && fate === 'dropped'));
    assert.ok(lost.every(([, fate]) => fate === 'dropped'));
    assert.ok(expectations.length > 0, 'it follows the calls all the same');
  }),
);

for (const [name, package_, wrapped, words] of [
  ['veth', 'kmod-veth', 'ip', '"$1 $2" = "link add"'],
  ['netdev tables', 'kmod-nft-netdev', 'nft', '"$1" = "-f"'],
] as const) {
  grounds(`names the package and the command where the kernel lacks ${name}`, () =>
    inLab({}, async (lab) => {
      const said =
        wrapped === 'ip' ? 'Error: Unknown device type.' : '/dev/stdin:1:1-2: Error: Could not process rule: Operation not supported';
      lab.files.write(
        '/tmp/wrap/' + wrapped,
        `#!/bin/sh\nif [ ${words} ]; then echo '${said}' >&2; exit 2; fi\nexec /usr/sbin/${wrapped} "$@"\n`,
        0o755,
      );
      const env = { PATH: '/tmp/wrap:/usr/sbin:/usr/bin:/sbin:/bin' };
      for (const [manager, command] of [
        ['/bin/opkg', `opkg update && opkg install ${package_}`],
        ['/usr/bin/apk', `apk add ${package_}`],
      ] as const) {
        lab.files.write(manager, '#!/bin/sh\n', 0o755);
        const { because, status } = await probed(lab, [], env);
        assert.is(status, 2);
        assert.ok(because!.includes(`\`${command}\``), because!);
      }
    }),
  );
}

/** As fw4 has it where these devices are of the zone wan. */
const OF_ZONE = (devices: string): string =>
  `nft list table inet fw4 | sed 's/ifname "wan"/ifname { ${devices} }/' >/tmp/zone; { echo delete table inet fw4; cat /tmp/zone; } | nft -f -`;

for (const [device, addresses, kind, translates, remark] of [
  ['pppoe-wan', ['203.0.113.77/32'], 'PPP', true, null],
  ['ds-wan', ['192.0.0.2/29'], 'tunnel', false, /^The line is DS-Lite or 464XLAT: addresses are translated at the provider/],
  ['wg-out', ['10.9.0.2/32'], 'tunnel', true, /^The router has a private address towards the internet/],
] as const) {
  grounds(`tests a way without Ethernet: ${device}`, () =>
    inLab({}, async (lab) => {
      await lab.router.must([
        'sh',
        '-ec',
        `ip tuntap add ${device} mode tun; ${addresses.map((one) => `ip addr add ${one} dev ${device}`).join('; ')}
         ip link set ${device} mtu 1492 up; ip route replace default dev ${device}; ip -6 route add default dev ${device}
         ${OF_ZONE(`"wan", "${device}"`)}
         ${translates ? ':' : 'nft flush chain inet fw4 srcnat_wan'}`,
      ]);
      const { verdict, left, wan, translated, remarks, parts, messages, because } = await probed(lab);
      assert.equal(
        [verdict, left, wan?.kind, wan?.mtu, translated, parts],
        [translates ? 'rewritten here' : 'dropped here', device, kind, 1492, translates, ['main', 'IPv6']],
        because ?? '',
      );
      assert.is(messages.find(({ name }) => name === 'large OPTIONS')!.length, 1464);
      if (remark === null) assert.equal(remarks, []);
      else assert.match(remarks.join('|'), remark);
    }),
  );
}

/** A mark for each flow, kept with it, and tables by mark; SIP by the second line. Pings that would leave are counted. */
const STEERED = `
  ip route add default via ${ADDRESS.provider} dev wan table 1; ip route add default via 198.51.100.1 dev wanb table 2
  for n in 1 2; do ip route add 192.168.1.0/24 dev br-lan table $n; ip rule add fwmark $((n * 256))/0x3f00 lookup $n priority $((2000 + n)); done
  m="iptables-legacy -t mangle"; new="-m mark --mark 0/0x3f00"
  $m -N steer; $m -A PREROUTING -j steer; $m -A OUTPUT -j steer
  $m -A steer -j CONNMARK --restore-mark --nfmask 0x3f00 --ctmask 0x3f00
  $m -A steer -d 192.168.1.0/24 $new -j MARK --set-xmark 0x3f00/0x3f00; $m -A steer -d ${ADDRESS.wan} $new -j MARK --set-xmark 0x3f00/0x3f00
  $m -A steer $new -p udp --dport 5060 -j MARK --set-xmark 0x200/0x3f00; $m -A steer $new -j MARK --set-xmark 0x100/0x3f00
  $m -A steer -j CONNMARK --save-mark --nfmask 0x3f00 --ctmask 0x3f00
  nft 'add table inet own; add chain inet own pings { type filter hook postrouting priority 0; }; add rule inet own pings oifname { wan, wanb } ip protocol icmp counter'
`;

grounds('tests each of several ways to the internet, and names the one that calls take', () =>
  inLab({}, async (lab) => {
    await lab.router.must([
      'sh',
      '-ec',
      `ip link add wanb type veth peer name farb; ip addr add 198.51.100.2/24 dev wanb; ip link set farb up; ip link set wanb up
       ip neigh add 198.51.100.1 dev wanb lladdr 02:00:00:00:00:09 nud permanent; ip route add default via 198.51.100.1 dev wanb metric 50
       ${OF_ZONE('"wan", "wanb", "pppoe-down"')}`,
    ]);
    const both = await probed(lab);
    // One that is of the zone, and down: kernels up to 6.12 refuse a chain at what is not there.
    assert.equal(both.wans, ['wan', 'wanb']);
    assert.equal([both.verdict, both.left, both.parts], ['rewritten here', 'wan', ['main', 'by wanb']], both.because ?? '');
    assert.equal(
      both.messages.filter(({ part }) => part === 'by wanb').map(({ name, fate, device }) => [name, fate, device]),
      [
        ['OPTIONS by wanb', 'rewritten', 'wanb'],
        ['INVITE by wanb', 'rewritten', 'wanb'],
        ['control by wanb', 'unchanged', 'wanb'],
      ],
    );
    assert.ok(both.messages.filter(({ part, toProvider }) => part === 'main' && toProvider).every(({ device }) => device !== 'wanb'));
    // Tables of the owner's own take all of the LAN's by one way: the other one is tested all the same, and no answer is turned back.
    await lab.router.must([
      'sh',
      '-ec',
      'ip route add default via 198.51.100.1 dev wanb table 7; ip rule add iif br-lan lookup 7 priority 700',
    ]);
    const one = await probed(lab);
    assert.equal([one.verdict, one.left, one.parts], ['rewritten here', 'wanb', ['main', 'by wan', 'by wanb']], one.because ?? '');
    assert.ok(one.messages.some(({ toProvider, part, fate }) => part === 'main' && !toProvider && fate === 'rewritten'));
    await lab.router.must(['ip', 'rule', 'del', 'priority', '700']);

    // As mwan3 steers: by marks of each flow, what the router itself sends among them. Calls go by one way, the rest by the other.
    await lab.router.must(['sh', '-ec', STEERED]);
    await lab.router.must(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/br-lan/rp_filter']);
    const pings = (): Promise<string> => lab.router.must(['nft', 'list', 'chain', 'inet', 'own', 'pings']);
    const steered = await probed(lab);
    assert.equal([steered.verdict, steered.parts], ['rewritten here', ['main', 'by wan', 'by wanb']], steered.because ?? '');
    assert.match(steered.remarks.join(' '), /spread over wan, wanb/);
    const out = steered.messages.filter(({ toProvider, part, seen }) => toProvider && part === 'main' && seen !== null);
    assert.ok(out.every(({ control, device }) => device === (control ? 'wan' : 'wanb')));
    assert.equal(
      steered.messages.filter(({ toProvider, part }) => !toProvider && part === 'main').map(({ fate }) => fate),
      ['unchanged', 'rewritten', 'rewritten', 'rewritten', 'unchanged', 'rewritten'],
    );
    assert.match(await pings(), /counter packets 0 /);

    // Nobody answers there: what went that way is no drop, and of what no rule steers there is none.
    await lab.router.must(['sh', '-ec', 'ip neigh del 198.51.100.1 dev wanb; nft flush chain inet fw4 helper_lan']);
    const half = await probed(lab);
    assert.equal([half.verdict, half.status], ['inconclusive', 2]);
    assert.match(half.because!, /nothing to a port of SIP came out/);
    assert.match(half.untested.join(' '), /What goes by wanb could not be tested/);
  }),
);

grounds('verifies what disable and enable have reached', () =>
  inLab({}, async (lab) => {
    const off = await lab.router.run(['sipalg', 'disable', '--probe'], { timeout: 60_000 });
    assert.match(off.stdout.replace(/\s+/g, ' '), /This router passes SIP unchanged: 18 messages of a test phone arrived byte for byte as sent\./);
    const plain = await lab.router.run(['sipalg', 'status'], { timeout: 60_000 });
    assert.is(off.status, plain.status);
    const on = await lab.router.run(['sipalg', 'enable', '--probe'], { timeout: 60_000 });
    assert.match(on.stdout, /This router rewrites SIP: 12 of 18/);
    assert.is(on.status, 0);
    assert.is(
      (await lab.send(Buffer.from('x'), { from: 'phone', to: 'provider', destinationPort: 5080 })).arrivedFrom?.address,
      ADDRESS.wan,
    );
  }),
);

grounds.run();
