/** The watcher in shell, in a router without Node: what comes back is taken away again, and a fight does not loop. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openLab } from '../lab.ts';
import type { Lab } from '../lab.ts';
import type { Process } from '../member.ts';
import { eventually } from './resident.ts';

interface Context {
  lab: Lab;
  watcher: Process;
  log(): string;
  /** How often it has taken something away. */
  tries(): number;
  /** When it did so for the first time, milliseconds. */
  first: number;
}

const WATCHER = '/usr/lib/sipalg/watch.sh';
const RULE = /ct helper set "sip"/;
const there = async ({ lab }: Context): Promise<boolean> => RULE.test(await lab.router.must(['nft', 'list', 'ruleset']));
/** The rule has gone, and the watcher has said so, so many times in all. */
async function gone(context: Context, patience: number, times: number): Promise<void> {
  await eventually('an end of the rule', async () => ((await there(context)) ? undefined : true), patience);
  await eventually('the end of the run', () => context.tries() === times || undefined, 5000);
}

/** As a load of the firewall leaves it whose configuration asks for the helper. */
const HELPER = 'table inet fw4 { ct helper sip { type "sip" protocol udp; }; chain helper_lan { udp dport 5060 ct helper set "sip"; }; }';

const watch = suite<Context>('the watcher without a daemon, in a router');

watch.before(async (context) => {
  // Each load of this firewall sets the helper anew.
  const lab = await openLab({ ruleset: 'user-include', engine: 'quickjs' });
  lab.files.write(WATCHER, readFileSync('files/usr/lib/sipalg/watch.sh'));
  await lab.router.run(['sipalg', 'disable']);
  const watcher = lab.router.spawn(['busybox', 'sh', WATCHER, '5']);
  let text = '';
  watcher.child.stdout.on('data', (data: Buffer) => {
    text += data;
  });
  // What it does is no error; and an error is in no place where nobody looks for one.
  watcher.child.stderr.on('data', (data: Buffer) => {
    text += `an error: ${data}`;
  });
  Object.assign(context, { lab, watcher, log: () => text, tries: () => text.split('not as wished any more').length - 1, first: 0 });
  assert.not.ok(await there(context));
  // It has looked for the first time, and found nothing to do.
  await new Promise((resolve) => setTimeout(resolve, 4000));
  assert.is(context.log(), '');
});
watch.after(({ lab }) => lab.close());

watch('takes it out soon after a load of the firewall, of which nobody tells', async (context) => {
  await context.lab.router.must(['fw4', 'reload']);
  assert.ok(await there(context));
  await gone(context, 12_000, 1);
  context.first = Date.now();
  assert.match(context.log(), /not as wished any more\n\[#\] nft /);
});

watch('waits before the next try, and sees a file that is written anew in its place', async (context) => {
  await context.lab.router.must(['nft', '-f', '-'], { input: HELPER });
  context.lab.files.write('/var/run/fw4.state', `{ "at": ${Date.now()} }\n`);
  await gone(context, 25_000, 2);
  const after = Date.now() - context.first;
  assert.ok(after > 9000, `${after} ms after the one before it`);
});

watch('does not go round with somebody who puts it back at once', async (context) => {
  const { lab } = context;
  lab.files.write('/tmp/helper', HELPER);
  const load = 'nft list ruleset | grep -q "helper set .sip" || { nft -f /tmp/helper; rm -f /var/run/fw4.state; echo >/var/run/fw4.state; }';
  const other = lab.router.spawn(['sh', '-c', `while :; do ${load}; sleep 0.3; done`]);
  let complained = '';
  other.child.stderr.on('data', (data: Buffer) => {
    complained += data;
  });
  await new Promise((resolve) => setTimeout(resolve, 6000));
  assert.ok(await there(context), `${complained}\n${context.log()}`);
  assert.is(context.tries(), 2, 'it rests for twenty seconds now');
  other.signal('SIGKILL');
});

watch('ends when it is told to, and leaves nothing of its own', async (context) => {
  const { lab, watcher } = context;
  watcher.signal('SIGTERM');
  assert.equal(await watcher.ended, { status: 0, signal: null });
  assert.equal(
    lab.files.list('/var/run').filter((name) => /^sipalg\.(seen|watch|pipe)/.test(name)),
    [],
  );
});

watch.run();
