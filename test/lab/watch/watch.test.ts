/** `watch` and `probe --phones` while real peers register and call through the kernel's real ALG, on both engines at once. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Comparison } from '../../../src/compare/comparison.ts';
import { named } from '../../pure/compare/captures.ts';
import { HELP_TCP } from '../compare/captures.ts';
import { callThroughProvider } from '../compare/peers.ts';
import { openLab, type Lab } from '../lab.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { play } from '../sipp.ts';
import type { Socket } from '../talker.ts';
import { ENGINES, going, recording, stop, until } from './watched.ts';
import type { Going, Line } from './watched.ts';

/** A port that its owner gives to the helper. */
const HELP_5080 = `
table inet fw4 {
  chain helper_lan { meta nfproto ipv4 udp dport 5080 ct helper set "sip"; }
}
`;

/** ETHTOOL_STXCSUM 0: a virtual device leaves checksums to be finished (linux/ethtool.h). */
const CHECKSUMS = `import array, fcntl, socket, struct
value = array.array('B', struct.pack('II', 0x17, 0))
fcntl.ioctl(socket.socket(), 0x8946, struct.pack('16sP', b'eth0', value.buffer_info()[0]))`;

/** Of IPv6 the helper drops what these calls say: a hold by `IN IP4 0.0.0.0`. */
const NO_HELP_6 = 'insert rule inet fw4 helper_lan meta nfproto ipv6 return\n';

const watch = suite('watch and the real ALG');

const SHORT = ['net.netfilter.nf_conntrack_udp_timeout=15', 'net.netfilter.nf_conntrack_udp_timeout_stream=15'];
const COUNTED = 'net.netfilter.nf_conntrack_acct=1';

const nothingLeft = async (lab: Lab): Promise<void> => {
  assert.not.ok((await lab.router.must(['nft', 'list', 'tables'])).includes('sipalg_'));
  assert.equal(
    lab.files.list('/var/run').filter((name) => name.startsWith('sipalg.made')),
    [],
  );
};

/** Kinds of what was told of a phone, in their order, without those that come at any time. */
const kinds = (lines: readonly Line[], phone: string, of: readonly string[]): string[] =>
  lines.filter((line) => line['phone'] === phone && of.includes(line.what)).map(({ what }) => what);

const STORY = ['call', 'rings', 'answered', 'ended'];

watch('tells the story of two real phones and compares all they send, without leaving anything', async () => {
  const lab = await openLab({ ruleset: 'stock-alg-on' });
  try {
    await lab.router.must(['sysctl', '-w', COUNTED]);
    const watching = await Promise.all(ENGINES.map((engine) => going(lab, engine, ['watch', '--json'])));
    const phones = await Promise.all(ENGINES.map((engine) => going(lab, engine, ['probe', '--phones', '--json', '--for', '600'])));
    await until(watching, 'it watches', ({ lines }) => lines().length > 0);
    await recording(lab, 'watch', 2, watching);
    await recording(lab, 'phones', 2, phones);
    await callThroughProvider(lab);
    await until(watching, 'the call has ended for both phones', ({ lines }) => lines().filter(({ what }) => what === 'ended').length === 2);
    // What a recording has is read once more as it ends.
    assert.equal(await stop([...watching, ...phones]), [1, 1, 1, 1], [...watching, ...phones].map(({ complained }) => complained()).join());
    for (const one of watching) story(one);
    for (const one of phones) comparedAll(one);
    // What they have noted of registrations is there for a diagnosis, which looks once; the flow's time left stands beside it.
    const { stdout } = await lab.router.run(['sipalg', 'diagnose', '--json']);
    const { diagnosis } = JSON.parse(stdout) as { diagnosis: { phones: string[] } };
    const own = diagnosis.phones.find((line) => line.startsWith(`udp ${ADDRESS.phone}:5060 -> ${ADDRESS.provider}:5060, `))!;
    assert.match(own, / s left.*; .*it is registered for 600 s \(seen \d+ times? by sipalg (watch|probe --phones), \d min ago\)/);
    await nothingLeft(lab);
  } finally {
    await lab.close();
  }
});

