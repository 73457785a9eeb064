/** The ALG switched off and back on a router with fw3 (OpenWrt 21.02): no list of blocked modules, helper rules in table raw. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Report } from '../../../src/survey/survey.ts';
import type { Fw3Ruleset } from '../fw3/furnish.ts';
import { ADDRESS, ADDRESS6 } from '../network.ts';
import { differences, JOURNAL, onRouter, WISH, type Router } from './router.ts';

const report = async (router: Router): Promise<Report> => JSON.parse((await router.sipalg(['status', '--json'])).stdout) as Report;
const codes = ({ verdict }: Report): string[] => verdict.findings.map(({ code }) => code);
const stock = (name: Fw3Ruleset): string => readFileSync(`test/fixtures/fw3/${name}.config`, 'utf8');

/** Whether an INVITE of the phone arrives with other bytes. */
async function rewritten({ lab }: Router, transport: 'udp' | 'tcp' = 'udp', sourcePort = 5060): Promise<boolean> {
  const { sent, arrived } = await lab.sendInvite({ from: 'phone', to: 'provider', transport, sourcePort, timeout: 5000 });
  assert.ok(arrived !== undefined, 'the INVITE arrived');
  return !sent.equals(arrived);
}

const there = suite('fw3: off, and given back');

for (const ruleset of ['stock-21.02', 'set-helper-rule', 'zone-lists-sip-alone', 'forward-5060-udp', 'own-helper-5080'] as const)
  there(`through reload and restart, exactly: ${ruleset}`, () =>
    onRouter({ fw3: ruleset }, async (router) => {
      const { lab } = router;
      const before = await router.state();
      assert.is(await rewritten(router), true, 'before');
      assert.is((await report(router)).verdict.alg, 'rewriting');
      const disabled = await router.sipalg(['disable']);
      assert.is(disabled.status, 0, disabled.stdout + disabled.stderr);
      // The live flow was ended: the same socket leaves untouched.
      assert.is(await rewritten(router), false, 'disabled');
      for (const verb of ['reload', 'restart']) {
        await lab.router.must(['fw3', verb]);
        assert.is(await rewritten(router), false, verb);
      }
      const { verdict, plan } = await report(router);
      assert.equal([verdict.alg, verdict.returns, plan.steps], ['off', [], []]);
      const enabled = await router.sipalg(['enable']);
      assert.is(enabled.status, 0, enabled.stdout + enabled.stderr);
      assert.equal(differences(before, await router.state(), [WISH]), []);
      assert.is(await rewritten(router, 'udp', 5062), true, 'enabled');
    }),
  );

there.run();

const named = suite('fw3: sections that were changed meanwhile');

named('a zone renamed after `disable` gets its helpers back, by what it is', () =>
  onRouter({ fw3: 'stock-21.02' }, async (router) => {
    const { lab } = router;
    assert.is((await router.sipalg(['disable'])).status, 0);
    lab.files.write(
      '/etc/config/firewall',
      lab.files
        .read('/etc/config/firewall')
        .replace(/(option name\s+)lan/, '$1home')
        .replace('src\t\tlan', 'src\t\thome'),
    );
    await lab.router.must(['fw3', 'restart']);
    const enabled = await router.sipalg(['enable']);
    const left = /list\s+helper/.test(lab.files.read('/etc/config/firewall'));
    // Either all of it is given back, or the sentence says what is left and the journal stays.
    if (left) {
      assert.is.not(enabled.status, 0, enabled.stdout);
      assert.match(enabled.stdout + enabled.stderr, /helper/);
      assert.ok(lab.files.exists(JOURNAL));
    } else {
      assert.is(enabled.status, 0, enabled.stdout + enabled.stderr);
      assert.not.match(lab.files.read('/etc/config/firewall'), /helper/);
      await lab.router.must(['fw3', 'reload']);
      assert.is(await rewritten(router), true);
    }
  }),
);

