import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ADDRESS } from '../network.ts';
import { placeCalls } from '../sipp.ts';
import type { Socket } from '../talker.ts';
import { caught, compared, foundIn, inLab, pause, rowsOf, waysOf } from './captures.ts';

const LAN = `${ADDRESS.phone}:5060`;
const WAN = `${ADDRESS.wan}:5060`;
const PROVIDER = `${ADDRESS.provider}:5060`;
const METHODS =
  'INVITE REGISTER ACK BYE CANCEL OPTIONS PRACK UPDATE INFO REFER SUBSCRIBE NOTIFY PUBLISH MESSAGE FOO'.split(' ');
const WITH_SDP = ['INVITE', 'ACK', 'PRACK', 'UPDATE'];

/** Names of fields with addresses that the kernel never touches. */
const UNTOUCHED =
  ('Route Record-Route Path Service-Route P-Asserted-Identity P-Preferred-Identity Remote-Party-ID Diversion Call-Info '
    + 'Alert-Info Error-Info Reply-To P-Associated-URI Referred-By').split(' ');

/** Fields the kernel never touches, each with the address that it would have to replace. */
const untouched = (own: string): string[] => [
  ...UNTOUCHED.map((name) => `${name}: <sip:x@${own}>`),
  `Refer-To: <sip:x@${own}?Replaces=1%40${own.split(':')[0]}>`,
  `Warning: 399 ${own} "x"`,
  `Subject: ${own}`,
  `User-Agent: phone ${own}`,
  `Server: phone ${own}`,
  `X-Own: ${own}`,
  `Authorization: Digest username="x", realm="${own}", nonce="n", response="r"`,
];

const session = (host: string): string =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${host}`,
    `s=${host}`,
    `i=${host}`,
    `c=IN IP4 ${host}`,
    't=0 0',
    'm=audio 16384 RTP/AVP 8',
    `a=rtcp:16385 IN IP4 ${host}`,
    `a=candidate:1 1 UDP 1 ${host} 16384 typ host`,
    '',
  ].join('\r\n');

interface About {
  readonly callId: string;
  readonly method: string;
  readonly from: string;
  readonly via: string;
  readonly uri: string;
  readonly to: string;
  readonly contact: string;
  readonly body: string;
}

const withBody = (lines: readonly string[], body: string): string =>
  [...lines, 'Content-Type: application/sdp', `Content-Length: ${body.length}`, '', body].join('\r\n');

function request({ callId, method, from, via, uri, to, contact, body }: About): string {
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-${callId};rport`,
    `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-b, SIP/2.0/UDP ${via};branch=z9hG4bK-c`,
    `From: <sip:alice@${from}>;tag=f`,
    `To: <sip:bob@${to}>`,
    `Call-ID: ${callId}@${via.split(':')[0]}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:alice@${contact}>, <sip:alice@phone.example.org>`,
    ...untouched(via),
  ];
  return withBody(lines, body);
}

function reply(code: string, { callId, method, from, via, to, contact, body }: About, received: string): string {
  const lines = [
    `SIP/2.0 ${code}`,
    `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-${callId};rport=5060;received=${received}`,
    `Via: SIP/2.0/UDP ${via};branch=z9hG4bK-b`,
    `From: <sip:alice@${from}>;tag=f`,
    `To: <sip:bob@${to}>;tag=t`,
    `Call-ID: ${callId}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:alice@${contact}>`,
    ...untouched(via),
  ];
  return withBody(lines, body);
}

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const FROM = 'From 1 URI host translated';
const TO = 'To 1 URI host translated';
const URI = 'Request-URI 1 host translated';
const VIA = 'Via 1 sent-by translated';
const HEADERS = ['Contact 1 URI host translated', FROM, VIA];
const SDP = ['SDP c= 0 address translated', 'SDP o= 0 address translated'];

const out = (method: string): About => ({
  callId: `out-${method}`,
  method,
  from: LAN,
  via: LAN,
  uri: `sip:x@${LAN}`,
  to: LAN,
  contact: LAN,
  body: session(ADDRESS.phone),
});
const back = (method: string): About => ({
  ...out(method),
  callId: `back-${method}`,
  from: WAN,
  via: WAN,
  to: WAN,
  contact: WAN,
  body: '',
});
const INBOUND: About = {
  ...out('INVITE'),
  callId: 'inbound',
  from: PROVIDER,
  via: PROVIDER,
  uri: `sip:alice@${WAN}`,
  to: WAN,
  contact: PROVIDER,
  body: session(ADDRESS.provider),
};
/** What a phone sends once, each in a way of its own. */
const ODD: readonly string[] = [
  request({ ...out('OPTIONS'), callId: 'schemes', uri: `sips:x@${LAN}`, contact: `${ADDRESS.phone}:5070` }),
  request({ ...out('OPTIONS'), callId: 'no-port', from: ADDRESS.phone, contact: `${LAN};maddr=${ADDRESS.phone}` }),
  request({
    ...out('INVITE'),
    callId: 'host-name',
    body: session(ADDRESS.phone).replace(`IP4 ${ADDRESS.phone}`, 'IP4 phone'),
  }),
  request({ ...out('INVITE'), callId: 'port-9', body: session(ADDRESS.phone).replace('16384 RTP', '9 RTP') }),
  request({ ...out('INVITE'), callId: 'wrong-length' }).replace(/Content-Length: \d+/, 'Content-Length: 20'),
];

