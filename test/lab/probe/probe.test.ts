/** `sipalg probe` on a router with the kernel's real ALG: what it says of each field, and that nothing of it is left. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProbeDocument as ProbeReport } from '../../../src/probe/report.ts';
import { openLab, type Lab, type LabOptions } from '../lab.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import type { Ran } from '../member.ts';

type Engine = NonNullable<LabOptions['engine']>;
const ENGINES: readonly Engine[] = ['node', 'quickjs'];

const probing = suite('sipalg probe');

async function inLab(options: LabOptions, act: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab(options);
  try {
    // Known beforehand, as on a router that has spoken to the internet.
    await lab.router.must(['ip', 'neigh', 'replace', ADDRESS.provider, 'dev', 'wan', 'lladdr', await macOf(lab)]);
    await act(lab);
  } finally {
    await lab.close();
  }
}

const macOf = async (lab: Lab): Promise<string> => (await lab.provider.must(['cat', '/sys/class/net/eth0/address'])).trim();

const run = (lab: Lab, ...words: string[]): Promise<Ran> => lab.router.run(['sipalg', 'probe', ...words], { timeout: 60_000 });

async function report(lab: Lab, ...words: string[]): Promise<ProbeReport & { status: number | null }> {
  const { status, stdout, stderr } = await run(lab, '--json', ...words);
  assert.is(stderr, '');
  return { ...(JSON.parse(stdout) as ProbeReport), status };
}

/** `Via sent-by` and so on, as `compare` names what is different. */
const fieldsOf = ({ differences }: ProbeReport['messages'][number]): string[] =>
  differences.map(({ field, part, change }) => `${field} ${part} ${change}`.replace('  ', ' ')).sort();

const VIA = 'Via sent-by translated';
const FROM = 'From URI host translated';
const TO = 'To URI host translated';
const CONTACT = 'Contact URI host translated';
const [ORIGIN, CONNECTION] = ['SDP o= address translated', 'SDP c= address translated'];

/** What the field table of the ALG has for each message. null: it does not come out. */
const ON: readonly (readonly [name: string, fate: string, fields: readonly string[] | null])[] = [
  ['control before', 'unchanged', []],
  ['OPTIONS', 'rewritten', [CONTACT, FROM, VIA]],
  ['REGISTER', 'rewritten', [CONTACT, FROM, VIA]],
  // Its Refer-To stays private.
  ['REFER', 'half rewritten', [FROM, VIA]],
  // Folded before its address, a Via is left alone.
  ['MESSAGE, compact and folded', 'half rewritten', [CONTACT, FROM]],
  ['OPTIONS from port 40000', 'half rewritten', [CONTACT, VIA]],
  ['OPTIONS whose Via has another port', 'unchanged', []],
  ['INVITE', 'rewritten', ['Content-Length length', FROM, CONNECTION, ORIGIN, VIA]],
  ['INVITE of a second phone, same RTP port', 'dropped', null],
  ['INVITE that holds (c=0.0.0.0)', 'rewritten', ['Content-Length length', FROM, 'SDP o= address value', VIA]],
  ['INVITE with media elsewhere', 'half rewritten', [FROM, 'SDP o= address value', VIA]],
  ['INVITE with a name in o=', 'dropped', null],
  ['INVITE with port 9', 'dropped', null],
  ['large OPTIONS', 'lost by growth', null],
  ['control after', 'unchanged', []],
  ['200 to the control', 'unchanged', []],
  ['200 to OPTIONS', 'rewritten', [CONTACT, FROM, 'Via ;received translated', VIA]],
  ['OPTIONS of the provider', 'rewritten', ['Request-URI host translated', TO]],
  ['401 to REGISTER', 'rewritten', [CONTACT, FROM, 'Via ;received translated', VIA]],
  ['200 to a Via with another port', 'unchanged', []],
  ['183 to INVITE', 'rewritten', [FROM, VIA]],
];

