/** The commands: one table. What a command needs is loaded when it runs, for a router pays for every line it loads. */
import type { Command, Option } from './command.ts';

const JSON_OPTION: Option = { name: '--json' };
const FROM: Option = { name: '--from', takes: 'FILE' };
const DRY_RUN: Option = { name: '--dry-run' };
const comparing = () => import('./compare.ts');
const diagnosing = () => import('./diagnose.ts');

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
    name: 'diagnose',
    does: 'from a symptom to its causes on this router',
    arguments: ['[SYMPTOM...]'],
    options: [JSON_OPTION, FROM],
    usage: async () => (await diagnosing()).USAGE,
    run: async (doors, given, terminal) => (await diagnosing()).runDiagnose(doors, given, terminal),
  },
  {
    name: 'disable',
    does: 'switch the SIP ALG off, now and for good',
    options: [DRY_RUN],
    run: async (doors, given, terminal) => (await import('./change.ts')).reach(doors, 'disabled', true, given.has('--dry-run'), terminal),
  },
  {
    name: 'enable',
    does: 'give back what was there before',
    options: [DRY_RUN],
    run: async (doors, given, terminal) => (await import('./change.ts')).reach(doors, 'enabled', true, given.has('--dry-run'), terminal),
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
    name: 'compare',
    does: 'say what changed in SIP between two captures',
    package: 'sipalg-compare',
    arguments: ['LAN', '[WAN]'],
    options: [JSON_OPTION, { name: '--html', takes: 'FILE' }, { name: '--redact' }],
    usage: async () => (await comparing()).USAGE,
    run: async (doors, given, terminal) => (await comparing()).compare(doors, given, terminal),
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