const kernel = suite("captures of the kernel's own ALG");

async function passes(to: Socket): Promise<boolean> {
  return (await to.next(1500)) !== undefined;
}

kernel('are read as what the ALG does to each method, to replies, to what comes in and to what is answered', () =>
  inLab(async (lab) => {
    const [phone, provider] = await Promise.all([lab.talker('phone'), lab.talker('provider')]);
    const [near, far] = await Promise.all([phone.udp(ADDRESS.phone, 5060), provider.udp(ADDRESS.provider, 5060)]);
    const toProvider = { address: ADDRESS.provider, port: 5060 };
    const toWan = { address: ADDRESS.wan, port: 5060 };
    const files = await caught(lab, async () => {
      for (const method of METHODS) {
        await near.send(bytes(request(out(method))), toProvider);
        assert.ok(await passes(far), `${method} arrives`);
        await far.send(bytes(reply('200 OK', back(method), ADDRESS.wan)), toWan);
        assert.ok(await passes(near), `the reply to ${method} arrives`);
      }
      for (const text of ODD) await near.send(bytes(text), toProvider);
      await far.send(bytes(request(INBOUND)), toWan);
      const answer = { ...INBOUND, to: LAN, contact: LAN, body: session(ADDRESS.phone) };
      await near.send(bytes(reply('200 OK', answer, ADDRESS.provider)), toProvider);
      await pause(300);
    });
    for (const [where, result] of waysOf(files)) {
      const first = (callId: string): string[] => foundIn(rowsOf(result, callId)[0]);
      for (const method of METHODS) {
        const sdp = WITH_SDP.includes(method) ? SDP : [];
        assert.equal(first(`out-${method}`), [...HEADERS, URI, TO, ...sdp].sort(), `${method}, ${where}`);
        assert.equal(first(`back-${method}`), [...HEADERS, TO, 'Via 1 ;received translated'].sort(), `200 ${method}, ${where}`);
        assert.not.ok(rowsOf(result, `back-${method}`)[0]!.toProvider);
      }
      assert.equal(first('schemes'), [FROM, TO, VIA], where);
      assert.equal(first('no-port'), [...HEADERS, URI, TO].sort(), where);
      assert.equal(rowsOf(result, 'host-name')[0]?.fate, 'dropped', where);
      assert.equal(rowsOf(result, 'port-9')[0]?.fate, 'dropped', where);
      assert.ok(first('wrong-length').includes('Content-Length 1 length-corrected'), where);
      const [asked, answered] = rowsOf(result, 'inbound');
      assert.equal([foundIn(asked), asked?.toProvider], [[URI, TO], false], where);
      assert.equal(foundIn(answered), ['Contact 1 URI host translated', ...SDP, TO].sort(), where);
      assert.is(result.counts.appeared, 0, where);
      assert.is(result.verdict, 'changed');
    }
  }),
);

kernel('are told from captures without it: calls of sipp pass unchanged once the rules are gone', () =>
  inLab(async (lab) => {
    const twoCalls = async (): Promise<void> => {
      const placed = await placeCalls(lab, { calls: 2, port: 5060 });
      assert.is(placed.succeeded, 2, placed.said);
    };
    const changed = await caught(lab, twoCalls);
    const withIt = compared([changed.lan, changed.wan]);
    assert.is(withIt.verdict, 'changed');
    const invites = withIt.calls.flatMap(({ rows }) => rows.filter(({ what }) => what === 'INVITE'));
    assert.is(invites.length, 2);
    for (const invite of invites) assert.ok(foundIn(invite).includes('Contact 1 URI host translated'), foundIn(invite).join());
    await lab.router.must(['sh', '-c', 'nft flush chain inet fw4 helper_lan; conntrack -F 2>/dev/null || true']);
    const plain = await caught(lab, twoCalls);
    for (const files of [[plain.lan, plain.wan], [plain.any]]) {
      const without = compared(files);
      assert.equal([without.verdict, without.counts.changed, without.counts.dropped], ['unchanged', 0, 0]);
      assert.ok(without.counts.same >= 12, String(without.counts.same));
    }
  }),
);

kernel.run();
