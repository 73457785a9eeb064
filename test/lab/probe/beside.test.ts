/** `sipalg probe` over TCP and over IPv6, where the kernel's real ALG is on them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProbeDocument as ProbeReport } from '../../../src/probe/report.ts';
import { openLab, type Lab, type LabOptions } from '../lab.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';

const beside = suite('sipalg probe, over TCP and IPv6');

/** An owner's rule: fw4's own is for UDP alone. */
const TCP = `table inet own {
  ct helper siptcp { type "sip" protocol tcp; }
  chain in { type filter hook prerouting priority -100; tcp dport 5060 ct helper set "siptcp"; }
}
`;

async function inLab(options: LabOptions, act: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab(options);
  try {
    const mac = (await lab.provider.must(['cat', '/sys/class/net/eth0/address'])).trim();
    for (const hop of [ADDRESS.provider, ADDRESS6.provider])
      await lab.router.must(['ip', 'neigh', 'replace', hop, 'dev', 'wan', 'lladdr', mac, 'nud', 'permanent']);
    await lab.router.must(['nft', '-f', '-'], { input: TCP });
    await act(lab);
  } finally {
    await lab.close();
  }
}

const route6 = (lab: Lab): Promise<string> =>
  lab.router.must(['ip', '-6', 'route', 'add', 'default', 'via', ADDRESS6.provider, 'dev', 'wan']);

async function probed(lab: Lab): Promise<ProbeReport & { status: number | null }> {
  const { status, stdout, stderr } = await lab.router.run(['sipalg', 'probe', '--json'], { timeout: 60_000 });
  assert.is(stderr, '');
  // Nothing of it is left, of either family and protocol.
  assert.not.match(
    await lab.router.must([
      'sh',
      '-c',
      'ip neigh; ip route; conntrack -L 2>&1; conntrack -L -f ipv6 2>&1; cat /proc/net/nf_conntrack_expect',
    ]),
    /192\.0\.2\.|2001:db8::33|2001:0db8:0000:0000:0000:0000:0000:0033|198\.19\.|::be /,
  );
  return { ...(JSON.parse(stdout) as ProbeReport), status };
}

type Row = readonly [name: string, fate: string, gap: number | null, fields: readonly string[]];

const rowsOf = ({ messages }: ProbeReport, part: string): Row[] =>
  messages
    .filter((one) => one.part === part)
    .map(({ name, fate, gap, differences }) => [
      name,
      fate,
      gap,
      differences.map(({ field, part: of, change }) => `${field} ${of} ${change}`.replace('  ', ' ')).sort(),
    ]);

const [VIA, FROM, CONTACT] = ['Via sent-by translated', 'From URI host translated', 'Contact URI host translated'];

const OVER_TCP: readonly Row[] = [
  ['control over TCP', 'unchanged', 0, []],
  ['OPTIONS over TCP', 'rewritten', 0, [CONTACT, FROM, VIA]],
  // What came before it has become longer: its numbers are the router's own.
  ['INVITE over TCP', 'rewritten', 0, ['Content-Length length', FROM, 'SDP c= address translated', 'SDP o= address translated', VIA]],
  // Each segment by itself.
  ['OPTIONS over TCP, in two segments', 'half rewritten', 0, [CONTACT, FROM]],
  ['200 to the control, over TCP', 'unchanged', 0, []],
  ['200 to OPTIONS, over TCP', 'rewritten', 0, ['Contact URI host translated', FROM, 'Via ;received translated', VIA]],
];
const OVER_IPV6: readonly Row[] = [
  ['control before, over IPv6', 'unchanged', null, []],
  ['OPTIONS over IPv6', 'unchanged', null, []],
  ['REGISTER over IPv6', 'unchanged', null, []],
  ['INVITE over IPv6', 'unchanged', null, []],
  ['INVITE with port 9, over IPv6', 'dropped', null, []],
  ['control after, over IPv6', 'unchanged', null, []],
  ['200 to the control, over IPv6', 'unchanged', null, []],
  ['183 to INVITE, over IPv6', 'unchanged', null, []],
];

