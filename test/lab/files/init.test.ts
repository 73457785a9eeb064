/** /etc/init.d/sipalg and sipalg-daemon: what is to stay, by what there is to run it and by what is wished. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openRoot, SHELLS } from './scripts.ts';

const SIPALG = 'files/etc/init.d/sipalg';
const DAEMON = 'package/sipalg-daemon/root/etc/init.d/sipalg-daemon';

/** rc.common and procd as far as a script calls them: what they are told is printed. */
const stubs = (script: string): string => `
. ${script}
[ ${script} != ${SIPALG} ] || apply() { echo apply; }
config_load() { :; }
config_get() { eval "$1=\\\${$2_$3-$4}"; }
config_get_bool() { eval "$1=\\\${$2_$3-$4}"; }
procd_open_instance() { echo "instance \${1:-daemon}"; }
procd_set_param() { [ "$1" != command ] || { shift; echo "command $*"; }; }
procd_close_instance() { :; }
logger() { shift 4; echo "log $*"; }
procd_send_signal() { echo "signal $1"; }
procd_running() { [ "$1" = sipalg-daemon ] && [ -n "$RUNNING" ]; }
start() { start_service; ! type service_started >/dev/null 2>&1 || service_started; }
procd_kill() { echo stop; [ -n "$LISTED" ] || echo 'Command failed: Not found'; }
ubus() { [ "$1 $2 $3" != 'call service list' ] || [ -z "$LISTED" ] || echo '{ "sipalg": { }, "sipalg-daemon": { } }'; }
stop() { stop_service; procd_kill; ! type service_stopped >/dev/null 2>&1 || service_stopped; }
running() { [ -n "$RUNNING" ]; }
PROGRAM=$SIPALG_ROOT/lib SERVING=$SIPALG_ROOT/serving DAEMON=$SIPALG_ROOT/daemon WISHED=$SIPALG_ROOT/wished
rm() { echo "rm $*"; }
PATH=$SIPALG_ROOT/bin
exec 1000>"$SIPALG_ROOT/lock"
`;

const HEP = 'package/sipalg-calls/root/etc/init.d/sipalg-hep';

const STARTED = ['instance daemon', 'command /usr/sbin/sipalg serve'];
const WATCHER = ['instance watch', 'command /bin/sh ROOT/lib/watch.sh 7'];

interface Router {
  node?: boolean;
  /** The package sipalg-daemon, and whether its service is enabled. */
  daemon?: 'enabled' | 'disabled';
  /** Whether /etc/init.d/sipalg is enabled. */
  wished?: boolean;
  serving?: boolean;
  env?: Record<string, string>;
}

function run(script: string, shell: readonly string[], verb: string, router: Router): string[] {
  const { node = false, daemon, wished = true, serving = false, env = {} } = router;
  const root = openRoot();
  try {
    root.write('/lib/watch.sh', '');
    // What the other script is asked and told; the lock of who calls it is not its own.
    const other = (enabled: boolean): string => `#!/bin/sh
case "$1" in enabled) exit ${enabled ? 0 : 1} ;; esac
echo "other $*"
[ ! -e /proc/$$/fd/1000 ] || echo 'holds the lock'
exit 3
`;
    if (daemon !== undefined) root.write('/lib/sipalg.mjs', '');
    if (daemon !== undefined) root.write('/daemon', other(daemon === 'enabled'), 0o755);
    root.write('/wished', other(wished), 0o755);
    if (node) root.write('/bin/node', '#!/bin/sh\n', 0o755);
    if (serving) root.write('/serving', '1 serving\n');
    const { status, said } = root.run(shell, `${stubs(script)}\n${verb}`, { serve_every: '7', ...env });
    assert.is(status, 0, said);
    return said.replaceAll(root.path, 'ROOT').split('\n').filter(Boolean);
  } finally {
    root.close();
  }
}

const init = suite('the init scripts');
const disabled = { main_alg: 'disabled' };
const runs = { ...disabled, RUNNING: '1' };

