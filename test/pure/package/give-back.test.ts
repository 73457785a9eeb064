/** What removal does on a router: the script that gives everything back, with the program and without an engine. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { renderJournal } from '../../../src/journal/journal.ts';
import type { Taken } from '../../../src/journal/taken.ts';
import { addBlacklist, parseModulesConf, removeMarked } from '../../../src/languages/kernel/autoload.ts';
import { MARK } from '../../../src/plan/block.ts';
import { addSection, deleteSection, setOption } from '../../../src/languages/uci/edit.ts';
import { parseUci } from '../../../src/languages/uci/parse.ts';
import { seeded } from '../../seeded.ts';

const SCRIPT = 'files/usr/lib/sipalg/give-back.sh';
const STOCK = readFileSync('files/etc/config/sipalg', 'utf8');
const MODULES = ['nf_conntrack_sip', 'nf_nat_sip'];

/** jsonfilter as far as the script uses it: a string and a newline, nothing for null, a line for each of several. */
const JSONFILTER = `#!${process.execPath}
const [, , , file, how, path] = process.argv;
let found;
try { found = [JSON.parse(require('fs').readFileSync(file, 'utf8'))]; } catch { process.exit(126); }
for (const [, name, number] of path.slice(1).matchAll(/\\.(\\w+)|\\[(\\d+|\\*)\\]/g)) {
  found = found.flatMap((one) => number === '*' ? one ?? [] : [one?.[name ?? Number(number)]]).filter((one) => one !== undefined);
}
if (found.length === 0) process.exit(1);
for (const one of found) {
  if (how === '-t') console.log(one === null ? 'null' : typeof one);
  else if (one !== null) console.log(typeof one === 'object' ? JSON.stringify(one) : String(one));
}
`;

/** What the script may use of the machine the test runs on. */
const SYSTEM = ['sh', 'awk', 'sed', 'grep', 'cat', 'cp', 'mv', 'rm', 'mktemp', 'cmp', 'dd', 'wc', 'tr', 'sync'];

function found(name: string): string {
  const folder = (process.env['PATH'] ?? '').split(':').find((one) => existsSync(join(one, name)));
  if (folder === undefined) throw new Error(`there is no ${name} here`);
  return join(folder, name);
}

interface Ran {
  status: number | null;
  stderr: string;
  calls: string[];
}

/** A router as a folder, and commands that write down how they were called. */
class Router {
  readonly root = mkdtempSync(join(tmpdir(), 'r-'));
  private readonly bin = join(this.root, '.bin');
  private readonly log = join(this.root, '.calls');

  constructor(files: Record<string, string>, commands: Record<string, string> = {}) {
    for (const folder of ['.bin', 'etc/config', 'sbin', 'usr/sbin', 'etc/init.d', 'var/run', 'proc/sys/net/netfilter', 'sys/module'])
      mkdirSync(join(this.root, folder), { recursive: true });
    for (const [path, text] of Object.entries(files)) this.write(path, text);
    for (const name of SYSTEM) symlinkSync(found(name), join(this.bin, name));
    const stubs: Record<string, string> = {
      nft: '[ "$1 $2" != "list table" ] && [ "$1" != -a ]',
      fw4: '',
      modprobe: 'mkdir -p "$SIPALG_ROOT/sys/module/$1/parameters"',
      ...commands,
    };
    for (const [name, text] of Object.entries(stubs)) this.command(name, text);
    writeFileSync(join(this.bin, 'jsonfilter'), JSONFILTER, { mode: 0o755 });
    this.write('/sbin/fw4', '#!/bin/sh\n', 0o755);
    this.write('/etc/init.d/sipalg', `#!/bin/sh\necho "init.d/sipalg $*" >> ${this.log}\n`, 0o755);
  }

  command(name: string, text: string, logged = true): void {
    rmSync(join(this.bin, name), { force: true }); // a link to the machine's own, which must not be written through
    writeFileSync(
      join(this.bin, name),
      `#!/bin/sh\nPATH=${process.env['PATH']}\n${logged ? `echo "${name} $*" >> ${this.log}\n` : ''}${text}\n`,
      { mode: 0o755 },
    );
  }

