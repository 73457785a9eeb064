/**
 * How long the ALG is back when the firewall brings it back: `nft monitor` in the lab's router says when the rule came and
 * when it was gone. The router is one whose include declares the helper, so that every load of the firewall sets it anew.
 * And what the watcher costs that has nothing to do. Prints rows as bench/inside.mjs does; times have no limits: what is
 * measured is mostly other programs, and waiting.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { SETTLE } from '../src/daemon/polling.ts';
import { PAUSE } from '../src/daemon/enforce.ts';
import { openLab, type Lab } from '../test/lab/lab.ts';

const ROUNDS = 5;
const PATIENCE_MS = 60_000;
const SETS_SIP = /ct helper set "sip"/;

type Row = { readonly what: string; readonly seen: string; readonly value: number; readonly limit: number | null; readonly unit: string };
type Rules = { next(which: 'add' | 'delete'): Promise<number>; close(): void };

/** Moments at which a rule that sets the helper came or went, one by one. */
async function listen(lab: Lab): Promise<Rules> {
  const process = lab.router.spawn(['nft', 'monitor', 'rules']);
  const seen: { which: string; at: number }[] = [];
  let wake = (): void => undefined;
  createInterface({ input: process.child.stdout }).on('line', (line) => {
    const at = performance.now();
    const which = /^(add|insert|delete) rule/.exec(line)?.[1];
    // Of a rule that goes nft names the chain alone.
    if (which === undefined || !(which === 'delete' ? /\b(?:user_voip|helper_lan) handle/ : SETS_SIP).test(line)) return;
    seen.push({ which: which === 'insert' ? 'add' : which, at });
    wake();
  });
  return {
    async next(which) {
      const end = performance.now() + PATIENCE_MS;
      for (;;) {
        for (let one = seen.shift(); one; one = seen.shift()) if (one.which === which) return one.at;
        if (performance.now() > end) throw new Error(`no rule that sets the helper was told to "${which}" within ${PATIENCE_MS / 1000} s`);
        await Promise.race([
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
          pause(500),
        ]);
      }
    },
    close: () => process.signal('SIGTERM'),
  };
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

function row(what: string, times: readonly number[]): Row {
  const text = times.map((ms) => (ms / 1000).toFixed(1)).join(', ');
  return {
    what,
    value: [...times].sort((one, other) => one - other)[times.length >> 1]! / 1000,
    unit: 's',
    limit: null,
    seen: `${text} s`,
  };
}

/** How long the watcher is left alone to be measured, in seconds. */
const IDLE = 30;
const WATCHER = '/usr/lib/sipalg/watch.sh';

/** What a process has used up so far: nanoseconds of processor, and how often it woke. */
function used(pid: number): { busy: number; wakes: number } {
  const [busy = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return { busy: Number(busy), wakes: Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) };
}

/** The program that `nsenter` has started. */
const behind = (pid: number): number => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());

/** The watcher of routers without a daemon, while nothing happens. @param pid as this machine counts */
async function idle(pid: number): Promise<Row[]> {
  const before = used(pid);
  await pause(IDLE * 1000);
  const after = used(pid);
  const memory = Number(/^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024;
  const woke = after.wakes - before.wakes;
  const busy = after.busy - before.busy;
  return [
    // One more fits into any stretch of time than its length says.
    { what: 'wakes of the watcher in shell, idle', value: (woke - 1) / IDLE, unit: '/s', limit: 0.5, seen: `${woke} in ${IDLE} s` },
    { what: 'its share of a core', value: busy / (IDLE * 1e7), unit: '%', limit: 0.1, seen: `${(busy / 1e6).toFixed(2)} ms in ${IDLE} s` },
    { what: 'its memory, resident', value: memory, unit: 'MB', limit: 3, seen: 'nearly all of it is the shell itself' },
  ];
}

/** From the moment the rule is back to the moment it is gone; `after` is what is done in between. */
async function returned(lab: Lab, rules: Rules, after: () => Promise<unknown>): Promise<number> {
  const coming = rules.next('add');
  await lab.router.must(['fw4', 'reload']);
  const came = await coming;
  const going = rules.next('delete');
  await after();
  return (await going) - came;
}

async function main(): Promise<void> {
  const lab = await openLab({ ruleset: 'user-include' });
  try {
    await lab.router.run(['sipalg', 'disable']); // held: 1
    const rules = await listen(lab);

    const byHand: number[] = [];
    for (let round = 0; round < ROUNDS; round++) byHand.push(await returned(lab, rules, () => lab.router.run(['sipalg', 'apply'])));

    const byDaemon: number[] = [];
    const again: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const daemon = lab.router.spawn(['sipalg', 'serve', '--no-page']);
      await pause(3000);
      byDaemon.push(await returned(lab, rules, async () => undefined));
      if (round === 0) again.push(await returned(lab, rules, async () => undefined));
      daemon.signal('SIGTERM');
      await daemon.ended;
    }
    const byWatcher: number[] = [];
    let resting: Row[] = [];
    lab.files.write(WATCHER, readFileSync('files/usr/lib/sipalg/watch.sh'));
    for (let round = 0; round < ROUNDS; round++) {
      const watcher = lab.router.spawn(['busybox', 'sh', WATCHER]);
      await pause(5000);
      if (round === 0) resting = await idle(behind(watcher.child.pid!));
      byWatcher.push(await returned(lab, rules, async () => undefined));
      watcher.signal('SIGTERM');
      await watcher.ended;
    }
    rules.close();
    console.log(
      JSON.stringify([
        row('back to gone, by `sipalg apply` at once', byHand),
        row(`back to gone, by the daemon (it waits ${SETTLE / 1000} s for quiet)`, byDaemon),
        row(`the same, brought back at once (it rests ${PAUSE / 1000} s after a try)`, again),
        row('back to gone, by the watcher in shell (it looks every 2 s)', byWatcher),
        ...resting,
      ]),
    );
  } finally {
    await lab.close();
  }
}

void main();
