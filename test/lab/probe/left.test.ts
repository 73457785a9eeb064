/** `sipalg probe` is noticed by nobody, and nothing of it is left: whatever happens while it runs. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProbeDocument as ProbeReport } from '../../../src/probe/report.ts';
import { openLab, type Lab, type LabOptions } from '../lab.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';

const left = suite('what sipalg probe leaves');

async function inLab(options: LabOptions, act: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab(options);
  try {
    const mac = (await lab.provider.must(['cat', '/sys/class/net/eth0/address'])).trim();
    await lab.router.must(['ip', 'neigh', 'replace', ADDRESS.provider, 'dev', 'wan', 'lladdr', mac, 'nud', 'permanent']);
    // Phones that look for routers of IPv6 are counted by the firewall whenever it pleases them.
    const quiet = 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6';
    for (const one of [lab.phone, lab.phone2, lab.provider, lab.router]) await one.must(['sh', '-c', quiet]);
    await act(lab);
  } finally {
    await lab.close();
  }
}

/** SIP over TCP under the helper, IPv6 to the internet, a second line (of no zone, so nothing goes by it), rules of routing that steer, and a strict rp_filter at the LAN. */
async function everything(lab: Lab): Promise<void> {
  const mac = (await lab.provider.must(['cat', '/sys/class/net/eth0/address'])).trim();
  await lab.router.must([
    'sh',
    '-ec',
    `for one in all br-lan wan; do echo 0 > /proc/sys/net/ipv6/conf/$one/disable_ipv6; echo 0 > /proc/sys/net/ipv6/conf/$one/router_solicitations; done
     ip -6 addr replace ${ADDRESS6.router}/64 dev br-lan nodad; ip -6 addr replace ${ADDRESS6.wan}/64 dev wan nodad
     ip -6 neigh replace ${ADDRESS6.provider} dev wan lladdr ${mac} nud permanent; ip -6 route replace default via ${ADDRESS6.provider} dev wan
     ip link add wanb type veth peer name farb; echo 1 > /proc/sys/net/ipv6/conf/wanb/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/farb/disable_ipv6
     ip addr add 198.51.100.2/24 dev wanb; ip link set farb up; ip link set wanb up
     ip neigh replace 198.51.100.1 dev wanb lladdr 02:00:00:00:00:09 nud permanent; ip route add default via 198.51.100.1 dev wanb metric 50
     ip rule add fwmark 0x200/0x3f00 lookup 2 priority 2002; echo 1 > /proc/sys/net/ipv4/conf/br-lan/rp_filter
     nft 'add table inet own; add ct helper inet own siptcp { type "sip" protocol tcp; }; add chain inet own in { type filter hook prerouting priority -100; }; add rule inet own in tcp dport 5060 ct helper set "siptcp"'`,
  ]);
}

/** The same without its bridge: its device is that of the cable to the phone, so that a test sets two of its own on it. */
const unbridged = (lab: Lab): Promise<string> =>
  lab.router.must([
    'sh',
    '-ec',
    'ip link set lan1 nomaster; ip link set lan2 nomaster; ip link del br-lan; ip link set lan1 name br-lan; ip addr add 192.168.1.1/24 dev br-lan; ip link set br-lan up',
  ]);