  /** An engine, and the program as a shell script. */
  program(text: string, engine = 'node'): void {
    this.command(engine, '', false);
    this.write('/usr/sbin/sipalg', `#!/bin/sh\nPATH=${process.env['PATH']}\necho "sipalg $*" >> ${this.log}\n${text}\n`, 0o755);
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.root + path), { recursive: true });
    writeFileSync(this.root + path, text);
    chmodSync(this.root + path, mode);
  }

  read(path: string): string | null {
    return existsSync(this.root + path) ? readFileSync(this.root + path, 'utf8') : null;
  }

  giveBack(): Ran {
    writeFileSync(this.log, '');
    const { status, stderr } = spawnSync(join(this.bin, 'sh'), [SCRIPT], {
      encoding: 'utf8',
      env: { PATH: this.bin, SIPALG_ROOT: this.root, TMPDIR: tmpdir() },
    });
    const rubbish = readdirSync(join(this.root, 'etc'))
      .concat(readdirSync(join(this.root, 'etc/config')))
      .filter((name) => name.endsWith('.sipalg-new'));
    assert.equal(rubbish, []);
    return {
      status,
      stderr,
      calls: readFileSync(this.log, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    };
  }
}

const journal = (taken: Taken[]): string => renderJournal({ format: 1, program: '0.1.0', since: 1, state: 'taken', taken, held: null });
const file = (path: string, before: string | null, after: string): Taken => ({ kind: 'file', path, before, after });
const blocked = (text: string): string => addBlacklist(parseModulesConf(text), MODULES, MARK);
const withSection = (text: string, name: string, type = 'rule'): string =>
  addSection(parseUci(text), type, name, [
    { kind: 'option', name: 'src', value: 'wan' },
    { kind: 'list', name: 'proto', value: 'udp' },
  ]);
const ZONES =
  "# mine\nconfig zone\n\toption name 'lan'\n\tlist helper 'sip'\n\tlist helper 'ftp'\n\nconfig rule\n\toption set_helper 'sip'\n";
const CALM = ZONES.replace("\tlist helper 'sip'\n", '').replace("'sip'\n", "'sip'\n\toption enabled '0'\n");
const WISH =
  STOCK.replace("alg 'unmanaged'", "alg 'disabled'").replace("policy '0'", "policy '1'") +
  "\nconfig provider 'mine'\n\tlist host 'sip.example.com'\n";

/** What runs have noted in memory, some of it of the phones. */
const NOTED = ['lock', 'probe.lock', 'probed.router', 'names', 'policy', 'run.known', 'line', 'link', 'hep', 'hotplug', 'intervals'];

const removal = suite('removal');

removal('does nothing at all where sipalg has changed nothing', () => {
  const router = new Router({
    '/etc/config/sipalg': STOCK,
    '/etc/modules.conf': '# none\nblacklist nf_nat_sip\n',
    '/etc/config/firewall': ZONES,
  });
  router.program('exit 2');
  const { status, stderr, calls } = router.giveBack();
  assert.equal([status, stderr], [0, '']);
  assert.equal(calls, ['init.d/sipalg stop', 'nft list table inet sipalg']);
  assert.equal(
    [router.read('/etc/config/sipalg'), router.read('/etc/modules.conf'), router.read('/etc/config/firewall')],
    [STOCK, '# none\nblacklist nf_nat_sip\n', ZONES],
  );
});

