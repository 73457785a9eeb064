/** The text the voice rules are rendered as, against the real nft in a network namespace of its own. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Host, Reading } from '../../../src/host/host.ts';
import { nodeHost } from '../../../src/engines/node/host.ts';
import type { InForce } from '../../../src/voice/facts.ts';
import { isIntactNft } from '../../../src/voice/judge/compare.ts';
import { clearing } from '../../../src/voice/render/nft/clearing.ts';
import { renderNft } from '../../../src/voice/render/nft/table.ts';
import type { NftText } from '../../../src/voice/render/nft/table.ts';
import { readPrefix } from '../../../src/languages/address/prefixes.ts';
import { mergePrefixes } from '../../../src/languages/address/prefix-sets.ts';
import type { Prefix } from '../../../src/languages/address/prefixes.ts';
import { LIST, observePerFlow, parseInForce } from '../../../src/voice/seen/nft.ts';
import type { Voice } from '../../../src/voice/rules.ts';
import { seeded } from '../../seeded.ts';
import type { Seeded } from '../../seeded.ts';

interface Place {
  host: Host;
  holder: ChildProcess;
}

const nft = suite<Place>('the voice rules and nft itself');

nft.before.each(async (context) => {
  const holder = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; read -r _'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((ready, failed) => {
    holder.once('error', failed);
    holder.stdout.once('data', ready);
  });
  context.holder = holder;
  context.host = { ...nodeHost, run: (argv, options) => nodeHost.run(['nsenter', `--net=/proc/${holder.pid}/ns/net`, ...argv], options) };
});
nft.after.each(({ holder }) => {
  holder.stdin?.end();
});

/** What a command prints; anything but exit code 0 is an error. */
async function run(host: Host, argv: string[], input?: string): Promise<string> {
  const outcome = await host.run(argv, input === undefined ? {} : { input });
  if (outcome.state !== 'exited' || outcome.code !== 0) throw new Error(`${argv.join(' ')}: ${JSON.stringify(outcome)}`);
  return outcome.stdout;
}

const load = (host: Host, text: string): Promise<string> => run(host, ['nft', '-f', '-'], text);
const listing = (host: Host): Promise<string> => run(host, [...LIST]);
const kept = (host: Host): Promise<string> => run(host, ['nft', '-j', '-t', ...LIST.slice(2)]);

const networks = (random: Seeded, most: number): Voice['media'] =>
  mergePrefixes(
    Array.from({ length: random.below(most) }, () =>
      readPrefix(
        random.next() < 0.5
          ? `${1 + random.below(99)}.${random.below(256)}.${random.below(256)}.${random.below(256)}/${random.pick([8, 13, 16, 22, 24, 25, 31, 32])}`
          : `2${random.below(1000)}:${random.below(9999)}:${random.below(9)}::${random.below(99)}/${random.pick([16, 23, 32, 48, 49, 64, 127, 128])}`,
      ),
    ).filter((prefix): prefix is Prefix => !('wrong' in prefix)),
  );

const CLASSES = [
  ['EF', 46],
  ['CS3', 24],
  ['CS0', 0],
  ['AF31', 26],
  ['44', 44],
  ['1', 1],
  ['63', 63],
] as const;

function anyVoice(random: Seeded): Voice {
  const dscp = (): { name: string; value: number } => {
    const [name, value] = random.pick(CLASSES);
    return { name, value };
  };
  return {
    wan: random.pick([['wan'], [], ['eth0.2', 'pppoe-wan'], ['br-wan', 'wg_0', '6in4-x']]),
    ports: random.pick([[5060], [5060, 5070, 5080], [5060, 5062, 5063]]),
    tlsPorts: random.pick([[5061], [5061, 6061]]),
    timeouts: { signallingUnreplied: random.pick([30, 120]), signallingReplied: random.pick([620, 86_400]), media: random.pick([30, 300]) },
    marking: random.next() < 0.3 ? null : { media: dscp(), signalling: dscp(), ...(random.next() < 0.3 ? { overwrite: true } : {}) },
    limit:
      random.next() < 0.3
        ? null
        : {
            register: random.pick([1, 5, 6000]),
            invite: random.pick([1, 10, 6000]),
            options: random.pick([1, 10, 6000]),
            other: random.pick([1, 20, 6000]),
            kilobytes: random.pick([1, 2, 10_000]),
          },
    signalling: networks(random, 60),
    media: networks(random, 60),
    unmarked: random.next() < 0.5 ? { ipv4: [], ipv6: [] } : networks(random, 4),
    sites: networks(random, 20),
  };
}

