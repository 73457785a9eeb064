import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { probeProvider } from '../../../src/probe/provider/probe.ts';
import type { Here, ProviderProbe } from '../../../src/probe/provider/result.ts';
import { readTarget } from '../../../src/probe/provider/target.ts';
import type { Target } from '../../../src/probe/provider/target.ts';
import { providerText } from '../../../src/cli/probe-far-text.ts';
import { saying } from '../../saying.ts';
import { answering, kernelAlg, LOCAL, namesOf, PUBLIC, SERVER, through, World } from './world.ts';

const COMPUTER: Here = { kind: 'computer', alg: null };

async function probed(
  world: World,
  more: { target?: string; here?: Here; silence?: number[]; names?: ReturnType<typeof namesOf> } = {},
): Promise<ProviderProbe> {
  const target = readTarget(more.target ?? SERVER);
  assert.not.ok('wrong' in target);
  const { network, clock } = world;
  const doors = { network, clock, names: more.names ?? namesOf({}), here: more.here ?? COMPUTER, version: '1.2.3', goOn: () => world.goOn };
  const result = await through(world, probeProvider(doors, target as Target, more.silence ?? []));
  assert.is(world.open, 0, 'every socket is closed');
  return result;
}

const provider = suite('probe --provider');

provider('sees no ALG where address and port are translated and the text is not', async () => {
  const world = new World();
  const { verdict, where, reasons, sourcePort, fragments, reach, messages } = await probed(world);
  assert.equal([verdict, where], ['unchanged', null]);
  assert.match(reasons[1]!.text, `The server saw ${PUBLIC}:40000, where this machine has ${LOCAL}:40000`);
  assert.equal([sourcePort.state, fragments.state], ['kept', 'arrive']);
  assert.equal(
    reach.map(({ over, state }) => `${over} ${state}`),
    ['udp answered', 'tcp answered', 'tls answered'],
  );
  assert.is(messages, world.sent.length);
  assert.ok(messages <= 10, `it sent ${messages} messages`);
  // To the host that was named, and nobody else, under one name.
  assert.equal([...new Set(world.sent.map(({ to }) => to.address))], [SERVER]);
  assert.ok(world.sent.every(({ text }) => text.includes('\r\nUser-Agent: sipalg-probe/1.2.3\r\n')));
});

provider("finds the kernel's ALG by what it puts back too far", async () => {
  const world = new World();
  kernelAlg(world);
  const { verdict, where, reasons, sourcePort } = await probed(world);
  assert.equal([verdict, where], ['rewritten', 'on the way']);
  const all = reasons.map(({ text }) => text).join('\n');
  assert.match(all, `Over UDP From was sent as ${PUBLIC}:40000 and came back as ${LOCAL}:40000`);
  assert.match(all, `${LOCAL}:40000 where Via named the socket, ${PUBLIC}:40000 where it named a host`);
  assert.match(all, `the same server saw ${PUBLIC}. It cannot have seen the first.`);
  assert.is(sourcePort.state, 'kept', 'told by the question that the ALG leaves alone');
});

provider('finds an ALG that puts nothing back, by what the answer has to repeat', async () => {
  for (const [name, field] of [
    ['Via', 'Via sent-by'],
    ['From', 'From'],
    ['Call-ID', 'Call-ID'],
  ]) {
    const world = new World();
    world.there = (text) => text.replace(new RegExp(`^${name}: .*$`, 'm'), (one) => one.split(LOCAL).join(PUBLIC));
    const { verdict, reasons } = await probed(world);
    assert.is(verdict, 'rewritten', name);
    assert.ok(reasons[0]!.text.startsWith(`Over UDP ${field} was sent as `));
  }
});

provider('finds one over TCP, where UDP is clean', async () => {
  const world = new World();
  kernelAlg(world, ['tcp']);
  const { verdict, reasons } = await probed(world);
  assert.is(verdict, 'rewritten');
  assert.ok(reasons[0]!.text.startsWith('Over TCP '));
});

provider('says where: beyond a router whose own ALG is off, and no further than is known', async () => {
  for (const [alg, where] of [
    ['off', 'beyond'],
    ['rewriting', 'here or beyond'],
    ['tracking', 'here or beyond'],
    ['unknown', 'here or beyond'],
  ] as const) {
    const world = new World();
    kernelAlg(world);
    assert.is((await probed(world, { here: { kind: 'router', alg } })).where, where, alg);
  }
  // What a router sends itself does not meet its own ALG.
  const { verdict, reasons } = await probed(new World(), { here: { kind: 'router', alg: 'rewriting' } });
  assert.is(verdict, 'unchanged');
  assert.match(reasons.map(({ text }) => text).join('\n'), 'This is about what lies beyond this router: its own ALG');
});

