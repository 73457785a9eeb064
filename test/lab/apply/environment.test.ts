import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complaints, differences, JOURNAL, openRouter, WISH, type Router, type Told } from './router.ts';

type Context = { router: Router; hanging: Router; hung: Promise<unknown> };
const trouble = suite<Context>('a router on which something is amiss');
trouble.before(async (context) => {
  [context.router, context.hanging] = await Promise.all([openRouter({ ruleset: 'set-helper-rule' }), openRouter()]);
  // This one takes its time, beside all the others.
  context.hung = hang(context.hanging).catch((error: unknown) => error);
});
trouble.after(async ({ router, hanging, hung }) => {
  await hung;
  await Promise.all([router.close(), hanging.close()]);
});

/** Refused with exit code 2 and these words, in a sentence; nothing was changed. */
function refused(told: Told, words: RegExp, what = ''): void {
  assert.is(told.status, 2, `${what} ${told.stdout}${told.stderr}`);
  assert.is(told.stdout, '', `${what}: it claims nothing`);
  const said = complaints(told).join('\n');
  assert.match(said, words, what);
  assert.match(said, /^sipalg: .*[.]$/m, `${what}: a sentence: ${said}`);
  assert.match(said, /[Nn]othing was changed|been taken back/, `${what}: ${said}`);
  assert.not.match(said, /undefined|\[object|Error:.*at /, `${what}: ${said}`);
}

/** Breaks something, runs commands, mends it, and holds that everything is as it was. */
async function broken(router: Router, how: string, words: RegExp, mend: string, commands: readonly string[] = ['disable']): Promise<void> {
  const before = await router.state();
  for (const command of commands) {
    await router.lab.router.must(['sh', '-ec', how]);
    const told = await router.sipalg([command]);
    await router.lab.router.must(['sh', '-ec', mend]);
    refused(told, words, command);
    assert.equal(differences(before, await router.state()), [], command);
  }
}

/** A tool that does something else. */
const instead = (tool: string, script: string): string =>
  `mv ${tool} ${tool}.kept; printf '%s\\n' '#!/bin/sh' '${script}' > ${tool}; chmod 755 ${tool}`;
const back = (tool: string): string => `mv ${tool}.kept ${tool}`;

trouble('is named by a read-only file system', ({ router }) =>
  broken(
    router,
    'mount -o remount,ro /',
    /\/etc\/sipalg\.journal could not be written: the file system is read-only \(EROFS\)/,
    'mount -o remount,rw /',
  ),
);

trouble('is named by a full disk, however many files still fit', async ({ router }) => {
  const run = (script: string): Promise<string> => router.lab.router.must(['sh', '-ec', script]);
  await run(
    'mkdir /tmp/etc; mount -t tmpfs -o size=24m full /tmp/etc; cp -a /etc/. /tmp/etc/; mount --move /tmp/etc /etc; dd if=/dev/zero of=/etc/filler bs=4k 2>/dev/null || true',
  );
  try {
    let failures = 0;
    for (let pages = 0; ; pages++) {
      const before = await router.state();
      const told = await router.sipalg(['disable']);
      if (told.status === 0) {
        assert.is((await router.sipalg(['enable'])).status, 0);
        router.lab.files.remove(WISH);
        assert.equal(differences(before, await router.state()), []);
        break;
      }
      failures++;
      refused(told, /could not be written: no space is left on the device \(ENOSPC\)/, `${pages} pages are free`);
      assert.equal(differences(before, await router.state()), [], `${pages} pages are free`);
      assert.ok(pages < 20);
      await run('truncate -s -4096 /etc/filler');
    }
    assert.ok(failures >= 3, `it failed ${failures} times`);
  } finally {
    await run('umount /etc');
  }
});

trouble('is named where a tool is missing', async ({ router }) => {
  const away = (tool: string): [string, string] => [`mv ${tool} ${tool}.kept`, back(tool)];
  const [nft, nftBack] = away('/usr/sbin/nft');
  await broken(router, nft, /nft is not installed, though the firewall of this router is made of it/, nftBack);
  const [flock, flockBack] = away('/usr/bin/flock');
  await broken(router, flock, /flock is not installed/, flockBack);
});

trouble('refuses everybody but root, and tells them no more than it knows', async ({ router }) => {
  const before = await router.state();
  const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--'];
  for (const command of ['disable', 'enable', 'apply']) {
    const told = await router.sipalg([command], 'count', nobody);
    if (command === 'apply') continue; // nothing is wished: nothing to refuse
    refused(told, /Only root may/, command);
  }
  const told = await router.sipalg(['status'], 'count', nobody);
  assert.is(told.status, 2, told.stderr);
  assert.match(told.stdout.replace(/\s+/g, ' '), /could not be (told|read)/);
  assert.match(told.stdout, /permitted|permission|root/i);
  assert.not.match(told.stdout, /No SIP ALG touches/);
  assert.equal(differences(before, await router.state()), []);
});

trouble('believes no tool that prints nonsense, without end, or fails', async ({ router }) => {
  const nft = '/usr/sbin/nft';
  await broken(router, instead(nft, 'echo "{ \\"nftables\\": [ { \\"rule\\": 7"'), /nft -j -t list ruleset could not be read/, back(nft));
  await broken(router, instead(nft, 'exec yes "{ \\"nftables\\": ["'), /holds more than 33554432 bytes/, back(nft));
  await broken(
    router,
    instead(nft, 'echo "netlink: Error: cache initialization failed: Operation not supported" >&2; exit 1'),
    /nft -j -t list ruleset could not be read: it ended with exit code 1: netlink: Error/,
    back(nft),
  );
  await broken(router, instead(nft, 'kill -SEGV $$'), /nft -j -t list ruleset could not be read: it was ended by SIGSEGV/, back(nft));
  const conntrack = '/usr/sbin/conntrack';
  await broken(
    router,
    instead(conntrack, 'echo "udp 17 helper=sip \\033[31m <nonsense>"'),
    /conntrack -L.* could not be read/,
    back(conntrack),
  );
  const save = '/usr/sbin/iptables-legacy-save';
  await router.lab.router.must(['iptables-legacy', '-t', 'raw', '-nL']); // makes the table, without which it is not asked
  await broken(
    router,
    instead(save, 'echo "*raw"; echo "-A"; head -c 3000 /dev/urandom'),
    /iptables-legacy-save could not be read/,
    back(save),
  );
});

trouble('does not touch a journal it cannot read', async ({ router }) => {
  for (const text of [
    '{ "format": 1, "taken": [',
    '',
    '{ "format": 2 }',
    '{ "format": 1, "state": "taken", "taken": [ { "kind": "nft" } ] }',
    '[]',
    '\0\0\0\0',
  ]) {
    router.lab.files.write(JOURNAL, text);
    const before = await router.state();
    for (const command of ['disable', 'enable']) {
      refused(await router.sipalg([command]), /\/etc\/sipalg\.journal could not be read/, `${command}, ${JSON.stringify(text)}`);
      assert.equal(differences(before, await router.state()), [], command);
    }
    router.lab.files.remove(JOURNAL);
  }
});

trouble('says which line of a configuration it does not understand', async ({ router }) => {
  router.lab.files.write(WISH, "config sipalg 'main'\n\toption alg 'of'\n");
  const before = await router.state();
  const bad = await router.sipalg(['apply']);
  assert.is(bad.status, 2);
  assert.match(complaints(bad).join(' '), /sipalg\.main.*alg.*"of".*unmanaged, disabled or enabled/);
  assert.equal(differences(before, await router.state()), []);

  for (const text of ["config sipalg 'main\n", 'option alg disabled\n', "config sipalg main\n\toption 'alg' 'a' 'b'\n"]) {
    router.lab.files.write(WISH, text);
    const now = await router.state();
    for (const command of ['apply', 'disable', 'enable']) {
      const told = await router.sipalg([command]);
      assert.is(told.status, 2, `${command} ${text} ${told.stdout}`);
      assert.match(complaints(told).join(' '), /\/etc\/config\/sipalg|sipalg/, command);
      assert.match(complaints(told).join(' '), /line \d|:\d/, `${command}: ${told.stderr}`);
      assert.equal(differences(now, await router.state()), [], `${command} ${text}`);
    }
  }
  router.lab.files.remove(WISH);

  const firewall = router.lab.files.read('/etc/config/firewall');
  router.lab.files.write('/etc/config/firewall', `${firewall}config rule 'torn\n`);
  await broken(router, 'true', /\/etc\/config\/firewall could not be read: .*line \d+/, 'true');
  router.lab.files.write('/etc/config/firewall', firewall);
});

trouble('names the nearest command and option for one it does not know', async ({ router }) => {
  const before = await router.state();
  for (const [words, nearest] of [
    [['disabel'], '"disable"'],
    [['statsu'], '"status"'],
    [['disable', '--dry'], '"--dry-run"'],
    [['status', '--jsno'], '"--json"'],
  ] as const) {
    const told = await router.sipalg(words);
    assert.is(told.status, 2, words.join(' '));
    assert.is(told.stdout, '');
    assert.match(told.stderr, `Did you mean ${nearest}?`);
    assert.match(told.stderr, words[words.length - 1]!);
  }
  assert.match((await router.sipalg(['x'.repeat(100_000)])).stderr, /^sipalg: .{1,400}\n$/);
  assert.equal(differences(before, await router.state()), []);
});

trouble('takes everything back when Ctrl-C comes in the middle', async ({ router }) => {
  await router.call();
  const before = await router.state();
  const { changes } = await router.sipalg(['disable']);
  const disabled = await router.state();
  await router.sipalg(['enable']);
  router.lab.files.remove(WISH);
  const answers: (number | null)[] = [];
  for (let at = 1; at <= changes.length; at++) {
    await router.call();
    const told = await router.sipalg(['disable'], `interrupt:${at}`);
    answers.push(told.status);
    if (told.status === 2) {
      refused(told, /interrupted/, `before ${changes[at - 1]}`);
      assert.equal(differences(before, await router.state()), [], `before ${changes[at - 1]}`);
    } else {
      // It came while the last step ran: everything is done, and nothing is half done.
      assert.is(told.status, 0, told.stderr);
      assert.equal(differences(disabled, await router.state(), [JOURNAL]), []);
      await router.sipalg(['enable']);
      router.lab.files.remove(WISH);
    }
  }
  assert.ok(answers.filter((answer) => answer === 2).length >= 3, `${answers.join(' ')}: ${changes.join(', ')}`);
});

async function hang(router: Router): Promise<void> {
  const began = Date.now();
  await broken(
    router,
    instead('/usr/sbin/nft', 'sleep 60'),
    /nft -j -t list ruleset could not be read: it did not end within 30 s and was killed/,
    back('/usr/sbin/nft'),
  );
  assert.ok(Date.now() - began < 45_000);
  const left = await router.lab.router.run(['sh', '-c', 'ps -e -o args= | grep -c "^sleep 60"']);
  assert.is(left.stdout.trim(), '0', 'what it started is gone too');
}

trouble('gives up on a tool that hangs, and ends what it started', async ({ hung }) => {
  const error = await hung;
  if (error !== undefined) throw error;
});

trouble.run();
