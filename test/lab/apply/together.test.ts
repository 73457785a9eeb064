import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Process, Ran } from '../member.ts';
import { complaints, differences, JOURNAL, openRouter, WISH, type Router } from './router.ts';

type Context = { router: Router; ours: Router; theirs: Router; waited: Promise<unknown>[] };

/** What a process that was started said in the end. */
function end({ child, ended }: Process): Promise<Pick<Ran, 'status' | 'stdout' | 'stderr'>> {
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data;
  });
  return ended.then(({ status }) => ({ status, stdout, stderr }));
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Holds a lock in the router, saying who, until it is let go. */
async function holdLock(router: Router, lock: string, who: string): Promise<() => Promise<void>> {
  const held = router.lab.router.spawn([
    'flock',
    '-x',
    lock,
    'sh',
    '-c',
    `[ -z "$1" ] || echo "$1" > ${lock}; echo held; read -r _`,
    'sh',
    who,
  ]);
  await new Promise((resolve) => held.child.stdout.once('data', resolve));
  return async () => {
    held.child.stdin.end();
    await held.ended;
  };
}

/** Until somebody waits for a lock, as the kernel tells (proc_locks(5): a line with `->` is who is blocked). */
async function isWaitedFor(router: Router, lock: string): Promise<void> {
  const inode = (await router.lab.router.must(['stat', '-c', '%i', lock])).trim();
  for (let tries = 0; tries < 1000; tries++) {
    if (new RegExp(`-> FLOCK .*:${inode} `).test(await router.lab.router.must(['cat', '/proc/locks']))) return;
    await wait(10);
  }
  throw new Error(`nobody has waited for ${lock}`);
}

const together = suite<Context>('several programs at once');

together.before(async (context) => {
  [context.router, context.ours, context.theirs] = await Promise.all([
    openRouter({ ruleset: 'set-helper-rule', crowd: true }),
    openRouter(),
    openRouter(),
  ]);
  // Patience lasts 30 seconds: these two run beside the others.
  context.waited = [
    locked(
      context.ours,
      '/var/run/sipalg.lock',
      'process 1 (sipalg, towards "enabled")',
      /^sipalg: sipalg is locked \(\/var\/run\/sipalg\.lock\) by process 1 \(sipalg, towards "enabled"\), for longer than 30 s; try again when it has ended\. Nothing was changed\.$/,
    ),
    locked(
      context.theirs,
      '/var/run/fw4.lock',
      '',
      /^sipalg: The firewall is locked \(\/var\/run\/fw4\.lock\), for longer than 30 s; try again when it has ended\. Nothing was changed\.$/,
    ),
  ].map((one) => one.catch((error: unknown) => error));
});
together.after(async ({ router, ours, theirs, waited }) => {
  await Promise.all(waited);
  await Promise.all([router.close(), ours.close(), theirs.close()]);
});

async function locked(router: Router, lock: string, who: string, words: RegExp): Promise<void> {
  const before = await router.state();
  const release = await holdLock(router, lock, who);
  const told = await router.sipalg(['disable']);
  await release();
  assert.is(told.status, 2, told.stderr);
  assert.equal(told.changes, []);
  assert.match(complaints(told).join('\n'), words);
  assert.equal(differences(before, await router.state()), []);
  assert.is((await router.sipalg(['disable'])).status, 0, 'it works as soon as the lock is free');
}

together('twice disable: one does it, the other waits and finds nothing to do', async ({ router }) => {
  const before = await router.state();
  for (let round = 0; round < 3; round++) {
    await router.call();
    const told = await Promise.all(
      [0, 1].map(async (number) => {
        await wait(number * round * 60);
        return end(router.start(['disable']));
      }),
    );
    assert.equal(
      told.map(({ status }) => status),
      [0, 0],
      told.map(({ stderr }) => stderr).join('\n'),
    );
    assert.equal(told.map(({ stdout }) => stdout.includes('There was nothing to do.')).sort(), [false, true]);
    assert.equal(told.map(({ stderr }) => stderr === '').sort(), [false, true], 'one of them ran commands');
    assert.is((await router.sipalg(['enable'])).status, 0);
    assert.equal(differences(before, await router.state(), [WISH]), []);
  }
});

