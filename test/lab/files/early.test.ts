/** The early script: when it takes the modules out, and every case in which it must not. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderJournal } from '../../../src/journal/journal.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { writeWish } from '../../../src/wish/write.ts';
import { openRoot, SHELLS, type Root } from './scripts.ts';

const TAKEN: Journal = {
  format: 1,
  program: '0.1.0',
  since: 1_790_757_000_000,
  state: 'taken',
  held: null,
  taken: [{ kind: 'file', path: '/etc/config/firewall', before: 'a\n "state": "taking",\n', after: ' "held": {\n' }],
};
const STOCK = readFileSync('files/etc/config/sipalg', 'utf8');
const FIREWALL = readFileSync('test/fixtures/fw4/stock-alg-on.config', 'utf8');
const SET_HELPER = `${FIREWALL}\nconfig rule\n\toption name 'voice'\n\toption target 'HELPER'\n\toption set_helper 'sip'\n`;

// What the kernel and the loader do, as far as the script sees it. They shadow a shell's own applets.
const STUBS = `
note() { echo "$*" >>"$SIPALG_ROOT/calls"; }
rmmod() { note rmmod "$1"; [ ! -e "$SIPALG_ROOT/fails-$1" ] || return 255; rm -rf "$SIPALG_ROOT/sys/module/$1" "$SIPALG_ROOT/sys/module/nf_conntrack_sip/holders/$1"
  [ "$1" != nf_nat_sip ] || echo 0 >"$SIPALG_ROOT/sys/module/nf_conntrack_sip/refcnt"; }
insmod() { note insmod "$1"; mkdir -p "$SIPALG_ROOT/sys/module/$1"; }
kmodloader() { note kmodloader; [ -e "$SIPALG_ROOT/blocked" ] || mkdir -p "$SIPALG_ROOT/sys/module/nf_conntrack_sip" "$SIPALG_ROOT/sys/module/nf_nat_sip"; }
logger() { shift 4; note log "$*"; }
nft() { note nft "$*"; }
`;

type Case = {
  wish?: string | null;
  journal?: string | null;
  firewall?: string | null;
  /** Exit code of `fw4 check` without the modules; null where there is no fw4. */
  check?: number | null;
  modules?: 'both' | 'tracker' | 'built in' | 'none';
  refcnt?: number;
  holder?: string;
  /** Files that make a stub fail. */
  marks?: string[];
};

type Came = { loaded: string[]; calls: string[] };

function router(
  root: Root,
  {
    wish = writeWish(STOCK, 'disabled'),
    journal = renderJournal(TAKEN),
    firewall = FIREWALL,
    check = 0,
    modules = 'both',
    refcnt,
    holder,
    marks = [],
  }: Case,
): void {
  if (wish !== null) root.write('/etc/config/sipalg', wish);
  if (journal !== null) root.write('/etc/sipalg.journal', journal);
  if (firewall !== null) root.write('/etc/config/firewall', firewall);
  if (check !== null)
    root.write(
      '/sbin/fw4',
      `#!/bin/sh\necho "fw4 $* with $(ls "$SIPALG_ROOT/sys/module" | tr '\\n' ' ')" >>"$SIPALG_ROOT/calls"\nexit ${check}\n`,
      0o755,
    );
  root.write('/sys/module/.keep', '');
  const tracker = '/sys/module/nf_conntrack_sip';
  if (modules === 'built in') root.write(`${tracker}/parameters/ports`, '5060\n');
  if (modules === 'both' || modules === 'tracker') {
    root.write(`${tracker}/initstate`, 'live\n');
    root.write(`${tracker}/refcnt`, `${refcnt ?? (modules === 'both' ? 1 : 0)}\n`);
    root.write(`${tracker}/holders/.keep`, '');
    if (modules === 'both') {
      root.write(`${tracker}/holders/nf_nat_sip`, '');
      root.write('/sys/module/nf_nat_sip/initstate', 'live\n');
    }
    if (holder !== undefined) root.write(`${tracker}/holders/${holder}`, '');
  }
  for (const mark of marks) root.write(`/${mark}`, '');
}

/** Boots in each shell, and holds that all of them come to the same. */
function boot(given: Case, action = 'boot'): Came {
  const came = SHELLS.map((shell) => {
    const root = openRoot();
    try {
      router(root, given);
      const { status, said } = root.run(shell, `${STUBS}\n. ${process.cwd()}/files/etc/init.d/sipalg-early\n${action}`);
      assert.equal([status, said], [0, ''], shell.join(' '));
      const calls = root.list('/').includes('calls') ? readFileSync(`${root.path}/calls`, 'utf8').trim().split('\n') : [];
      return { loaded: root.list('/sys/module').filter((name) => name !== '.keep'), calls };
    } finally {
      root.close();
    }
  });
  for (const other of came) assert.equal(other, came[0]);
  return came[0]!;
}

const BOTH = ['nf_conntrack_sip', 'nf_nat_sip'];
const leaves = (given: Case, because: string): void => {
  const { loaded, calls } = boot(given);
  assert.equal(loaded, given.modules === 'tracker' || given.modules === 'built in' ? BOTH.slice(0, 1) : BOTH, because);
  assert.equal(
    calls.filter((call) => /^(rmmod|insmod|fw4)/.test(call)),
    [],
    because,
  );
};

const early = suite('the early script');

early('takes both modules out, the dependent one first, and asks fw4 whether it still loads', () => {
  const { loaded, calls } = boot({});
  assert.equal(loaded, []);
  assert.equal(calls, [
    'rmmod nf_nat_sip',
    'rmmod nf_conntrack_sip',
    'fw4 -q check with ',
    'log the SIP modules were loaded at boot and are unloaded again',
  ]);
});