for (const shell of SHELLS) {
  init(`the wish: has a watcher where the daemon does not watch, whatever is wished: that may change (${shell[0]})`, () => {
    for (const [router, expected] of [
      [{ env: disabled }, WATCHER],
      [{ env: { main_alg: 'unmanaged', main_policy: '1' } }, WATCHER],
      [{ env: { main_alg: 'unmanaged' } }, WATCHER],
      [{ env: {} }, WATCHER],
      [{ env: { ...disabled, serve_enabled: '0' } }, []],
      // An engine without the daemon's package, one that has been stopped, one that runs.
      [{ node: true, env: disabled }, WATCHER],
      [{ node: true, daemon: 'enabled', env: disabled }, WATCHER],
      [{ node: true, daemon: 'enabled', env: runs }, []],
      [{ node: true, daemon: 'disabled', env: runs }, []],
    ] as const) {
      assert.equal(run(SIPALG, shell, 'start_service', router), ['apply', ...expected], JSON.stringify(router));
      assert.equal(run(SIPALG, shell, 'watch', router), expected, JSON.stringify(router));
    }
  });

  init(`the wish: starts none at boot where the daemon is started behind it (${shell[0]})`, () => {
    for (const [router, expected] of [
      [{ node: true, daemon: 'enabled', env: disabled }, []],
      [{ node: true, daemon: 'disabled', env: disabled }, WATCHER],
      [{ daemon: 'enabled', env: disabled }, WATCHER],
      [{ node: true, env: disabled }, WATCHER],
      [{ env: { main_alg: 'unmanaged' } }, WATCHER],
    ] as const)
      assert.equal(run(SIPALG, shell, 'boot', router), ['apply', ...expected], JSON.stringify(router));
  });

  init(`the wish: starts one as the daemon is told to end, though procd has it listed still (${shell[0]})`, () => {
    assert.equal(run(SIPALG, shell, 'watch stopped', { node: true, daemon: 'enabled', env: runs }), WATCHER);
    assert.equal(run(SIPALG, shell, 'watch stopped', { node: true, daemon: 'enabled', env: { RUNNING: '1', serve_enabled: '0' } }), []);
  });

  init(`the daemon: is started where there is Node and the configuration wants it, and the watcher told (${shell[0]})`, () => {
    const told = ['other watch'];
    assert.equal(run(DAEMON, shell, 'start', { node: true, daemon: 'enabled' }), [...STARTED, ...told]);
    assert.equal(run(DAEMON, shell, 'start', { node: true }), told, 'the program without the daemon');
    assert.equal(run(DAEMON, shell, 'start', { daemon: 'enabled' }), told);
    assert.equal(run(DAEMON, shell, 'start', { node: true, daemon: 'enabled', env: { serve_enabled: '0' } }), told);
    const listed = { LISTED: '1' };
    assert.equal(run(DAEMON, shell, 'stop', { node: true, daemon: 'enabled', env: listed }), ['stop', 'other watch stopped']);
    // Its owner wants nothing of the wish.
    assert.equal(run(DAEMON, shell, 'start', { node: true, daemon: 'enabled', wished: false }), STARTED);
    assert.equal(run(DAEMON, shell, 'stop', { node: true, daemon: 'enabled', wished: false, env: listed }), ['stop']);
    assert.equal(run(SIPALG, shell, 'stop', { env: listed }), ['stop']);
    // At a removal it is stopped for the second time: procd knows it no more, and there is no command that fails.
    assert.equal(run(DAEMON, shell, 'stop', { node: true, daemon: 'enabled', wished: false }), []);
    assert.equal(run(SIPALG, shell, 'stop', {}), []);
  });

  init(`the daemon: one that serves reads its configuration anew (${shell[0]})`, () => {
    const router = { node: true, daemon: 'enabled', serving: true, env: runs } as const;
    assert.equal(run(DAEMON, shell, 'reload_service', router), ['signal sipalg-daemon']);
    assert.equal(run(DAEMON, shell, 'reload_service', { ...router, serving: false }), [...STARTED, 'other watch']);
    assert.equal(run(DAEMON, shell, 'reload_service', { ...router, env: disabled }), [...STARTED, 'other watch']);
    // Without an instance procd ends the one that runs.
    assert.equal(run(DAEMON, shell, 'reload_service', { ...router, env: { ...runs, serve_enabled: '0' } }), ['other watch']);
  });

  init(`messages for a Homer server: are sent where that is wished and a server named (${shell[0]})`, () => {
    const SENDS = ['instance daemon', 'command /usr/sbin/sipalg send-messages'];
    const GONE = 'rm -f /var/run/sipalg.hep';
    assert.equal(run(HEP, shell, 'start', {}), [GONE]);
    assert.equal(run(HEP, shell, 'start', { env: { hep_server: 'homer.example.com' } }), [GONE]);
    assert.equal(run(HEP, shell, 'start', { env: { hep_enabled: '1', hep_server: 'homer.example.com' } }), SENDS);
    const unnamed = 'log no Homer server is named in the section hep of /etc/config/sipalg';
    assert.equal(run(HEP, shell, 'start', { env: { hep_enabled: '1' } }), [GONE, unnamed]);
  });
}

init.run();
