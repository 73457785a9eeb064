/** The marks of voice as they are on the wire, at both ends of the router, in both directions and families. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capture } from '../capture.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { register } from '../sip.ts';
import { placeCalls } from '../sipp.ts';
import { configuration, flowsOf, openHouse, PROVIDER } from './router.ts';
import type { House } from './router.ts';

const marks = suite('marks on the wire');
let house: House;
marks.before.each(async () => {
  house = await openHouse();
});
marks.after.each(() => house.close());

const RTP = Buffer.concat([Buffer.from([0x80, 8, 0, 1]), Buffer.alloc(168)]);
const DNS = Buffer.from('0007010000010000000000000161000001', 'hex');
const SIP = (family: 4 | 6): Buffer => {
  const at = family === 6 ? ADDRESS6 : ADDRESS;
  return Buffer.from(
    register({
      from: { address: at.phone, port: 5060, user: 'phone' },
      to: { address: at.provider, port: 5060, user: 'provider' },
      transport: 'UDP',
    }),
    'latin1',
  );
};

/** What a phone and its provider say to each other: ports at the phone and far away, and the bytes. */
const SAID: readonly (readonly [what: string, near: number, far: number, bytes: (family: 4 | 6) => Buffer])[] = [
  ['signalling', 5062, 5060, SIP],
  ['audio', 4000, 20000, () => RTP],
  ['a question', 33333, 53, () => DNS],
  ['a download', 33334, 443, () => Buffer.alloc(900, 0x55)],
];

async function exchange(family: 4 | 6): Promise<void> {
  const at = family === 6 ? ADDRESS6 : ADDRESS;
  const [phone, provider] = await Promise.all([house.talker('phone'), house.talker('provider')]);
  for (const [what, near, far, bytes] of SAID) {
    const [here, there] = [await phone.udp(at.phone, near), await provider.udp(at.provider, far)];
    await here.send(bytes(family), { address: at.provider, port: far });
    const received = await there.next();
    assert.ok(received, `${what} arrives over IPv${family}`);
    await there.send(far === 5060 ? Buffer.from('SIP/2.0 200 OK\r\n\r\n') : bytes(family), received.from);
    assert.ok(await here.next(), `${what} is answered over IPv${family}`);
    await here.close();
    await there.close();
  }
}

/** The marks seen at one place, by port and family: `5060/4 out` to what its packets bore. */
async function seenBy(caught: Awaited<ReturnType<typeof capture>>, far: readonly number[]): Promise<Record<string, string>> {
  const rows = await caught.read(['ip.dsfield.dscp', 'ipv6.tclass.dscp', 'udp.srcport', 'udp.dstport'], 'udp and not icmp');
  const seen: Record<string, Set<string>> = {};
  for (const row of rows) {
    const out = far.includes(Number(row['udp.dstport']));
    const family = row['ip.dsfield.dscp'] === '' ? 6 : 4;
    const key = `${out ? row['udp.dstport'] : row['udp.srcport']}/${family} ${out ? 'out' : 'in'}`;
    (seen[key] ??= new Set()).add(row['ip.dsfield.dscp'] || row['ipv6.tclass.dscp'] || '');
  }
  return Object.fromEntries(
    Object.entries(seen)
      .map(([key, values]): [string, string] => [key, [...values].join()])
      .sort(),
  );
}

async function bothEnds(): Promise<{ phone: Record<string, string>; provider: Record<string, string> }> {
  const far = SAID.map(([, , port]) => port);
  const [atPhone, atProvider] = [await capture(house.phone), await capture(house.provider)];
  for (const family of [4, 6] as const) await exchange(family);
  return { phone: await seenBy(atPhone, far), provider: await seenBy(atProvider, far) };
}