for (const [engine, kernel] of [
  ['node', '6.18.0'],
  ['quickjs', '6.12.117'],
] as const) {
  beside(`finds what the ALG does there, and that nothing is done where it is off: ${engine}, as on kernel ${kernel}`, () =>
    inLab({ engine, files: { '/tmp/osrelease': `${kernel}\n` } }, async (lab) => {
      await lab.router.must(['mount', '--bind', '/tmp/osrelease', '/proc/sys/kernel/osrelease']);
      // What is out of a window is not translated.
      await lab.router.must(['sh', '-c', 'echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal']);
      await lab.router.must(['sh', '-c', 'echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose']);
      await route6(lab);
      const on = await probed(lab);
      assert.equal([on.verdict, on.parts, on.untested, on.leftOver, on.remarks], ['rewritten here', ['main', 'IPv6', 'TCP'], [], [], []]);
      assert.equal(rowsOf(on, 'TCP'), OVER_TCP);
      assert.equal(rowsOf(on, 'IPv6'), OVER_IPV6);
      assert.ok(on.messages.every(({ part, unseen }) => part === 'main' || unseen === 0));
      const before = on.messages.find(({ name }) => name === 'OPTIONS over TCP')!;
      assert.is(before.seenLength! - before.length, 2, 'so numbers had to be shifted');
      // Not rewritten, and followed all the same.
      assert.ok(on.expectations.some((one) => one.startsWith('signalling: 2001:0db8:')));

      await lab.router.must(['nft', 'flush', 'chain', 'inet', 'fw4', 'helper_lan']);
      const tcpOnly = await probed(lab);
      assert.equal([tcpOnly.verdict, tcpOnly.status], ['rewritten here', 1], 'by TCP alone');
      assert.equal(rowsOf(tcpOnly, 'TCP'), OVER_TCP);
      assert.ok(tcpOnly.messages.every(({ part, fate }) => part === 'TCP' || fate === 'unchanged'));

      await lab.router.must(['nft', 'flush', 'table', 'inet', 'own']);
      const off = await probed(lab);
      assert.equal([off.verdict, off.status, off.parts], ['unchanged', 0, ['main', 'IPv6']], off.because ?? '');
      assert.equal([...new Set(off.messages.map(({ fate }) => fate))], ['unchanged']);
      assert.equal(off.untested, ['TCP was not tested: no rule puts the SIP helper on it.']);
    }),
  );
}

beside('lets nothing out over TCP and IPv6, and what is left where it is killed is taken away by whatever runs next', () =>
  inLab({ engine: 'quickjs' }, async (lab) => {
    await route6(lab);
    const ends = [lab.provider, lab.phone];
    const said = ends.map(() => '');
    const dumps = await Promise.all(
      ends.map(async (end, index) => {
        const dump = end.spawn(['tcpdump', '-i', 'eth0', '-n', '-e', '-l', '--immediate-mode', '-Z', 'root', 'ip or arp or ip6']);
        await new Promise<void>((resolve) => {
          dump.child.stderr.on('data', (data: Buffer) => {
            if (String(data).includes('listening on')) resolve();
          });
          dump.child.stdout.on('data', (data: Buffer) => {
            said[index] = `${said[index]}${data}`;
          });
        });
        return dump;
      }),
    );
    assert.is((await probed(lab)).verdict, 'rewritten here');
    // Killed as it looks for what came over the connections that are open now.
    lab.files.write('/tmp/looks', '');
    lab.files.write(
      '/tmp/wrap/nft',
      `#!/bin/dash
if [ "$1 $2" = 'list sets' ]; then
  echo >> /tmp/looks
  ! /usr/sbin/nft list sets | grep -q '51bf\\|1371471873' && [ "$(wc -l < /tmp/looks)" -lt 40 ] || kill -9 "$(cat /tmp/pid)"
fi
exec /usr/sbin/nft "$@"
`,
      0o755,
    );
    const killed = await lab.router.run(['/bin/dash', '-c', 'echo $$ > /tmp/pid; exec /usr/sbin/sipalg probe --json'], {
      env: { PATH: '/tmp/wrap:/usr/sbin:/usr/bin:/sbin:/bin' },
      timeout: 60_000,
    });
    assert.is(killed.status, null);
    assert.match(await lab.router.must(['conntrack', '-L', '-p', 'tcp']), /dst=192\.0\.2\.33/);
    assert.match(await lab.router.must(['ip', '-6', 'neigh']), /::be /);
    await lab.router.must(['sipalg', 'version']);
    assert.is((await probed(lab)).verdict, 'rewritten here');
    await lab.sendSip('options', { from: 'phone', to: 'provider' });
    for (const [index, dump] of dumps.entries()) {
      for (let wait = 0; wait < 200 && !/5060/.test(said[index]!); wait++) await new Promise((resolve) => setTimeout(resolve, 50));
      dump.signal('SIGINT');
      await dump.ended;
      assert.match(said[index]!, /5060/);
      assert.not.match(said[index]!, /51:be|192\.0\.2\.|2001:db8::33|198\.19\./);
    }
  }),
);

