/** The commands: one table. What a command needs is loaded when it runs, for a router pays for every line it loads. */
import { say } from '../words/say.ts';
import type { Command, Option } from './command.ts';

const JSON_OPTION: Option = { name: '--json' };
const FROM: Option = { name: '--from', takes: 'FILE' };
const DRY_RUN: Option = { name: '--dry-run' };
const comparing = () => import('./compare.ts');
const reporting = () => import('./report.ts');

export const COMMANDS: readonly Command[] = [
  {
    name: 'status',
    does: say('does-status', 'say whether a SIP ALG touches calls here, with evidence'),
    options: [JSON_OPTION, FROM],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('status', doors, given, terminal),
  },
  {
    name: 'plan',
    does: say('does-plan', 'show every command that reaching the wish would run, and why'),
    options: [JSON_OPTION, FROM],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('plan', doors, given, terminal),
  },
  {
    name: 'policy',
    does: say('does-policy', 'show the voice firewall rules with their counters'),
    options: [JSON_OPTION, FROM],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('policy', doors, given, terminal),
  },
  {
    name: 'disable',
    does: say('does-disable', 'switch the SIP ALG off, now and for good'),
    options: [DRY_RUN],
    run: async (doors, given, terminal) => (await import('./change.ts')).reach(doors, 'disabled', true, given.has('--dry-run'), terminal),
  },
  {
    name: 'enable',
    does: say('does-enable', 'give back what was there before'),
    options: [DRY_RUN],
    run: async (doors, given, terminal) => (await import('./change.ts')).reach(doors, 'enabled', true, given.has('--dry-run'), terminal),
  },
  {
    name: 'apply',
    does: say('does-apply', 'make the router match /etc/config/sipalg'),
    options: [DRY_RUN],
    run: async (doors, given, terminal) => (await import('./change.ts')).applyWish(doors, given.has('--dry-run'), terminal),
  },
  {
    name: 'serve',
    does: say('does-serve', 'stay: ubus object, web page, watch'),
    package: 'sipalg-daemon',
    options: [{ name: '--no-page' }, { name: '--listen', takes: 'ADDR:PORT' }],
    usage: async () => (await import('./serve.ts')).USAGE,
    run: async (doors, given, terminal) => (await import('./serve.ts')).serve(doors, given, terminal),
  },
  {
    name: 'compare',
    does: say('does-compare', 'say what changed in SIP between two captures'),
    package: 'sipalg-compare',
    arguments: ['LAN', '[WAN]'],
    options: [JSON_OPTION, { name: '--html', takes: 'FILE' }, { name: '--redact' }],
    usage: async () => (await comparing()).USAGE,
    run: async (doors, given, terminal) => (await comparing()).compare(doors, given, terminal),
  },
  {
    name: 'report',
    does: say('does-report', 'one document for the provider: findings, what was done, captures'),
    package: 'sipalg-compare',
    arguments: ['[WAN]'],
    options: [
      { name: '--html' },
      { name: '--markdown' },
      { name: '-o', takes: 'FILE' },
      FROM,
      { name: '--compare', takes: 'LAN' },
      { name: '--probe', takes: 'FILE' },
      { name: '--unredacted' },
    ],
    usage: async (put) => (await reporting()).usage(put),
    run: async (doors, given, terminal) => (await reporting()).report(doors, given, terminal),
  },
  {
    name: 'rpcd',
    does: say('does-rpcd', 'answer a call of /usr/libexec/rpcd/sipalg'),
    internal: true,
    arguments: ['VERB', 'WHAT', '[ID]'],
    options: [],
    run: async (doors, given, terminal) => (await import('./rpcd.ts')).rpcd(doors, given, terminal),
  },
  {
    name: 'help',
    does: say('does-help', 'show this help'),
    options: [],
    run: async (_doors, _given, terminal) => {
      terminal.out((await import('./help.ts')).help(COMMANDS, terminal.put));
      return 0;
    },
  },
  {
    name: 'version',
    does: say('does-version', 'show the version'),
    options: [],
    run: async ({ surveyor }, _given, terminal) => {
      terminal.out(`sipalg ${surveyor.version}\n`);
      return 0;
    },
  },
];