nft('every text is accepted, replaces any other in one transaction, and is then whole', async ({ host }) => {
  const random = seeded(1121);
  let objects: InForce['objects'] = [];
  for (let round = 0; round < 40; round++) {
    const voice = anyVoice(random);
    const rendered = renderNft(voice, random.next() < 0.7);
    await load(host, [...clearing(objects, rendered), rendered.text].join('\n'));
    const now = parseInForce(await listing(host), await kept(host), 0);
    assert.equal([now.mark, isIntactNft(now, voice, rendered)], [rendered.mark, true], JSON.stringify(voice));
    const names = now.objects
      .filter(({ kind }) => kind !== 'ct timeout')
      .map(({ kind, name }) => `${kind} ${name}`)
      .sort();
    assert.equal(names, [...rendered.declared].filter((each) => !each.startsWith('ct timeout')).sort());
    assert.ok([...rendered.declared].every((each) => now.objects.some(({ kind, name }) => each === `${kind} ${name}`)));
    objects = now.objects;
    // Loaded once more by hand, nothing changes.
    await load(host, rendered.text);
    assert.ok(isIntactNft(parseInForce(await listing(host), await kept(host), 0), voice, rendered));
  }
});

const VOICE: Voice = {
  wan: ['wan'],
  ports: [5060],
  tlsPorts: [5061],
  timeouts: { signallingUnreplied: 120, signallingReplied: 620, media: 300 },
  marking: { media: { name: 'EF', value: 46 }, signalling: { name: 'CS3', value: 24 } },
  limit: { register: 5, invite: 10, options: 10, other: 20, kilobytes: 2 },
  signalling: { ipv4: ['198.51.100.0/25', '198.51.100.128/25', '203.0.113.7'], ipv6: ['2001:db8::/32', '2001:db9::/32'] },
  media: { ipv4: [], ipv6: [] },
  unmarked: { ipv4: [], ipv6: [] },
  sites: { ipv4: [], ipv6: [] },
};

nft("any change of somebody's shows, and what the rules themselves fill and count does not", async ({ host }) => {
  const whole = async (reference: string | null): Promise<boolean> =>
    isIntactNft(parseInForce(await listing(host), reference, 0), VOICE, renderNft(VOICE, true));
  const change = async (...commands: string[]): Promise<boolean> => {
    await load(host, renderNft(VOICE, true).text);
    const reference = await kept(host);
    assert.ok(await whole(reference));
    await load(host, commands.join('\n'));
    return await whole(reference);
  };
  for (const commands of [
    ['flush chain inet sipalg signalling'],
    ['add rule inet sipalg forwarded drop'],
    ['add chain inet sipalg more'],
    ['flush table inet sipalg'],
    ['flush set inet sipalg signalling4'],
    ['delete element inet sipalg signalling4 { 198.51.100.128/25 }'],
    ['add element inet sipalg media6 { 2001:db8:1::/48 }'],
    ['flush set inet sipalg signalling4', 'add element inet sipalg signalling4 { 0.0.0.0/1 }'],
    ['add element inet sipalg media4 { 127.0.0.1 }'],
    ['add set inet sipalg x { type ipv4_addr; }'],
    ['delete chain inet sipalg incoming'],
  ]) {
    assert.not(await change(...commands), commands.join('; '));
    await run(host, ['nft', 'delete', 'table', 'inet', 'sipalg']);
  }
  assert.ok(
    await change(
      'add element inet sipalg phones4 { 192.168.1.10, 192.168.1.11 }',
      'add element inet sipalg calls4 { 192.0.2.1 . 5060 }',
      'add element inet sipalg seen_invite6 { 2001:db8:bad:: }',
    ),
  );
  assert.not(await whole(null), 'nobody knows without the listing that was kept');
  assert.not(await whole('{"nftables": ['), 'a listing that was cut short says nothing');
});

