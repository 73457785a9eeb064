/** Scanners of the internet: dropped by method and source, counted, and never at the cost of a call. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RouterFacts } from '../../../src/survey/survey.ts';
import type { Attempt, InForce } from '../../../src/voice/facts.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { placeCalls } from '../sipp.ts';
import { startTraffic } from '../traffic.ts';
import type { Stream } from '../traffic.ts';
import { configuration, openHouse, PROVIDER, scanFrom, SCANNER6, SCANNERS, wait } from './router.ts';
import type { House } from './router.ts';

const attempts = suite('requests from the internet');
let house: House;
attempts.before.each(async () => {
  house = await openHouse();
});
attempts.after.each(() => house.close());

const RATES = { REGISTER: 5, INVITE: 10, OPTIONS: 10, SUBSCRIBE: 20 } as const;
const METHODS = Object.keys(RATES) as (keyof typeof RATES)[];
/**
 * Of N requests within `seconds` a limit of so many a minute lets through its burst and what comes back meanwhile; and one REGISTER
 * more, for the second after a challenge is part of the first.
 */
const passed = (rate: number, seconds: number): number => rate + Math.max(1, Math.ceil((rate * seconds) / 60));

async function inForce(): Promise<InForce> {
  const { stdout, stderr } = await house.router.run(['sipalg', 'status', '--json']);
  const { facts } = JSON.parse(stdout || `"${stderr}"`) as { facts: RouterFacts };
  const seen = facts.policy.state === 'present' ? facts.policy.value.inForce.all : facts.policy;
  if (seen.state !== 'present') throw new Error(JSON.stringify(seen));
  return seen.value as InForce;
}

attempts('reach a PBX at the configured rate, and no faster, each method and source by itself', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const began = Date.now();
  for (const source of SCANNERS.slice(0, 2)) {
    for (const method of METHODS) await house.scan({ methods: [method], count: 100, from: { address: source, port: 5061 } });
  }
  await house.scan({ methods: METHODS, count: 300, from: { address: SCANNER6, port: 5061 }, to: { address: ADDRESS6.phone2, port: 5060 } });
  const seconds = (Date.now() - began) / 1000;
  const heard = await pbx.heard();
  for (const source of [...SCANNERS.slice(0, 2), SCANNER6]) {
    for (const method of METHODS) {
      const count = heard[`${source} ${method}`] ?? 0;
      assert.ok(
        count >= RATES[method] && count <= passed(RATES[method], seconds),
        `${source} ${method}: ${count} reach the PBX in ${seconds} s`,
      );
    }
  }
  await pbx.end();
});

attempts('of a source that waits are heard again', async () => {
  await house.mustApply(configuration(`${PROVIDER}config limit 'limit'\n\toption register '60'\n`));
  const pbx = await house.pbx();
  await house.scan({ count: 200 });
  await wait(3000);
  const before = (await pbx.heard())[`${SCANNERS[0]} REGISTER`] ?? 0;
  await house.scan({ count: 10, from: { address: SCANNERS[0], port: 5070 } });
  const more = (await pbx.heard())[`${SCANNERS[0]} REGISTER`]! - before;
  assert.ok(before >= 60 && before <= 66, `${before}`);
  assert.ok(more >= 2 && more <= 6, `${more} after three seconds and something, one a second`);
  await pbx.end();
});

attempts('of a scanner that was answered once are limited too: its flow is established', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const { answered } = await house.scan({ methods: ['OPTIONS'], count: 400, from: { address: SCANNERS[2], port: 5062 } });
  assert.ok(answered >= 10 && answered <= 12, `${answered} answered, all in one flow`);
  await pbx.end();
});