removal("lets the program give everything back, with the voice rules off, and leaves the owner's file as it was", () => {
  const router = new Router({
    '/etc/config/sipalg': WISH,
    '/etc/sipalg.journal': journal([]),
    '/etc/sipalg.policy': 'x',
    ...Object.fromEntries(NOTED.map((name) => [`/var/run/sipalg.${name}`, ''])),
    '/etc/config/sipalg-opkg': STOCK,
  });
  chmodSync(join(router.root, 'etc/config/sipalg'), 0o600);
  // The program rewrites its wish, and at last there is nothing left of it.
  router.program(`cat "$SIPALG_ROOT/etc/config/sipalg" > "$SIPALG_ROOT/.seen"
    case $1 in
    enable) sed "s/alg 'disabled'/alg 'enabled'/" "$SIPALG_ROOT/.seen" > "$SIPALG_ROOT/etc/config/sipalg"; rm "$SIPALG_ROOT/etc/sipalg.journal" ;;
    apply) rm "$SIPALG_ROOT/etc/sipalg.policy" ;;
    esac`);
  const { status, stderr, calls } = router.giveBack();
  assert.equal([status, stderr], [0, '']);
  assert.equal(
    calls.filter((call) => !call.startsWith('nft list')),
    ['init.d/sipalg stop', 'sipalg enable', 'sipalg apply'],
  );
  assert.is(router.read('/.seen'), WISH.replace("policy '1'", "policy '0'").replace("alg 'disabled'", "alg 'enabled'"));
  assert.is(router.read('/etc/config/sipalg'), WISH);
  assert.is(statSync(join(router.root, 'etc/config/sipalg')).mode & 0o777, 0o600);
  assert.equal(readdirSync(join(router.root, 'var/run')), []);
  assert.equal(
    ['/etc/config/sipalg-opkg', '/etc/sipalg.journal'].map((path) => router.read(path)),
    [null, null],
  );
});

removal('lets the program do it on either engine, and ends a daemon that was left behind before it', () => {
  for (const engine of ['node', 'qjs']) {
    const router = new Router({ '/etc/sipalg.journal': journal([]) });
    router.write('/etc/init.d/sipalg-daemon', `#!/bin/sh\necho "init.d/sipalg-daemon $*" >> ${join(router.root, '.calls')}\n`, 0o755);
    router.program('rm -f "$SIPALG_ROOT/etc/sipalg.journal"', engine);
    const { status, stderr, calls } = router.giveBack();
    assert.equal([status, stderr], [0, ''], engine);
    assert.equal(
      calls.filter((call) => !call.startsWith('nft list')),
      ['init.d/sipalg-daemon stop', 'init.d/sipalg stop', 'sipalg enable'],
      engine,
    );
  }
});

removal('leaves no file of wishes where there was none', () => {
  const router = new Router({ '/etc/sipalg.journal': journal([]) });
  router.program('echo x > "$SIPALG_ROOT/etc/config/sipalg"; rm -f "$SIPALG_ROOT/etc/sipalg.journal"');
  assert.is(router.giveBack().status, 0);
  assert.is(router.read('/etc/config/sipalg'), null);
});

const without = suite('removal without an engine');

const TAKEN: Taken[] = [
  file('/etc/config/firewall', ZONES, CALM),
  file('/etc/modules.conf', '# ubox\n', blocked('# ubox\n')),
  file('/etc/sysctl.d/50-mine.conf', 'net.netfilter.nf_conntrack_helper = 1', 'net.netfilter.nf_conntrack_helper = 0'),
  { kind: 'automatic', value: 1 },
  {
    kind: 'nft',
    rules: [
      {
        family: 'inet',
        table: 'fw4',
        chain: 'helper_lan',
        rule: 'udp dport 5060 ct helper set "sip"',
        remains: null,
        previous: null,
        next: null,
        place: 0,
      },
    ],
    elements: [],
    helpers: [],
  },
  { kind: 'module', name: 'nf_nat_sip', parameters: {} },
  { kind: 'module', name: 'nf_conntrack_sip', parameters: { ports: '5060', sip_timeout: '1800' } },
];
const LEFT = {
  '/etc/config/firewall': CALM,
  '/etc/modules.conf': blocked('# ubox\n'),
  '/etc/sysctl.d/50-mine.conf': 'net.netfilter.nf_conntrack_helper = 0',
  '/etc/sipalg.journal': journal(TAKEN),
  '/etc/config/sipalg': WISH,
  '/proc/sys/net/netfilter/nf_conntrack_helper': '0\n',
};
const POLICY = {
  '/etc/sipalg.policy': 'x',
  '/etc/sipalg.include': 'x',
  '/etc/sipalg.names': '{}',
  '/etc/sysctl.d/99-sipalg.conf': '# before: 60 180\nnet.netfilter.nf_conntrack_udp_timeout = 620\n',
};

