// The measuring, inside a network namespace of its own: node bench/inside.mjs PROGRAM FOLDER. Prints JSON rows.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, median, watch } from './measure.mjs';

const [program, folder] = process.argv.slice(2);
const FLOWS = 65_536;
const node = process.execPath;
const status = [program, 'status', '--json'];
const notes = join(folder, 'watched.json');
const say = (/** @type {string} */ text) => {
  process.stderr.write(`bench: ${text}\n`);
};
const ms = (/** @type {number} */ value) => `${value.toFixed(1)} ms`;
const mb = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** @type {{ what: string, seen: string, value: number, limit: number, unit: string }[]} */
const rows = [];

execFileSync('ip', ['link', 'set', 'lo', 'up']);
execFileSync('nft', ['-f', 'test/fixtures/fw4/stock-alg-on.print.nft']); // a stock router's rules, with the ALG on
// Flows of loopback are tracked, one of them under the helper, and nobody answers them.
execFileSync('nft', ['-f', '-'], {
  input: `
  table inet sipalg_bench {
    ct helper bench { type "sip" protocol udp; }
    chain output { type filter hook output priority 0; ct state new udp dport 5060 ct helper set "bench"; }
    chain input { type filter hook input priority 0; ct state new udp dport 5060-20000 drop; }
  }`,
});
writeFileSync('/proc/sys/net/netfilter/nf_conntrack_udp_timeout', '3600'); // of this namespace

say('what the program starts');
const { started } = watch(status, notes);
if (started.length === 0) throw new Error('The program started no command at all; this bench would compare it with nothing.');
const tools = Object.fromEntries(started.map((argv) => [argv.join(' '), argv]));
const alone = await inTurn({ ...tools, node: [node, '-e', '0'], status: [node, ...status] }, 25);
const toolsCost = started.reduce((sum, argv) => sum + alone[argv.join(' ')], 0);
for (const argv of started) say(`  ${ms(alone[argv.join(' ')]).padStart(9)}  ${argv.join(' ')}`);
rows.push({
  what: 'status --json, less the tools it starts, against bare node -e 0',
  unit: 'x',
  limit: 1.3,
  value: (alone.status - toolsCost) / alone.node,
  seen: `${ms(alone.status)} - ${ms(toolsCost)} / ${ms(alone.node)}`,
});
const memory = () => median(Array.from({ length: 5 }, () => watch(status, notes).memory));
const without = memory();

say(`making ${FLOWS} flows`);
execFileSync(node, [new URL('flows.mjs', import.meta.url).pathname, String(FLOWS)], { stdio: 'inherit' });
const count = Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'));
if (count < FLOWS) throw new Error(`Only ${count} of ${FLOWS} flows came to be; is nf_conntrack_max large enough?`);
const { report } = watch(status, notes);
if (!JSON.stringify(report.facts.flows).includes('127.2.0.1')) {
  throw new Error(`The program did not find the flow under the helper: ${JSON.stringify(report.facts.flows).slice(0, 400)}`);
}

const full = await inTurn({ conntrack: ['conntrack', '-L'], status: [node, ...status] }, 15);
rows.push({
  what: `status --json with ${FLOWS} flows, against conntrack -L alone`,
  unit: 'x',
  limit: 1.5,
  value: full.status / full.conntrack,
  seen: `${ms(full.status)} / ${ms(full.conntrack)}`,
});
const held = memory();
rows.push({
  what: `memory with ${FLOWS} flows, more than with none`,
  unit: 'MB',
  limit: 20,
  value: (held - without) / 1e6,
  seen: `${mb(held)} - ${mb(without)}`,
});

const left = spawnSync('conntrack', ['-C'], { encoding: 'utf8' });
if (Number(left.stdout) < FLOWS) throw new Error(`Flows went away while measuring: ${left.stdout.trim()} are left.`);
console.log(JSON.stringify(rows));
