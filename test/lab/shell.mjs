// Opens a lab and a shell, or one command, in one of its machines:
//   node test/lab/shell.mjs [--in router|phone|phone2|provider] [--absent] [RULESET] [-- COMMAND...]
import { spawn } from 'node:child_process';
import { load } from './load.mjs';

const { openLab, RULESETS } = await load('test/lab/lab.ts');

const usage = `usage: node test/lab/shell.mjs [--in router|phone|phone2|provider] [--absent] [RULESET] [-- COMMAND...]
RULESET is one of ${RULESETS.join(', ')} (stock-alg-on if not given).`;

const args = process.argv.slice(2);
const options = {};
let where = 'router';
let command = ['sh'];
while (args.length > 0) {
  const arg = args.shift();
  if (arg === '--in' && ['router', 'phone', 'phone2', 'provider'].includes(args[0])) where = args.shift();
  else if (arg === '--absent') options.modules = { sip: 'absent' };
  else if (arg === '--') command = args.splice(0);
  else if (RULESETS.includes(arg)) options.ruleset = arg;
  else {
    console.error(usage);
    process.exit(2);
  }
}

let lab;
try {
  lab = await openLab(options);
} catch (error) {
  console.error(error.message);
  process.exit(2);
}
if (process.stdin.isTTY && command.length === 1 && command[0] === 'sh') {
  console.error(
    `The ${where}'s shell. The others, from another terminal: `
      + ['phone', 'phone2', 'router', 'provider'].map((name) => `${name}: nsenter -at ${lab[name].pid}`).join(', '),
  );
}
const [program, ...rest] = lab[where].way(command);
const env = { TERM: process.env.TERM ?? 'dumb', LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', PS1: `${where}# ` };
const child = spawn(program, rest, { stdio: 'inherit', env });
process.on('SIGINT', () => undefined); // for the program in the lab; it decides
process.on('SIGTERM', () => child.kill('SIGKILL'));
const status = await new Promise((resolve) => child.once('close', (code) => resolve(code ?? 2)));
await lab.close();
process.exitCode = status;