function story({ engine, lines }: Going): void {
  const all = lines();
  // The kernel dates a record by ticks, and these phones answer within one: so all is there, and the end is the end.
  for (const phone of [ADDRESS.phone, ADDRESS.phone2]) {
    const told = kinds(all, phone, STORY);
    assert.equal([...told].sort(), [...STORY].sort(), `${engine} ${phone}`);
    assert.equal([told[0], told.at(-1)], ['call', 'ended'], `${engine} ${phone}`);
    assert.ok(
      all.some((line) => line.what === 'registered' && line['phone'] === phone),
      `${engine} ${phone}`,
    );
  }
  const [out, back] = [ADDRESS.phone, ADDRESS.phone2].map((phone) => all.find((line) => line.what === 'call' && line['phone'] === phone));
  assert.equal([out?.['by'], back?.['by']], ['phone', 'far'], engine);
  assert.is(all.find(({ what }) => what === 'registered')?.['expires'], 600, engine);
  // Both register from port 5060, and the second is moved.
  assert.ok(
    all.some((line) => line.what === 'port-moved' && line.cause === 'phones-share-sip-port'),
    engine,
  );
  assert.ok(
    all.some((line) => line.what === 'changed' && line.cause === 'alg-rewrites'),
    engine,
  );
  const summary = all.at(-1) as Line;
  assert.is(summary.what, 'summary', engine);
  assert.equal([summary['calls'], summary['answered'], summary['dropped']], [2, 2, 0], engine);
  assert.ok((summary['changed'] as number) > 10, engine);
  const ladders = summary['ladders'] as { phone: string; rungs: { what: string; fate: string }[] }[];
  const [first] = ladders;
  assert.equal(
    first?.rungs.filter(({ what }) => what === 'INVITE' || what === 'BYE').map(({ fate }) => fate),
    ['changed', 'changed'],
    engine,
  );
}

function comparedAll({ engine, said }: Going): void {
  const result = JSON.parse(said()) as Comparison & { recorded: { bytes: number } };
  assert.is(result.verdict, 'changed', engine);
  assert.equal([result.counts.dropped, result.counts.served, result.counts.appeared], [0, 0, 0], engine);
  const rows = result.calls.flatMap((call) => call.rows);
  const invite = rows.find(({ what, toProvider }) => what === 'INVITE' && toProvider);
  assert.ok(invite !== undefined, engine);
  assert.equal([invite.lan?.source, invite.wan?.destination], [`${ADDRESS.phone}:5060`, `${ADDRESS.provider}:5060`], engine);
  const found = invite.differences.map(named);
  for (const change of ['Via 1 sent-by translated', 'Contact 1 URI host translated', 'SDP c= 0 address translated'])
    assert.ok(found.includes(change), `${engine}: ${found.join(', ')}`);
  const inbound = rows.find(({ what, toProvider }) => what === 'INVITE' && !toProvider);
  assert.ok(inbound?.differences.map(named).includes('Request-URI 1 host translated'), engine);
}

