/**
 * The tables of one family in the kernel, changed as fw3 changes them by libiptc: one replacement of a table at a time, and a
 * chain goes only where nothing is left in it. libiptc is iptables' legacy side, whatever `iptables` is on the router.
 */
import { spawnSync } from 'node:child_process';
import { parseSave } from '../../../src/languages/iptables/save.ts';
import { warn, type Family } from './config.ts';
import { defaultChains, TABLES, zoneChains, type ChainSpec, type Table, type TableName } from './render.ts';

const commandOf = (family: Family): string => (family === 6 ? 'ip6tables-legacy' : 'iptables-legacy');

/** A table as it is, and the lines that make it another one. */
class Draft {
  readonly lines: string[] = [];
  readonly chains = new Map<string, string[]>();
  readonly name: TableName;

  constructor(family: Family, name: TableName) {
    this.name = name;
    const { stdout, status } = spawnSync(`${commandOf(family)}-save`, ['-t', name], { encoding: 'utf8' });
    for (const table of status === 0 ? parseSave(stdout).tables : []) {
      for (const chain of table.chains) this.chains.set(chain.name, []);
      for (const rule of table.rules) this.chains.get(rule.chain)?.push(rule.text.replace(/^-A (?:"[^"]*"|\S+) ?/, ''));
    }
  }

  delete(chain: string, doomed: (rule: string) => boolean): void {
    const rules = this.chains.get(chain) ?? [];
    for (const rule of rules.filter(doomed)) this.lines.push(`-D ${chain} ${rule}`);
    this.chains.set(
      chain,
      rules.filter((rule) => !doomed(rule)),
    );
  }

  flush(chain: string): void {
    if (!this.chains.has(chain)) return;
    this.lines.push(`-F ${chain}`);
    this.chains.set(chain, []);
  }

  /** Rules that lead to the chain go with it; one that holds rules stays, and one that is in use where `unused` is asked for. */
  remove(chain: string, unused: boolean): void {
    if (!this.chains.has(chain)) return;
    const leads = (rule: string): boolean => new RegExp(` -[jg] ${chain.replace(/[.*+?^$()[\]{}|\\]/g, '\\$&')}( |$)`).test(` ${rule}`);
    if (unused && [...this.chains.values()].some((rules) => rules.some(leads))) return;
    for (const each of this.chains.keys()) this.delete(each, leads);
    if ((this.chains.get(chain) ?? []).length > 0) return;
    this.lines.push(`-X ${chain}`);
    this.chains.delete(chain);
  }

  policy(chain: string, policy: string): void {
    this.lines.push(`:${chain} ${policy} [0:0]`);
  }

  make(chain: string): void {
    if (this.chains.has(chain)) return;
    this.lines.push(`:${chain} - [0:0]`);
    this.chains.set(chain, []);
  }

  append(chain: string, words: string): void {
    this.lines.push(`-A ${chain} ${words}`);
    this.chains.get(chain)?.push(words);
  }

  commit(family: Family): void {
    if (this.lines.length === 0) return;
    const input = `*${this.name}\n${this.lines.join('\n')}\nCOMMIT\n`;
    const { status, stderr } = spawnSync(`${commandOf(family)}-restore`, ['--noflush', '--wait', '10'], { input, encoding: 'utf8' });
    // As with fw3, the other tables are changed all the same.
    if (status !== 0) warn(`iptc_commit(): ${this.name}: ${stderr.trim()}`);
  }
}

const chainsIn = (table: TableName, zones: readonly string[]): ChainSpec[][] => [
  defaultChains.filter((spec) => spec.table === table),
  ...zones.map((zone) => zoneChains(zone).filter((spec) => spec.table === table)),
];

const BUILT_IN = ['INPUT', 'OUTPUT', 'FORWARD', 'PREROUTING', 'POSTROUTING'];

/** Takes fw3's own rules and chains out; on a reload its owner's chains keep what they hold, and nothing passes meanwhile. */
export function clear(family: Family, zones: readonly string[], reload: boolean): void {
  for (const name of TABLES) {
    const table = new Draft(family, name);
    if (name === 'filter') for (const chain of ['INPUT', 'OUTPUT', 'FORWARD']) table.policy(chain, reload ? 'DROP' : 'ACCEPT');
    for (const chain of BUILT_IN) table.delete(chain, (rule) => /--comment "?!fw3/.test(rule));
    for (const specs of chainsIn(name, zones)) {
      for (const { name: chain, custom } of specs) if (!reload || !custom) table.flush(chain);
      for (const { name: chain } of specs) table.remove(chain, reload);
    }
    table.commit(family);
  }
}

/** Everything of everybody's goes (`fw3 flush`, and the first half of a restart). */
export function empty(family: Family): void {
  for (const name of TABLES) {
    const table = new Draft(family, name);
    if (name === 'filter') for (const chain of ['INPUT', 'OUTPUT', 'FORWARD']) table.policy(chain, 'ACCEPT');
    const own = [...table.chains.keys()];
    for (const chain of own) table.flush(chain);
    for (const chain of own) if (!BUILT_IN.includes(chain)) table.remove(chain, false);
    table.commit(family);
  }
}

export function populate(family: Family, tables: Readonly<Record<TableName, Table>>): void {
  for (const name of TABLES) {
    const { policies, chains, rules } = tables[name];
    const table = new Draft(family, name);
    for (const [chain, policy] of Object.entries(policies)) table.policy(chain, policy);
    for (const chain of chains) table.make(chain);
    for (const { chain, words, replace } of rules) if (!replace || !table.chains.get(chain)?.includes(words)) table.append(chain, words);
    table.commit(family);
  }
}
