import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Reading } from '../../../src/host/host.ts';
import type { IncludeUse } from '../../../src/observe/facts.ts';
import { firewallFacts } from '../../../src/observe/firewall.ts';
import type { Firewall } from '../../../src/observe/firewall.ts';
import { observeIncludes } from '../../../src/observe/includes.ts';
import { recorded } from './recording.ts';

const USE = 'udp dport 5060 ct helper set "sip"';
/** fw4 runs it where its section says so, and not otherwise. */
const SCRIPT = "config include\n\toption path '/etc/firewall.user'\n\toption fw4_compatible '1'\n";
const DECLARE = 'ct helper voip { type "sip" protocol udp; }';

async function observed(files: Record<string, string>, uci = SCRIPT, firewall: Firewall = 'fw4'): Promise<Reading<IncludeUse[]>> {
  return observeIncludes(recorded({ files, commands: {} }), firewall, firewallFacts(uci, firewall, []));
}

async function found(files: Record<string, string>, uci = SCRIPT, firewall: Firewall = 'fw4'): Promise<string[]> {
  const reading = await observed(files, uci, firewall);
  if (reading.state !== 'present') throw new Error(JSON.stringify(reading));
  return reading.value.map(({ kind, file, line, name }) => `${kind} ${file}:${line}${name === null ? '' : ` ${name}`}`);
}

const includes = suite('files the firewall includes');

includes('that are directories are nothing that could be run, and hide nothing', async () => {
  const script = "config include\n\toption path '/etc/mine'\n";
  const nft = "config include\n\toption type 'nftables'\n\toption path '/etc/mine'\n";
  for (const uci of [script, nft]) {
    const host = recorded({ files: { '/etc/nftables.d/a.nft': USE }, commands: {} });
    const reading = await observeIncludes(
      {
        ...host,
        read: (path, options) =>
          path === '/etc/mine'
            ? Promise.resolve({ state: 'failed', source: path, because: 'it is a directory (EISDIR)' })
            : host.read(path, options),
        kind: (path) => (path === '/etc/mine' ? Promise.resolve({ state: 'present', source: path, value: 'directory' }) : host.kind(path)),
      },
      'fw4',
      firewallFacts(uci, 'fw4', []),
    );
    assert.is(reading.state === 'present' && reading.value.length, 1);
  }
});

includes('are looked for wherever fw4 includes them', async () => {
  const shared = '/usr/share/nftables.d';
  const files: Record<string, string> = {
    '/etc/nftables.d/10-a.nft': USE,
    '/etc/nftables.d/.hidden.nft': USE,
    '/etc/nftables.d/readme': USE,
    '/etc/nftables.d/b.nft.bak': USE,
    [`${shared}/ruleset-pre/a.nft`]: DECLARE,
    [`${shared}/ruleset-post/a.nft`]: USE,
    [`${shared}/table-pre/a.nft`]: USE,
    [`${shared}/table-post/a.nft`]: USE,
    [`${shared}/chain-pre/forward/a.nft`]: USE,
    [`${shared}/chain-post/input_lan/a.nft`]: USE,
    [`${shared}/elsewhere/a.nft`]: USE,
  };
  assert.equal(await found(files), [
    'assigns /etc/nftables.d/10-a.nft:1 sip',
    `declares ${shared}/ruleset-pre/a.nft:1 voip`,
    `assigns ${shared}/ruleset-post/a.nft:1 sip`,
    `assigns ${shared}/table-pre/a.nft:1 sip`,
    `assigns ${shared}/table-post/a.nft:1 sip`,
    `assigns ${shared}/chain-pre/forward/a.nft:1 sip`,
    `assigns ${shared}/chain-post/input_lan/a.nft:1 sip`,
  ]);
  assert.equal(await found(files, "config defaults\n\toption auto_includes '0'\n"), ['assigns /etc/nftables.d/10-a.nft:1 sip']);
  assert.equal(await found(files, '', 'fw3'), []);
});

includes('are followed through include sections and through includes of their own, once each', async () => {
  const files = {
    '/etc/voip/all.nft': 'include "./voip/*.nft"\ninclude "/etc/voip/all.nft"\n',
    '/etc/voip/one.nft': `\n${USE}\n`,
    '/srv/x.nft': USE,
  };
  const uci =
    "config include\n\toption type 'nftables'\n\toption path '/etc/voip/all.nft'\nconfig include\n\toption type 'nftables'\n\toption path '/srv/?.nft'\n";
  assert.equal(await found(files, uci), ['assigns /srv/x.nft:1 sip', 'assigns /etc/voip/one.nft:2 sip']);
});

includes('mean by a name what some file declares it to be', async () => {
  assert.equal(await found({ '/etc/nftables.d/1.nft': 'ct helper sip { type "ftp" protocol tcp; }', '/etc/nftables.d/2.nft': USE }), []);
  assert.equal(await found({ '/etc/nftables.d/1.nft': `${DECLARE}\n`, '/etc/nftables.d/2.nft': 'udp dport 5060 ct helper set "voip"' }), [
    'declares /etc/nftables.d/1.nft:1 voip',
    'assigns /etc/nftables.d/2.nft:1 voip',
  ]);
  assert.equal(await found({ '/etc/nftables.d/2.nft': 'udp dport 5060 ct helper set "voip"\n# ct helper set "sip"' }), []);
});

