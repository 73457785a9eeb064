import { suite } from 'uvu';
import { createHmac } from 'node:crypto';
import * as assert from 'uvu/assert';
import type { Accepted, Listening, Peer } from '../../../src/host/network.ts';
import { bytesOf, latin1 } from '../../../src/languages/sip/text.ts';
import { Limits, MOST_SOURCES } from '../../../src/mirror/limits.ts';
import { Mirror, sourceOf } from '../../../src/mirror/mirror.ts';
import {
  answerText,
  answersTo,
  base64,
  cookieText,
  fromBase64,
  hidden,
  markLine,
  markOf,
  readAnswer,
  shownAgain,
} from '../../../src/mirror/protocol.ts';
import { VECTORS } from '../../../src/probe/mirror/vectors.ts';
import { handClock } from '../daemon/hand.ts';
import { seeded } from '../../seeded.ts';

const ID = '0123456789abcdef';
const PHONE: Peer = { address: '203.0.113.20', port: 40_000 };
const MIRROR: Peer = { address: '198.51.100.9', port: 5060 };

function questions(cookie: string, answer: 'sip' | 'plain' = 'sip', id = ID): string[] {
  return VECTORS.map(({ make }) =>
    make({
      over: 'udp',
      local: { address: '192.168.1.10', port: 40_000 },
      mirror: MIRROR,
      token: id,
      media: 20_000,
      version: '1',
      mark: markLine({ id, cookie, answer }),
    }),
  );
}

/** A mirror without sockets: what comes in, and what it sends. */
class Served {
  readonly clock = handClock();
  readonly sent: { text: string; to: Peer }[] = [];
  readonly said: string[] = [];
  hear!: (bytes: Uint8Array, from: Peer) => void;
  accept!: (connection: Accepted) => boolean;
  readonly listening: Listening = {
    random: (size) => new Uint8Array(size).fill(7),
    digest: (key, text) => createHmac('sha256', key).update(text).digest('hex'),
    datagrams: async (at, heard) => {
      this.hear = heard;
      return { at, send: (bytes, to) => void this.sent.push({ text: latin1(bytes), to }), close: () => undefined };
    },
    connections: async (at, accepted) => {
      this.accept = accepted;
      return { at, close: () => undefined };
    },
  };
  readonly mirror = new Mirror({ listening: this.listening, clock: this.clock, say: (line) => this.said.push(line) });

  static async open(): Promise<Served> {
    const served = new Served();
    await served.mirror.listen({ address: '0.0.0.0', port: 5060 });
    return served;
  }

  /** What is answered to a datagram. */
  ask(text: string, from = PHONE): { text: string; to: Peer }[] {
    this.sent.length = 0;
    this.hear(bytesOf(text), from);
    return [...this.sent];
  }

  cookie(from = PHONE): string {
    const [answer] = this.ask(questions('')[0]!, from);
    const read = readAnswer(answer!.text);
    assert.ok(read !== null && 'cookie' in read);
    return (read as { cookie: string }).cookie;
  }
}

const whole = (answers: readonly { text: string }[]): string | null => {
  const parts = answers.map(({ text }) => readAnswer(text)!) as { part: number; parts: number; body: string }[];
  assert.ok(parts.every(({ parts: all }) => all === parts.length));
  return fromBase64(
    parts
      .sort((one, other) => one.part - other.part)
      .map(({ body }) => body)
      .join(''),
  );
};

const mirror = suite('a mirror');

mirror('gives every message back as it got it, with who sent it, to who has a cookie', async () => {
  const served = await Served.open();
  const cookie = served.cookie();
  for (const answer of ['sip', 'plain'] as const) {
    for (const question of questions(cookie, answer)) {
      const answers = served.ask(question);
      assert.ok(
        answers.length >= 1
          && answers.every(({ text, to }) => text.length <= 1200 && to.address === PHONE.address && to.port === PHONE.port),
      );
      assert.is(whole(answers), question);
      for (const { text } of answers) {
        const read = readAnswer(text);
        assert.equal(read !== null && 'from' in read && read.from, PHONE);
        // What is in the body no ALG takes for anything of its own.
        assert.not.match(text.slice(text.indexOf('\r\n\r\n') + 4), /[:.@ ]|^v=/m);
      }
    }
  }
});

