import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createHmac } from 'node:crypto';
import type { Peer } from '../../../src/host/network.ts';
import { mirrorText } from '../../../src/cli/probe-far-text.ts';
import { latin1, bytesOf } from '../../../src/languages/sip/text.ts';
import { Mirror } from '../../../src/mirror/mirror.ts';
import { judge } from '../../../src/probe/mirror/judge.ts';
import { probeMirror } from '../../../src/probe/mirror/probe.ts';
import type { MirrorProbe, Tried } from '../../../src/probe/mirror/result.ts';
import type { Here } from '../../../src/probe/provider/result.ts';
import { readTarget } from '../../../src/probe/provider/target.ts';
import type { Target } from '../../../src/probe/provider/target.ts';
import { kernelAlg, LOCAL, namesOf, PUBLIC, SERVER, through, World } from './world.ts';
import { say } from '../../../src/words/say.ts';

const COMPUTER: Here = { kind: 'computer', alg: null };

/** The mirror itself behind the world's server: at the port it was asked at. */
async function withMirror(world: World): Promise<Mirror> {
  let hear: (bytes: Uint8Array, from: Peer) => void = () => undefined;
  let answers: string[] = [];
  const mirror = new Mirror({
    clock: world.clock,
    say: () => undefined,
    listening: {
      random: (size) => new Uint8Array(size),
      digest: (key, text) => createHmac('sha256', key).update(text).digest('hex'),
      datagrams: async (at, heard) => {
        hear = heard;
        return { at, send: (bytes) => void answers.push(latin1(bytes)), close: () => undefined };
      },
      connections: async (at) => ({ at, close: () => undefined }),
    },
  });
  await mirror.listen({ address: SERVER, port: 5060 });
  world.serve = (text, from) => {
    answers = [];
    hear(bytesOf(text), from);
    const [first, ...more] = answers;
    // The world carries one answer for a question: of several the others follow it.
    return first === undefined ? null : { text: first, to: from, more };
  };
  return mirror;
}

async function probed(world: World, here = COMPUTER): Promise<MirrorProbe> {
  const { network, clock } = world;
  const doors = { network, clock, names: namesOf({}), here, version: '1', goOn: () => world.goOn };
  const result = await through(world, probeMirror(doors, readTarget(SERVER) as Target));
  assert.is(world.open, 0, 'every socket is closed');
  return result;
}

/** Over UDP alone: connections are the lab's. */
function plain(): World {
  const world = new World();
  world.connect = () => ({ because: 'nobody listens there', refused: true });
  return world;
}

const mirrors = suite('probe --mirror');

mirrors('finds nothing changed where nothing is', async () => {
  const world = plain();
  const mirror = await withMirror(world);
  const { verdict, tried, control } = await probed(world);
  mirror.close();
  assert.is(verdict, 'unchanged');
  assert.ok(tried.filter(({ over }) => over === 'udp').every(({ fate }) => fate === 'unchanged'));
  assert.equal(
    control.map(({ fate, port }) => [fate, port]),
    [['unchanged', 5080]],
  );
  assert.equal([...new Set(world.sent.map(({ to }) => `${to.address}:${to.port}`))].sort(), [`${SERVER}:5060`, `${SERVER}:5080`]);
});

mirrors('says what was changed there and back, dropped, lost, and not answered', async () => {
  const world = plain();
  const mirror = await withMirror(world);
  kernelAlg(world);
  const { there, back } = world;
  const isControl = (text: string): boolean => /^\w+ sip:(\w+@)?[\d.]+:5080 /.test(text);
  world.there = (text, local, outside, over) => {
    if (text.includes('phone.example') && !isControl(text)) return null;
    if (text.length > 2000) return null; // too long for whatever way
    return isControl(text) ? text : there(text, local, outside, over);
  };
  world.back = (text, local, outside, over) =>
    /^CSeq: 1 REFER\r$/m.test(text) && text.startsWith('SIP/2.0 404') ? null : /:5080/.test(text) ? text : back(text, local, outside, over);
  const { verdict, where, tried, reasons } = await probed(world);
  mirror.close();
  assert.equal([verdict, where], ['rewritten', 'on the way']);
  const fates = Object.fromEntries(tried.filter(({ over }) => over === 'udp').map(({ name, fate }) => [name, fate]));
  assert.equal(
    ['invite', 'refer', 'origin-name', 'connection-name', 'large'].map((name) => fates[name]),
    ['rewritten', 'unheard', 'dropped', 'dropped', 'lost'],
  );
  const invite = tried.find(({ name }) => name === 'invite')!;
  assert.equal(
    invite.changes
      .map(({ field, part, before, after }) => `${field} ${part} ${before?.replace(/:\d+/, '')} ${after?.replace(/:\d+/, '')}`)
      .sort(),
    [`Contact URI host ${LOCAL} ${PUBLIC}`, `From URI host ${LOCAL} ${PUBLIC}`, `Via sent-by ${LOCAL} ${PUBLIC}`],
  );
  assert.ok(invite.answer.some(({ field, part, after }) => field === 'Via' && part === ';received' && after === LOCAL));
  const all = reasons.map(({ text }) => text).join('\n');
  for (const words of [
    '2 did not arrive, while the same text at the control port did',
    'Of 1 the answer did not come back',
    'Of 5 nothing is known',
  ])
    assert.match(all, words);
});