without("gives back files byte for byte, modules and the firewall's own rules, and nothing of ours stays", () => {
  const router = new Router(
    { ...LEFT, ...POLICY, '/sys/module/nf_conntrack/parameters/x': '' },
    {
      nft: `case "$*" in
      'list table inet sipalg') [ ! -e "$SIPALG_ROOT/.gone" ] ;;
      'delete table inet sipalg') touch "$SIPALG_ROOT/.gone" ;;
      '-a list chain inet fw4 forward') printf '\\t\\tip dscp ef accept comment "!sipalg: voice" # handle 12\\n\\t\\tip dscp ef accept comment "mine" # handle 13\\n' ;;
      esac`,
      modprobe: 'mkdir -p "$SIPALG_ROOT/sys/module/$1/parameters"; echo 3600 > "$SIPALG_ROOT/sys/module/$1/parameters/sip_timeout"',
    },
  );
  const { status, stderr, calls } = router.giveBack();
  assert.is(status, 0);
  assert.match(stderr, 'Neither qjs nor Node is here any more');
  assert.is(stderr.includes('Not everything'), false, stderr);
  assert.equal(
    [router.read('/etc/config/firewall'), router.read('/etc/modules.conf'), router.read('/etc/sysctl.d/50-mine.conf')],
    [ZONES, '# ubox\n', 'net.netfilter.nf_conntrack_helper = 1'],
  );
  assert.is(router.read('/proc/sys/net/netfilter/nf_conntrack_helper'), '1\n');
  assert.equal(
    ['', '_stream'].map((which) => router.read(`/proc/sys/net/netfilter/nf_conntrack_udp_timeout${which}`)),
    ['60\n', '180\n'],
  );
  assert.is(router.read('/sys/module/nf_conntrack_sip/parameters/sip_timeout'), '1800\n');
  assert.is(router.read('/etc/config/sipalg'), WISH, "the owner's");
  assert.equal(
    ['/etc/sipalg.journal', ...Object.keys(POLICY)].filter((path) => router.read(path) !== null),
    [],
  );
  assert.equal(
    calls.filter((call) => /^(nft delete|modprobe|fw4)/.test(call)),
    [
      'nft delete table inet sipalg',
      'nft delete rule inet fw4 forward handle 12',
      'modprobe nf_nat_sip',
      'modprobe nf_conntrack_sip',
      'fw4 check',
      'fw4 reload',
    ],
  );
});

without('a file that was made is removed, and one that is empty, or ends without a newline, comes back so', () => {
  for (const [before, after] of [
    [null, blocked('')],
    ['', blocked('')],
    ['# no end', blocked('# no end')],
    ['a\n\n\n', blocked('a\n\n\n')],
    ['ä "q" \\n \\\\\n', blocked('ä "q" \\n \\\\\n')],
  ] as const) {
    const router = new Router({ '/etc/modules.conf': after, '/etc/sipalg.journal': journal([file('/etc/modules.conf', before, after)]) });
    assert.is(router.giveBack().status, 0);
    assert.is(router.read('/etc/modules.conf'), before);
    assert.is(router.read('/etc/sipalg.journal'), null);
  }
});

without('a file edited since is left alone and named, the marked lines go all the same, and the journal stays', () => {
  const router = new Router({
    ...LEFT,
    '/etc/config/firewall': CALM + '# later\n',
    '/etc/modules.conf': LEFT['/etc/modules.conf'] + 'blacklist pcspkr\n',
  });
  const { status, stderr } = router.giveBack();
  assert.is(status, 0);
  assert.match(stderr, '/etc/config/firewall has been edited since sipalg changed it, so it is left as it is.');
  assert.match(stderr, /Not everything was given back\. .*written in \/etc\/sipalg.journal: install sipalg again and run `sipalg enable`/);
  assert.equal(
    [router.read('/etc/config/firewall'), router.read('/etc/modules.conf'), router.read('/etc/sipalg.journal')],
    [CALM + '# later\n', '# ubox\nblacklist pcspkr\n', LEFT['/etc/sipalg.journal']],
  );
});

without("rules that were not the firewall's own are named", () => {
  const rule = 'udp dport 5060 ct helper set "mine"';
  const taken: Taken[] = [
    {
      kind: 'nft',
      rules: [{ family: 'inet', table: 'own', chain: 'pre', rule, remains: null, previous: null, next: null, place: 0 }],
      elements: [],
      helpers: [],
    },
  ];
  const router = new Router({ '/etc/sipalg.journal': journal(taken) });
  const { stderr } = router.giveBack();
  assert.match(stderr, `are not put back: ${rule}`);
  assert.is(router.read('/etc/sipalg.journal'), journal(taken));
});