provider('makes nothing of what a server changes itself, as TLS shows', async () => {
  const world = new World();
  world.serve = answering({ edit: (text) => text.replace(/^From: .*$/m, 'From: <sip:somebody@198.51.100.5>;tag=x') });
  const { verdict, reasons } = await probed(world);
  assert.is(verdict, 'unchanged');
  assert.match(reasons.map(({ text }) => text).join('\n'), 'The server itself does not repeat From as it was sent, over TLS too');
  // Without that witness it is what RFC 3261 forbids a server.
  const blind = new World();
  blind.serve = world.serve;
  blind.connect = (over) => (over === 'tls' ? { because: 'nobody listens there', refused: true } : null);
  assert.is((await probed(blind)).verdict, 'rewritten');
});

provider('takes a private address that is another one for a load balancer of the provider', async () => {
  const world = new World();
  world.serve = answering({ sees: ({ port }) => ({ address: '10.0.0.5', port }) });
  assert.is((await probed(world)).verdict, 'unchanged');
});

provider('does not take a way without translation for an ALG, nor the other way round', async () => {
  // A server within the same network sees the true address.
  const inside = new World();
  inside.translate = (local) => local;
  const near = await probed(inside, { target: '192.168.1.5' });
  assert.is(near.verdict, 'unchanged');
  assert.match(near.reasons[1]!.text, 'none is translated on the way');
  // A server of the internet that says it saw a private one, over every way there is.
  const far = new World();
  far.translate = (local) => local;
  const { verdict, reasons } = await probed(far);
  assert.is(verdict, 'inconclusive');
  assert.match(reasons[0]!.text, 'Either no address is translated on the way (a private line, a VPN), or an ALG edits the answers');
  // And one that says so over UDP alone.
  const split = new World();
  split.serve = (text, from, over) => answering(over === 'udp' ? { sees: ({ port }) => ({ address: LOCAL, port }) } : {})(text, from, over);
  const told = await probed(split);
  assert.is(told.verdict, 'rewritten');
  assert.match(told.reasons[0]!.text, 'It cannot have seen the first.');
});

provider('claims nothing where the server does not say what it saw', async () => {
  const world = new World();
  kernelAlg(world);
  world.serve = answering({ received: 'never', rport: false });
  const never = await probed(world);
  assert.is(never.verdict, 'inconclusive');
  assert.match(never.reasons[0]!.text, 'no `received` in its answers');
  assert.is(never.sourcePort.state, 'unknown');
  // RFC 3261 alone: rewritten, Via and source agree, and it says nothing.
  const old = new World();
  kernelAlg(old);
  old.serve = answering({ received: 'rfc3261', rport: false });
  const { verdict, reasons } = await probed(old);
  assert.is(verdict, 'inconclusive');
  assert.match(reasons[0]!.text, 'only where Via named a host');
});

provider('does not call silence an ALG', async () => {
  const silent = new World();
  silent.serve = () => null;
  const nothing = await probed(silent);
  assert.is(nothing.verdict, 'inconclusive');
  assert.match(nothing.reasons[0]!.text, 'No question was answered');
  assert.equal(
    nothing.reach.map(({ state }) => state),
    ['silent', 'connected', 'connected'],
  );
  // Only what names the address is dropped.
  const dropping = new World();
  dropping.there = (text, { address }) => (text.includes(address) ? null : text);
  dropping.connect = () => ({ because: 'no connection within 8 s' });
  const { verdict, reasons, reach } = await probed(dropping);
  assert.is(verdict, 'inconclusive');
  assert.match(reasons[0]!.text, 'was never answered, while one with a host name in its place was');
  assert.equal(
    reach.map(({ state }) => state),
    ['answered', 'silent', 'silent'],
  );
  // By IPv4, while a server of the same name answers everything by IPv6.
  const half = new World();
  half.there = (text, { address }) => (address === LOCAL && text.includes(address) ? null : text);
  const halves = await probed(half, { target: 'example.com', names: namesOf(BOTH) });
  assert.is(halves.verdict, 'inconclusive');
  assert.match(halves.reasons[0]!.text, 'was never answered, while one with a host name in its place was');
  // UDP alone is closed.
  const closed = new World();
  closed.there = (text, _local, _outside, over) => (over === 'udp' ? null : text);
  assert.match((await probed(closed)).reasons[0]!.text, 'over TCP and TLS the provider answers');
});