mirrors('sees an answer that an ALG sends to the port in Via, and a call that is dropped for the RTP port of another', async () => {
  const world = plain();
  const mirror = await withMirror(world);
  world.forced = (text) => {
    const [, port] = /^Via: SIP\/2\.0\/UDP [\d.]+:(\d+)/m.exec(text) ?? [];
    return port === undefined ? null : Number(port);
  };
  const media = new Map<string, string>();
  let byes = 0;
  world.there = (text, local) => {
    const [, port = ''] = /^m=audio (\d+) /m.exec(text) ?? [];
    if (/^BYE /.test(text) && !/:5080 /.test(text)) byes++;
    if (/^UPDATE /.test(text)) media.set(port, `${local.port}`);
    const holder = media.get(port);
    return holder !== undefined && holder !== `${local.port}` && !/:5080 /.test(text) ? null : text;
  };
  const { tried, verdict, messages } = await probed(world);
  mirror.close();
  const of = (name: string): Tried => tried.find((one) => one.name === name && one.over === 'udp')!;
  assert.is(verdict, 'rewritten');
  const { fate, changes, answer, local } = of('other-port');
  const [{ before, after, ...rest } = { before: null, after: null }, ...more] = answer;
  assert.equal([fate, changes, rest, more], ['rewritten', [], { field: 'Answer', part: 'port', at: 1, change: 'moved' }, []]);
  assert.is(before, String(local.port));
  assert.is.not(after, before);
  assert.is(of('same-media').fate, 'dropped');
  // What was opened is closed, of both that open something.
  assert.is(byes, 2);
  assert.ok(messages < 60, `${messages}`);
  assert.equal(
    tried.filter((one) => one.over === 'udp' && one.fate !== 'unchanged').map(({ name }) => name),
    ['other-port', 'same-media'],
  );
});

mirrors('says of a call beside another nothing where that other one did not come through', async () => {
  const world = plain();
  const mirror = await withMirror(world);
  world.there = (text) => (/^UPDATE /.test(text) && !/:5080 /.test(text) ? null : text);
  const { tried } = await probed(world);
  mirror.close();
  const fates = Object.fromEntries(tried.filter(({ over }) => over === 'udp').map(({ name, fate }) => [name, fate]));
  assert.equal([fates['update'], fates['same-media'], fates['invite']], ['dropped', 'lost', 'unchanged']);
});

mirrors('is inconclusive where there is no mirror, or it does not answer any more', async () => {
  const world = plain();
  world.serve = () => null;
  const nobody = await probed(world);
  assert.equal([nobody.verdict, nobody.tried.filter(({ over }) => over === 'udp').length], ['inconclusive', 0]);
  assert.match(nobody.reasons[0]!.text, 'Nobody answered as a mirror');
  assert.ok(nobody.messages < 20, `${nobody.messages}`);
});

mirrors('claims no more than was looked at', () => {
  const about: Tried = {
    name: 'invite',
    what: { code: 'mirrored-invite', text: 'calls' },
    over: 'udp',
    family: 'ipv4',
    port: 5060,
    local: { address: LOCAL, port: 1 },
    seen: { address: PUBLIC, port: 1 },
    size: 500,
    arrived: 500,
    fate: 'unchanged',
    changes: [],
    answer: [],
  };
  assert.is(judge([{ ...about, over: 'tcp' }], [], 'm', COMPUTER).verdict, 'inconclusive', 'TCP is not UDP');
  assert.is(
    judge(
      [
        { ...about, name: 'options' },
        { ...about, fate: 'lost' },
      ],
      [],
      'm',
      COMPUTER,
    ).verdict,
    'inconclusive',
  );
  assert.is(judge([{ ...about, fate: 'dropped' }], [], 'm', COMPUTER).verdict, 'dropped');
  assert.is(judge([about], [{ ...about, port: 5080, fate: 'rewritten' }], 'm', COMPUTER).verdict, 'rewritten', 'at every port');
  assert.match(
    judge([{ ...about, port: 5062 }], [], 'm', COMPUTER)
      .reasons.map(({ text }) => text)
      .join('\n'),
    'This is about port 5062',
  );
  for (const [alg, where] of [
    ['off', 'beyond'],
    ['tracking', 'here or beyond'],
  ] as const)
    assert.is(judge([{ ...about, fate: 'dropped' }], [], 'm', { kind: 'router', alg }).where, where);
});

mirrors('tells what met with the very same once', () => {
  const changes = [{ field: 'Via', part: 'sent-by', at: 1, change: 'translated', before: `${LOCAL}:1`, after: `${PUBLIC}:1` }];
  const one: Tried = {
    name: '',
    changes: [],
    what: { code: 'x', text: 'x' },
    over: 'udp',
    family: 'ipv4',
    port: 5060,
    local: { address: LOCAL, port: 1 },
    seen: null,
    size: 1,
    arrived: 1,
    fate: 'rewritten',
    answer: [],
  };
  const text = mirrorText({
    verdict: 'rewritten',
    where: 'on the way',
    summary: say('probe-none', 'S.'),
    reasons: [say('probe-none', 'R.')],
    mirror: { asked: 'm', port: 5060, control: 5080, addresses: [] },
    here: COMPUTER,
    control: [],
    tried: [
      { ...one, name: 'first', changes },
      { ...one, name: 'second', changes: changes.map((change) => ({ ...change, before: `${LOCAL}:2`, after: `${PUBLIC}:2` })) },
      { ...one, name: 'third', changes: [] },
    ],
    messages: 3,
  });
  assert.match(
    text,
    `    CHANGED   first, second\n        Via sent-by              ${LOCAL}:1 -> ${PUBLIC}:1\n    CHANGED   third - x\n`,
  );
});

mirrors.run();
