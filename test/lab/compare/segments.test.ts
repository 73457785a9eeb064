/** What the kernel's ALG does to messages that TCP cuts up, to IPv6, and to two phones that mean the same ports. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { HELP_TCP, caught, inLab, pause, rowsOf, waysOf } from './captures.ts';
import { CONTACT, FROM, HEADERS, OWN, SDP, bytes, check, request, session } from './odd.ts';
import type { Odd } from './odd.ts';

const segments = suite("captures of the kernel's own ALG, of segments and other flows");

/** Milliseconds between two segments, so that nobody joins them. */
const APART = 15;

interface Cut extends Odd {
  readonly port: number;
  /** Where the text is cut. */
  readonly at: readonly number[];
}

let port = 40_000;
function cut(
  callId: string,
  becomes: Odd['becomes'],
  where: (text: string) => readonly number[],
  change = (text: string): string => text,
): Cut {
  port++;
  // A port of its own for the audio, too: of one that another flow has, the kernel makes no second expectation and drops the message.
  const body = session(OWN, [`m=audio ${2 * port - 60_000} RTP/AVP 8`]);
  const text = change(request({ callId, method: 'INVITE', transport: 'TCP', own: `${OWN}:${port}`, body }));
  return { callId, text, becomes, port, at: where(text) };
}

const long = (text: string): string => text.replace('Content-Type', `X-Long: ${'x'.repeat(6000)}\r\nContent-Type`);
const none = (): number[] => [];
const behind = (...words: string[]) => (text: string): number[] =>
  words.map((word) => {
    assert.ok(text.includes(word), word);
    return text.indexOf(word) + word.length;
  });

const LENGTH = session(OWN, ['m=audio 20002 RTP/AVP 8']).length;
/** `compare` shows few calls in which nothing happened: so what is changed and what is not are captured apart. */
const CUT: readonly (readonly Cut[])[] = [
  [
    cut('whole', [...HEADERS, ...SDP], none),
    cut('in-start-line', HEADERS, behind('INVI')),
    cut('in-via', [FROM, CONTACT], behind('Via: SIP/2')),
    cut('in-from', [CONTACT], behind('From: <sip:')),
    cut('two', [...HEADERS, ...SDP], none, (text) => text + text.replaceAll('-two', '-two-2').replace('Call-ID: two', 'Call-ID: two-2')),
    cut('blank-lines-apart', [...HEADERS, ...SDP], () => [4], (text) => `\r\n\r\n${text}`),
    cut('blank-lines-joined', HEADERS, none, (text) => `\r\n\r\n${text}`),
    cut('length-small', HEADERS, none, (text) => text.replace(/Content-Length.*/, 'Content-Length: 20')),
    cut('via-udp', [FROM, CONTACT, ...SDP], none, (text) => text.replace('SIP/2.0/TCP', 'SIP/2.0/UDP')),
  ],
  [
    cut('in-contact', [], behind('Contact: <sip:a@192.168')),
    cut('in-length', [], behind(`Content-Length: ${String(LENGTH).slice(0, 1)}`)),
    cut('in-blank-line', [], behind(`Content-Length: ${LENGTH}\r\n\r`)),
    cut('behind-header', [], behind('\r\n\r\n')),
    cut('in-body', [], behind('o=- 1 1 IN')),
    cut('in-both', [], behind('Via: SIP/2', 'c=IN')),
    cut('length-large', [], none, (text) => text.replace(/Content-Length.*/, 'Content-Length: 999')),
    cut('no-length', [], none, (text) => text.replace(/Content-Length.*\r\n/, '')),
  ],
  // Longer than a packet: handed over whole to the other end of the wire, as the kernel sends it, or in pieces of the wire's
  // size, of which the first has no Content-Length and the last no field with an address.
  [cut('long', [...HEADERS, ...SDP], none, long)],
  [cut('long-cut', [], none, long)],
];

/** What comes behind another one in the same segment. */
const BEHIND: Odd = { callId: 'two-2', text: '', becomes: [...HEADERS, ...SDP] };

segments('are read as what the ALG does to each message that is cut inside', () =>
  inLab(async (lab) => {
    await lab.router.must(['nft', '-f', '-'], { input: HELP_TCP });
    await lab.phone.must(['ip', 'addr', 'add', `${OWN}/24`, 'dev', 'eth0']);
    const [phone, provider] = await Promise.all([lab.talker('phone'), lab.talker('provider')]);
    const toProvider = { address: ADDRESS.provider, port: 5060 };
    await provider.listen(ADDRESS.provider, 5060);
    const sent = async ({ port, text, at }: Cut): Promise<void> => {
      const socket = await phone.tcp(OWN, port, toProvider);
      const ends = [...at, text.length];
      for (const [index, end] of ends.entries()) {
        await socket.send(bytes(text.slice(index === 0 ? 0 : ends[index - 1], end)));
        await pause(APART);
      }
    };
    for (const cuts of CUT) {
      if (cuts === CUT.at(-1)) await lab.phone.must(['ip', 'link', 'set', 'dev', 'eth0', 'gso_max_segs', '1']);
      const files = await caught(lab, async () => void (await Promise.all(cuts.map(sent))));
      for (const [where, result] of waysOf(files)) {
        const all = cuts === CUT[0] ? [...cuts, BEHIND] : cuts;
        check(where, result, all);
        for (const { callId } of all) assert.is(rowsOf(result, callId)[0]?.transport, 'tcp', callId);
        assert.is(result.counts.pairs, all.length, where);
        assert.equal([result.counts.dropped, result.counts.appeared], [0, 0], where);
      }
    }
  }),
);

