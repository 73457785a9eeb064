/** The commands: one table. What a command needs is loaded when it runs, for a router pays for every line it loads. */
import type { ExitCode } from '../survey/survey.ts';
import type { Command, Doors, Given, Option, Terminal } from './command.ts';

const JSON_OPTION: Option = { name: '--json' };
const FROM: Option = { name: '--from', takes: 'FILE' };
const DRY_RUN: Option = { name: '--dry-run' };
const PROBE: Option = { name: '--probe' };
const comparing = () => import('./compare.ts');
const probing = () => import('./probe.ts');

/** With `--probe`, what was reached is proven by live packets. */
async function reachAndProbe(towards: 'disabled' | 'enabled', doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  const isDry = given.has('--dry-run');
  const code = await (await import('./change.ts')).reach(doors, towards, true, isDry, terminal);
  return isDry || !given.has('--probe') || code === 2 ? code : (await probing()).verify(doors, towards, code, terminal);
}

export const COMMANDS: readonly Command[] = [
  {
    name: 'status',
    does: 'say whether a SIP ALG touches calls here, with evidence',
    options: [JSON_OPTION, FROM],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('status', doors, given, terminal),
  },
  {
    name: 'plan',
    does: 'show every command that reaching the wish would run, and why',
    options: [JSON_OPTION, FROM],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('plan', doors, given, terminal),
  },
  {
    name: 'policy',
    does: 'show the voice firewall rules with their counters',
    options: [JSON_OPTION, FROM],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('policy', doors, given, terminal),
  },
  {
    name: 'disable',
    does: 'switch the SIP ALG off, now and for good',
    options: [DRY_RUN, PROBE],
    run: (doors, given, terminal) => reachAndProbe('disabled', doors, given, terminal),
  },
  {
    name: 'enable',
    does: 'give back what was there before',
    options: [DRY_RUN, PROBE],
    run: (doors, given, terminal) => reachAndProbe('enabled', doors, given, terminal),
  },
  {
    name: 'apply',
    does: 'make the router match /etc/config/sipalg',
    options: [DRY_RUN],
    run: async (doors, given, terminal) => (await import('./change.ts')).applyWish(doors, given.has('--dry-run'), terminal),
  },
  {
    name: 'serve',
    does: 'stay: ubus object, web page, watch',
    package: 'sipalg-daemon',
    options: [{ name: '--no-page' }, { name: '--listen', takes: 'ADDR:PORT' }],
    usage: async () => (await import('./serve.ts')).USAGE,
    run: async (doors, given, terminal) => (await import('./serve.ts')).serve(doors, given, terminal),
  },
  {
    name: 'probe',
    does: 'send test messages through this router, say what it does to them',
    package: 'sipalg-compare',
    options: [JSON_OPTION, { name: '--lan', takes: 'DEVICE' }, { name: '--phones' }, { name: '--for', takes: 'SECONDS' }],
    usage: async () => (await probing()).USAGE,
    run: async (doors, given, terminal) =>
      given.has('--phones')
        ? (await import('./phones.ts')).phones(doors, given, terminal)
        : (await probing()).probeCommand(doors, given, terminal),
  },
  {
    name: 'compare',
    does: 'say what changed in SIP between two captures',
    package: 'sipalg-compare',
    arguments: ['LAN', '[WAN]'],
    options: [JSON_OPTION, { name: '--html', takes: 'FILE' }, { name: '--redact' }],
    usage: async () => (await comparing()).USAGE,
    run: async (doors, given, terminal) => (await comparing()).compare(doors, given, terminal),
  },
  {
    name: 'watch',
    does: 'tell what happens to calls while it happens',
    package: 'sipalg-compare',
    options: [{ name: '--for', takes: 'SECONDS' }, JSON_OPTION, { name: '--numbers' }, { name: '--no-record' }],
    usage: async () => (await import('./watch.ts')).USAGE,
    run: async (doors, given, terminal) => (await import('./watch.ts')).watch(doors, given, terminal),
  },
  {
    name: 'rpcd',
    does: 'answer a call of /usr/libexec/rpcd/sipalg',
    internal: true,
    arguments: ['VERB', 'WHAT', '[ID]'],
    options: [],
    run: async (doors, given, terminal) => (await import('./rpcd.ts')).rpcd(doors, given, terminal),
  },
  {
    name: 'help',
    does: 'show this help',
    options: [],
    run: async (_doors, _given, terminal) => {
      terminal.out((await import('./help.ts')).help(COMMANDS));
      return 0;
    },
  },
  {
    name: 'version',
    does: 'show the version',
    options: [],
    run: async ({ surveyor }, _given, terminal) => {
      terminal.out(`sipalg ${surveyor.version}\n`);
      return 0;
    },
  },
];