provider('tells what the network says from silence, and TLS that is no good', async () => {
  const world = new World();
  world.icmp = (text) => (text.includes('SIP/2.0/UDP') ? 'nobody listens there (connection refused)' : null);
  world.connect = (over) => (over === 'tcp' ? { because: 'nobody listens there (connection refused)', refused: true } : null);
  world.certificate = 'self-signed certificate';
  const { reach } = await probed(world);
  assert.equal(
    reach.map(({ over, state, says, certificate }) => [over, state, says.text, certificate]),
    [
      ['udp', 'no', 'Nobody listens there (connection refused).', undefined],
      ['tcp', 'no', 'Nobody listens there (connection refused).', undefined],
      ['tls', 'answered', '404 Not Found by test.', 'self-signed certificate'],
    ],
  );
  const flawed = providerText(await probed(Object.assign(new World(), { certificate: 'self-signed certificate' })));
  assert.match(flawed.replace(/\s+/g, ' '), 'Its certificate is not good for the name (self-signed certificate).');
});

provider('leaves a server alone that asks for it', async () => {
  const world = new World();
  world.serve = answering({ status: '503 Service Unavailable', more: ['Retry-After: 120 (busy)'] });
  const { reasons, messages, fragments } = await probed(world);
  assert.ok(messages <= 3, `one over each transport at most, and ${messages} were sent`);
  assert.match(reasons.at(-1)!.text, 'asked to be left alone for 120 s (503 Service Unavailable)');
  assert.is(fragments.state, 'unknown');
});

provider('tells lost fragments from a server that takes no long question, or has had enough', async () => {
  const lost = new World();
  lost.there = (text) => (text.length > 1472 ? null : text);
  const { fragments, verdict } = await probed(lost);
  assert.equal([fragments.state, verdict], ['lost', 'unchanged']);
  const short = new World();
  short.there = (text) => (text.length > 1000 ? null : text);
  assert.match((await probed(short)).fragments.says.text, 'takes no long ones');
  const enough = new World();
  let left = 5; // over UDP; the long one is the last that it answers not
  enough.serve = (text, from, over) => (over !== 'udp' || (text.length < 1500 && left-- > 0) ? answering()(text, from, over) : null);
  left = 4;
  assert.match((await probed(enough)).fragments.says.text, 'no longer answered short questions');
});

provider('says where the source port is not kept', async () => {
  const world = new World();
  world.translate = ({ port }) => ({ address: PUBLIC, port: port + 20_000 });
  const { sourcePort, verdict } = await probed(world);
  assert.equal([sourcePort.state, sourcePort.local, sourcePort.seen, verdict], ['changed', 40_000, 60_000, 'unchanged']);
});

provider('measures how long a silent way back lives, by sockets that say nothing', async () => {
  const world = new World();
  world.life = 90_000;
  const { binding } = await probed(world, { silence: [30, 60, 120, 300] });
  assert.equal([binding.state, binding.least, binding.most], ['measured', 60, 120]);
  assert.equal(
    binding.tries.map(({ open }) => open),
    [true, true, false, false],
  );
  assert.ok(world.clock.now() < 340_000, `all at once, in ${world.clock.now()} ms`);
  const long = new World();
  assert.equal((({ least, most }) => [least, most])((await probed(long, { silence: [30, 300] })).binding), [300, null]);
  const short = new World();
  short.life = 5000;
  assert.equal((({ least, most }) => [least, most])((await probed(short, { silence: [30, 60] })).binding), [null, 30]);
});

provider('measures nothing with a server that answers to the source port alone, or stops answering', async () => {
  const forced = new World();
  forced.serve = answering({ force: true });
  const one = await probed(forced, { silence: [1] });
  assert.equal([one.binding.state, one.binding.least, one.binding.most], ['unknown', null, null]);
  assert.match(one.binding.says.text, 'answers to where a question came from');
  // After a while it bans who asks: what does not come then is no sign of the way back.
  const banning = new World();
  const { serve } = banning;
  banning.serve = (text, from, over) => (banning.clock.now() < 20_000 ? serve(text, from, over) : null);
  const two = await probed(banning, { silence: [30] });
  assert.is(two.binding.state, 'unknown');
  assert.match(two.binding.says.text, 'no longer answered in the way it did at first');
});

provider('asks the next server of a name where the first is silent, and none that is not published', async () => {
  const names = namesOf({
    'SRV _sip._udp.example.com': [
      { priority: 20, weight: 0, port: 5070, target: 'two.example.com' },
      { priority: 10, weight: 0, port: 5060, target: 'one.example.com' },
    ],
    'A one.example.com': [{ address: '198.51.100.1' }],
    'A two.example.com': [{ address: '198.51.100.2' }],
  });
  const world = new World();
  const serve = world.serve;
  world.serve = (text, from, over) => (world.sent.at(-1)!.to.address === '198.51.100.1' ? null : serve(text, from, over));
  const { verdict, reach } = await probed(world, { target: 'example.com', names });
  assert.is(verdict, 'unchanged');
  assert.equal(
    reach.map(({ over, state, server }) => [over, state, server?.port]),
    [
      ['udp', 'answered', 5070],
      ['tcp', 'unpublished', undefined],
      ['tls', 'unpublished', undefined],
    ],
  );
  assert.ok(world.sent.every(({ over, text }) => over === 'udp' && text.startsWith('OPTIONS sip:example.com SIP/2.0\r\n')));
});