mirror('gives a stranger a cookie and never more than three times what came', async () => {
  const served = await Served.open();
  for (const question of [...questions(''), ...questions('f'.repeat(32)), ...questions('', 'plain')]) {
    await served.clock.pass(1000);
    const answers = served.ask(question);
    assert.is(answers.length, 1);
    const read = readAnswer(answers[0]!.text);
    assert.ok(read !== null && 'cookie' in read && read.id === ID);
    assert.ok(answers[0]!.text.length <= question.length, `${answers[0]!.text.length} bytes for ${question.length}`);
  }
  // A message made to be answered with as much as can be had.
  const short = `A\r\nv:;${'\r\nv:;'.repeat(200)}\r\n${markLine({ id: ID, cookie: '', answer: 'sip' })}\r\n\r\n`;
  for (const text of [
    short,
    `OPTIONS sip:a SIP/2.0\r\n${'v:a\r\n'.repeat(300)}${markLine({ id: ID, cookie: '', answer: 'sip' })}\r\n\r\n`,
  ]) {
    await served.clock.pass(1000);
    const bytes = served.ask(text).reduce((sum, answer) => sum + answer.text.length, 0);
    assert.ok(bytes <= 3 * text.length, `${bytes} for ${text.length}`);
  }
});

mirror("takes a cookie from nobody else's address, and none that has grown old", async () => {
  const served = await Served.open();
  const cookie = served.cookie();
  const [question] = questions(cookie) as [string];
  const isMirrored = (from: Peer): boolean => 'part' in readAnswer(served.ask(question, from)[0]!.text)!;
  assert.ok(isMirrored(PHONE));
  assert.ok(isMirrored({ ...PHONE, port: 40_001 }), 'a phone has several ports');
  assert.not.ok(isMirrored({ address: '203.0.113.21', port: 40_000 }));
  await served.clock.pass(590_000);
  assert.ok(isMirrored(PHONE));
  await served.clock.pass(620_000);
  assert.not.ok(isMirrored(PHONE));
});

mirror('answers nothing that is no probe, and nothing that is too long', async () => {
  const served = await Served.open();
  const cookie = served.cookie();
  const [question] = questions(cookie) as [string];
  const random = seeded(14);
  const noise = Array.from({ length: 200 }, () =>
    String.fromCharCode(...Array.from({ length: 1 + random.below(400) }, () => random.below(256))),
  );
  const others = [
    '',
    '\r\n\r\n',
    'OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK1\r\n\r\n',
    question.replace('X-Sipalg-Probe: 1', 'X-Sipalg-Probe: 2'),
    question
      .replace(ID, ID.toUpperCase())
      .replace(`id=${ID}`, 'id=xyz')
      .replace(/id=0123/i, 'id=XYZ0'),
    question.replace('X-Sipalg-Probe', ' X-Sipalg-Probe'),
    question.replace(';answer=sip', ';answer=sip;more=1'),
    `${question}${'x'.repeat(7000)}`,
    // Its own answers: two mirrors do not answer each other.
    ...answersTo(question, markOf(question)!, PHONE, false)!,
    cookieText(question, markOf(question)!, PHONE, cookie),
    ...noise,
  ];
  for (const text of others) assert.equal(served.ask(text), [], JSON.stringify(text.slice(0, 100)));
  assert.equal(served.ask(question, { ...PHONE, port: 0 }), []);
  assert.is(served.mirror.counts.refused, others.length + 1);
});