attempts('from the provider and from the LAN are never limited', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const from = (address: string, to: string) => ({
    methods: METHODS,
    count: 900,
    from: { address, port: 5063 },
    to: { address: to, port: 5060 },
  });
  assert.equal(await house.scan(from(ADDRESS.provider, ADDRESS.wan)), { sent: 900, answered: 900 });
  assert.equal(await house.scan(from(ADDRESS6.provider, ADDRESS6.phone2)), { sent: 900, answered: 900 });
  for (const to of [ADDRESS.phone2, ADDRESS.wan]) {
    const lan = await scanFrom(house.phone, { role: 'scan', every: 10, batch: 5, ...from(ADDRESS.phone, to) });
    assert.equal(lan, { sent: 900, answered: 900 }, to); // the second by way of the router's own address (fw4's reflection)
  }
  const heard = await pbx.heard();
  assert.is(
    Object.entries(heard)
      .filter(([key]) => key.startsWith(ADDRESS.provider))
      .reduce((sum, [, count]) => sum + count, 0),
    900,
  );
  assert.equal((await inForce()).attempts, []);
  await pbx.end();
});

attempts('are limited whatever port was dialled and whatever it was translated to, and where no flow is kept', async () => {
  await house.mustApply(configuration(PROVIDER));
  await house.router.must(['nft', '-f', '-'], {
    input: `table inet owners {
    chain dialled { type nat hook prerouting priority -101; udp dport 15060 dnat ip to ${ADDRESS.phone2}:5060; udp dport 15070 dnat ip to ${ADDRESS.phone2}:5070; }
    chain untracked { type filter hook prerouting priority -300; ip saddr ${SCANNERS[2]} notrack; }
  }`,
  });
  const to = (port: number) => ({ address: ADDRESS.wan, port });
  for (const [nth, port] of [15060, 15070, 5060].entries())
    await house.scan({ methods: ['REGISTER'], count: 100, from: { address: SCANNERS[nth]!, port: 5065 }, to: to(port) });
  const { attempts: seen } = await inForce();
  for (const source of SCANNERS.slice(0, 3)) {
    const one = seen.find((each) => each.source === source);
    if (one === undefined) throw new Error(`${source} is not among ${JSON.stringify(seen)}`);
    assert.is(one.seen, 100, source);
    assert.ok(one.dropped >= 90 && one.dropped <= 95, `${source}: ${one.dropped} dropped`);
  }
});

attempts('of a call that has begun to ring are part of it', async () => {
  await house.mustApply(configuration());
  const pbx = await house.pbx();
  const ring = { methods: ['INVITE'], user: 'ring', from: { address: SCANNERS[1], port: 5064 } };
  assert.equal(await house.scan({ ...ring, count: 1 }), { sent: 1, answered: 1 });
  // Re-INVITEs, as of a call put on hold and back; each of a new dialog would be a new call, and the PBX's own matter.
  assert.equal(await house.scan({ ...ring, count: 100 }), { sent: 100, answered: 100 });
  const other = await house.scan({ ...ring, count: 100, from: { address: SCANNERS[1], port: 5065 }, user: 'x' });
  assert.ok(other.answered < 20, 'another flow of the same source is not');
  await pbx.end();
});

/** How many of so many datagrams from the internet come out at the PBX's address. */
async function arrived(from: { address: string; port: number }, datagrams: readonly (string | Buffer)[], port = 5060): Promise<number> {
  const [far, near] = await Promise.all([house.talker('provider'), house.talker('phone2')]);
  const there = await near.udp(ADDRESS.phone2, port);
  const here = await far.udp(from.address, from.port);
  try {
    for (const datagram of datagrams) await here.send(Buffer.from(datagram as string, 'latin1'), { address: ADDRESS.wan, port });
    let count = 0;
    while ((await there.next(300)) !== undefined) count++;
    return count;
  } finally {
    await Promise.all([here.close(), there.close()]);
  }
}

const headers = ['Via: SIP/2.0/UDP 203.0.113.66;branch=z9hG4bK-1', 'To: <sip:x@x>', 'From: <sip:y@y>;tag=1', 'Call-ID: 1', '', ''].join('\r\n');
const many = (start: string, count = 60): string[] =>
  Array.from({ length: count }, () => `${start} sip:x@203.0.113.20 SIP/2.0\r\n${headers}`);

