import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareMessages } from './compare.ts';
import { openLab, type Delivery, type Lab } from './lab.ts';
import { emptied, spacesOf, traces } from './traces.ts';

const fields = ({ sent, arrived }: Delivery): string[] => {
  assert.ok(arrived, 'the message did not arrive');
  return compareMessages(sent, arrived).map(({ field }) => field);
};
const REWRITTEN = ['Via', 'From', 'Contact', 'SDP o=', 'SDP c='];

async function inLab(options: Parameters<typeof openLab>[0], use: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab(options);
  try {
    await use(lab);
  } finally {
    await lab.close();
  }
}

const alg = suite('the real ALG in the lab');

alg('rewrites addresses of an INVITE and nothing else under stock rules', () =>
  inLab({ ruleset: 'stock-alg-on' }, async (lab) => {
    const delivery = await lab.sendInvite({ from: 'phone', to: 'provider' });
    assert.equal(fields(delivery), REWRITTEN);
    assert.equal(compareMessages(delivery.sent, delivery.arrived!)[0], {
      field: 'Via',
      sent: 'Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK-lab-1;rport',
      arrived: 'Via: SIP/2.0/UDP 203.0.113.20:5060;branch=z9hG4bK-lab-1;rport',
    });
    assert.equal(delivery.arrivedFrom, { address: '203.0.113.20', port: 5060 });
  }),
);

alg('leaves every byte alone where no rule assigns the helper', () =>
  inLab({ ruleset: 'stock-alg-absent' }, async (lab) => {
    for (const method of ['invite', 'register', 'options'] as const) {
      assert.equal(fields(await lab.sendSip(method, { from: 'phone', to: 'provider', sourcePort: 5070 })), [], method);
    }
    assert.equal(fields(await lab.sendInvite({ from: 'phone', to: 'provider' })), []);
  }),
);

alg('looks at the destination port, not at the payload', () =>
  inLab({}, async (lab) => {
    assert.equal(fields(await lab.sendInvite({ from: 'phone', to: 'provider', destinationPort: 5080 })), []);
    assert.equal(fields(await lab.sendInvite({ from: 'phone', to: 'provider', sourcePort: 5080 })), REWRITTEN);
  }),
);

alg("rewrites the second phone too, and drops it where it uses the first one's media port", () =>
  inLab({}, async (lab) => {
    assert.equal(fields(await lab.sendInvite({ from: 'phone', to: 'provider', mediaPort: 4000 })), REWRITTEN);
    const clash = await lab.sendInvite({ from: 'phone2', to: 'provider', mediaPort: 4000, sourcePort: 5062, timeout: 400 });
    assert.is(clash.arrived, undefined);
    const other = await lab.sendInvite({ from: 'phone2', to: 'provider', mediaPort: 4010, sourcePort: 5064 });
    assert.equal(fields(other), REWRITTEN);
  }),
);

alg('follows a hand-written rule on another port', () =>
  inLab({ ruleset: 'user-include' }, async (lab) => {
    assert.equal(fields(await lab.sendInvite({ from: 'phone', to: 'provider', destinationPort: 5080 })), REWRITTEN);
  }),
);

alg('rewrites nothing on IPv6, but watches the flow', () =>
  inLab({}, async (lab) => {
    assert.equal(fields(await lab.sendInvite({ from: 'phone', to: 'provider', family: 6 })), []);
    assert.match(await lab.router.must(['conntrack', '-L', '-f', 'ipv6', '-o', 'extended']), 'helper=sip');
  }),
);

alg('leaves TCP alone, as fw4 assigns the helper to UDP only', () =>
  inLab({}, async (lab) => {
    assert.equal(fields(await lab.sendInvite({ from: 'phone', to: 'provider', transport: 'tcp' })), []);
  }),
);

alg('goes on with a live flow after its rule and object are gone, and comes back for new flows with a reload', () =>
  inLab({}, async (lab) => {
    const send = (): Promise<Delivery> => lab.sendInvite({ from: 'phone', to: 'provider' });
    assert.equal(fields(await send()), REWRITTEN);
    await lab.router.must(['nft', 'flush', 'chain', 'inet', 'fw4', 'helper_lan']);
    await lab.router.must(['nft', 'delete', 'ct', 'helper', 'inet', 'fw4', 'sip']);
    assert.equal(fields(await send()), REWRITTEN);
    await lab.router.must(['conntrack', '-D', '-p', 'udp', '--orig-port-dst', '5060']);
    assert.equal(fields(await send()), []);
    await lab.router.must(['fw4', 'reload']);
    assert.equal(fields(await lab.sendInvite({ from: 'phone2', to: 'provider' })), REWRITTEN);
  }),
);

alg.run();

const room = suite('the lab around it');

room('shows the router an OpenWrt file system, and keeps what is written there', () =>
  inLab({}, async (lab) => {
    const ran = await lab.router.must([
      'sh',
      '-ec',
      `
    . /etc/openwrt_release; echo "$DISTRIB_RELEASE $(hostname)"
    echo 'blacklist nf_conntrack_sip' >> /etc/modules.conf
    mkdir -p /etc/sipalg; echo one > /etc/sipalg/lab; echo two > /var/run/lab-trace; echo three > /usr/share/nftables.d/lab
    rm /etc/passwd
    ls /sys/module/nf_conntrack_sip; ls /sys/class/net`,
    ]);
    assert.match(ran, /^24\.10\.0 OpenWrt\nparameters\n/);
    assert.match(ran, /\nbr-lan\n.*lan1\nlan2\nlo\nwan\n$/s);
    assert.is(lab.files.read('/etc/sipalg/lab'), 'one\n');
    assert.is(lab.files.read('/var/run/lab-trace'), 'two\n');
    assert.not(lab.files.exists('/etc/passwd'));
    lab.files.write('/var/run/from-test', 'four\n');
    assert.is(await lab.router.must(['cat', '/run/from-test']), 'four\n');
    for (const path of ['/etc/sipalg/lab', '/run/lab-trace', '/run/from-test', '/usr/share/nftables.d/lab', '/etc/openwrt_release']) {
      assert.not(existsSync(path), path);
    }
    assert.ok(existsSync('/etc/passwd'));
  }),
);