for (const engine of ENGINES) {
  for (const kernel of ['6.18.0', '6.12.117', '6.6.93']) {
    probing(`finds what the ALG does to each field, and with it off nothing: ${engine}, as on kernel ${kernel}`, () =>
      inLab({ engine, files: { '/tmp/osrelease': `${kernel}\n` } }, async (lab) => {
        // What is written and recorded of a message goes by it.
        await lab.router.must(['mount', '--bind', '/tmp/osrelease', '/proc/sys/kernel/osrelease']);
        const on = await report(lab);
        assert.is(on.verdict, 'rewritten here');
        assert.is(on.status, 1);
        assert.equal(
          on.messages.map((one) => [one.name, one.fate, one.seen === null ? null : fieldsOf(one)]),
          ON.map(([name, fate, fields]) => [name, fate, fields === null ? null : [...fields].sort()]),
        );
        assert.equal(
          on.messages.filter(({ deliveredTo }) => deliveredTo !== null).map(({ name, deliveredTo }) => [name, deliveredTo]),
          [['200 to a Via with another port', 5060]],
        );
        // The checksum of what the ALG has written into is left to the device to finish: it vouches for nothing.
        const unseen = on.messages.filter((one) => one.unseen > 0);
        assert.ok(
          unseen.every(({ fate, unseen: bytes }) => fate.endsWith('rewritten') && bytes <= 24),
          JSON.stringify(unseen),
        );
        if (kernel === '6.18.0') assert.equal(unseen, []);
        assert.equal([on.left, on.translated, on.way, on.leftOver, on.remarks], ['wan', true, 'phone', [], []]);
        assert.ok(on.expectations.some((one) => one.startsWith('signalling: ')));
        const via = on.alterations.find(({ field, toProvider }) => field === 'Via' && toProvider)!;
        assert.equal([via.before, via.after], [`${on.phones[0]}:5060`, `${ADDRESS.wan}:5060`]);
        await lab.router.must(['nft', 'flush', 'chain', 'inet', 'fw4', 'helper_lan']);
        const off = await report(lab);
        assert.is(off.verdict, 'unchanged', off.because ?? '');
        assert.is(off.status, 0);
        assert.equal([...new Set(off.messages.map(({ fate }) => fate))], ['unchanged']);
        assert.is(off.messages.length, ON.length);
        assert.equal(off.expectations, []);
      }),
    );
  }
}

probing('says it in words that name each message and each field', () =>
  inLab({}, async (lab) => {
    const { status, stdout, stderr } = await run(lab);
    assert.equal([status, stderr], [1, '']);
    assert.match(stdout.replace(/\s+/g, ' '), /^This router rewrites SIP: 12 of 18 messages of a test phone were changed, and 4 were lost\. /);
    assert.match(stdout, / {2}INVITE of a second phone, same RTP port {2}DROPPED( \(the kernel says: .*\))?\n/);
    assert.match(stdout, new RegExp(` {2}Via sent-by +192\\.168\\.1\\.254:5060 -> ${ADDRESS.wan}:5060, 7 messages\n`));
  }),
);

probing('says why a message was dropped, where the log of the kernel shows it', () =>
  inLab({}, async (lab) => {
    // The log of another namespace than the first is silent; lines of it, as the kernel writes them, and one of an earlier test.
    await lab.router.must(['ip', '-6', 'route', 'add', 'default', 'via', ADDRESS6.provider, 'dev', 'wan']);
    await lab.router.must(['ip', 'neigh', 'replace', ADDRESS6.provider, 'dev', 'wan', 'lladdr', await macOf(lab)]);
    const drop = (reason: string, ends: string): string =>
      `nf_ct_sip: dropping packet: ${reason} IN= OUT= ${ends} PROTO=UDP SPT=5060 DPT=5060`;
    const four = (id: number): string => `SRC=203.0.113.20 DST=192.0.2.33 LEN=271 TOS=0x00 PREC=0x00 TTL=2 ID=${id} DF`;
    const six =
      'SRC=2001:0db8:0001:0000:0000:0000:0000:00be DST=2001:0db8:0000:0000:0000:0000:0000:0033 LEN=255 TC=0 HOPLIMIT=2 FLOWLBL=20851';
    lab.files.write(
      '/bin/dmesg',
      `#!/bin/sh
at=$(cut -d' ' -f1 /proc/uptime)
echo "[    1.500000] ${drop('cannot parse SDP message', four(20844))}"
echo "[$at] ${drop('all ports in use for SDP media', four(20840))}"
echo "[$at] ${drop('cannot add expectation for voice', four(20840))}"
echo "[$at] ${drop('wrong port 9', four(20844))}"
echo "[$at] ${drop('wrong port 9', six)}"
`,
      0o755,
    );
    const { messages } = await report(lab);
    assert.equal(
      messages.filter(({ fate }) => fate === 'dropped').map(({ name, reason }) => [name, reason]),
      [
        ['INVITE of a second phone, same RTP port', 'all ports in use for SDP media'],
        ['INVITE with a name in o=', null],
        ['INVITE with port 9', 'wrong port 9'],
        ['INVITE with port 9, over IPv6', 'wrong port 9'],
      ],
    );
  }),
);

probing.run();