/** More addresses of the internet. */
const ELSEWHERE = ['203.0.113.71', '203.0.113.72', '203.0.113.73', '203.0.113.74'] as const;

attempts('are all that the grammar makes one: any method, letter case, line ends before it; no keep-alive, no reply', async () => {
  await house.mustApply(configuration(PROVIDER));
  const stun = Buffer.concat([Buffer.from([0, 1, 0, 24, 0x21, 0x12, 0xa4, 0x42]), Buffer.alloc(36, 0x41)]);
  for (const [nth, one] of [
    '\r\n\r\n',
    '\r\n',
    '\0\0\0\0',
    Buffer.alloc(100),
    stun,
    Buffer.concat([Buffer.from([22, 0xfe, 0xfd]), Buffer.alloc(120, 0x41)]),
    'jaK',
    `SIP/2.0 200 OK\r\n${headers}`,
    `sip/2.0 180 Ringing\r\n${headers}`,
    `\r\nSIP/2.0 486 Busy Here\r\n${headers}`,
  ].entries())
    assert.is(await arrived({ address: SCANNERS[0], port: 7100 + nth }, Array.from({ length: 120 }, () => one)), 120, JSON.stringify(one));
  const quiet = await inForce();
  assert.equal(quiet.attempts, []);
  assert.is(quiet.counters.reduce((sum, { name, packets }) => sum + (/^(attempts|limited)_/.test(name) ? packets : 0), 0), 0);
  let port = 7000;
  const from = (nth: number) => ({ address: SCANNERS[nth % SCANNERS.length]!, port: port++ });
  const kinds: [string[], number][] = [
    [['REGISTER', '\r\nREGISTER', '\r\n\r\nREGISTER'], RATES.REGISTER],
    [['INVITE', '\r\n\r\nINVITE'], RATES.INVITE],
    [['\r\nOPTIONS'], RATES.OPTIONS],
    [
      ['SUBSCRIBE', 'PUBLISH', 'MESSAGE', 'NOTIFY', 'ACK', 'BYE', 'register', 'ReGiStEr', "x-%!'*~", '\r\n\r\n\r\nREGISTER', '\nINVITE'],
      RATES.SUBSCRIBE,
    ],
  ];
  for (const [nth, [starts, rate]] of kinds.entries()) {
    // Each of a kind takes from the one allowance of its source.
    const count = await arrived(from(nth), starts.flatMap((start) => many(start)));
    assert.ok(count >= rate && count <= rate + 2, `${JSON.stringify(starts)}: ${count} of ${60 * starts.length} arrive`);
  }
  const { counters } = await inForce();
  const counted = Object.fromEntries(counters.map(({ name, packets }) => [name, packets]));
  assert.equal(
    ['register', 'invite', 'options', 'other'].map((name) => counted[`attempts_${name}`]),
    kinds.map(([starts]) => starts.length * 60),
  );
  // And at ports that are none of SIP, where what is no SIP is left alone.
  for (const address of ELSEWHERE) await house.provider.must(['ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0']);
  await house.router.must(['nft', '-f', '-'], {
    input: `table inet owners {
    chain dialled { type nat hook prerouting priority -101; udp dport { 15070, 15071 } dnat ip to ${ADDRESS.phone2}; }
  }`,
  });
  for (const [nth, start] of ['SUBSCRIBE', '\r\nPUBLISH', 'subscribe', '\r\n\r\nOPTIONS'].entries()) {
    const from = { address: ELSEWHERE[nth]!, port: 7200 + nth };
    const count = await arrived(from, many(start), 15070);
    const rate = /OPTIONS/.test(start) ? RATES.OPTIONS : RATES.SUBSCRIBE;
    assert.ok(count >= rate && count <= rate + 2, `${JSON.stringify(start)}: ${count}`);
  }
  const game = Array.from({ length: 100 }, (_, nth) => `abcd${nth} is no request at all, sips: and sip: and SIP/2.0`);
  assert.is(await arrived({ address: ELSEWHERE[0], port: 5060 }, game, 15071), 100, 'from port 5060 too');
});

