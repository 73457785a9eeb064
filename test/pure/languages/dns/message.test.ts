import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answers, decodeAnswer, encodeQuery, isName, recordsFor } from '../../../../src/languages/dns/message.ts';
import type { Answer, Question } from '../../../../src/languages/dns/message.ts';
import { Refused } from '../../../../src/languages/refused.ts';
import { growsInStep } from '../../../growth.ts';
import { seeded } from '../../../seeded.ts';
import type { Seeded } from '../../../seeded.ts';
import { readQuery, writeReply } from './wire.ts';
import type { Entry, Reply } from './wire.ts';

const A: Question = { name: 'sip.example.net', type: 'A' };
const entry = (name: string, type: string, ...data: (string | number)[]): Entry => ({ name, ttl: 300, type, data });
const decoded = (question: Question, reply: Partial<Reply>): Answer => decodeAnswer(writeReply({ id: 7, question, ...reply }), 7, question);
const refused = (act: () => unknown, why: RegExp): void => {
  assert.throws(act, (error: unknown) => error instanceof Refused && why.test(error.message), String(why));
};
/** Bytes in hex, white space apart; a text between quotes stands for its own. */
const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/"(\w+)"/g, (_, word: string) => Buffer.from(word).toString('hex')).replace(/\s/g, ''), 'hex'));

const query = suite('a query');

query('is what RFC 1035 says, byte by byte', () => {
  assert.equal(
    encodeQuery(0x1234, { name: '_sip._udp.a.nl', type: 'SRV' }),
    hex('1234 0100 0001 0000 0000 0000 04 "_sip" 04 "_udp" 01 "a" 02 "nl" 00 0021 0001'),
  );
});

query('is read by a server as it was meant, for every type', () => {
  for (const type of ['A', 'AAAA', 'SRV', 'NAPTR'] as const) {
    assert.equal(readQuery(encodeQuery(65535, { name: 'Sip.example.net.', type })), {
      id: 65535,
      question: { name: 'Sip.example.net', type },
    });
  }
});

query('is not made of what is no name', () => {
  const long = `${`${'a'.repeat(60)}.`.repeat(4)}abcdefghi`;
  assert.is(long.length, 253);
  for (const name of ['a', 'a.', 'sip.example.net', '_sip._tls.x-1.de', '3cx.example', long, `${'a'.repeat(63)}.de`]) {
    assert.ok(isName(name), name);
    encodeQuery(1, { name, type: 'A' });
  }
  for (const name of [
    '',
    '.',
    '..',
    'a..b',
    '.a',
    'a b',
    'a;b',
    'a"b',
    'a\nb',
    'a/24',
    'ä.de',
    'a\0',
    '*.a',
    `${long}x`,
    `${'a'.repeat(64)}.de`,
    'a..',
  ]) {
    assert.not(isName(name), name);
    refused(() => encodeQuery(1, { name, type: 'A' }), /is no name that can be asked for/);
  }
});

const answer = suite('an answer');

answer('of addresses is read', () => {
  assert.equal(decoded(A, { answers: [entry('sip.example.net', 'A', '192.0.2.1'), entry('SIP.example.NET', 'A', '255.0.10.200')] }), {
    code: 0,
    truncated: false,
    negative: null,
    records: [
      { name: 'sip.example.net', ttl: 300, type: 'A', address: '192.0.2.1' },
      { name: 'sip.example.net', ttl: 300, type: 'A', address: '255.0.10.200' },
    ],
  });
});

answer('of IPv6 addresses has them in canonical text (RFC 5952)', () => {
  const question: Question = { ...A, type: 'AAAA' };
  const texts = [
    '2001:db8::1',
    '::',
    '::1',
    '1::',
    'ff02::fb',
    '2001:db8:0:1:1:1:1:1',
    '2001:db8::1:0:0:1',
    '1:0:0:2::3',
    'fe80::1:2:3:4',
    '1:2:3:4:5:6:7:8',
    '::ffff:c000:201',
  ];
  const { records } = decoded(question, { answers: texts.map((text) => entry(A.name, 'AAAA', text)) });
  assert.equal(
    records.map((record) => record.type === 'AAAA' && record.address),
    texts,
  );
});

