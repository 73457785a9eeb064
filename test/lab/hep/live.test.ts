/**
 * Phones register and call through the kernel's real ALG, and senders on both engines tell Homer servers of it: both sides of each
 * message under one id, without credentials, and as many as passed.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Engine } from '../../bundled.ts';
import { callThroughProvider } from '../compare/peers.ts';
import { filesOf } from '../files.ts';
import { openLab } from '../lab.ts';
import { ADDRESS } from '../network.ts';
import { going, recording, stop } from '../watch/watched.ts';
import type { Going } from '../watch/watched.ts';
import { startKamailio, startSngrep, until } from './servers.ts';
import type { Kept } from './servers.ts';

const live = suite('the messages of phones on their way to a Homer server');

const wish = (port: number, node: number): string => `config hep 'hep'
	option enabled '1'
	option server '${ADDRESS.provider}:${port}'
	option node '${node}'
	option password 'hunter2'
`;

const CREDENTIALS = 'Digest username="alice", response="0123456789abcdef0123456789abcdef"';

const register = (more: string): string =>
  [
    `REGISTER sip:${ADDRESS.provider} SIP/2.0`,
    `Via: SIP/2.0/UDP ${ADDRESS.phone}:5060;branch=z9hG4bK-secret`,
    `From: <sip:alice@${ADDRESS.provider}>;tag=s1`,
    `To: <sip:alice@${ADDRESS.provider}>`,
    'Call-ID: secret-1',
    'CSeq: 2 REGISTER',
    `Contact: <sip:alice@${ADDRESS.phone}:5060>`,
    ...(more === '' ? [] : [more]),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');

/** What a sender says at its end: in a sentence, or in the summary of `watch --json`. */
function sentBy(one: Going): number {
  const watched = one.said().startsWith('{') ? one.lines().find(({ what }) => what === 'summary') : undefined;
  if (watched === undefined) {
    const [, count] = /^Sent to the Homer server 203\.0\.113\.10:906[01]: (\d+) messages; none was lost\.\n$/.exec(one.said()) ?? [];
    assert.ok(count !== undefined, one.said());
    return Number(count);
  }
  const { sent, ...others } = watched['hep'] as Record<string, number>;
  assert.equal(others, { overflowed: 0, oversized: 0, failed: 0, cut: 0, unread: 0, missed: 0, waiting: 0 });
  return sent ?? NaN;
}

live('kamailio and sngrep have both sides of a call under one id, from either engine and by tcpdump', async () => {
  const lab = await openLab({ ruleset: 'stock-alg-on' });
  const outside = filesOf(lab.provider.pid);
  try {
    const kamailio = await startKamailio(lab.provider, outside, ADDRESS.provider);
    const sngrep = await startSngrep(lab.provider, outside, ADDRESS.provider, 9061);
    const senders: Going[] = [];
    const begin = async (engine: Engine, words: string[], configuration: string, begun: (one: Going) => Promise<void>): Promise<void> => {
      lab.files.write('/etc/config/sipalg', configuration);
      const one = await going(lab, engine, words);
      senders.push(one);
      await begun(one);
    };
    await begin('node', ['watch', '--hep', '--json'], wish(9060, 11), (one) => recording(lab, 'hep', 1, [one]));
    await begin('quickjs', ['send-messages'], wish(9061, 12), (one) => recording(lab, 'hep', 2, [one]));
    // A kernel whose recorder gets the beginnings alone, as OpenWrt has it up to now: then it is tcpdump.
    // Debian's tcpdump is no longer root as it records.
    lab.files.write('/etc/passwd', 'root:x:0:0::/root:/bin/sh\ntcpdump:x:65534:65534::/:/bin/false\n');
    lab.files.write('/tmp/osrelease', '6.6.93\n');
    await lab.router.must(['mount', '--bind', '/tmp/osrelease', '/proc/sys/kernel/osrelease']);
    await begin('quickjs', ['send-messages'], wish(9060, 13), (one) =>
      until(
        async () => (await lab.router.must(['cat', '/proc/net/packet'])).trim().split('\n').length > 1,
        () => `tcpdump records; it said ${one.complained()}`,
      ),
    );
    await callThroughProvider(lab);
    await lab.send(Buffer.from(register(`Authorization: ${CREDENTIALS}`)), { from: 'phone', to: 'provider' });
    const ofNode = (rows: readonly Kept[], node: number): Kept[] => rows.filter((row) => row[6]?.endsWith(`:${node}`));
    const both = (rows: readonly Kept[]): boolean => rows.filter((row) => row[0] === 'secret-1').length === 2;
    // The last one that was sent, as it came in and as it went out.
    await kamailio.kept((rows) => both(ofNode(rows, 11)) && both(ofNode(rows, 13)), 'the last message, from both');
    // The watch has seen the ALG, which is trouble.
    assert.equal(await stop(senders), [1, 0, 0], senders.map(({ complained }) => complained()).join('\n'));
    const rows = await kamailio.kept(() => true, 'all');
    assert.is(await kamailio.dropped(), 0, 'datagrams that kamailio had no room for');
    // What its database does not take is no message that was lost on its way.
    assert.equal(kamailio.said().split('\n').filter((line) => /ERROR|CRITICAL/.test(line) && !line.includes('mod_init')), []);
    const [recorded, dumped] = [ofNode(rows, 11), ofNode(rows, 13)];
    const [first, second, third] = senders as [Going, Going, Going];
    assert.equal([first, third].map(sentBy), [recorded.length, dumped.length]);
    // What each way of recording has is what the other has, to the byte.
    const told = (all: readonly Kept[]): string[] => all.map(([, , from, to, , , , text]) => `${from} ${to} ${text}`).sort();
    assert.equal(told(recorded), told(dumped));
    assert.equal((await sngrep.took((ways) => ways.length === sentBy(second), 'what it was sent')).length, recorded.length);
    ofCall(recorded);
    for (const [, , , , , micro, , text = ''] of rows) {
      assert.not.match(text, /Digest|0123456789abcdef|hunter2/);
      assert.ok(Math.abs(Number(micro) / 1000 - Date.now()) < 120_000, `${micro}`);
    }
    assert.not.match(sngrep.text(), /Digest|0123456789abcdef/);
    await kamailio.stop();
    await sngrep.stop();
  } finally {
    await lab.close();
  }
});

/** The call of alice goes to the provider and back to bob: over the router twice, and under one id. */
function ofCall(rows: readonly Kept[]): void {
  const invites = rows.filter(([, , , , method]) => method === 'INVITE');
  assert.equal(
    invites.map(([, , from, to]) => `${from} > ${to}`).sort(),
    [
      `${ADDRESS.phone} > ${ADDRESS.provider}`,
      `${ADDRESS.wan} > ${ADDRESS.provider}`,
      `${ADDRESS.provider} > ${ADDRESS.wan}`,
      `${ADDRESS.provider} > ${ADDRESS.phone2}`,
    ].sort(),
  );
  assert.is(new Set(invites.map(([, id]) => id)).size, 1);
  const [id] = invites.map(([, one]) => one);
  const call = rows.filter(([, one]) => one === id);
  assert.ok(['INVITE', 'ACK', 'BYE', '180', '200'].every((method) => call.some((row) => row[4] === method)));
  // The real ALG: what left the router names its own address where the phone's was.
  const sdp = (from: string): string => /^c=IN IP4 (\S+)/m.exec(invites.find((row) => row[2] === from)?.[7] ?? '')?.[1] ?? '';
  assert.equal([sdp(ADDRESS.phone), sdp(ADDRESS.wan)], [ADDRESS.phone, ADDRESS.wan]);
}

live.run();