attempts('of a call are its methods alone: whoever rings has no other way past the limit', async () => {
  await house.mustApply(configuration());
  const pbx = await house.pbx();
  const from = { address: SCANNERS[1], port: 5064 };
  await house.scan({ methods: ['INVITE'], user: 'ring', count: 1, from });
  const of = async (method: string, count: number): Promise<number> => {
    const before = (await pbx.heard())[`${from.address} ${method}`] ?? 0;
    await house.scan({ methods: [method], user: 'ring', count, from });
    await wait(200);
    return ((await pbx.heard())[`${from.address} ${method}`] ?? 0) - before;
  };
  for (const method of ['ACK', 'BYE', 'CANCEL', 'PRACK', 'UPDATE', 'INFO']) assert.is(await of(method, 60), 60, method);
  for (const [method, rate] of [
    ['REGISTER', RATES.REGISTER],
    ['OPTIONS', RATES.OPTIONS],
    ['MESSAGE', RATES.SUBSCRIBE],
  ] as const) {
    const count = await of(method, 200);
    assert.ok(count >= rate && count <= rate + 2, `${count} of 200 ${method} beside a call that rings`);
  }
  const invites = await of('INVITE', 400);
  assert.ok(invites >= 100 && invites <= 115, `${invites} of 400 INVITE: ten times what a stranger may`);
  await pbx.end();
});

attempts('of phones behind one address are theirs, six that register at once, and those of a site', async () => {
  await house.mustApply(configuration(`config site 'branch'\n\tlist network '${SCANNERS[1]}'\n\tlist network '${SCANNER6}'\n`));
  const pbx = await house.pbx();
  const phones = [0, 1, 2, 3, 4, 5];
  const from = (nth: number) => ({ address: SCANNERS[0], port: 6100 + nth });
  // REGISTER, 401, REGISTER with the password, 200. The sixth of them comes again, as a phone does (RFC 3261, timer E).
  const registered = await Promise.all(
    phones.map(async (nth) => {
      for (let tries = 1; ; tries++) {
        const { replies } = await house.scan({ methods: ['REGISTER'], count: 1, password: 'right', from: from(nth) });
        if (replies?.['200'] === 1) return tries;
        if (tries === 3) return null;
      }
    }),
  );
  assert.ok(registered.every((tries) => tries !== null), JSON.stringify(registered));
  // From then on nothing of theirs is an attempt.
  const before = (await inForce()).counters.find(({ name }) => name === 'attempts_options')?.packets;
  for (const nth of phones) {
    const kept = await house.scan({ methods: ['OPTIONS', 'REGISTER', 'INVITE'], count: 120, from: from(nth) });
    assert.is(kept.answered, 120, `phone ${nth}`);
  }
  const { counters, attempts: seen } = await inForce();
  assert.is(counters.find(({ name }) => name === 'attempts_options')?.packets, before);
  assert.ok(seen.every(({ seen: count, dropped }) => count <= 7 && dropped <= 1), JSON.stringify(seen));
  // Somebody else behind that address has more than a stranger, and a limit.
  const other = await house.scan({ methods: ['REGISTER'], count: 300, from: { address: SCANNERS[0], port: 6200 } });
  assert.ok(other.answered > 40 && other.answered < 65, `${other.answered} of 300`);
  // Who is refused is not learnt, whatever else is asked meanwhile and answered.
  const guest = { address: SCANNERS[2], port: 6300 };
  for (let round = 0; round < 3; round++) await house.scan({ methods: ['OPTIONS', 'REGISTER'], count: 4, password: 'wrong', from: guest });
  const listed = await house.table();
  const granted = /set registered4 \{[^}]*\}/.exec(listed)?.[0] ?? '';
  assert.ok(granted.includes('203.0.113.66 . 6100') && !granted.includes(SCANNERS[2]), granted);
  const more = await house.scan({ methods: ['REGISTER'], count: 100, from: guest });
  assert.ok(more.answered <= 5, `${more.answered}`);
  // A site of one's own has no limit.
  const methods = ['REGISTER', 'OPTIONS', 'INVITE'];
  assert.equal(await house.scan({ methods, count: 300, from: { address: SCANNERS[1], port: 6400 } }), { sent: 300, answered: 300 });
  const six = { from: { address: SCANNER6, port: 6400 }, to: { address: ADDRESS6.phone2, port: 5060 } };
  assert.equal(await house.scan({ methods, count: 300, ...six }), { sent: 300, answered: 300 });
  await pbx.end();
});