includes('are scripts too, which fail alone', async () => {
  const script = [
    '#!/bin/sh',
    '# nft add rule inet fw4 c ct helper set "sip"',
    'nft add rule inet fw4 c udp dport 5060 ct helper set "sip"',
    'iptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper sip',
    'iptables -A FORWARD -m helper --helper sip -j ACCEPT',
    'nft add ct helper inet t voip { type "sip" protocol udp\\; }',
    'echo sip',
  ].join('\n');
  const lines = [3, 4, 6].map((line) => `runs /etc/firewall.user:${line}`);
  assert.equal(await found({ '/etc/firewall.user': script }), lines);
  assert.equal(await found({ '/etc/firewall.user': script }, "config include\n\toption path '/etc/firewall.user'\n", 'fw3'), lines);
  assert.equal(
    await found({ '/opt/a.sh': script }, "config include\n\toption path '/opt/a.sh'\n"),
    lines.map((line) => line.replace('/etc/firewall.user', '/opt/a.sh')),
  );
});

includes('are no file that nobody includes: one left over from a release before fw4 is not run', async () => {
  const files = { '/etc/firewall.user': 'iptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper sip' };
  for (const firewall of ['fw4', 'fw3'] as const) assert.equal(await found(files, '', firewall), []);
});

includes('have a type by any beginning of its word, in any letter case', async () => {
  for (const type of ['nftables', 'NFTables', 'nft', 'n'])
    assert.equal(
      await found({ '/opt/a.nft': USE }, `config include\n\toption type '${type}'\n\toption path '/opt/a.nft'\n`),
      ['assigns /opt/a.nft:1 sip'],
      type,
    );
});

includes('are followed through what a script runs, and loads', async () => {
  const set = 'iptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper';
  const one = (line: string): Promise<string[]> =>
    found({ '/etc/firewall.user': line, '/opt/b.sh': `\n${set} sip`, '/opt/c.nft': DECLARE });
  const here = ['runs /etc/firewall.user:1'];
  assert.equal(await one('H=sip; ' + set + ' $H'), here, 'a variable');
  assert.equal(await one(`for h in ftp sip; do ${set} "$h"; done`), here, 'a loop');
  assert.equal(await one(set.replace(' -j', ' \\\n -j') + ' sip'), here, 'over several lines');
  assert.equal(await one(set.replace('-A', '-m helper --helper ftp -A') + ' sip'), here, 'a match beside it');
  assert.equal(await one(set + ' "$(uci get a.b.c)"'), here, 'a name that does not show');
  assert.equal(await one('IPT="iptables -w -t raw"; $IPT -A PREROUTING -j CT --helper=sip'), here);
  for (const line of [
    '. /opt/b.sh',
    'sh /opt/b.sh',
    'sh -x /opt/b.sh',
    '/opt/b.sh',
    '[ -x /opt/b.sh ] && . /opt/b.sh',
    'F=/opt/b.sh; . $F',
  ])
    assert.equal(await one(line), ['runs /opt/b.sh:2'], line);
  for (const line of [
    'nft -f /opt/c.nft',
    'nft -f - < /opt/c.nft',
    `nft -f - <<E\n${DECLARE}\nE`,
    'echo \'add rule inet fw4 x ct helper set "sip"\' | nft -f -',
  ])
    assert.equal(await one(line), here, line);
  assert.equal(await one('nft add rule inet fw4 x ct helper set \\"sip\\"'), here);
  assert.equal(await one(`iptables-restore -n <<E\n*raw\n-A PREROUTING -j CT --helper sip\nCOMMIT\nE`), here);
});

includes('are not scripts that only speak of it, or never come to it', async () => {
  const set = 'iptables -t raw -A PREROUTING -p udp --dport 5060 -j CT --helper sip';
  for (const line of [
    `echo "${set}"`,
    `logger ${set}`,
    `if false; then\n\t${set}\nfi`,
    `false && ${set}`,
    `exit 0\n${set}`,
    `# ${set}`,
    ': <<E\n' + set + '\nE',
  ])
    assert.equal(await found({ '/etc/firewall.user': line }), [], line);
});

includes('that cannot be read are said to be so', async () => {
  const files = { '/etc/nftables.d/a.nft': USE, '/etc/firewall.user': '' };
  const uci = firewallFacts(SCRIPT, 'fw4', []);
  for (const [what, place] of [
    ['read', '/etc/nftables.d/a.nft'],
    ['list', '/etc/nftables.d'],
    ['read', '/etc/firewall.user'],
    ['list', '/usr/share/nftables.d/chain-pre'],
  ] as const) {
    const host = recorded({ files, commands: {} });
    const look = host[what].bind(host) as (path: string) => Promise<never>;
    const denied = {
      ...host,
      [what]: async (path: string) => (path === place ? { state: 'failed', source: path, because: 'permission denied' } : look(path)),
    };
    assert.equal(await observeIncludes(denied as typeof host, 'fw4', uci), {
      state: 'failed',
      source: place,
      because: 'permission denied',
    });
  }
});

includes('are not followed for ever', async () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`/etc/nftables.d/${String(at).padStart(3, '0')}.nft`, '']));
  const reading = await observed(many);
  assert.equal(reading, {
    state: 'failed',
    source: '/etc/nftables.d/200.nft',
    because: 'more than 200 files are included, and it was not looked at any more',
  });
  assert.equal(await found(Object.fromEntries(Object.entries(many).slice(0, 200))), []);
});

includes.run();
