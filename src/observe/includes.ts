/**
 * Files of somebody's own that the firewall loads, and what they do with the SIP
 * helper. One that is part of fw4's own transaction (/etc/nftables.d,
 * /usr/share/nftables.d, `config include` of type nftables) takes the whole
 * ruleset down with it when the helper can not be created any more.
 */
import type { Host, Reading } from '../host/host.ts';
import type { SourceUse } from '../languages/nft/source.ts';
import type { FirewallUci, IncludeUse } from './facts.ts';
import type { Firewall } from './firewall.ts';
import { isSipHelper } from './nft.ts';
import { orElse, present } from './reading.ts';

/** nft looks here for an include that names no directory (nft(8), "-I"). */
const DEFAULT_INCLUDE_PATH = '/etc';
const MOST_FILES = 200;
const CHAIN_PLACES = ['chain-pre', 'chain-post'];
const RULESET_PLACES = ['ruleset-pre', 'ruleset-post', 'table-pre', 'table-post'];

/** A place that can not be looked into might hold anything. */
class Unreadable extends Error {
  readonly source: string;

  constructor(source: string, because: string) {
    super(because);
    this.source = source;
  }
}

function orNone(names: Reading<string[]>): string[] {
  if (names.state === 'failed') throw new Unreadable(names.source, names.because);
  return orElse(names, []);
}

/** The files a pattern of fw4's or nft's stands for: `*` and `?` in the last part of the path. */
async function expand(host: Host, pattern: string): Promise<string[]> {
  const path = pattern.startsWith('/') ? pattern : `${DEFAULT_INCLUDE_PATH}/${pattern.replace(/^\.\//, '')}`;
  const slash = path.lastIndexOf('/');
  const last = path.slice(slash + 1);
  if (!/[*?]/.test(last)) return [path];
  const like = new RegExp(
    `^${last
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const folder = path.slice(0, slash);
  return orNone(await host.list(folder))
    .filter((name) => like.test(name) && !name.startsWith('.'))
    .map((name) => `${folder}/${name}`);
}

async function nftSources(host: Host, uci: FirewallUci): Promise<string[]> {
  const patterns = ['/etc/nftables.d/*.nft', ...uci.includes.filter(({ type }) => type === 'nftables').map(({ path }) => path)];
  if (uci.autoIncludes) {
    const shared = '/usr/share/nftables.d';
    patterns.push(...RULESET_PLACES.map((place) => `${shared}/${place}/*.nft`));
    for (const place of CHAIN_PLACES) {
      for (const chain of orNone(await host.list(`${shared}/${place}`))) patterns.push(`${shared}/${place}/${chain}/*.nft`);
    }
  }
  return (await Promise.all(patterns.map((pattern) => expand(host, pattern)))).flat();
}

/** Names that mean SIP without any file having said so: the firewall's own object. */
const OWN_OBJECT = 'sip';

export async function observeIncludes(host: Host, firewall: Firewall, uci: FirewallUci): Promise<Reading<IncludeUse[]>> {
  try {
    return present('the files the firewall includes', await usesIn(host, firewall, uci));
  } catch (error) {
    if (error instanceof Unreadable) return { state: 'failed', source: error.source, because: error.message };
    throw error;
  }
}

async function usesIn(host: Host, firewall: Firewall, uci: FirewallUci): Promise<IncludeUse[]> {
  const scanned: { file: string; uses: SourceUse[] }[] = [];
  const waiting = firewall === 'fw4' ? await nftSources(host, uci) : [];
  const seen = new Set<string>();
  while (waiting.length > 0 && seen.size < MOST_FILES) {
    const file = waiting.shift() as string;
    if (seen.has(file)) continue;
    seen.add(file);
    const text = await sourceOf(host, file);
    if (text === null) continue;
    // Loaded where somebody has written something of their own.
    const { scanSource } = await import('../languages/nft/source.ts');
    const uses = scanSource(text);
    scanned.push({ file, uses });
    for (const use of uses) if (use.kind === 'includes') waiting.push(...(await expand(host, use.pattern)));
  }
  if (waiting.some((file) => !seen.has(file)))
    throw new Unreadable(waiting[0] as string, `more than ${MOST_FILES} files are included, and it was not looked at any more`);
  const declared = scanned.flatMap(({ uses }) => uses.flatMap((use) => (use.kind === 'declares' && use.type !== null ? [use] : [])));
  const sip = new Set(declared.filter(({ type }) => isSipHelper(type as string)).map(({ name }) => name));
  // fw4 declares `sip` itself, unless a file declares that name for another helper.
  if (!declared.some(({ name }) => name === OWN_OBJECT)) sip.add(OWN_OBJECT);
  const found = scanned.flatMap(({ file, uses }) =>
    uses.flatMap((use): IncludeUse[] => {
      const { line, text } = use;
      if (use.kind === 'declares' && isSipHelper(use.type ?? '')) return [{ file, line, text, kind: 'declares', name: use.name }];
      const name = use.kind === 'assigns' ? use.objects.find((object) => sip.has(object)) : undefined;
      return name === undefined ? [] : [{ file, line, text, kind: 'assigns', name }];
    }),
  );
  const scripts = uci.includes.filter(({ type }) => type !== 'nftables').map(({ path }) => path);
  for (const file of new Set(['/etc/firewall.user', ...scripts])) found.push(...(await scriptUses(host, file)));
  return found;
}

/** A file's text; null where it is not there, or is no file: a directory cannot be run or loaded. */
async function sourceOf(host: Host, file: string): Promise<string | null> {
  const text = await host.read(file);
  if (text.state === 'present') return text.value;
  if (text.state === 'absent' || orElse(await host.kind(file), 'file') === 'directory') return null;
  throw new Unreadable(file, text.because);
}

/** Lines of a script that set the helper by themselves: an nft or iptables command, outside comments. */
async function scriptUses(host: Host, file: string): Promise<IncludeUse[]> {
  return ((await sourceOf(host, file)) ?? '').split('\n').flatMap((written, index): IncludeUse[] => {
    const line = written.trim();
    if (line.startsWith('#')) return [];
    const sets = /(--helper[ =]|ct helper (set|[^{]*\{))/.test(line) && /sip/.test(line) && !/-m helper/.test(line);
    return sets ? [{ file, line: index + 1, text: line.slice(0, 200), kind: 'runs', name: null }] : [];
  });
}