named('one helper more or less in our list: all that is ours is given back', () =>
  onRouter({ fw3: 'stock-21.02' }, async (router) => {
    const { lab } = router;
    for (const [what, edit] of [
      ['one less', (text: string): string => text.replace(/^\tlist helper\s+'tftp'\n/m, '')],
      ['one more', (text: string): string => text.replace(/^(\tlist helper\s+'tftp'\n)/m, "$1\tlist helper 'pptp'\n")],
    ] as const) {
      lab.files.write('/etc/config/firewall', stock('stock-21.02'));
      await lab.router.must(['fw3', 'restart']);
      assert.is((await router.sipalg(['disable'])).status, 0);
      const ours = lab.files.read('/etc/config/firewall');
      assert.is.not(edit(ours), ours, ours);
      lab.files.write('/etc/config/firewall', edit(ours));
      await lab.router.must(['fw3', 'reload']);
      const enabled = await router.sipalg(['enable']);
      assert.is(enabled.status, 0, `${what}: ${enabled.stdout}${enabled.stderr}`);
      assert.not.match(lab.files.read('/etc/config/firewall'), /list helper\s+'ftp'/, what);
      assert.is(await rewritten(router), true, what);
    }
  }),
);

named.run();

const assigns = suite('fw3: what assigns, and what does not');

assigns('a rule that asks for DNAT in table raw, and a chain that nothing leads to, assign nothing', () =>
  onRouter({ fw3: 'stock-21.02' }, async (router) => {
    const { lab } = router;
    const none = (name: Fw3Ruleset): string => stock(name).replace(/(option name\s+lan\n)/, '$1\toption auto_helper 0\n');
    for (const name of ['forward-5060-udp', 'forward-5060-range', 'zone-without-device'] as const) {
      lab.files.write('/etc/config/firewall', none(name));
      await lab.router.must(['fw3', 'restart']);
      assert.match(await lab.router.must(['iptables-save', '-t', 'raw']), '--helper sip', name);
      const { verdict, plan } = await report(router);
      assert.equal([name, verdict.alg], [name, 'off']);
      // A zone that has no device yet would be given it when one comes.
      if (name !== 'zone-without-device') assert.equal([name, plan.steps.filter(({ why }) => why !== 'wish')], [name, []]);
      if (name !== 'zone-without-device') assert.is((await router.sipalg(['status'])).status, 0, `${name}: ${JSON.stringify(verdict)}`);
      assert.is(await rewritten(router), false, name);
    }
  }),
);

assigns.run();

const scripts = suite('fw3: /etc/firewall.user');

/** Each sets the helper of the kernel when the firewall starts. */
const SETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a variable': { '/etc/firewall.user': 'H=sip\niptables -t raw -A PREROUTING -i br-lan -p udp --dport 5060 -j CT --helper $H\n' },
  'several lines': {
    '/etc/firewall.user': 'iptables -t raw -A PREROUTING \\\n\t-i br-lan -p udp --dport 5060 \\\n\t-j CT --helper \\\n\tsip\n',
  },
  'other files, one run and one sourced': {
    '/etc/firewall.user': '. /etc/ours\n',
    '/etc/ours': 'sh /etc/mine\n',
    '/etc/mine': 'iptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper sip\n',
  },
  'a match on a line before': {
    '/etc/firewall.user':
      'iptables -A INPUT -m helper --helper sip -j ACCEPT; iptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper sip\n',
  },
  'words that nobody can read': {
    '/etc/firewall.user': 'eval "$(cat /etc/mine)"\n',
    '/etc/mine': 'iptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper sip\n',
  },
};

/** None of them ever does. */
const TALKS: Readonly<Record<string, string>> = {
  'an echo': 'echo iptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper sip\n',
  'a branch never taken': 'if false; then\n\tiptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper sip\nfi\n',
  'a match alone': 'iptables -A INPUT -m helper --helper sip -j ACCEPT\n',
};

