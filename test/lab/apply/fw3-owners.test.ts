/** Routers of owners on fw3, as on fw4: what is theirs is read as fw3 reads it, and nothing is claimed of what fw3 does not do. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Report } from '../../../src/survey/survey.ts';
import { ADDRESS } from '../network.ts';
import { onRouter, WISH, type Router } from './router.ts';

const STOCK = readFileSync('test/fixtures/fw3/stock-21.02.config', 'utf8');
const OFF = STOCK.replace(/(option name\s+lan\n)/, '$1\toption auto_helper 0\n');
const report = async (router: Router): Promise<Report> => JSON.parse((await router.sipalg(['status', '--json'])).stdout) as Report;

async function load({ lab }: Router, config: string): Promise<void> {
  lab.files.write('/etc/config/firewall', config);
  await lab.router.must(['fw3', 'restart']);
}

async function rewritten({ lab }: Router): Promise<boolean> {
  const { sent, arrived } = await lab.sendInvite({ from: 'phone', to: 'provider', timeout: 5000 });
  assert.ok(arrived !== undefined, 'the INVITE arrived');
  return !sent.equals(arrived);
}

const test = suite("owners' routers, on fw3");

test('a flow that nobody answers is stale where its way out is translated, and nowhere else', () =>
  onRouter({ fw3: 'auto-helper-off' }, async (router) => {
    const { lab } = router;
    // The LAN is routed to the internet, and only the way into a VPN is translated.
    const routed = `${OFF.replace(/option masq\t\t1/, 'option masq\t\t0')}\nconfig zone\n\toption name vpn\n\toption device tun7\n\toption masq 1\n`;
    await load(router, routed);
    lab.files.write(WISH, "config sipalg 'main'\n\toption alg 'disabled'\n");
    assert.is((await router.sipalg(['apply'])).status, 0);
    // Port 5062, and no SIP: what the provider's own address has there is silence.
    await lab.provider.must(['ip', 'route', 'replace', '192.168.1.0/24', 'via', ADDRESS.wan]);
    await lab.sendInvite({ from: 'phone', to: 'provider', sourcePort: 5062 });
    const flows = async (): Promise<string> => (await lab.router.run(['conntrack', '-L', '-p', 'udp', '--orig-port-src', '5062'])).stdout;
    const before = await flows();
    assert.match(before, `src=${ADDRESS.provider} dst=${ADDRESS.phone}`, 'it is not translated');
    const codes = async (): Promise<string[]> => (await report(router)).verdict.findings.map(({ code }) => code);
    assert.not.ok((await codes()).some((code) => /stale/.test(code)));
    const left = await router.sipalg(['apply']);
    assert.is(left.status, 0, left.stderr);
    assert.not.match(left.stderr, 'conntrack -D');
    assert.match(await flows(), 'sport=5062');
    // The same flow, once its way out is translated, is one of before.
    lab.files.write('/etc/config/firewall', OFF);
    await lab.router.must(['fw3', 'reload']);
    assert.match(await flows(), 'sport=5062', 'a reload leaves it');
    assert.ok((await codes()).some((code) => /stale/.test(code)));
    assert.is((await router.sipalg(['apply'])).status, 0);
    assert.not.match(await flows(), 'sport=5062');
  }));

test('a rule that sets the helper without a source is none to fw3', () =>
  onRouter({ fw3: 'auto-helper-off' }, async (router) => {
    const { lab } = router;
    const rule = "config rule\n\toption dest 'wan'\n\toption proto udp\n\toption dest_port 5060\n\toption target HELPER\n";
    await load(router, `${OFF}\n${rule}\toption set_helper 'sip'\n`);
    assert.not.match(await lab.router.must(['iptables-save', '-t', 'raw']), '--helper sip');
    assert.is(await rewritten(router), false);
    const { verdict, plan } = await report(router);
    assert.equal([verdict.alg, verdict.returns], ['off', []]);
    assert.equal(
      plan.steps.filter(({ why }) => why !== 'wish'),
      [],
    );
    assert.is((await router.sipalg(['status'])).status, 0);
  }));

test("LuCI's Save of the zone, which drops a list that it does not show, leaves it off", () =>
  onRouter({ fw3: 'stock-21.02' }, async (router) => {
    const { lab } = router;
    assert.is(await rewritten(router), true);
    assert.is((await router.sipalg(['disable'])).status, 0);
    const written = lab.files.read('/etc/config/firewall');
    // As LuCI has it (zones.js): the list `helper` depends on auto_helper being 0, and goes with a Save where it does not show.
    const lan = /config zone\n(?:\t.*\n)*?\toption name\s+lan\n(?:\t.*\n)*/.exec(written)?.[0] ?? '';
    assert.match(lan, /option\s+auto_helper\s+'?0'?/, written);
    const saved = /option\s+auto_helper\s+'?0'?/.test(lan) ? written : written.replace(/\tlist helper.*\n/g, '');
    await load(router, saved);
    assert.is(await rewritten(router), false);
    assert.match(await lab.router.must(['iptables-save', '-t', 'raw']), '--helper ftp', 'the others are there as before');
  }));

test("a provider's own port counts as SIP's", () =>
  onRouter({ fw3: 'auto-helper-off' }, async (router) => {
    const { lab } = router;
    lab.files.write(WISH, `config sipalg 'main'\n\toption policy '1'\n\nconfig provider 'lab'\n\tlist host '${ADDRESS.provider}:5065'\n`);
    const applied = await router.sipalg(['apply']);
    assert.is(applied.status, 0, applied.stderr);
    const rules = await lab.router.must(['iptables-save', '-t', 'mangle']);
    assert.match(rules, /--dports (\d+,)*5065\b/);
    const marked = async (destinationPort: number): Promise<string> => {
      await lab.sendInvite({ from: 'phone', to: 'provider', sourcePort: 6000, destinationPort });
      const counted = await lab.router.must(['iptables-save', '-c', '-t', 'mangle']);
      return counted
        .split('\n')
        .filter((line) => /--set-dscp/.test(line))
        .join('\n');
    };
    const before = await marked(5066);
    assert.is(await marked(5067), before, 'no port of SIP');
    assert.is.not(await marked(5065), before, 'one that is');
  }));

test.run();
