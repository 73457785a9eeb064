/**
 * Flow offload and voice, with the kernel's real flow tables: a flow in them passes every rule by, so that nobody marks it.
 * What is looked at is conntrack's [OFFLOAD] and the marks that arrive at both ends.
 */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { End } from '../lab/lab.ts';
import type { Member, Ran } from '../lab/member.ts';
import { ADDRESS } from '../lab/network.ts';
import { register } from '../lab/sip.ts';
import type { Socket } from '../lab/talker.ts';
import { startTraffic, type Stream, type Traffic } from '../lab/traffic.ts';
import { assertNamed } from './qemu/diagnosed.ts';
import { onEveryKernel } from './qemu/each.ts';
import { memberAt, talkerAt } from './qemu/ends.ts';
import type { Router } from './qemu/router.ts';
import { commands, until } from './qemu/steps.ts';

const FIREWALL = '/etc/config/firewall';
const OFFLOADING = readFileSync('test/fixtures/fw4/stock-alg-absent.config', 'utf8').replace(
  'config defaults\n',
  "config defaults\n\toption flow_offloading '1'\n",
);
const wish = (policy: 0 | 1, more = ''): string => `config sipalg 'main'\n\toption alg 'disabled'\n\toption policy '${policy}'\n${more}`;
const RELOADS = 8;

const test = onEveryKernel('voice and flow offload', {
  ruleset: 'stock-alg-absent',
  files: { [FIREWALL]: OFFLOADING, '/etc/config/sipalg': wish(0) },
});

type Here = {
  readonly sip: { readonly phone: Socket; readonly provider: Socket };
  readonly phone: Awaited<ReturnType<typeof talkerAt>>;
  traffic?: Traffic;
};
const houses = new Map<Router, Here>();
const before = new Map<Router, { forward: string; files: string }>();

const SIP = 5062;
const stream = (name: string, kind: 'rtp' | 'udp', near: number, far: number): Stream => ({
  name,
  kind,
  every: 20,
  size: 172,
  near: { address: ADDRESS.phone, port: near },
  far: { address: ADDRESS.provider, port: far },
});
/** A call and another flow, by ports of their own each time. */
const pair = (turn: number): readonly Stream[] => [
  stream('call', 'rtp', 4000 + 2 * turn, 20_000 + 2 * turn),
  stream('other', 'udp', 40_000 + turn, 41_000 + turn),
];
const [nearOf, farOf] = [(turn: number): number => 4000 + 2 * turn, (turn: number): number => 20_000 + 2 * turn];

/** conntrack's line of the flow that was begun at this port of the phone's. */
async function flow(router: Router, port: number): Promise<string> {
  const lines = await router.must(['conntrack', '-L', '-p', 'udp']);
  return lines.split('\n').find((line) => line.includes(`src=${ADDRESS.phone} `) && line.includes(` sport=${port} `)) ?? '';
}
const isOffloaded = async (router: Router, port: number): Promise<boolean> => /\[OFFLOAD\]/.test(await flow(router, port));