/** `signalling` and `media` where the router has passed a packet on; 0 on the side it came from. */
function expected(side: 'phone' | 'provider', signalling: string, media: string): Record<string, string> {
  const passed = side === 'provider' ? 'out' : 'in';
  return Object.fromEntries(
    [4, 6]
      .flatMap((family) =>
        ['out', 'in'].flatMap((direction) =>
          [
            [5060, signalling],
            [20000, media],
            [53, '0'],
            [443, '0'],
          ].map(([port, mark]): [string, string] => [`${port}/${family} ${direction}`, direction === passed ? (mark as string) : '0']),
        ),
      )
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}

marks('are none without the rules', async () => {
  await house.mustApply(configuration('', 0));
  const { phone, provider } = await bothEnds();
  assert.equal(phone, expected('phone', '0', '0'));
  assert.equal(provider, expected('provider', '0', '0'));
});

marks('are EF and CS3 in both directions and families, for voice alone', async () => {
  await house.mustApply(configuration());
  const { phone, provider } = await bothEnds();
  assert.equal(phone, expected('phone', '24', '46'));
  assert.equal(provider, expected('provider', '24', '46'));
});

marks('are what the configuration says, also where it says none at all', async () => {
  for (const { media, signalling, speech, audio } of [
    { media: 'AF41', signalling: '26', speech: '26', audio: '34' },
    { media: '0', signalling: 'CS5', speech: '40', audio: '0' },
  ]) {
    await house.mustApply(configuration(`config marking 'marking'\n\toption media '${media}'\n\toption signalling '${signalling}'\n`));
    const { phone, provider } = await bothEnds();
    assert.equal(phone, expected('phone', speech, audio), media);
    assert.equal(provider, expected('provider', speech, audio), media);
  }
  await house.mustApply(configuration("config marking 'marking'\n\toption enabled '0'\n"));
  assert.equal((await bothEnds()).provider, expected('provider', '0', '0'));
});

/** What a member marks by itself, by the port it sends from: its own firewall writes it into what leaves. */
const ownMarks = (byPort: Readonly<Record<number, number>>): string =>
  [
    'table inet own {',
    'chain out {',
    'type filter hook output priority 0;',
    ...Object.entries(byPort).flatMap(([port, mark]) => ['ip', 'ip6'].map((ip) => `udp sport ${port} ${ip} dscp set ${mark}`)),
    '}',
    '}',
    '',
  ].join('\n');

const OWN = [0, 26, 40, 46] as const;
/** The phone's ports, each with a mark of its own. */
const MARKING = Object.fromEntries(OWN.flatMap((mark) => [5100, 4100].map((port) => [port + mark, mark] as const)));

/** Signalling and audio from each of these ports and back; @returns the marks as they arrive, by the phone's port and family. */
async function arriving(to = 5060): Promise<{ out: Record<string, string>; back: Record<string, string> }> {
  const [atPhone, atProvider] = [await capture(house.phone), await capture(house.provider)];
  const [phone, provider] = await Promise.all([house.talker('phone'), house.talker('provider')]);
  for (const family of [4, 6] as const) {
    const at = family === 6 ? ADDRESS6 : ADDRESS;
    for (const [far, port, bytes] of [
      [to, 5100, SIP(family)],
      [20000, 4100, RTP],
    ] as const) {
      const there = await provider.udp(at.provider, far);
      for (const mark of OWN) {
        const here = await phone.udp(at.phone, port + mark);
        await here.send(bytes, { address: at.provider, port: far });
        const received = await there.next();
        assert.ok(received, `${port + mark} arrives over IPv${family}`);
        await there.send(bytes, received.from);
        assert.ok(await here.next(), `${port + mark} is answered over IPv${family}`);
        await here.close();
      }
      await there.close();
    }
  }
  const read = async (caught: typeof atPhone, side: 'srcport' | 'dstport'): Promise<Record<string, string>> => {
    const fields = ['ip.dsfield.dscp', 'ipv6.tclass.dscp', `udp.${side}`];
    const rows = await caught.read(fields, `udp and not icmp and udp.${side} in {4100..5200}`);
    return Object.fromEntries(
      rows
        .filter((row) => Number(row[`udp.${side}`]) in MARKING)
        .map((row): [string, string] => [
          `${row[`udp.${side}`]}/${row['ip.dsfield.dscp'] === '' ? 6 : 4}`,
          row['ip.dsfield.dscp'] || row['ipv6.tclass.dscp'] || '',
        ]),
    );
  };
  return { out: await read(atProvider, 'srcport'), back: await read(atPhone, 'dstport') };
}

/** What arrives where a packet that bears `mark` becomes one of `signalling` or `media`. */
const become = (signalling: (mark: number) => number, media: (mark: number) => number): Record<string, string> =>
  Object.fromEntries(
    OWN.flatMap((mark) =>
      [4, 6].flatMap((family) => [
        [`${5100 + mark}/${family}`, String(signalling(mark))],
        [`${4100 + mark}/${family}`, String(media(mark))],
      ]),
    ),
  );
const sorted = (seen: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(seen).sort(([one], [other]) => (one < other ? -1 : 1)));

marks('that a phone has set itself are left alone, in both families, unless they are to be overwritten', async () => {
  await house.phone.must(['nft', '-f', '-'], { input: ownMarks(MARKING) });
  await house.mustApply(configuration());
  const kept = await arriving();
  assert.equal(sorted(kept.out), sorted(become((mark) => mark || 24, (mark) => mark || 46)));
  // What the provider answers bears none.
  assert.equal(sorted(kept.back), sorted(become(() => 24, () => 46)));
  await house.mustApply(configuration("config marking 'marking'\n\toption overwrite '1'\n"));
  assert.equal(sorted((await arriving()).out), sorted(become(() => 24, () => 46)));
});

const ON_5065 = (more = ''): string => `
config provider 'lab'
	list host '${ADDRESS.provider}:5065'
	list host '[${ADDRESS6.provider}]:5065'
${more}`;

marks('of a provider on another port are those of SIP, and so are its timeouts; and none where that is wished', async () => {
  await house.phone.must(['nft', '-f', '-'], { input: ownMarks(MARKING) });
  await house.mustApply(configuration());
  const before = await arriving(5065);
  assert.equal([before.out['5100/4'], before.out['5126/6']], ['0', '26'], 'no SIP without its port');
  for (const config of [ON_5065(), ON_5065().replaceAll(/\[?([0-9a-f.:]+?)\]?:5065/g, '$1') + "\tlist port '5065'\n"]) {
    await house.mustApply(configuration(config));
    await house.router.must(['conntrack', '-F']); // a flow keeps the timeouts it began with
    const { out, back } = await arriving(5065);
    assert.equal(sorted(out), sorted(become((mark) => mark || 24, (mark) => mark || 46)), config);
    assert.equal(sorted(back), sorted(become(() => 24, () => 46)), config);
    for (const [family, at] of [
      ['ipv4', ADDRESS.phone],
      ['ipv6', ADDRESS6.phone],
    ] as const) {
      const left = (await flowsOf(house, at, 5065, family)).map((flow) => flow.left);
      assert.ok(left.length === OWN.length && left.every((seconds) => seconds > 600), `${family}: ${left.join()} s left`);
    }
  }
  await house.mustApply(configuration(ON_5065("\toption marking '0'\n")));
  const { out, back } = await arriving(5065);
  assert.equal(sorted(out), sorted(become((mark) => mark, (mark) => mark)));
  assert.equal(sorted(back), sorted(become(() => 0, () => 0)));
});

marks("are on every packet of a call that a phone places, and its audio on the provider's networks", async () => {
  await house.mustApply(configuration(PROVIDER));
  const caught = await capture(house.provider);
  const placed = await placeCalls(house, { calls: 3 });
  assert.is(placed.succeeded, 3, placed.said);
  const rows = await caught.read(['ip.src', 'ip.dsfield.dscp', 'sip.Method'], 'sip');
  const out = rows.filter((row) => row['ip.src'] === ADDRESS.wan);
  assert.is(out.length, 9, 'INVITE, ACK and BYE of three calls');
  assert.equal([...new Set(out.map((row) => row['ip.dsfield.dscp']))], ['24']);
});

marks.run();