mirror('grants a source so much and no more, a stranger little, all together not without end', async () => {
  const served = await Served.open();
  const cookie = served.cookie();
  const [question] = questions(cookie) as [string];
  let answered = 0;
  for (let at = 0; at < 1000; at++) if (served.ask(question).length > 0) answered++;
  assert.is(answered, 200);
  // Somebody else is not concerned, and after a while the first one is not either.
  const other = { address: '203.0.113.99', port: 1 };
  assert.ok(served.ask(questions(served.cookie(other))[0]!, other).length > 0);
  await served.clock.pass(1000);
  answered = 0;
  for (let at = 0; at < 100; at++) if (served.ask(question).length > 0) answered++;
  assert.is(answered, 20);
  // Strangers by the thousand: 1,000 at once and 500 a second, however many addresses they write.
  answered = 0;
  for (let at = 0; at < 3000; at++)
    if (served.ask(questions('')[0]!, { address: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, port: 1 }).length > 0) answered++;
  assert.ok(answered <= 1000 && answered > 900, `${answered}`);
  assert.ok(
    served.ask(question).length > 0 || (await served.clock.pass(1000), served.ask(question).length > 0),
    'who has a cookie has an allowance of its own',
  );
});

mirror('remembers so many sources and no more; a customer of IPv6 is one', () => {
  const limits = new Limits({ perSecond: 1, burst: 2 }, { perSecond: 1e6, burst: 1e6 }, 0);
  for (let at = 0; at < 3 * MOST_SOURCES; at++) limits.grants(`s${at}`, 0);
  assert.is(limits.sources, MOST_SOURCES);
  assert.is(sourceOf('2001:db8:1:2::1'), sourceOf('2001:db8:1:2:ffff::9'));
  assert.is.not(sourceOf('2001:db8:1:2::1'), sourceOf('2001:db8:1:3::1'));
  assert.is.not(sourceOf('203.0.113.20'), sourceOf('203.0.113.21'));
});

/** A connection of somebody's. */
function connection(from: Peer): Accepted & { sent: string[]; closed: number; queued: number } {
  const one = {
    from,
    sent: [] as string[],
    closed: 0,
    queued: 0,
    waiting: () => one.queued,
    send: (bytes: Uint8Array) => void one.sent.push(latin1(bytes)),
    close: () => {
      if (one.closed++ === 0) one.ended();
    },
    heard: (_: Uint8Array): void => undefined,
    ended: (): void => undefined,
  };
  return one;
}

mirror('answers over a connection without a cookie, messages in pieces or several at once', async () => {
  const served = await Served.open();
  const [register, invite] = questions('') as [string, string];
  const one = connection(PHONE);
  assert.ok(served.accept(one));
  for (const byte of register) one.heard(Uint8Array.of(byte.charCodeAt(0)));
  one.heard(bytesOf(invite + register));
  assert.equal(
    one.sent.map((text) => whole([{ text }])),
    [register, invite, register],
  );
  assert.is(one.closed, 0);
});

mirror('bounds what connections cost: how many, how long, how much that nobody takes', async () => {
  const served = await Served.open();
  const [register] = questions('') as [string];
  const mine = Array.from({ length: 20 }, () => connection(PHONE));
  assert.is(mine.filter((one) => served.accept(one)).length, 16);
  mine[0]!.close();
  assert.ok(served.accept(connection(PHONE)), 'one that is closed makes room');
  let many = 0;
  for (let at = 0; at < 400; at++) if (served.accept(connection({ address: `198.51.${at >> 8}.${at & 255}`, port: 1 }))) many++;
  assert.is(many, 256 - 16);
  const [slow, long] = [mine[1]!, mine[2]!];
  slow.queued = 1e6;
  slow.heard(bytesOf(register));
  assert.is(slow.closed, 1);
  for (let at = 0; at < 100 && long.closed === 0; at++) long.heard(bytesOf('OPTIONS sip:a SIP/2.0\r\n'.repeat(10)));
  assert.is(long.closed, 1);
  assert.is(mine[3]!.closed, 0);
  await served.clock.pass(31_000);
  assert.is(mine[3]!.closed, 1, 'nothing said for half a minute');
  // Who says a little all the time is not there for ever either.
  const drip = connection({ address: '192.0.2.1', port: 1 });
  assert.ok(served.accept(drip));
  for (let at = 0; at < 100 && drip.closed === 0; at++) {
    drip.heard(bytesOf('\r'));
    await served.clock.pass(20_000);
  }
  assert.ok(drip.closed > 0 && served.clock.now() < 700_000, `${served.clock.now()}`);
});

