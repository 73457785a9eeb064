import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Comparing } from '../../../src/compare/compare.ts';
import type { Comparison, Row } from '../../../src/compare/comparison.ts';
import { named } from '../../pure/compare/captures.ts';
import { openLab, type Lab } from '../lab.ts';
import { ADDRESS } from '../network.ts';
import { placeCalls } from '../sipp.ts';
import type { Process } from '../member.ts';
import type { Socket } from '../talker.ts';

/** What is caught on the router: on the bridge, on the WAN device, and on all devices in one file. */
interface Caught { readonly lan: Uint8Array; readonly wan: Uint8Array; readonly any: Uint8Array }

const DEVICES = { lan: 'br-lan', wan: 'wan', any: 'any' } as const;

async function caught(lab: Lab, act: () => Promise<void>): Promise<Caught> {
  const dumps: Process[] = [];
  for (const [name, device] of Object.entries(DEVICES)) {
    const dump = lab.router.spawn(['tcpdump', '-i', device, '-U', '--immediate-mode', '-s', '0', '-Z', 'root', '-w', `/tmp/${name}.pcap`, 'udp or tcp']);
    dumps.push(dump);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      dump.child.stderr.on('data', (data: Buffer) => {
        said += data;
        if (said.includes('listening on')) resolve();
      });
      dump.ended.then(() => reject(new Error(`tcpdump on ${device} ended: ${said.trim()}`)), reject);
    });
  }
  try {
    await act();
  } finally {
    await new Promise((resolve) => setTimeout(resolve, 300)); // what has arrived is still on its way to the files
    for (const dump of dumps) dump.signal('SIGINT');
    await Promise.all(dumps.map((dump) => dump.ended));
  }
  const read = (name: string): Uint8Array => lab.files.readBytes(`/tmp/${name}.pcap`);
  return { lan: read('lan'), wan: read('wan'), any: read('any') };
}

function compared(files: readonly Uint8Array[]): Comparison {
  const comparing = new Comparing(files.map((_, index) => `file-${index}`), { limits: { calls: 200, rowsInAll: 5000 } });
  files.forEach((file, side) => comparing.push(side, file));
  files.forEach((_, side) => comparing.close(side));
  return comparing.end();
}

const LAN = `${ADDRESS.phone}:5060`;
const WAN = `${ADDRESS.wan}:5060`;
const PROVIDER = `${ADDRESS.provider}:5060`;
const METHODS = ['INVITE', 'REGISTER', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'PRACK', 'UPDATE', 'INFO', 'REFER', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH',
  'MESSAGE', 'FOO'];
const WITH_SDP = ['INVITE', 'ACK', 'PRACK', 'UPDATE'];

/** Fields the kernel never touches, each with the address that it would have to replace. */
const untouched = (own: string): string[] => [
  'Route', 'Record-Route', 'Path', 'Service-Route', 'P-Asserted-Identity', 'P-Preferred-Identity', 'Remote-Party-ID', 'Diversion', 'Call-Info',
  'Alert-Info', 'Error-Info', 'Reply-To', 'P-Associated-URI',
].map((name) => `${name}: <sip:x@${own}>`).concat([
  `Refer-To: <sip:x@${own}?Replaces=1%40${own.split(':')[0]}>`, `Referred-By: <sip:x@${own}>`, `Warning: 399 ${own} "x"`, `Subject: ${own}`,
  `User-Agent: phone ${own}`, `Server: phone ${own}`, `X-Own: ${own}`, `Authorization: Digest username="x", realm="${own}", nonce="n", response="r"`,
]);

const session = (host: string): string => ['v=0', `o=- 1 1 IN IP4 ${host}`, `s=${host}`, `i=${host}`, `c=IN IP4 ${host}`, 't=0 0',
  'm=audio 16384 RTP/AVP 8', `a=rtcp:16385 IN IP4 ${host}`, `a=candidate:1 1 UDP 1 ${host} 16384 typ host`, ''].join('\r\n');