attempts('of sources that nobody has fill the lists, which is said, and cost the registered nothing', async () => {
  await house.mustApply(configuration());
  const pbx = await house.pbx();
  const phone = { address: SCANNERS[0], port: 6500 };
  assert.is((await house.scan({ methods: ['REGISTER'], count: 1, password: 'right', from: phone })).replies?.['200'], 1);
  await flood(5000);
  const force = await inForce();
  const once = force.lists.find(({ name }) => name === 'once4');
  assert.ok(once !== undefined && once.entries > 4000 && once.most === 4096, JSON.stringify(force.lists));
  const { stdout } = await house.router.run(['sipalg', 'status']);
  assert.match(stdout, /lists? of the voice firewall rules (is|are) full/);
  // A stranger who asks once is gone soon, and one who comes again is not.
  assert.match(await house.table(), /set single_register4 \{[^}]*timeout 5m\s[^}]*elements = \{ [0-9.]+ counter packets 1 /);
  assert.is((await house.scan({ methods: ['OPTIONS'], count: 100, from: phone })).answered, 100);
  await pbx.end();
});

/** So many REGISTER, each from another address of 198.18.0.0/15 (RFC 2544), which nobody has. */
async function flood(count: number): Promise<void> {
  await house.provider.must(['perl', '-e', SPOOF, ADDRESS.wan, String(count)]);
}

const SPOOF = `use Socket; my ($to, $count) = @ARGV; socket(my $s, PF_INET, SOCK_RAW, 255) or die "raw: $!";
setsockopt($s, 0, 3, pack('i', 1)) or die;
my $body = "REGISTER sip:x\\@$to SIP/2.0\\r\\nVia: SIP/2.0/UDP x\\r\\nCSeq: 1 REGISTER\\r\\n\\r\\n"; my $len = 8 + length $body;
for my $n (0 .. $count - 1) { my $from = pack('C4', 198, 18, $n >> 8 & 255, $n & 255);
my $p = pack('CCnnnCCn', 0x45, 0, 20 + $len, $n & 65535, 0, 64, 17, 0) . $from . inet_aton($to) . pack('nnnn', 5060, 5060, $len, 0) . $body;
send($s, $p, 0, sockaddr_in(0, inet_aton($to))) or die "send: $!"; select(undef, undef, undef, 0.001) if $n % 20 == 0; }`;