/** What an owner could see of a router. Counts are of rules: those that forwarding itself hits are left out by name. */
async function seen(lab: Lab): Promise<string[]> {
  const { router } = lab;
  // A router that speaks IPv6 counts what it says by itself.
  const isSix = (await router.must(['ip', '-6', 'addr', 'show', 'dev', 'wan'])) !== '';
  const rules = (await router.must(['nft', '-a', 'list', 'ruleset']))
    .split('\n')
    .map((line) =>
      isSix || /accept wan IPv4\/IPv6 traffic/.test(line) ? line.replace(/counter packets \d+ bytes \d+/, 'counter') : line,
    );
  // Without what counts down.
  const both = ['conntrack -L', ...(isSix ? ['conntrack -L -f ipv6'] : [])].join('; ');
  const flows = (await router.must(['sh', '-c', `${both} 2>/dev/null`])).replace(/^(\w+ +\d+) \d+/gm, '$1');
  const all: Record<string, string | readonly string[]> = {
    rules,
    flows: flows.split('\n').sort(),
    expectations: await router.must(['sh', '-c', "sed 's/^[-0-9]*//' /proc/net/nf_conntrack_expect"]),
    links: await router.must(['sh', '-c', 'ip -o link | cut -d" " -f2- | sort']),
    addresses: await router.must(['ip', '-o', 'addr']),
    routes: await router.must(['ip', '-4', 'route', 'show', 'table', 'all']),
    steering: await router.must(['ip', 'rule']),
    neighbours: (await router.must(['sh', '-c', `ip -4 neigh; ${isSix ? 'ip -6 neigh show dev br-lan | grep -v ^fe80; ' : ''}:`])).replace(/ (STALE|REACHABLE|DELAY|PROBE)/g, ''),
    bridge: await router.must(['sh', '-c', 'cat /sys/class/net/br-lan/address /sys/class/net/br-lan/mtu; ls /sys/class/net/br-lan/brif 2>/dev/null || :']),
    files: lab.files.list('/var/run').filter((name) => name !== 'sipalg.probe.lock' && name !== 'sipalg.probed.router'),
    temporary: lab.files.list('/tmp'),
    processes: (await router.must(['sh', '-c', 'cat /proc/[0-9]*/comm 2>/dev/null || :']))
      .split('\n')
      .filter((name) => name === 'ping' || name === 'busybox'),
  };
  return Object.entries(all).flatMap(([what, value]) =>
    (typeof value === 'string' ? value.split('\n') : value).map((line) => `${what}: ${line}`),
  );
}

/** Nothing is more and nothing is less. */
async function same(lab: Lab, before: readonly string[], when = ''): Promise<void> {
  const after = await seen(lab);
  const without = (one: readonly string[], other: readonly string[]): string[] => one.filter((line) => !other.includes(line));
  assert.equal({ gone: without(before, after), new: without(after, before) }, { gone: [], new: [] }, when);
}

async function probed(lab: Lab): Promise<ProbeReport & { status: number | null; stderr: string }> {
  const { status, stdout, stderr } = await lab.router.run(['sipalg', 'probe', '--json'], { timeout: 60_000 });
  return { ...(JSON.parse(stdout) as ProbeReport), status, stderr };
}

/** A call and a registration that are up. */
async function busy(lab: Lab): Promise<void> {
  await lab.sendInvite({ from: 'phone', to: 'provider' });
  await lab.sendSip('register', { from: 'phone2', to: 'provider' });
}

left('is nothing: rules and their counts, flows and holes of phones, devices, neighbours, routes and files are what they were', () =>
  inLab({}, async (lab) => {
    await busy(lab);
    const before = await seen(lab);
    const ends = [lab.provider, lab.phone];
    const dumps = ends.map((end) =>
      end.spawn(['tcpdump', '-i', 'eth0', '-n', '-l', '--immediate-mode', '-s', '200', '-Z', 'root', 'ip or arp']),
    );
    const said = dumps.map(() => '');
    await Promise.all(
      dumps.map(
        ({ child }, index) =>
          new Promise<void>((resolve) => {
            child.stderr.on('data', (data: Buffer) => {
              if (String(data).includes('listening on')) resolve();
            });
            child.stdout.on('data', (data: Buffer) => {
              said[index] = `${said[index]}${data}`;
            });
          }),
      ),
    );
    const macs = new Set<string>();
    const looking = setInterval(
      () => void lab.router.run(['cat', '/sys/class/net/br-lan/address']).then(({ stdout }) => macs.add(stdout)),
      20,
    );
    const { verdict, leftOver } = await probed(lab);
    clearInterval(looking);
    assert.equal([verdict, leftOver], ['rewritten here', []]);
    await same(lab, before);
    assert.is(macs.size, 1, 'the bridge kept its address all the while');
    // A message of each end, so that the captures are known to have seen all that came before.
    await busy(lab);
    for (const [index, dump] of dumps.entries()) {
      for (let wait = 0; wait < 200 && !/5060/.test(said[index] ?? ''); wait++) await new Promise((resolve) => setTimeout(resolve, 50));
      dump.signal('SIGINT');
      await dump.ended;
      assert.match(said[index]!, /5060/);
      assert.not.match(said[index]!, /192\.0\.2\.33|198\.19\.|192\.168\.1\.25[34]|51:be/);
    }
  }),
);