early('makes the table of the voice rules before fw4 makes its own, where there are such rules', () => {
  assert.equal(boot({ wish: STOCK, modules: 'none', marks: ['etc/sipalg.policy'] }).calls, ['nft add table inet sipalg']);
  assert.equal(boot({ marks: ['etc/sipalg.policy'] }).calls.at(-1), 'nft add table inet sipalg', 'after the modules are gone');
  assert.equal(boot({ wish: STOCK, modules: 'none', check: null, marks: ['etc/sipalg.policy'] }).calls, [], 'no fw4');
});

early('takes out the tracker where it is alone', () => {
  assert.equal(boot({ modules: 'tracker' }).loaded, []);
});

early('does nothing, not even say so, where there is nothing to take out', () => {
  assert.equal(boot({ modules: 'none' }), { loaded: [], calls: [] });
});

early('acts at a boot alone', () => {
  assert.equal(boot({}, 'start'), { loaded: BOTH, calls: [] });
});

early('reads the wish however uci may have written it', () => {
  for (const wish of [
    "config sipalg 'main'\n\toption alg 'disabled'\n",
    'config sipalg main\n option alg disabled',
    'config sipalg "main"\n\toption "alg" "disabled"\n',
    "config sipalg\n\toption alg 'disabled'\n",
    "# mine\nconfig serve 'serve'\n\toption enabled '1'\n\nconfig 'sipalg' 'main'\n\toption policy '1'\n\toption alg 'disabled'\n",
    "config sipalg\n\toption alg 'enabled'\nconfig sipalg 'main'\n\toption alg 'disabled'\n",
    "config sipalg 'main'\n\toption alg 'enabled'\n\toption alg 'disabled'\n",
  ]) {
    assert.equal(boot({ wish }).loaded, [], wish);
  }
});

early('takes nothing for a wish that is none', () => {
  for (const wish of [
    null,
    '',
    'disabled',
    STOCK,
    writeWish(STOCK, 'enabled'),
    "config serve 'serve'\n\toption alg 'disabled'\n",
    "config sipalg 'main'\n\toption alg 'disabled now'\n",
    "config sipalg 'main'\n\toption algo 'disabled'\n",
    "config sipalg 'main'\n\toption alg 'enabled'\nconfig sipalg 'other'\n\toption alg 'disabled'\n",
    "config sipalg 'main'\n\tlist alg 'disabled'\n",
    "config sipalg 'main'\n\toption alg '$(touch $SIPALG_ROOT/calls)'\n",
    'config sipalg main\n\toption alg disabled # later\n',
  ]) {
    leaves({ wish }, String(wish));
  }
});

early('leaves a run that did not come to its end to sipalg itself', () => {
  leaves({ journal: renderJournal({ ...TAKEN, state: 'taking' }) }, 'taking');
  leaves({ journal: renderJournal({ ...TAKEN, state: 'giving back' }) }, 'giving back');
  leaves({ journal: '' }, 'cut short');
  leaves({ journal: renderJournal(TAKEN).slice(0, -40) }, 'cut short');
});

early('leaves a firewall that was found to need the helper as it is', () => {
  leaves({ journal: renderJournal({ ...TAKEN, held: { because: 'an include', of: '1-2' } }) }, 'held');
});

early('leaves a rule that sets the helper its module', () => {
  leaves({ firewall: SET_HELPER }, 'the last section');
  leaves({ firewall: `${SET_HELPER}\nconfig zone\n\toption name 'more'\n\toption enabled '0'\n` }, 'another one is off');
  leaves({ firewall: SET_HELPER.replace("'sip'", 'sip') + "\toption enabled '1'\n" }, 'bare');
  leaves({ firewall: null }, 'no configuration to look at');
  assert.equal(boot({ firewall: `${SET_HELPER}\toption enabled '0'\n` }).loaded, [], 'switched off');
  assert.equal(boot({ firewall: SET_HELPER.replace("'sip'", "'ftp'") }).loaded, [], 'another helper');
});

early('loads both again where fw4 would not load without them', () => {
  const { loaded, calls } = boot({ check: 1 });
  assert.equal(loaded, BOTH);
  assert.match(calls.at(-1) ?? '', 'would not load');
  assert.equal(boot({ check: 1, marks: ['blocked'] }).loaded, BOTH, 'by insmod, which knows no blacklist');
});

early('at the first boot of an image, without a journal, goes by what fw4 says', () => {
  assert.equal(boot({ journal: null }).loaded, []);
  assert.equal(boot({ journal: null, check: 1 }).loaded, BOTH);
  leaves({ journal: null, check: null }, 'nobody to ask');
  assert.equal(boot({ check: null }).loaded, [], 'fw3, verified when they were taken');
});

early('leaves modules that something uses, and those that are part of the kernel', () => {
  leaves({ refcnt: 3 }, 'an object');
  leaves({ holder: 'ip_vs_pe_sip', refcnt: 2 }, 'another module');
  leaves({ modules: 'tracker', refcnt: 1 }, 'a rule');
  leaves({ modules: 'built in' }, 'built in');
});

early('takes both or none: where the second stays the first comes back', () => {
  const { loaded, calls } = boot({ marks: ['fails-nf_conntrack_sip'] });
  assert.equal(loaded, BOTH);
  assert.match(calls.at(-1) ?? '', 'could not be unloaded');
  assert.equal(boot({ marks: ['fails-nf_nat_sip'] }).loaded, BOTH);
});

early.run();
