/** The commands: one table. What a command needs is loaded when it runs, for a router pays for every line it loads. */
import type { ExitCode } from '../survey/survey.ts';
import type { Command, Doors, Given, Option, Terminal } from './command.ts';

const JSON_OPTION: Option = { name: '--json' };
const FROM: Option = { name: '--from', takes: 'FILE' };
const DRY_RUN: Option = { name: '--dry-run' };
const PROBE: Option = { name: '--probe', ofCalls: true };
const comparing = () => import('./compare.ts');
const diagnosing = () => import('./diagnose.ts');
const mirroring = () => import('./mirror.ts');
const probing = () => import('./probe.ts');

/** With `--probe`, what was reached is proven by live packets. */
async function reachAndProbe(towards: 'disabled' | 'enabled', doors: Doors, given: Given, terminal: Terminal): Promise<ExitCode> {
  const isDry = given.has('--dry-run');
  const code = await (await import('./change.ts')).reach(doors, towards, true, isDry, terminal);
  return isDry || !given.has('--probe') || code === 2 ? code : (await probing()).verify(doors, towards, code, terminal);
}
const reporting = () => import('./report.ts');

export const COMMANDS: readonly Command[] = [
  {
    name: 'status',
    options: [JSON_OPTION, FROM, { name: '--lines', package: 'sipalg-fleet', ofCalls: true }],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('status', doors, given, terminal),
  },
  {
    name: 'plan',
    options: [JSON_OPTION, FROM, { name: '--config', takes: 'FILE' }],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('plan', doors, given, terminal),
  },
  {
    name: 'policy',
    ofCalls: true,
    options: [JSON_OPTION, FROM],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('policy', doors, given, terminal),
  },
  {
    name: 'diagnose',
    ofCalls: true,
    arguments: ['[SYMPTOM...]'],
    options: [JSON_OPTION, FROM],
    usage: async (put) => (await diagnosing()).usage(put),
    run: async (doors, given, terminal) => (await diagnosing()).runDiagnose(doors, given, terminal),
  },
  {
    name: 'disable',
    options: [DRY_RUN, PROBE],
    run: (doors, given, terminal) => reachAndProbe('disabled', doors, given, terminal),
  },
  {
    name: 'enable',
    options: [DRY_RUN, PROBE],
    run: (doors, given, terminal) => reachAndProbe('enabled', doors, given, terminal),
  },
  {
    name: 'apply',
    options: [DRY_RUN],
    run: async (doors, given, terminal) => (await import('./change.ts')).applyWish(doors, given.has('--dry-run'), terminal),
  },
  {
    name: 'serve',
    ofCalls: true,
    package: 'sipalg-daemon',
    options: [{ name: '--no-page' }, { name: '--listen', takes: 'ADDR:PORT' }],
    usage: async () => (await import('./serve.ts')).USAGE,
    run: async (doors, given, terminal) => (await import('./serve.ts')).serve(doors, given, terminal),
  },
  {
    name: 'probe',
    ofCalls: true,
    package: 'sipalg-calls',
    options: [
      JSON_OPTION,
      { name: '--lan', takes: 'DEVICE' },
      { name: '--phones' },
      { name: '--for', takes: 'SECONDS' },
      { name: '--provider', takes: 'HOST[:PORT]' },
      { name: '--silence', takes: 'SECONDS' },
      { name: '--mirror', takes: 'HOST[:PORT]' },
    ],
    usage: async () => (await probing()).USAGE,
    run: async (doors, given, terminal) => (await probing()).probeCommand(doors, given, terminal),
  },
  {
    name: 'compare',
    ofCalls: true,
    package: 'sipalg-calls',
    arguments: ['LAN', '[WAN]'],
    options: [JSON_OPTION, { name: '--html', takes: 'FILE' }, { name: '--redact' }],
    usage: async () => (await comparing()).USAGE,
    run: async (doors, given, terminal) => (await comparing()).compare(doors, given, terminal),
  },
  {
    name: 'watch',
    ofCalls: true,
    package: 'sipalg-calls',
    options: [{ name: '--for', takes: 'SECONDS' }, JSON_OPTION, { name: '--numbers' }, { name: '--no-record' }, { name: '--hep' }],
    usage: async () => (await import('./watch.ts')).USAGE,
    run: async (doors, given, terminal) => (await import('./watch.ts')).watch(doors, given, terminal),
  },
  {
    name: 'mirror',
    ofCalls: true,
    package: 'sipalg-calls',
    options: [{ name: '--listen', takes: 'ADDR:PORT' }],
    usage: async () => (await mirroring()).USAGE,
    run: async (doors, given, terminal) => (await mirroring()).mirror(doors, given, terminal),
  },
  {
    name: 'report',
    ofCalls: true,
    package: 'sipalg-calls',
    arguments: ['[WAN]'],
    options: [
      { name: '--html' },
      { name: '--markdown' },
      { name: '-o', takes: 'FILE' },
      FROM,
      { name: '--compare', takes: 'LAN' },
      { name: '--probe', takes: 'FILE' },
      { name: '--unredacted' },
      { name: '--fleet', takes: 'FILE', package: 'sipalg-fleet' },
    ],
    usage: async (put) => (await reporting()).usage(put),
    run: async (doors, given, terminal) => {
      const fleet = given.get('--fleet');
      return fleet === undefined
        ? (await reporting()).report(doors, given, terminal)
        : (await import('./fleet-report.ts')).fleetReport(doors, fleet, given.get('-o'), terminal);
    },
  },
  {
    name: 'metrics',
    ofCalls: true,
    package: 'sipalg-fleet',
    options: [FROM, { name: '--file', takes: 'FILE' }],
    run: async (doors, given, terminal) => (await import('./metrics.ts')).metrics(doors, given, terminal),
  },
  {
    name: 'judge-lines',
    internal: true,
    package: 'sipalg-fleet',
    options: [],
    run: async (doors) => (await import('./fleet-status.ts')).judgeInThread(doors),
  },
  {
    name: 'send-messages',
    internal: true,
    package: 'sipalg-calls',
    options: [],
    run: async (doors, _given, terminal) => (await import('./hep.ts')).sendMessages(doors, terminal),
  },
  {
    name: 'rpcd',
    internal: true,
    arguments: ['VERB', 'WHAT', '[ID]'],
    options: [],
    run: async (doors, given, terminal) => (await import('./rpcd.ts')).rpcd(doors, given, terminal),
  },
  {
    name: 'help',
    ofCalls: true,
    arguments: ['[COMMAND]'],
    options: [],
    run: async (_doors, given, terminal) => {
      terminal.out(await (await import('./help.ts')).helpFor(COMMANDS, given.get('[COMMAND]'), terminal.put, terminal.width));
      return 0;
    },
  },
  {
    name: 'version',
    options: [],
    run: async ({ surveyor }, _given, terminal) => {
      terminal.out(`sipalg ${surveyor.version}\n`);
      return 0;
    },
  },
];