without('a journal that cannot be read stays, and the marked lines go', () => {
  const router = new Router({ ...LEFT, '/etc/sipalg.journal': '{"format":1,"tak' });
  const { status, stderr } = router.giveBack();
  assert.is(status, 0);
  assert.match(stderr, 'could not be read, so files and rules are left as they are.');
  assert.equal(
    [router.read('/etc/sipalg.journal'), router.read('/etc/config/firewall'), router.read('/etc/modules.conf')],
    ['{"format":1,"tak', CALM, '# ubox\n'],
  );
});

without('a firewall that does not take its configuration is not reloaded', () => {
  const router = new Router(LEFT, { fw4: 'exit 1' });
  const { status, stderr, calls } = router.giveBack();
  assert.is(status, 0);
  assert.match(stderr, 'The firewall does not take its configuration (fw4 check), so it is not reloaded.');
  assert.equal(
    calls.filter((call) => call.startsWith('fw4')),
    ['fw4 check'],
  );
});

without('where the program fails, shell does what it can', () => {
  const router = new Router(LEFT);
  router.program('sed -i "/alg/s/disabled/enabled/" "$SIPALG_ROOT/etc/config/sipalg"; exit 2');
  const { status, stderr } = router.giveBack();
  assert.is(status, 0);
  assert.match(stderr, 'The program could not give everything back, so plain shell gives back what it can.');
  assert.equal(
    [router.read('/etc/config/firewall'), router.read('/etc/modules.conf'), router.read('/etc/config/sipalg')],
    [ZONES, '# ubox\n', WISH],
  );
});

without('sections of the voice rules go, whichever came first', () => {
  const orders: [string, string, string][] = [
    // what was there, what disable left, what is there now
    [ZONES, CALM, withSection(withSection(CALM, 'sipalg_include', 'include'), 'sipalg_mine_sip')],
    [
      withSection(ZONES, 'sipalg_include', 'include'),
      withSection(CALM, 'sipalg_include', 'include'),
      withSection(CALM, 'sipalg_include', 'include'),
    ],
    [withSection(ZONES, 'sipalg_a'), withSection(CALM, 'sipalg_a'), withSection(withSection(CALM, 'sipalg_a'), 'sipalg_b', 'redirect')],
  ];
  for (const [before, after, now] of orders) {
    const router = new Router({
      '/etc/config/firewall': now,
      '/etc/sipalg.journal': journal([file('/etc/config/firewall', before, after)]),
    });
    assert.is(router.giveBack().status, 0);
    assert.is(router.read('/etc/config/firewall'), ZONES);
    assert.is(router.read('/etc/sipalg.journal'), null);
  }
});

without("rules of fw3 that bear our name are deleted, and nobody else's", () => {
  const saved = `*raw
:PREROUTING ACCEPT [1:2]
:sipalg_arriving - [0:0]
-A PREROUTING -j sipalg_arriving
-A PREROUTING -p udp -j mine
-A sipalg_arriving -p udp -j CT --timeout x
COMMIT
*filter
:INPUT ACCEPT [0:0]
-A INPUT -m comment --comment "!sipalg: limit" -j DROP
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
COMMIT
`;
  const router = new Router(
    { ...POLICY, '/.saved': saved },
    {
      'iptables-save': 'cat "$SIPALG_ROOT/.saved"',
      'iptables-restore': 'cat > "$SIPALG_ROOT/.restored"',
      ipset: '[ "$1" = destroy ] || printf "mine\\nsipalg_phones\\n"',
    },
  );
  const { status, calls } = router.giveBack();
  assert.is(status, 0);
  assert.is(
    router.read('/.restored'),
    `*raw
-F sipalg_arriving
-D PREROUTING -j sipalg_arriving
-X sipalg_arriving
COMMIT
*filter
-D INPUT -m comment --comment "!sipalg: limit" -j DROP
COMMIT
`,
  );
  assert.equal(
    calls.filter((call) => /^(ipset d|iptables-r)/.test(call)),
    ['iptables-restore --noflush', 'ipset destroy sipalg_phones'],
  );
});