answer('of SRV and NAPTR records is read, compressed or not', () => {
  for (const compress of [true, false]) {
    const srv: Question = { name: '_sip._udp.example.net', type: 'SRV' };
    assert.equal(
      decoded(srv, {
        compress,
        answers: [entry(srv.name, 'SRV', 10, 60, 5060, 'SBC1.example.net'), entry(srv.name, 'SRV', 65535, 0, 0, '')],
      }).records,
      [
        { name: srv.name, ttl: 300, type: 'SRV', priority: 10, weight: 60, port: 5060, target: 'sbc1.example.net' },
        { name: srv.name, ttl: 300, type: 'SRV', priority: 65535, weight: 0, port: 0, target: '' },
      ],
    );
    const naptr: Question = { name: 'example.net', type: 'NAPTR' };
    assert.equal(
      decoded(naptr, { compress, answers: [entry('example.net', 'NAPTR', 50, 40, 'S', 'sip+d2u', '!^.*$!\xff!', '_sip._udp.example.net')] })
        .records,
      [
        {
          name: 'example.net',
          ttl: 300,
          type: 'NAPTR',
          order: 50,
          preference: 40,
          flags: 's',
          service: 'SIP+D2U',
          regexp: '!^.*$!\xff!',
          replacement: '_sip._udp.example.net',
        },
      ],
    );
  }
});

answer('tells a name that is not there from one that has nothing, and how long that holds', () => {
  const soa = entry('example.net', 'SOA', 'ns.example.net', 'hostmaster.example.net', 1, 7200, 3600, 86400, 60);
  assert.equal(decoded(A, { code: 3, authorities: [soa] }), { code: 3, truncated: false, records: [], negative: 60 });
  assert.equal(decoded(A, { authorities: [{ ...soa, ttl: 30 }] }), { code: 0, truncated: false, records: [], negative: 30 });
  assert.is(decoded(A, {}).negative, null);
  assert.is(decoded(A, { code: 2, question: null }).code, 2);
});

answer('that did not fit says so, and is not read', () => {
  const bytes = writeReply({ id: 7, question: A, truncated: true, answers: [entry(A.name, 'A', '192.0.2.1')] });
  assert.equal(decodeAnswer(bytes.subarray(0, bytes.length - 3), 7, A), { code: 0, truncated: true, records: [], negative: null });
});

answer('passes over what was not asked for, whatever it is called', () => {
  const odd = { ...entry('a"b;c\n.example.net', 'TXT', 1, 97) };
  const { records } = decoded(A, {
    compress: false,
    answers: [odd, entry(A.name, 'RRSIG', ...Array<number>(40).fill(255)), entry(A.name, 'A', '192.0.2.1')],
  });
  assert.equal(
    records.map(({ type }) => type),
    ['A'],
  );
});

answer('has no TTL where the number is no time (RFC 2181)', () => {
  assert.is(decoded(A, { answers: [{ ...entry(A.name, 'A', '192.0.2.1'), ttl: 0xffffffff }] }).records[0]?.ttl, 0);
  assert.is(decoded(A, { answers: [{ ...entry(A.name, 'A', '192.0.2.1'), ttl: 0x7fffffff }] }).records[0]?.ttl, 0x7fffffff);
});

answer('is followed over aliases, and not round and round', () => {
  const chain = decoded(A, {
    answers: [
      entry('edge.example.org', 'A', '192.0.2.9'),
      { ...entry(A.name, 'CNAME', 'lb.example.org'), ttl: 20 },
      entry('lb.example.org', 'CNAME', 'edge.example.org'),
    ],
  });
  const { records, ttl, name } = recordsFor(chain, { name: 'SIP.example.net.', type: 'A' });
  assert.equal([records.map(({ address }) => address), ttl, name], [['192.0.2.9'], 20, 'edge.example.org']);
  const ring = decoded(A, { answers: [entry(A.name, 'CNAME', 'b.example'), entry('b.example', 'CNAME', A.name)] });
  assert.equal(recordsFor(ring, { name: A.name, type: 'A' }).records, []);
  assert.equal(
    recordsFor(decoded(A, { answers: [entry('other.example', 'A', '192.0.2.66')] }), { name: A.name, type: 'A' }).records,
    [],
    "somebody else's address",
  );
});

