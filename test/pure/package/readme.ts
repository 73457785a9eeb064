/** The commands of README.md, and who runs each. */
import { readFileSync } from 'node:fs';

export const README = readFileSync('README.md', 'utf8');

/** Texts of the blocks of a language. */
export const blocks = (language: string): string[] =>
  [...README.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, name, text = '']) => (name === language ? [text] : []));

/** Programs whose names begin a command. A piece of code that begins with none of them is no command. */
const PROGRAMS = /^(sipalg|opkg|apk|npm|node|ubus|uci|nft|fw4|ssh|scp|sysupgrade|make|usign|conntrack|rmmod|modprobe|\/etc\/init\.d\/\S+) /;

/** Every command there is: lines of shell blocks, tasks of Ansible, the table of sipalg's own, and code within sentences. */
export function commands(): string[] {
  const shell = blocks('sh').flatMap((text) => text.split('\n'));
  const tasks = blocks('yaml').flatMap((text) => [...text.matchAll(/\.raw: (.*)$/gm)].map(([, command = '']) => command));
  const prose = README.replace(/^```[^]*?^```$/gm, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code).filter((code) => PROGRAMS.test(code));
  const all = [...shell, ...tasks, ...spans].map((line) => line.trim()).filter((line) => line !== '');
  return [...new Set(all.flatMap(variants))];
}

/** `sipalg plan [--json]` is two commands, and `--listen ADDRESS:PORT` alone is none. */
function variants(line: string): string[] {
  const option = / \[(--[\w-]+)\]/.exec(line);
  return option === null ? [line] : [line.replace(option[0], ''), line.replace(option[0], ` ${option[1]}`)];
}

/**
 * Who runs a command.
 * here: readme.test.ts, with ssh and scp that end on this machine. bus: readme.test.ts, on a bus in memory.
 * router: test/machine/readme.test.ts, on a router with opkg; apk: readme-apk.test.ts; the exit code there, 0 unless said otherwise.
 * Otherwise a file that holds, by these words, the test that runs it.
 */
export type Runner = { by: 'here' | 'bus' } | { by: 'router' | 'apk'; status?: number } | { by: string; words: string };