left('is nothing where two run at once: one waits for the other, and both tell the same', () =>
  inLab({}, async (lab) => {
    const before = await seen(lab);
    const both = await Promise.all([probed(lab), probed(lab)]);
    assert.equal(
      both.map(({ verdict, status }) => [verdict, status]),
      [
        ['rewritten here', 1],
        ['rewritten here', 1],
      ],
    );
    await same(lab, before);
  }),
);

left('is nothing where the firewall is loaded again and again meanwhile, nor does that change what it tells', () =>
  inLab({}, async (lab) => {
    await everything(lab);
    let going = true;
    const reloading = (async () => {
      while (going) await lab.router.must(['fw4', 'reload']);
    })();
    const { verdict, leftOver, parts } = await probed(lab);
    // And at a LAN that is no bridge.
    await unbridged(lab);
    const plain = await probed(lab);
    going = false;
    await reloading;
    assert.equal([verdict, leftOver, parts], ['rewritten here', [], ['main', 'by wan', 'IPv6', 'TCP']]);
    assert.equal([plain.verdict, plain.leftOver, plain.parts], ['rewritten here', [], ['main', 'by wan', 'TCP']]);
    assert.not.match(await lab.router.must(['nft', 'list', 'tables']), /sipalg/);
  }),
);

left('is told where somebody flushes all tables in the middle', () =>
  inLab({}, async (lab) => {
    // The first listing of its sets is where it looks at what has come; all tables go before.
    lab.files.write(
      '/tmp/wrap/nft',
      '#!/bin/sh\n[ "$1 $2" != "list sets" ] || /usr/sbin/nft flush ruleset\nexec /usr/sbin/nft "$@"\n',
      0o755,
    );
    const { status, stdout } = await lab.router.run(['sipalg', 'probe', '--json'], {
      env: { PATH: '/tmp/wrap:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    const { verdict, because } = JSON.parse(stdout) as ProbeReport;
    assert.equal([verdict, status], ['inconclusive', 2]);
    assert.match(because!, /somebody has flushed all tables/);
    assert.not.match(await lab.router.must(['ip', '-o', 'link']), /sip[ab]/);
  }),
);

/** As it looks at what has come out. */
const NFT_KILLS = `#!/bin/dash
[ "$1 $2" != "list sets" ] || kill -9 "$(cat /tmp/pid)"
exec /usr/sbin/nft "$@"
`;

/** The tools it calls, each of which kills it at one of its calls, before or behind what it does. */
const TOOLS = ['nft', 'ip', 'sh', 'conntrack', 'kill'];

left('is taken away by whatever runs next, where it is killed at any of its steps', () =>
  inLab({}, async (lab) => {
    await lab.router.must(['mkdir', '-p', '/tmp/wrap']);
    for (const tool of TOOLS.filter((name) => name !== 'kill')) {
      const real = (await lab.router.must(['sh', '-c', `command -v ${tool}`])).trim();
      lab.files.write(
        `/tmp/wrap/${tool}`,
        `#!/bin/dash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
echo >> /tmp/count
if [ "$(wc -l < /tmp/count)" -eq "$(cat /tmp/at)" ]; then
  if [ "$(cat /tmp/when)" = before ]; then kill -9 "$(cat /tmp/pid)"; exec ${real} "$@"; fi
  ${real} "$@"
  kill -9 "$(cat /tmp/pid)"
  exit 1
fi
exec ${real} "$@"
`,
        0o755,
      );
    }
    await busy(lab);
    await everything(lab);
    await lab.router.must(['touch', '/tmp/count', '/tmp/at', '/tmp/when', '/tmp/pid']);
    let before = await seen(lab);
    let killed = 0;
    for (let at = 1; ; at++) {
      // A hole for audio lives for three minutes.
      if (at % 10 === 0) {
        await busy(lab);
        before = await seen(lab);
      }
      let ended = false;
      // In turn: as a tool begins, which goes on by itself, and as one has ended.
      const when = at % 2 === 0 ? 'before' : 'behind';
      lab.files.write('/tmp/count', '');
      lab.files.write('/tmp/at', String(at));
      lab.files.write('/tmp/when', when);
      const { status } = await lab.router.run(['/bin/dash', '-c', 'echo $$ > /tmp/pid; exec /usr/sbin/sipalg probe --json'], {
        env: { PATH: '/tmp/wrap:/usr/sbin:/usr/bin:/sbin:/bin' },
        timeout: 60_000,
      });
      // Beyond its last call it ends by itself.
      // Two that begin in one moment may both have counted before either looks: then none of them kills it.
      if (status === 1) ended = lab.files.read('/tmp/count').split('\n').length - 1 < at;
      else killed++;
      // Children of the killed one end by themselves, and a ping after its second.
      for (let wait = 0; wait < 200 && (await lab.router.run(['pgrep', '-x', 'ping|busybox|nft|ip|conntrack'])).status === 0; wait++)
        await new Promise((resolve) => setTimeout(resolve, 50));
      await lab.router.run(['sipalg', 'version']);
      await same(lab, before, `killed ${when} call ${at}`);
      if (ended) break;
    }
    assert.ok(killed > 20, `${killed} times`);

    // At a LAN that is no bridge another step differs alone: how the phone is put there.
    await unbridged(lab);
    const plain = await seen(lab);
    for (const when of ['before', 'behind']) {
      lab.files.write(
        '/tmp/wrap/sh',
        `#!/bin/dash\nPATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH\ncase "$*" in *macvlan*) [ ${when} = before ] || /bin/sh "$@"; kill -9 "$(cat /tmp/pid)" ;; esac\nexec /bin/sh "$@"\n`,
        0o755,
      );
      const { status } = await lab.router.run(['/bin/dash', '-c', 'echo $$ > /tmp/pid; exec /usr/sbin/sipalg probe --json'], {
        env: { PATH: '/tmp/wrap:/usr/sbin:/usr/bin:/sbin:/bin' },
        timeout: 60_000,
      });
      assert.is(status, null, 'killed');
      for (let wait = 0; wait < 200 && (await lab.router.run(['pgrep', '-x', 'ping|busybox|nft|ip|conntrack'])).status === 0; wait++)
        await new Promise((resolve) => setTimeout(resolve, 50));
      await lab.router.run(['sipalg', 'version']);
      await same(lab, plain, `killed ${when} the phone was set on the LAN`);
    }
  }),
);

left('is taken away by plain shell where it was killed, and its package and its engine go', () =>
  inLab({}, async (lab) => {
    // No address is free, so that there are routes too.
    const all = Array.from({ length: 254 }, (_, index) => `1 02:00:00:00:00:${(index + 1).toString(16)} 192.168.1.${index + 1} * *\n`);
    lab.files.write('/tmp/dhcp.leases', all.join(''));
    await everything(lab);
    lab.files.write('/usr/lib/sipalg/give-back.sh', readFileSync('files/usr/lib/sipalg/give-back.sh', 'utf8'));
    await busy(lab);
    await lab.router.must(['sh', '-c', 'touch /var/run/sipalg.probe.lock; mkdir -p /tmp/wrap; touch /tmp/pid']);
    lab.files.write('/tmp/wrap/nft', NFT_KILLS, 0o755);
    const before = await seen(lab);
    const { status } = await lab.router.run(['/bin/dash', '-c', 'echo $$ > /tmp/pid; exec /usr/sbin/sipalg probe --json'], {
      env: { PATH: '/tmp/wrap:/usr/sbin:/usr/bin:/sbin:/bin' },
      timeout: 60_000,
    });
    assert.is(status, null, 'killed');
    const left = (await seen(lab)).join('\n');
    for (const one of [
      /table netdev sipalg_probe_/,
      /links: .*sipa/,
      /routes: 198\.19\.81\.201 /,
      /routes: 192\.0\.2\.36 via .* table 190/,
      /steering: 51:.* lookup 190/,
      /neighbours: 198\.19\./,
      /files: sipalg\.made\./,
    ])
      assert.match(left, one);
    await lab.router.must(['rm', '/usr/sbin/sipalg']);
    await lab.router.must(['sh', '/usr/lib/sipalg/give-back.sh']);
    for (let wait = 0; wait < 200 && (await lab.router.run(['pgrep', '-x', 'ping|busybox'])).status === 0; wait++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await same(lab, before);
  }),
);

left.run();
