/** `probe --phones`, of what is not UDP over IPv4 at port 5060: other ports, IPv6, TCP, and phones that number no packet. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Comparison } from '../../../src/compare/comparison.ts';
import { named } from '../../pure/compare/captures.ts';
import { HELP_TCP } from '../compare/captures.ts';
import { openLab } from '../lab.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { ENGINES, going, recording, stop, until } from '../watch/watched.ts';

type Result = Comparison & {
  recorded: { ports: number[]; inside: number; outside: number; segments: number; missed: number; places: { outside6: string[] } };
};

/** The module looks at what a rule gives it, and one rule here names a port of its owner's. */
const HELP_5080 = `
table inet fw4 {
  chain helper_lan { meta nfproto ipv4 udp dport 5080 ct helper set "sip"; }
}
`;
/** As phones whose system gives no datagram a number. */
const UNNUMBERED = 'table netdev zero { chain out { type filter hook egress device "eth0" priority 0; ip protocol udp ip id set 0; }; }';

const phones = suite('probe --phones and other ports, families and transports');

phones('compares them as it does UDP over IPv4, and counts repeats of packets without a number', async () => {
  const lab = await openLab({ ruleset: 'stock-alg-on' });
  try {
    await lab.router.must(['nft', '-f', '-'], { input: HELP_TCP + HELP_5080 });
    await lab.router.must(['ip', '-6', 'route', 'add', 'default', 'via', ADDRESS6.provider]);
    await lab.phone2.must(['nft', '-f', '-'], { input: UNNUMBERED });
    const all = await Promise.all(ENGINES.map((engine) => going(lab, engine, ['probe', '--phones', '--json', '--for', '600'])));
    await recording(lab, 'phones', 2, all);
    const six = await lab.sendInvite({ from: 'phone', to: 'provider', family: 6, callId: 'six' });
    const tcp = await lab.sendInvite({ from: 'phone', to: 'provider', transport: 'tcp', callId: 'tcp' });
    const other = await lab.sendSip('register', {
      from: 'phone',
      to: 'provider',
      sourcePort: 40_000,
      destinationPort: 5080,
      callId: 'other',
    });
    assert.equal(
      [six, tcp, other].map(({ arrived }) => arrived !== undefined),
      [true, true, true],
    );
    // The same bytes three times from one socket, as retransmissions are.
    const socket = await (await lab.talker('phone2')).udp(ADDRESS.phone2, 5060);
    const text = [
      `OPTIONS sip:b@${ADDRESS.provider} SIP/2.0`,
      `Via: SIP/2.0/UDP ${ADDRESS.phone2}:5060;branch=z9hG4bK-again;rport`,
      `From: <sip:a@${ADDRESS.provider}>;tag=a`,
      `To: <sip:b@${ADDRESS.provider}>`,
      'Call-ID: again',
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
    for (let nth = 0; nth < 3; nth++) {
      await socket.send(Buffer.from(text, 'latin1'), { address: ADDRESS.provider, port: 5060 });
      await new Promise((resolve) => setTimeout(resolve, 500)); // T1: nearer to each other they are one packet twice
    }
    await until(all, 'it goes on', ({ process }) => process.child.exitCode === null);
    assert.equal(await stop(all), [1, 1], all.map(({ complained }) => complained()).join());
    for (const { engine, said } of all) {
      const result = JSON.parse(said()) as Result;
      const { ports, inside, outside, segments, missed, places } = result.recorded;
      assert.equal([ports, places.outside6, inside, outside, segments, missed], [[5060, 5061, 5080], ['wan'], 6, 6, 2, 0], engine);
      assert.equal([result.counts.pairs, result.counts.dropped, result.counts.appeared], [6, 0, 0], engine);
      const rows = (callId: string) => result.calls.filter((call) => call.callId.startsWith(callId)).flatMap((call) => call.rows);
      const changes = (callId: string): string[] =>
        rows(callId)
          .flatMap(({ differences }) => differences.map(named))
          .sort();
      assert.equal(changes('six'), [], engine);
      assert.is(rows('six')[0]?.lan?.source, `[${ADDRESS6.phone}]:5060`, engine);
      for (const callId of ['tcp', 'other'])
        assert.ok(changes(callId).includes('Via 1 sent-by translated'), `${engine} ${callId}: ${changes(callId).join(', ')}`);
      assert.ok(changes('tcp').includes('SDP c= 0 address translated'), `${engine}: ${changes('tcp').join(', ')}`);
      assert.is(rows('tcp')[0]?.transport, 'tcp', engine);
      assert.equal(
        rows('again').map(({ fate }) => fate),
        ['changed', 'changed', 'changed'],
        engine,
      );
    }
    assert.not.ok((await lab.router.must(['nft', 'list', 'tables'])).includes('sipalg_'));
  } finally {
    await lab.close();
  }
});

phones.run();