removal(
  "without an engine takes the rules of either flavour of iptables, and the providers' sets with the files they are loaded from",
  () => {
    const legacy =
      '*raw\n:sipalg_arriving - [0:0]\n-A PREROUTING -j sipalg_arriving\n-A PREROUTING -m comment --comment "not of sipalg"\nCOMMIT\n';
    const router = new Router(
      {
        ...POLICY,
        '/.saved': '*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n',
        '/.legacy': legacy,
        '/etc/sipalg.example4': 'create sipalg_example_in4 hash:net\n',
        '/etc/sipalg.example6m': 'create sipalg_example_in6m hash:net\n',
        '/etc/sipalg.mine': 'an owner has written this',
      },
      {
        'iptables-save': 'cat "$SIPALG_ROOT/.saved"',
        'iptables-restore': 'exit 1',
        'iptables-legacy-save': 'cat "$SIPALG_ROOT/.legacy"',
        'iptables-legacy-restore': 'cat > "$SIPALG_ROOT/.restored"',
        ipset: '[ "$1" = destroy ] || printf "mine\\nsipalg_example_in4\\n"',
      },
    );
    const { status, stderr, calls } = router.giveBack();
    assert.is(status, 0, stderr);
    assert.is(router.read('/.restored'), '*raw\n-F sipalg_arriving\n-D PREROUTING -j sipalg_arriving\n-X sipalg_arriving\nCOMMIT\n');
    assert.ok(calls.includes('ipset destroy sipalg_example_in4') && !calls.includes('ipset destroy mine'));
    assert.equal(
      ['/etc/sipalg.example4', '/etc/sipalg.example6m', '/etc/sipalg.policy', '/etc/sipalg.mine'].map((path) => router.read(path)),
      [null, null, null, 'an owner has written this'],
    );
  },
);

removal('without Node names legacy tables that nothing here shows, and starts no firewall that its owner has stopped', () => {
  const files = {
    '/etc/sipalg.policy': '## iptables-restore\n*raw\n## end\n',
    '/etc/sipalg.example4.sipalg-new': 'half',
    '/etc/config/firewall': withSection(ZONES, 'sipalg_call'),
    '/proc/net/ip_tables_names': 'raw\nmangle\n',
    '/sbin/fw3': '',
  };
  const commands = { 'iptables-save': 'true', iptables: 'echo "iptables v1.8.9 (nf_tables)"', fw3: '' };
  const run = (more: Record<string, string>, tools: Record<string, string>): Ran => {
    const router = new Router({ ...files, ...more }, { ...commands, ...tools });
    rmSync(`${router.root}/sbin/fw4`);
    chmodSync(`${router.root}/sbin/fw3`, 0o755);
    const ran = router.giveBack();
    assert.equal([ran.status, router.read('/etc/config/firewall')], [0, ZONES]);
    return ran;
  };
  const stopped = run({}, {});
  assert.match(stopped.stderr, /may stay in legacy tables of iptables \(raw mangle\), which nothing installed here shows/);
  assert.not.ok(stopped.calls.includes('fw3 reload'));
  const shown = run({ '/var/run/fw3.state': '' }, { 'iptables-legacy-save': 'true' });
  assert.not.match(shown.stderr, 'legacy tables');
  assert.ok(shown.calls.includes('fw3 reload'));
  assert.not.match(run({}, { iptables: 'echo "iptables v1.8.7 (legacy)"' }).stderr, 'legacy tables');
});

removal('finds another place where no temporary folder can be made in /tmp, and names what stays where there is none', () => {
  const files = { '/etc/modules.conf': blocked(''), '/etc/sipalg.journal': journal([]), '/etc/sipalg.policy': 'x' };
  const elsewhere = new Router(files, {
    mktemp: 'case "$2" in "$SIPALG_ROOT"/root/*) mkdir -p "$SIPALG_ROOT/root/t" && echo "$SIPALG_ROOT/root/t";; *) exit 1;; esac',
  });
  elsewhere.write('/root/.keep', '');
  assert.is(elsewhere.giveBack().status, 0);
  assert.equal(
    ['/etc/modules.conf', '/etc/sipalg.journal', '/etc/sipalg.policy'].map((path) => elsewhere.read(path)),
    ['', null, null],
  );
  const nowhere = new Router(files, { mktemp: 'exit 1' });
  const { status, stderr } = nowhere.giveBack();
  assert.is(status, 0, 'the removal goes on');
  assert.match(stderr, /No folder can be written/);
  for (const what of ['/etc/sipalg.journal stays', '/etc/sipalg.policy stays', '/etc/modules.conf keeps the SIP modules out'])
    assert.ok(stderr.includes(what), `${what}: ${stderr}`);
  assert.is(nowhere.read('/etc/modules.conf'), blocked(''));
});

