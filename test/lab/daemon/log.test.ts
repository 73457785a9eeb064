/** What the daemon writes into the log of a router, as procd starts it: by level, little, and nothing that opens the page. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, has, openResident } from './resident.ts';
import type { Resident } from './resident.ts';

interface Context {
  all: Resident;
}

const log = suite<Context>('the log');

log.before(async (context) => {
  context.all = await openResident();
  // What procd does with the two outputs, and syslog with logger's lines.
  context.all.lab.files.write('/usr/bin/logger', '#!/bin/sh\necho "$*" >>/tmp/logger\n', 0o755);
});
log.after(({ all }) => all.close());

const DISABLED = (log: string) => `config sipalg 'main'\n\toption alg 'disabled'\n\nconfig serve 'serve'\n\toption log '${log}'\n`;

/** The daemon as /etc/init.d/sipalg-daemon starts it. */
function started({ lab }: Resident) {
  lab.files.write('/tmp/logger', '');
  const process = lab.router.spawn(['sipalg', 'serve'], { SIPALG_LOG: 'procd' });
  const out = { info: '', error: '' };
  process.child.stdout.on('data', (data: Buffer) => (out.info += data));
  process.child.stderr.on('data', (data: Buffer) => (out.error += data));
  const warnings = (): string[] => lab.files.read('/tmp/logger').split('\n').filter((line) => line !== '');
  return { process, out, warnings, lines: () => [...out.info.split('\n'), ...out.error.split('\n'), ...warnings()].filter((line) => line !== '') };
}

log('has what is good to know, what to look at and what is wrong each by its own way, and never the link', async ({ all }) => {
  const { lab } = all;
  lab.files.write('/etc/config/sipalg', "config serve 'serve'\n\toption listen '192.168.1.1:8061'\n\toption every 'often'\n");
  lab.files.write('/etc/uhttpd.crt', 'no certificate');
  const { process, out, warnings } = started(all);
  await eventually('the link', () => (has(lab, '/var/run/sipalg.link') ? true : undefined));
  await eventually('a warning', () => (warnings().length >= 2 ? true : undefined));
  assert.is(out.error, 'page: /etc/uhttpd.key is not there; until it can be used, the page is served on loopback alone and asks for no password\n');
  assert.match(out.info, /^page: http:\/\/127\.0\.0\.1:8061\/ \(its link, .* is in \/var\/run\/sipalg\.link, which root alone may read\)$/m);
  const [first = ''] = warnings().filter((line) => line.includes('every'));
  assert.match(first, /^-t sipalg\[\d+\] -p daemon\.warning -- sipalg\.serve: the option every is "often"/);
  const link = lab.files.read('/var/run/sipalg.link').trim();
  const { status, headers } = await all.http('GET', link);
  assert.equal([status, /^sipalg_8061=/.test(String(headers['set-cookie']))], [303, true]);
  await eventually('no link', () => (has(lab, '/var/run/sipalg.link') ? undefined : true));
  process.signal('SIGTERM');
  assert.is((await process.ended).status, 0);
  assert.not.match(out.info + out.error + warnings().join(), /token=/);
  lab.files.remove('/etc/uhttpd.crt');
});

log('gets at most two lines of a Save, which has the command line and the daemon come both', async ({ all }) => {
  const { lab } = all;
  lab.files.write('/etc/config/sipalg', "config sipalg 'main'\n\toption alg 'unmanaged'\n");
  const { process, lines } = started(all);
  await eventually('the link', () => (has(lab, '/var/run/sipalg.link') ? true : undefined));
  await all.lab.router.run(['sipalg', 'status']);
  const before = lines();
  // As the triggers do: /etc/init.d/sipalg applies, and the daemon is told a second later.
  lab.files.write('/etc/config/sipalg', DISABLED('info'));
  const applied = lab.router.run(['sipalg', 'apply']);
  process.signal('SIGHUP');
  assert.is((await applied).status, 0);
  await eventually('the verdict', () => (lines().some((line) => line.startsWith('verdict: ')) ? true : undefined), 15_000);
  const said = lines().filter((line) => !before.includes(line));
  assert.is(said.length, 2, said.join('\n'));
  assert.match(said.join('\n'), /^the configuration was read again$/m);

  // With `warning` what is good to know is left out, the end too.
  const known = lines();
  lab.files.write('/etc/config/sipalg', `${DISABLED('warning')}\toption every 'often'\n`);
  process.signal('SIGHUP');
  await eventually('the problem', () => (lines().some((line) => line.includes('often')) ? true : undefined));
  process.signal('SIGTERM');
  assert.is((await process.ended).status, 0);
  const warned = lines().filter((line) => !known.includes(line));
  assert.is(warned.length, 1, warned.join('\n'));
  assert.match(warned[0] ?? '', /daemon\.warning -- the configuration was read again; sipalg\.serve: the option every is "often"/);
});

log.run();
