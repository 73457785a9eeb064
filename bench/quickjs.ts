/**
 * What `sipalg status --json` costs on QuickJS beside the tools it starts, in one run on the lab's router: node quickjs.cjs
 * DIST. Prints rows as bench/inside.mjs does. Each tool is run by itself, and the sum is what the program is held against,
 * though it runs them side by side. fw4 is a script that does nothing here: the lab's stand-in is a program for Node.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openLab, type Lab } from '../test/lab/lab.ts';

const ROUNDS = 25;
const FLOWS = 65_536;
const FILE = '/tmp/commands.json';
const LOG = '/tmp/started';

interface Row {
  what: string;
  unit: string;
  limit: number | null;
  value: number;
  seen: string;
}

const median = (values: readonly number[]): number => [...values].sort((one, other) => one - other)[values.length >> 1] as number;
const ms = (value: number): string => `${value.toFixed(1)} ms`;
const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`);

/** What the program starts: each tool's place is taken by a script that writes down how it was called. */
async function started(lab: Lab, status: readonly string[]): Promise<string[][]> {
  const tools = ['nft', 'conntrack', 'dmesg', 'ip', 'fw4', 'ubus', 'uci', 'iptables-legacy-save', 'iptables-nft-save', 'gzip'];
  const folder = '/tmp/watched';
  for (const tool of tools) {
    const real = (await lab.router.run(['sh', '-c', `command -v ${tool}`])).stdout.trim();
    if (real !== '')
      lab.files.write(`${folder}/${tool}`, `#!/bin/sh\n{ printf '%s\\t' ${real} "$@"; echo; } >> ${LOG}\nexec ${real} "$@"\n`, 0o755);
  }
  lab.files.write(LOG, '');
  await lab.router.run(status, { env: { PATH: `${folder}:/usr/sbin:/usr/bin:/sbin:/bin` }, timeout: 60_000 });
  return lab.files
    .read(LOG)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t').slice(0, -1));
}

interface Measured {
  /** Of the whole program, and of each tool by itself, in milliseconds. */
  status: number;
  tools: number;
  /** Of an engine that does nothing. */
  bare: number;
  /** Megabytes. */
  memory: number;
  /** Milliseconds of a processor that the program itself took. */
  processor: number;
  seen: string;
}

async function measured(lab: Lab, qjs: readonly string[], rounds: number): Promise<Measured> {
  const status = [...qjs, '/usr/lib/sipalg/sipalg.qjs.mjs', 'status', '--json'];
  const argvs = await started(lab, status);
  if (argvs.length === 0) throw new Error('The program started no command at all; this bench would compare it with nothing.');
  const tools = argvs.map((argv, nth) => [`${nth} ${argv.join(' ')}`, argv] as const);
  lab.files.write('/tmp/nothing.mjs', '');
  const commands = Object.fromEntries([...tools, ['status', status], ['bare', [...qjs, '/tmp/nothing.mjs']]]);
  lab.files.write(FILE, JSON.stringify({ rounds, commands, watched: ['status'] }));
  const said = await lab.router.must([...qjs, join(process.cwd(), 'bench/times.qjs.mjs'), FILE], { timeout: 600_000 });
  const { times, own } = JSON.parse(said) as {
    times: Record<string, number[]>;
    own: { status: { memory: number; processor: number }[] };
  };
  for (const [name] of tools) say(`  ${ms(median(times[name] as number[])).padStart(9)}  ${name.slice(name.indexOf(' ') + 1)}`);
  const sum = tools.reduce((all, [name]) => all + median(times[name] as number[]), 0);
  const all = median(times['status'] as number[]);
  const bare = median(times['bare'] as number[]);
  return {
    status: all,
    tools: sum,
    bare,
    memory: median(own.status.map(({ memory }) => memory)) / 1000,
    processor: median(own.status.map(({ processor }) => processor)) / 1e6,
    seen: `${ms(all)} - ${ms(sum)}; qjs alone ${ms(bare)}`,
  };
}

