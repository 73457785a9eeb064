/** Whole calls through the kernel's real ALG, of programs that know nothing of it: sipp, baresip and kamailio. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Row } from '../../../src/compare/comparison.ts';
import { ADDRESS } from '../network.ts';
import { play } from '../sipp.ts';
import { HELP_TCP, caught, compared, foundIn, inLab, pause, waysOf } from './captures.ts';
import { callThroughProvider } from './peers.ts';

const calls = suite("captures of the kernel's own ALG, of whole calls");

const VIA = 'Via 1 sent-by translated';
const FROM = 'From 1 URI host translated';
const TO = 'To 1 URI host translated';
const CONTACT = 'Contact 1 URI host translated';
const SDP = ['SDP c= 0 address translated', 'SDP o= 0 address translated'];

/** What is found of each message of sipp/features.xml, in their order. */
const FEATURES: readonly (readonly [message: string, found: readonly string[]])[] = [
  ['> REGISTER', [CONTACT, FROM, TO, VIA]],
  ['< 200 OK', [CONTACT, FROM, TO, VIA]],
  ['> INVITE', [CONTACT, FROM, ...SDP, VIA]],
  ['< 200 OK', [FROM, VIA]],
  ['> ACK', [FROM, VIA]],
  // Held with a=sendonly, then with c=0.0.0.0, which the kernel writes into o= too.
  ['> INVITE', [CONTACT, FROM, ...SDP, VIA]],
  ['< 200 OK', [FROM, VIA]],
  ['> ACK', [FROM, VIA]],
  ['> INVITE', [CONTACT, 'Content-Length 1 length', FROM, 'SDP o= 0 address value', VIA]],
  ['< 200 OK', [FROM, VIA]],
  ['> ACK', [FROM, VIA]],
  // Retrieved.
  ['> INVITE', [CONTACT, FROM, ...SDP, VIA]],
  ['< 200 OK', [FROM, VIA]],
  ['> ACK', [FROM, VIA]],
  // Transferred: Refer-To and Referred-By stay private; what looks like a Contact in a body does not.
  ['> REFER', [CONTACT, FROM, VIA]],
  ['< 202 Accepted', [FROM, VIA]],
  ['> NOTIFY', ['Body 1 translated', CONTACT, FROM, VIA]],
  ['< 200 OK', [FROM, VIA]],
  ['> BYE', [FROM, VIA]],
  ['< 200 OK', [FROM, VIA]],
];

const named = ({ what, toProvider }: Row): string => `${toProvider ? '>' : '<'} ${what}`;

for (const transport of ['udp', 'tcp'] as const) {
  calls(`are read message by message: registered, called, held, retrieved, transferred and ended over ${transport}`, () =>
    inLab(async (lab) => {
      if (transport === 'tcp') await lab.router.must(['nft', '-f', '-'], { input: HELP_TCP });
      const files = await caught(lab, () => play(lab, 'features', 'features-provider', transport));
      for (const [where, result] of waysOf(files)) {
        const rows = result.calls.flatMap((call) => call.rows).filter(({ again }) => !again);
        assert.equal(
          rows.map((row) => [named(row), foundIn(row)]),
          FEATURES.map(([message, found]) => [message, [...found].sort()]),
          where,
        );
        assert.ok(rows.every((row) => row.transport === transport));
        const { dropped, appeared, same } = result.counts;
        assert.equal({ dropped, appeared, same }, { dropped: 0, appeared: 0, same: 0 }, where);
      }
    }),
  );
}

calls('keep their retransmissions apart: each goes through the ALG for itself', () =>
  inLab(async (lab) => {
    const files = await caught(lab, () => play(lab, 'caller', 'slow-provider'));
    for (const [where, result] of waysOf(files)) {
      const invites = result.calls.flatMap(({ rows }) => rows).filter(({ what }) => what === 'INVITE');
      assert.equal(invites.map(({ fate, again }) => [fate, again]), [['changed', false], ['changed', true]], where);
      // T1 of RFC 3261 §17.1.1.2.
      const apart = invites[1]!.time - invites[0]!.time;
      assert.ok(apart > 0.4 && apart < 0.75, `${where}: ${apart}`);
      for (const invite of invites) assert.ok(Math.abs(invite.delay!) < 0.1, `${where}: paired with its own, ${invite.delay}`);
      assert.is(result.counts.dropped, 0, where);
    }
  }),
);