const INVITE = (cseq: number, direction: string, tag: string): string => {
  const body = [
    'v=0',
    `o=a 1 ${cseq} IN IP4 ${ADDRESS.wan}`,
    's=-',
    `c=IN IP4 ${ADDRESS.wan}`,
    't=0 0',
    'm=audio 16384 RTP/AVP 8',
    `a=${direction}`,
    '',
  ].join('\r\n');
  return [
    `INVITE sip:b@${ADDRESS.provider} SIP/2.0`,
    `Via: SIP/2.0/UDP ${ADDRESS.phone}:5060;branch=z9hG4bK-w${cseq};rport`,
    `From: <sip:a@${ADDRESS.provider}>;tag=a`,
    `To: <sip:b@${ADDRESS.provider}>${tag}`,
    'Call-ID: watched',
    `CSeq: ${cseq} INVITE`,
    `Contact: <sip:a@${ADDRESS.phone}:5060>`,
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
};

const answer = (to: string, code: string, cseq: string): string =>
  [
    `SIP/2.0 ${code}`,
    /^Via: .*$/m.exec(to)![0].trim(),
    `From: <sip:a@${ADDRESS.provider}>;tag=a`,
    `To: <sip:b@${ADDRESS.provider}>;tag=b`,
    'Call-ID: watched',
    `CSeq: ${cseq}`,
    `Contact: <sip:b@${ADDRESS.provider}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');

/** Packets of 20 ms each way for as long as it is asked to. */
async function stream(out: Socket, back: Socket | null, goOn: () => boolean): Promise<void> {
  const packet = Buffer.alloc(172, 0x80);
  while (goOn()) {
    await out.send(packet, { address: ADDRESS.provider, port: 20_000 });
    await back?.send(packet, { address: ADDRESS.wan, port: 16_384 });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

watch('tells audio both ways and one way, hold, and a state that runs out before the next call comes', async () => {
  const lab = await openLab({ ruleset: 'stock-alg-absent' });
  try {
    await lab.router.must(['sysctl', '-w', COUNTED, ...SHORT]);
    const all = await Promise.all(ENGINES.map((engine) => going(lab, engine, ['watch', '--json'])));
    await until(all, 'it watches', ({ lines }) => lines().length > 0);
    await recording(lab, 'watch', 2, all);
    const told =
      (what: string, fits: (line: Line) => boolean = () => true) =>
      (one: Going): boolean =>
        one.lines().some((line) => line.what === what && fits(line));
    const [phone, provider] = await Promise.all([lab.talker('phone'), lab.talker('provider')]);
    const [near, far] = [await phone.udp(ADDRESS.phone, 5060), await provider.udp(ADDRESS.provider, 5060)];
    const [audio, audioFar] = [await phone.udp(ADDRESS.phone, 16_384), await provider.udp(ADDRESS.provider, 20_000)];
    const out = (text: string): Promise<void> => near.send(Buffer.from(text, 'latin1'), { address: ADDRESS.provider, port: 5060 });
    const back = (text: string): Promise<void> => far.send(Buffer.from(text, 'latin1'), { address: ADDRESS.wan, port: 5060 });

    const invite = INVITE(1, 'sendrecv', '');
    await out(invite);
    await back(answer(invite, '180 Ringing', '1 INVITE'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await back(answer(invite, '200 OK', '1 INVITE'));
    await until(all, 'answered', told('answered'));

    let both = true;
    const first = stream(audio, audioFar, () => both);
    await until(
      all,
      'both ways',
      told('audio', (line) => line['ways'] === 'both' && line['call'] === 1),
    );
    both = false;
    await first;
    let goOn = true;
    const second = stream(audio, null, () => goOn);
    await until(
      all,
      'one way',
      told('audio', (line) => line['ways'] === 'out'),
    );

    const hold = INVITE(2, 'sendonly', ';tag=b');
    await out(hold);
    await back(answer(hold, '200 OK', '2 INVITE'));
    await until(
      all,
      'held',
      told('held', (line) => line['by'] === 'phone'),
    );

    // Signalling is silent while audio goes on, and runs out.
    const heldAt = (lines: readonly Line[]): number => lines.find(({ what }) => what === 'held')!.at;
    const ran = ({ lines }: Going): Line | undefined =>
      lines().find((line) => line.what === 'state-ended' && line['cause'] === 'state-gone-in-call' && line.at > heldAt(lines()));
    await until(all, 'runs out', (one) => ran(one)?.['inCall'] === true);
    const end = ran(all[0]!)!;
    // Dated by the time that was left, and not by the event, which comes late.
    assert.ok((end['ended'] as number) <= end.at, JSON.stringify(end));
    goOn = false;
    await second;
    await back(
      answer(invite, '200 OK', '1 INVITE').replace('SIP/2.0 200 OK', `INVITE sip:a@${ADDRESS.wan} SIP/2.0`).replace('1 INVITE', '7 INVITE'),
    );
    await until(
      all,
      'a call that meets no state',
      told('dropped', (line) => line['cause'] === 'state-short' && line['toProvider'] === false),
    );

    assert.equal(await stop(all), [1, 1]);
    for (const { engine, lines } of all) {
      const summary = lines().at(-1)!;
      assert.equal([summary.what, summary['changed'], summary['counts']], ['summary', 0, true], engine);
    }
    await nothingLeft(lab);
  } finally {
    await lab.close();
  }
});

watch('tells the same of real calls over UDP, TCP and IPv6, and of TLS and other ports what there is to see', async () => {
  const lab = await openLab({ ruleset: 'stock-alg-on' });
  try {
    await lab.router.must(['nft', '-f', '-'], { input: HELP_TCP + HELP_5080 + NO_HELP_6 });
    await lab.router.must(['ip', '-6', 'route', 'add', 'default', 'via', ADDRESS6.provider]);
    const all = await Promise.all(ENGINES.map((engine) => going(lab, engine, ['watch', '--json'])));
    await recording(lab, 'watch', 2, all);
    assert.equal(
      all.map(({ lines }) => lines()[0]?.['ports']),
      ENGINES.map(() => [5060, 5061, 5080]),
    );
    // What has no IP id is told apart by its checksum, which a real card has finished.
    for (const member of [lab.phone, lab.provider]) await member.must(['python3', '-c', CHECKSUMS]);
    const ways = ['udp', 'tcp', 'udp6', 'tcp6'] as const;
    for (const way of ways) await play(lab, 'features', 'features-provider', way);
    const register = { from: 'phone', to: 'provider' } as const;
    await lab.sendSip('register', { ...register, sourcePort: 40_000, destinationPort: 5080, callId: 'other' });
    await lab.sendInvite({ ...register, transport: 'tcp', destinationPort: 5061, callId: 'tls', branch: 'z9hG4bK-tls' });
    const tls = (line: Line): boolean => line.what === 'state' && line['far'] === `${ADDRESS.provider}:5061` && line['transport'] === 'tcp';
    await until(all, 'the flow of TLS is seen', ({ lines }) => lines().some(tls));
    await until(all, 'all have ended', ({ lines }) => lines().filter(({ what }) => what === 'ended').length >= ways.length);
    assert.equal(await stop(all), [1, 1], all.map(({ complained }) => complained()).join());
    for (const { engine, lines } of all) {
      const told = lines();
      const ofCall = (call: number): string[] =>
        told
          .filter((line) => line['call'] === call)
          .map(({ what, by, status }) => [what, by, status].filter((one) => one != null).join(' '));
      // sipp plays all of a call within one or two ticks of the kernel's clock, by which it dates: so all is there, and begins so.
      const story = ['answered far', 'call phone', 'ended phone', 'held phone', 'resumed phone', 'transfer phone', 'transfer phone 202'];
      // Only where the kernel's helper is: there the first message of each kind that is changed is told as well.
      for (const [nth, way] of ways.entries()) {
        const own = ofCall(nth + 1).filter((one) => one !== 'changed');
        assert.equal([own[0], [...own].sort()], ['call phone', story], `${engine} ${way}`);
      }
      const ladders = told.at(-1)!['ladders'] as { phone: string; rungs: { what: string; fate: string }[] }[];
      assert.equal(
        ladders.slice(0, 4).map(({ phone }) => phone),
        [ADDRESS.phone, ADDRESS.phone, `[${ADDRESS6.phone}]`, `[${ADDRESS6.phone}]`].map((one) => `${one}:5060`),
        engine,
      );
      // The helper edits what it is given: UDP and TCP over IPv4, and of IPv6 nothing.
      const fates = ladders.map(({ rungs }) => rungs.find(({ what }) => what === 'INVITE')?.fate);
      assert.equal(fates.slice(0, 4), ['changed', 'changed', 'passed', 'passed'], engine);
      const summary = told.at(-1)!;
      assert.equal([summary['dropped'], summary['calls']], [0, 5], engine);
      const registered = told.filter(({ what }) => what === 'registered').map((line) => line['phone']);
      assert.equal(registered, [ADDRESS.phone, ADDRESS6.phone], engine);
      assert.ok(told.some((line) => line.what === 'state' && line['far'] === `${ADDRESS.provider}:5080`), engine);
    }
    await nothingLeft(lab);
  } finally {
    await lab.close();
  }
});

watch('that is killed leaves what the next run takes away', async () => {
  const lab = await openLab({ ruleset: 'stock-alg-absent' });
  try {
    // Of each kind a table.
    await lab.router.must(['ip', '-6', 'route', 'add', 'default', 'via', ADDRESS6.provider]);
    const killed = [await going(lab, 'node', ['probe', '--phones']), await going(lab, 'quickjs', ['watch'])];
    await recording(lab, 'phones', 1, killed);
    await recording(lab, 'watch', 1, killed);
    for (const { process } of killed) process.signal('SIGKILL');
    await Promise.all(killed.map(({ process }) => process.ended));
    const left = await lab.router.must(['nft', 'list', 'tables']);
    assert.equal(
      ['phones', 'watch'].flatMap((kind) => ['', 'six', 'tcp', 'tcpsix'].filter((part) => !left.includes(`netdev sipalg_${kind}${part}_`))),
      [],
    );
    const next = await lab.router.run(['sipalg', 'watch', '--for', '1', '--no-record']);
    assert.is(next.status, 0, next.stderr);
    assert.match(next.stderr, 'was killed');
    await nothingLeft(lab);

    // Without conntrack the table alone is looked at; who is not root is told so.
    lab.files.remove('/usr/sbin/conntrack');
    const phone = await (await lab.talker('phone')).udp(ADDRESS.phone, 5060);
    const polling = await Promise.all(ENGINES.map((engine) => going(lab, engine, ['watch', '--no-record'])));
    await until(polling, 'it looks', ({ complained }) => complained().includes('conntrack is not installed'));
    await phone.send(Buffer.from('REGISTER'), { address: ADDRESS.provider, port: 5060 });
    await until(polling, 'it sees the phone', ({ said }) => said().includes(`${ADDRESS.phone}     speaks to ${ADDRESS.provider}:5060`));
    assert.equal(await stop(polling), [0, 0]);
    const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];
    const stranger = await lab.router.run([...nobody, 'sipalg', 'watch', '--for', '1']);
    assert.equal([stranger.status, stranger.stdout], [2, '']);
    assert.match(stranger.stderr, 'run `sipalg watch` as root');
  } finally {
    await lab.close();
  }
});

watch.run();