interface About { readonly callId: string; readonly method: string; readonly from: string; readonly via: string; readonly uri: string; readonly to: string;
  readonly contact: string; readonly body: string }

function request({ callId, method, from, via, uri, to, contact, body }: About): string {
  return [`${method} ${uri} SIP/2.0`, `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-${callId};rport`,
    `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-b, SIP/2.0/UDP ${via};branch=z9hG4bK-c`, `From: <sip:alice@${from}>;tag=f`, `To: <sip:bob@${to}>`,
    `Call-ID: ${callId}@${via.split(':')[0]}`, `CSeq: 1 ${method}`, `Contact: <sip:alice@${contact}>, <sip:alice@phone.example.org>`,
    ...untouched(via), 'Content-Type: application/sdp', `Content-Length: ${body.length}`, '', body].join('\r\n');
}

function reply(code: string, { callId, method, from, via, to, contact, body }: About, received: string): string {
  return [`SIP/2.0 ${code}`, `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-${callId};rport=5060;received=${received}`,
    `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-b`, `From: <sip:alice@${from}>;tag=f`, `To: <sip:bob@${to}>;tag=t`, `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`, `Contact: <sip:alice@${contact}>`, ...untouched(via), 'Content-Type: application/sdp', `Content-Length: ${body.length}`, '', body,
  ].join('\r\n');
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const HEADERS = ['Contact 1 URI host translated', 'From 1 URI host translated', 'Via 1 sent-by translated'];
const SDP = ['SDP c= 0 address translated', 'SDP o= 0 address translated'];

const rowsOf = (result: Comparison, callId: string): Row[] =>
  result.calls.filter((call) => call.callId.startsWith(`${callId}@`) || call.callId === callId).flatMap(({ rows }) => rows);
const foundIn = (row: Row | undefined): string[] => (row?.differences ?? []).map(named).sort();

const kernel = suite('captures of the kernel\'s own ALG');

async function inLab(use: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await openLab();
  try {
    await use(lab);
  } finally {
    await lab.close();
  }
}

async function passes(to: Socket): Promise<boolean> {
  return (await to.next(1500)) !== undefined;
}

kernel('are read as what the ALG does to each method, to replies, to what comes in and to what is answered', () => inLab(async (lab) => {
  const [phone, provider] = await Promise.all([lab.talker('phone'), lab.talker('provider')]);
  const [near, far] = await Promise.all([phone.udp(ADDRESS.phone, 5060), provider.udp(ADDRESS.provider, 5060)]);
  const [toProvider, toWan] = [{ address: ADDRESS.provider, port: 5060 }, { address: ADDRESS.wan, port: 5060 }];
  const out = (method: string): About => ({ callId: `out-${method}`, method, from: LAN, via: LAN, uri: `sip:x@${LAN}`, to: LAN, contact: LAN,
    body: session(ADDRESS.phone) });
  const files = await caught(lab, async () => {
    for (const method of METHODS) {
      await near.send(bytes(request(out(method))), toProvider);
      assert.ok(await passes(far), `${method} arrives`);
      await far.send(bytes(reply('200 OK', { ...out(method), callId: `back-${method}`, from: WAN, via: WAN, to: WAN, contact: WAN,
        body: '' }, ADDRESS.wan)), toWan);
      assert.ok(await passes(near), `the reply to ${method} arrives`);
    }
    await near.send(bytes(request({ ...out('OPTIONS'), callId: 'schemes', uri: `sips:x@${LAN}`, contact: `${ADDRESS.phone}:5070` })), toProvider);
    await near.send(bytes(request({ ...out('OPTIONS'), callId: 'no-port', from: ADDRESS.phone, contact: `${LAN};maddr=${ADDRESS.phone}` })), toProvider);
    await near.send(bytes(request({ ...out('INVITE'), callId: 'host-name', body: session(ADDRESS.phone).replace(`IP4 ${ADDRESS.phone}`, 'IP4 phone') })),
      toProvider);
    await near.send(bytes(request({ ...out('INVITE'), callId: 'port-9', body: session(ADDRESS.phone).replace('16384 RTP', '9 RTP') })), toProvider);
    await near.send(bytes(request({ ...out('INVITE'), callId: 'wrong-length' }).replace(/Content-Length: \d+/, 'Content-Length: 20')), toProvider);
    const inbound: About = { ...out('INVITE'), callId: 'inbound', from: PROVIDER, via: PROVIDER, uri: `sip:alice@${WAN}`, to: WAN, contact: PROVIDER,
      body: session(ADDRESS.provider) };
    await far.send(bytes(request(inbound)), toWan);
    await near.send(bytes(reply('200 OK', { ...inbound, to: LAN, contact: LAN, body: session(ADDRESS.phone) }, ADDRESS.provider)), toProvider);
    await new Promise((resolve) => setTimeout(resolve, 300));
  });
  const two = compared([files.lan, files.wan]);
  for (const [index, result] of [two, compared([files.any]), compared([files.wan, files.lan])].entries()) {
    const where = ['two captures', 'one capture of all devices', 'the other way round'][index]!;
    for (const method of METHODS) {
      const [row] = rowsOf(result, `out-${method}`);
      const sdp = WITH_SDP.includes(method) ? SDP : [];
      assert.equal(foundIn(row), [...HEADERS, 'Request-URI 1 host translated', 'To 1 URI host translated', ...sdp].sort(), `${method}, ${where}`);
      const [back] = rowsOf(result, `back-${method}`);
      assert.equal(foundIn(back), [...HEADERS, 'To 1 URI host translated', 'Via 1 ;received translated'].sort(), `200 ${method}, ${where}`);
      assert.not.ok(back!.toProvider);
    }
    assert.equal(foundIn(rowsOf(result, 'schemes')[0]), ['From 1 URI host translated', 'To 1 URI host translated', 'Via 1 sent-by translated'], where);
    assert.equal(foundIn(rowsOf(result, 'no-port')[0]), [...HEADERS, 'Request-URI 1 host translated', 'To 1 URI host translated'].sort(), where);
    assert.equal([rowsOf(result, 'host-name')[0]?.fate, rowsOf(result, 'port-9')[0]?.fate], ['dropped', 'dropped'], where);
    assert.ok(foundIn(rowsOf(result, 'wrong-length')[0]).includes('Content-Length 1 length-corrected'), where);
    const [asked, answered] = rowsOf(result, 'inbound');
    assert.equal([foundIn(asked), asked?.toProvider], [['Request-URI 1 host translated', 'To 1 URI host translated'], false], where);
    assert.equal(foundIn(answered), ['Contact 1 URI host translated', ...SDP, 'To 1 URI host translated'].sort(), where);
    assert.is(result.counts.appeared, 0, where);
    assert.is(result.verdict, 'changed');
  }
}));

kernel('are told from captures without it: calls of sipp pass unchanged once the rules are gone', () => inLab(async (lab) => {
  const changed = await caught(lab, async () => {
    const placed = await placeCalls(lab, { calls: 2, port: 5060 });
    assert.is(placed.succeeded, 2, placed.said);
  });
  const with_ = compared([changed.lan, changed.wan]);
  assert.is(with_.verdict, 'changed');
  const invites = with_.calls.flatMap(({ rows }) => rows.filter(({ what }) => what === 'INVITE'));
  assert.is(invites.length, 2);
  for (const invite of invites) assert.ok(foundIn(invite).includes('Contact 1 URI host translated'), foundIn(invite).join());
  await lab.router.must(['sh', '-c', 'nft flush chain inet fw4 helper_lan; conntrack -F 2>/dev/null || true']);
  const plain = await caught(lab, async () => {
    const placed = await placeCalls(lab, { calls: 2, port: 5060 });
    assert.is(placed.succeeded, 2, placed.said);
  });
  for (const files of [[plain.lan, plain.wan], [plain.any]]) {
    const without = compared(files);
    assert.equal([without.verdict, without.counts.changed, without.counts.dropped], ['unchanged', 0, 0]);
    assert.ok(without.counts.same >= 12, String(without.counts.same));
  }
}));

kernel.run();
