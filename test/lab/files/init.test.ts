/** /etc/init.d/sipalg: what is to stay, by what there is to run it and by what is wished. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openRoot, SHELLS } from './scripts.ts';

/** rc.common and procd as far as the script calls them: what they are told is printed. */
const STUBS = `
. files/etc/init.d/sipalg
apply() { echo apply; }
config_load() { :; }
config_get() { eval "$1=\\\${$2_$3-$4}"; }
config_get_bool() { eval "$1=\\\${$2_$3-$4}"; }
procd_open_instance() { echo "instance \${1:-daemon}"; }
procd_set_param() { [ "$1" != command ] || { shift; echo "command $*"; }; }
procd_close_instance() { :; }
procd_send_signal() { echo "signal $1"; }
start() { start_service; }
running() { [ -n "$RUNNING" ]; }
PROGRAM=$SIPALG_ROOT/lib SERVING=$SIPALG_ROOT/serving
PATH=$SIPALG_ROOT/bin
`;

const DAEMON = ['apply', 'instance daemon', 'command /usr/sbin/sipalg serve'];
const WATCHER = ['apply', 'instance watch', 'command /bin/sh ROOT/lib/watch.sh 7'];

interface Router {
  node?: boolean;
  serving?: boolean;
  env?: Record<string, string>;
}

function run(shell: readonly string[], verb: string, { node = false, serving = false, env = {} }: Router): string[] {
  const root = openRoot();
  try {
    root.write('/lib/sipalg.mjs', '');
    root.write('/lib/watch.sh', '');
    if (node) root.write('/bin/node', '#!/bin/sh\n', 0o755);
    if (serving) root.write('/serving', '1 serving\n');
    const { status, said } = root.run(shell, `${STUBS}\n${verb}`, { serve_every: '7', ...env });
    assert.is(status, 0, said);
    return said.replaceAll(root.path, 'ROOT').split('\n').filter(Boolean);
  } finally {
    root.close();
  }
}

const init = suite('the init script');

for (const shell of SHELLS) {
  init(`starts the daemon where there is Node, else the watcher where something is wished (${shell[0]})`, () => {
    for (const [router, expected] of [
      [{ node: true, env: { main_alg: 'disabled' } }, DAEMON],
      [{ node: true, env: { main_alg: 'unmanaged' } }, DAEMON],
      [{ env: { main_alg: 'disabled' } }, WATCHER],
      [{ env: { main_alg: 'unmanaged', main_policy: '1' } }, WATCHER],
      [{ env: { main_alg: 'unmanaged' } }, ['apply']],
      [{ env: { main_alg: 'enabled' } }, ['apply']],
      [{ env: {} }, ['apply']],
      [{ node: true, env: { main_alg: 'disabled', serve_enabled: '0' } }, ['apply']],
      [{ env: { main_alg: 'disabled', serve_enabled: '0' } }, ['apply']],
    ] as const)
      assert.equal(run(shell, 'start_service', router), expected, JSON.stringify(router));
  });

  init(`has a daemon that runs read its configuration anew, and starts one in the watcher's place (${shell[0]})`, () => {
    const wish = { main_alg: 'disabled', RUNNING: '1' };
    assert.equal(run(shell, 'reload_service', { node: true, serving: true, env: wish }), ['apply', 'signal sipalg']);
    assert.equal(run(shell, 'reload_service', { node: true, env: wish }), DAEMON);
    assert.equal(run(shell, 'reload_service', { env: wish }), WATCHER);
    // Without an instance procd ends the one that runs.
    assert.equal(run(shell, 'reload_service', { node: true, serving: true, env: { ...wish, serve_enabled: '0' } }), ['apply']);
  });
}

init.run();