provider('says that a name leads nowhere, and why', async () => {
  try {
    await probed(new World(), {
      target: 'example.com',
      names: namesOf({ 'A example.com': 'example.com: 192.0.2.1: no answer within 1500 ms' }),
    });
    assert.unreachable();
  } catch (error) {
    assert.ok(saying('no server of example.com was found: example.com: 192.0.2.1: no answer within 1500 ms;')(error as Error));
  }
});

provider('needs no look at UDP where a provider has TLS alone', async () => {
  const names = namesOf({
    'NAPTR example.com': [{ order: 1, preference: 1, flags: 's', service: 'SIPS+D2T', regexp: '', replacement: '_sips._tcp.example.com' }],
    'SRV _sips._tcp.example.com': [{ priority: 1, weight: 1, port: 5061, target: 'one.example.com' }],
    'A one.example.com': [{ address: SERVER }],
  });
  const { verdict, summary } = await probed(new World(), { target: 'example.com', names });
  assert.equal([verdict, summary.text], ['unchanged', 'No SIP ALG can touch what is said between this computer and example.com.']);
});

provider('ends soon where it is told to stop', async () => {
  const world = new World();
  world.serve = () => null;
  world.clock.after(1000, () => (world.goOn = false));
  await probed(world, { silence: [300] });
  assert.ok(world.clock.now() <= 6000, `it took ${world.clock.now()} ms`);
});

provider('says that this engine lacks a transport, with what to install', async () => {
  const world = new World();
  world.lacking = (over) => (over === 'tcp' ? null : `Not tried: install socat for ${over}.`);
  const { reach, verdict } = await probed(world);
  assert.equal(
    reach.map(({ over, state, says }) => [over, state, says.text]),
    [
      ['udp', 'not here', 'Not tried: install socat for udp.'],
      ['tcp', 'answered', '404 Not Found by test.'],
      ['tls', 'not here', 'Not tried: install socat for tls.'],
    ],
  );
  assert.is(verdict, 'inconclusive', 'phones use UDP, and nothing was looked at there');
});

const SIX = '2001:db8:5::5';
const BOTH = { 'A example.com': [{ address: SERVER }], 'AAAA example.com': [{ address: SIX }] };
const byFamily = ({ reachByFamily }: ProviderProbe): string[] =>
  reachByFamily.map(({ over, family, state, server }) => `${over} ${family} ${state} ${server?.address}`);

provider('asks by both families where the provider has both, and says of each what came of it', async () => {
  const world = new World();
  const both = await probed(world, { target: 'example.com', names: namesOf(BOTH) });
  assert.equal(byFamily(both), [
    `udp ipv4 answered ${SERVER}`,
    `udp ipv6 answered ${SIX}`,
    `tcp ipv4 answered ${SERVER}`,
    `tcp ipv6 answered ${SIX}`,
    `tls ipv4 answered ${SERVER}`,
    `tls ipv6 answered ${SIX}`,
  ]);
  assert.equal([both.verdict, both.reach.length, both.reach[0]?.server?.address], ['unchanged', 3, SERVER]);
  assert.match(both.reasons.map(({ text }) => text).join('\n'), 'Over UDP the provider answers by IPv4 and by IPv6 alike.');
  assert.ok(both.messages <= 16, `${both.messages}`);
  assert.match(providerText(both), `UDP  [${SIX}]:5060`);
  // An address has one family, and nothing is said of another.
  assert.equal(byFamily(await probed(new World())), []);
});

provider('says where a family has no way here, and that nothing is known of IPv4 where IPv6 alone is answered', async () => {
  const without = new World();
  without.refuse = ({ address }) => (address.includes(':') ? 'no way to that network' : null);
  const four = await probed(without, { target: 'example.com', names: namesOf(BOTH) });
  assert.equal([four.verdict, byFamily(four).slice(0, 2)], ['unchanged', [`udp ipv4 answered ${SERVER}`, `udp ipv6 no ${SIX}`]]);
  const reasons = four.reasons.map(({ text }) => text).join('\n');
  assert.match(reasons, 'By IPv6: No socket: no way to that network. A phone with IPv6 may try that first');
  const silent = new World();
  silent.there = (text, { address }) => (address.includes(':') ? text : null);
  const six = await probed(silent, { target: 'example.com', names: namesOf(BOTH) });
  assert.equal(
    six.reach.map(({ over, state, server }) => `${over} ${state} ${server?.address}`),
    [`udp answered ${SIX}`, `tcp answered ${SIX}`, `tls answered ${SERVER}`],
  );
  assert.match(six.reasons.map(({ text }) => text).join('\n'), 'of IPv4 nothing is known');
});

provider.run();
