/** The watcher of routers without a daemon, over a folder that stands for the root; hours pass in a moment. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { HELD, LONGEST_PAUSE, PAUSE } from '../../../src/daemon/enforce.ts';
import { openRoot, SHELLS } from './scripts.ts';

const SCRIPT = readFileSync('files/usr/lib/sipalg/watch.sh', 'utf8');
const TICK = 2;

/** Its words, with another's in their place; a test of a script that has changed says so. */
function instead(text: string, was: string, is: string): string {
  assert.ok(text.includes(was), `${was} is not in the script`);
  return text.replace(was, () => is);
}

interface Lived {
  /** Seconds at which it looked to act, and at which it looked alone. */
  looks: number[];
  dry: number[];
  said: string;
}

/**
 * Lets it live for so many seconds, whose ticks take no time.
 * @param program what `sipalg apply`, with --dry-run or without, does: shell, with $NOW
 * @param happens shell at each tick, with $now: what befalls the router
 */
function live(shell: readonly string[], seconds: number, program: string, happens: string, every = ''): Lived {
  const root = openRoot();
  try {
    root.write('/var/run/fw4.state', '{}\n');
    root.write('/sipalg', `#!/bin/sh\necho "$NOW" >>"$SIPALG_ROOT/$([ "$*" = apply ] && echo looks || echo dry)"\n${program}\n`, 0o755);
    for (const file of ['looks', 'dry']) root.write(`/${file}`, '');
    let text = instead(SCRIPT, 'PROG=/usr/sbin/sipalg', `PROG=$SIPALG_ROOT/sipalg; RUN=$SIPALG_ROOT/var/run; export NOW; now=0`);
    text = instead(text, 'FUNCTIONS=/lib/functions.sh', 'FUNCTIONS=$SIPALG_ROOT/functions.sh');
    text = instead(text, 'read -r now _ </proc/uptime; now=${now%.*}', ':');
    text = instead(
      text,
      'nap() { read -r -t "$TICK" _ <&3; }',
      `nap() { now=$((now + TICK)); NOW=$now; [ "$now" -le ${seconds} ] || exit 0; ${happens === '' ? ':' : happens}; }`,
    );
    root.write('/watch.sh', text);
    const { status, said } = root.run(shell, `set -- ${every}; . '${root.path}/watch.sh'`);
    assert.is(status, 0, said);
    const [looks = [], dry = []] = ['looks', 'dry'].map((file) =>
      readFileSync(`${root.path}/${file}`, 'utf8').split('\n').filter(Boolean).map(Number),
    );
    return { looks, dry, said };
  } finally {
    root.close();
  }
}

/** fw4 removes its file and writes it anew. */
const RELOAD = 'rm -f "$RUN/fw4.state"; echo "$now" >"$RUN/fw4.state"';
const ACTS = 'echo "[#] nft delete rule" >&2';

const watch = suite('the watcher without a daemon');

