/** The commands: one table. What a command needs is loaded when it runs, for a router pays for every line it loads. */
import type { ExitCode } from '../survey/survey.ts';
import { say } from '../words/say.ts';
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
    does: say('does-status', 'say whether a SIP ALG touches calls here, with evidence'),
    options: [JSON_OPTION, FROM, { name: '--lines', package: 'sipalg-fleet', ofCalls: true }],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('status', doors, given, terminal),
  },
  {
    name: 'plan',
    does: say('does-plan', 'show every command that reaching the wish would run, and why'),
    options: [JSON_OPTION, FROM, { name: '--config', takes: 'FILE' }],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('plan', doors, given, terminal),
  },
  {
    name: 'policy',
    ofCalls: true,
    does: say('does-policy', 'show the voice firewall rules with their counters'),
    options: [JSON_OPTION, FROM],
    run: async (doors, given, terminal) => (await import('./look.ts')).look('policy', doors, given, terminal),
  },
  {
    name: 'diagnose',
    ofCalls: true,
    does: say('does-diagnose', 'from a symptom to its causes on this router'),
    arguments: ['[SYMPTOM...]'],
    options: [JSON_OPTION, FROM],
    usage: async (put) => (await diagnosing()).usage(put),
    run: async (doors, given, terminal) => (await diagnosing()).runDiagnose(doors, given, terminal),
  },
  {
    name: 'disable',
    does: say('does-disable', 'switch the SIP ALG off, now and for good'),
    options: [DRY_RUN, PROBE],
    run: (doors, given, terminal) => reachAndProbe('disabled', doors, given, terminal),
  },
  {
    name: 'enable',
    does: say('does-enable', 'give back what was there before'),
    options: [DRY_RUN, PROBE],
    run: (doors, given, terminal) => reachAndProbe('enabled', doors, given, terminal),
  },
  {
    name: 'apply',
    does: say('does-apply', 'make the router match /etc/config/sipalg'),
    options: [DRY_RUN],
    run: async (doors, given, terminal) => (await import('./change.ts')).applyWish(doors, given.has('--dry-run'), terminal),
  },
  {
    name: 'serve',
    ofCalls: true,
    does: say('does-serve', 'stay: ubus object, web page, watch'),
    package: 'sipalg-daemon',
    options: [{ name: '--no-page' }, { name: '--listen', takes: 'ADDR:PORT' }],
    usage: async () => (await import('./serve.ts')).USAGE,
    run: async (doors, given, terminal) => (await import('./serve.ts')).serve(doors, given, terminal),
  },
  {
    name: 'probe',
    ofCalls: true,
    does: say('does-probe', 'prove by live messages whether SIP is changed, here or on the way'),
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
    does: say('does-compare', 'say what changed in SIP between two captures'),
    package: 'sipalg-calls',
    arguments: ['LAN', '[WAN]'],
    options: [JSON_OPTION, { name: '--html', takes: 'FILE' }, { name: '--redact' }],
    usage: async () => (await comparing()).USAGE,
    run: async (doors, given, terminal) => (await comparing()).compare(doors, given, terminal),
  },
  {
    name: 'watch',
    ofCalls: true,
    does: say('does-watch', 'tell what happens to calls while it happens'),
    package: 'sipalg-calls',
    options: [{ name: '--for', takes: 'SECONDS' }, JSON_OPTION, { name: '--numbers' }, { name: '--no-record' }],
    usage: async () => (await import('./watch.ts')).USAGE,
    run: async (doors, given, terminal) => (await import('./watch.ts')).watch(doors, given, terminal),
  },
  {
    name: 'mirror',
    ofCalls: true,
    does: say('does-mirror', 'stay: answer `sipalg probe --mirror` of others'),
    package: 'sipalg-calls',
    options: [{ name: '--listen', takes: 'ADDR:PORT' }],
    usage: async () => (await mirroring()).USAGE,
    run: async (doors, given, terminal) => (await mirroring()).mirror(doors, given, terminal),
  },
  {
    name: 'report',
    ofCalls: true,
    does: say('does-report', 'one document for the provider: findings, what was done, captures'),
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
    does: say('does-metrics', 'print what a fleet wants to see, for Prometheus'),
    package: 'sipalg-fleet',
    options: [FROM, { name: '--file', takes: 'FILE' }],
    run: async (doors, given, terminal) => (await import('./metrics.ts')).metrics(doors, given, terminal),
  },
  {
    name: 'judge-lines',
    does: say('does-judge-lines', 'answer a run of `status --from -` on another processor'),
    internal: true,
    package: 'sipalg-fleet',
    options: [],
    run: async (doors) => (await import('./fleet-status.ts')).judgeInThread(doors),
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
    ofCalls: true,
    does: say('does-help', 'show this help, or that of one command'),
    arguments: ['[COMMAND]'],
    options: [],
    run: async (_doors, given, terminal) => {
      terminal.out(await (await import('./help.ts')).helpFor(COMMANDS, given.get('[COMMAND]'), terminal.put));
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
