/** What `sipalg disable` says of a router whose UDP timeouts are shorter than its phones' registrations. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLab, type Lab } from '../lab.ts';
import { ADDRESS } from '../network.ts';
import { register } from '../sip.ts';

const warning = suite<{ lab: Lab }>('disable, where a phone has registered');

warning.before(async (context) => {
  context.lab = await openLab({ ruleset: 'stock-alg-on' });
});
warning.after(async ({ lab }) => {
  await lab.close();
});

/** A phone registers, and the provider lets it for `expires` seconds. */
async function registered(lab: Lab, expires: number): Promise<void> {
  const [phone, provider] = await Promise.all([lab.talker('phone'), lab.talker('provider')]);
  const [here, there] = await Promise.all([phone.udp(ADDRESS.phone, 5060), provider.udp(ADDRESS.provider, 5060)]);
  const request = register({
    from: { address: ADDRESS.phone, port: 5060, user: 'phone' },
    to: { address: ADDRESS.provider, port: 5060, user: 'provider' },
  });
  await here.send(Buffer.from(request, 'latin1'), { address: ADDRESS.provider, port: 5060 });
  const got = await there.next(2000);
  assert.ok(got);
  const arrived = got.bytes.toString('latin1');
  const header = (name: string): string => new RegExp(`^${name}:.*$`, 'im').exec(arrived)?.[0] ?? '';
  const answer = [
    'SIP/2.0 200 OK',
    ...['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Contact'].map(header),
    `Expires: ${expires}`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
  await there.send(Buffer.from(answer, 'latin1'), got.from);
  assert.ok(await here.next(2000), 'the answer came back');
}

warning('says for how long phones are registered, for how long a flow lives, and what to set', async ({ lab }) => {
  lab.files.write('/etc/config/sipalg', "config sipalg 'main'\n\toption alg 'unmanaged'\n");
  await registered(lab, 1800);
  const { status, stdout } = await lab.router.run(['sipalg', 'disable']);
  assert.is(status, 0, stdout);
  assert.match(stdout.replace(/\s+/g, ' '), /a phone is registered for 1[78]\d\d s more/);
  assert.match(stdout, /nf_conntrack_udp_timeout is \d+ s/);
  assert.match(stdout, 'uci set sipalg.main.policy=1');
  // Nothing in the kernel shows it any more; the voice rules are held against it all the same.
  assert.is((await lab.router.must(['cat', '/proc/net/nf_conntrack_expect'])).trim(), '');
  lab.files.write('/etc/config/sipalg', "config sipalg 'main'\n\toption alg 'disabled'\n\toption policy '1'\n");
  await lab.router.must(['sipalg', 'apply'], { timeout: 60_000 });
  const policy = async (): Promise<string> => (await lab.router.run(['sipalg', 'policy'], { timeout: 60_000 })).stdout;
  assert.match((await policy()).replace(/\s+/g, ' '), /A phone registers for longer than its way back is kept: after 620 s .*signalling_replied=1860/);
  assert.match((await policy()).replace(/\s+/g, ' '), /a phone is registered for 1[78]\d\d s more, as \/etc\/sipalg\.journal shows/);
  lab.files.write('/etc/config/sipalg', `${lab.files.read('/etc/config/sipalg')}\nconfig timeouts\n\toption signalling_replied '1860'\n`);
  assert.not.match(await policy(), 'registers for longer');
});

warning.run();