export const RUNNERS: Readonly<Record<string, Runner>> = {
  'npm ci': { by: 'test/setup.mjs', words: "? 'ci' : 'install'" },
  'npm start': { by: 'test/lab/start.test.ts', words: "spawnSync(process.execPath, ['test/start.mjs']" },
  'npm test': { by: 'test/run.mjs', words: 'The test command: npm test' },
  'npm test -- --layer pure': { by: 'test/pure/runner/asked.test.ts', words: "asked(['--layer', 'lab'], layers)" },
  'npm test -- nft uci': { by: 'test/pure/runner/asked.test.ts', words: "asked(['nft', 'uci'], layers)" },
  'npm run build': { by: 'test/runner/checks.mjs', words: "'npm run build', root, [process.execPath, 'build.mjs']" },
  'npm run package': { by: 'test/pure/package/made.ts', words: "'package/build.mjs'" },
  'npm run package -- --key FILE': { by: 'test/pure/package/made.ts', words: "['--key', key]" },
  'npm run package -- --usign-key FILE': { by: 'test/pure/package/made.ts', words: "['--usign-key', usignKey]" },
  'scp -O dist/*.ipk root@192.168.1.1:/tmp/': { by: 'here' },
  'scp -O dist/*.apk root@192.168.1.1:/tmp/': { by: 'here' },
  'scp -O dist/sipalg.js root@192.168.1.1:/tmp/': { by: 'here' },
  'ssh root@192.168.1.1 node /tmp/sipalg.js status': { by: 'here' },
  'scp -O dist/sipalg.qjs.js root@192.168.1.1:/tmp/': { by: 'here' },
  'ssh root@192.168.1.1 qjs --no-unhandled-rejection -m /tmp/sipalg.qjs.js status': {
    by: 'test/engines/qjs.test.ts',
    words: "const FLAGS = ['--no-unhandled-rejection', '-m'];\nconst LONE = 'dist/sipalg.qjs.js';",
  },
  'ssh -L 8061:127.0.0.1:8061 root@192.168.1.1': { by: 'here' },
  'opkg update': { by: 'router' },
  'opkg install /tmp/sipalg_*.ipk /tmp/luci-app-sipalg_*.ipk': { by: 'router' },
  'opkg install /tmp/sipalg-daemon_*.ipk': { by: 'router' },
  sipalg: { by: 'router', status: 1 },
  'sipalg plan': { by: 'router', status: 1 },
  'sipalg disable': { by: 'router' },
  'sipalg status': { by: 'router' },
  'sipalg enable': { by: 'router' },
  'uci set sipalg.main.alg=disabled': { by: 'router' },
  'uci commit sipalg': { by: 'router' },
  '/etc/init.d/sipalg reload': { by: 'router' },
  '/etc/init.d/sipalg-hep reload': { by: 'test/lab/files/init.test.ts', words: "run(HEP, shell, 'start'" },
  'sipalg policy': { by: 'router' },
  'opkg remove luci-app-sipalg sipalg-daemon sipalg': { by: 'router' },
  'sysupgrade -l': { by: 'router' },
  'nft list counters table inet sipalg': { by: 'router' },
  'sipalg status --json': { by: 'router' },
  'sipalg plan --json': { by: 'router' },
  'sipalg policy --json': { by: 'router' },
  'sipalg diagnose': { by: 'test/lab/diagnose/scene.ts', words: "['sipalg', 'diagnose', ...words, '--json']" },
  'sipalg diagnose calls drop after 32 seconds': { by: 'test/lab/diagnose/alg.test.ts', words: "['calls', 'drop', 'after', '32', 'seconds']" },
  'sipalg diagnose one-way-audio': { by: 'test/lab/diagnose/audio.ts', words: "ask: 'one-way-audio'" },
  'sipalg diagnose --help': { by: 'test/pure/cli/diagnose.test.ts', words: "['diagnose', '--help']" },
  'sipalg diagnose [SYMPTOM]': { by: 'test/pure/cli/diagnose.test.ts', words: "['diagnose', ...words, '--from', '-']" },
  'sipalg diagnose [SYMPTOM] --json': { by: 'test/pure/cli/diagnose.test.ts', words: "'--json', '--from', '-'" },
  'sipalg disable --dry-run': { by: 'router' },
  'sipalg enable --dry-run': { by: 'router' },
  'sipalg apply': { by: 'router' },
  'sipalg apply --dry-run': { by: 'router' },
  'sipalg serve': { by: 'router' },
  'fw4 check': { by: 'router' },
  'tcpdump -i br-lan -s 0 -w /tmp/lan.pcap udp port 5060 &': { by: 'test/lab/compare/captures.ts', words: "['tcpdump', '-i', device" },
  'tcpdump -i wan -s 0 -w /tmp/wan.pcap udp port 5060': { by: 'test/lab/compare/captures.ts', words: "['tcpdump', '-i', device" },
  'sipalg report -o /tmp/report.html': { by: 'test/pure/report/report.test.ts', words: "say('report', '-o', 'report.html')" },
  'sipalg report -o FILE': { by: 'test/pure/report/report.test.ts', words: "say('report', '-o', 'report.html')" },
  'sipalg compare /tmp/lan.pcap /tmp/wan.pcap': { by: 'test/engines/compare.test.ts', words: "onBoth(context, ['compare', lan, wan])" },
  'sipalg probe': { by: 'test/lab/probe/probe.test.ts', words: "['sipalg', 'probe', ...words]" },
  'sipalg probe --json': { by: 'test/lab/probe/probe.test.ts', words: "run(lab, '--json', ...words)" },
  'sipalg compare LAN WAN': { by: 'test/engines/compare.test.ts', words: "onBoth(context, ['compare', lan, wan])" },
  'sipalg probe --phones': { by: 'test/lab/watch/watch.test.ts', words: "['probe', '--phones']" },
  'sipalg watch': { by: 'test/lab/watch/watch.test.ts', words: "['sipalg', 'watch', '--for', '1', '--no-record']" },
  'sipalg watch --hep': { by: 'test/lab/hep/live.test.ts', words: "['watch', '--hep', '--json']" },
  'sipalg watch --json': { by: 'test/lab/watch/watch.test.ts', words: "['watch', '--json']" },
  'sipalg probe --provider HOST': { by: 'test/lab/probe/far.ts', words: "[...argv, 'probe', ...words, '--json']" },
  'sipalg probe --provider sip.example.com': { by: 'test/lab/probe/far.ts', words: "[...argv, 'probe', ...words, '--json']" },
  'sipalg probe --mirror HOST': { by: 'test/lab/probe/mirror.test.ts', words: "['--mirror', ADDRESS.provider]" },
  'sipalg probe --mirror mirror.example.com': { by: 'test/lab/probe/mirror.test.ts', words: "['--mirror', ADDRESS.provider]" },
  'sipalg mirror': { by: 'test/lab/probe/far.ts', words: "[...PROGRAM, 'mirror']" },
  'sipalg metrics': { by: 'test/lab/fleet/prometheus.test.ts', words: "['sipalg', 'metrics', '--file', FILE]" },
  'sipalg report --fleet FILE': { by: 'test/engines/fleet.test.ts', words: "['report', '--fleet', file, '-o', page]" },
  'sipalg report --fleet fleet.jsonl -o fleet.html': { by: 'test/engines/fleet.test.ts', words: "['report', '--fleet', file, '-o', page]" },
  'sipalg status --from - < fleet.jsonl': { by: 'test/engines/fleet.test.ts', words: "['status', '--from', '-']" },
  'npm run pack': { by: 'test/engines/npm.test.ts', words: "['package/npm.mjs', out]" },
  'apk add -U --allow-untrusted /tmp/sipalg-[0-9]*.apk /tmp/luci-app-sipalg-[0-9]*.apk': { by: 'apk' },
  'apk del luci-app-sipalg sipalg': { by: 'apk' },
  'ubus call sipalg status': { by: 'bus' },
  'ubus call sipalg plan \'{"towards":"disabled"}\'': { by: 'bus' },
  'ubus call sipalg policy': { by: 'bus' },
  'ubus call sipalg disable \'{"dry_run":true}\'': { by: 'bus' },
  'ubus call sipalg diagnose \'{"symptom":"one-way audio"}\'': { by: 'bus' },
  'ubus call sipalg history': { by: 'bus' },
  'ubus call sipalg calls': { by: 'bus' },
  'ubus subscribe sipalg': { by: 'bus' },
};

/** The commands of the README that `by` runs, in its order. */
export const commandsOf = (by: string): string[] => commands().filter((command) => RUNNERS[command]?.by === by);
