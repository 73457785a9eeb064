import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compareMessages } from '../compare.ts';
import type { Delivery, Lab } from '../lab.ts';
import { ADDRESS } from '../network.ts';
import { offer } from '../sip.ts';
import { startTraffic } from '../traffic.ts';
import { complaints, differences, onRouter, openRouter, WISH, type Router } from './router.ts';

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Somebody else's table, with everything in it that a careless hand would disturb; nothing of SIP. */
const FOREIGN = `table inet qos {
	counter calls { }
	quota daily { 500 mbytes }
	limit slow { rate 10/second }
	set banned { type ipv4_addr; flags timeout, dynamic; elements = { 192.0.2.1, 192.0.2.2 timeout 1d } }
	map marks { type inet_service : mark; elements = { 8080 : 0x10, 41000 : 0x20 } }
	ct helper files { type "ftp" protocol tcp; l3proto ip; }
	ct timeout long {
		protocol udp;
		l3proto ip;
		policy = { replied : 500, unreplied : 100 };
	}
	chain pre {
		type filter hook prerouting priority -160; policy accept;
		counter name "calls"
		ct helper set tcp dport map { 21 : "files" }
		meta mark set tcp dport map @marks
		udp dport 5060 limit rate over 500/second counter comment "ct helper set sip is not said here"
		add @banned { ip saddr limit rate over 1000/second } counter
	}
}
table netdev edge { }
table arp quiet {
	chain in {
		type filter hook input priority 0; policy accept;
	}
}
`;

/** Every entry nft lists, handles included, but for what is SIP's own and what counts by itself. */
async function entries(lab: Lab): Promise<string[]> {
  return (await lab.ruleset())
    .map((entry) => JSON.stringify(entry))
    .filter((entry) => !entry.includes('"ct helper":"sip"') && !entry.includes('"type":"sip"'))
    .map((entry) => entry.replace(/"(packets|bytes|used|expires)":\d+/g, '"$1":0'));
}

/** Flows that are not SIP's, by their own identity and both ends. */
async function flows(lab: Lab): Promise<string[]> {
  const { stdout } = await lab.router.run(['sh', '-c', 'conntrack -L -o id; conntrack -L -f ipv6 -o id']);
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !/port=5060 /.test(line))
    .map((line) => `${line.split(/\s+/)[0]} ${[...line.matchAll(/(src|dst|sport|dport|id|mark)=\S+/g)].map(([found]) => found).join(' ')}`)
    .sort();
}

/**
 * A call set up through the ALG: INVITE and 200 with SDP, so that the helper expects its RTP; the traffic's own
 * RTP then runs over flows that the expectations made.
 */