/** Counts from now on what arrives at both ends of the flow to this far port, by its mark. */
async function watch(
  router: Router,
  far: number,
): Promise<() => Promise<{ phone: Record<string, number>; provider: Record<string, number> }>> {
  const inside = (end: End, argv: readonly string[], input?: string): Promise<string> =>
    router.must(['ip', 'netns', 'exec', end, ...argv], input === undefined ? {} : { input });
  const marks = ['ef', 'cs3', 'cs0'];
  await Promise.all(
    (['phone', 'provider'] as const).map((end) =>
      inside(
        end,
        ['nft', '-f', '-'],
        [
          'table inet seen {',
          '}',
          'delete table inet seen',
          'table inet seen {',
          ...marks.map((mark) => `\tcounter n_${mark} {\n\t}`),
          '\tchain arriving {',
          '\t\ttype filter hook input priority 0; policy accept;',
          ...marks.map((mark) => `\t\tudp ${end === 'phone' ? 'sport' : 'dport'} ${far} ip dscp ${mark} counter name "n_${mark}"`),
          '\t}',
          '}',
          '',
        ].join('\n'),
      ),
    ),
  );
  const read = async (end: End): Promise<Record<string, number>> => {
    const text = await inside(end, ['nft', 'list', 'counters']);
    return Object.fromEntries(
      [...text.matchAll(/counter n_(\w+) \{\s+packets (\d+)/g)].map(([, mark, count]) => [mark as string, Number(count)]),
    );
  };
  return async () => ({ phone: await read('phone'), provider: await read('provider') });
}

/** Both directions run, and all that arrives bears this mark. */
async function assertMarked(router: Router, far: number, mark: string): Promise<void> {
  const read = await watch(router, far);
  await until(`packets of port ${far} in both directions`, async () => {
    const { phone, provider } = await read();
    return phone[mark]! > 20 && provider[mark]! > 20;
  });
  const { phone, provider } = await read();
  for (const [end, seen] of Object.entries({ phone, provider })) {
    assert.equal(
      Object.keys(seen).filter((one) => seen[one]! > 0),
      [mark],
      `${end}: ${JSON.stringify(seen)}`,
    );
  }
}

/** Starts the call and the other flow; each passes the router in both directions, through conntrack or past it. */
async function start(router: Router, turn: number): Promise<void> {
  const lab = { phone: memberAt(router, 'phone'), provider: memberAt(router, 'provider'), router: router as unknown as Member };
  houses.get(router)!.traffic = await startTraffic(lab, pair(turn), async () => {
    const read = await watch(router, farOf(turn));
    await until('the call', async () => {
      const { phone, provider } = await read();
      return Object.values(phone).some((count) => count > 5) && Object.values(provider).some((count) => count > 5);
    });
  });
}

/** REGISTERs and their answers; more than one, for the first packets of a flow are never offloaded. */
async function registers(router: Router): Promise<void> {
  const { sip } = houses.get(router)!;
  for (let turn = 1; turn <= 3; turn++) {
    const about = {
      from: { address: ADDRESS.phone, port: SIP, user: 'phone' },
      to: { address: ADDRESS.provider, port: 5060, user: 'provider' },
      cseq: turn,
    };
    await sip.phone.send(Buffer.from(register(about), 'latin1'), about.to);
    const came = await sip.provider.next(5000);
    assert.ok(came, 'the REGISTER arrives');
    await sip.provider.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), came.from);
    assert.ok(await sip.phone.next(5000), 'the REGISTER is answered');
  }
}

/** What is slow here takes a router in software, beside another one, a while. */
async function sipalg(router: Router, command: string, expected: number | null = 0): Promise<Ran> {
  const ran = await router.run(['sipalg', ...command.split(' ')], { timeout: 120_000 });
  if (expected !== null) assert.is(ran.status, expected, `sipalg ${command}:\n${ran.stdout}${ran.stderr}`);
  return ran;
}

const forward = (router: Router): Promise<string> => router.must(['nft', 'list', 'chain', 'inet', 'fw4', 'forward']);
const ours = (router: Router): Promise<string> => router.must(['sh', '-c', 'ls /etc | grep "^sipalg" || true']);
async function offloadFindings(router: Router): Promise<string[]> {
  const { stdout } = await sipalg(router, 'status --json', null);
  const { verdict } = JSON.parse(stdout) as { verdict: { findings: { code: string; text: string }[] } };
  return verdict.findings.filter(({ code }) => code === 'policy-offload').map(({ text }) => text);
}

test('without the rules a call and its signalling are in the offload, and nothing is marked', async (router) => {
  await sipalg(router, 'apply');
  before.set(router, { forward: await forward(router), files: await ours(router) });
  assert.match(before.get(router)!.forward, /policy drop;\s+meta l4proto \{ tcp, udp \} flow add @ft\n/);
  const [phone, provider] = [await talkerAt(router, 'phone'), await talkerAt(router, 'provider')];
  houses.set(router, { phone, sip: { phone: await phone.udp(ADDRESS.phone, SIP), provider: await provider.udp(ADDRESS.provider, 5060) } });
  await registers(router);
  assert.ok(await isOffloaded(router, SIP), await flow(router, SIP));
  await start(router, 0);
  for (const { near } of pair(0)) assert.ok(await isOffloaded(router, near.port), await flow(router, near.port));
  await assertMarked(router, farOf(0), 'cs0');
  await houses.get(router)!.traffic!.stop();
});