beside('says what it did not test: no IPv6 towards the internet, and a next hop that is silent', () =>
  inLab({ engine: 'quickjs' }, async (lab) => {
    const none = await probed(lab);
    assert.equal([none.verdict, none.untested], ['rewritten here', ['IPv6 was not tested: there is no IPv6 towards the internet here.']]);
    await lab.router.must(['ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:113::99', 'dev', 'wan']);
    const { verdict, untested, messages, parts } = await probed(lab);
    assert.equal([verdict, parts], ['rewritten here', ['main', 'TCP']]);
    assert.equal(untested, ['IPv6 could not be tested: a message that no ALG has business with did not come out there.']);
    assert.equal([...new Set(messages.filter(({ part }) => part === 'IPv6').map(({ fate }) => fate))], ['not tried']);
  }),
);

beside('is left out, and named, where this nft takes no rules for it', () =>
  inLab({ engine: 'quickjs' }, async (lab) => {
    await route6(lab);
    lab.files.write(
      '/tmp/wrap/nft',
      `#!/bin/dash
[ "$1" = -f ] || exec /usr/sbin/nft "$@"
cat > /tmp/script
! grep -q '@ih' /tmp/script || { echo '/dev/stdin:1:1-2: Error: syntax error, unexpected @' >&2; exit 1; }
exec /usr/sbin/nft -f /tmp/script
`,
      0o755,
    );
    const { stdout } = await lab.router.run(['sipalg', 'probe', '--json'], {
      env: { PATH: '/tmp/wrap:/usr/sbin:/usr/bin:/sbin:/bin' },
      timeout: 60_000,
    });
    const { verdict, parts, untested, leftOver } = JSON.parse(stdout) as ProbeReport;
    assert.equal([verdict, parts, leftOver], ['rewritten here', ['main'], []]);
    assert.equal(untested, ['TCP and IPv6 could not be tested: this nft or kernel does not record that.']);
  }),
);

beside('takes an address of the network that leads to the internet, and one that nobody has', () =>
  inLab({ engine: 'quickjs' }, async (lab) => {
    // Addresses of the house alone, and a line's own prefix, whose way is its own.
    await lab.router.must(['ip', '-6', 'addr', 'add', 'fd00:5:6:7::1/64', 'dev', 'br-lan', 'nodad']);
    await lab.router.must([
      'ip',
      '-6',
      'neigh',
      'add',
      '2001:db8:1::be',
      'dev',
      'br-lan',
      'lladdr',
      '02:00:00:00:00:03',
      'nud',
      'permanent',
    ]);
    await lab.router.must(['ip', '-6', 'route', 'add', 'default', 'from', '2001:db8:1::/64', 'via', ADDRESS6.provider, 'dev', 'wan']);
    const run = await lab.router.run(['sipalg', 'probe', '--json'], { timeout: 60_000 });
    const report = JSON.parse(run.stdout) as ProbeReport;
    assert.ok(report.parts.includes('IPv6'), report.untested.join(' '));
    assert.match(report.messages.find(({ name }) => name === 'OPTIONS over IPv6')!.sent, /^\[2001:db8:1:0::bf\]:5060 -> /);
  }),
);

beside.run();
