/**
 * The lab's stand-in for OpenWrt's /sbin/fw4: same verbs, same files, same lock, same exit codes as firewall4's
 * documentation and behaviour have them, for the part of the configuration the lab uses. Ours, and only for tests.
 *
 * Its oddities are those of the real one: `start` and `reload` end with the status of the includes, not of nft;
 * `set_helper` is rendered without a look at the module; a reload flushes rules and keeps objects.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

const LOCK = '/var/run/fw4.lock';
const STATE = '/var/run/fw4.state';

const args = process.argv.slice(2);
while (args[0] === '-q' || args[0] === '-v') {
  if (args.shift() === '-q') process.env['QUIET'] = '1';
}
const [verb = '', locked] = args;

function die(text: string): never {
  if (process.env['QUIET'] !== '1') process.stderr.write(text + '\n');
  process.exit(1);
}

function nft(nftArgs: readonly string[], input?: string): number {
  const { status, error } = spawnSync('nft', nftArgs, { input: input ?? '', stdio: ['pipe', 'inherit', 'inherit'] });
  if (error) die(`fw4: nft: ${error.message}`);
  return status ?? 1;
}

/** Runs this program again while flock(1) holds the lock, and ends as it ends. */
function hold(): never {
  const { status } = spawnSync('flock', ['-x', LOCK, process.execPath, __filename, verb, 'locked'], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

function load(): void {
  // Imported here: what `flock` starts first need not parse anything.
  const { render } = require('./fw4/render.ts') as typeof import('./fw4/render.ts');
  const { text, zones, scripts } = render();
  writeFileSync(STATE, JSON.stringify({ zones: zones.map(({ name, devices }) => ({ name, devices })) }) + '\n');
  nft(['-f', '-'], text); // what it says is seen; how it ends is not
  for (const path of scripts) {
    const { status } = spawnSync('sh', ['-c', `. '${path.replaceAll("'", "'\\''")}'`], { stdio: 'inherit', timeout: 30_000 });
    if (status !== 0) process.stderr.write(`Include '${path}' failed with exit code ${status}\n`);
  }
}

function print(): string {
  const { render } = require('./fw4/render.ts') as typeof import('./fw4/render.ts');
  return render().text;
}

switch (verb) {
  case 'start':
  case 'reload':
    if (locked === undefined) hold();
    if (verb === 'start' && existsSync(STATE)) die('The fw4 firewall appears to be already loaded.');
    if (verb === 'reload' && !existsSync(STATE)) die('The fw4 firewall does not appear to be loaded.');
    rmSync(STATE, { force: true });
    load();
    break;
  case 'restart':
    if (locked === undefined) {
      if (nft(['-c', '-f', '-'], print()) !== 0) die('The rendered ruleset contains errors, not doing firewall restart.');
      hold();
    }
    nft(['delete', 'table', 'inet', 'fw4']);
    rmSync(STATE, { force: true });
    load();
    break;
  case 'stop':
    if (locked === undefined) hold();
    nft(['delete', 'table', 'inet', 'fw4']);
    rmSync(STATE, { force: true });
    break;
  case 'flush':
    if (locked === undefined) hold();
    nft(['flush', 'ruleset']);
    rmSync(STATE, { force: true });
    break;
  case 'check': {
    const status = nft(['-c', '-f', '-'], print());
    if (status === 0 && process.env['QUIET'] !== '1') process.stdout.write('Ruleset passes nftables check.\n');
    process.exitCode = status;
    break;
  }
  case 'print':
    process.stdout.write(print());
    break;
  default:
    process.stdout.write('Usage:\n\n  fw4 [-v] [-q] start|stop|flush|restart|reload|check|print\n');
}