together('disable and enable leave the one or the other, and what the wish says', async ({ router }) => {
  const before = await router.state();
  await router.sipalg(['disable']);
  const disabled = await router.state();
  for (let round = 0; round < 6; round++) {
    const told = await Promise.all(
      ['disable', 'enable'].map(async (command, number) => {
        await wait(number === round % 2 ? round * 25 : 0);
        return end(router.start([command]));
      }),
    );
    assert.equal(
      told.map(({ status }) => status),
      [0, 0],
      told.map(({ stderr }) => stderr).join('\n'),
    );
    const isDisabled = router.lab.files.read(WISH).includes("'disabled'");
    assert.equal(differences(isDisabled ? disabled : before, await router.state(), [WISH, JOURNAL]), [], `round ${round}`);
    assert.is(router.lab.files.exists(JOURNAL), isDisabled);
  }
  await router.sipalg(['enable']);
});

together('a lock that is held for a moment is waited for, and Ctrl-C ends the wait', async ({ router }) => {
  const before = await router.state();
  for (const lock of ['/var/run/fw4.lock', '/var/run/sipalg.lock']) {
    const release = await holdLock(router, lock, '');
    const running = router.start(['disable']);
    const ended = end(running);
    await isWaitedFor(router, lock);
    assert.equal(differences(before, await router.state()), [], 'while it waits, it changes nothing');
    await release();
    assert.is((await ended).status, 0);
    await router.sipalg(['enable']);

    const again = await holdLock(router, lock, '');
    const interrupted = router.start(['disable']);
    const said = end(interrupted);
    await isWaitedFor(router, lock);
    interrupted.signal('SIGINT');
    const began = Date.now();
    const { status, stderr } = await said;
    await again();
    assert.is(status, 2, stderr);
    assert.ok(Date.now() - began < 3000, 'soon');
    assert.match(stderr, /interrupted while it waited for another program\. Nothing was changed\./);
    assert.equal(differences(before, await router.state(), [WISH]), []);
  }
});

together('a wish that changes while its apply waits is the one that counts', async ({ router }) => {
  const before = await router.state();
  await router.sipalg(['disable']);
  const disabled = await router.state();
  for (const [wish, other, state] of [
    ['disabled', 'enabled', before],
    ['enabled', 'disabled', disabled],
    ['disabled', 'unmanaged', disabled],
  ] as const) {
    const say = (alg: string): void => router.lab.files.write(WISH, `config sipalg 'main'\n\toption alg '${alg}'\n`);
    say(wish);
    const release = await holdLock(router, '/var/run/sipalg.lock', '');
    const told = end(router.start(['apply']));
    await wait(1500);
    say(other);
    await release();
    const { status, stdout, stderr } = await told;
    assert.is(status, 0, stderr);
    assert.equal(differences(state, await router.state(), [WISH, JOURNAL]), [], `${wish}, then ${other}: ${stdout}${stderr}`);
  }
  await router.sipalg(['enable']);
});

together('a firewall that is reloaded again and again meanwhile', async ({ router }) => {
  const { lab } = router;
  const reload = (): Promise<string> => lab.router.must(['fw4', 'reload']);
  await reload();
  const before = await router.state();
  await router.sipalg(['disable']);
  await reload();
  const disabled = await router.state();
  await router.sipalg(['enable']);
  await reload();
  assert.equal(differences(before, await router.state(), [WISH]), []);

  const storm = lab.router.spawn(['sh', '-c', 'while fw4 reload; do :; done; echo "a reload failed"']);
  const stormed = end(storm);
  try {
    for (let round = 0; round < 4; round++) {
      for (const command of ['disable', 'enable'] as const) {
        const told = await router.sipalg([command]);
        assert.is(told.status, 0, `${command}: ${told.stderr}`);
        if (command === 'enable') continue;
        const rules = await lab.router.must(['nft', 'list', 'ruleset']);
        assert.not.match(rules, /ct helper set "(sip|phones)"/);
      }
    }
    await router.sipalg(['disable']);
  } finally {
    storm.signal('SIGTERM');
    await stormed;
  }
  await router.quiet();
  assert.is((await stormed).stdout, '', 'no reload has failed');
  await reload();
  assert.equal(differences(disabled, await router.state(), [WISH, JOURNAL]), []);
  await router.sipalg(['enable']);
  await reload();
  assert.equal(differences(before, await router.state(), [WISH]), []);
});

together('a lock held for long is named, with who holds it, and nothing is changed', async ({ waited }) => {
  for (const error of await Promise.all(waited)) if (error !== undefined) throw error;
});

together.run();