mirror('says a line a minute at most, and none where nothing happened', async () => {
  const served = await Served.open();
  const cookie = served.cookie();
  for (let at = 0; at < 50; at++) served.ask(questions(cookie)[at % VECTORS.length]!);
  await served.clock.pass(300_000);
  assert.is(served.said.length, 1);
  assert.match(served.said[0]!, '50 questions mirrored, 1 cookies given');
  served.mirror.close();
  assert.is(served.clock.waiting(), 0);
});

const protocol = suite('what a probe and a mirror say to each other');

protocol('carries any bytes, and refuses what is no base64', () => {
  const random = seeded(3);
  for (let size = 0; size < 70; size++) {
    const text = String.fromCharCode(...Array.from({ length: size }, () => random.below(256)));
    assert.is(base64(text), Buffer.from(text, 'latin1').toString('base64'));
    assert.is(fromBase64(base64(text).replace(/(.{9})/g, '$1\r\n')), text);
  }
  for (const bad of ['A', 'AB', 'ABC', 'A===', '=AAA', 'AA=A', 'AB$D', 'ABCD=']) assert.is(fromBase64(bad), null, bad);
});

protocol('hides addresses from who looks for them', () => {
  for (const peer of [
    PHONE,
    { address: '255.255.255.255', port: 65_535 },
    { address: '2001:db8::1', port: 1 },
    { address: '::', port: 5060 },
  ]) {
    assert.equal(shownAgain(hidden(peer)), peer);
    assert.match(hidden(peer), /^([0-9a-f]{12}|[0-9a-f]{36})$/);
  }
});

protocol('is read or refused, whatever comes', () => {
  const random = seeded(5);
  const [question] = questions('') as [string];
  const good = answersTo(question, markOf(question)!, PHONE, true)![0]!;
  assert.ok(readAnswer(good));
  for (let at = 0; at < 2000; at++) {
    const place = random.below(good.length);
    const spoilt = good.slice(0, place) + String.fromCharCode(random.below(256)) + good.slice(place + random.below(3));
    const read = readAnswer(spoilt);
    if (read !== null && 'part' in read) fromBase64(read.body);
  }
  for (const part of ['0/1', '2/1', '1/99', '17/17']) assert.is(readAnswer(good.replace('part=1/1', `part=${part}`)), null, part);
  assert.is(readAnswer(good.slice(0, good.indexOf('\r\n\r\n'))), null, 'no end of the header');
});

protocol('has an answer say where it was asked from, as a server does, in the top Via alone', () => {
  const text =
    'INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.10:40000;branch=1;rport, SIP/2.0/UDP 10.0.0.1;rport\r\n'
    + 'v: SIP/2.0/UDP 10.0.0.2\r\nf: <sip:b>\r\n\r\n';
  const lines = answerText(text, { id: ID, part: 1, parts: 1, from: PHONE }, 'sip', '').split('\r\n');
  assert.equal(lines.slice(0, 4), [
    'SIP/2.0 404 Mirrored',
    'Via: SIP/2.0/UDP 192.168.1.10:40000;branch=1;rport=40000;received=203.0.113.20, SIP/2.0/UDP 10.0.0.1;rport',
    'v: SIP/2.0/UDP 10.0.0.2',
    'f: <sip:b>',
  ]);
});

mirror.run();
protocol.run();