nft('what was learnt and counted outlives a replacement; sources, methods, counts and times are read', async ({ host }) => {
  const first = renderNft(VOICE, true);
  await load(host, first.text);
  await load(
    host,
    [
      'add element inet sipalg phones4 { 192.168.1.10 }',
      'add element inet sipalg phones6 { fd00::10 }',
      'add element inet sipalg seen_register4 { 198.51.100.66 counter packets 12 bytes 900 timeout 1d expires 23h59m }',
      'add element inet sipalg dropped_register4 { 198.51.100.66 counter packets 7 bytes 500 }',
      'add element inet sipalg first4 { 198.51.100.66 timeout 30d expires 29d }',
      'add element inet sipalg seen_tcp6 { 2001:db8:bad:: counter packets 3 bytes 180 }',
    ].join('\n'),
  );
  const before = parseInForce(await listing(host), await kept(host), 1_800_000_000_000);
  const other = renderNft(
    {
      ...VOICE,
      limit: { register: 6, invite: 10, options: 11, other: 20, kilobytes: 2 },
      marking: null,
      media: { ipv4: ['192.0.2.0/24'], ipv6: [] },
    },
    true,
  );
  await load(host, [...clearing(before.objects, other), other.text].join('\n'));
  const now = parseInForce(await listing(host), await kept(host), 1_800_000_000_000);
  assert.is(now.mark, other.mark);
  assert.equal(now.phones, ['192.168.1.10', 'fd00::10']);
  const [one, two] = now.attempts;
  assert.equal([one?.source, one?.method, one?.seen, one?.dropped], ['198.51.100.66', 'REGISTER', 12, 7]);
  assert.equal([two?.source, two?.method, two?.seen, two?.dropped], ['2001:db8:bad::/64', 'TCP', 3, 0]);
  const ago = (time: number | null | undefined): number => (1_800_000_000_000 - (time ?? 0)) / 1000;
  assert.ok(Math.abs(ago(one?.last) - 60) < 20, `last seen ${ago(one?.last)} s ago`);
  assert.ok(Math.abs(ago(one?.first) - 86_400) < 20, `first seen ${ago(one?.first)} s ago`);
  assert.is(now.attempts.length, 2);
});

nft('timeouts that are given out no longer stay for the flows under them, and go when there are too many', async ({ host }) => {
  let objects: InForce['objects'] = [];
  let most = 0;
  for (let round = 0; round < 24; round++) {
    const voice = { ...VOICE, timeouts: { ...VOICE.timeouts, media: 100 + round } };
    const rendered = renderNft(voice, true);
    await load(host, [...clearing(objects, rendered), rendered.text].join('\n'));
    const now = parseInForce(await listing(host), await kept(host), 0);
    assert.ok(isIntactNft(now, voice, rendered), `round ${round}`);
    const timeouts = now.objects.filter(({ kind }) => kind === 'ct timeout').map(({ name }) => name);
    if (round === 3) assert.ok(timeouts.includes('media4_100'), timeouts.join());
    most = Math.max(most, timeouts.length);
    objects = now.objects;
  }
  assert.ok(most > 12 && most <= 26, `${most} at most`);
});

nft('the kernel says whether a flow can have timeouts of its own, and is not asked twice', async ({ host }) => {
  const none: Reading<InForce> = { state: 'absent', source: '' };
  assert.equal(await observePerFlow(host, none), { state: 'present', value: true, source: 'nft -c (a ct timeout object)' });
  assert.is(await run(host, ['nft', 'list', 'ruleset']), '', 'asking changes nothing');
  const refusing: Host = {
    ...host,
    run: async () => ({ state: 'exited', command: 'nft', code: 1, stdout: '', stderr: 'Error: Could not process rule: Not supported' }),
  };
  assert.is(((await observePerFlow(refusing, none)) as { value: boolean }).value, false);
  const rendered = renderNft(VOICE, true);
  await load(host, rendered.text);
  const all: Reading<InForce> = { state: 'present', value: parseInForce(await listing(host), null, 0), source: '' };
  assert.is(((await observePerFlow(refusing, all)) as { value: boolean }).value, true);
});

nft('10,000 networks load in one transaction, are read back whole, and are replaced in one', async ({ host }) => {
  const many = (from: number): string[] =>
    Array.from({ length: 2500 }, (_, at) => `${from + (at >> 10)}.${(at >> 2) & 255}.${(at & 3) * 64}.0/24`);
  const many6 = Array.from({ length: 2500 }, (_, at) => `2001:${(at + 4096).toString(16)}::/32`);
  const sorted = ({ ipv4, ipv6 }: Voice['media']): Voice['media'] =>
    mergePrefixes([...ipv4, ...ipv6].map((text) => readPrefix(text) as Prefix));
  const voice = { ...VOICE, signalling: sorted({ ipv4: many(20), ipv6: many6 }), media: sorted({ ipv4: many(40), ipv6: many6 }) };
  assert.is(Object.values(voice.signalling).flat().length + Object.values(voice.media).flat().length, 10_000);
  let now: InForce | null = null;
  for (const each of [voice, { ...voice, media: voice.signalling }]) {
    const rendered: NftText = renderNft(each, true);
    await load(host, [...clearing(now?.objects ?? [], rendered), rendered.text].join('\n'));
    now = parseInForce(await listing(host), await kept(host), 0);
    assert.ok(isIntactNft(now, each, rendered));
  }
});

nft.run();
