/** What counts as a request, who is limited however he begins it, and who never is. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { allowTcp, configuration, inForceOf, openHouse, PROVIDER, RATES, SCANNER6, SCANNERS, wait } from './router.ts';
import type { House } from './router.ts';

const limits = suite('the limit');
let house: House;
limits.before.each(async () => {
  house = await openHouse();
});
limits.after.each(() => house.close());

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

limits('counts all that the grammar makes a request: any method, letter case, line ends before it; no keep-alive, no reply', async () => {
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
  const quiet = await inForceOf(house);
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
  const { counters } = await inForceOf(house);
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

limits('spares of a call its methods alone: whoever rings has no other way past the limit', async () => {
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
  // So is a call that is taken without ringing.
  const taken = { user: 'taken', from: { address: SCANNERS[2], port: 5066 } };
  await house.scan({ methods: ['INVITE'], count: 1, ...taken });
  await house.scan({ methods: ['ACK', 'BYE'], count: 80, ...taken });
  assert.is((await pbx.heard())[`${SCANNERS[2]} BYE`], 40);
  await pbx.end();
});

limits('spares phones behind one address, six that register at once, and those of a site', async () => {
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
  const before = (await inForceOf(house)).counters.find(({ name }) => name === 'attempts_options')?.packets;
  for (const nth of phones) {
    const kept = await house.scan({ methods: ['OPTIONS', 'REGISTER', 'INVITE'], count: 120, from: from(nth) });
    assert.is(kept.answered, 120, `phone ${nth}`);
  }
  const { counters, attempts: seen } = await inForceOf(house);
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

limits('says when its lists are full of sources that nobody has, which costs the registered nothing', async () => {
  await house.mustApply(configuration());
  const pbx = await house.pbx();
  const phone = { address: SCANNERS[0], port: 6500 };
  assert.is((await house.scan({ methods: ['REGISTER'], count: 1, password: 'right', from: phone })).replies?.['200'], 1);
  await flood(5000);
  const force = await inForceOf(house);
  const once = force.lists.find(({ name }) => name === 'once4');
  assert.ok(once !== undefined && once.entries > 4000 && once.most === 4096, JSON.stringify(force.lists));
  const { stdout } = await house.router.run(['sipalg', 'status']);
  assert.match(stdout.replace(/\s+/g, ' '), /lists? of the voice firewall rules (is|are) full/);
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

/** Writes so many bytes into one connection, as quickly as it takes them, for so many milliseconds. */
const POUR = `const [from, to, count, time] = process.argv.slice(1); const { connect } = require('net'); let left = Number(count);
const socket = connect({ host: to, port: 5060, localAddress: from }); setTimeout(() => process.exit(0), Number(time));
const more = () => { while (left > 0) { left -= 1000; if (!socket.write(Buffer.alloc(1000, 65))) return; } };
socket.on('connect', more).on('drain', more).on('error', () => {});`;

limits('holds over TCP for the bytes of a source, and for no provider', async () => {
  allowTcp(house);
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
  const counter = (await inForceOf(house)).counters.find(({ name }) => name === 'limited_kilobytes');
  assert.ok((counter?.packets ?? 0) > 0);
  sink.signal('SIGKILL');
  await sink.ended;
});

limits.run();
