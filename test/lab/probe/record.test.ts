/** What nft's own sets have recorded at both sides of a router with the kernel's real ALG, against what the ends sent and got. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clearLeft, unmake, writeMade, NOTHING } from '../../../src/probe/record/made.ts';
import type { Recorded } from '../../../src/probe/record/recorded.ts';
import { startRecorder } from '../../../src/probe/record/recorder.ts';
import type { Tap } from '../../../src/probe/record/taps.ts';
import { openLab, type Delivery, type Lab } from '../lab.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { routerHost } from '../router-host.ts';

const record = suite<{ lab: Lab }>('messages recorded by sets of nft');
record.before(async (context) => {
  context.lab = await openLab();
});
record.after(({ lab }) => lab.close());

const tap = (name: string, device: string, hook: Tap['hook'], more: Partial<Tap> = {}): Tap => ({
  name,
  device,
  hook,
  family: 'ip',
  transport: 'udp',
  matches: ['udp dport 5060', 'udp sport 5060'],
  ...more,
});

const BOTH = [
  tap('lanin', 'br-lan', 'ingress'),
  tap('lanout', 'br-lan', 'egress'),
  tap('wanin', 'wan', 'ingress'),
  tap('wanout', 'wan', 'egress'),
];

const OPTIONS = { messages: 128, seconds: 60 };
/** Of this machine's kernel everything, and of an older one the beginning. */
const KERNELS = ['6.18.0', '6.12.117'] as const;

const text = ({ bytes }: Recorded): string => Buffer.from(bytes).toString('latin1');
const at = (messages: readonly Recorded[], name: string): Recorded[] => messages.filter((one) => one.tap === name);

for (const kernel of KERNELS) {
  record(`are what was sent and what arrived, byte for byte, of any length: kernel ${kernel}`, async ({ lab }) => {
    const host = routerHost(lab);
    const recorder = await startRecorder(host, 'test', BOTH, { ...OPTIONS, kernel });
    const most = kernel.startsWith('6.12') ? 256 : 1500;
    assert.is(recorder.bytes, most);
    const deliveries: Delivery[] = [];
    deliveries.push(await lab.sendInvite({ from: 'phone', to: 'provider', callId: `k-${kernel}` }));
    // Every remainder of 32, and keep-alives of a few bytes.
    for (let length = 1; length <= 66; length++) {
      const bytes = Buffer.from(`${'x'.repeat(length - 1)}${length % 10}`);
      deliveries.push(await lab.send(bytes, { from: 'phone', to: 'provider' }));
    }
    const provider = await (await lab.talker('provider')).udp(ADDRESS.provider, 5060);
    await provider.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'), { address: ADDRESS.wan, port: 5060 });
    await provider.close();
    const { messages, packets, unclear } = await recorder.read();
    assert.is(unclear, 0);
    const [before, after] = [at(messages, 'lanin'), at(messages, 'wanout')];
    assert.is(packets.get('lanin'), 67);
    assert.is(before.length, 67);
    assert.is(after.length, 67);
    // Of one that is longer than can be recorded, whole chunks of 32.
    const cut = (bytes: Buffer): string => bytes.toString('latin1').slice(0, bytes.length > most ? most - (most % 32) : most);
    const sorted = (texts: string[]): string[] => [...texts].sort();
    const out = deliveries.slice(0, 67);
    assert.equal(sorted(before.map(text)), sorted(out.map(({ sent }) => cut(sent))));
    assert.equal(sorted(after.map(text)), sorted(out.map(({ arrived }) => cut(arrived!))));
    const invite = after.find((one) => text(one).startsWith('INVITE'))!;
    assert.is(invite.length, out[0]!.arrived!.length);
    assert.ok(text(invite).includes(`Via: SIP/2.0/UDP ${ADDRESS.wan}:5060`));
    assert.equal(
      [invite.from, invite.to],
      [
        { address: ADDRESS.wan, port: 5060 },
        { address: ADDRESS.provider, port: 5060 },
      ],
    );
    // In the order of their coming, as far as the kernel's clock tells: the INVITE began.
    assert.ok(
      text(before[0]!).startsWith('INVITE') || before[0]!.expires + 20 > before.find((one) => text(one).startsWith('INVITE'))!.expires,
    );
    assert.is(at(messages, 'wanin').length, 1);
    assert.equal(await recorder.close(), []);
    assert.not.ok((await lab.router.must(['nft', 'list', 'tables'])).includes('sipalg_test'));
    assert.equal(
      lab.files.list('/var/run').filter((name) => name.startsWith('sipalg.made')),
      [],
    );
  });
}