attempts('are seen: sources, methods, counts, first and last', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const [first] = [Date.now()];
  await house.scan({ methods: ['REGISTER'], count: 50, from: { address: SCANNERS[0], port: 5061 } });
  await wait(2000);
  await house.scan({ methods: ['REGISTER', 'OPTIONS'], count: 100, from: { address: SCANNERS[0], port: 5066 } });
  await house.scan({
    methods: ['INVITE'],
    count: 30,
    from: { address: SCANNER6, port: 5061 },
    to: { address: ADDRESS6.phone2, port: 5060 },
  });
  const last = Date.now();
  const force = await inForce();
  const heard = await pbx.heard();
  const of = (source: string, method: string): Attempt => {
    const found = force.attempts.find((each) => each.source.startsWith(source) && each.method === method);
    if (found === undefined) throw new Error(`${source} ${method} is not among ${JSON.stringify(force.attempts)}`);
    return found;
  };
  for (const [source, method, seen] of [
    [SCANNERS[0], 'REGISTER', 100],
    [SCANNERS[0], 'OPTIONS', 50],
    ['2001:db8:113::', 'INVITE', 30],
  ] as const) {
    const one = of(source, method);
    const through = heard[`${source === '2001:db8:113::' ? SCANNER6 : source} ${method}`] ?? 0;
    assert.equal([one.seen, one.dropped], [seen, seen - through], `${source} ${method}`);
  }
  const one = of(SCANNERS[0], 'REGISTER');
  assert.ok(Math.abs((one.first ?? 0) - first) < 2500, `first seen ${one.first}, begun ${first}`);
  assert.ok(Math.abs((one.last ?? 0) - last) < 2500, `last seen ${one.last}, ended ${last}`);
  assert.ok((one.last ?? 0) - (one.first ?? 0) >= 1500);
  const counter = (name: string): number => force.counters.find((each) => each.name === name)?.packets ?? NaN;
  assert.is(counter('limited_register'), one.dropped);
  assert.is(counter('limited_options'), of(SCANNERS[0], 'OPTIONS').dropped);
  // What has been counted outlives a change of the rules.
  await house.mustApply(configuration(`${PROVIDER}config timeouts 'timeouts'\n\toption media '333'\n`));
  assert.equal(
    (await inForce()).attempts.map(({ source, method, seen, dropped }) => [source, method, seen, dropped]).sort(),
    force.attempts.map(({ source, method, seen, dropped }) => [source, method, seen, dropped]).sort(),
  );
  await pbx.end();
});

/** Lets TCP through to the PBX, over IPv6. */
function allowTcp(): void {
  house.files.write(
    '/etc/config/firewall',
    `${house.files.read('/etc/config/firewall')}
config rule 'pbx6tcp'
	option src 'wan'
	option dest 'lan'
	option family 'ipv6'
	option proto 'tcp'
	option dest_ip '${ADDRESS6.phone2}'
	option dest_port '5060'
	option target 'ACCEPT'
`,
  );
}

/** Opens connections one after the other and says how many were taken within half a second each. */
const KNOCK = `const [from, to, count] = process.argv.slice(1); const { connect } = require('net'); let [left, taken] = [Number(count), 0];
const next = () => { if (left-- === 0) { console.log(taken); return; } let over = false; const socket = connect({ host: to, port: 5060, localAddress: from });
const end = (good) => { if (over) return; over = true; taken += good; socket.destroy(); next(); }; socket.on('connect', () => end(1)); socket.on('error', () => end(0)); setTimeout(() => end(0), 500); }; next();`;

attempts('over TCP are limited as connections, by the sum of the three rates', async () => {
  allowTcp();
  await house.router.must(['fw4', '-q', 'reload']);
  await house.mustApply(
    configuration(`${PROVIDER}config limit 'limit'\n\toption register '2'\n\toption invite '3'\n\toption options '4'\n`),
  );
  const listener = await (await house.talker('phone2')).listen(ADDRESS6.phone2, 5060);
  const knock = async (from: string): Promise<number> =>
    Number(await house.provider.must([process.execPath, '-e', KNOCK, from, ADDRESS6.phone2, '20']));
  const taken = await knock(SCANNER6);
  assert.ok(taken >= 9 && taken <= 11, `${taken} of 20 connections of a stranger were taken`);
  assert.is(await knock(ADDRESS6.provider), 20);
  const one = (await inForce()).attempts.find(({ method }) => method === 'TCP');
  assert.ok(one !== undefined && one.dropped > 0 && one.source.startsWith('2001:db8:113::'), JSON.stringify(one));
  await listener.close();
});

/** Writes so many bytes into one connection, as quickly as it takes them, for so many milliseconds. */
const POUR = `const [from, to, count, time] = process.argv.slice(1); const { connect } = require('net'); let left = Number(count);
const socket = connect({ host: to, port: 5060, localAddress: from }); setTimeout(() => process.exit(0), Number(time));
const more = () => { while (left > 0) { left -= 1000; if (!socket.write(Buffer.alloc(1000, 65))) return; } };
socket.on('connect', more).on('drain', more).on('error', () => {});`;