for (const shell of SHELLS.slice(0, 1)) {
  watch('looks at its beginning, and then every few minutes, and says nothing where nothing is to be done', () => {
    const { looks, said } = live(shell, 1000, '', '');
    assert.equal(looks, [2, 302, 602, 902]);
    assert.is(said, '');
    assert.equal(live(shell, 1000, '', '', '10').looks, [2, 602]);
    for (const wrong of ['0', '08', '1.5']) assert.equal(live(shell, 302, '', '', wrong).looks, [2, 302], wrong);
  });

  watch('starts no program while nothing is wished, and looks once something is', () => {
    const functions = (alg: string, policy: string): string =>
      'config_load() { [ "$1" = sipalg ]; }; ' +
      `config_get() { eval "$1=$([ "$NOW" -ge 400 ] && echo ${alg} || echo unmanaged)"; }; ` +
      `config_get_bool() { eval "$1=$([ "$NOW" -ge 400 ] && echo ${policy} || echo 0)"; }`;
    const lived = (alg: string, policy = '0'): Lived =>
      live(
        shell,
        700,
        '',
        `[ "$now" != 200 ] || { ${RELOAD}; }; [ -e "$SIPALG_ROOT/functions.sh" ] || echo '${functions(alg, policy)}' >"$SIPALG_ROOT/functions.sh"`,
      );
    for (const one of [lived('disabled'), lived('unmanaged', '1')]) assert.equal([one.looks, one.said], [[502], '']);
    for (const alg of ['unmanaged', 'enabled']) assert.equal(lived(alg).looks, []);
  });

  watch('looks when the firewall was loaded or flushed, once it is quiet', () => {
    const at = (when: number, what: string): string => `[ "$now" != ${when} ] || { ${what}; }`;
    assert.equal(live(shell, 60, '', at(20, RELOAD)).looks, [2, 22]);
    assert.equal(live(shell, 60, '', at(20, 'rm "$RUN/fw4.state"')).looks, [2, 22], '`firewall stop` removes it');
    assert.equal(live(shell, 60, '', `${at(20, 'rm "$RUN/fw4.state"')}; ${at(24, RELOAD)}`).looks, [2, 22, 26]);
    assert.equal(live(shell, 60, '', at(20, 'echo >"$RUN/fw3.state"')).looks, [2, 22], 'fw3');
    assert.equal(live(shell, 60, '', at(20, 'touch -d 2037-01-01 "$RUN/fw4.state"')).looks, [2, 22], 'written by a clock that was ahead');
    // As much as a load that lasts, and no longer than ten seconds of it.
    assert.equal(live(shell, 60, '', `[ "$now" -lt 20 ] || [ "$now" -gt 24 ] || { ${RELOAD}; }`).looks, [2, 26]);
    assert.equal(live(shell, 40, '', `[ "$now" -lt 20 ] || { ${RELOAD}; }`).looks, [2, 30]);
  });

  watch('rests between tries as the daemon does, up to the longest, until things have held', () => {
    // Somebody puts it back at once, and loads the firewall for it.
    const again = 'rm -f "$SIPALG_ROOT/var/run/fw4.state"; echo "$NOW" >"$SIPALG_ROOT/var/run/fw4.state"';
    const { looks, said } = live(shell, 6200, `${ACTS}; ${again}`, '');
    const rests = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
    const expected = rests.map((_, index) => Math.min(PAUSE * 2 ** index, LONGEST_PAUSE) / 1000);
    assert.ok(rests.length > 9);
    for (const [index, rest] of rests.entries()) assert.ok(rest >= expected[index]! && rest <= expected[index]! + TICK, `${rests.join()}`);
    assert.is(said.split('[#] nft delete rule').length - 1, looks.length);
  });

  watch('rests as briefly as at first when things have held for ten minutes, though it rests for longer', () => {
    // Put back at once eight times, the last of which is followed by half an hour of rest; then left alone.
    const again = 'rm -f "$SIPALG_ROOT/var/run/fw4.state"; echo "$NOW" >"$SIPALG_ROOT/var/run/fw4.state"';
    const left = 2700;
    const back = left + HELD / 1000 + 2 * 300;
    const program = `[ "$NOW" -gt ${left} ] && [ "$NOW" -lt ${back} ] || { ${ACTS}; [ "$*" != apply ] || { ${again}; }; }`;
    const { looks, dry } = live(shell, back + 60, program, `[ "$now" != ${back} ] || { ${RELOAD}; }`);
    const last = Math.max(...looks.filter((at) => at < left));
    assert.ok(looks.filter((at) => at < left).length === 9 && last + LONGEST_PAUSE / 1000 > back, looks.join());
    assert.ok(
      dry.some((at) => at > left && at < back),
      'it looked while it rested',
    );
    const [first = 0, second = 0] = looks.filter((at) => at >= back);
    assert.ok(first <= back + 2 * TICK, `${looks.join()}: the rest was over when things had held`);
    assert.ok(second - first <= PAUSE / 1000 + TICK, looks.join());
  });

  watch('says once what does not work, and goes on at its pace', () => {
    const { looks, said } = live(shell, 1000, 'echo "sipalg: option alg is \\"of\\"" >&2; exit 2', '');
    assert.equal(looks, [2, 302, 602, 902]);
    assert.is(said, 'sipalg: option alg is "of"\n');
  });

  watch('does nothing while a daemon serves, and looks when that has gone', () => {
    const daemon = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'serve', 'x'], { stdio: 'ignore' });
    try {
      const serving = `[ "$now" -ge 100 ] || echo "${daemon.pid} serving" >"$RUN/sipalg.daemon"; [ "$now" -lt 100 ] || rm -f "$RUN/sipalg.daemon"; ${RELOAD}`;
      const { looks } = live(shell, 112, '', serving);
      assert.equal(looks, [110]);
    } finally {
      daemon.kill('SIGKILL');
    }
  });
}

watch('ends with what it has begun, and leaves nothing behind', async () => {
  const root = openRoot();
  try {
    root.write('/var/run/fw4.state', '{}\n');
    root.write(
      '/sipalg',
      `#!/bin/sh\ntrap 'kill $!; echo taken back >>"$SIPALG_ROOT/log"; exit 2' TERM\necho begun >>"$SIPALG_ROOT/log"\nsleep 30 & wait $!\n`,
      0o755,
    );
    root.write('/watch.sh', instead(SCRIPT, '/usr/sbin/sipalg', `${root.path}/sipalg`));
    const child = spawn('busybox', ['sh', `${root.path}/watch.sh`], { env: { ...process.env, SIPALG_ROOT: root.path }, stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    const log = (): string => (root.list('/').includes('log') ? readFileSync(`${root.path}/log`, 'utf8') : '');
    for (const end = Date.now() + 8000; log() === '' && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.is(log(), 'begun\n');
    child.kill('SIGTERM');
    assert.is(await ended, 0);
    assert.is(log(), 'begun\ntaken back\n');
    assert.equal(root.list('/var/run'), ['fw4.state']);
  } finally {
    root.close();
  }
});

watch.run();