record('are never more or other than what was sent, around what an older kernel can record', async ({ lab }) => {
  const recorder = await startRecorder(routerHost(lab), 'test', [tap('out', 'wan', 'egress')], { ...OPTIONS, kernel: '6.6.93' });
  const sent = Array.from({ length: 30 }, (_, index) => Buffer.from(`${index}`.padEnd(236 + index, 'abcdefg')));
  for (const bytes of sent) await lab.send(bytes, { from: 'phone', to: 'provider' });
  const { messages, unclear } = await recorder.read();
  assert.equal([messages.length, unclear], [30, 0]);
  for (const message of messages) {
    const whole = sent.find(({ length }) => length === message.length)!.toString('latin1');
    assert.is(text(message), whole.slice(0, message.bytes.length));
    // All of it up to 248 bytes; up to 256 as far as pieces of it begin in reach.
    assert.ok(
      message.bytes.length === Math.min(message.length, 248) || (message.length > 248 && message.bytes.length >= 240),
      `${message.length}`,
    );
  }
  await recorder.close();
});

record('are recorded over IPv6 and over TCP too', async ({ lab }) => {
  const host = routerHost(lab);
  const taps = [
    tap('six', 'wan', 'egress', { family: 'ip6', matches: ['udp dport 5060'] }),
    tap('tcp', 'wan', 'egress', { transport: 'tcp', matches: ['tcp dport 5060'] }),
  ];
  const recorder = await startRecorder(host, 'test', taps, { ...OPTIONS, kernel: '6.18.0' });
  const six = await lab.sendInvite({ from: 'phone', to: 'provider', family: 6 });
  const tcp = await lab.sendInvite({ from: 'phone', to: 'provider', transport: 'tcp' });
  const { messages } = await recorder.read();
  assert.equal(at(messages, 'six').map(text), [six.arrived!.toString('latin1')]);
  assert.equal(
    at(messages, 'six').map(({ from }) => from.address),
    [ADDRESS6.phone],
  );
  const invites = at(messages, 'tcp').filter((one) => one.length > 0);
  // What stands behind the last whole chunk is recorded of datagrams alone.
  assert.equal(invites.map(text), [tcp.arrived!.toString('latin1').slice(0, Math.floor(tcp.arrived!.length / 32) * 32)]);
  assert.equal(
    invites.map(({ length }) => length),
    [tcp.arrived!.length],
  );
  await recorder.close();
});

record('may be dropped where they are recorded, and are bounded in number', async ({ lab }) => {
  const host = routerHost(lab);
  const recorder = await startRecorder(host, 'test', [tap('out', 'wan', 'egress', { drop: true })], {
    ...OPTIONS,
    messages: 2,
    kernel: '6.18.0',
  });
  const sent = [];
  for (const cseq of [1, 2, 3, 4]) sent.push(await lab.sendSip('options', { from: 'phone', to: 'provider', timeout: 100, cseq }));
  assert.ok(sent.every(({ arrived }) => arrived === undefined));
  const { messages, packets } = await recorder.read();
  assert.is(messages.length, 2);
  assert.is(packets.get('out'), 4);
  await recorder.close();
  assert.ok((await lab.sendSip('options', { from: 'phone', to: 'provider' })).arrived !== undefined);
});

record('leave nothing behind that the next run does not take away, and nothing of a run that goes on is touched', async ({ lab }) => {
  const gone = routerHost(lab, 4_190_000);
  await startRecorder(gone, 'test', [tap('out', 'wan', 'egress')], {
    ...OPTIONS,
    kernel: '6.18.0',
    made: { ...NOTHING, devices: ['sipa38sv4'] },
  });
  await lab.router.must(['ip', 'link', 'add', 'sipa38sv4', 'type', 'veth']);
  // The router's process 1 is there.
  const here = routerHost(lab, 1);
  const going = await startRecorder(here, 'test', [tap('out', 'wan', 'egress')], { ...OPTIONS, kernel: '6.18.0' });
  const said = await clearLeft(routerHost(lab));
  assert.is(said.length, 1);
  assert.match(said[0]!, /process 4190000/);
  const tables = await lab.router.must(['nft', 'list', 'tables']);
  assert.not.ok(tables.includes('sipalg_test_4190000'));
  assert.ok(tables.includes('sipalg_test_1'));
  assert.not.ok((await lab.router.must(['ip', 'link'])).includes('sipa38sv4'));
  await going.close();
  assert.equal(await clearLeft(routerHost(lab)), []);
  // A file that names what does not bear its run's name takes nothing away.
  await writeMade(routerHost(lab, 4_190_001), { ...NOTHING, tables: ['inet fw4'] });
  assert.equal(await clearLeft(routerHost(lab)), []);
  assert.ok((await lab.router.must(['nft', 'list', 'tables'])).includes('inet fw4'));
  await unmake(routerHost(lab, 4_190_001), NOTHING);
});

record.run();