attempts('over TCP are limited by the bytes of a source, and no provider is', async () => {
  allowTcp();
  await house.router.must(['fw4', '-q', 'reload']);
  await house.mustApply(configuration(PROVIDER));
  const sink = house.phone2.spawn([
    process.execPath,
    '-e',
    `const n = {}; const count = (from) => (d) => (n[from] = (n[from] ?? 0) + d.length);
require('net').createServer((s) => s.on('data', count(s.remoteAddress)).on('error', () => {}))
.listen(5060, '::', () => console.log('ready')); process.stdin.on('data', (d) => console.log(n[String(d).trim()]));`,
  ]);
  const said = (): Promise<string> =>
    new Promise((resolve) => sink.child.stdout.once('data', (data: Buffer) => resolve(String(data).trim())));
  await said();
  const pour = async (from: string): Promise<number> => {
    await house.provider.must([process.execPath, '-e', POUR, from, ADDRESS6.phone2, '400000', '4000'], { timeout: 20_000 });
    const answer = said();
    sink.child.stdin.write(`${from}\n`);
    return Number(await answer);
  };
  const stranger = await pour(SCANNER6);
  // The bucket is what a burst and a second hold, and fills at 2 kB a second.
  assert.ok(stranger > 10_000 && stranger < 50_000, `${stranger} bytes of a stranger arrive in 4 s`);
  assert.is(await pour(ADDRESS6.provider), 400_000);
  const counter = (await inForce()).counters.find(({ name }) => name === 'limited_kilobytes');
  assert.ok((counter?.packets ?? 0) > 0);
  sink.signal('SIGKILL');
  await sink.ended;
});

/** The audio of 20 calls, numbered, each on ports of its own. */
const AUDIO: readonly Stream[] = Array.from({ length: 20 }, (_, at) => ({
  name: `rtp-${at}`,
  kind: 'rtp',
  every: 20,
  size: 172,
  near: { address: ADDRESS.phone, port: 14000 + 2 * at },
  far: { address: ADDRESS.provider, port: 24000 + 2 * at },
}));

attempts('by the ten thousand cost 20 calls not one packet', async () => {
  await house.mustApply(configuration(PROVIDER));
  const pbx = await house.pbx();
  const audio = await startTraffic(house, AUDIO);
  const calls = placeCalls(house, { calls: 20, atOnce: 20, talk: 6000 });
  await wait(1500);
  const began = Date.now();
  const floods = await Promise.all([
    house.scan({ methods: METHODS, count: 5000, every: 5, batch: 10, from: { address: SCANNERS[0], port: 5061 } }),
    house.scan({ methods: METHODS, count: 4000, every: 5, batch: 8, from: { address: SCANNERS[1], port: 5061 } }),
    house.scan({
      methods: METHODS,
      count: 1000,
      every: 5,
      batch: 2,
      from: { address: SCANNER6, port: 5061 },
      to: { address: ADDRESS6.phone2, port: 5060 },
    }),
  ]);
  const seconds = (Date.now() - began) / 1000;
  assert.is(
    floods.reduce((sum, { sent }) => sum + sent, 0),
    10_000,
  );
  const placed = await calls;
  const fates = await audio.stop();
  assert.equal([placed.succeeded, placed.failed], [20, 0], placed.said);
  assert.is(placed.retransmitted, 0, placed.said);
  assert.is(fates.length, 40);
  for (const { name, direction, sent, lost } of fates) assert.ok(sent > 100 && lost === 0, `${name} ${direction}: ${lost} of ${sent} lost`);
  const heard = Object.values(await pbx.heard()).reduce((sum, count) => sum + count, 0);
  const most = 3 * METHODS.reduce((sum, method) => sum + passed(RATES[method], seconds), 0);
  assert.ok(heard <= most, `${heard} of 10,000 requests reached the PBX in ${seconds} s; ${most} may`);
  const { counters } = await inForce();
  const dropped = counters.filter(({ name }) => /^limited_/.test(name)).reduce((sum, { packets }) => sum + packets, 0);
  assert.is(dropped, 10_000 - heard);
  await pbx.end();
});

attempts.run();