scripts('what sets the helper brings it back, in whatever way it is written, and that is said', () =>
  onRouter({ fw3: 'auto-helper-off' }, async (router) => {
    const { lab } = router;
    for (const [way, files] of Object.entries(SETS)) {
      for (const [path, text] of Object.entries(files)) lab.files.write(path, text);
      await lab.router.must(['fw3', 'restart']);
      assert.is(await rewritten(router), true, way);
      const disabled = await router.sipalg(['disable']);
      assert.is(disabled.status, 1, `${way}: ${disabled.stdout}${disabled.stderr}`);
      assert.is(await rewritten(router), false, way);
      const { verdict } = await report(router);
      assert.equal([way, verdict.alg], [way, 'off']);
      assert.ok(verdict.returns.length > 0, way);
      // And it is true: the next start of the firewall brings it back.
      await lab.router.must(['fw3', 'restart']);
      assert.is((await report(router)).verdict.alg, 'rewriting', way);
      assert.is((await router.sipalg(['enable'])).status, 0, way);
      lab.files.write('/etc/firewall.user', '');
    }
  }),
);

scripts('what only speaks of it brings nothing back', () =>
  onRouter({ fw3: 'stock-21.02' }, async (router) => {
    const { lab } = router;
    for (const [way, text] of Object.entries(TALKS)) {
      lab.files.write('/etc/firewall.user', text);
      await lab.router.must(['fw3', 'restart']);
      const disabled = await router.sipalg(['disable']);
      assert.is(disabled.status, 0, `${way}: ${disabled.stdout}${disabled.stderr}`);
      assert.equal([way, (await report(router)).verdict.returns], [way, []]);
      assert.is((await router.sipalg(['enable'])).status, 0, way);
    }
  }),
);

scripts('an include that is a folder stops nothing', () =>
  onRouter({ fw3: 'stock-21.02' }, async (router) => {
    const { lab } = router;
    lab.files.write('/etc/mine.d/one', 'true\n');
    lab.files.write('/etc/config/firewall', `${stock('stock-21.02')}\nconfig include\n\toption path '/etc/mine.d'\n`);
    await lab.router.must(['fw3', 'restart']);
    const disabled = await router.sipalg(['disable']);
    assert.is(disabled.status, 0, disabled.stdout + disabled.stderr);
    assert.not.ok(codes(await report(router)).includes('script-sets-helper'));
    assert.is((await router.sipalg(['enable'])).status, 0);
  }),
);

scripts.run();

const removal = suite('fw3: removed where no engine is left');

const POLICY = `config sipalg 'main'
	option alg 'unmanaged'
	option policy '1'

config provider 'example4'
	list signalling '${ADDRESS.provider}'
	list signalling '${ADDRESS6.provider}'
	option inbound '1'
	list pbx '${ADDRESS.phone}'
	list pbx '${ADDRESS6.phone}'
	option media_ports '10000-10100'
`;

removal('plain shell takes chains, sets, files and sections of the voice rules', () =>
  onRouter({ fw3: 'auto-helper-off' }, async (router) => {
    const { lab } = router;
    // Sections of an owner's own that are alike in name stay.
    lab.files.write(
      '/etc/config/firewall',
      `${stock('auto-helper-off')}\nconfig ipset 'sipalg2'\n\toption name 'mine'\n\toption enabled '0'\n`,
    );
    await lab.router.must(['fw3', 'restart']);
    const before = await router.state();
    lab.files.write(WISH, POLICY);
    const applied = await router.sipalg(['apply']);
    assert.is(applied.status, 0, applied.stdout + applied.stderr);
    assert.match(await lab.router.must(['ipset', 'list', '-n']), 'sipalg_');
    assert.match(await lab.router.must(['iptables-save']), '!fw3: sipalg');
    lab.files.write('/usr/sbin/sipalg', '#!/bin/sh\nexec /usr/bin/no-engine\n', 0o755);
    lab.files.write('/usr/lib/sipalg/give-back.sh', readFileSync('files/usr/lib/sipalg/give-back.sh'), 0o755);
    const { status, stderr } = await lab.router.run(['sh', '/usr/lib/sipalg/give-back.sh'], { timeout: 60_000 });
    assert.is(status, 0, stderr);
    const said = stderr.split('\n').filter((line) => line.startsWith('sipalg: '));
    assert.equal(said, ['sipalg: The program could not give everything back, so plain shell gives back what it can.']);
    assert.equal(differences(before, await router.state(), [WISH, '/usr/sbin/sipalg']), [], stderr);
  }),
);

removal.run();