/** Something at an end or at the router itself for as long as `body` runs. */
async function during(router: Router, begin: string, end: string, body: () => Promise<void>): Promise<void> {
  await router.must(['sh', '-c', begin]);
  try {
    await body();
  } finally {
    await router.must(['sh', '-c', end]);
  }
}

test('a diagnosis names the offload that a call is in, and a line with jitter', async (router) => {
  await router.must(['sh', '-c', 'echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct; modprobe sch_netem']);
  await registers(router);
  await start(router, 3);
  try {
    const beside = ['line-late', 'inside-late'];
    await assertNamed(router, 'a call in the offload', {
      ...{ made: ['offload-skips-marks'], beside, ask: 'choppy' },
      not: ['table-full', 'router-overloaded', 'rate-limited', 'line-errors'],
    });
    // Flows in the offload live for as long as it says, whatever the timeouts are: none is called short.
    await registers(router);
    await assertNamed(router, 'phones in the offload', { made: [], ask: 'not-received', not: ['state-short'] });

    const queue = (verb: string): string => `ip netns exec provider tc qdisc ${verb} dev eth0 root`;
    await during(router, `${queue('add')} netem delay 250ms 150ms`, queue('del'), async () => {
      const { said } = await assertNamed(router, 'a line with jitter', {
        ...{ made: ['line-late', 'offload-skips-marks'], ask: 'choppy', beside: ['inside-late', 'audio-gaps-in'] },
        not: ['router-overloaded', 'line-errors'],
      });
      // An emulated machine is late by itself, but not by so much.
      assert.match(said, /"line-late",\["203\.0\.113\.10: \d+ of 12 pings answered, after (2|3|4)\d\d ms/);
    });
  } finally {
    await houses.get(router)!.traffic!.stop();
  }
});

test('with the rules signalling that was in the offload comes out of it, and new calls never get in; other flows do', async (router) => {
  await router.write('/etc/config/sipalg', wish(1));
  await sipalg(router, 'apply');
  await registers(router);
  assert.not(await isOffloaded(router, SIP), await flow(router, SIP));
  await start(router, 1);
  const [call, other] = pair(1).map(({ near }) => near.port);
  await assertMarked(router, farOf(1), 'ef');
  assert.not(await isOffloaded(router, call!), await flow(router, call!));
  assert.ok(await isOffloaded(router, other!), await flow(router, other!));
  assert.equal(await offloadFindings(router), []);
  assert.equal(commands(await sipalg(router, 'apply')), [], 'there is nothing more to do');
});

test('audio that nobody answers yet stays out of it, too', async (router) => {
  const socket = await houses.get(router)!.phone.udp(ADDRESS.phone, 4990);
  for (let turn = 0; turn < 4; turn++)
    await socket.send(Buffer.concat([Buffer.from([0x80, 8, 0, turn]), Buffer.alloc(168)]), { address: ADDRESS.provider, port: 20_990 });
  await until('the flow', async () => (await flow(router, 4990)) !== '');
  assert.match(await flow(router, 4990), '[UNREPLIED]');
  assert.not(await isOffloaded(router, 4990), await flow(router, 4990));
  await socket.close();
});

test('a call stays out of it however often the firewall is loaded anew: no packet of it is unmarked', async (router) => {
  const read = await watch(router, farOf(1));
  for (let turn = 0; turn < RELOADS; turn++) {
    await router.must(['fw4', '-q', turn === RELOADS / 2 ? 'restart' : 'reload']);
    assert.not(await isOffloaded(router, nearOf(1)), `after load ${turn + 1}: ${await flow(router, nearOf(1))}`);
  }
  const { phone, provider } = await read();
  assert.equal([phone['cs0'], provider['cs0']], [0, 0], JSON.stringify({ phone, provider }));
  assert.ok(phone['ef']! > 100 && provider['ef']! > 100, JSON.stringify({ phone, provider }));
  assert.is((await forward(router)).split('!sipalg: voice').length - 1, 2, 'the rules stand there once');
  assert.match(
    await forward(router),
    /policy drop;\s+ip6? dscp [^\n]*\n\s+ip6? dscp [^\n]*\n\s+meta l4proto \{ tcp, udp \} flow add @ft\n/,
  );
  await houses.get(router)!.traffic!.stop();
});

test('where voice is not marked it is said that it cannot be kept out, and the firewall has nothing of it', async (router) => {
  await router.write('/etc/config/sipalg', wish(1, "\nconfig marking 'marking'\n\toption media '0'\n"));
  await sipalg(router, 'apply', null);
  assert.match(
    (await offloadFindings(router)).join('|'),
    /^[^|]*audio that is not marked cannot be kept out of it[^|]*`uci set sipalg.marking.media=EF`[^|]*$/,
  );
  assert.match(await forward(router), /ip dscp != cs0 ct status confirmed accept/);
  await router.write('/etc/config/sipalg', wish(1, "\nconfig marking 'marking'\n\toption enabled '0'\n"));
  await sipalg(router, 'apply', null);
  assert.match(
    (await offloadFindings(router)).join('|'),
    /^[^|]*voice that is not marked cannot be kept out of it[^|]*`uci set sipalg.marking.enabled=1`[^|]*$/,
  );
  assert.is(await forward(router), before.get(router)!.forward);
  assert.not.match(await router.read(FIREWALL), 'sipalg_offload');
});

test('with the rules not wished any more everything is as it was', async (router) => {
  await router.write('/etc/config/sipalg', wish(1));
  await sipalg(router, 'apply');
  assert.match(await router.read(FIREWALL), 'sipalg_offload');
  assert.match(await forward(router), '!sipalg: voice');
  await router.write('/etc/config/sipalg', wish(0));
  await sipalg(router, 'apply');
  assert.is(await router.read(FIREWALL), OFFLOADING);
  assert.is(await forward(router), before.get(router)!.forward);
  assert.is(await ours(router), before.get(router)!.files);
  await start(router, 2);
  assert.ok(await isOffloaded(router, nearOf(2)), await flow(router, nearOf(2)));
  await houses.get(router)!.traffic!.stop();
  await router.must(['fw4', 'check']);
});

test('a router that is too busy, and a table of flows that is full, are named by what the kernel has counted', async (router) => {
  await router.must(['conntrack', '-F']);
  const phone = (script: string): string => `ip netns exec phone ${script}`;
  // Packets that come in bursts, to a processor that may keep ten waiting (net.core.netdev_max_backlog).
  await router.must(['sh', '-c', `cp /proc/sys/net/core/netdev_max_backlog /tmp/room; echo 10 >/proc/sys/net/core/netdev_max_backlog`]);
  await during(router, phone('tc qdisc add dev eth0 root netem slot 400ms 400ms'), phone('tc qdisc del dev eth0 root'), async () => {
    const bursts =
      "const s = require('dgram').createSocket('udp4'); let n = 0; const t = setInterval(() => { " +
      `for (let i = 0; i < 60; i++) s.send('busy', 9, '${ADDRESS.provider}'); if (++n === 15) { clearInterval(t); setTimeout(() => s.close(), 500); } }, 100)`;
    await memberAt(router, 'phone').spawn([process.execPath, '-e', bursts]).ended;
  });
  await router.must(['sh', '-c', 'cat /tmp/room >/proc/sys/net/core/netdev_max_backlog']);
  await assertNamed(router, 'bursts for which there is no room', { made: ['router-overloaded'], not: ['table-full', 'line-errors'] });

  const most = '/proc/sys/net/netfilter/nf_conntrack_max';
  await router.must(['sh', '-c', `cp ${most} /tmp/most; echo $(($(cat /proc/sys/net/netfilter/nf_conntrack_count) + 8)) >${most}`]);
  const socket = await houses.get(router)!.phone.udp(ADDRESS.phone, 7000);
  for (let port = 30_000; port < 30_030; port++) await socket.send(Buffer.from('flow'), { address: ADDRESS.provider, port });
  await socket.close();
  await router.must(['sh', '-c', `cat /tmp/most >${most}`]);
  await assertNamed(router, 'places for eight more flows, and thirty that come', { made: ['router-overloaded', 'table-full'] });
});

test.run();