async function setUpCall(lab: Lab): Promise<{ expected: number }> {
  const { arrived, arrivedFrom } = await lab.sendInvite({ from: 'phone', to: 'provider', mediaPort: 4000 });
  assert.match(String(arrived), /m=audio 4000 /);
  assert.match(String(arrived), `c=IN IP4 ${ADDRESS.wan}`);
  const head = String(arrived)
    .split('\r\n')
    .filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
  const body = offer(ADDRESS.provider, 20000);
  const answer = [
    'SIP/2.0 200 OK',
    ...head,
    `Contact: <sip:provider@${ADDRESS.provider}:5060>`,
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
  const [near, far] = await Promise.all([lab.talker('phone'), lab.talker('provider')]);
  const there = await near.udp(ADDRESS.phone, 5060);
  const here = await far.udp(ADDRESS.provider, 5060);
  await here.send(Buffer.from(answer, 'latin1'), arrivedFrom!);
  const got = await there.next();
  assert.match(String(got?.bytes), 'SIP/2.0 200 OK');
  await Promise.all([here.close(), there.close()]);
  return { expected: await expectations(lab) };
}

async function expectations(lab: Lab): Promise<number> {
  const { stdout } = await lab.router.run(['conntrack', '-L', 'expect']);
  return stdout.split('\n').filter((line) => line.includes('helper=sip') || line.includes('class=')).length;
}

const lost = suite('while disable and enable run');

lost('no packet of anything else is lost, and no foreign rule, set or flow changes', () =>
  onRouter({ ruleset: 'set-helper-rule' }, async (router) => {
    const { lab } = router;
    await lab.router.must(['nft', '-f', '-'], { input: FOREIGN });
    const { expected } = await setUpCall(lab);
    assert.ok(expected >= 2, `${expected} expectations`);
    const traffic = await startTraffic(lab);
    assert.ok((await expectations(lab)) < expected, 'the RTP runs over an expectation');
    assert.is(await router.flows(), 1);

    const [rules, live] = [await entries(lab), await flows(lab)];
    assert.ok(live.length >= 5 && rules.length > 50, `${live.length} flows, ${rules.length} entries`);
    for (const command of ['disable', 'enable', 'disable', 'enable']) {
      await wait(250);
      const told = await router.sipalg([command]);
      assert.is(told.status, 0, told.stderr);
      if (command === 'disable') assert.is((await router.flows()) + (await expectations(lab)), 0);
      assert.equal(await entries(lab), rules, command);
      assert.equal(await flows(lab), live, command);
    }
    await wait(250);
    for (const { name, direction, sent, received, reordered, duplicates } of await traffic.stop()) {
      assert.ok(sent > 60, `${name} ${direction} sent ${sent}`);
      assert.equal({ received, reordered, duplicates }, { received: sent, reordered: 0, duplicates: 0 }, `${name} ${direction}`);
    }
  }),
);

const fields = ({ sent, arrived }: Delivery): string[] => {
  assert.ok(arrived, 'the message did not arrive');
  return compareMessages(sent, arrived).map(({ field }) => field);
};
const REWRITTEN = ['Via', 'From', 'Contact', 'SDP o=', 'SDP c='];

const calls = suite<{ router: Router }>('a call through a router');
calls.before(async (context) => {
  context.router = await openRouter({ ruleset: 'set-helper-rule' });
});
calls.after(({ router }) => router.close());

calls(
  'is rewritten, then passes byte for byte also on the same ports and over reload and restart, then is rewritten again',
  async ({ router }) => {
    const { lab } = router;
    const invite = async (sourcePort = 5060): Promise<string[]> =>
      fields(
        await lab.sendInvite({
          from: 'phone',
          to: 'provider',
          sourcePort,
          callId: `call-${sourcePort}@${ADDRESS.phone}`,
          mediaPort: sourcePort + 1000,
        }),
      );
    assert.equal(await invite(), REWRITTEN);
    assert.is((await router.sipalg(['disable'])).status, 0);
    assert.equal(await invite(), [], 'the five-tuple that was under the helper');
    assert.equal(await invite(5064), [], 'a new one');
    for (const verb of ['reload', 'restart', 'reload']) {
      await lab.router.must(['fw4', verb]);
      assert.equal(await invite(), [], verb);
      assert.equal(await invite(5066), [], verb);
      assert.equal(await invite(5068), [], verb);
      assert.is(await router.flows(), 0, verb);
      assert.is((await router.sipalg(['status'])).status, 0, verb);
    }
    const enabled = await router.sipalg(['enable']);
    assert.is(enabled.status, 0, enabled.stderr);
    assert.equal(await invite(5070), REWRITTEN, 'a new flow after enable');
    await lab.router.must(['conntrack', '-D', '-p', 'udp', '--orig-port-src', '5064']);
    assert.equal(await invite(5064), REWRITTEN, 'an old one, when it has ended');
    await lab.router.must(['fw4', 'reload']);
    assert.equal(await invite(5072), REWRITTEN);
  },
);

calls('whose flow cannot be ended, for want of conntrack, lets disable take everything back', async ({ router }) => {
  const { lab } = router;
  const conntrack = '/usr/sbin/conntrack';
  await router.sipalg(['enable']);
  lab.files.remove(WISH);
  await router.call();
  assert.ok((await router.flows()) > 0);
  const before = await router.state();
  await lab.router.must(['mv', conntrack, `${conntrack}.kept`]);
  const told = await router.sipalg(['disable']);
  const looked = await router.sipalg(['status']);
  await lab.router.must(['mv', `${conntrack}.kept`, conntrack]);
  assert.is(told.status, 2, told.stdout + told.stderr);
  assert.is(told.stdout, '');
  assert.match(
    complaints(told).join(' '),
    /\/proc\/net\/nf_conntrack.* Everything done before it has been taken back\. .*Install the package conntrack/,
  );
  assert.equal(differences(before, await router.state()), []);
  assert.is(looked.status, 1, looked.stdout);
  assert.match(looked.stdout.replace(/\s+/g, ' '), /longer than a plain flow may|rewrites calls/);
  assert.ok((await router.flows()) > 0, 'the flow is as it was');
});

lost.run();
calls.run();
