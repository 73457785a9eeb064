/** A provider that people run (kamailio), asked through the kernel's real ALG: this router's, another one's upstream, and none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProviderProbe as ProviderResult } from '../../../src/probe/provider/result.ts';
import { ADDRESS } from '../network.ts';
import { behindTwo, BETWEEN, inLab, kamailio, loseFragments, overTls, probing } from './far.ts';
import type { Published } from '../../../src/words/published.ts';

type ProviderProbe = Published<ProviderResult>;

const ask = ['--provider', ADDRESS.provider];
const facts = ({ verdict, where, sourcePort, fragments, reach }: ProviderProbe): unknown => ({
  verdict,
  where,
  port: sourcePort.state,
  fragments: fragments.state,
  reach: reach.map(({ over, state }) => `${over} ${state}`),
});
const REACH = ['udp answered', 'tcp answered', 'tls answered'];
const WITHOUT_TLS = ['udp answered', 'tcp answered', 'tls no'];

const provider = suite('a provider asked through real routers');

provider('shows the ALG of the router before a computer, and its router cannot be told from one beyond while it is on', () =>
  inLab({ ruleset: 'stock-alg-on' }, async (lab) => {
    await Promise.all([kamailio(lab), overTls(lab)]);
    const { status, probe } = await probing<ProviderProbe>(lab, 'phone', ask);
    assert.match(probe.reach[2]!.certificate ?? '', /self-signed/i);
    assert.equal(
      [status, facts(probe)],
      [1, { verdict: 'rewritten', where: 'on the way', port: 'kept', fragments: 'arrive', reach: REACH }],
    );
    const proof = probe.reasons.join('\n');
    assert.match(proof, `From was sent as ${ADDRESS.wan}:`);
    assert.match(proof, `${ADDRESS.phone}:`);
    assert.match(proof, 'Only the text differed');
    // The same server, the same moment, another port: no ALG, and it is said that this is another port.
    await lab.provider.must(['nft', '-f', '-'], {
      input:
        'table ip other { chain in { type nat hook prerouting priority dstnat; meta l4proto { tcp, udp } th dport 5070 redirect to :5060; }; }',
    });
    const other = await probing<ProviderProbe>(lab, 'phone', ['--provider', `${ADDRESS.provider}:5070`]);
    assert.equal([other.status, other.probe.verdict], [0, 'unchanged']);
    assert.match(other.probe.reasons.join('\n'), 'This is about port 5070');
    // What the router sends itself meets no rule for the LAN: clean beyond it, and no more is said.
    const own = await probing<ProviderProbe>(lab, 'router', ask);
    assert.equal([own.status, own.probe.verdict, own.probe.here], [0, 'unchanged', { kind: 'router', alg: 'rewriting' }]);
    assert.match(own.probe.reasons.join('\n'), 'This is about what lies beyond this router');
  }),
);

provider('shows no ALG where there is none, how long a silent way back lives, and that fragments are lost', () =>
  inLab({ ruleset: 'stock-alg-absent' }, async (lab) => {
    await kamailio(lab);
    const clean = await probing<ProviderProbe>(lab, 'phone', ask);
    assert.equal(
      [clean.status, facts(clean.probe)],
      [0, { verdict: 'unchanged', where: null, port: 'kept', fragments: 'arrive', reach: WITHOUT_TLS }],
    );
    assert.ok(clean.probe.messages <= 10, `${clean.probe.messages} messages`);
    // Longer by far than the one silence, and shorter than the other, so that a slow machine gives the same.
    await lab.router.must(['sh', '-ec', 'echo 12 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout']);
    await loseFragments(lab);
    const { status, probe } = await probing<ProviderProbe>(lab, 'phone', [...ask, '--silence', '2,16']);
    assert.equal([status, probe.verdict, probe.fragments.state], [0, 'unchanged', 'lost']);
    assert.equal([probe.binding.state, probe.binding.least, probe.binding.most], ['measured', 2, 16]);
  }),
);

provider('shows an ALG beyond this router, told apart from its own, which is off', () =>
  behindTwo({ ruleset: 'stock-alg-absent' }, true, async (lab) => {
    await kamailio(lab);
    const { status, probe } = await probing<ProviderProbe>(lab, 'router', ask);
    assert.equal([status, probe.verdict, probe.where, probe.here.alg], [1, 'rewritten', 'beyond', 'off']);
    assert.match(probe.reasons.join('\n'), `the server saw ${BETWEEN.router}, this machine's own private address`);
    // Behind two translations a phone's own address is not the one that the second router looks for. That one stands in the question
    // which names the public address, as a phone with STUN does: it comes back with the address between the two.
    const phone = await probing<ProviderProbe>(lab, 'phone', ask);
    assert.equal([phone.status, phone.probe.verdict, phone.probe.where], [1, 'rewritten', 'on the way']);
    assert.match(phone.probe.reasons[0]!, new RegExp(`From was sent as ${ADDRESS.wan}:\\d+ and came back as ${BETWEEN.router}:`));
  }),
);

provider('is asked on QuickJS by socat and openssl, and by nc over TCP alone without them, which is half a proof and said to be', () =>
  behindTwo({ ruleset: 'stock-alg-absent', engine: 'quickjs' }, true, async (lab) => {
    await Promise.all([kamailio(lab), overTls(lab)]);
    const { status, probe } = await probing<ProviderProbe>(lab, 'router', ask);
    assert.equal(
      [status, facts(probe)],
      [
        1,
        {
          verdict: 'rewritten',
          where: 'beyond',
          port: 'kept',
          fragments: 'arrive',
          reach: REACH,
        },
      ],
    );
    assert.match(probe.reach[2]!.certificate ?? '', /self-signed|mismatch/i);
    // Over TLS the socket's own place stands in the question, and the server saw the address that was translated.
    const secured = probe.looks.find(({ over }) => over === 'tls')!;
    assert.is(secured.local.address, BETWEEN.router);
    assert.is(secured.outcome.state === 'answered' && secured.outcome.answer.received, ADDRESS.wan);
    await lab.router.must(['sh', '-ec', 'rm "$(command -v socat)" "$(command -v openssl)"; ln -s "$(command -v busybox)" /usr/bin/nc']);
    const half = await probing<ProviderProbe>(lab, 'router', ask);
    assert.equal([half.status, half.probe.verdict], [2, 'inconclusive']);
    assert.equal(
      half.probe.reach.map(({ over, state }) => `${over} ${state}`),
      ['udp not here', 'tcp answered', 'tls not here'],
    );
    assert.match(half.probe.reach[0]!.says, 'Install socat (`apk add socat`)');
    assert.match(half.probe.reach[2]!.says, 'Install openssl-util (`apk add openssl-util`)');
    // By nc too the socket's own place stands in the question.
    const { looks } = half.probe;
    assert.ok(looks.length > 0 && looks.every(({ local, outcome }) => local.address === BETWEEN.router && outcome.state === 'answered'));
  }),
);

provider('takes two translations for what they are', () =>
  behindTwo({ ruleset: 'stock-alg-absent' }, false, async (lab) => {
    await kamailio(lab);
    for (const from of ['phone', 'router'] as const) {
      const { status, probe } = await probing<ProviderProbe>(lab, from, ask);
      assert.equal([status, probe.verdict, probe.reasons.some((reason) => reason.includes(ADDRESS.wan))], [0, 'unchanged', true], from);
    }
  }),
);

provider.run();
