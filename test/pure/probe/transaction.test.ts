import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { questionText } from '../../../src/probe/provider/question.ts';
import type { Question } from '../../../src/probe/provider/question.ts';
import { KNOWN, openDialogue, TIMER_F } from '../../../src/probe/provider/transaction.ts';
import type { Dialogue } from '../../../src/probe/provider/transaction.ts';
import { parseMessage } from '../../../src/languages/sip/message.ts';
import type { Message } from '../../../src/languages/sip/message.ts';
import { settle } from '../daemon/hand.ts';
import { answering, SERVER, through, World } from './world.ts';

const server = { address: SERVER, port: 5060 };
const question = (dialogue: Dialogue, token = 'abc', more: Partial<Question> = {}): Question => ({
  over: dialogue.over,
  form: 'literal',
  uriHost: 'example.com',
  local: dialogue.local,
  token,
  cseq: 1,
  version: '1.2.3',
  ...more,
});
const open = (world: World, over: 'udp' | 'tcp' = 'udp'): Promise<Dialogue> =>
  openDialogue(world.network, world.clock, { over, server, name: 'example.com' }, () => world.goOn);

const transaction = suite('a question and its answer');

transaction('is sent again after T1, twice as long each time up to T2, until timer F ends it (RFC 3261 §17.1.2)', async () => {
  const world = new World();
  world.serve = () => null;
  const dialogue = await open(world);
  const { outcome, sent } = await through(world, dialogue.ask(question(dialogue), TIMER_F));
  assert.equal(
    world.sent.map(({ at }) => at),
    [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500],
  );
  assert.equal([outcome, sent, world.clock.now()], [{ state: 'silent' }, 11, 32_000]);
  assert.is(new Set(world.sent.map(({ text }) => text)).size, 1, 'byte for byte the same');
  world.sent.splice(0);
  await through(world, dialogue.ask(question(dialogue), KNOWN));
  assert.is(world.sent.length, 6);
});

transaction('is sent less often once the server says that it has it', async () => {
  const world = new World();
  world.serve = answering({ status: '100 Trying' });
  const dialogue = await open(world);
  const { outcome } = await through(world, dialogue.ask(question(dialogue), TIMER_F));
  assert.equal([outcome.state, world.sent.slice(0, 4).map(({ at }) => at)], ['silent', [0, 500, 4500, 8500]]);
});

transaction('is not sent again over a stream, and waits as long', async () => {
  const world = new World();
  world.serve = () => null;
  const dialogue = await open(world, 'tcp');
  const { sent, outcome } = await through(world, dialogue.ask(question(dialogue), TIMER_F));
  assert.equal([sent, outcome.state, world.sent.length, world.clock.now()], [1, 'silent', 1, 32_000]);
});

transaction('takes its own answer alone, also where one of the places of its token was changed', async () => {
  const world = new World();
  const serve = answering();
  world.serve = (text, from, over) => {
    const answer = serve(text, from, over)!;
    return { ...answer, text: answer.text.replace(/abc/g, 'other') };
  };
  const dialogue = await open(world);
  assert.is((await through(world, dialogue.ask(question(dialogue), KNOWN))).outcome.state, 'silent');
  world.serve = (text, from, over) => ({
    ...serve(text, from, over)!,
    text: serve(text, from, over)!.text.replace(/z9hG4bKabc/g, 'z9hG4bKnew'),
  });
  assert.is((await through(world, dialogue.ask(question(dialogue), KNOWN))).outcome.state, 'answered');
});

transaction('outlives one message of the network, and ends with the second', async () => {
  const world = new World();
  let times = 0;
  world.icmp = () => (times++ === 0 ? 'no way to that host' : null);
  const dialogue = await open(world);
  assert.is((await through(world, dialogue.ask(question(dialogue), KNOWN))).outcome.state, 'answered');
  world.icmp = () => 'no way to that host';
  assert.equal((await through(world, dialogue.ask(question(dialogue), KNOWN))).outcome, {
    state: 'failed',
    because: 'no way to that host',
  });
});

transaction('reads answers out of a stream, in pieces, several at once, and without a length', async () => {
  for (const edit of [
    (text: string) => text,
    (text: string) => text.replace('Content-Length: 0\r\n', ''),
    (text: string) => `\r\n\r\n${text}`,
  ]) {
    const world = new World();
    let hear = (_: Uint8Array): void => undefined;
    const { stream } = world.network;
    Object.assign(world.network, { stream: (...all: Parameters<typeof stream>) => ((hear = all[4]), stream(...all)) });
    world.serve = () => null;
    const dialogue = await open(world, 'tcp');
    const asking = dialogue.ask(question(dialogue), KNOWN);
    const answer = edit(answering()(world.sent[0]!.text, dialogue.local, 'tcp')!.text);
    for (const byte of answer) hear(Uint8Array.of(byte.charCodeAt(0)));
    assert.is((await through(world, asking)).outcome.state, 'answered');
  }
  const world = new World();
  const dialogue = await open(world, 'tcp');
  await settle();
  dialogue.close();
  assert.is(world.open, 0);
});

transaction('is as long as it was asked to be, to the byte', () => {
  for (const size of [1200, 1201, 1210, 1399, 1400, 1401, 1800, 2999]) {
    const text = questionText({
      over: 'udp',
      form: 'large',
      uriHost: 'example.com',
      local: { address: '192.168.1.10', port: 40_000 },
      token: 'abc',
      cseq: 1,
      version: '1.2.3',
      size,
    });
    assert.ok(text.length >= size && text.length <= size + 14, `${text.length} for ${size}`);
    assert.equal((parseMessage(text) as Message).problems, []);
    assert.ok(text.split('\r\n').every((line) => line.length <= 220));
  }
});

transaction('names in each form what it is to name', () => {
  const base = {
    over: 'udp' as const,
    uriHost: 'example.com',
    local: { address: '2001:db8::7', port: 4000 },
    token: 't',
    cseq: 7,
    version: '1',
  };
  const lines = (more: Partial<Question>): string[] => questionText({ ...base, form: 'literal', ...more }).split('\r\n');
  assert.equal(lines({}).slice(0, 8), [
    'OPTIONS sip:example.com SIP/2.0',
    'Via: SIP/2.0/UDP [2001:db8::7]:4000;branch=z9hG4bKt;rport',
    'Max-Forwards: 70',
    'From: <sip:probe@[2001:db8::7]:4000>;tag=t',
    'To: <sip:example.com>',
    'Call-ID: t@[2001:db8::7]',
    'CSeq: 7 OPTIONS',
    'Contact: <sip:probe@[2001:db8::7]:4000>',
  ]);
  assert.not.ok(
    lines({ form: 'named' }).some((line) => line.includes('2001:db8')),
    'nothing an ALG would look for',
  );
  const mapped = lines({ form: 'mapped', mapped: { address: '203.0.113.20', port: 9 } });
  assert.equal([mapped[1], mapped[3]], [lines({})[1], 'From: <sip:probe@203.0.113.20:9>;tag=t']);
  const aside = lines({ form: 'named', replyTo: { address: '203.0.113.20', port: 9 } });
  assert.is(aside[1], 'Via: SIP/2.0/UDP 203.0.113.20:9;branch=z9hG4bKt', 'without rport: the answer goes to the port that Via names');
});

transaction.run();
