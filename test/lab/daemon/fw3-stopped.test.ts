/** A router with fw3 whose owner has stopped the firewall, with a daemon that keeps what is wished: it stays stopped. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createKeep } from '../../../src/daemon/enforce.ts';
import { SETTLE } from '../../../src/daemon/polling.ts';
import type { Report } from '../../../src/survey/survey.ts';
import { handClock } from '../../pure/daemon/hand.ts';
import { ADDRESS } from '../network.ts';
import { eventually, has, openResident } from './resident.ts';

const WISH = `config sipalg 'main'
	option alg 'disabled'
	option policy '1'

config provider 'lab'
	list signalling '${ADDRESS.provider}'
	option inbound '1'
	list pbx '${ADDRESS.phone}'
	option media_ports '10000-10100'
`;

const MINUTE = 60_000;

const stopped = suite('fw3 stopped, and a daemon');

stopped('the daemon starts it neither at the event nor in the hours after it, and says no more than once what is not in force', async () => {
  const all = await openResident({ fw3: 'stock-21.02' });
  try {
    const { lab } = all;
    await all.bus();
    lab.files.write('/etc/config/sipalg', WISH);
    const applied = await lab.router.run(['sipalg', 'apply'], { timeout: 60_000 });
    assert.is(applied.status, 0, applied.stderr);
    const daemon = all.start(['--no-page']);
    const client = await eventually('the object', async () => {
      const one = await all.client();
      return (await one.call('sipalg', 'status', {}).catch(() => null)) === null ? undefined : one;
    });
    await lab.router.must(['fw3', 'stop']);
    const since = Date.now();
    // The state file tells the daemon; when it has looked twice since, what it is going to do is done.
    const seen = async (): Promise<Report> => (await client.call('sipalg', 'status', {})) as unknown as Report;
    const loaded = ({ facts }: Report): unknown =>
      facts.policy.state === 'present' && facts.policy.value.loaded?.state === 'present' ? facts.policy.value.loaded.value : null;
    const report = await eventually('a look well after the stop', async () => {
      const one = await seen();
      return loaded(one) === false && one.facts.at > since + SETTLE + 1000 ? one : undefined;
    });
    assert.equal(
      report.plan.steps.map(({ text }) => text),
      [],
      'nothing is left to do',
    );
    assert.is(has(lab, '/var/run/fw3.state'), false);
    const rules = await lab.router.must(['iptables-save']);
    assert.not.match(rules, /zone_lan_input|input_rule/);
    assert.not.match(daemon.log(), /\[#\] fw3/);

    // The same for hours, by a clock that is moved by hand.
    const clock = handClock();
    const tries: string[] = [];
    const keep = createKeep({
      clock,
      time: () => clock.now(),
      refresh: async () => ({ changed: false, next: null }),
      apply: async (towards) => {
        tries.push(towards);
        throw new Error('it was tried');
      },
      look: () => keep.seen(report),
      busy: () => false,
      say: () => undefined,
    });
    for (let minutes = 0; minutes < 180; minutes += 5) {
      keep.seen(report);
      await clock.pass(5 * MINUTE);
    }
    assert.equal(tries, []);
    await keep.stop();

    await lab.router.must(['fw3', 'start']);
    await eventually('the rules again', async () => (/!fw3: sipalg/.test(await lab.router.must(['iptables-save'])) ? true : undefined), 20_000);
    daemon.process.signal('SIGTERM');
    assert.is((await daemon.process.ended).status, 0);
  } finally {
    await all.close();
  }
});

stopped.run();
