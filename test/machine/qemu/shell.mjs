// Boots a router in the virtual machine and runs in it what it is given:
//   node test/machine/qemu/shell.mjs [OPTIONS] [RULESET] -- COMMAND...    one command
//   node test/machine/qemu/shell.mjs [OPTIONS] [RULESET]                  lines from standard input, by one shell for each line
// Lines of our own: `:reboot`, `:cut` (power), `:invite` (what becomes of an INVITE), `:put FILE PATH` (a file of this machine).
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { load } from '../../lab/load.mjs';

const { openRouter } = await load('test/machine/qemu/router.ts');
const { RULESETS } = await load('test/lab/lab.ts');

const usage = `usage: node test/machine/qemu/shell.mjs [--kernel 6.1|6.12] [--release 22.03|24.10|25.12] [--without-sipalg] [RULESET] [-- COMMAND...]
RULESET is one of ${RULESETS.join(', ')} (stock-alg-on if not given).`;

const args = process.argv.slice(2);
const options = { kernel: '6.12' };
let command;
while (args.length > 0) {
  const arg = args.shift();
  if (arg === '--kernel' && ['6.1', '6.12'].includes(args[0])) options.kernel = args.shift();
  else if (arg === '--release' && ['22.03', '24.10', '25.12'].includes(args[0])) options.release = args.shift();
  else if (arg === '--without-sipalg') options.sipalg = false;
  else if (arg === '--') command = args.splice(0);
  else if (RULESETS.includes(arg)) options.ruleset = arg;
  else {
    console.error(usage);
    process.exit(2);
  }
}

let router;
try {
  router = await openRouter(options);
} catch (error) {
  console.error(error.message);
  process.exit(2);
}
process.stderr.write(router.bootLog());

/** Runs one program, showing what it says as it says it. */
async function run(argv) {
  const remote = router.spawn(argv, { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' });
  remote.child.stdin.end();
  remote.child.stdout.pipe(process.stdout, { end: false });
  remote.child.stderr.pipe(process.stderr, { end: false });
  const { status } = await remote.ended;
  return status ?? 2;
}

async function obey(line) {
  const [word, file, path] = line.trim().split(/\s+/);
  if (word === ':reboot' || word === ':cut') {
    await (word === ':cut' ? router.powerCut() : router.reboot());
    process.stderr.write(router.bootLog());
  } else if (word === ':invite') console.log(await router.treatment());
  else if (word === ':put') await router.put(path, readFileSync(file));
  else {
    const status = await run(['sh', '-c', line]);
    if (status !== 0) console.error(`-> ${status}`);
  }
}

try {
  if (command) process.exitCode = await run(command);
  else {
    const lines = createInterface({ input: process.stdin, output: process.stdin.isTTY ? process.stderr : undefined, prompt: 'router# ' });
    lines.prompt();
    for await (const line of lines) {
      if (!process.stdin.isTTY) console.error(`router# ${line}`);
      if (line.trim() !== '') await obey(line).catch((error) => console.error(error.message));
      lines.prompt();
    }
  }
} finally {
  await router.close();
}