answer('is told from what anybody may send', () => {
  const good = writeReply({ id: 7, question: A });
  assert.ok(answers(good, 7));
  assert.not(answers(good, 8));
  assert.not(answers(encodeQuery(7, A), 7), 'a query');
  assert.not(answers(good.subarray(0, 11), 7));
  refused(() => decodeAnswer(good, 8, A), /not the answer/);
  for (const other of [{ ...A, name: 'sip.example.com' }, { ...A, type: 'AAAA' } as const])
    refused(() => decodeAnswer(good, 7, other), /another question/);
  refused(() => decodeAnswer(writeReply({ id: 7, question: null }), 7, A), /0 questions/);
});

const HEAD = '0007 8180 0001 0001 0000 0000 01 "a" 00 0001 0001'; // the name stands at byte 12, the record at 19
const one: Question = { name: 'a', type: 'A' };
const HOSTILE: Record<string, [bytes: string, why: RegExp]> = {
  'a name that points to itself': [`${HEAD} c013 0001 0001 0000012c 0004 c0000201`, /points to byte 19/],
  'a name that points on': [`${HEAD} c0ff 0001 0001 0000012c 0004 c0000201`, /points to byte 255/],
  'a name that points into the header': [`${HEAD} c002 0001 0001 0000012c 0004 c0000201`, /points to byte 2/],
  'two names that point to each other': [`${HEAD} 01 "b" c013 0001 0001 0000012c 0004 c0000201`, /points to byte 19/],
  'a label of 64 bytes and more': [`${HEAD} 40 "b" 00 0001 0001 0000012c 0004 c0000201`, /64 bytes long/],
  "a label that is no host's": [`${HEAD} 02 3b0a 00 0001 0001 0000012c 0004 c0000201`, /";\\n" is no label/],
  'an address of 5 bytes': [`${HEAD} c00c 0001 0001 0000012c 0005 c000020100`, /has 5 bytes/],
  'an address of no bytes': [`${HEAD} c00c 0001 0001 0000012c 0000`, /has 0 bytes/],
  'a record longer than the message': [`${HEAD} c00c 0001 0001 0000012c ffff c0000201`, /breaks off/],
  'an alias that ends before its record does': [`${HEAD} c00c 0005 0001 0000012c 0005 01 "b" 00 0000`, /is not 5 bytes long/],
  'a record that is not there': [HEAD, /breaks off/],
  'more records than anybody has': [HEAD.replace('0001 0001 0000', '0001 ffff 0000'), /holds 65535 records/],
  'two questions': [HEAD.replace('0001 0001 0000', '0002 0001 0000'), /answers 2 questions/],
  'another operation': [HEAD.replace('8180', 'a980'), /operation is 5/],
};

for (const [what, [bytes, why]] of Object.entries(HOSTILE)) {
  answer(`with ${what} is refused`, () => refused(() => decodeAnswer(hex(bytes), 7, one), why));
}

answer('with a name of more than 253 characters is refused, one of 253 is not', () => {
  const label = `${'3c' + '61'.repeat(60)} `; // 60 letters
  for (const [last, good] of [
    ['09' + '61'.repeat(9), true],
    ['0a' + '61'.repeat(10), false],
  ] as const) {
    const bytes = hex(
      `${HEAD} c00c 0005 0001 0000012c ${(label.repeat(4).replace(/\s/g, '').length / 2 + last.length / 2 + 1).toString(16).padStart(4, '0')} ${label.repeat(4)} ${last} 00`,
    );
    if (good) assert.is(decodeAnswer(bytes, 7, one).records.length, 1);
    else refused(() => decodeAnswer(bytes, 7, one), /longer than 253/);
  }
});

answer('whose names point back and back is refused before that takes time', () => {
  // A TXT record holds 5,000 pointers, each to the one before it; the name of the second record leads through all of them.
  const data = Array.from({ length: 5000 }, (_, at) =>
    at === 0 ? [0, 0] : [0xc0 | ((30 + 2 * (at - 1)) >> 8), (30 + 2 * (at - 1)) & 255],
  ).flat();
  const through = (count: number): Uint8Array =>
    Uint8Array.from([
      ...hex('0007 8180 0001 0002 0000 0000 01 "a" 00 0001 0001 00 0010 0001 0000012c'),
      data.length >> 8,
      data.length & 255,
      ...data,
      0xc0 | ((30 + 2 * count) >> 8),
      (30 + 2 * count) & 255,
      ...hex('0001 0001 0000012c 0004 c0000201'),
    ]);
  assert.equal(decodeAnswer(through(31), 7, one).records, [{ name: '', ttl: 300, type: 'A', address: '192.0.2.1' }]);
  for (const count of [32, 4999]) refused(() => decodeAnswer(through(count), 7, one), /too often/);
});