const six = (callId: string, becomes: Odd['becomes'], change = (text: string): string => text, body = true): Odd => {
  const own = `[${ADDRESS6.phone}]:5060`;
  const sdp = session(ADDRESS6.phone).replace(/IP4/g, 'IP6');
  const parts = { callId, own, uri: `sip:x@[${ADDRESS6.provider}]` };
  return { callId, text: request(body ? { ...parts, method: 'INVITE', body: change(sdp) } : parts), becomes };
};
const SIX: readonly Odd[] = [
  six('six-options', [], undefined, false),
  six('six-plain', []),
  six('six-port-500', 'dropped', (sdp) => sdp.replace('16384', '500')),
  six('six-ip4', 'dropped', () => session(OWN)),
  six('six-o-name', [], (sdp) => sdp.replace(`IP6 ${ADDRESS6.phone}`, 'IP6 phone')),
];

const PHONES = [ADDRESS.phone, ADDRESS.phone2] as const;
/** Both from port 5060, both with audio at 16384. */
const BOTH: readonly Odd[] = PHONES.map((host, index) => ({
  callId: `phone-${index + 1}`,
  text: request({ callId: `phone-${index + 1}`, method: 'INVITE', own: `${host}:5060`, body: session(host) }),
  becomes: index === 0 ? [...HEADERS, ...SDP.slice(1)] : 'dropped',
}));
/** The second one again, with a port that nobody else offers. */
const OWN_PORT: Odd = {
  callId: 'phone-2-again',
  text: request({
    callId: 'phone-2-again',
    method: 'INVITE',
    own: `${ADDRESS.phone2}:5060`,
    body: session(ADDRESS.phone2, ['m=audio 17000 RTP/AVP 8']),
  }),
  becomes: [...HEADERS, ...SDP.slice(1)],
};

/** Where the helper is not asked, and where the same port is another far end's. */
const OTHER_PROVIDER = '203.0.113.11';
const ELSEWHERE: readonly Odd[] = ['port-5080', 'other-provider'].map((callId) => ({
  callId,
  text: request({ callId, method: 'INVITE', own: `${ADDRESS.phone}:5060`, body: session(ADDRESS.phone) }),
  becomes: callId === 'port-5080' ? [] : [...HEADERS, ...SDP.slice(1)],
}));

segments('of other flows: IPv6 is dropped or passes, and of two phones that offer one port the second is dropped', () =>
  inLab(async (lab) => {
    await lab.provider.must(['ip', 'addr', 'add', `${OTHER_PROVIDER}/24`, 'dev', 'eth0']);
    const [phone, phone2, provider] = await Promise.all([lab.talker('phone'), lab.talker('phone2'), lab.talker('provider')]);
    const [near, near2, near6] = await Promise.all([
      phone.udp(ADDRESS.phone, 5060),
      phone2.udp(ADDRESS.phone2, 5060),
      phone.udp(ADDRESS6.phone, 5060),
      provider.udp(ADDRESS.provider, 5060),
      provider.udp(ADDRESS6.provider, 5060),
    ]);
    const files = await caught(lab, async () => {
      for (const { text } of SIX) await near6.send(bytes(text), { address: ADDRESS6.provider, port: 5060 });
      const to = { address: ADDRESS.provider, port: 5060 };
      await near.send(bytes(BOTH[0]!.text), to);
      await pause(50);
      await near2.send(bytes(BOTH[1]!.text), to);
      await near2.send(bytes(OWN_PORT.text), to);
    });
    for (const [where, result] of waysOf(files)) {
      check(where, result, [...SIX, ...BOTH, OWN_PORT]);
      const second = result.calls.find(({ callId }) => callId === OWN_PORT.callId);
      assert.is(second?.inside, `${ADDRESS.phone2}:5060`, where);
      assert.is.not(second?.outside, `${ADDRESS.wan}:5060`, where);
    }
    const elsewhere = await caught(lab, async () => {
      await near.send(bytes(ELSEWHERE[0]!.text), { address: ADDRESS.provider, port: 5080 });
      await near.send(bytes(ELSEWHERE[1]!.text), { address: OTHER_PROVIDER, port: 5060 });
    });
    for (const [where, result] of waysOf(elsewhere)) check(where, result, ELSEWHERE);
  }),
);

segments.run();
