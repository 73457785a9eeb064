// npm start: watch the kernel's SIP ALG change an INVITE, sipalg find it, switch it off, and give it back, in a router
// made of network namespaces on this machine. Nothing of it is left afterwards, also after Ctrl-C.
import { need } from './setup.mjs';
import { rememberModules } from './lab/host-modules.mjs';

const began = Date.now();
const colours = process.stdout.isTTY === true && !process.env.NO_COLOR;
const paint = (/** @type {number} */ code, /** @type {string} */ text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
const say = (/** @type {string} */ text = '') => {
  process.stdout.write(text + '\n');
};

let step = 0;
const STEPS = 10;
/** A progress line. @param {string} text */
function next(text) {
  say();
  say(paint(1, `[${++step}/${STEPS}] ${text}`));
}

/** @type {undefined | { close(): Promise<void> }} */
let lab;
const putModulesBack = rememberModules();

async function putAway() {
  await lab?.close();
  const left = await putModulesBack();
  if (left !== undefined) say(left);
}

let interrupted = false;
for (const [signal, status] of /** @type {const} */ ([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
])) {
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    say(`\n${signal}: taking the lab away.`);
    putAway().finally(() => process.exit(status));
  });
}

/** What was not as it should be; each is a sentence. @type {string[]} */
const wrong = [];

/**
 * Runs sipalg on the router and shows what it says, its commands included.
 * @param {any} router @param {string[]} args @param {number} expected its exit code
 */
async function sipalg(router, args, expected) {
  say(`  $ sipalg ${args.join(' ')}`);
  const { status, signal, stdout } = await router.run(['sh', '-c', 'exec sipalg "$@" 2>&1', 'sh', ...args]);
  for (const line of stdout.trimEnd().split('\n')) say(`  ${line.startsWith('[#]') ? paint(36, line) : line}`.trimEnd());
  say(paint(2, `  (exit code ${status ?? signal})`));
  if (status !== expected) wrong.push(`sipalg ${args.join(' ')} ended with ${status ?? signal}; ${expected} was expected.`);
}

/**
 * Sends the INVITE and shows what became of it.
 * @param {any} open the lab
 * @param {(sent: Uint8Array, arrived: Uint8Array) => { field: string, sent: string, arrived: string }[]} compareMessages
 * @param {boolean} expectChange whether the ALG is to change it
 * @param {number} [sourcePort] the phone's; the same port is the same flow for the router
 */
async function sendInvite(open, compareMessages, expectChange, sourcePort = 5060) {
  const { sent, arrived } = await open.sendInvite({ from: 'phone', to: 'provider', sourcePort });
  if (arrived === undefined) {
    say('  The INVITE did not arrive.');
    wrong.push('An INVITE did not arrive.');
    return;
  }
  const changes = compareMessages(sent, arrived);
  if (changes.length === 0) {
    say(paint(32, `  The INVITE arrived as it was sent: ${sent.length} bytes compared one by one, none differs.`));
    if (expectChange) wrong.push('The ALG was to change an INVITE and did not.');
    return;
  }
  say('  The INVITE, line by line: - as the phone sent it, + as it arrived where it differs.');
  say();
  const rest = [...changes];
  for (const line of sent.toString('latin1').trimEnd().split('\r\n')) {
    if (rest[0]?.sent !== line) {
      say(`    ${line}`.trimEnd());
      continue;
    }
    const change = /** @type {{ sent: string, arrived: string }} */ (rest.shift());
    say(paint(31, `  - ${change.sent}`));
    say(paint(32, `  + ${change.arrived}`));
  }
  for (const { sent: was, arrived: is } of rest) say(`  - ${was}\n  + ${is}`);
  say();
  say(`  ${changes.length} fields were changed on the way: ${changes.map(({ field }) => field).join(', ')}.`);
  if (!expectChange) wrong.push('An INVITE was changed though the ALG is said to be off.');
}

async function main() {
  next('What this needs: packages, root, network namespaces, a kernel with the SIP ALG');
  const missing = await need(['npm', 'namespaces', 'alg']);
  if (missing.length > 0) {
    for (const { reason } of missing) process.stderr.write(`${reason}\n`);
    if (process.getuid?.() !== 0) process.stderr.write('So: sudo npm start\n');
    return 2;
  }
  say('  All there.');

  next('Packing the program: dist/router');
  const { packRouter } = await import('../build.mjs');
  await packRouter();
  const { load } = await import('./lab/load.mjs');
  const { openLab, compareMessages } = await load('test/lab/start.ts');

  next("A phone, a router with OpenWrt's stock firewall, a provider");
  const open = await openLab({ ruleset: 'stock-alg-on' });
  lab = open;
  say('  phone 192.168.1.10 --- br-lan 192.168.1.1 [router] wan 203.0.113.20 --- 203.0.113.10 provider');

  next('The phone calls the provider through the router');
  await sendInvite(open, compareMessages, true);
  next('What sipalg sees');
  await sipalg(open.router, ['status'], 1);
  next('Off with it');
  await sipalg(open.router, ['disable'], 0);
  next('The same INVITE again, from the same socket');
  await sendInvite(open, compareMessages, false);
  next('What sipalg sees now');
  await sipalg(open.router, ['status'], 0);
  next('Everything given back');
  await sipalg(open.router, ['enable'], 0);
  next('The INVITE a third time, from a new socket: a flow that is open stays as it is until it ends');
  await sendInvite(open, compareMessages, true, 5062);

  await putAway();
  say();
  for (const sentence of wrong) say(paint(31, `Not as it should be: ${sentence}`));
  const took = ((Date.now() - began) / 1000).toFixed(1);
  say(`${wrong.length === 0 ? 'Done' : 'Done, with trouble'} in ${took} s; nothing of the lab is left.`);
  return wrong.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  // After a signal what fails fails because the lab is taken away under it; the signal's handler ends the program.
  if (interrupted) await new Promise(() => undefined);
  await putAway();
  throw error;
}