room('does not let the router write into the project', () =>
  inLab({}, async (lab) => {
    const tried = await lab.router.run(['sh', '-c', `echo x > '${process.cwd()}/from-the-lab'`]);
    assert.not.equal(tried.status, 0);
    assert.match(tried.stderr, 'Read-only file system');
  }),
);

room('hides the module from the router where a test wants it absent', () =>
  inLab({ modules: { sip: 'absent' } }, async (lab) => {
    assert.not(lab.files.exists('/sys/module/nf_conntrack_sip'));
    assert.ok(lab.files.exists('/sys/module/nf_conntrack/parameters/hashsize'));
    await lab.router.must(['fw4', '-q', 'restart']);
    assert.not.match(await lab.router.must(['nft', 'list', 'ruleset']), 'sip');
    assert.equal(fields(await lab.sendInvite({ from: 'phone', to: 'provider' })), []);
  }),
);

room('says how a program ended, kills one that takes too long, and passes input, environment and signals', () =>
  inLab({}, async (lab) => {
    assert.equal(await lab.router.run(['sh', '-c', 'cat; echo "$WORD" >&2; exit 3'], { input: 'in', env: { WORD: 'env' } }), {
      status: 3,
      signal: null,
      stdout: 'in',
      stderr: 'env\n',
      timedOut: false,
    });
    const late = await lab.router.run(['sh', '-c', 'echo $$ > /tmp/pid; exec sleep 60'], { timeout: 300 });
    assert.ok(late.timedOut);
    assert.is(late.signal, 'SIGKILL');
    const gone = await lab.router.run([
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /proc/$(cat /tmp/pid) ] || exit 0; sleep 0.1; done; exit 1',
    ]);
    assert.is(gone.status, 0, 'the program itself is gone, not only the way to it');
    const process_ = lab.router.spawn(['sh', '-c', 'trap "exit 7" INT; echo ready; while :; do sleep 0.05; done']);
    await new Promise((resolve) => process_.child.stdout.once('data', resolve));
    process_.signal('SIGINT');
    assert.equal(await process_.ended, { status: 7, signal: null });
  }),
);

room.run();

const end = suite('the end of a lab');

end('leaves nothing behind, whatever still runs in it', async () => {
  const before = traces();
  const lab = await openLab();
  const mine = [lab.phone, lab.phone2, lab.router, lab.provider].flatMap(({ pid }) => spacesOf(pid));
  assert.is(new Set(mine).size, 16);
  await lab.sendInvite({ from: 'phone', to: 'provider' });
  await lab.router.must(['sh', '-c', 'setsid sleep 1000 >/dev/null 2>&1 </dev/null &']);
  await lab.close();
  await lab.close();
  await emptied(mine);
  assert.equal(traces(), before);
});

end('two labs live beside each other', async () => {
  const [one, two] = await Promise.all([openLab(), openLab({ ruleset: 'stock-alg-absent' })]);
  try {
    const [first, second] = await Promise.all([
      one.sendInvite({ from: 'phone', to: 'provider' }),
      two.sendInvite({ from: 'phone', to: 'provider' }),
    ]);
    assert.equal(fields(first), REWRITTEN);
    assert.equal(fields(second), []);
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  end(`comes with ${signal} to the program that opened it`, () => dies(`process.kill(process.pid, '${signal}')`));
}

end('comes with an error nobody caught', () => dies("setImmediate(() => { throw new Error('by design'); })"));

/** Opens a lab in a program of its own that then ends as `how` says. */
async function dies(how: string): Promise<void> {
  const before = traces();
  const folder = mkdtempSync(`${tmpdir()}/sipalg-end-`);
  try {
    const script = `${folder}/opener.mjs`;
    writeFileSync(
      script,
      `const { load } = await import('file://${process.cwd()}/test/lab/load.mjs');
      const { openLab } = await load('test/lab/lab.ts');
      const lab = await openLab();
      await lab.sendInvite({ from: 'phone', to: 'provider' });
      lab.router.spawn(['sleep', '1000']);
      console.log([lab.phone, lab.phone2, lab.router, lab.provider].map(({ pid }) => pid).join(' '));
      process.stdin.once('data', () => { ${how} });`,
    );
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    const pids = String(await new Promise((resolve) => child.stdout.once('data', resolve)))
      .trim()
      .split(' ')
      .map(Number);
    const mine = pids.flatMap(spacesOf);
    assert.is(mine.length, 16);
    child.stdin.write('end\n');
    await ended;
    await emptied(mine);
    assert.equal(traces(), before);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

end.run();

const hand = suite('test/lab/shell.mjs');

hand('runs one command in the machine that was asked for and ends as it ends', () => {
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, ['test/lab/shell.mjs', ...args], { encoding: 'utf8' });
  const router = run(
    'lan-explicit-helpers',
    '--',
    'sh',
    '-c',
    'hostname; nft list chain inet fw4 helper_lan | grep -c "ct helper set"; exit 4',
  );
  assert.is(router.stdout, 'OpenWrt\n2\n');
  assert.is(router.status, 4);
  assert.is(run('--in', 'phone', '--', 'hostname').stdout, 'phone\n');
  const wrong = run('no-such-ruleset');
  assert.is(wrong.status, 2);
  assert.match(wrong.stderr, 'RULESET is one of stock-alg-on');
});

hand.run();