removal('writes no file from a temporary one that a full disk has cut short', () => {
  const router = new Router({ '/etc/config/firewall': withSection(ZONES, 'sipalg_call'), '/etc/sipalg.policy': 'x' }, { dd: 'exit 1' });
  assert.match(router.giveBack().stderr, /No folder can be written/);
  assert.is(router.read('/etc/config/firewall'), withSection(ZONES, 'sipalg_call'));
});

const same = suite('plain shell and the program');

same('take the same lines out of /etc/modules.conf', () => {
  const lines = [
    `# ${MARK}`,
    'blacklist nf_conntrack_sip',
    'blacklist nf_nat_sip',
    'blacklist pcspkr',
    '',
    '# mine',
    ` # ${MARK}`,
    'options nf_conntrack_sip sip_timeout=1800',
    'blacklist nf_nat_sip # mine',
  ];
  const random = seeded(6);
  for (let round = 0; round < 10; round++) {
    const text = Array.from({ length: 1 + random.below(12) }, () => random.pick(lines) + '\n').join('');
    const router = new Router({ '/etc/modules.conf': text });
    assert.is(router.giveBack().status, 0);
    assert.is(
      router.read('/etc/modules.conf'),
      removeMarked(parseModulesConf(text), MODULES, MARK),
      `round ${round}: ${JSON.stringify(text)}`,
    );
  }
});

same('take the same sections out of /etc/config/firewall', () => {
  const random = seeded(7);
  for (let round = 0; round < 10; round++) {
    let text = Array.from({ length: random.below(4) }, (_, at) =>
      random
        .pick([
          ZONES,
          "config rule 'r'\n\toption name 'x'\n",
          "config defaults\n\toption flow_offloading '1'\n\n",
          '# a word\n',
          'package firewall\n',
        ])
        .replaceAll("'r'", `'r${at}'`),
    ).join('');
    for (let at = random.below(4); at >= 0; at--) {
      text = withSection(text, `sipalg_${at}`, random.pick(['rule', 'ipset', 'redirect', 'include']));
      if (random.below(2) === 0) text = withSection(text, `own_${at}`);
    }
    let wanted = text;
    for (const { name } of parseUci(text).sections) {
      if (name?.startsWith('sipalg_'))
        wanted = deleteSection(
          parseUci(wanted),
          parseUci(wanted).sections.find((one) => one.name === name)!,
        );
    }
    const router = new Router({ '/etc/config/firewall': text });
    assert.is(router.giveBack().status, 0);
    const meaning = (of: string | null): object[] =>
      parseUci(of ?? '').sections.map(({ type, name, options }) => ({
        type,
        name,
        options: options.map(({ kind, name: option, value }) => [kind, option, value]),
      }));
    assert.equal(meaning(router.read('/etc/config/firewall')), meaning(wanted), `round ${round}`);
    const bare = (of: string | null): string[] => (of ?? '').split('\n').filter((line) => line.trim() !== '');
    assert.equal(bare(router.read('/etc/config/firewall')), bare(wanted), `round ${round}`);
  }
});

same('leave a firewall without our sections as it is, whatever is in it', () => {
  const odd =
    setOption(parseUci(ZONES), parseUci(ZONES).sections[1]!, 'name', 'not sipalg_x') +
    "config rule 'x_sipalg_y'\n\n\n\n# config rule 'sipalg_z'\n";
  const router = new Router({ '/etc/config/firewall': odd });
  assert.equal([router.giveBack().status, router.giveBack().stderr], [0, '']);
  assert.is(router.read('/etc/config/firewall'), odd);
});

removal.run();
without.run();
same.run();