calls('lose what grows beyond the MTU, and nothing else', () =>
  inLab(async (lab) => {
    // One character shorter than the address outside: Via, From and Contact grow by one byte each.
    const own = '192.168.1.7';
    await lab.phone.must(['ip', 'addr', 'add', `${own}/24`, 'dev', 'eth0']);
    const phone = await lab.talker('phone');
    const near = await phone.udp(own, 5060);
    const provider = await lab.talker('provider');
    await provider.udp(ADDRESS.provider, 5060);
    // The kernel sets "don't fragment" where a packet fits (1472 bytes of UDP in 1500), and cuts up what does not.
    const fates = new Map([
      [1400, 'changed'],
      [1469, 'changed'],
      [1470, 'dropped'],
      [1472, 'dropped'],
      [1473, 'changed'],
      [3000, 'changed'],
    ]);
    const message = (size: number): string => {
      const lines = [
        `OPTIONS sip:x@${ADDRESS.provider} SIP/2.0`,
        `Via: SIP/2.0/UDP ${own}:5060;branch=z9hG4bK-size-${size}`,
        `From: <sip:a@${own}:5060>;tag=f`,
        `To: <sip:x@${ADDRESS.provider}>`,
        `Call-ID: size-${size}`,
        'CSeq: 1 OPTIONS',
        `Contact: <sip:a@${own}:5060>`,
        'Content-Length: 0',
        'X: ',
      ].join('\r\n');
      return `${lines}${'x'.repeat(size - lines.length - 4)}\r\n\r\n`;
    };
    const files = await caught(lab, async () => {
      for (const size of fates.keys()) {
        await near.send(Buffer.from(message(size), 'latin1'), { address: ADDRESS.provider, port: 5060 });
        await pause(50);
      }
    });
    for (const [where, result] of waysOf(files)) {
      for (const [size, fate] of fates) {
        const [row] = result.calls.filter(({ callId }) => callId === `size-${size}`).flatMap(({ rows }) => rows);
        assert.is(row?.fate, fate, `${size} bytes, ${where}`);
        assert.is(row?.lan?.length, size, where);
        if (fate === 'changed') {
          assert.equal(foundIn(row), [CONTACT, FROM, VIA], `${size} bytes, ${where}`);
          assert.is(row?.wan?.length, size + 3, where);
        }
      }
    }
  }),
);

calls('of a phone and a provider that people use: baresip calls baresip through kamailio', () =>
  inLab(async (lab) => {
    const files = await caught(lab, () => callThroughProvider(lab));
    for (const [where, result] of waysOf(files)) {
      assert.is(result.verdict, 'changed', where);
      const rows = result.calls.flatMap(({ rows }) => rows);
      const of = (what: string, toProvider: boolean): Row[] =>
        rows.filter((row) => row.what === what && row.toProvider === toProvider && !row.again);
      assert.ok(of('REGISTER', true).length >= 2, where);
      for (const row of of('REGISTER', true)) assert.ok(foundIn(row).includes(CONTACT), `${where}: ${foundIn(row)}`);
      const [out, inbound] = [of('INVITE', true), of('INVITE', false)];
      assert.equal([out.length, inbound.length], [1, 1], where);
      assert.ok([CONTACT, VIA, ...SDP].every((each) => foundIn(out[0]).includes(each)), `${where}: ${foundIn(out[0])}`);
      assert.ok(foundIn(inbound[0]).includes('Request-URI 1 host translated'), `${where}: ${foundIn(inbound[0])}`);
      assert.ok(of('BYE', true).length + of('BYE', false).length >= 1, where);
      // Nobody stands between the two captures: what kamailio adds is in both.
      assert.equal([result.counts.served, result.counts.dropped], [0, 0], where);
    }
    assert.is(compared([files.lan, files.wan]).counts.appeared, 0);
  }),
);

calls.run();