const fuzz = suite('damaged answers');

const CORPUS: [Question, Uint8Array][] = (
  [
    [A, { answers: [entry(A.name, 'CNAME', 'lb.example.org'), entry('lb.example.org', 'A', '192.0.2.9')] }],
    [{ ...A, type: 'AAAA' }, { answers: [entry(A.name, 'AAAA', '2001:db8::1')] }],
    [
      { ...A, type: 'SRV' },
      { answers: [entry(A.name, 'SRV', 10, 60, 5060, 'a.example.net'), entry(A.name, 'SRV', 10, 60, 5061, 'b.example.net')] },
    ],
    [{ ...A, type: 'NAPTR' }, { answers: [entry(A.name, 'NAPTR', 50, 40, 's', 'SIPS+D2T', '', '_sips._tcp.example.net')] }],
    [A, { code: 3, authorities: [entry('example.net', 'SOA', 'ns.example.net', 'root.example.net', 1, 2, 3, 4, 5)] }],
  ] as [Question, Partial<Reply>][]
).map(([question, reply]) => [question, writeReply({ id: 7, question, ...reply })]);

function hurt(bytes: Uint8Array, random: Seeded): Uint8Array {
  let all = [...bytes];
  for (let wounds = 1 + random.below(4); wounds > 0; wounds--) {
    const at = 2 + random.below(Math.max(1, all.length - 2));
    const kind = random.below(5);
    if (kind === 0) all[at] = random.below(256);
    else if (kind === 1) all[at] = (all[at] ?? 0) ^ (1 << random.below(8));
    else if (kind === 2) all = all.slice(0, at);
    else if (kind === 3) all.splice(at, random.below(8), ...all.slice(random.below(all.length)).slice(0, random.below(20)));
    else all.splice(at, 2, 0xc0 | random.below(2), random.below(256));
  }
  return Uint8Array.from(all);
}

fuzz('are read or refused, and nothing else comes of them', () => {
  let [read, turned] = [0, 0];
  for (let seed = 1; seed <= 20_000; seed++) {
    const random = seeded(seed);
    const [question, bytes] = random.pick(CORPUS);
    const message = hurt(bytes, random);
    try {
      const got = decodeAnswer(message, 7, question);
      read++;
      for (const record of got.records) {
        assert.ok(record.name === '' || isName(record.name), `seed ${seed}`);
        assert.ok(record.ttl >= 0 && record.ttl < 2 ** 31, `seed ${seed}`);
        if ('address' in record) assert.match(record.address, /^[0-9a-f:.]{2,39}$/, `seed ${seed}`);
        if ('target' in record) assert.ok(record.target === '' || isName(record.target), `seed ${seed}`);
      }
      recordsFor(got, question);
    } catch (error) {
      if (!(error instanceof Refused)) throw new Error(`seed ${seed}: ${(error as Error).stack}`);
      turned++;
    }
  }
  assert.ok(read > 2000 && turned > 2000, `${read} read, ${turned} refused`);
});

/** An answer of `size` bytes that says it holds 255 records; the rest is chance, and much of it points elsewhere. */
function chance(size: number, seed: number): Uint8Array {
  const random = seeded(seed);
  const head = [0, 7, 0x81, 0x80, 0, 0, 1, 255, 0, 0, 0, 0];
  return Uint8Array.from({ length: size }, (_, at) => head[at] ?? (random.below(4) === 0 ? 0xc0 : random.below(256)));
}

fuzz('of nothing but chance are refused or read, in linear time', () => {
  for (let seed = 1; seed <= 20; seed++) {
    growsInStep(
      `seed ${seed}`,
      (size) => chance(size, seed),
      (bytes) => {
        try {
          decodeAnswer(bytes, 7, one);
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
        }
      },
      1 << 16,
    );
  }
});

query.run();
answer.run();
fuzz.run();