/** Rules of a table that is not the firewall's, until nft lists so many bytes. */
async function grow(lab: Lab, bytes: number): Promise<void> {
  const rule = (nth: number): string =>
    `add rule inet owner rules ip saddr 10.${nth >> 16}.${(nth >> 8) & 255}.${nth & 255} tcp dport ${nth % 60_000} counter drop\n`;
  let [count, size] = [0, 0];
  await lab.router.must(['nft', 'add table inet owner; add chain inet owner rules']);
  while (size < bytes) {
    await lab.router.must(['nft', '-f', '-'], { input: Array.from({ length: 250 }, (_, at) => rule(count + at)).join('') });
    count += 250;
    size = (await lab.router.must(['nft', '-j', '-t', 'list', 'ruleset'])).length;
  }
  say(`${count} rules more: ${size} bytes of listing`);
}

async function main(): Promise<void> {
  const qjsPath = ((await import(pathToFileURL(join(process.cwd(), 'test/setup.mjs')).href)) as { QJS: string }).QJS;
  const qjs = [qjsPath, '--no-unhandled-rejection', '--strip-source', '-m'];
  const lab = await openLab({ ruleset: 'stock-alg-on', product: process.argv[2] ?? 'dist/router', engine: 'quickjs' });
  const rows: Row[] = [];
  const beyond = (where: string, { status, tools, memory, processor, seen }: Measured, limit: number, most: number): void => {
    rows.push({ what: `status --json on QuickJS${where}, beyond its tools`, unit: 'ms', limit, value: status - tools, seen });
    rows.push({ what: `processor time of its own${where}`, unit: 'ms', limit: null, value: processor, seen: 'without what it starts' });
    rows.push({ what: `memory of it${where}`, unit: 'MB', limit: most, value: memory, seen: 'most it was resident' });
  };
  try {
    lab.files.write('/sbin/fw4', '#!/bin/sh\nexit 0\n', 0o755);
    say('QuickJS on a stock router');
    beyond('', await measured(lab, qjs, ROUNDS), 15, 5);
    say(`QuickJS with ${FLOWS} flows`);
    lab.files.write('/tmp/flows.mjs', await (await import('node:fs/promises')).readFile('bench/flows.mjs', 'utf8'));
    await lab.router.must(['nft', '-f', '-'], {
      input: `table inet sipalg_bench {
        ct helper bench { type "sip" protocol udp; }
        chain output { type filter hook output priority 0; ct state new udp dport 5060 ct helper set "bench"; }
        chain input { type filter hook input priority 0; ct state new udp dport 5060-20000 drop; }
      }`,
    });
    await lab.router.must(['sysctl', '-qw', 'net.netfilter.nf_conntrack_udp_timeout=3600']);
    await lab.router.must([process.execPath, '/tmp/flows.mjs', String(FLOWS)], { timeout: 120_000 });
    const flows = await measured(lab, qjs, 11);
    const left = Number((await lab.router.must(['conntrack', '-C'])).trim());
    if (left < FLOWS) throw new Error(`Only ${left} of ${FLOWS} flows are there; is nf_conntrack_max large enough?`);
    rows.push({
      what: `status --json on QuickJS with ${FLOWS} flows, against its tools`,
      unit: 'x',
      limit: 1.2,
      value: flows.status / flows.tools,
      seen: `${ms(flows.status)} / ${ms(flows.tools)}, ${flows.memory.toFixed(1)} MB`,
    });
    await lab.router.must(['conntrack', '-F']);
    say('QuickJS with a ruleset of 1 MB');
    await lab.router.must(['nft', 'delete table inet sipalg_bench']);
    await grow(lab, 1_000_000);
    beyond(' with 1 MB of ruleset', await measured(lab, qjs, 15), 60, 8);
    console.log(JSON.stringify(rows));
  } finally {
    await lab.close();
  }
}

main().catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
});
